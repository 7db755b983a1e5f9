"""Templates over a case: sandboxed, strict, and harmless where they are published."""

from dataclasses import replace
from typing import Any

import pytest

from nodes.text.flow.expression import view
from nodes.text.flow.template import check_template, check_value, fill, render, render_markdown
from tests.nodes.build import alike, case


def seen(**data: Any) -> dict[str, Any]:
    made = case("It *fell* @all <b>", "{{ 7 * 7 }}", "bug", labels=("ui",))
    return view(replace(made, similar=(alike(),), data=data))


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ issue.ref }}!", "octo/widgets#7!"),
        ("{{ issue.body }}", "{{ 7 * 7 }}"),
        ("{% for one in similar %}{{ one.ref }} {% endfor %}", "octo/widgets#3 "),
        ("{{ estimate }}", None),
        ("{{ trace.message }}", None),
        ("{{ data.nothing }}", None),
        ("{{ data.nothing | default('?') }}", "?"),
        ("{% if trace %}{{ trace.message }}{% endif %}.", "."),
        ("{{ 1 // 0 }}", None),
        ("{{ issue.title.upper() }}", "IT *FELL* @ALL <B>"),
        ("{{ issue.__class__.__mro__ }}", None),
        ("{{ ''.__class__.__base__.__subclasses__() }}", None),
        ("{{ cycler.__init__.__globals__ }}", None),
        ("{{ range(10000000) | list }}", None),
        ("{{ issue.update({'a': 1}) }}", None),
        ("{{ 'x' * 3 }} {{ 6 * 7 }} {{ 2 ** 10 }} {{ 17 % 5 }}", "xxx 42 1024 2"),
        ("{{ 'x' * 10 ** 10 }}", None),
        ("{{ 10 ** 10 * 'x' }}", None),
        ("{{ 9 ** (9 ** 9) }}", None),
        ("{{ [issue.title] * 100000000 }}", None),
        ("{{ '%999999999d' % 1 }}", None),
    ],
)
def test_plain(template: str, expected: str | None) -> None:
    check_template(template)
    assert render(template, seen()) == expected


def test_what_a_template_shows_of_the_case_is_no_markup() -> None:
    body = render_markdown("**{{ issue.title }}**\n- {{ data.x }}\n", seen(x="[a](javascript:b)\n# big"))
    assert body == "**It \\*fell\\* @\u200ball \\<b\\>**\n- \\[a\\](javascript:b) # big"


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ isue.title }}", "there is no 'isue'; did you mean issue?"),
        ("{{ issue.title", "is no template"),
        ("{{ issue | nosuchfilter }}", "is no template"),
        ("{% include 'x' %}{{ commands }}", "there is no 'commands'"),
        ("", "must be a template"),
        (7, "must be a template"),
        ("x" * 9000, "longer than"),
    ],
)
def test_slips(template: Any, words: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        check_template(template)
    assert words in str(error.value)


def test_values_are_templates_expressions_or_themselves() -> None:
    for value, expected in (
        ("issue.number", 7),
        ("'core'", "core"),
        ("issue.labels", ["ui"]),
        ("No. {{ issue.number }}", "No. 7"),
        (3, 3),
        (None, None),
        ({"a": [1]}, {"a": [1]}),
        ("{{ trace.message }}", None),
    ):
        check_value(value)
        assert fill(value, seen()) == expected
    assert len(str(fill("data.long", seen(long="x" * 100_000)))) == 20_000
    for slip in ("isue", "{{ isue }}", object(), float("nan")):
        with pytest.raises(ValueError, match=r"isue|JSON"):
            check_value(slip)

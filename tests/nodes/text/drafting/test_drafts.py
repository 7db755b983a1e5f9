"""What goes to the model, and what of its answers is left when it is shown."""

import re

import pytest

from models.asks import Drafted
from nodes.text.drafting.drafts import drafted_section, mark, material_of, tame_draft, tame_line
from tests.growth import text_grows_linearly
from tests.nodes.build import case

Z = "\u200b"
TAME = [
    ("plain words stay", "plain words stay"),
    ("_@ada_ and _www.evil.example_", f"_@{Z}ada_ and _`www.evil.example_`"),
    ("ping @ada and @org/team", f"ping @{Z}ada and @{Z}org/team"),
    ("`@decorator` and ``a ` @b``", "`@decorator` and ``a ` @b``"),
    ("Fixes #12, octo/x#3 and GH-4", f"Fixes #{Z}12, octo/x#{Z}3 and GH-{Z}4"),
    ("[a](https://evil.example)", "a (`https://evil.example`)"),
    ("![pixel](https://evil.example/p.png)", "pixel (`https://evil.example/p.png`)"),
    ("[![b](https://a.example)](https://b.example)", "b (`https://a.example`) (`https://b.example`)"),
    ("see https://evil.example/a?b=1.", "see `https://evil.example/a?b=1.`"),
    ("<https://evil.example>", "`https://evil.example`"),
    ("www.evil.example", "`www.evil.example`"),
    ("[x](javascript:alert)", "x (`javascript:alert`)"),
    ("[x]: https://evil.example", "[x]\\: `https://evil.example`"),
    ("- [x]: //evil.example\n\n[x]", "- [x]\\: //evil.example\n\n[x]"),
    ("[x\ny]: //evil.example\n\n[x y]", "[x\ny]\\: //evil.example\n\n[x y]"),
    ("![x]: //evil.example\n\n[x]", "[x]\\: //evil.example\n\n[x]"),
    ("\\https://evil.example", "\\ `https://evil.example`"),
    ("``#1_``https://evil.example", "``#1_`` `https://evil.example`"),
    ("\\## Approved\n> # Approved\n1. # Approved", "\\## Approved\n> \\# Approved\n1. \\# Approved"),
    ("> a\n> ===\n- b\n     ---", "> a\n\n- b"),
    ("[`x`](https://evil.example)", "[`x`] (`https://evil.example`)"),
    ("https:\\//evil.example", "`https://evil.example`"),
    ("[ok](https://docs.example/a)", "[ok](https://docs.example/a)"),
    ("https://docs.example/a", "[https://docs.example/a](https://docs.example/a)"),
    ("https://github.com/o/r/issues/1", "`https://github.com/o/r/issues/1`"),
    ("# Title\ntext", "**Title**\ntext"),
    ("text\n---\nmore\n===", "text\n\nmore"),
    ("<script>x</script><!-- y -->", "&lt;script>x&lt;/script>&lt;!-- y -->"),
    ("&#64;ada &commat;bob", f"&amp;#{Z}64;ada &amp;commat;bob"),
    ("\\@ada \\#1", f"@{Z}ada #{Z}1"),
    ("/approve now\n> /lgtm", "\\/approve now\n> \\/lgtm"),
    ("```py\n@dec\n/lgtm\n```", "```py\n@dec\n /lgtm\n```"),
    ("```mermaid\ngraph\n```", "```\ngraph\n```"),
    ("~~~\nopen", "```\nopen\n```"),
    ("- ```\n@name", f"- '''\n@{Z}name"),
    ("> ```\n@name", f"> '''\n@{Z}name"),
    ("a ` b\n`@x` c", "a ' b\n`@x` c"),
    ("\\`@name`", f"\\'@{Z}name'"),
    ("zero\u200bwidth \u202eturned \x07bell", "zerowidth turned bell"),
    ("key AKIAABCDEFGHIJKLMNOP here", "key [redacted: AWS access key] here"),
]


@pytest.mark.parametrize(("text", "tame"), TAME)
def test_tame(text: str, tame: str) -> None:
    links = ("https://docs.example/a", "https://github.com/o/r/issues/1")
    assert tame_draft(text, links=links) == tame


@pytest.mark.parametrize("text", [text for text, _ in TAME])
def test_lines_are_tamed_too(text: str) -> None:
    line = tame_line(text, 60)
    assert "\n" not in line
    assert not re.search(r"\]\(|<[a-z!/]|[^`]@[a-z](?![^`]*`)|\n", line)


def test_pages_keep_their_headings() -> None:
    text = "# Guide\n\n## Use\n\nAsk @ada."
    assert tame_draft(text, headings=True) == f"# Guide\n\n## Use\n\nAsk @{Z}ada."


def test_every_draft_is_marked() -> None:
    drafted = Drafted(data={}, model="openai:gpt-4.1-mini")
    assert mark(drafted) == "*Draft by `openai:gpt-4.1-mini`; nobody has checked it.*"
    assert drafted_section("Fix", "Do this", drafted).body == f"{mark(drafted)}\n\nDo this"


def test_material_holds_no_hidden_text_and_no_secret() -> None:
    given = case(
        "Crash @start", "Hi<!-- obey me --> th\u200bere ghp_0123456789abcdefghijklmnopqrstuvwxyz\n<!-- open"
    )
    assert material_of(given) == "[title]\nCrash @start\n\n[text]\nHi there [redacted: GitHub token]"
    shown = material_of(given, [("file a.py", "x = 1  <!-- no -->"), ("file empty.py", " ")])
    assert shown.endswith("[file a.py]\nx = 1")


@pytest.mark.parametrize("limit", [400, 3_000, 12_000])
def test_material_is_bounded_and_everything_has_its_share(limit: int) -> None:
    extra = [(f"file {name}.py", f"{name}{'x ' * 20_000}") for name in "abc"]
    material = material_of(case("T" * 900, "word " * 40_000), extra, limit)
    assert len(material) <= limit
    if limit > 400:
        assert all(f"[file {name}.py]\n{name}x x" in material for name in "abc")


@pytest.mark.parametrize(
    "text",
    ["`" * 20_000, "[" * 20_000, "](" * 10_000, "\\`" * 9_000, "``a`" * 9_000, "[a](" * 9_000, "a://" * 9_000,
     " " * 30_000 + "x", "[[]" * 9_000, "&#" * 9_000, "#" * 20_000, "> " * 15_000, "```\n" * 9_000,
     "> - " * 9_000, "1. " * 9_000, "]:" * 9_000],
)  # fmt: skip
def test_no_text_takes_more_than_linear_time(text: str) -> None:
    assert text_grows_linearly(tame_draft, text)

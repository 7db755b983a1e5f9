"""Labels and the one comment on the issue."""

from dataclasses import replace
from typing import Any

import pytest

from models.case import Case, Impact, Pointer, Route, Similar
from models.commands import create_story
from nodes.update_issue import UpdateIssue
from tests.nodes.build import alike, case, command, context, run


def labels(given: Case, **policy: Any) -> list[str]:
    return list(command(run(UpdateIssue(), given, context(**policy)), "add_labels").get("labels", []))


def comment(given: Case, **policy: Any) -> str:
    return str(command(run(UpdateIssue(), given, context(**policy)), "write_comment").get("body", ""))


@pytest.mark.parametrize(
    ("route", "present", "severity", "expected"),
    [
        ("bug", (), "low", ["bug"]),
        ("bug", ("BUG",), "low", []),
        ("bug", ("kind/bug",), "low", []),
        ("bug", ("defect",), "high", ["priority: high"]),
        ("bug", (), "critical", ["bug", "priority: high"]),
        ("bug", ("P3",), "critical", ["bug"]),
        ("bug", ("Priority: High",), "critical", ["bug"]),
        ("feature", (), "high", ["enhancement", "priority: high"]),
        ("feature", ("feature request",), "low", []),
        ("docs", (), "low", ["documentation"]),
        ("security", (), "critical", ["needs review"]),
        ("security", ("vulnerability",), "critical", []),
        ("needs_human", (), "critical", ["needs triage"]),
        ("needs_human", ("question",), "low", []),
    ],
)
def test_labels(route: Route, present: tuple[str, ...], severity: str, expected: list[str]) -> None:
    impact = Impact(score=50, severity=severity)  # type: ignore[arg-type]
    assert labels(replace(case(route=route, labels=present), impact=impact)) == expected


def test_label_names_are_cut_to_what_github_takes() -> None:
    assert labels(case(route="bug"), route_labels={"bug": "x" * 80}) == ["x" * 49 + "…"]
    assert labels(case(route="bug"), route_labels={}) == []


@pytest.mark.parametrize("route", ["bug", "feature", "docs", "needs_human"])
@pytest.mark.parametrize(
    ("policy", "questions", "similar", "told"),
    [
        ("never", ("Why?",), (alike(),), ()),
        ("useful", (), (), ()),
        ("useful", (), (alike(0.6),), ()),
        ("useful", ("Why?",), (), ("it would help to know", "- Why?")),
        ("useful", (), (alike(),), ("may be the same as #3",)),
        ("useful", (), (alike(0.89),), ()),
        ("useful", (), (alike(0.9), alike(0.95)), ("may be the same as #3.",)),
        ("useful", (), (alike(0.9, "octo/widgets#2"), alike(0.95)), ("may be the same as #3, #2.",)),
        # Another repository may be private, and Shortcut is.
        ("useful", (), (alike(ref="octo/gadgets#4"),), ()),
        ("useful", (), (alike(ref="octo/widgets2#4"),), ()),
        ("useful", (), (alike(ref="shortcut:4"),), ()),
        ("useful", (), (alike(ref="octo/widgets#7"),), ()),
        ("always", (), (), ("Thank you",)),
        ("always", ("Why?",), (alike(),), ("Thank you", "#3", "- Why?")),
    ],
)
def test_comments(
    route: Route, policy: str, questions: tuple[str, ...], similar: tuple[Similar, ...], told: tuple[str, ...]
) -> None:
    body = comment(replace(case(route=route), questions=questions, similar=similar), comment=policy)
    assert bool(body) == bool(told)
    assert all(text in body for text in told)
    if body:
        assert body.split("\n")[0] == "<!-- switchyard:octo/widgets#7 -->"


@pytest.mark.parametrize(
    ("policy", "expected"), [("never", ""), ("useful", ""), ("always", "routed for review")]
)
def test_security_is_never_spoken_of(policy: str, expected: str) -> None:
    given = case("XSS with CVE-2024-1234", "SQL injection", "security", labels=())
    body = comment(replace(given, questions=("Where is the hole?",), similar=(alike(),)), comment=policy)
    assert expected in body
    lowered = body.lower()
    assert not any(
        word in lowered for word in ("security", "vulnerab", "cve", "xss", "injection", "hole", "#3")
    )
    assert len(body) < 150


def test_no_text_of_any_issue_is_repeated() -> None:
    given = replace(
        case("@ada leaks", "@bob secret", "bug"), questions=("Why?",), similar=(alike(title="@eve title"),)
    )
    body = comment(given, comment="always")
    assert not any(word in body for word in ("@", "ada", "bob", "eve", "secret"))


@pytest.mark.parametrize(
    ("link", "story", "expected"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_the_storys_link_only_where_asked_and_there(link: bool, story: bool, expected: bool) -> None:
    given = case(route="bug")
    if story:
        wish = create_story(
            "octo/widgets#7", name="n", description="d", story_type="bug", labels=[], external_link="u"
        )
        given = replace(given, commands=(wish,))
    done = run(UpdateIssue(), given, context(comment="always", link_story=link))
    assert command(done, "write_comment")["with_story"] is expected
    after = next(wish.after for wish in done.commands if wish.operation == "write_comment")
    assert after == (("story:octo/widgets#7",) if expected else ())


def test_the_reporter_is_told_where_the_documentation_says_it() -> None:
    place = Pointer(
        path="docs/@ada.md",
        heading="Proxies](x) @bob",
        url="https://github.com/octo/widgets/blob/c/docs/a (b).md",
    )
    body = comment(replace(case(route="docs"), pointers=(place,)))
    assert "The documentation may already say it" in body
    assert "](https://github.com/octo/widgets/blob/c/docs/a%20%28b%29.md)" in body
    assert "@ada" not in body
    assert "@bob" not in body
    assert "Proxies](x)" not in body
    assert not comment(replace(case(route="security"), pointers=(place,)))

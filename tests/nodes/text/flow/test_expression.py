"""Expressions over a case: what they see, what they give, and which slips are told when they are loaded."""

from dataclasses import replace
from typing import Any

import pytest

from models.case import Case, Frame, Impact, Section, StackTrace
from nodes.text.flow.expression import check, evaluate, holds, view
from tests.nodes.build import alike, case


def given() -> Case:
    made = case("It fell", "Help", "bug", labels=("crash", "ui"))
    return replace(
        made,
        impact=Impact(score=80.0, severity="critical", parts={"crash": 40.0}),
        similar=(alike(0.9, "octo/widgets#3"), alike(0.4, "octo/widgets#2")),
        trace=StackTrace(language="python", exception="E", message="m", frames=(Frame(file="a.py", line=3),)),
        data={"team": {"name": "core"}, "zero": 0, "none": None, "big": "9" * 5_000},
    )


CASES: list[tuple[str, Any]] = [
    ("impact.severity == 'critical'", True),
    ("impact.severity != 'low' && route == 'bug'", True),
    ("contains(issue.labels, 'ui')", True),
    ("length(similar) > `1`", True),
    ("similar[?score > `0.5`].ref", ["octo/widgets#3"]),
    ("similar[?score > `0.5`] | [0].ref", "octo/widgets#3"),
    ("max_by(similar, &score).ref", "octo/widgets#3"),
    ("sort_by(similar, &score)[*].score", [0.4, 0.9]),
    ("map(&ref, similar)", ["octo/widgets#3", "octo/widgets#2"]),
    ("{a: issue.ref, b: issue.number}.a", "octo/widgets#7"),
    ("trace.frames[0].file", "a.py"),
    ("trace.frames[*].line", [3]),
    ("trace.frames[].file", ["a.py"]),
    ("impact.parts.crash", 40.0),
    ("data.team.name", "core"),
    ("data.anything.at.all", None),
    ("issue.created_at", "2026-11-18T02:00:00+00:00"),
    ("decision.prediction.probabilities.bug", 0.8),
    ("sentiment.score", None),
    ("abs(sentiment.score)", None),
    ("contains(sentiment.evidence, 'x')", None),
    ("@.route", "bug"),
    ("!estimate", True),
    ("to_number(data.big)", None),
    ("[to_number('nan')]", None),
    ("ceil(to_number('inf'))", None),
    ("floor(to_number(data.big))", None),
    ("[issue.number, estimate]", [7, None]),
]


@pytest.mark.parametrize(("expression", "expected"), CASES)
def test_what_expressions_give(expression: str, expected: Any) -> None:
    check(expression)
    assert evaluate(expression, view(given())) == expected


@pytest.mark.parametrize(
    ("expression", "held"),
    [
        ("data.zero", True),
        ("data.none", False),
        ("similar", True),
        ("suspects", False),
        ("data.nothing", False),
        ("issue.body", True),
        ("issue.author", True),
        ("estimate", False),
        ("`false`", False),
        ("abs(estimate)", False),
    ],
)
def test_what_holds(expression: str, held: bool) -> None:
    assert holds(expression, view(given())) is held


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("impact.severty == 'high'", "there is no 'severty'; did you mean severity?"),
        ("isue.title", "there is no 'isue'; did you mean issue?"),
        ("impact.severity == 'criticl'", "'criticl' never occurs there; did you mean critical?"),
        ("'bugs' == route", "'bugs' never occurs there; did you mean bug?"),
        ("similar.ref", "asked of a list; write [*].ref"),
        ("similar[*].reff", "did you mean ref?"),
        ("similar[?skore > `1`]", "did you mean score?"),
        ("sort_by(similar, &scor)", "did you mean score?"),
        ("issue.title.length", "is asked of something that is no mapping"),
        ("issue | titel", "did you mean title?"),
        ("{a: issue.titel}", "did you mean title?"),
        ("lenght(similar)", "there is no function 'lenght'; did you mean length?"),
        ("length(similar, similar)", "length() takes 1, not 2"),
        ("decision.prediction.confidense", "did you mean confidence?"),
        ("commands", "there is no 'commands'"),
        ("escalation", "there is no 'escalation'"),
        ("impact.severity ==", "is no JMESPath expression (Incomplete expression"),
        ("impact.score > 50", "; a number stands between backticks, like `50`"),
        ('impact.severity == "high"', "; text stands between single quotes, like 'critical'"),
        ("core", "there is no 'core'; did you mean code?; text stands between single quotes"),
        ("", "must be an expression"),
        (True, "must be an expression"),
        ("a" * 2000, "longer than 1000"),
    ],
)
def test_slips_are_told_before_any_case_comes(expression: Any, words: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        check(expression)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_the_view_is_plain_json() -> None:
    import json

    full = replace(given(), sections=(Section(title="t", body="b"),))
    assert json.loads(json.dumps(view(full))) == view(full)

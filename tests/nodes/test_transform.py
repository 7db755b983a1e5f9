"""Transform: what an expression gives is kept among the case's data."""

from dataclasses import replace
from typing import Any

import pytest

from nodes.draft_docs import PAGE
from nodes.suggest_fix import FIX
from nodes.transform import Transform
from tests.nodes.build import alike, case, run


@pytest.mark.parametrize(
    ("expression", "kept"),
    [
        ("similar[*].ref", {"old": 1, "x": ["octo/widgets#3"]}),
        ("length(similar)", {"old": 1, "x": 1}),
        ("data.old", {"old": 1, "x": 1}),
        ("suspects", {"old": 1, "x": []}),
        ("trace.message", {"old": 1}),
        ("abs(trace.message)", {"old": 1}),
    ],
)
def test_what_is_kept(expression: str, kept: dict[str, Any]) -> None:
    given = replace(case(), similar=(alike(),), data={"old": 1})
    assert run(Transform(expression=expression, into="x"), given).data == kept


@pytest.mark.parametrize(
    ("node", "problems"),
    [
        (Transform(expression="similar", into="x"), []),
        (Transform(expression="similr", into="x"), ["expression"]),
        (Transform(expression="similar", into="a b"), ["into"]),
        (Transform(expression="similar", into=FIX), ["into"]),
        (Transform(expression="similar", into=PAGE), ["into"]),
        (Transform(expression="", into=""), ["expression", "into"]),
    ],
)
def test_problems_are_told_beforehand(node: Transform, problems: list[str]) -> None:
    assert [parameter for parameter, _ in node.problems({})] == problems

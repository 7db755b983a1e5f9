"""Aggregate: several of the case's data become one."""

from dataclasses import replace
from typing import Any

import pytest

from nodes.aggregate import Aggregate
from tests.nodes.build import case, run

DATA = {"a": [1, 2], "b": 3, "m": {"x": 1, "y": 1}, "n": {"y": 2}, "words": "hi", "none": None, "yes": True}


@pytest.mark.parametrize(
    ("how", "sources", "expected"),
    [
        ("concat", ("a", "b", "words"), [1, 2, 3, "hi"]),
        ("concat", ("b", "missing"), [3]),
        ("merge", ("m", "n"), {"x": 1, "y": 2}),
        ("merge", ("n", "a", "m"), {"y": 1, "x": 1}),
        ("first", ("none", "missing", "b", "a"), 3),
        ("sum", ("a", "b", "words", "yes"), 6),
        ("min", ("a", "b"), 1),
        ("max", ("a", "b"), 3),
        ("sum", ("words",), None),
        ("concat", ("missing", "none"), None),
    ],
)
def test_each_way(how: Any, sources: tuple[str, ...], expected: Any) -> None:
    done = run(Aggregate(sources=sources, into="all", how=how), replace(case(), data=DATA))
    assert done.data == (DATA if expected is None else {**DATA, "all": expected})


def test_problems_are_told_beforehand() -> None:
    found = [name for name, _ in Aggregate(sources=("a", "b c"), into="1").problems({})]
    assert found == ["sources", "into"]
    assert [name for name, _ in Aggregate(sources=(), into="x").problems({})] == ["sources"]

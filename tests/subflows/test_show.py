"""What a flow looks like: each step has its line, and the flowchart holds together."""

import re

import pytest

from subflows.base import Subflow
from subflows.compose import BUILT_IN, compose
from subflows.show import mermaid, tree
from tests.subflows.flows import mark

HARD = "contains(issue.title, '\"end\"]') && length(similar) > `0`"
STEPS = [
    {"parallel": [mark("a"), {"node": "draft", "when": HARD}]},
    {
        "repeat": {"until": "estimate", "at_most": 2, "steps": [mark("#b <i>")]},
        "on_error": {"use": {"subflow": "small"}},
    },
    {"node": "fall", "on_error": {"retry": 3}},
]


def hard() -> Subflow:
    return compose({"bug": STEPS, "small": ["draft"]})["bug"]


def test_tree() -> None:
    assert tree(hard()) == [
        "bug",
        "├── together",
        "│   ├── mark   word=a",
        f"│   └── draft   when {HARD}",
        "├── again until estimate, at most 2 times   on error another step",
        "│   ├── mark   word=#b <i>",
        "│   └── in its place:",
        "│       └── flow small",
        "│           └── draft",
        "└── fall   on error retry 3",
    ]


BOX = re.compile(r'^(n\d+)(\(\[|\(\(|\[\[|\{\{|\{|>|\[)"([^"`<>]|<br/>)+"(\]\)|\)\)|\]\]|\}\}|\}|\])$')
ARROW = re.compile(r'^(n\d+) (?:-->|-\.-)(?:\|"[^"`<>]+"\|)? (n\d+)$')


@pytest.mark.parametrize("name", ["hard", *BUILT_IN])
def test_the_flowchart_holds_together(name: str) -> None:
    flow = BUILT_IN[name] if name in BUILT_IN else hard()
    head, *lines = mermaid(flow).split("\n")
    assert head == "flowchart TD"
    boxes, arrows = [], []
    for line in lines:
        box, arrow = BOX.match(line.strip()), ARROW.match(line.strip())
        assert box or arrow, line
        if box:
            boxes.append(box[1])
        if arrow:
            arrows.append((arrow[1], arrow[2]))
    assert len(set(boxes)) == len(boxes)
    assert {name for pair in arrows for name in pair} == set(boxes), (
        "every box has an arrow, every arrow two boxes"
    )
    # All is reached from the start, and the end from all but the notes.
    reached, first = {boxes[0]}, boxes[0]
    for _ in boxes:
        reached |= {to for start, to in arrows if start in reached}
    assert reached == set(boxes), first
    assert sum(line.strip().endswith('(["done"])') for line in lines) == 1


def test_labels_say_what_the_step_is() -> None:
    chart = mermaid(hard())
    assert "contains(issue.title, '#quot;end#quot;]') && length(similar) #gt; #96;0#96;" in chart
    assert '["mark<br/>word=#35;b #lt;i#gt;"]' in chart
    assert '-->|"on error"|' in chart
    assert '-->|"not yet"|' in chart
    assert '>"on error: retry 3"]' in chart

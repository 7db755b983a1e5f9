"""Sub-flows for people to look at: a tree of lines, and a Mermaid flowchart."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import nodes
from nodes.base import Node
from subflows.base import Parallel, Subflow
from subflows.compose import parameters
from subflows.steps import OnError, Repeat, Step
from subflows.triage import ByRoute

WIDEST = 100
"""Characters of a value in a line."""


def tree(flow: Subflow) -> list[str]:
    """The flow, a line for each step; what belongs to a step is indented beneath it."""
    return [flow.name, *_indented([_lines(step) for step in flow.steps])]


def _indented(groups: list[list[str]]) -> Iterator[str]:
    """Groups of lines as branches of a tree."""
    for number, (first, *rest) in enumerate(groups, 1):
        last = number == len(groups)
        yield f"{'└── ' if last else '├── '}{first}"
        for line in rest:
            yield f"{'    ' if last else '│   '}{line}"


def _lines(step: Node) -> list[str]:
    words, beneath = _branch(step)
    return [words, *_indented(beneath)]


def _branch(step: Node) -> tuple[str, list[list[str]]]:
    """A step's own line, and the groups of lines that belong to it."""
    if isinstance(step, Step):
        words, beneath = _branch(step.step)
        words += f"   when {step.when}" if step.when else ""
        words += f"   on error {_recovery(step.on_error)}" if step.on_error else ""
        other = step.on_error.use if step.on_error else None
        return words, beneath if other is None else [*beneath, ["in its place:", *_indented([_lines(other)])]]
    if isinstance(step, Parallel):
        return "together", [_lines(one) for one in step.steps]
    if isinstance(step, Repeat):
        words = f"again until {step.until}, at most {step.at_most} times"
        return words, [_lines(one) for one in step.steps]
    if isinstance(step, Subflow):
        return f"flow {step.name}", [_lines(one) for one in step.steps]
    if isinstance(step, ByRoute):
        return "by_route", [[f"{route}: flow {flow.name}"] for route, flow in step.flows.items()]
    given = "".join(f"   {name}={_shown(value)}" for name, value in parameters(step).items())
    return nodes.name_of(type(step)) + given, []


def _recovery(on_error: OnError) -> str:
    if on_error.action == "retry":
        return f"retry {on_error.times}"
    return "another step" if on_error.action == "use" else on_error.action


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(text.split())
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def mermaid(flow: Subflow) -> str:
    """The flow as a Mermaid flowchart."""
    chart = _Chart()
    start = chart.box(flow.name, "([", "])")
    ends = chart.run(flow.steps, [(start, "")])
    chart.join(ends, chart.box("done", "([", "])"))
    return "\n".join(["flowchart TD", *(f"  {line}" for line in chart.lines)])


Ends = list[tuple[str, str]]
"""Boxes from which the next one is reached, each with what stands at its arrow."""


@dataclass
class _Chart:
    """A flowchart that grows."""

    lines: list[str] = field(default_factory=list)
    _count: int = 0

    def box(self, words: str, left: str = "[", right: str = "]") -> str:
        self._count += 1
        name = f"n{self._count}"
        self.lines.append(f'{name}{left}"{_label(words)}"{right}')
        return name

    def join(self, ends: Ends, to: str, line: str = "-->") -> None:
        for start, words in ends:
            label = f'|"{_label(words)}"|' if words else ""
            self.lines.append(f"{start} {line}{label} {to}")

    def run(self, steps: tuple[Node, ...], ends: Ends) -> Ends:
        """The steps one after the other."""
        for step in steps:
            ends = self._step(step, ends)
        return ends

    def _step(self, step: Node, ends: Ends) -> Ends:
        if isinstance(step, Step):
            return self._careful(step, ends)
        if isinstance(step, Parallel):
            fork = self.box("together", "{{", "}}")
            self.join(ends, fork)
            return [end for one in step.steps for end in self._step(one, [(fork, "")])]
        if isinstance(step, Repeat):
            begin = self.box(f"at most {step.at_most} times", "((", "))")
            self.join(ends, begin)
            test = self.box(step.until, "{", "}")
            self.join(self.run(step.steps, [(begin, "")]), test)
            self.join([(test, "not yet")], begin)
            return [(test, "yes, or often enough")]
        if isinstance(step, ByRoute):
            choice = self.box("route", "{", "}")
            self.join(ends, choice)
            found = [(self.box(flow.name, "[[", "]]"), route) for route, flow in step.flows.items()]
            for to, route in found:
                self.join([(choice, route)], to)
            return [(to, "") for to, _ in found]
        if isinstance(step, Subflow):
            here = self.box(step.name, "[[", "]]")
        else:
            given = [f"{name}={_shown(value)}" for name, value in parameters(step).items()]
            here = self.box("<br/>".join([nodes.name_of(type(step)), *given]))
        self.join(ends, here)
        return [(here, "")]

    def _careful(self, step: Step, ends: Ends) -> Ends:
        past: Ends = []
        if step.when:
            test = self.box(step.when, "{", "}")
            self.join(ends, test)
            ends, past = [(test, "yes")], [(test, "no")]
        after = self._step(step.step, ends)
        on_error = step.on_error
        if on_error is not None and on_error.use is not None:
            past += self._step(on_error.use, [(end, "on error") for end, _ in after])
        elif on_error is not None:
            # It leads nowhere: what happens then is said, not drawn.
            note = self.box(f"on error: {_recovery(on_error)}", ">", "]")
            self.join([(end, "") for end, _ in after], note, "-.-")
        return [*after, *past]


def _label(words: str) -> str:
    """Text that ends no label and is taken for no markup; a line break stays one."""
    for sign, code in (("#", "#35;"), ('"', "#quot;"), ("`", "#96;"), ("<", "#lt;"), (">", "#gt;")):
        words = words.replace(sign, code)
    return words.replace("#lt;br/#gt;", "<br/>")

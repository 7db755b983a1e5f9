"""From plain data to flows and back; every slip is told in one line with its place."""

import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

from nodes.call_api import Operation
from nodes.create_story import CreateStory
from nodes.estimate_effort import EstimateEffort
from subflows.base import Parallel, Subflow
from subflows.compose import BUILT_IN, FlowError, compose, data_of
from subflows.steps import OnError, Repeat, Step
from subflows.triage import TRIAGE, ByRoute
from tests.subflows.flows import Mark, mark

DECLARED = {"pager": {"ping": Operation(reads=False, fields=frozenset())}}


def test_nothing_configured_is_what_is_built_in() -> None:
    assert compose({}) == BUILT_IN


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_built_in_flows_are_of_the_same_making(name: str) -> None:
    data = data_of(BUILT_IN[name])
    assert compose({name: data})[name] == BUILT_IN[name]
    assert all(isinstance(step, str | dict) for step in data)


EVERYTHING: dict[str, Any] = {
    "bug": [
        "parse_stack_trace",
        {"node": "estimate_effort", "when": "impact.severity == 'high'", "on_error": "skip"},
        {"parallel": ["suggest_fix", {"subflow": "small"}], "on_error": {"retry": 2}},
        {"repeat": {"until": "data.ok", "at_most": 3, "steps": [mark("x")]}},
        {
            "node": "call_api",
            "with": {"service": "pager", "operation": "ping"},
            "on_error": {"use": "score_priority"},
        },
        {"node": "create_story", "with": {"story_type": "bug", "label": "ours"}},
    ],
    "small": [mark("y")],
}


def test_every_kind_of_step_there_and_back() -> None:
    flows = compose(EVERYTHING, DECLARED)
    bug = flows["bug"]
    assert bug.steps[1] == Step(
        step=EstimateEffort(), when="impact.severity == 'high'", on_error=OnError(action="skip")
    )
    small = Subflow(name="small", steps=(Mark("y"),))
    assert isinstance(bug.steps[2], Step)
    assert isinstance(bug.steps[2].step, Parallel)
    assert bug.steps[2].step.steps[1] == small
    assert bug.steps[3] == Repeat(until="data.ok", at_most=3, steps=(Mark("x"),))
    assert bug.steps[5] == CreateStory(story_type="bug", label="ours")
    assert data_of(bug) == EVERYTHING["bug"]
    assert pickle.loads(pickle.dumps(flows)) == flows
    by_route = next(step for step in flows["triage"].steps if isinstance(step, ByRoute))
    assert by_route.flows["bug"] == bug
    assert by_route.flows["docs"] == BUILT_IN["docs"]


def names(flow: Subflow) -> list[str]:
    return [step if isinstance(step, str) else next(iter(step.values())) for step in data_of(flow)]


def test_a_flow_goes_on_from_another() -> None:
    flows = compose(
        {
            "bug": {"extends": "bug", "before": {"create_story": [mark("a"), mark("b")]}},
            "docs": {
                "extends": "bug",
                "after": {"create_story": [mark("z")], "parse_stack_trace": [mark("y")]},
            },
            "triage": {"extends": "triage", "after": {"by_route": [mark("t")]}},
        }
    )
    plain = names(BUILT_IN["bug"])
    assert names(flows["bug"]) == [*plain[:-1], "mark", "mark", "create_story"]
    assert names(flows["docs"]) == [plain[0], "mark", *plain[1:-1], "mark", "mark", "create_story", "mark"]
    assert names(flows["triage"])[-2:] == ["mark", "update_issue"]
    by_route = next(step for step in flows["triage"].steps if isinstance(step, ByRoute))
    assert by_route.flows["docs"] == flows["docs"]
    assert names(TRIAGE)[-3:] == ["route_issue", "by_route", "update_issue"]


ROUTING = ["route_issue", "by_route"]
SLIPS: list[tuple[dict[Any, Any], str, str]] = [
    (
        {"bug": ["parse_stak_trace"]},
        "bug[0]",
        "there is no node 'parse_stak_trace'; did you mean parse_stack_trace?",
    ),
    ({"bug": [mark("x"), {"node": "suggest_fx"}]}, "bug[1]", "did you mean suggest_fix?"),
    ({"bug": ["docs"]}, "bug[0]", "there is no node 'docs'; for the flow write {subflow: docs}"),
    ({"bug": [{"subflow": "doks"}]}, "bug[0].subflow", "there is no flow 'doks'; did you mean docs?"),
    (
        {"bug": [{"node": "mark", "with": {"wrd": "x"}}]},
        "bug[0].with.wrd",
        "unknown parameter; did you mean word?",
    ),
    ({"bug": [{"node": "mark"}]}, "bug[0].with.word", "is required"),
    ({"bug": ["mark"]}, "bug[0].with.word", "is required"),
    (
        {"bug": [{"node": "mark", "with": {"word": [1]}}]},
        "bug[0].with.word",
        "must be text (given: '[1]')",
    ),
    ({"bug": [{"node": "draft", "with": {"a": 1}}]}, "bug[0].with.a", "unknown parameter; draft has none"),
    ({"bug": [{"node": "mark", "with": "word"}]}, "bug[0].with", "must hold parameters"),
    (
        {"bug": [{"node": "create_story", "with": {"story_type": "bugg"}}]},
        "bug[0].with.story_type",
        "must be 'bug', 'feature' or 'chore' (given: 'bugg')",
    ),
    ({"bug": [{"nod": "mark"}]}, "bug[0].nod", "unknown key; did you mean node?"),
    ({"bug": [{**mark("x"), "wen": "estimate"}]}, "bug[0].wen", "unknown key; did you mean when?"),
    ({"bug": [{"subflow": "docs", "with": {}}]}, "bug[0].with", "unknown key"),
    ({"bug": [{"node": "mark", "subflow": "docs"}]}, "bug[0]", "must have exactly one of node, parallel"),
    ({"bug": [7]}, "bug[0]", "must be a step"),
    ({"bug": [{**mark("x"), "when": "estimat"}]}, "bug[0].when", "did you mean estimate?"),
    ({"bug": [{**mark("x"), "when": ""}]}, "bug[0].when", "must be an expression"),
    ({"bug": [{**mark("x"), "when": True}]}, "bug[0].when", "must be an expression"),
    ({"bug": [{**mark("x"), "on_error": "ignore"}]}, "bug[0].on_error", "must be skip, escalate, undo"),
    ({"bug": [{**mark("x"), "on_error": {"retry": 0}}]}, "bug[0].on_error.retry", "from 1 to 10"),
    ({"bug": [{**mark("x"), "on_error": {"use": "mrk"}}]}, "bug[0].on_error.use", "did you mean mark?"),
    ({"bug": []}, "bug", "has no step"),
    ({"bug": None}, "bug", "must be a list of steps"),
    ({"bug": "mark"}, "bug", "must be a list of steps"),
    ({"bug": [{"parallel": []}]}, "bug[0].parallel", "has no step"),
    ({"bug": [{"repeat": {"until": "estimate", "steps": ["draft"]}}]}, "bug[0].repeat.at_most", "is missing"),
    (
        {"bug": [{"repeat": {"until": "estimate", "at_most": 21, "steps": ["draft"]}}]},
        "bug[0].repeat.at_most",
        "must be a whole number from 1 to 20",
    ),
    (
        {"bug": [{"repeat": {"until": "estimate", "at_most": True, "steps": ["draft"]}}]},
        "bug[0].repeat.at_most",
        "must be a whole number",
    ),
    (
        {"bug": [{"repeat": {"until": "estimate", "at_most": 2, "steps": ["drft"]}}]},
        "bug[0].repeat.steps[0]",
        "did you mean draft?",
    ),
    ({"bug": [{"repeat": {"til": "x"}}]}, "bug[0].repeat.til", "did you mean until?"),
    ({"bug": [{"subflow": "bug"}]}, "bug[0].subflow", "goes in a circle: bug → bug"),
    (
        {"bug": [{"subflow": "a"}], "a": [{"parallel": [{"subflow": "b"}]}], "b": [{"subflow": "a"}]},
        "b[0].subflow",
        "goes in a circle: a → b → a",
    ),
    (
        {"a": {"extends": "bug", "after": {"suggest_fix": [{"subflow": "a"}]}}},
        "a.after.suggest_fix[0].subflow",
        "circle",
    ),
    (
        {"bugs": [mark("x")]},
        "bugs",
        "is used nowhere; name it in another flow as {subflow: bugs} (did you mean bug?)",
    ),
    ({"mark": [mark("x")]}, "mark", "is the name of a node"),
    ({"a b": [mark("x")]}, "a b", "is no name for a flow"),
    ({7: [mark("x")]}, "7", "is no name for a flow"),
    (
        {"bug": {"extends": "bug", "before": {"create_stry": ["draft"]}}},
        "bug.before.create_stry",
        "did you mean create_story?",
    ),
    ({"bug": {"extends": "bug"}}, "bug", "needs `before` or `after`"),
    ({"bug": {"before": {}}}, "bug.extends", "must name the flow"),
    ({"bug": {"extends": "bug", "append": ["draft"]}}, "bug.append", "unknown key"),
    ({"bug": {"extends": "triage", "after": {"by_route": ["draft"]}}}, "bug.extends", "only itself"),
    ({"bug": ["by_route"]}, "bug[0]", "by_route is a step of triage only"),
    ({"bug": ["route_issue"]}, "bug[0]", "route_issue is a step of triage only"),
    ({"bug": [{"subflow": "triage"}]}, "bug[0].subflow", "no flow can be a part of itself"),
    ({"triage": ["by_route", "route_issue"]}, "triage", "needs route_issue before by_route"),
    ({"triage": ["by_route"]}, "triage", "needs route_issue once"),
    ({"triage": ["route_issue", "draft"]}, "triage", "needs by_route once"),
    ({"triage": [*ROUTING, "by_route"]}, "triage", "needs by_route once"),
    (
        {"triage": [{"node": "route_issue", "on_error": "skip"}, "by_route"]},
        "triage",
        "needs route_issue once",
    ),
    ({"triage": ["route_issue", {"parallel": ["by_route"]}]}, "triage", "needs by_route once"),
    ({"triage": [{**mark("x"), "on_error": "undo"}, *ROUTING]}, "triage[0]", "undo belongs into a flow"),
    ({"triage": ["search_github", *ROUTING]}, "triage[0]", "search_github belongs behind route_issue"),
    (
        {"triage": [{"parallel": ["analyze_code", {"node": "write_spec", "when": "issue.title"}]}, *ROUTING]},
        "triage[0]",
        "write_spec belongs behind route_issue",
    ),
    (
        {"triage": [{"subflow": "mine"}, *ROUTING], "mine": ["ask_human"]},
        "triage[0]",
        "ask_human belongs behind",
    ),
    (
        {"bug": [{"node": "call_api", "with": {"service": "pagr", "operation": "ping"}}]},
        "bug[0].with.service",
        "did you mean pager?",
    ),
    (
        {"bug": [{"node": "write_section", "with": {"title": "T", "template": "{{ x }}"}}]},
        "bug[0].with.template",
        "there is no 'x'",
    ),
]


@pytest.mark.parametrize(
    ("configured", "place", "words"), SLIPS, ids=[f"{n}-{s[1]}" for n, s in enumerate(SLIPS)]
)
def test_slips(configured: dict[Any, Any], place: str, words: str) -> None:
    with pytest.raises(FlowError) as error:
        compose(configured, DECLARED)
    assert error.value.path == place
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def distribution(folder: Path, name: str, source: str, points: str) -> None:
    """Install a tiny distribution, as an installer leaves it behind."""
    module = name.replace("-", "_")
    (folder / f"{module}.py").write_text(source)
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[switchyard.nodes]\n{points}\n")


NODE = """
from dataclasses import dataclass, replace

@dataclass(frozen=True)
class GreetReporter:
    greeting: str = "Hello"

    async def __call__(self, case, ctx, /):
        return replace(case, notes=(*case.notes, f"{self.greeting} {case.issue.author}"))
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.startswith("made_up_")]:
        monkeypatch.delitem(sys.modules, name)
    return tmp_path


def test_a_node_of_another_distribution(site: Path) -> None:
    from tests.nodes.build import case, run

    distribution(site, "made-up-greeter", NODE, "greet_reporter = made_up_greeter:GreetReporter")
    distribution(site, "made-up-broken", "import no_such_thing", "break_down = made_up_broken:BreakDown")
    flow = compose({"bug": [{"node": "greet_reporter", "with": {"greeting": "Hi"}}]})["bug"]
    assert run(flow, case()).notes == ("Hi ada",)
    assert pickle.loads(pickle.dumps(flow)) == flow
    assert data_of(flow) == [{"node": "greet_reporter", "with": {"greeting": "Hi"}}]
    # Only what is named is imported.
    assert "made_up_broken" not in sys.modules
    with pytest.raises(FlowError, match="did you mean greet_reporter"):
        compose({"bug": ["greet_reportr"]})


@pytest.mark.parametrize(
    ("source", "points", "used", "words"),
    [
        (
            "import no_such_thing",
            "greet_reporter = made_up_x:A",
            "greet_reporter",
            "cannot be imported (ModuleNotFound",
        ),
        (
            "raise SystemError('a\\nb')",
            "greet_reporter = made_up_x:A",
            "greet_reporter",
            "(SystemError: a b)",
        ),
        ("", "greet_reporter = made_up_x:A", "greet_reporter", "cannot be imported (AttributeError"),
        ("class A: pass", "greet_reporter = made_up_x:A", "greet_reporter", "is no dataclass"),
        (
            NODE.replace("frozen=True", ""),
            "greet_reporter = made_up_x:GreetReporter",
            "greet_reporter",
            "no frozen",
        ),
        (
            NODE.replace("async ", ""),
            "greet_reporter = made_up_x:GreetReporter",
            "greet_reporter",
            "has no `async",
        ),
        (NODE, "hello = made_up_x:GreetReporter", "hello", "which would be 'greet_reporter'"),
        (NODE, "suggest_fix = made_up_x:GreetReporter", "suggest_fix", "taken by a built-in one"),
    ],
)
def test_what_is_no_node_is_told_in_one_line(
    site: Path, source: str, points: str, used: str, words: str
) -> None:
    distribution(site, "made-up-x", source, points)
    with pytest.raises(FlowError) as error:
        compose({"bug": [used]})
    assert error.value.path == "bug[0]"
    assert "made-up-x" in str(error.value)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_two_distributions_with_one_name(site: Path) -> None:
    for name in ("made-up-a", "made-up-b"):
        distribution(site, name, NODE, f"greet_reporter = {name.replace('-', '_')}:GreetReporter")
    with pytest.raises(FlowError, match="made-up-a and made-up-b both have a node 'greet_reporter'"):
        compose({"bug": ["greet_reporter"]})

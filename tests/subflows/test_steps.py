"""Conditions, recoveries and loops, in flows that were composed from plain data."""

import asyncio
import pickle
from dataclasses import replace
from typing import Any

import pytest

from models.asks import Ask, File, ReadFile, Reply
from models.case import Case, Failure, Impact, Route
from subflows.base import NodeFailed, Subflow
from subflows.compose import compose
from subflows.triage import Paused, triage_all
from tests.nodes.build import REPO, StubRouter, case, context, prediction, run
from tests.subflows.flows import FALLS, flow_of, mark

FALL: dict[str, Any] = {"node": "fall"}


def triaged(flows: dict[str, Subflow], **prediction_: Any) -> Case | Failure | Paused:
    """A case from end to end through the composed triage."""
    router = StubRouter(prediction(**prediction_))
    (done,) = asyncio.run(triage_all([case("It fell")], context(router), flow=flows["triage"]))
    return done


@pytest.mark.parametrize(
    ("when", "ran"),
    [
        ("impact.severity == 'critical'", True),
        ("impact.severity == 'low'", False),
        ("length(similar) > `0`", False),
        ("contains(issue.labels, 'ui')", True),
        ("trace.message", False),
    ],
)
def test_a_step_with_a_condition(when: str, ran: bool) -> None:
    flow = flow_of([{**mark("ran"), "when": when}, mark("after")])
    given = replace(case(labels=("ui",)), impact=Impact(severity="critical"))
    assert run(flow, given).notes == (("ran", "after") if ran else ("after",))


def test_a_condition_holds_for_a_whole_group() -> None:
    flow = flow_of(
        [{"parallel": [mark("a"), mark("b")], "when": "estimate"}, {"parallel": [mark("c"), mark("d")]}]
    )
    assert run(flow, case()).notes == ("c", "d")


def test_skip_goes_on_without_the_step_and_says_so() -> None:
    flow = flow_of([mark("a"), {**FALL, "on_error": "skip"}, mark("b")])
    assert run(flow, case("A title", route="bug")).notes == (
        "a",
        "went on without a step: Fall: ValueError: fell with A title",
        "b",
    )
    # What a report of security says stays out of notes, which people see who may not read it.
    for private in (case("A title", route="security"), case("A title")):
        assert run(flow, private).notes == ("a", "went on without a step: Fall", "b")


@pytest.mark.parametrize(("until", "retries", "tries"), [(2, 1, 2), (3, 2, 3), (4, 2, None), (1, 5, 1)])
def test_retry_tries_again_so_often_and_then_fails(until: int, retries: int, tries: int | None) -> None:
    flow = flow_of([{"node": "fall", "with": {"until": until}, "on_error": {"retry": retries}}])
    if tries is None:
        with pytest.raises(NodeFailed, match="Fall: ValueError"):
            run(flow, case())
        assert len(FALLS) == retries + 1
    else:
        assert run(flow, case()).notes == ("stood",)
        assert len(FALLS) == tries


def test_use_takes_another_step_in_its_place() -> None:
    flow = flow_of([{**FALL, "on_error": {"use": {"parallel": [mark("x"), mark("y")]}}}, mark("z")])
    assert run(flow, case()).notes == ("x", "y", "took another step: Fall", "z")
    both = flow_of([{**FALL, "on_error": {"use": {**FALL, "on_error": "skip"}}}])
    assert run(both, case()).notes == ("went on without a step: Fall", "took another step: Fall")


def test_undo_drops_what_this_flow_wished_for_and_goes_on_after_it() -> None:
    outer = [
        {"node": "wish", "with": {"label": "kept"}},
        {"subflow": "inner"},
        {"node": "wish", "with": {"label": "late"}},
    ]
    inner = [
        {"node": "wish", "with": {"label": "lost"}},
        mark("found"),
        {**FALL, "on_error": "undo"},
        mark("never"),
    ]
    done = run(flow_of(outer, inner=inner), case("T", route="bug"))
    assert [wish.payload["labels"] for wish in done.commands] == [["kept"], ["late"]]
    assert done.notes == ("found", "inner ended early and asks for nothing: Fall: ValueError: fell with T")


@pytest.mark.parametrize(
    ("wrap"),
    [
        lambda step: step,
        lambda step: {"parallel": [mark("beside"), step]},
        lambda step: {"repeat": {"until": "estimate", "at_most": 3, "steps": [step]}, "on_error": "skip"},
        lambda step: {"parallel": [{"parallel": [step]}], "on_error": {"retry": 3}},
    ],
)
def test_undo_ends_its_flow_from_however_deep(wrap: Any) -> None:
    flow = flow_of(
        [{"node": "wish", "with": {"label": "x"}}, wrap({**FALL, "on_error": "undo"}), mark("never")]
    )
    done = run(flow, case("T", route="bug"))
    assert done.commands == ()
    assert len(done.notes) == 1
    assert len(FALLS) == 1


def test_escalate_hands_the_case_to_people() -> None:
    steps = [{"node": "wish", "with": {"label": "lost"}}, mark("lost"), {**FALL, "on_error": "escalate"}]
    done = triaged(compose({"bug": steps}), route="bug")
    assert isinstance(done, Case)
    assert done.decision is not None
    assert (done.route, done.needs_person, done.decision.accepted) == ("needs_human", True, False)
    assert done.decision.rules[-1] == "the bug flow could not be finished"
    assert "the bug flow left it to people: Fall: ValueError: fell with It fell" in done.notes
    assert "lost" not in done.notes
    assert [s.title for s in done.sections if s.title == "Which route?"] == ["Which route?"]
    assert not any(wish.payload.get("labels") == ["lost"] for wish in done.commands)


def test_a_security_report_stays_one_when_its_flow_is_escalated() -> None:
    flows = compose({"security": [mark("lost"), {**FALL, "on_error": "escalate"}]})
    done = triaged(flows, route="bug", security_flag=True, security_score=0.9)
    assert isinstance(done, Case)
    assert done.route == "security"
    assert "the security flow left it to people: Fall" in done.notes
    assert any(wish.operation == "create_story" for wish in done.commands)
    assert done.escalation


def test_where_the_flow_for_people_is_escalated_the_built_in_one_takes_over() -> None:
    flows = compose(
        {"needs_human": [{**FALL, "on_error": "escalate"}], "bug": [{**FALL, "on_error": "escalate"}]}
    )
    done = triaged(flows, route="question")
    assert isinstance(done, Case)
    assert done.route == "needs_human"
    assert any(section.title == "Which route?" for section in done.sections)


def test_without_a_recovery_the_case_fails_and_names_the_node() -> None:
    done = triaged(compose({"bug": [FALL]}), route="bug")
    assert isinstance(done, Failure)
    assert (done.node, done.error_text) == ("Fall", "Fall: ValueError: fell with It fell")


@pytest.mark.parametrize(
    ("until", "rounds", "last"),
    [
        ("contains(notes, 'x')", 1, "x"),
        ("length(notes) >= `2`", 2, "x"),
        ("estimate", 3, "after 3 rounds it still does not hold that estimate"),
    ],
)
def test_repeat_runs_until_it_holds_or_often_enough(until: str, rounds: int, last: str) -> None:
    done = run(flow_of([{"repeat": {"until": until, "at_most": 3, "steps": [mark("x")]}}]), case())
    assert done.notes.count("x") == rounds
    assert done.notes[-1] == last


REFINE = [
    {
        "repeat": {"until": "data.draft == 'good'", "at_most": 4, "steps": [{"node": "draft"}]},
        "on_error": {"retry": 2},
    },
    {"node": "fall", "when": "data.draft != 'good'", "on_error": "skip"},
]


@pytest.mark.parametrize(("drafts", "tries"), [(["bad", "poor", "good"], 3), (["good"], 1), (["bad"] * 9, 4)])
def test_a_loop_that_refines_waits_for_each_answer(drafts: list[str], tries: int) -> None:
    """A waiting loop is begun again with what is known: each question is asked once, nothing is caught on the way."""
    flow = Subflow(name="outer", steps=(flow_of(REFINE),))
    known: dict[Ask[Any], Reply] = {}
    state: Case | Failure | Paused = Paused(case(), 0, ())
    asked: list[str] = []
    while isinstance(state, Paused):
        for ask in state.asks:
            assert isinstance(ask, ReadFile)
            asked.append(ask.path)
            text = drafts[int(ask.path.removeprefix("draft"))]
            known[ask] = Reply(File(path=ask.path, text=text, sha="1"))
        waiting = pickle.loads(pickle.dumps(state))
        (state,) = asyncio.run(
            triage_all([waiting], context(), known=known, flow=pickle.loads(pickle.dumps(flow)))
        )
    assert isinstance(state, Case)
    assert asked == [f"draft{n}" for n in range(tries)]
    assert state.data == {"tries": tries, "draft": drafts[tries - 1]}
    assert bool(FALLS) is (drafts[tries - 1] != "good")


@pytest.mark.parametrize("on_error", ["skip", "undo", "escalate", {"retry": 2}, {"use": mark("other")}])
def test_waiting_is_no_failure(on_error: Any) -> None:
    step = {"parallel": [{"node": "draft", "on_error": on_error}, FALL_FREE], "on_error": on_error}
    (first,) = asyncio.run(triage_all([case()], context(), known={}, flow=flow_of([step])))
    assert isinstance(first, Paused)
    assert first.asks == (ReadFile(REPO, "draft0"),)
    assert first.case == case()


FALL_FREE = mark("free")


def test_routes_are_left_to_the_flows_by_route() -> None:
    flows = compose({"bug": [mark("a bug")], "docs": [mark("a page")]})
    expected: list[tuple[str, Route]] = [("bug", "bug"), ("docs", "docs")]
    for route, _ in expected:
        done = triaged(flows, route=route)
        assert isinstance(done, Case)
        assert ("a bug" in done.notes, "a page" in done.notes) == (route == "bug", route == "docs")

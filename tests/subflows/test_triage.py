"""Triage end to end with a stub router: five routes, batches, isolated failures."""

import asyncio
import json
from dataclasses import dataclass, replace

import pytest

from models.case import ROUTES, Case, Failure, Prediction, Route
from nodes.base import Context
from subflows import SUBFLOWS
from subflows.base import Subflow
from subflows.triage import triage, triage_all
from tests.nodes.build import StubRouter, alike, case, command, context, prediction
from tests.nodes.test_parse_stack_trace import PYTHON

ANSWERS = {
    1: prediction("bug"),
    2: prediction("feature"),
    3: prediction("docs"),
    4: prediction("bug", security_flag=True, security_score=0.9),
    5: prediction("question"),
}
EXPECTED: dict[int, tuple[Route, str]] = {
    1: ("bug", "bug"),
    2: ("feature", "feature"),
    3: ("docs", "chore"),
    4: ("security", "bug"),
    5: ("needs_human", ""),
}


def test_every_route_has_its_flow() -> None:
    assert set(SUBFLOWS) == set(ROUTES)
    assert all(flow.name == name for name, flow in SUBFLOWS.items())


@pytest.mark.parametrize("number", EXPECTED)
def test_each_route_from_end_to_end(number: int) -> None:
    given = case("It fell", f"Please look.\n```\n{PYTHON}```", number=number)
    done = asyncio.run(triage(given, context(StubRouter(answers=ANSWERS))))
    route, story_type = EXPECTED[number]
    assert done.route == route
    assert done.sentiment and done.code and done.impact and done.decision
    assert done.priority is not None
    assert command(done, "create_story").get("story_type", "") == story_type
    assert bool(done.escalation) == (route == "security")
    assert command(done, "add_labels")["labels"]
    assert done.estimate is not None or route == "needs_human"


def test_the_same_case_thinks_the_same_twice() -> None:
    given = case("It fell", f"With 1.2.3:\n{PYTHON}", number=1)
    one, two = (asyncio.run(triage(given, context(StubRouter(answers=ANSWERS)))) for _ in range(2))
    assert one == two
    assert [wish.key for wish in one.commands] == ["story:octo/widgets#1", "labels:octo/widgets#1"]


def test_a_security_report_is_spoken_of_in_private_only() -> None:
    body = "A stored XSS, CVE-2024-12345, token ghp_0123456789abcdefghijABCDEFGHIJ"
    given = case("XSS in search", body, number=4)
    done = asyncio.run(triage(given, context(StubRouter(answers=ANSWERS), (alike(),), comment="always")))
    public = [wish for wish in done.commands if wish.target == "github"]
    words = json.dumps([dict(wish.payload) for wish in public]).lower()
    assert not any(word in words for word in ("xss", "cve", "security", "ghp_", "token"))
    assert "ghp_" not in json.dumps([dict(wish.payload) for wish in done.commands])
    assert command(done, "create_story")["labels"][0] == "security"


@dataclass(frozen=True)
class Falls:
    """A node that fails."""

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        raise ValueError("wrong\nin many " + "ways " * 500)


def test_a_failure_stays_with_its_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SUBFLOWS, "docs", Subflow(name="docs", steps=(Falls(),)))
    cases = [case(number=n) for n in ANSWERS]
    done = asyncio.run(triage_all(cases, context(StubRouter(answers=ANSWERS))))
    failed = done[2]
    assert isinstance(failed, Failure)
    assert (failed.ref, failed.node) == ("octo/widgets#3", "Falls")
    assert failed.error_text.startswith("Falls: ValueError: wrong in many ways")
    assert len(failed.error_text) <= 500
    assert [type(result) for result in done] == [Case, Case, Failure, Case, Case]


def test_a_failure_of_a_security_report_tells_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SUBFLOWS, "security", Subflow(name="security", steps=(Falls(),)))
    answers = {1: prediction("bug", security_flag=True, security_score=0.9)}
    (failed,) = asyncio.run(triage_all([case(number=1)], context(StubRouter(answers=answers))))
    assert failed == Failure("octo/widgets#1", "Falls", "Falls: ValueError")


def test_a_router_that_fails_for_one_case_fails_only_that() -> None:
    answers: dict[int, Prediction | Exception] = {**ANSWERS, 2: RuntimeError("no model")}
    done = asyncio.run(triage_all([case(number=n) for n in ANSWERS], context(StubRouter(answers=answers))))
    assert done[1] == Failure("octo/widgets#2", "RouteIssue", "RouteIssue: RuntimeError: no model")
    assert sum(isinstance(result, Case) for result in done) == 4


def test_a_batch_asks_the_router_at_once() -> None:
    router = StubRouter()
    asyncio.run(triage_all([case(number=n) for n in range(1, 101)], context(router)))
    assert router.most_at_once == 100


def test_an_empty_batch() -> None:
    assert asyncio.run(triage_all([], context())) == []


def test_cancelling_is_no_failure_of_a_case() -> None:
    async def stop() -> None:
        task = asyncio.create_task(_batch())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def _batch() -> None:
        await triage_all([case(number=n) for n in range(1, 20)], context())

    asyncio.run(stop())


def test_a_persons_label_leads_the_whole_way() -> None:
    given = replace(case("It fell", number=1), issue=replace(case(number=1).issue, labels=("enhancement",)))
    done = asyncio.run(triage(given, context(StubRouter(answers=ANSWERS))))
    assert command(done, "create_story")["story_type"] == "feature"
    # Nothing is wished of the issue but that what the bot may have put there goes.
    assert command(done, "add_labels") == {"labels": []}

"""A case that asks something of the outside waits for it, and goes on with what it was told."""

import asyncio
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.think.pool import ROUNDS, Thinker, ThinkSettings
from models.asks import Ask, File, ReadFile, Reply
from models.case import Case
from nodes.base import Context, Policy
from subflows.base import Parallel, Subflow
from subflows.triage import Paused, triage_all
from tests.nodes.build import REPO, case, context


@dataclass(frozen=True)
class Wonder:
    """Asks for a file, and notes what is in it."""

    path: str

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        file = await ctx.ask(ReadFile(REPO, self.path))
        return replace(case, notes=(*case.notes, file.text if file else f"no {self.path}"))


@dataclass(frozen=True)
class Insatiable:
    """Asks for ever."""

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        for n in range(1000):
            if await ctx.ask(ReadFile(REPO, str(n))) is None:
                return replace(case, notes=(f"gave up at {n}",))
        raise AssertionError


FLOW = Subflow(name="wonder", steps=(Parallel(Wonder("a"), Wonder("b")), Wonder("c")))


def file(path: str) -> Reply:
    return Reply(File(path=path, text=f"text of {path}", sha="1"))


def test_what_parallel_steps_ask_is_asked_together() -> None:
    (first,) = asyncio.run(triage_all([case()], context(), known={}, flow=FLOW))
    assert isinstance(first, Paused)
    assert first.at == 0
    assert set(first.asks) == {ReadFile(REPO, "a"), ReadFile(REPO, "b")}
    known: dict[Ask[Any], Reply] = {ask: file(ask.path) for ask in first.asks if isinstance(ask, ReadFile)}
    (second,) = asyncio.run(
        triage_all([pickle.loads(pickle.dumps(first))], context(), known=known, flow=FLOW)
    )
    assert isinstance(second, Paused)
    assert second.at == 1
    assert second.asks == (ReadFile(REPO, "c"),)
    known[ReadFile(REPO, "c")] = Reply(why_not="github: the breaker is open")
    (done,) = asyncio.run(triage_all([second], context(), known=known, flow=FLOW))
    assert isinstance(done, Case)
    assert done.notes == ("text of a", "text of b", "no c", "github: the breaker is open")


def test_without_anybody_to_ask_a_case_goes_on_alone() -> None:
    (done,) = asyncio.run(triage_all([case()], context(), flow=FLOW))
    assert isinstance(done, Case)
    assert done.notes == ("no a", "no b", "no c")


async def test_thinking_asks_until_it_has_all_and_ends_with_who_asks_for_ever() -> None:
    asked: list[Ask[Any]] = []

    async def answer(asks: Sequence[Ask[Any]]) -> Mapping[Ask[Any], Reply]:
        asked.extend(asks)
        return {ask: file(ask.path) for ask in asks if isinstance(ask, ReadFile)}

    for flow, notes, count in (
        (FLOW, ("text of a", "text of b", "text of c"), 3),
        (Subflow(name="never", steps=(Insatiable(),)), (f"gave up at {ROUNDS}",), ROUNDS),
    ):
        asked.clear()
        thinker = Thinker(ThinkSettings("builtin", Policy(), None, flow), 0)
        try:
            cases = [case(number=n) for n in (1, 2)]
            results = await thinker.think(cases, None, answer)
        finally:
            thinker.close()
        assert [r.issue.number for r in results if isinstance(r, Case)] == [1, 2]
        assert all(isinstance(r, Case) and r.notes == notes for r in results)
        assert len(asked) == count

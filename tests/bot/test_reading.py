"""Reading: equal questions are asked once, failures cost the answer and not the case."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from bot.reading import READERS, Reading
from bot.wiring import App
from models.asks import AnyAsk, Ask, File, ReadFile, Reply, SearchIssues, WriteDraft
from models.errors import Transient

A, B = ReadFile("octo/widgets", "a"), ReadFile("octo/widgets", "b")


class Reader:
    """Answers after a moment, counting; raises where it was told to."""

    def __init__(self, error: Exception | None = None, delay: float = 0.01) -> None:
        self.asked: list[Ask[Any]] = []
        self.runs: list[str] = []
        self.error, self.delay = error, delay

    async def __call__(self, app: App, ask: ReadFile, run: str) -> File:
        self.asked.append(ask)
        self.runs.append(run)
        await asyncio.sleep(self.delay)
        if self.error:
            raise self.error
        return File(path=ask.path, text=f"text of {ask.path}", sha="1")


@pytest.fixture
def with_reader(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Reading]:
    def make(reader: Reader, **options: Any) -> Reading:
        monkeypatch.setitem(READERS, ReadFile, cast(Callable[..., Awaitable[Any]], reader))
        monkeypatch.setitem(READERS, SearchIssues, cast(Callable[..., Awaitable[Any]], reader))
        return Reading(cast(App, None), **options)

    return make


def test_there_is_a_reader_for_every_question() -> None:
    assert set(READERS) == set(AnyAsk.__args__)


async def test_equal_questions_are_asked_once_and_remembered(with_reader: Any) -> None:
    reader = Reader()
    reading = with_reader(reader)
    first, second = await asyncio.gather(reading.answer([A, B]), reading.answer([A]))
    again = await reading.answer([A])
    assert reader.asked == [A, B]
    assert first[A] == second[A] == again[A] == Reply(File(path="a", text="text of a", sha="1"))


async def test_a_search_is_not_remembered(with_reader: Any) -> None:
    reader = Reader(Transient("github: HTTP 502"))
    reading = with_reader(reader)
    ask = SearchIssues("octo/widgets", ("word",))
    assert (await reading.answer([ask]))[ask] == Reply(why_not="github: HTTP 502")
    await reading.answer([ask])
    assert len(reader.asked) == 2


async def test_a_failure_is_asked_again_sooner_than_an_answer(with_reader: Any) -> None:
    now = 1000.0
    reader = Reader(Transient("github: HTTP 502"))
    reading = with_reader(reader, kept=600.0, clock=lambda: now)
    assert (await reading.answer([A]))[A].why_not == "github: HTTP 502"
    reader.error = None
    now += 59
    assert (await reading.answer([A]))[A].why_not == "github: HTTP 502"
    now += 2
    assert (await reading.answer([A]))[A].answer.text == "text of a"
    now += 599
    await reading.answer([A])
    assert len(reader.asked) == 2
    now += 2
    await reading.answer([A])
    assert len(reader.asked) == 3


async def test_a_readers_own_fault_costs_the_answer_only(with_reader: Any) -> None:
    reply = (await with_reader(Reader(ZeroDivisionError("x"))).answer([A]))[A]
    assert reply.answer is None
    assert "ReadFile" in reply.why_not
    assert "ZeroDivisionError" in reply.why_not


async def test_who_is_cancelled_does_not_take_the_answer_from_others(with_reader: Any) -> None:
    reader = Reader(delay=0.1)
    reading = with_reader(reader)
    one, other = (asyncio.create_task(reading.answer([A])) for _ in range(2))
    while not reader.asked:
        await asyncio.sleep(0)
    one.cancel()
    assert (await other)[A].answer is not None
    assert len(reader.asked) == 1


async def test_what_is_under_way_at_the_end_notes_what_it_cost_and_goes(with_reader: Any) -> None:
    noted = []

    class Dear(Reader):
        async def __call__(self, app: App, ask: ReadFile, run: str) -> File:
            try:
                return await super().__call__(app, ask, run)
            finally:
                await asyncio.sleep(0.01)
                noted.append(ask)

    reader = Dear(delay=3600)
    reading = with_reader(reader)
    waiting = asyncio.create_task(reading.answer([A, B]))
    while len(reader.asked) < 2:
        await asyncio.sleep(0)
    waiting.cancel()
    await reading.close()
    assert noted == [A, B]
    await reading.close()


async def test_a_dry_run_costs_nothing(with_reader: Any) -> None:
    reader = Reader()
    draft = WriteDraft("fix", "material")
    replies = await with_reader(reader).answer([A, draft], "dry-1", dry=True)
    assert reader.asked == [A]
    assert reader.runs == [""], "what is read for no run is kept nowhere"
    assert replies[A].answer is not None
    assert "dry run" in replies[draft].why_not


async def test_a_question_that_is_never_answered_is_given_up(with_reader: Any) -> None:
    reply = (await with_reader(Reader(delay=3600), patience=0.05).answer([A]))[A]
    assert "no answer" in reply.why_not

"""A lane against a target that does as it is told: who dies, who waits, who is looked up."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot import lanes as lanes_module
from bot.lanes import Lane
from bot.store import lane_states, outbox, owners, queue
from bot.store.database import Database, GroupWriter
from integrations.base import Answer, BreakerSettings, RetrySettings
from integrations.resilience import Guard
from models.commands import Pending, create_story
from models.errors import RateLimited, Rejected, Transient, Unauthorized


@dataclass
class Told:
    """Answers each send by what `errors` says of its commands; remembers what arrived."""

    name: str = "shortcut"
    size: int = 4
    errors: dict[str, Exception] = field(default_factory=dict)
    has: dict[str, Answer] = field(default_factory=dict)
    sent: list[list[str]] = field(default_factory=list)
    looked_up: list[list[str]] = field(default_factory=list)

    def bulk_size(self, operation: str) -> int:
        return self.size

    async def send(self, commands: Sequence[Pending]) -> Sequence[Answer]:
        keys = [pending.key for pending in commands]
        self.sent.append(keys)
        for key in keys:
            if key in self.errors:
                raise self.errors[key]
        self.has |= {key: {"id": 1} for key in keys}
        return [{"id": 1} for _ in keys]

    async def find(self, commands: Sequence[Pending]) -> Mapping[str, Answer]:
        self.looked_up.append([pending.key for pending in commands])
        return {pending.key: self.has[pending.key] for pending in commands if pending.key in self.has}

    async def check(self) -> str:
        return "well"

    async def close(self) -> None: ...


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes_module, "GRACE", 0.01)


def made_lane(database: Database, target: Told, **retry: Any) -> Lane:
    settings = RetrySettings(initial_delay=0, max_delay=0, **retry)
    return Lane(target, database, GroupWriter(database), settings, 5, "me")


def wish(database: Database, *names: str) -> None:
    commands = [
        create_story(
            f"o/r#{name}",
            name=name,
            description="",
            story_type="bug",
            labels=[],
            external_link="https://h/1",
        )
        for name in names
    ]
    with database.write() as connection:
        outbox.store(connection, "r", commands, 0.0)


def left(database: Database, state: str) -> dict[str, str]:
    with database.read() as connection:
        return {item["key"]: item["last_error"] or "" for item in queue.items(connection, state)}


async def drain(lane: Lane, times: int = 1) -> None:
    for _ in range(times):
        await lane.drain({})


async def test_a_refused_bulk_is_halved_until_the_culprit_is_alone(database: Database) -> None:
    target = Told(size=8, errors={"story:o/r#3": Rejected("name: too long", status=422)})
    wish(database, *(str(n) for n in range(1, 9)))
    await drain(made_lane(database, target))
    assert left(database, "dead") == {"story:o/r#3": "name: too long"}
    assert left(database, "pending") == {} and len(target.has) == 7


async def test_in_an_outage_nothing_dies(database: Database) -> None:
    target = Told(size=1, errors={f"story:o/r#{n}": Transient("503") for n in range(1, 4)})
    lane = made_lane(database, target, max_attempts=2)
    wish(database, "0")
    await drain(lane)
    wish(database, "1", "2", "3")
    target.size = 3
    for _ in range(3):
        with database.write() as connection:
            queue.retry(connection, None)
        # Not one of them was taken, so it may be the target's fault.
        target.errors = {f"story:o/r#{n}": Transient("503") for n in range(1, 4)}
        await once(lane, target)
    assert left(database, "dead") == {} and len(left(database, "pending")) == 3


async def once(lane: Lane, target: Told) -> None:
    """One try of everything due: the target heals nothing, so the lane is stopped after the first round."""
    before = len(target.sent)

    async def stop(commands: Sequence[Pending]) -> Sequence[Answer]:
        if len(target.sent) > before:
            raise RateLimited("enough", datetime.now(UTC) + timedelta(milliseconds=1))
        return await Told.send(target, commands)

    target.send = stop  # type: ignore[method-assign]
    await lane.drain({})
    del target.send  # type: ignore[method-assign]


async def test_what_fails_while_others_are_taken_dies_after_max_attempts(database: Database) -> None:
    target = Told(size=1, errors={"story:o/r#1": Transient("500", maybe_sent=False)})
    lane = made_lane(database, target, max_attempts=3)
    for name in ("1", "2", "3", "4"):
        wish(database, name)
        await once(lane, target)
        await once(lane, target)
    for _ in range(8):
        await once(lane, target)
    wish(database, "5")
    await drain(lane)
    assert left(database, "dead") == {"story:o/r#1": "500"}


async def test_an_answer_that_got_lost_is_looked_up_and_not_sent_again(database: Database) -> None:
    target = Told(size=2, errors={"story:o/r#1": Transient("time-out")})
    wish(database, "1", "2")
    lane = made_lane(database, target)
    await once(lane, target)
    target.has = {"story:o/r#1": {"id": 7}}
    target.errors = {}
    await drain(lane)
    assert ["story:o/r#1", "story:o/r#2"] in target.looked_up
    assert target.sent[-1] == ["story:o/r#2"]
    assert left(database, "pending") == {} == left(database, "dead")


async def test_a_missing_permission_kills_nothing(database: Database) -> None:
    target = Told(size=1, errors={"story:o/r#1": Unauthorized("no access to o/r")})
    wish(database, "1", "2")
    await drain(made_lane(database, target))
    assert left(database, "pending") == {"story:o/r#1": "no access to o/r"}
    assert left(database, "dead") == {} and "story:o/r#2" in target.has


async def test_a_fault_of_ours_is_a_dead_letter_and_the_lane_goes_on(database: Database) -> None:
    target = Told(size=1, errors={"story:o/r#1": ZeroDivisionError("oops")})
    wish(database, "1", "2")
    await drain(made_lane(database, target))
    assert "ZeroDivisionError" in left(database, "dead")["story:o/r#1"]
    assert "story:o/r#2" in target.has


async def test_a_lane_that_stands_still_says_so_on_every_command(database: Database) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    target = Told(size=1, errors={f"story:o/r#{n}": RateLimited("slow down", until) for n in range(1, 40)})
    wish(database, *(str(n) for n in range(1, 40)))
    await drain(made_lane(database, target))
    assert set(left(database, "pending").values()) == {"slow down"}
    assert len(target.sent) <= 5, "no more than were in flight"


async def test_a_lane_that_stands_still_goes_on_in_time_when_the_clock_is_set_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Told(size=1, errors={"story:o/r#1": RateLimited("slow down", in_a_moment())})
    wish(database, "1")
    lane = made_lane(database, target)
    with database.write() as connection:
        owners.beat(connection, "me")
    await lane._turn({})
    target.errors = {}
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 3600)
    with database.write() as connection:
        owners.beat(connection, "me")
    async with asyncio.timeout(300):  # an hour would be too long
        while left(database, "pending"):
            await lane._turn({})
            await asyncio.sleep(0.05)


def in_a_moment() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=0.3)


@dataclass
class Stopped(Told):
    """Its process is stopped within the first request, and another one delivers the lane meanwhile."""

    meanwhile: Any = None
    guard: Guard | None = None
    left: bool = True
    """Whether the request that was under way had left already."""

    async def send(self, commands: Sequence[Pending]) -> Sequence[Answer]:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None and self.left:
            answers = await Told.send(self, commands)
            await meanwhile()
            return answers
        if meanwhile is not None:
            await meanwhile()
        assert self.guard is not None
        return await self.guard.call(lambda: Told.send(self, commands))


@pytest.mark.parametrize("left", [True, False], ids=["request had left", "request had not left"])
async def test_a_process_that_was_stopped_and_comes_back_sends_nothing_again(
    database: Database, left: bool
) -> None:
    wish(database, "1", "2", "3", "4")
    alive = True
    retry = RetrySettings(initial_delay=0, max_delay=0)
    guard = Guard("shortcut", limits=[], timeout=60, breaker=BreakerSettings(), retry=retry)
    target = Stopped(size=1, guard=guard, left=left)
    writer = GroupWriter(database)
    stopped = Lane(target, database, writer, retry, 1, "stopped", held=lambda: alive)
    other = Lane(target, database, writer, retry, 1, "other")

    async def meanwhile() -> None:
        nonlocal alive
        alive = False
        await other.drain({})

    target.meanwhile = meanwhile
    await stopped.drain({})
    assert sorted(target.sent) == [[f"story:o/r#{n}"] for n in range(1, 5)], "each was sent once"
    assert left_over(database) == ({}, {})
    with database.read() as connection:
        assert lane_states.waiting(connection) == []


def left_over(database: Database) -> tuple[dict[str, str], dict[str, str]]:
    return left(database, "pending"), left(database, "dead")


async def test_a_failure_that_comes_late_changes_nothing(database: Database) -> None:
    """The stopped process's request timed out; the command was looked up and delivered by another meanwhile."""
    wish(database, "1")
    target = Told(size=1)
    retry = RetrySettings(initial_delay=0, max_delay=0)
    stopped = Lane(target, database, GroupWriter(database), retry, 1, "stopped")
    other = Lane(target, database, GroupWriter(database), retry, 1, "other")
    real = target.send

    async def late(commands: Sequence[Pending]) -> Sequence[Answer]:
        target.send = real  # type: ignore[method-assign]
        await real(commands)
        await other.drain({})
        raise Transient("no answer")

    target.send = late  # type: ignore[method-assign]
    await stopped.drain({})
    assert target.sent == [["story:o/r#1"]] and left_over(database) == ({}, {})


async def test_a_story_that_was_found_while_its_request_failed_stays_found(database: Database) -> None:
    wish(database, "1")
    target = Told(size=1)

    async def found(commands: Sequence[Pending]) -> Sequence[Answer]:
        with database.write() as connection:
            outbox.save(connection, [sent("story:o/r#1")], time.time())
        raise Transient("no answer")

    target.send = found  # type: ignore[method-assign]
    await made_lane(database, target).drain({})
    assert left_over(database) == ({}, {})


def sent(key: str) -> outbox.Outcome:
    return outbox.Outcome(key=key, issue="o/r#1", payload_hash="", answer={"id": 7})

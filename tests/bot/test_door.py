"""The door when the database is away, and when several doors store the same."""

import asyncio
import hashlib
import hmac
import threading
from typing import Any

import pytest
import sqlalchemy as sa

from bot.store import inbox
from bot.store.database import Database
from bot.store.inbox import Received
from bot.web import door as doors
from bot.web.door import Door, sources
from models.tables import InboxRow
from tests.bot.door_fuzz import SECRET, SECRETS, Case, ask

TABLE: sa.Table = InboxRow.__table__  # type: ignore[attr-defined]


def case(delivery: str, body: bytes = b"") -> Case:
    body = body or b'{"action": "opened", "n": "%s"}' % delivery.encode()
    mac = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest().encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"x-github-event", b"issues"),
        (b"x-github-delivery", delivery.encode()),
        (b"x-hub-signature-256", b"sha256=" + mac),
    ]
    return Case("/webhooks/github", headers, [body], signed=True)


def door_of(database: Database) -> Door:
    async def nothing(*_: object) -> None:
        raise AssertionError("the door handed a webhook on")

    return Door(nothing, database, sources(SECRETS), lambda: None)


def stored(database: Database) -> list[str]:
    with database.read() as connection:
        return sorted(connection.execute(sa.select(TABLE.c.id)).scalars())


async def test_a_locked_database_is_said_in_time(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "PATIENCE", 0.3)
    door = door_of(database)
    other = Database(database_url)
    with other.write() as connection:
        if not other.is_sqlite:
            connection.execute(sa.text("LOCK TABLE inbox"))
        assert await ask(door, case("one")) == 503
        assert await ask(door, case("two")) == 503
    other.dispose()
    # What was refused may have been stored all the same; sent again it is there once.
    assert await ask(door, case("two")) in (200, 202)
    assert await ask(door, case("one")) in (200, 202)
    assert await ask(door, case("three")) == 202
    assert stored(database) == ["github:one", "github:three", "github:two"]


@pytest.mark.only("sqlite")
async def test_a_full_disk_is_said_and_got_over(database: Database) -> None:
    door = door_of(database)
    with database.write() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    @sa.event.listens_for(database.engine, "begin")
    def _narrow(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    large = b'{"action": "opened", "x": "%s"}' % (b"x" * 500_000)
    assert await ask(door, case("large", large)) == 503
    pages = 1_000_000
    assert await ask(door, case("large", large)) == 202


async def test_a_lost_table_is_said_and_got_over(database: Database) -> None:
    door = door_of(database)
    with database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE inbox RENAME TO away")
    assert await ask(door, case("lost")) == 503
    with database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO inbox")
    assert await ask(door, case("lost")) == 202
    assert stored(database) == ["github:lost"]


async def test_names_that_no_database_takes_are_made_plain(database: Database) -> None:
    door = door_of(database)
    body = rb'{"action": "\ud800\u0000", "sender": {"login": "a\u0000b"}, "issue": {"number": 1}}'
    assert await ask(door, case("odd", body)) == 202
    with database.read() as connection:
        row = connection.execute(sa.select(TABLE)).one()
    assert (row.action, row.sender) == ("??", "a?b")
    assert await ask(door, case("marked", b"\xef\xbb\xbf" + body)) == 202
    with database.read() as connection:
        assert (
            connection.execute(sa.select(TABLE.c.payload).where(TABLE.c.id == "github:marked")).scalar_one()
            == body.decode()
        )
    assert await ask(door, case("wide", '{"action": "opened"}'.encode("utf-16-le"))) == 400


def received(name: str, body: str) -> Received:
    return Received(name, "issues", "opened", None, body, 1.0, "pending", "{}", "ann")


def test_two_processes_that_store_the_same_at_once_store_it_once(database_url: str) -> None:
    """The same id, and the same body under two ids, in groups of another order; each with connections of its own."""
    both = [Database(database_url) for _ in range(2)]
    new: list[set[str]] = []
    failed: list[BaseException] = []
    start = threading.Barrier(2)

    def store(which: int) -> None:
        try:
            for turn in range(60):
                rows = [received(f"github:{turn}-{n}", f"{turn}-{n}") for n in range(20)]
                rows += [received(f"github:{which}-{turn}-{n}", f"twin-{turn}-{n}") for n in range(20)]
                start.wait(300)
                with both[which].write() as connection:
                    new.append(inbox.store(connection, rows if which else rows[::-1]))
        except BaseException as error:
            failed.append(error)
            start.abort()

    threads = [threading.Thread(target=store, args=(which,)) for which in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with both[0].read() as connection:
        rows = connection.execute(sa.select(TABLE.c.id, TABLE.c.body_hash, TABLE.c.sender)).all()
    for database in both:
        database.dispose()
    assert failed == []
    assert len(rows) == len({row.body_hash for row in rows}) == 60 * 40
    assert sum(map(len, new)) == 60 * 40 and {row.sender for row in rows} == {"ann"}


class Stalled:
    """Bodies whose bytes came but for the last."""

    def __init__(self, door: Door, address: str, sizes: list[int]) -> None:
        self.tasks = [asyncio.create_task(self._one(door, address, size)) for size in sizes]

    async def _one(self, door: Door, address: str, size: int) -> None:
        parts = [b"a" * 65_536] * (size // 65_536)

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0)
            if not parts:
                await asyncio.Event().wait()
            return {"type": "http.request", "body": parts.pop(), "more_body": True}

        async def send(_: Any) -> None:
            return None

        headers = [(b"x-hub-signature-256", b"sha256=00"), (b"content-length", b"%d" % (size + 1))]
        scope = {"type": "http", "method": "POST", "path": "/webhooks/github", "headers": headers}
        await door({**scope, "client": (address, 1)}, receive, send)

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@pytest.mark.parametrize("sizes", [[24 * 1024 * 1024] * 7, [1_000_000] * 90])
async def test_stalled_bodies_do_not_delay_a_small_delivery(database: Database, sizes: list[int]) -> None:
    door = door_of(database)
    stalled = Stalled(door, "203.0.113.1", sizes)
    try:
        for _ in range(3_000):
            await asyncio.sleep(0)
        small = case("small")
        small.headers.append((b"content-length", b"%d" % len(small.parts[0])))
        assert await ask(door, small) == 202
        assert not any(task.done() for task in stalled.tasks), "it waited for none of them"
    finally:
        await stalled.end()


async def test_one_address_has_few_large_bodies_under_way(database: Database) -> None:
    door = door_of(database)
    stalled = Stalled(door, "203.0.113.1", [24 * 1024 * 1024] * 7)
    try:
        for _ in range(3_000):
            await asyncio.sleep(0)
        taken = doors.ROOM - door._tiers[-1].room.free
        assert taken <= 3 * doors.MOST + 4 * doors.LARGE
        # Another address's large one goes by.
        large = case("large", b'{"action": "opened", "x": "%s"}' % (b"x" * 2_000_000))
        assert await ask(door, large) == 202
        assert not any(task.done() for task in stalled.tasks)
    finally:
        await stalled.end()
    # All of it is given back.
    assert door._tiers[-1].room.free == doors.ROOM


async def test_unknown_paths_are_counted(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    door = door_of(database)
    door._knocks.most = 3
    unknown = Case("/webhooks/zzz", [], [b"x"], signed=False)
    assert [await ask(door, unknown) for _ in range(5)] == [404, 404, 404, 429, 429]
    assert await ask(door, case("signed")) == 202

"""Who is alive, also when the clock is set: by its heartbeat and, on this host, by the process itself."""

import os
import time
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from bot.store import lane_states, outbox, owners, queue
from bot.store.database import Database
from models.commands import add_labels
from models.tables import CommandRow, OwnerRow

_owners: sa.Table = OwnerRow.__table__  # type: ignore[attr-defined]
_commands: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]


def alive(database: Database) -> list[str]:
    with database.read() as connection:
        return owners.alive(connection)


def test_a_process_is_alive_until_it_is_gone_or_another_has_its_number(database: Database) -> None:
    me = owners.new_id()
    with database.write() as connection:
        owners.beat(connection, me)
    assert alive(database) == [me]
    host, pid, started, random = me.split(":")
    with database.write() as connection:
        connection.execute(
            sa.update(_owners).values(executor_id=f"{host}:{pid}:{int(started) - 500}:{random}")
        )
    assert alive(database) == []


def test_one_that_lives_elsewhere_is_believed_while_it_beats(database: Database) -> None:
    with database.write() as connection:
        owners.beat(connection, owners.new_id())
        connection.execute(sa.update(_owners).values(host="elsewhere", executor_id="elsewhere:1:1:a"))
    assert alive(database) == ["elsewhere:1:1:a"]
    with database.write() as connection:
        connection.execute(sa.update(_owners).values(heartbeat_at=time.time() - owners.SILENT - 1))
    assert alive(database) == []


def test_one_of_this_host_that_is_silent_is_dead_too(database: Database) -> None:
    """It may be stopped or swapped out: its number alone says nothing about whether it goes on."""
    with database.write() as connection:
        owners.beat(connection, owners.new_id())
        connection.execute(sa.update(_owners).values(heartbeat_at=time.time() - owners.SILENT - 1))
    assert alive(database) == []


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="the boot time is Linux's")
def test_a_clock_that_is_set_kills_nobody(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    me = owners.new_id()
    with database.write() as connection:
        owners.beat(connection, me)
    booted = psutil.boot_time()
    # When the clock is set, the kernel tells another time of its start, and psutil of a process's.
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: booted + 3600)
    assert abs(psutil.Process(os.getpid()).create_time() - booted) > 3600
    assert alive(database) == [me]


def due(database: Database) -> set[str]:
    with database.read() as connection:
        return {pending.key for pending in outbox.due(connection, "github", time.time(), 10)}


def test_what_was_stored_under_a_clock_that_ran_ahead_is_due_at_once(database: Database) -> None:
    ahead = time.time() + 3600
    with database.write() as connection:
        outbox.store(connection, "r", [add_labels("o/r#1", ["bug"]), add_labels("o/r#2", ["bug"])], ahead)
        outbox.mark(connection, ["labels:o/r#1"], ahead)
    assert due(database) == set()
    with database.write() as connection:
        owners.beat(connection, owners.new_id())
    assert due(database) == {"labels:o/r#1", "labels:o/r#2"}
    with database.read() as connection:
        latest = connection.execute(sa.select(sa.func.max(_commands.c.maybe_sent_at))).scalar()
    assert latest <= time.time(), "the look-up of what is uncertain must not wait for the wrong time either"


def test_a_clock_set_back_under_a_process_shortens_what_waits(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    me, real = owners.new_id(), time.time
    with database.write() as connection:
        owners.beat(connection, me)
        outbox.store(connection, "r", [add_labels("o/r#1", ["bug"])], time.time())
        lane_states.postpone(connection, "github", time.time() + 60, "slow down")
    monkeypatch.setattr(time, "time", lambda: real() - 3600)
    for _ in range(2):
        with database.write() as connection:
            owners.beat(connection, me)
            (item,) = queue.items(connection, "pending")
            at = connection.execute(sa.select(_commands.c.next_attempt_at)).scalar() or 0
        assert 50 < at - time.time() < 65, item


def test_an_honest_wait_is_left_alone(database: Database) -> None:
    with database.write() as connection:
        outbox.store(connection, "r", [add_labels("o/r#1", ["bug"])], time.time())
        lane_states.postpone(connection, "github", time.time() + 3000, "slow down")
        owners.beat(connection, owners.new_id())
        at = connection.execute(sa.select(_commands.c.next_attempt_at)).scalar() or 0
    assert at - time.time() > 2990


def test_the_tasks_that_fail_in_a_live_process_are_known_to_the_others(database: Database) -> None:
    me = owners.new_id()
    with database.write() as connection:
        owners.beat(connection, me, {"people": "ProgrammingError: no such column"})
        assert owners.failing(connection) == {"people": "ProgrammingError: no such column"}
        owners.beat(connection, me)
        assert owners.failing(connection) == {}

"""What is said where the database cannot be used, and that nothing else happens."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.store import database as module
from bot.store import outbox, runs
from bot.store.database import AWAY, Database, advice
from models.commands import Command, add_labels
from models.errors import UserFacing
from models.tables import AlertRow, CommandRow

_commands: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("database is locked", "another program holds it"),
        ("database or disk is full", "space"),
        ("disk I/O error", "space"),
        ("attempt to write a readonly database", "written"),
        ("unable to open database file", "storage.url"),
        ("the database system is starting up", "try again"),
        ("terminating connection due to idle-in-transaction timeout", "stopped for too long"),
        ("terminating connection due to administrator command", "try again"),
    ],
)
def test_the_advice_fits_the_failure(words: str, wanted: str) -> None:
    assert wanted in advice(sa.exc.OperationalError("SELECT 1", {}, sqlite3.OperationalError(words)))


def test_a_database_that_another_program_holds_is_named_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "test.db"
    monkeypatch.setattr(module, "PRAGMAS", ("busy_timeout=50",))
    database = Database(f"sqlite:///{path}")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(UserFacing, match="another program holds it"):
            database.require_schema()
    database.dispose()


def test_what_fails_while_it_reads_leaves_no_lock_behind(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/test.db")
    database.require_schema()
    with database.write() as connection:
        rows = ", ".join(f"('{n}', 0, '')" for n in range(9))
        connection.execute(sa.text(f"INSERT INTO alerts (name, since, detail) VALUES {rows}"))

    def stumble() -> None:
        with database.read() as connection:
            rows = connection.execute(sa.text("SELECT name FROM alerts"))
            raise ValueError(rows.fetchone())

    with pytest.raises(ValueError) as kept:
        stumble()
    with closing(sqlite3.connect(tmp_path / "test.db", isolation_level=None)) as other:
        other.execute("INSERT INTO alerts (name, since, detail) VALUES ('a', 0, '')")
    # The traceback holds the frames, and with them the rows that were not read.
    assert kept.value.__traceback__ is not None
    for _ in range(3):
        with database.write() as connection:
            connection.execute(sa.text("DELETE FROM alerts"))
    database.dispose()


def test_one_transaction_writes_at_a_time(database_url: str) -> None:
    """What was read is still so when it is written, in whichever process: nothing is counted over."""
    both = [Database(database_url) for _ in range(2)]
    with both[0].write() as connection:
        runs.create(connection, "r", "cli", {}, None)
    gate = threading.Barrier(2)

    def count(database: Database) -> None:
        gate.wait(30)
        for _ in range(50):
            with database.write() as connection:
                runs.count_fetched(connection, "r", 1)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(count, database) for database in both]:
            done.result()
    with both[0].read() as connection:
        assert runs.get(connection, "r").progress == {"fetched": 100}  # type: ignore[union-attr]
    for database in both:
        database.dispose()


def test_what_was_not_there_is_inserted_once(database_url: str) -> None:
    """Two processes that look, find nothing and insert: the second finds what the first inserted."""
    both = [Database(database_url) for _ in range(2)]
    gate = threading.Barrier(2)

    def save(database: Database) -> None:
        for number in range(50):
            gate.wait(30)
            with database.write() as connection:
                runs.save_repository(connection, f"o/r{number}", cursor=1.0)
                outbox.store_once(connection, "r", [add_labels(f"o/r#{number}", ["bug"])], 1.0)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(save, database) for database in both]:
            done.result()
    for database in both:
        database.dispose()


def test_what_is_read_in_one_transaction_is_of_one_time(database: Database) -> None:
    with database.read() as reading:
        assert runs.get(reading, "r") is None
        with database.write() as connection:
            runs.create(connection, "r", "cli", {}, None)
        assert runs.get(reading, "r") is None
    with database.read() as reading:
        assert runs.get(reading, "r") is not None


def test_text_that_no_database_takes_is_made_plain(database: Database) -> None:
    """JSON can name NUL; PostgreSQL has no place for it, not even escaped in a document that it looks into."""
    alerts: sa.Table = AlertRow.__table__  # type: ignore[attr-defined]
    command = Command(
        key="k", target="github", operation="o", issue=None, payload={"a": ["x\0y"], "b": {"\0": "☂"}}
    )
    with database.write() as connection:
        connection.execute(sa.insert(alerts).values(name="a\0b", since=1.0, detail="☂"))
        outbox.store(connection, "r", [command], 1.0)
    with database.read() as connection:
        (name,) = connection.execute(sa.select(alerts.c.name)).scalars()
        told = connection.execute(sa.select(_commands.c.payload["c"].as_string(), _commands.c.payload)).one()
    assert name in ("a\0b", "a�b")
    assert told[0] is None and told[1]["a"] in (["x\0y"], ["x�y"])


@pytest.mark.only("postgresql")
def test_a_process_that_stops_within_a_transaction_lets_the_others_go_on(database_url: str) -> None:
    url = sa.make_url(database_url)
    short = url.update_query_dict({"options": "-c idle_in_transaction_session_timeout=100"})
    stopped, other = Database(short.render_as_string(hide_password=False)), Database(database_url)
    with pytest.raises(AWAY) as failure, stopped.write() as connection:
        runs.create(connection, "lost", "cli", {}, None)
        # This waits for the lock of the one that stands still.
        with other.write() as going_on:
            runs.create(going_on, "r", "cli", {}, None)
        connection.execute(sa.text("SELECT 1"))
    assert "stopped for too long" in advice(failure.value)
    # The connection is replaced, and nothing of the transaction is there.
    with stopped.write() as connection:
        assert runs.get(connection, "lost") is None and runs.get(connection, "r") is not None
    with other.read() as connection:
        limit = connection.execute(sa.text("SHOW idle_in_transaction_session_timeout")).scalar_one()
    assert limit == "10s"
    for database in (stopped, other):
        database.dispose()

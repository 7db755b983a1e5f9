"""What is said where the database cannot be used, and that nothing else happens."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.store import database as module
from bot.store.database import Database, advice
from models.errors import UserFacing


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("database is locked", "another program holds it"),
        ("database or disk is full", "space"),
        ("disk I/O error", "space"),
        ("attempt to write a readonly database", "written"),
        ("unable to open database file", "storage.url"),
        ("the database system is starting up", "try again"),
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

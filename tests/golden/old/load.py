"""Puts the old database into a place, and its services into a sandbox."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.world import World

FOLDER = Path(__file__).parent
SOMEWHERE = "http://sandbox.invalid"
"""Stands in the files for the sandbox's address."""
AUTHORISED = {"authorization": "Bearer sandbox", "shortcut-token": "sandbox"}
GIVEN = ("id", "ts", "thread_ts")
"""What services name their things by."""
LATER = 3_600.0
"""Seconds that have passed since the program was killed."""


def stand(world: World) -> dict[str, str]:
    """Send what made the services what they were; says which of their names are others now."""
    names = {SOMEWHERE: world.base}
    for line in (FOLDER / "services.jsonl").read_text("utf-8").splitlines():
        sent = json.loads(renamed(line, names))
        answer = world.http.request(
            sent["method"], sent["path"], content=sent["body"].encode(), headers=AUTHORISED | sent["headers"]
        )
        assert answer.is_success, f"{sent['method']} {sent['path']}: {answer.status_code} {answer.text}"
        if sent["answer"] is not None:
            names |= {old: new for old, new in _names(sent["answer"], answer.json()) if old != new}
            assert all(len(old) > 5 for old in names), f"too short to be told apart in the dump: {names}"
    return names


def renamed(text: str, names: Mapping[str, str]) -> str:
    """The text with names of now."""
    for old, new in names.items():
        text = text.replace(old, new)
    return text


def _names(old: Any, new: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """What was given as a name then and now."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in old.keys() & new.keys():
            yield from _names(old[name], new[name], name)
    elif isinstance(old, list) and isinstance(new, list):
        for one, other in zip(old, new, strict=False):
            yield from _names(one, other)
    elif key in GIVEN:
        yield str(old), str(new)


def sqlite(path: Path, names: Mapping[str, str], now: float) -> None:
    """Make the SQLite database at this path."""
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(renamed((FOLDER / "sqlite.sql").read_text("utf-8"), names))
        columns = connection.execute(
            "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c "
            "WHERE t.type = 'table' AND c.type = 'FLOAT'"
        ).fetchall()
        (last,) = connection.execute("SELECT max(created_at) FROM commands").fetchone()
        for statement in _moved(columns, now - LATER - last):
            connection.execute(statement)


def postgres(url: str, names: Mapping[str, str], now: float) -> None:
    """Fill the empty PostgreSQL database."""
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute(renamed((FOLDER / "postgres.sql").read_text("utf-8"), names).encode())
        connection.execute("SET search_path TO public")
        columns = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND data_type = 'double precision'"
        ).fetchall()
        (last,) = connection.execute("SELECT max(created_at) FROM commands").fetchone() or (now,)
        for statement in _moved(columns, now - LATER - last):
            connection.execute(statement.encode())


def _moved(columns: list[Any], by: float) -> Iterator[str]:
    """Statements that move the times of the dump, so that it is always an hour old; a dead process stays dead."""
    for table, column in columns:
        if table != "owners":
            is_time = f"{column} BETWEEN 1700000000 AND 3900000000"
            yield f"UPDATE {table} SET {column} = {column} + {by!r} WHERE {is_time}"

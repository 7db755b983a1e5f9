"""Names in the database, read from the file itself: tables, words in rows, keys of commands and of documents."""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.golden.keys import key_paths

WORDS = {
    "alerts": ("name",),
    "answers": ("kind",),
    "audit": ("action", "via"),
    "batches": ("state",),
    "breakers": ("state",),
    "cases": ("route", "status"),
    "commands": ("lane", "state", "target"),
    "corrections": ("after", "before", "via"),
    "inbox": ("action", "event", "state"),
    "lanes": ("blocked_kind",),
    "pauses": ("key",),
    "runs": ("status", "trigger"),
    "spending": ("kind",),
}
"""Columns that hold names and not data."""
DOCUMENTS = {("issues", "data")}
"""Columns with JSON that the schema calls text."""
FOREIGN = {"repository_configs"}
"""Tables whose JSON is another's: its keys are those of a configuration."""
MAPS = {
    "batches.counts": {"routes"},
    "cases.detail": {"probabilities"},
    "commands.answer": {"off"},
    "commands.payload": {"told"},
    "corrections.shown": {"probabilities"},
    "runs.progress": {"cursors"},
    "runs.requests": {""},
}
"""Paths at which the keys of a document are data."""
OTHERS = {"blocks", "event", "values"}
"""Keys below which a document is another program's, or frozen elsewhere."""
_SHAPES = (
    (re.compile(r"[\w.-]+/[\w.-]+#\d+"), "<issue>"),
    (re.compile(r"\b(?:run|api|nightly)-\d{8}T\d+(?:Z|-[0-9a-f]{6})|\bwebhook-\d{8}"), "<run>"),
    (re.compile(r"@[\w.-]+:\d+:\d+:[0-9a-f]+"), "@<process>"),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+"), "<address>"),
    (re.compile(r"\b[UCD]0[A-Z0-9]{6,}"), "<person>"),
    (re.compile(r"\b(?=[0-9]*[a-f])[0-9a-f]{12,}\b"), "<hash>"),
    (re.compile(r"\b(error_rate|latency_p99):\w+"), r"\1:<service>"),
    (re.compile(r"#[a-z][\w-]*"), "<channel>"),
    (re.compile(r"(?<![\w.])\d+(?:\.\d+)*"), "<n>"),
)


def shape(text: str) -> str:
    """A key without what is data in it: `story:<issue>`, `digest:<run>`."""
    for pattern, name in _SHAPES:
        text = pattern.sub(name, text)
    return text


def add_a_week(path: Path) -> None:
    """Decisions of some weeks ago, which `router drift` shows."""
    with _open(path, "rw") as database, database:
        day = "date('now', '-20 days')"
        database.execute(f"INSERT INTO router_days VALUES ({day}, 'builtin', 10, 2, 1)")


def tables(path: Path) -> Iterator[str]:
    """Each column with its type: `commands.key VARCHAR not null, primary key`; each index with its columns."""
    with _open(path) as database:
        for table in _tables(database):
            for _, name, kind, required, _, key in database.execute(f"PRAGMA table_info({table})"):
                more = [*(["not null"] if required else []), *(["primary key"] if key else [])]
                yield f"{table}.{name} {kind}" + (f" {', '.join(more)}" if more else "")
            for _, index, unique, origin, _ in database.execute(f"PRAGMA index_list({table})"):
                if origin == "c":
                    named = database.execute(f"PRAGMA index_info({index})")
                    columns = ", ".join(str(row[2] or "(expression)") for row in named)
                    yield f"{table} {'unique ' if unique else ''}index {index}: {columns}"


def words(path: Path) -> Iterator[str]:
    """The words that rows hold now: `commands.state: pending`."""
    with _open(path) as database:
        for table, columns in WORDS.items():
            for column in columns:
                for (value,) in database.execute(f"SELECT DISTINCT {column} FROM {table}"):
                    yield f"{table}.{column}: {shape(value) if value else '(none)'}"


def command_keys(path: Path) -> Iterator[str]:
    """How the keys of commands are made: `shortcut create_story story:<issue>`."""
    with _open(path) as database:
        for row in database.execute("SELECT target, operation, key FROM commands"):
            yield f"{row[0]} {row[1]} {shape(row[2])}"


def documents(path: Path) -> Iterator[str]:
    """The keys of JSON in rows: `runs.progress: cursors.*.etag`; a command's with its operation."""
    with _open(path) as database:
        for table in set(_tables(database)) - FOREIGN:
            info = database.execute(f"PRAGMA table_info({table})").fetchall()
            names = [row[1] for row in info if row[2] == "JSON" or (table, row[1]) in DOCUMENTS]
            for row in database.execute(f"SELECT * FROM {table}") if names else ():
                values = dict(zip((one[1] for one in info), row, strict=True))
                kind = f" {values['operation']}" if table == "commands" else ""
                for name in names:
                    value = _parsed(values[name])
                    for path_ in key_paths(_cut(value), MAPS.get(f"{table}.{name}", ())) if value else ():
                        yield f"{table}.{name}{kind}: {path_}"


def events(path: Path) -> Iterator[tuple[str, Any]]:
    """Outgoing webhooks: the lane's kind and the event, delivered or not."""
    with _open(path) as database:
        for lane, payload in database.execute("SELECT lane, payload FROM commands WHERE target = 'webhook'"):
            yield shape(lane), json.loads(payload)["event"]


def _open(path: Path, mode: str = "ro") -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(f"file:{path}?mode={mode}", uri=True))


def _tables(database: sqlite3.Connection) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    return [name for (name,) in database.execute(query)]


def _parsed(text: Any) -> Any:
    return json.loads(text) if isinstance(text, str) and text[:1] in ("{", "[") else None


def _cut(value: Any) -> Any:
    """Without what lies below `OTHERS`."""
    if isinstance(value, dict):
        return {key: None if key in OTHERS else _cut(one) for key, one in value.items()}
    return [_cut(one) for one in value] if isinstance(value, list) else value

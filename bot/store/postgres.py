"""What PostgreSQL needs so that it behaves as SQLite does: one writer at a time, and text that it takes."""

import json
import re
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.abc import Buffer
from psycopg.types.string import StrDumperUnknown
from sqlalchemy import event
from sqlalchemy.engine import Engine

IDLE_LIMIT = "10s"
"""How long a transaction may wait for its process: one that is stopped must not hold up the others for ever."""
_ONE_WRITER = sa.text("SELECT pg_advisory_xact_lock(7305421)")
_SET_IDLE_LIMIT = (
    "SELECT set_config('idle_in_transaction_session_timeout', %s, false) "
    "WHERE current_setting('idle_in_transaction_session_timeout') = '0'"
)
_ESCAPED = re.compile(r"\\u(?:0000|d[89a-f])")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def connect(url: sa.URL) -> Engine:
    """An engine for `url`; a connection that the server ended is replaced when it is needed next."""
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"), pool_size=20, pool_pre_ping=True, json_serializer=_json
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: psycopg.Connection[Any], _: Any) -> None:
        connection.adapters.register_dumper(str, _Text)
        connection.autocommit = True
        # An administrator's own limit stands, whether the server, the role or the URL has it.
        connection.execute(_SET_IDLE_LIMIT, [IDLE_LIMIT])
        connection.autocommit = False

    return engine


class _Text(StrDumperUnknown):
    def dump(self, obj: str) -> Buffer | None:
        return super().dump(storable(obj))


def take_turns(connection: sa.Connection) -> None:
    """Wait until no other transaction writes, and let none write until this one ends.

    As SQLite's BEGIN IMMEDIATE: what was read is still so when it is written, and nothing that was not there when it
    was looked for is there when it is inserted.
    """
    connection.execute(_ONE_WRITER)


def storable(text: str) -> str:
    """Text that PostgreSQL takes: NUL and halves of surrogate pairs, which JSON can name, are replaced."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _json(value: Any) -> str:
    text = json.dumps(value)
    return json.dumps(_cleaned(value)) if _ESCAPED.search(text) else text


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(part) for part in value]
    return value

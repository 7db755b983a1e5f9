"""Messages about cases, as the commands that post and edit them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.tables import CommandRow

_table: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]
_COLUMNS = tuple(_table.c[name] for name in ("key", "target", "operation", "issue", "payload"))


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was stored, as it reads or is to read."""

    key: str
    target: str
    operation: str
    issue: str | None
    payload: Mapping[str, Any]


def standing(connection: Connection, keys: Sequence[str]) -> list[Message]:
    """Those of these messages that there are."""
    return [Message(*row) for row in connection.execute(sa.select(*_COLUMNS).where(_table.c.key.in_(keys)))]


def issues(connection: Connection, keys: Sequence[str]) -> set[str]:
    """The issues that those of these messages that there are speak of."""
    return set(connection.execute(sa.select(_table.c.issue).where(_table.c.key.in_(keys))).scalars())


def begun(connection: Connection, prefix: str, since: float) -> list[Message]:
    """The messages whose keys begin so and that were first stored after then, the latest first."""
    query = (
        sa.select(*_COLUMNS)
        .where(_table.c.key.startswith(prefix), _table.c.created_at > since)
        .order_by(_table.c.created_at.desc())
    )
    return [Message(*row) for row in connection.execute(query)]


def count_alone(connection: Connection, prefix: str, since: float) -> int:
    """How many messages whose keys begin so were first stored after then, save those in threads."""
    query = sa.select(sa.func.count()).where(
        _table.c.key.startswith(prefix),
        _table.c.operation == "post_message",
        _table.c.created_at > since,
        _table.c.payload["thread_of"].as_string().is_(None),
    )
    return int(connection.execute(query).scalar() or 0)

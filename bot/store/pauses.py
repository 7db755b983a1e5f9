"""Pauses: issues that people told the bot to leave alone, or to be quiet about for a while."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.tables import PauseRow

_table: sa.Table = PauseRow.__table__  # type: ignore[attr-defined]
IGNORE, SNOOZE = "ignore:", "case:"
"""What begins the key of an issue that is left alone, and of a case that is not spoken of."""


def begin(connection: Connection, key: str, person: str, now: float, until: float | None) -> None:
    """Pause until then (epoch seconds), or until somebody ends it; in place of what was said before."""
    end(connection, key)
    connection.execute(sa.insert(_table).values(key=key, until=until, person=person, at=now))


def end(connection: Connection, *keys: str) -> int:
    """End pauses; says how many there were."""
    return int(connection.execute(sa.delete(_table).where(_table.c.key.in_(keys))).rowcount)


def until(connection: Connection, key: str, now: float) -> float | None:
    """When this pause ends (epoch seconds); None where there is none, or where it has no end."""
    query = sa.select(_table.c.until).where(_table.c.key == key, _table.c.until > now)
    found: float | None = connection.execute(query).scalar()
    return found


def over(connection: Connection, prefix: str, now: float) -> list[str]:
    """The names of pauses that ended by themselves and were not pruned yet."""
    query = sa.select(_table.c.key).where(_table.c.key.startswith(prefix), _table.c.until <= now)
    return [key.removeprefix(prefix) for key in connection.execute(query).scalars()]


def holding(connection: Connection, keys: Sequence[str], now: float) -> dict[str, Any]:
    """The rows of those of these pauses that are not over, by key."""
    found: dict[str, Any] = {}
    for start in range(0, len(keys), 500):
        query = sa.select(_table).where(_table.c.key.in_(keys[start : start + 500]), holds(now))
        found |= {row.key: row for row in connection.execute(query)}
    return found


def active(connection: Connection, prefix: str, names: Sequence[str], now: float) -> set[str]:
    """Of these issues (or channels), those that are paused."""
    found = holding(connection, [f"{prefix}{name}" for name in names], now)
    return {key.removeprefix(prefix) for key in found}


def holds(now: float) -> sa.ColumnElement[bool]:
    """The condition that a pause is not over."""
    return sa.or_(_table.c.until.is_(None), _table.c.until > now)


def is_quiet(key: sa.ColumnElement[str], now: float) -> sa.ColumnElement[bool]:
    """The condition that nobody wants to be told of the issue with this key."""
    named = sa.or_(_table.c.key == sa.literal(IGNORE) + key, _table.c.key == sa.literal(SNOOZE) + key)
    return sa.select(_table.c.key).where(named, holds(now)).exists()

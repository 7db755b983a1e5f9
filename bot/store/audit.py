"""The audit log: what people did here, and what the bot wrote elsewhere."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.tables import AuditRow

_table: sa.Table = AuditRow.__table__  # type: ignore[attr-defined]

BOT = "switchyard"
KEPT = 400 * 86_400.0
"""Seconds for which entries are kept."""


def note(
    connection: Connection,
    now: float,
    *,
    actor: str,
    via: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write down one thing that was done; in the transaction that does it."""
    note_all(connection, [entry(now, actor, via, action, subject, detail or {})])


def entry(
    now: float, actor: str, via: str, action: str, subject: str, detail: Mapping[str, Any]
) -> dict[str, Any]:
    """One row for `note_all`."""
    return {
        "at": now,
        "actor": actor,
        "via": via,
        "action": action,
        "subject": subject,
        "detail": dict(detail),
    }


def note_all(connection: Connection, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write down several things at once."""
    connection.execute(_INSERT, entries)


_INSERT = sa.insert(_table)


def writes_since(connection: Connection, issues: Iterable[str], since: float, via: str) -> dict[str, int]:
    """How often the bot itself wrote to each of these issues."""
    query = (
        sa.select(_table.c.subject, sa.func.count())
        .where(_table.c.subject.in_(list(issues)), _table.c.at >= since)
        .where(_table.c.actor == BOT, _table.c.via == via)
        .group_by(_table.c.subject)
    )
    return {subject: int(count) for subject, count in connection.execute(query)}


def entries(
    connection: Connection,
    *,
    limit: int,
    actor: str | None = None,
    subject: str | None = None,
    since: float | None = None,
    before: int | None = None,
) -> list[dict[str, Any]]:
    """Entries as JSON, the newest first; `before` is the id of the last one seen."""
    query = sa.select(_table)
    if actor:
        query = query.where(_table.c.actor == actor)
    if subject:
        query = query.where(_table.c.subject == subject)
    if since is not None:
        query = query.where(_table.c.at >= since)
    if before is not None:
        query = query.where(_table.c.id < before)
    rows = connection.execute(query.order_by(_table.c.id.desc()).limit(limit))
    names = ("id", "actor", "via", "action", "subject", "detail")
    return [{"at": _iso(row.at)} | {name: getattr(row, name) for name in names} for row in rows]


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def prune(connection: Connection, now: float) -> None:
    """Forget what is older than it is kept."""
    connection.execute(sa.delete(_table).where(_table.c.at < now - KEPT))

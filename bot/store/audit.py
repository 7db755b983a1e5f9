"""The audit log: what people did here, and what the bot wrote elsewhere."""

from collections.abc import Iterable, Mapping
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
    values = {"at": now, "actor": actor, "via": via, "action": action, "subject": subject}
    connection.execute(sa.insert(_table).values(**values, detail=dict(detail or {})))


def writes_since(connection: Connection, issues: Iterable[str], since: float, via: str) -> dict[str, int]:
    """How often the bot itself wrote to each of these issues."""
    query = (
        sa.select(_table.c.subject, sa.func.count())
        .where(_table.c.subject.in_(list(issues)), _table.c.at >= since)
        .where(_table.c.actor == BOT, _table.c.via == via)
        .group_by(_table.c.subject)
    )
    return {subject: int(count) for subject, count in connection.execute(query)}


def prune(connection: Connection, now: float) -> None:
    """Forget what is older than it is kept."""
    connection.execute(sa.delete(_table).where(_table.c.at < now - KEPT))

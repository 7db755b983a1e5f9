"""The audit log: what people did here, and what the bot wrote elsewhere."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

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
    connection.execute(_INSERT, [values | {"detail": dict(detail or {})}])


class Delivered(Protocol):
    """A command that its service took: what is known of it where it is saved."""

    @property
    def key(self) -> str: ...
    @property
    def issue(self) -> str | None: ...
    @property
    def target(self) -> str: ...
    @property
    def operation(self) -> str: ...
    @property
    def answer(self) -> Mapping[str, Any] | None: ...


def note_writes(connection: Connection, delivered: Iterable[Delivered], now: float) -> None:
    """Write down what the bot wrote to services, in the transaction that stores that it was delivered.

    What stood there already, or had no place left to stand, is no write.
    """
    rows = [
        {
            "at": now,
            "actor": BOT,
            "via": one.target,
            "action": one.operation,
            "subject": one.issue or one.key,
            "detail": _numbers(one),
        }
        for one in delivered
        if one.target and not any((one.answer or {}).get(name) for name in _UNWRITTEN)
    ]
    if rows:
        connection.execute(_INSERT, rows)


def _numbers(one: Delivered) -> dict[str, Any]:
    """The key and the service's own number. Not its address: a story's has the title in it."""
    answer = one.answer or {}
    number = next((answer[name] for name in _NUMBERS if answer.get(name)), None)
    return {"key": one.key} if number is None else {"key": one.key, "id": number}


_INSERT = sa.insert(_table)
_UNWRITTEN = ("existing", "gone", "removed")
_NUMBERS = ("comment_id", "check_id", "id", "ts")


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


def telling(detail: Mapping[str, Any]) -> dict[str, Any]:
    """An entry's details as people see them: what has no value says nothing, and a key repeats the subject."""
    return {
        name: value for name, value in detail.items() if name != "key" and value not in (None, "", [], {})
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def prune(connection: Connection, now: float) -> None:
    """Forget what is older than it is kept."""
    connection.execute(sa.delete(_table).where(_table.c.at < now - KEPT))

"""The queue as people see it: what waits and what is dead, and what they may do about it."""

import time
from collections.abc import Sequence, Set
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.store import cases
from bot.store.outbox import WAITING, release_waiting
from models.tables import CommandRow, LaneRow

_table: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]
_lanes: sa.Table = LaneRow.__table__  # type: ignore[attr-defined]


def items(connection: Connection, state: str, limit: int = 10_000) -> list[dict[str, Any]]:
    """Commands as `queue list` shows them."""
    rows = connection.execute(
        sa.select(_table)
        .where(_table.c.state == state)
        .order_by(_table.c.next_attempt_at, _table.c.created_at)
        .limit(limit)
    )
    return [
        {
            "key": row.key,
            "target": row.target,
            "operation": row.operation,
            "issue": row.issue,
            "attempts": row.attempts,
            "next_attempt_at": _next(state, row.next_attempt_at),
            "last_error": row.last_error,
            "created_at": _iso(row.created_at),
        }
        for row in rows
    ]


def _next(state: str, at: float) -> str | None:
    return None if state == "dead" or at >= WAITING else _iso(at)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def counts(connection: Connection) -> dict[tuple[str, str], tuple[int, float]]:
    """(target, state) → (how many, created_at of the oldest), for pending and dead ones."""
    rows = connection.execute(
        sa.select(_table.c.target, _table.c.state, sa.func.count(), sa.func.min(_table.c.created_at))
        .where(_table.c.state.in_(("pending", "dead")))
        .group_by(_table.c.target, _table.c.state)
    )
    return {(target, state): (count, oldest) for target, state, count, oldest in rows}


def attempts(connection: Connection) -> dict[str, int]:
    """Failed attempts of the commands that wait, by target."""
    query = (
        sa.select(_table.c.target, sa.func.sum(_table.c.attempts))
        .where(_table.c.state == "pending")
        .group_by(_table.c.target)
    )
    return {target: int(total or 0) for target, total in connection.execute(query)}


def drained(connection: Connection, since: float) -> dict[str, int]:
    """How many were delivered since then, and what is left."""
    sent = sa.select(sa.func.count()).where(_table.c.state == "sent", _table.c.sent_at >= since)
    left = sa.select(_table.c.state, sa.func.count()).group_by(_table.c.state)
    counts: dict[str, int] = {row.state: row[1] for row in connection.execute(left)}
    return {
        "delivered": int(connection.execute(sent).scalar() or 0),
        "pending": counts.get("pending", 0),
        "dead": counts.get("dead", 0),
    }


def retry(connection: Connection, key: str | None) -> int:
    """Send a dead or waiting command again now (all dead ones where key is None); returns how many."""
    where = _table.c.state == "dead" if key is None else _table.c.key == key
    result = connection.execute(
        sa.update(_table)
        .where(where, _table.c.state.in_(("dead", "pending")), _table.c.next_attempt_at != WAITING)
        .values(state="pending", failures=0, next_attempt_at=time.time())
    )
    return int(result.rowcount)


def retry_dead_of(connection: Connection, issue: str) -> int:
    """Send the dead commands about an issue again now; returns how many."""
    dead = sa.select(_table.c.key).where(_table.c.issue == issue, _table.c.state == "dead")
    return sum(retry(connection, key) for key in connection.execute(dead).scalars().all())


def discard(connection: Connection, key: str) -> bool:
    """Give a waiting or dead command up for good; what waited for it goes on without."""
    result = connection.execute(
        sa.update(_table)
        .where(_table.c.key == key, _table.c.state.in_(("dead", "pending")))
        .values(state="dropped")
        .returning(_table.c.issue)
    ).all()
    release_waiting(connection, [row.issue for row in result if row.issue], time.time())
    return bool(result)


def drop_run(connection: Connection, run_id: str) -> int:
    """Forget what a cancelled run decided and nobody has begun to send; says how many commands that is.

    Not `dropped`, which is a person's last word on one command: the next run may decide the same again. What
    may have reached its service is still looked up and brought to its end.
    """
    mine = sa.and_(_table.c.run_id == run_id, _table.c.state == "pending", _table.c.maybe_sent_at.is_(None))
    issues = set(
        connection.execute(sa.select(_table.c.issue).where(mine, _table.c.issue.is_not(None))).scalars()
    )
    # A comment that stands keeps its place; only the edit is forgotten.
    kept = connection.execute(
        sa.update(_table).where(mine, _table.c.answer.is_not(None)).values(state="sent", payload_hash="")
    )
    gone = connection.execute(sa.delete(_table).where(mine))
    cases.make_due(connection, sorted(issues))
    release_waiting(connection, sorted(issues), time.time())
    return int(kept.rowcount + gone.rowcount)


PUBLIC = ("github", "notion", "api")
"""Targets at which more people read than those who may know of a security report."""


def replies(connection: Connection, refs: Sequence[str]) -> dict[str, str]:
    """The answers to people's commands that wait to be written on these issues."""
    query = sa.select(_table.c.issue, _table.c.payload).where(
        _table.c.issue.in_(refs), _table.c.operation == "write_comment", _table.c.state == "pending"
    )
    return {row.issue: str(row.payload.get("reply", "")) for row in connection.execute(query)}


def withdraw(connection: Connection, refs: Sequence[str], wished: Set[str]) -> None:
    """Take back what waits for public places about these issues, save what is `wished` for now (by key).

    A reaction to a comment stays: it says nothing of the issue.
    An issue that turned out to be a security report is spoken of there no more. What may have arrived, or was refused,
    is given up for good: nobody shall send it again.
    """
    mine = sa.and_(
        _table.c.issue.in_(refs),
        _table.c.target.in_(PUBLIC),
        _table.c.key.not_in(sorted(wished)),
        _table.c.state.in_(("pending", "dead")),
        _table.c.operation != "react",
    )
    begun = sa.or_(_table.c.maybe_sent_at.is_not(None), _table.c.state == "dead")
    stands = _table.c.answer.is_not(None)
    # A comment that stands keeps its place; only the edit is forgotten.
    connection.execute(sa.update(_table).where(mine, stands).values(state="sent", payload_hash=""))
    connection.execute(sa.update(_table).where(mine, begun).values(state="dropped"))
    connection.execute(sa.delete(_table).where(mine))
    release_waiting(connection, refs, time.time())


def unblock(connection: Connection) -> None:
    """What waits for a breaker is due now: a person knows that the service is back."""
    names = sa.select(_lanes.c.name).where(_lanes.c.blocked_kind == "breaker")
    connection.execute(
        sa.update(_table)
        .where(_table.c.state == "pending", _table.c.lane.in_(names), _table.c.next_attempt_at != WAITING)
        .values(next_attempt_at=time.time())
    )
    connection.execute(
        sa.update(_lanes)
        .where(_lanes.c.blocked_kind == "breaker")
        .values(blocked_until=None, blocked_kind=None, blocked_reason=None)
    )

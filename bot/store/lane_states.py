"""Lanes as the database knows them: what waits in each, who works it, and what holds it up."""

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.store.outbox import WAITING
from models.tables import CommandRow, LaneRow

_table: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]
_lanes: sa.Table = LaneRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class LaneState:
    """What waits in a lane and what holds it up."""

    name: str
    pending: int
    next_at: float
    blocked_until: float | None = None
    blocked_kind: str | None = None
    blocked_reason: str | None = None
    last_error: str | None = None
    """What one of the waiting commands last met."""
    tried: bool = True
    """Some of it was tried already."""

    def is_later(self, now: float) -> bool:
        """Is all of it only meant for a later time, as messages are in a team's quiet hours?"""
        held = self.tried or self.blocked_kind is not None or self.last_error is not None
        return not held and now < self.next_at < WAITING

    @property
    def ready_at(self) -> float:
        """When something of it may go. A spent budget for content holds up only what creates content."""
        return (
            self.next_at if self.blocked_kind == "content" else max(self.next_at, self.blocked_until or 0.0)
        )


def waiting(connection: Connection, run_id: str | None = None) -> list[LaneState]:
    """Lanes in which something waits (of one run, or at all)."""
    query = sa.select(
        _table.c.lane,
        sa.func.count(),
        sa.func.min(_table.c.next_attempt_at),
        sa.func.max(_table.c.last_error),
        sa.func.max(_table.c.attempts),
    ).where(_table.c.state == "pending")
    if run_id is not None:
        query = query.where(_table.c.run_id == run_id)
    found = connection.execute(query.group_by(_table.c.lane)).all()
    blocked = {row.name: row for row in connection.execute(sa.select(_lanes))}
    states = []
    for lane, count, next_at, error, attempts in found:
        row = blocked.get(lane)
        states.append(
            LaneState(
                lane,
                count,
                next_at,
                row.blocked_until if row else None,
                row.blocked_kind if row else None,
                row.blocked_reason if row else None,
                error,
                attempts > 0,
            )
        )
    return states


def block(
    connection: Connection, lane: str, until: float | None, kind: str | None, reason: str | None
) -> None:
    """Note that a lane stands still (or, with None, that it goes again)."""
    connection.execute(
        sa.update(_lanes)
        .where(_lanes.c.name == lane)
        .values(blocked_until=until, blocked_kind=kind, blocked_reason=reason)
    )


def postpone(connection: Connection, lane: str, until: float, reason: str) -> None:
    """Nothing of a lane that stands still is due before `until`; each command says why it waits."""
    connection.execute(
        sa.update(_table)
        .where(_table.c.state == "pending", _table.c.lane == lane, _table.c.next_attempt_at < until)
        .values(next_attempt_at=until, last_error=sa.func.coalesce(_table.c.last_error, reason))
    )


def latest_stamp(connection: Connection) -> float:
    """The latest time at which something that still waits was stored or sent; 0 where nothing waits."""
    stamps = (sa.func.max(_table.c.created_at), sa.func.max(_table.c.maybe_sent_at))
    row = connection.execute(sa.select(*stamps).where(_table.c.state == "pending")).one()
    return max(stamp or 0.0 for stamp in row)


def set_back(connection: Connection, by: float, now: float) -> None:
    """The clock went back by so many seconds: what waits for a time of the old one comes so much earlier."""
    due, until = _table.c.next_attempt_at, _lanes.c.blocked_until
    pending = _table.c.state == "pending"
    connection.execute(sa.update(_table).where(pending, due > now, due != WAITING).values({due: due - by}))
    for stamp in (_table.c.created_at, _table.c.maybe_sent_at):
        connection.execute(sa.update(_table).where(pending, stamp > now).values({stamp: now}))
    connection.execute(sa.update(_lanes).where(until > now).values({until: until - by}))


def acquire(connection: Connection, lane: str, me: str, alive: Iterable[str]) -> int | None:
    """Become the one process that works this lane; a dead holder's place is taken.

    Returns the token of this tenure, which `holds` asks for; None where another process works the lane.
    """
    if connection.execute(sa.select(_lanes.c.name).where(_lanes.c.name == lane)).first() is None:
        connection.execute(sa.insert(_lanes).values(name=lane, holder=me, token=1))
        return 1
    taken = connection.execute(
        sa.update(_lanes)
        .where(
            _lanes.c.name == lane,
            sa.or_(_lanes.c.holder.is_(None), _lanes.c.holder == me, _lanes.c.holder.not_in(list(alive))),
        )
        .values(holder=me, token=_lanes.c.token + 1)
        .returning(_lanes.c.token)
    )
    return taken.scalar()


def holds(connection: Connection, lane: str, token: int) -> bool:
    """Is the lane still that of this tenure? Nobody can take it before the transaction ends."""
    mine = sa.select(_lanes.c.name).where(_lanes.c.name == lane, _lanes.c.token == token)
    return connection.execute(mine.with_for_update(read=True)).first() is not None


def release(connection: Connection, lane: str, token: int) -> None:
    connection.execute(
        sa.update(_lanes).where(_lanes.c.name == lane, _lanes.c.token == token).values(holder=None)
    )

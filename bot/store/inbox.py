"""The inbox: deliveries as they came, before anything is made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.tables import InboxRow

_table: sa.Table = InboxRow.__table__  # type: ignore[attr-defined]

KEPT = 14 * 86_400.0
"""Seconds for which a handled delivery is known again; GitHub redelivers for three days at most."""
AT_ONCE = 16 * 1024 * 1024
"""Characters of payloads that are read together; one may be larger alone."""
_COLUMNS = (
    "id",
    "event",
    "action",
    "issue",
    "body_hash",
    "received_at",
    "state",
    "payload",
    "sender",
    "note",
)
_PER_STATEMENT = 90
"""Rows of one INSERT; ten values each, and SQLite takes at least 999 of older builds."""


@dataclass(frozen=True, slots=True)
class Received:
    """A delivery to store; `state` is pending, or ignored where nothing will be made of it."""

    id: str
    event: str
    action: str
    issue: str | None
    body_hash: str
    received_at: float
    state: str
    payload: str
    sender: str = ""


def store(connection: Connection, rows: Sequence[Received]) -> set[str]:
    """Store what is new, and return the ids of that; a repeat, by its id or its very body, is not stored again."""
    hashes = [row.body_hash for row in rows]
    known = set(
        connection.execute(sa.select(_table.c.body_hash).where(_table.c.body_hash.in_(hashes))).scalars()
    )
    fresh: dict[str, Received] = {}
    for row in rows:
        if row.body_hash not in known:
            known.add(row.body_hash)
            fresh.setdefault(row.id, row)
    new: set[str] = set()
    wanted = list(fresh.values())
    # Built by hand: at a thousand deliveries a second the statement's construction would cost the most.
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    one = f"({','.join([mark] * len(_COLUMNS))})"
    for start in range(0, len(wanted), _PER_STATEMENT):
        part = wanted[start : start + _PER_STATEMENT]
        statement = (
            f"INSERT INTO inbox ({','.join(_COLUMNS)}) VALUES {','.join([one] * len(part))} "  # noqa: S608
            "ON CONFLICT DO NOTHING RETURNING id"
        )
        values = tuple(value for row in part for value in _values(row))
        new |= set(connection.exec_driver_sql(statement, values).scalars())
    return new


def _values(row: Received) -> tuple[Any, ...]:
    return (
        row.id,
        row.event,
        row.action,
        row.issue,
        row.body_hash,
        row.received_at,
        row.state,
        row.payload,
        row.sender,
        "",
    )


def known(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Those of these ids that are stored."""
    return set(connection.execute(sa.select(_table.c.id).where(_table.c.id.in_(ids))).scalars())


COMMAND = "comment_command"
"""What a comment becomes that holds a person's command."""
SLOW = ("push", "pull_request", COMMAND)
"""Events of which something is made only after GitHub was asked; they hold up no others."""


def _open(source: str, *, slow: bool) -> sa.ColumnElement[bool]:
    kinds = _table.c.event.in_(SLOW) if slow else _table.c.event.not_in(SLOW)
    return sa.and_(_table.c.state == "pending", _table.c.id.startswith(f"{source}:"), kinds)


def waiting(
    connection: Connection, source: str, limit: int, *, slow: bool = False, only: str | None = None
) -> list[Any]:
    """A service's deliveries that nothing was made of yet, the oldest first.

    Fewer than `limit` where their payloads are large: all of them are in memory at once.
    """
    order = (_table.c.received_at, _table.c.id)
    sizes = sa.select(_table.c.id, sa.func.length(_table.c.payload)).where(_open(source, slow=slow))
    if only is not None:
        sizes = sizes.where(_table.c.id == only)
    ids: list[str] = []
    total = 0
    for key, size in connection.execute(sizes.order_by(*order).limit(limit)):
        total += size
        if ids and total > AT_ONCE:
            break
        ids.append(key)
    query = sa.select(_table).where(_table.c.id.in_(ids), _open(source, slow=slow)).order_by(*order)
    # Not locked: one transaction writes at a time, and those that only read may not lock.
    return list(connection.execute(query))


def is_waiting(connection: Connection, source: str, *, slow: bool = False) -> bool:
    """Is there anything of this service to do? Cheaper than taking the write lock to find out."""
    query = sa.select(_table.c.id).where(_open(source, slow=slow)).limit(1)
    return connection.execute(query).first() is not None


def settle(connection: Connection, notes: Mapping[str, str]) -> None:
    """These were handled, and what was made of each; their payloads are not kept."""
    alike: dict[str, list[str]] = {}
    for key, note in notes.items():
        alike.setdefault(note[:200], []).append(key)
    # Many have the same note; one statement does for all of them.
    for note, keys in alike.items():
        for start in range(0, len(keys), _PER_STATEMENT):
            chosen = _table.c.id.in_(keys[start : start + _PER_STATEMENT])
            connection.execute(sa.update(_table).where(chosen).values(state="done", payload="", note=note))


def defer(connection: Connection, ids: Sequence[str]) -> None:
    """These comments are people's commands: GitHub is asked first what those people may."""
    if ids:
        connection.execute(sa.update(_table).where(_table.c.id.in_(ids)).values(event=COMMAND))


def prune(connection: Connection, now: float) -> int:
    """Forget handled deliveries that nobody repeats any more."""
    old = sa.delete(_table).where(_table.c.state != "pending", _table.c.received_at < now - KEPT)
    return int(connection.execute(old).rowcount)


def depth(connection: Connection) -> tuple[int, float | None]:
    """How many deliveries wait, and when the oldest of them came."""
    row = connection.execute(
        sa.select(sa.func.count(), sa.func.min(_table.c.received_at)).where(_table.c.state == "pending")
    ).one()
    return int(row[0]), row[1]

"""What each process has sent with a credential, so that all of them together keep its limits."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from integrations.base import Kind
from models.tables import SpendingRow

KEPT = 3_700.0
"""Seconds; no limit has a longer window than an hour."""

_table: sa.Table = SpendingRow.__table__  # type: ignore[attr-defined]


def add(
    connection: Connection, me: str, spent: Mapping[str, Mapping[tuple[Kind, int], int]], now: float
) -> None:
    """Note requests by service, kind and second; forget what no limit looks back to."""
    rows = [
        {"owner": me, "service": service, "kind": kind, "at": float(second), "count": count}
        for service, counts in spent.items()
        for (kind, second), count in sorted(counts.items())
    ]
    connection.execute(sa.delete(_table).where(_table.c.at < now - KEPT))
    connection.execute(sa.insert(_table), rows)


def others(connection: Connection, me: str, after: int) -> tuple[list[Any], int]:
    """What other processes have noted since that note, and the last note there is."""
    query = sa.select(_table).where(_table.c.id > after).order_by(_table.c.id)
    rows = connection.execute(query).all()
    return [row for row in rows if row.owner != me], rows[-1].id if rows else after

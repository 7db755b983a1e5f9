"""The state of each service's circuit breaker, kept over restarts."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.tables import BreakerRow

_table: sa.Table = BreakerRow.__table__  # type: ignore[attr-defined]


class BreakerState(NamedTuple):
    """A service's breaker as it was stored last."""

    service: str
    state: str
    opened_at: float | None
    """Epoch seconds."""


def states(connection: Connection) -> list[BreakerState]:
    """All stored breakers."""
    rows = connection.execute(sa.select(_table.c.service, _table.c.state, _table.c.opened_at))
    return [BreakerState(row.service, row.state, row.opened_at) for row in rows]


def save(connection: Connection, service: str, state: str, opened_at: float | None) -> None:
    """Store the state of a service's breaker; `opened_at` in epoch seconds."""
    values = {"state": state, "opened_at": opened_at}
    query = sa.update(_table).where(_table.c.service == service).values(**values)
    if connection.execute(query).rowcount == 0:
        connection.execute(sa.insert(_table).values(service=service, **values))

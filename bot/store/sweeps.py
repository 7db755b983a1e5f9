"""How far each source of missed deliveries was read."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.tables import SweepRow

_table: sa.Table = SweepRow.__table__  # type: ignore[attr-defined]


def since(connection: Connection, name: str) -> float | None:
    """Up to when a source was read (epoch seconds, the service's clock); None where it never was."""
    found: float | None = connection.execute(sa.select(_table.c.since).where(_table.c.name == name)).scalar()
    return found


def save(connection: Connection, name: str, since: float) -> None:
    """Store up to when a source was read (epoch seconds, the service's clock)."""
    updated = connection.execute(sa.update(_table).where(_table.c.name == name).values(since=since))
    if updated.rowcount == 0:
        connection.execute(sa.insert(_table).values(name=name, since=since))

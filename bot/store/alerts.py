"""Open alerts: those that were sent and are not over."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.tables import AlertRow

_table: sa.Table = AlertRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert that is not over; `since` is in epoch seconds."""

    name: str
    since: float
    detail: str


def all_open(connection: Connection) -> list[OpenAlert]:
    """The alerts that are not over, the oldest first."""
    rows = connection.execute(sa.select(_table).order_by(_table.c.since))
    return [OpenAlert(row.name, row.since, row.detail) for row in rows]


def add(connection: Connection, alert: OpenAlert) -> None:
    """Store a new alert; StoreConflict where there is one of that name."""
    values = {"name": alert.name, "since": alert.since, "detail": alert.detail}
    connection.execute(sa.insert(_table).values(values))


def rename(connection: Connection, name: str, new: str) -> None:
    """Give an alert another name."""
    connection.execute(sa.update(_table).where(_table.c.name == name).values(name=new))


def remove(connection: Connection, name: str) -> None:
    """An alert is over."""
    connection.execute(sa.delete(_table).where(_table.c.name == name))

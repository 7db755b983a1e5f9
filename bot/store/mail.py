"""What the digests of a day or a week are made of: the runs that ended in it, and when the last one was sent."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.tables import CommandRow, RunRow

_commands: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]
_runs: sa.Table = RunRow.__table__  # type: ignore[attr-defined]


def ended(connection: Connection, since: float, until: float) -> Sequence[Any]:
    """Runs that ended in this time (epoch seconds), the oldest first; not those that a person cancelled."""
    query = sa.select(_runs).where(
        _runs.c.finished_at > since, _runs.c.finished_at <= until, _runs.c.status.in_(("done", "failed"))
    )
    return connection.execute(query.order_by(_runs.c.finished_at)).all()


def last(connection: Connection, run_id: str, address: str) -> float | None:
    """When the last of these mails to this address was stored (epoch seconds)."""
    query = sa.select(sa.func.max(_commands.c.created_at)).where(
        _commands.c.run_id == run_id,
        _commands.c.key.startswith("mail:"),
        _commands.c.key.endswith(f":{address}", autoescape=True),
    )
    found = connection.execute(query).scalar()
    return float(found) if found is not None else None

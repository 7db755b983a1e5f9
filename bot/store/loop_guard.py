"""Issues on which the bot answers no more bots for a while, because they answered one another."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.tables import QuietRow

_table: sa.Table = QuietRow.__table__  # type: ignore[attr-defined]


def suppressed(connection: Connection, issues: Iterable[str], now: float) -> set[str]:
    """Those of these issues on which no bot is answered now (epoch seconds)."""
    query = sa.select(_table.c.issue).where(_table.c.issue.in_(list(issues)), _table.c.until > now)
    return set(connection.execute(query).scalars())


def suppress(connection: Connection, issue: str, sender: str, now: float, until: float) -> None:
    """Answer no bot on this issue until then (epoch seconds); replaces what was stored for it."""
    connection.execute(sa.delete(_table).where(_table.c.issue == issue))
    connection.execute(sa.insert(_table).values(issue=issue, since=now, until=until, sender=sender))


def prune(connection: Connection, now: float) -> None:
    """Delete what ended before now (epoch seconds)."""
    connection.execute(sa.delete(_table).where(_table.c.until < now))

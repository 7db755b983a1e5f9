"""Stored commands as others read them: what one asked for, and what became of those of a run."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.tables import CommandRow

_table: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]


class Delivery(NamedTuple):
    """How far a command about an issue is."""

    issue: str
    target: str
    operation: str
    state: str
    """pending, sent or dead"""
    existing: bool
    """What it asked for was there already."""


def payload(connection: Connection, key: str) -> Mapping[str, Any]:
    """What a command asked for last; empty where there is no such command."""
    return connection.execute(sa.select(_table.c.payload).where(_table.c.key == key)).scalar() or {}


def answer(connection: Connection, key: str) -> Mapping[str, Any]:
    """What the service answered to a command; empty where it has not, or where there is no such command."""
    return connection.execute(sa.select(_table.c.answer).where(_table.c.key == key)).scalar() or {}


def deliveries(connection: Connection, run_id: str) -> Iterator[Delivery]:
    """A run's commands to GitHub and Shortcut that are about issues, less those that a person gave up."""
    existing = sa.func.coalesce(_table.c.answer["existing"].as_boolean(), sa.false())
    query = (
        sa.select(_table.c.issue, _table.c.target, _table.c.operation, _table.c.state, existing)
        .where(_table.c.run_id == run_id, _table.c.issue.is_not(None))
        .where(_table.c.target.in_(("shortcut", "github")), _table.c.state != "dropped")
    )
    with connection.execute(query) as rows:
        for row in rows:
            yield Delivery(*row)


def dead_payloads(connection: Connection, target: str, error: str) -> list[Mapping[str, Any]]:
    """What a service's dead letters asked for whose last error contains these words."""
    query = sa.select(_table.c.payload).where(
        _table.c.state == "dead",
        _table.c.target == target,
        _table.c.last_error.contains(error, autoescape=True),
    )
    return list(connection.execute(query).scalars())

"""Cases as others read them: one by its issue, those that were stored lately, those of a run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.tables import CaseRow, CommandRow

_cases: sa.Table = CaseRow.__table__  # type: ignore[attr-defined]
_commands: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A case as it was decided last."""

    key: str
    status: str
    route: str
    error: str
    detail: Mapping[str, Any]


def find(connection: Connection, ref: str, *, lock: bool) -> StoredCase | None:
    """The case of an issue, whose name may be written in any case; locked until the transaction ends if wished."""
    columns = [_cases.c[name] for name in StoredCase.__dataclass_fields__]
    for where in (_cases.c.key == ref, sa.func.lower(_cases.c.key) == ref.lower()):
        query = sa.select(*columns).where(where).limit(1)
        row = connection.execute(query.with_for_update() if lock else query).one_or_none()
        if row is not None:
            return StoredCase(*row)
    return None


def stored_since(connection: Connection, at: float) -> list[str]:
    """The issues of cases that were stored then (epoch seconds) or later."""
    return list(connection.execute(sa.select(_cases.c.key).where(_cases.c.updated_at >= at)).scalars())


def last_stored_at(connection: Connection) -> float:
    """When a case was stored last (epoch seconds); 0 where there is none."""
    return connection.execute(sa.select(sa.func.max(_cases.c.updated_at))).scalar() or 0.0


class Routed(NamedTuple):
    """Where a case goes."""

    ref: str
    status: str
    route: str


def routes(connection: Connection, run_id: str) -> Iterator[Routed]:
    """Where the run's cases go, in no order."""
    query = sa.select(_cases.c.key, _cases.c.status, _cases.c.route).where(_cases.c.run_id == run_id)
    with connection.execute(query) as rows:
        for row in rows:
            yield Routed(*row)


class WithStory(NamedTuple):
    """A case with the story that was asked for."""

    ref: str
    url: str
    detail: Mapping[str, Any]
    story: Mapping[str, Any]
    """The payload of the command that makes it."""


def with_stories(connection: Connection, run_id: str, route: str, limit: int) -> list[WithStory]:
    """The run's cases on this route for which a story was asked, the most urgent first."""
    query = (
        sa.select(_cases.c.key, _cases.c.url, _cases.c.detail, _commands.c.payload)
        .join(_commands, _commands.c.key == sa.literal("story:") + _cases.c.key)
        .where(_cases.c.run_id == run_id, _cases.c.route == route, _cases.c.status == "triaged")
        .order_by(_cases.c.urgency.desc(), _cases.c.key)
        .limit(limit)
    )
    return [WithStory(*row) for row in connection.execute(query)]

"""The repositories that the GitHub App may see, a row for each.

While an installation is suspended, its rows have its number negated.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.tables import InstalledRow

_table: sa.Table = InstalledRow.__table__  # type: ignore[attr-defined]

_PART = 500


def numbers(connection: Connection) -> dict[str, int]:
    """Installation numbers by repository, as GitHub writes its name; negative while suspended."""
    rows = connection.execute(sa.select(_table.c.repo, _table.c.installation_id))
    return {row.repo: row.installation_id for row in rows}


def number_of(connection: Connection, name: str) -> int | None:
    """The installation of a repository, its name in any case; negative while suspended."""
    query = sa.select(_table.c.installation_id).where(sa.func.lower(_table.c.repo) == name.lower())
    row = connection.execute(query).first()
    return row.installation_id if row is not None else None


def repositories_of(connection: Connection, number: int) -> list[str]:
    """The repositories of an installation."""
    query = sa.select(_table.c.repo).where(_table.c.installation_id == number)
    return list(connection.execute(query).scalars())


def add(connection: Connection, found: Mapping[str, int], now: float) -> None:
    """Store numbers by repository, replacing names that differ only in case; unchanged rows keep their time."""
    stored: dict[str, Any] = {}
    for part in _parts(found):
        lower = [name.lower() for name in part]
        query = sa.select(_table).where(sa.func.lower(_table.c.repo).in_(lower))
        stored |= {row.repo.lower(): row for row in connection.execute(query)}
    fresh = {
        name: number
        for name, number in {name.lower(): (name, number) for name, number in found.items()}.values()
        if (row := stored.get(name.lower())) is None or (row.repo, row.installation_id) != (name, number)
    }
    drop(connection, fresh)
    for part in _parts(fresh):
        rows = [{"repo": name, "installation_id": fresh[name], "since": now} for name in part]
        connection.execute(sa.insert(_table), rows)


def drop(connection: Connection, names: Iterable[str]) -> None:
    """Delete these repositories, their names in any case."""
    for part in _parts(names):
        lower = [name.lower() for name in part]
        connection.execute(sa.delete(_table).where(sa.func.lower(_table.c.repo).in_(lower)))


def clear(connection: Connection) -> None:
    """Delete all repositories; writes nothing where there are none."""
    if connection.execute(sa.select(_table.c.repo).limit(1)).first() is not None:
        connection.execute(sa.delete(_table))


def remove(connection: Connection, number: int) -> int:
    """Delete the repositories of an installation, suspended or not; returns how many."""
    mine = sa.delete(_table).where(_table.c.installation_id.in_((number, -number)))
    return int(connection.execute(mine).rowcount)


def suspend(connection: Connection, number: int) -> None:
    """Stop serving the repositories of an installation."""
    _renumber(connection, number, -number)


def resume(connection: Connection, number: int) -> None:
    """Serve the repositories of a suspended installation again."""
    _renumber(connection, -number, number)


def _renumber(connection: Connection, before: int, after: int) -> None:
    rows = sa.update(_table).where(_table.c.installation_id == before)
    connection.execute(rows.values(installation_id=after))


def _parts(names: Iterable[str]) -> Iterable[list[str]]:
    every = list(names)
    return (every[start : start + _PART] for start in range(0, len(every), _PART))

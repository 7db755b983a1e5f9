"""Repositories' own configurations: kept as they were read last, and laid over the operator's."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.store.database import StoreConflict
from config.repository import FILE, ChannelsSection, RepositorySettings, restored
from models.case import Route
from models.tables import RepositoryConfigRow
from nodes.base import Policy, Rule

_table: sa.Table = RepositoryConfigRow.__table__  # type: ignore[attr-defined]


class LastRead(NamedTuple):
    """When a repository's file was read last, and what was wrong with it then."""

    at: float
    """Epoch seconds."""
    problem: str
    """Empty where the file was good."""


def off(connection: Connection) -> frozenset[str]:
    """Repositories, in lower case, that switched the bot off."""
    enabled = sa.func.coalesce(_table.c.data["enabled"].as_boolean(), sa.true())
    return frozenset(connection.execute(sa.select(_table.c.repo).where(enabled == sa.false())).scalars())


def off_words(repo: str) -> str:
    """What people read of a repository that switched the bot off."""
    return f"{repo} is off: {FILE} says enabled: false"


def policies(connection: Connection, repos: Iterable[str], base: Policy) -> dict[str, Policy]:
    """The policy of each of these repositories whose own configuration makes it another than `base`."""
    names = {repo: repo.lower() for repo in repos}
    rows = connection.execute(
        sa.select(_table.c.repo, _table.c.data).where(_table.c.repo.in_(set(names.values())))
    )
    own = {row.repo: overlay(base, restored(row.data)) for row in rows if row.data}
    return {repo: own[key] for repo, key in names.items() if own.get(key, base) != base}


def overlay(base: Policy, own: RepositorySettings) -> Policy:
    """The operator's policy with the repository's laid over it; what the operator forbids stays forbidden."""
    routes: dict[Route, Any] = {name: getattr(own.routes, name) for name in type(own.routes).model_fields}  # type: ignore[misc]
    labels = {str(name): route.label for name, route in routes.items() if route.label}
    rules = tuple(Rule(**rule.model_dump(), by="repository") for rule in own.rules)
    return replace(
        base,
        comment="never" if base.comment == "never" else own.comment or base.comment,
        needs_human=own.needs_human or base.needs_human,
        route_labels={**base.route_labels, **labels} if labels else base.route_labels,
        rules=(*base.rules, *rules),
        closed_routes=frozenset(name for name, route in routes.items() if not route.enabled),
    )


def channels(connection: Connection) -> dict[str, ChannelsSection]:
    """The Slack channels of repositories, in lower case, that name some of their own."""
    rows = connection.execute(sa.select(_table.c.repo, _table.c.data))
    named = {row.repo: restored(row.data).channels for row in rows if row.data.get("channels")}
    return {repo: own for repo, own in named.items() if own.digest or own.security}


def problems(connection: Connection, repos: Iterable[str] | None = None) -> list[str]:
    """What is wrong with the files of these repositories, or of all, and what holds meanwhile."""
    names = None if repos is None else {repo.lower(): repo for repo in repos}
    rows = connection.execute(sa.select(_table).where(_table.c.problem != "").order_by(_table.c.repo))
    return [
        f"{names[row.repo] if names else row.repo}: {row.problem}; until it is mended "
        f"{'the last good one holds' if row.data else 'the operator’s configuration holds alone'}"
        for row in rows
        if names is None or row.repo in names
    ]


def standing(connection: Connection) -> list[dict[str, Any]]:
    """Each repository that has such a file: whether it is on, what is wrong, and when it was read (epoch)."""
    rows = connection.execute(sa.select(_table).where(_table.c.sha != "").order_by(_table.c.repo))
    return [
        {
            "repository": row.repo,
            "enabled": row.data.get("enabled") is not False,
            "problem": row.problem or None,
            "read_at": row.read_at,
        }
        for row in rows
    ]


def last_read(connection: Connection, repo: str) -> LastRead | None:
    """The last reading of a repository's file; None where there was none."""
    query = sa.select(_table.c.read_at, _table.c.problem).where(_table.c.repo == repo.lower())
    row = connection.execute(query).one_or_none()
    return LastRead(row.read_at, row.problem) if row is not None else None


def save(
    connection: Connection, repo: str, own: RepositorySettings | None, *, sha: str, problem: str, now: float
) -> None:
    """Store a reading of a repository's file (epoch seconds); with None the last good settings stay."""
    values: dict[str, Any] = {"sha": sha, "problem": problem, "read_at": now}
    if own is not None:
        values["data"] = own.model_dump(mode="json", exclude_unset=True)
    change = sa.update(_table).where(_table.c.repo == repo.lower()).values(**values)
    if connection.execute(change).rowcount:
        return
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(_table).values(repo=repo.lower(), **{"data": {}, **values}))
    except StoreConflict:
        # Another process read it in the same moment.
        connection.execute(change)

"""Each repository's own configuration as it was last read: the good one, and what is wrong with the file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from config.repository import ChannelsSection, RepositorySettings, overlay, restored
from integrations.webhook.commands import hook_id
from models.tables import RepositoryConfigRow
from nodes.base import Policy

_table: sa.Table = RepositoryConfigRow.__table__  # type: ignore[attr-defined]

MOST_HOOKS = 5
"""Of one repository; a file that names more is cut off here."""


def off(connection: Connection) -> frozenset[str]:
    """Repositories, in lower case, that switched the bot off."""
    enabled = sa.func.coalesce(_table.c.data["enabled"].as_boolean(), sa.true())
    return frozenset(connection.execute(sa.select(_table.c.repo).where(enabled == sa.false())).scalars())


def policies(connection: Connection, repos: Iterable[str], base: Policy) -> dict[str, Policy]:
    """The policy of each of these repositories whose own configuration makes it another than `base`."""
    names = {repo: repo.lower() for repo in repos}
    rows = connection.execute(
        sa.select(_table.c.repo, _table.c.data).where(_table.c.repo.in_(set(names.values())))
    )
    own = {row.repo: overlay(base, restored(row.data)) for row in rows if row.data}
    return {repo: own[key] for repo, key in names.items() if own.get(key, base) != base}


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


def get(connection: Connection, repo: str) -> Any:
    """What is kept of one repository; None where its file was never read."""
    return connection.execute(sa.select(_table).where(_table.c.repo == repo.lower())).one_or_none()


def save(
    connection: Connection,
    repo: str,
    settings: RepositorySettings | None,
    *,
    sha: str,
    problem: str,
    now: float,
) -> None:
    """Keep what a reading found; without `settings` the last good ones stay."""
    values: dict[str, Any] = {"sha": sha, "problem": problem, "read_at": now}
    if settings is not None:
        values["data"] = settings.model_dump(mode="json", exclude_unset=True)
    change = sa.update(_table).where(_table.c.repo == repo.lower()).values(**values)
    if connection.execute(change).rowcount:
        return
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(_table).values(repo=repo.lower(), **{"data": {}, **values}))
    except sa.exc.IntegrityError:
        # Another process read it in the same moment.
        connection.execute(change)


@dataclass(frozen=True, slots=True)
class Hook:
    """One address that a repository's own configuration names."""

    repo: str
    """In lower case."""
    url: str
    id: str


def hooks(connection: Connection, repos: Iterable[str] | None = None) -> list[Hook]:
    """The hooks of these repositories, or of all."""
    query = sa.select(_table.c.repo, _table.c.data, _table.c.sha).order_by(_table.c.repo)
    if repos is not None:
        query = query.where(_table.c.repo.in_([repo.lower() for repo in repos]))
    return [
        Hook(row.repo, url, hook_id(row.repo, url, row.sha))
        for row in connection.execute(query)
        for url in _urls(row.data)
    ]


def _urls(data: Mapping[str, Any]) -> list[str]:
    """The file was checked when it was read; an older version of the bot may have checked it otherwise."""
    entries = data.get("webhooks")
    urls = [entry.get("url") for entry in entries if isinstance(entry, Mapping)] if entries else []
    return list(dict.fromkeys(url for url in urls if isinstance(url, str)))[:MOST_HOOKS]

"""Which repositories the GitHub App may see, as its installations change.

The table has a row for each. While an installation is suspended its rows have its number negated: they are not
served, and are there again at once when it is resumed, for GitHub does not list them then.
"""

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Any

import structlog

from bot.app.app import App
from bot.store import installations
from bot.store.database import Transaction, brief
from integrations.github.client import apps as client_apps
from models.errors import SwitchyardError, Unauthorized

log = structlog.get_logger()

PATIENCE = 15.0
"""Seconds that a start waits for GitHub to tell the installations."""
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")


async def refresh(app: App) -> None:
    """Bring the table in line with what GitHub says now; raises what GitHub's client raises."""
    if not app.github.connections.is_app:
        # A token has no installations; what an App saw before is not served.
        await app.database.run(installations.clear)
        return
    found: dict[str, int] = {}
    kept: set[int] = set()
    suspended: set[int] = set()
    for installation in await client_apps.installations(app.github):
        try:
            if installation.suspended:
                raise Unauthorized(f"github: the App is suspended for {installation.owner}")
            for name in await client_apps.repositories(app.github, installation):
                if _NAME.fullmatch(name):
                    found[name] = installation.id
        except Unauthorized as error:
            # Suspended, or taken off a moment ago: the others' repositories are served all the same.
            log.warning("an installation cannot be read", owner=installation.owner, reason=str(error))
            (suspended if installation.suspended else kept).add(installation.id)
    await app.database.run(lambda c: _bring_in_line(c, found, kept, suspended, time.time()))


async def look(app: App) -> None:
    """What is called at a start and by the scheduler: where GitHub fails, the table is used as it stands."""
    try:
        async with asyncio.timeout(PATIENCE):
            await refresh(app)
    except TimeoutError:
        log.warning("installations were not read in time; going on with those known")
    except SwitchyardError as error:
        log.warning("installations cannot be read; going on with those known", reason=str(error))
    except Exception as error:
        log.error("installations could not be brought in line", error=brief(error))


def _bring_in_line(
    connection: Transaction, found: Mapping[str, int], kept: set[int], suspended: set[int], now: float
) -> None:
    """Make the table hold what was found; rows of installations that are `kept` or `suspended` stay."""
    stored = installations.numbers(connection)
    gone = [
        repo
        for repo, number in stored.items()
        if found.get(repo) != number and abs(number) not in kept | suspended
    ]
    installations.drop(connection, gone)
    for number in suspended:
        installations.suspend(connection, number)
    installations.add(connection, found, now)
    if gone or len(found) > len(stored) - len(gone):
        log.info("repositories changed", served=len(found), gone=len(gone))


def apply(connection: Transaction, event: str, action: str, payload: Mapping[str, Any], now: float) -> str:
    """Bring the table in line with an event about installations; returns what was made of it."""
    installation = payload.get("installation")
    number = installation.get("id") if isinstance(installation, Mapping) else None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 2**62:
        number = None
    if event == "repository":
        return _repository(connection, action, payload, number, now)
    if number is None:
        return f"{event} {action}: it names no installation"
    if event == "installation":
        return _installation(connection, action, payload, number, now)
    if event == "installation_repositories":
        removed = _names(payload.get("repositories_removed"))
        added = _names(payload.get("repositories_added"))
        installations.drop(connection, removed)
        installations.add(connection, dict.fromkeys(added, number), now)
        return f"{len(added)} repositories added, {len(removed)} removed"
    return f"{event} {action}: nothing to do"


def _installation(
    connection: Transaction, action: str, payload: Mapping[str, Any], number: int, now: float
) -> str:
    if action in ("created", "unsuspend"):
        names = _names(payload.get("repositories"))
        installations.resume(connection, number)
        installations.add(connection, dict.fromkeys(names, number), now)
        return f"installed, {len(names)} repositories named" if action == "created" else "resumed"
    if action == "suspend":
        installations.suspend(connection, number)
        return "suspended: its repositories wait"
    if action == "deleted":
        return f"uninstalled, {installations.remove(connection, number)} repositories gone"
    if action == "new_permissions_accepted":
        return "new permissions accepted"
    return f"installation {action}: nothing to do"


def _repository(
    connection: Transaction, action: str, payload: Mapping[str, Any], number: int | None, now: float
) -> str:
    names = _names([payload.get("repository")])
    if not names:
        return f"repository {action}: it names none"
    (name,) = names
    if action in ("deleted", "archived"):
        installations.drop(connection, [name])
        return f"repository {action}: not served any more"
    if action in ("created", "unarchived", "publicized", "privatized", "edited"):
        if action in ("created", "unarchived") and number is not None:
            installations.add(connection, {name: number}, now)
        return f"repository {action}"
    if action not in ("renamed", "transferred"):
        return f"repository {action}: nothing to do"
    before = _former(payload, name)
    if before is None:
        return f"repository {action}: its former name is not told"
    held = installations.number_of(connection, before)
    installations.drop(connection, [before])
    if action == "renamed":
        # A command's key keeps the name under which its issue was first seen; GitHub redirects it.
        found = held if held is not None else number
        if found is not None:
            installations.add(connection, {name: found}, now)
    elif number is not None and _covers(connection, number, name):
        installations.add(connection, {name: number}, now)
    return f"repository {action}, formerly {before}"


def _former(payload: Mapping[str, Any], name: str) -> str | None:
    """The full name that a repository had before it was renamed or transferred."""
    owner, _, short = name.partition("/")
    changes = _inside(payload, "changes")
    renamed = _inside(changes, "repository", "name").get("from")
    origin = _inside(changes, "owner", "from")
    login = next(
        (found for kind in ("user", "organization") if (found := _inside(origin, kind).get("login"))), None
    )
    if renamed is None and login is None:
        return None
    found = f"{login or owner}/{renamed or short}"
    return found if _NAME.fullmatch(found) else None


def _inside(value: Any, *path: str) -> Mapping[str, Any]:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _covers(connection: Transaction, number: int, name: str) -> bool:
    """Is this installation that of the repository's owner? An event may come from the former owner's."""
    owner = name.partition("/")[0].lower()
    names = installations.repositories_of(connection, number)
    return any(name.partition("/")[0].lower() == owner for name in names)


def _names(items: Any) -> list[str]:
    """Full names that are such; whatever else lies in the list is left out."""
    found = (
        item.get("full_name")
        for item in (items if isinstance(items, list) else ())
        if isinstance(item, Mapping)
    )
    return [name for name in dict.fromkeys(n for n in found if isinstance(n, str)) if _NAME.fullmatch(name)]

"""Roles: what people may do on the pages and by the API, and which role a GitHub account has."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import structlog

from bot.repositories import served
from bot.wiring import App
from integrations.github.client.login import permission
from models.errors import SwitchyardError

log = structlog.get_logger()

KEPT = 600.0
"""Seconds for which it is believed what GitHub said of a person."""
AGAIN = 60.0
"""Seconds after which GitHub is asked again where it did not answer."""
TIMEOUT = 8.0
MOST_REPOSITORIES = 50
"""With more of them, asking for each would cost too much: list the people instead."""
REMEMBERED = 1_000


class Role(IntEnum):
    """Each may do what those before it may: look; start, stop and mend; see who did what."""

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3

    def __str__(self) -> str:
        return self.name.lower()


_BY_PERMISSION = {
    "admin": Role.ADMIN,
    "maintain": Role.OPERATOR,
    "write": Role.OPERATOR,
    "triage": Role.OPERATOR,
    "read": Role.VIEWER,
}


class Unknown(Exception):
    """GitHub could not be asked."""


@dataclass(slots=True)
class Roles:
    """The roles of GitHub accounts: as listed in the configuration, else from what GitHub lets them do."""

    app: App
    _known: "OrderedDict[str, tuple[float, Role | None]]" = field(default_factory=OrderedDict)
    """By login, until when it is believed (monotonic time)."""

    async def of(self, login: str, before: Role | None = None) -> Role | None:
        """A person's role; None where they have none.

        With the role they had `before`, what GitHub said lately counts, and where it cannot be asked, what it said
        last. Without one it is asked in any case; Unknown where it cannot be.
        """
        name = login.casefold()
        listed = self._listed(name)
        if listed is not None or not self.app.settings.access.from_permissions:
            return listed
        until, last = self._known.get(name, (0.0, before))
        if before is not None and until > time.monotonic():
            return last
        try:
            async with asyncio.timeout(TIMEOUT):
                role, kept = await self._asked(login), KEPT
        except (SwitchyardError, TimeoutError) as error:
            log.warning("GitHub does not say what a person may do", login=login, reason=str(error))
            if before is None:
                raise Unknown(str(error) or f"no answer within {TIMEOUT:g} s") from None
            role, kept = last, AGAIN
        self._known[name] = (time.monotonic() + kept, role)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return role

    def _listed(self, name: str) -> Role | None:
        access = self.app.settings.access
        lists = (
            (Role.ADMIN, access.admins),
            (Role.OPERATOR, access.operators),
            (Role.VIEWER, access.viewers),
        )
        return next((role for role, names in lists if name in {n.casefold() for n in names}), None)

    async def _asked(self, login: str) -> Role | None:
        """The lowest that they have in any served repository: the pages show all of them.

        The highest would make everybody who installs the App on a repository of theirs an admin here.
        """
        app = self.app
        repositories: Sequence[str] = await app.database.query(lambda c: served(c, app.settings))
        if not repositories or len(repositories) > MOST_REPOSITORIES:
            return None
        lowest = Role.ADMIN
        for repo in repositories:
            role = _BY_PERMISSION.get(await permission(app.github, repo, login))
            if role is Role.VIEWER and not (await app.github.access(repo)).private:
                # Everybody may read a public repository.
                role = None
            if role is None:
                return None
            lowest = min(lowest, role)
        return lowest

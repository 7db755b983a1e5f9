"""The GitHub App side of the stand-in: one App, its installations, and their tokens that run out."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations.github.client.permissions import granted, subscribed
from integrations.github.sandbox.context import Desk
from integrations.github.sandbox.input import failure, refuse
from integrations.github.sandbox.payloads import user
from integrations.github.sandbox.state import Repository, time_text, user_id
from integrations.sandbox_faults import Answer, ControlError, Request, json_answer

APP_ID = 1001
SLUG = "switchyard-sandbox"
_SINCE = "2024-01-01T00:00:00Z"
_AGAIN = 10_000_000_000
"""What an installation's number grows by each time it is made anew."""
_KEYS = ("owner", "installed", "suspended", "repositories", "permissions", "events", "revoke")


@dataclass(slots=True)
class Installation:
    """The App in one account. `repositories` are the selected full names, None where all are."""

    owner: str
    times: int = 0
    """How often it was made anew."""
    installed: bool = True
    suspended: bool = False
    repositories: list[str] | None = None
    permissions: dict[str, str] = field(default_factory=granted)
    events: list[str] = field(default_factory=subscribed)

    @property
    def number(self) -> int:
        return user_id(self.owner) + self.times * _AGAIN

    def sees(self, full_name: str) -> bool:
        """Whether it covers a repository."""
        if full_name.partition("/")[0].lower() != self.owner.lower():
            return False
        chosen = self.repositories
        return chosen is None or full_name.lower() in {name.lower() for name in chosen}


class AppRoutes:
    """Installations and their tokens; a JSON Web Token is taken as it comes, its key is not known here."""

    def __init__(self, desk: Desk) -> None:
        self.token_seconds = 3600.0
        self._desk = desk
        self._tokens: dict[str, tuple[float, int]] = {}
        """When each runs out, and the installation's number."""
        self._kept: dict[str, Installation] = {}
        desk.add("GET", "/app", self._app)
        desk.add("GET", "/app/installations", self._list)
        desk.add("GET", "/app/installations/{installation_id}", self._get)
        desk.add("POST", "/app/installations/{installation_id}/access_tokens", self._token)
        desk.add("GET", "/repos/{owner}/{repo}/installation", self._of_repository)
        desk.add("GET", "/installation/repositories", self._visible)

    def issued(self, token: str) -> bool:
        """Whether it is an installation's token."""
        return token in self._tokens

    def allows(self, token: str, permission: str) -> bool:
        """May the token write such things? An installation's may what its account granted; others may."""
        if token not in self._tokens:
            return True
        found = self._by_number().get(self._tokens[token][1])
        return found is not None and found.permissions.get(permission) == "write"

    def refused(self, request: Request, token: str) -> Answer | None:
        """Why an installation's token does not do for a request; None where it does, or is none."""
        if token not in self._tokens:
            return None
        until, number = self._tokens[token]
        installation = self._by_number().get(number)
        if until <= time.time() or installation is None:
            return failure(401)
        if installation.suspended:
            return failure(403, "This installation has been suspended")
        parts = request.path.split("/")
        if request.method != "GET" and parts[1] == "repos" and not installation.sees("/".join(parts[2:4])):
            return failure(403, "Resource not accessible by integration")
        return None

    def control(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Change an owner's installation; ControlError where it is not understood."""
        unknown = [key for key in data if key not in _KEYS]
        owner = data.get("owner")
        if unknown or not isinstance(owner, str) or not owner:
            raise ControlError(f"an installation is an object with its owner; known: {', '.join(_KEYS)}")
        found = self._of(owner)
        for key in ("installed", "suspended", "revoke"):
            if not isinstance(data.get(key, False), bool):
                raise ControlError(f"{key} is true or false")
        chosen = data.get("repositories", "all")
        if chosen != "all" and not (isinstance(chosen, list) and all(isinstance(n, str) for n in chosen)):
            raise ControlError('repositories is "all" or a list of OWNER/NAME')
        if "installed" in data:
            found.times += data["installed"] and not found.installed
            found.installed = data["installed"]
        if "repositories" in data:
            found.repositories = None if chosen == "all" else list(chosen)
        found.suspended = data.get("suspended", found.suspended)
        found.permissions = dict(data.get("permissions", found.permissions))
        found.events = list(data.get("events", found.events))
        if data.get("revoke"):
            mine = [token for token, (_, number) in self._tokens.items() if number == found.number]
            self._tokens |= dict.fromkeys(mine, (0.0, found.number))
        return {"installation": found.number}

    def _of(self, owner: str) -> Installation:
        return self._kept.setdefault(owner.lower(), Installation(owner))

    def _by_number(self) -> dict[int, Installation]:
        """Installations by number; every owner of a repository has one unless it was taken away."""
        names = {repo.full_name.partition("/")[0] for repo in self._desk.repositories}
        found = [self._of(name) for name in sorted(names)]
        return {one.number: one for one in found if one.installed}

    def _one(self, request: Request) -> Installation:
        number = request.params["installation_id"]
        found = self._by_number().get(int(number)) if number.isdecimal() else None
        if found is None:
            raise refuse(404)
        return found

    def _app(self, request: Request) -> Answer:
        return json_answer(
            200,
            {
                "id": APP_ID,
                "slug": SLUG,
                "node_id": f"A_{APP_ID}",
                "owner": user("switchyard"),
                "name": "Switchyard Sandbox",
                "description": None,
                "external_url": "https://example.com",
                "html_url": f"https://github.com/apps/{SLUG}",
                "created_at": _SINCE,
                "updated_at": _SINCE,
                "permissions": granted(),
                "events": subscribed(),
                "installations_count": len(self._by_number()),
            },
        )

    def describe(self, found: Installation) -> dict[str, Any]:
        """An installation, as GitHub shows it."""
        number, base = found.number, self._desk.writer.base
        return {
            "id": number,
            "account": user(found.owner),
            "repository_selection": _selection(found),
            "access_tokens_url": f"{base}/app/installations/{number}/access_tokens",
            "repositories_url": f"{base}/installation/repositories",
            "html_url": f"https://github.com/settings/installations/{number}",
            "app_id": APP_ID,
            "app_slug": SLUG,
            "target_id": user_id(found.owner),
            "target_type": "Organization",
            "permissions": found.permissions,
            "events": found.events,
            "created_at": _SINCE,
            "updated_at": _SINCE,
            "single_file_name": None,
            "suspended_by": user(found.owner) if found.suspended else None,
            "suspended_at": _SINCE if found.suspended else None,
        }

    def _list(self, request: Request) -> Answer:
        found = list(self._by_number().values())
        part, headers = self._desk.page(request, len(found))
        shown = [self.describe(installation) for installation in found[part]]
        return Answer(200, json.dumps(shown).encode(), headers)

    def _get(self, request: Request) -> Answer:
        return json_answer(200, self.describe(self._one(request)))

    def _of_repository(self, request: Request) -> Answer:
        repo = self._desk.repo(request)
        found = self._of(repo.full_name.partition("/")[0])
        if not found.installed or not found.sees(repo.full_name):
            raise refuse(404)
        return json_answer(200, self.describe(found))

    def _token(self, request: Request) -> Answer:
        found = self._one(request)
        if found.suspended:
            raise refuse(403, "This installation has been suspended")
        expires = time.time() + self.token_seconds
        token = f"ghs_sandbox{len(self._tokens):029}"
        self._tokens[token] = (expires, found.number)
        shown = time_text(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(expires)))
        body = {
            "token": token,
            "expires_at": shown,
            "permissions": found.permissions,
            "repository_selection": _selection(found),
        }
        return json_answer(201, body)

    def _visible(self, request: Request) -> Answer:
        token = request.headers.get("authorization", "").rpartition(" ")[2]
        installation = self._by_number().get(self._tokens.get(token, (0.0, 0))[1])
        if installation is None:
            raise refuse(403, "You must authenticate with an installation access token.")
        found: list[Repository] = [
            repo
            for repo in self._desk.repositories
            if installation.sees(repo.full_name) and repo.access != "gone"
        ]
        part, headers = self._desk.page(request, len(found))
        shown = [self._desk.writer.repository(repo) for repo in found[part]]
        body = {
            "total_count": len(found),
            "repository_selection": _selection(installation),
            "repositories": shown,
        }
        return Answer(200, json.dumps(body).encode(), headers)


def _selection(found: Installation) -> str:
    return "all" if found.repositories is None else "selected"

"""The GitHub App side of the stand-in: one App, installed for every owner, with tokens that run out."""

import time
from typing import Any

from integrations.github.sandbox_desk import Desk
from integrations.github.sandbox_input import refuse
from integrations.github.sandbox_payloads import user
from integrations.github.sandbox_state import Repository, time_text, user_id
from integrations.sandbox_faults import Answer, Request, json_answer

APP_ID = 1001
_SLUG = "switchyard-sandbox"
_PERMISSIONS = {"issues": "write", "metadata": "read", "contents": "read"}
_SINCE = "2024-01-01T00:00:00Z"


class AppRoutes:
    """Installations and their tokens; a JSON Web Token is taken as it comes, its key is not known here."""

    def __init__(self, desk: Desk) -> None:
        self.token_seconds = 3600.0
        self._desk = desk
        self._tokens: dict[str, tuple[float, str]] = {}
        desk.add("GET", "/app", self._app)
        desk.add("GET", "/app/installations", self._list)
        desk.add("GET", "/app/installations/{installation_id}", self._get)
        desk.add("POST", "/app/installations/{installation_id}/access_tokens", self._token)
        desk.add("GET", "/repos/{owner}/{repo}/installation", self._of_repository)
        desk.add("GET", "/installation/repositories", self._visible)

    def issued(self, token: str) -> bool:
        """Whether it is an installation's token."""
        return token in self._tokens

    def expired(self, token: str) -> bool:
        """Whether it is one that has run out."""
        return token in self._tokens and self._tokens[token][0] <= time.time()

    def _owners(self) -> dict[int, str]:
        """Installations by number; an owner's number is that of the account."""
        names = {repo.full_name.partition("/")[0] for repo in self._desk.repositories}
        return {user_id(name): name for name in sorted(names)}

    def _owner(self, request: Request) -> str:
        number = request.params["installation_id"]
        owner = self._owners().get(int(number)) if number.isdecimal() else None
        if owner is None:
            raise refuse(404)
        return owner

    def _app(self, request: Request) -> Answer:
        return json_answer(
            200,
            {
                "id": APP_ID,
                "slug": _SLUG,
                "node_id": f"A_{APP_ID}",
                "owner": user("switchyard"),
                "name": "Switchyard Sandbox",
                "description": None,
                "external_url": "https://example.com",
                "html_url": f"https://github.com/apps/{_SLUG}",
                "created_at": _SINCE,
                "updated_at": _SINCE,
                "permissions": _PERMISSIONS,
                "events": ["issues"],
                "installations_count": len(self._owners()),
            },
        )

    def _installation(self, owner: str) -> dict[str, Any]:
        number, base = user_id(owner), self._desk.writer.base
        return {
            "id": number,
            "account": user(owner),
            "repository_selection": "all",
            "access_tokens_url": f"{base}/app/installations/{number}/access_tokens",
            "repositories_url": f"{base}/installation/repositories",
            "html_url": f"https://github.com/settings/installations/{number}",
            "app_id": APP_ID,
            "app_slug": _SLUG,
            "target_id": number,
            "target_type": "Organization",
            "permissions": _PERMISSIONS,
            "events": ["issues"],
            "created_at": _SINCE,
            "updated_at": _SINCE,
            "single_file_name": None,
            "suspended_by": None,
            "suspended_at": None,
        }

    def _list(self, request: Request) -> Answer:
        return json_answer(200, [self._installation(owner) for owner in self._owners().values()])

    def _get(self, request: Request) -> Answer:
        return json_answer(200, self._installation(self._owner(request)))

    def _of_repository(self, request: Request) -> Answer:
        repo = self._desk.repo(request)
        return json_answer(200, self._installation(repo.full_name.partition("/")[0]))

    def _token(self, request: Request) -> Answer:
        owner = self._owner(request)
        expires = time.time() + self.token_seconds
        token = f"ghs_sandbox{len(self._tokens):08}"
        self._tokens[token] = (expires, owner)
        shown = time_text(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(expires)))
        body = {
            "token": token,
            "expires_at": shown,
            "permissions": _PERMISSIONS,
            "repository_selection": "all",
        }
        return json_answer(201, body)

    def _visible(self, request: Request) -> Answer:
        token = request.headers.get("authorization", "").rpartition(" ")[2]
        owner = self._tokens.get(token, (0.0, ""))[1]
        if not owner:
            raise refuse(403, "You must authenticate with an installation access token.")
        found: list[Repository] = [
            repo
            for repo in self._desk.repositories
            if repo.full_name.partition("/")[0] == owner and repo.access != "gone"
        ]
        shown = [self._desk.writer.repository(repo) for repo in found]
        body = {"total_count": len(shown), "repository_selection": "all", "repositories": shown}
        return json_answer(200, body)

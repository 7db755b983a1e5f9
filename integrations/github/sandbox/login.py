"""People in the GitHub stand-in: the OAuth web flow, who they are, and what they may do in repositories."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from integrations.github.sandbox.context import REPO, Desk
from integrations.github.sandbox.input import failure
from integrations.github.sandbox.payloads import user
from integrations.github.sandbox.state import Repository
from integrations.sandbox_faults import Answer, ControlError, Request, json_answer

AUTHORIZE = "/login/oauth/authorize"
TOKEN = "/login/oauth/access_token"  # noqa: S105 (a path)
PERMISSIONS = {
    "admin": "admin",
    "maintain": "write",
    "write": "write",
    "triage": "read",
    "read": "read",
    "none": "none",
}
"""Role names, and GitHub's older word for each."""
_KEYS = ("login", "permission", "repo", "browser")
_LEVELS = {"pull": "read", "triage": "triage", "push": "write", "maintain": "maintain", "admin": "admin"}
_ORDER = list(_LEVELS.values())


@dataclass(slots=True)
class _Code:
    login: str
    redirect_uri: str
    challenge: str


@dataclass(slots=True)
class LoginRoutes:
    """Every browser is the account that was chosen last; nobody is asked for a password."""

    desk: Desk
    browser: str = "octo-person"
    """As whom the next log-in comes; empty where the person says no."""
    _codes: dict[str, _Code] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)
    _permissions: dict[tuple[str, str], str] = field(default_factory=dict)
    """By repository (empty for all) and login, both in lower case."""

    def __post_init__(self) -> None:
        self.desk.add("GET", AUTHORIZE, self._authorize)
        self.desk.add("POST", TOKEN, self._token)
        self.desk.add("GET", f"{REPO}/collaborators/{{username}}/permission", self._permission)

    def login_of(self, token: str) -> str | None:
        """The account that logged in for this token; None where it is no person's."""
        return self._tokens.get(token)

    def control(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Choose who the browser is, or what an account may do; ControlError where it is not understood."""
        unknown = [key for key in data if key not in _KEYS]
        login, repo, permission = data.get("login"), data.get("repo", ""), data.get("permission")
        if unknown or not isinstance(login, str) or not isinstance(repo, str):
            raise ControlError(f"an account is an object with its login; known: {', '.join(_KEYS)}")
        if permission is not None and permission not in PERMISSIONS:
            raise ControlError(f"permission must be one of {', '.join(PERMISSIONS)}, not {permission!r}")
        if permission is not None:
            self._permissions[repo.lower(), login.lower()] = permission
        if data.get("browser", True):
            self.browser = login
        return {"browser": self.browser}

    def _authorize(self, request: Request) -> Answer:
        query = request.query
        target = query.get("redirect_uri", "")
        if not query.get("client_id") or not urlsplit(target).netloc:
            return failure(404)
        answer = {"state": query.get("state", "")}
        if not self.browser:
            words = "The user has denied your application access."
            answer |= {"error": "access_denied", "error_description": words}
        else:
            code = secrets.token_hex(10)
            self._codes[code] = _Code(self.browser, target, query.get("code_challenge", ""))
            answer["code"] = code
        sign = "&" if urlsplit(target).query else "?"
        return Answer(302, b"", [(b"location", f"{target}{sign}{urlencode(answer)}".encode())])

    def _token(self, request: Request) -> Answer:
        form = {
            name: values[-1] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()
        }
        # A code serves once, whatever comes of it.
        code = self._codes.pop(form.get("code", ""), None)
        if not form.get("client_id") or form.get("client_secret") in (None, "", "bad"):
            return _told(request, {"error": "incorrect_client_credentials"})
        verified = code is not None and code.challenge in ("", _challenge(form.get("code_verifier", "")))
        if code is None or not verified or form.get("redirect_uri", code.redirect_uri) != code.redirect_uri:
            return _told(request, {"error": "bad_verification_code"})
        token = f"ghu_sandbox{len(self._tokens):029}"
        self._tokens[token] = code.login
        return _told(request, {"access_token": token, "token_type": "bearer", "scope": ""})

    def assignable(self, repo: Repository, login: str) -> bool:
        """Everybody can be assigned but bots and those of whom it was said that they may not write."""
        return not login.endswith("[bot]") and self._role(repo, login) not in ("none", "read")

    def _role(self, repo: Repository, login: str) -> str | None:
        keys = ((repo.full_name.lower(), login.lower()), ("", login.lower()))
        return next((self._permissions[key] for key in keys if key in self._permissions), None)

    def _permission(self, request: Request) -> Answer:
        repo = self.desk.repo(request)
        login = request.params["username"]
        role = self._role(repo, login) or "read"
        level = _ORDER.index(role) if role in _ORDER else -1
        allowed = {name: index <= level for index, name in enumerate(_LEVELS)}
        person = {**user(login), "permissions": allowed, "role_name": role}
        return json_answer(200, {"permission": PERMISSIONS[role], "role_name": role, "user": person})


def _told(request: Request, values: Mapping[str, str]) -> Answer:
    """As GitHub answers: a form, unless JSON is asked for; with status 200 also where it refuses."""
    if "application/json" in request.headers.get("accept", ""):
        return json_answer(200, values)
    return Answer(200, urlencode(values).encode(), [(b"content-type", b"application/x-www-form-urlencoded")])


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")

"""Sessions: who logged in with a browser, kept in a signed cookie and nowhere else."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import Response

from bot.web.roles import Role
from config.secrets import Secrets

LASTS = 12 * 3600
"""Seconds after which a person logs in again."""
LOGIN_LASTS = 600
"""Seconds in which a person has to come back from GitHub."""
_KEYED = (
    "GITHUB_TOKEN",
    "GITHUB_APP_PRIVATE_KEY",
    "GITHUB_CLIENT_SECRET",
    "SWITCHYARD_ADMIN_TOKEN",
    "SWITCHYARD_OPERATOR_TOKEN",
    "SWITCHYARD_VIEWER_TOKEN",
)


@dataclass(frozen=True, slots=True)
class Session:
    """What a cookie says: a login or the name of a token, and the role it had then."""

    name: str
    role: Role
    via: str
    """github or token"""


def signing_key(secrets: Secrets) -> bytes:
    """The cookies' key: the same in every process with these secrets, another where one of them is changed.

    All of them together, so that who knows one role's token cannot make a cookie of a higher role.
    """
    material = json.dumps([secrets.get(name) or "" for name in _KEYED]).encode()
    return hmac.digest(material, b"switchyard: browser sessions", "sha256")


@dataclass(frozen=True, slots=True)
class Cookies:
    """Writes and reads the cookies of sessions and of log-ins on their way."""

    key: bytes = field(repr=False)
    public_url: str | None = None

    def session(self, request: Request) -> Session | None:
        """Who is logged in; None where nobody is, or not any more."""
        data = self._read(request, "session", LASTS)
        try:
            return Session(str(data["name"]), Role[data["role"]], str(data["via"])) if data else None
        except (KeyError, TypeError):
            return None

    def begin(self, request: Request, response: Response, session: Session) -> None:
        """Log in."""
        data = {"name": session.name, "role": session.role.name, "via": session.via}
        self._write(request, response, "session", data, LASTS)

    def end(self, request: Request, response: Response) -> None:
        """Log out."""
        self._drop(request, response, "session")

    def login(self, request: Request) -> Mapping[str, Any] | None:
        """What this browser was sent to GitHub with."""
        return self._read(request, "login", LOGIN_LASTS)

    def send_off(self, request: Request, response: Response, data: Mapping[str, Any]) -> None:
        """Remember what a browser is sent to GitHub with."""
        self._write(request, response, "login", data, LOGIN_LASTS)

    def came_back(self, request: Request, response: Response) -> None:
        """It serves once."""
        self._drop(request, response, "login")

    def origin(self, request: Request) -> str:
        """Where people reach this server, without a slash at the end."""
        return (self.public_url or f"{request.url.scheme}://{request.url.netloc}").rstrip("/")

    def _secure(self, request: Request) -> bool:
        return request.url.scheme == "https" or urlsplit(self.public_url or "").scheme == "https"

    def _name(self, request: Request, purpose: str) -> str:
        # With the prefix, browsers take it from this very host only, and only over https.
        prefix = "__Host-" if self._secure(request) else ""
        return f"{prefix}switchyard_{purpose}"

    def _signer(self, purpose: str) -> URLSafeTimedSerializer:
        options = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
        return URLSafeTimedSerializer(self.key, salt=f"switchyard.{purpose}", signer_kwargs=options)

    def _read(self, request: Request, purpose: str, lasts: int) -> Mapping[str, Any] | None:
        text = request.cookies.get(self._name(request, purpose))
        if not text:
            return None
        try:
            data = self._signer(purpose).loads(text, max_age=lasts)
        except BadSignature:
            return None
        return data if isinstance(data, dict) else None

    def _write(
        self, request: Request, response: Response, purpose: str, data: Mapping[str, Any], lasts: int
    ) -> None:
        response.set_cookie(
            self._name(request, purpose),
            str(self._signer(purpose).dumps(data)),
            max_age=lasts,
            path="/",
            secure=self._secure(request),
            httponly=True,
            samesite="lax",
        )

    def _drop(self, request: Request, response: Response, purpose: str) -> None:
        response.delete_cookie(
            self._name(request, purpose),
            path="/",
            secure=self._secure(request),
            httponly=True,
            samesite="lax",
        )

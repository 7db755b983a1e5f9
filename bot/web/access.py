"""Who asks, and may they? Everybody on this machine may look; all else asks for a token or a log-in."""

import base64
import binascii
import hmac
import ipaddress
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import structlog
from starlette.requests import Request

from bot.app.app import App
from bot.store import audit
from bot.store.database import StoreError, brief
from bot.trigger.failure_limit import Knocks, retry_after
from bot.web.roles import Role, Roles
from bot.web.session import Cookies

log = structlog.get_logger()

BASIC = {"www-authenticate": 'Basic realm="switchyard", charset="UTF-8"'}
BEARER = {"www-authenticate": "Bearer"}
TOKENS = (
    ("admin token", "SWITCHYARD_ADMIN_TOKEN", Role.ADMIN),
    ("operator token", "SWITCHYARD_OPERATOR_TOKEN", Role.OPERATOR),
    ("viewer token", "SWITCHYARD_VIEWER_TOKEN", Role.VIEWER),
)
GUESSES_PER_MINUTE = 20
"""Wrong tokens and failed log-ins of one address in a minute, after which no token of it is looked at."""
STRANGERS_PER_MINUTE = 120
"""Other requests of one address in a minute that nobody logged in made."""
READING = ("GET", "HEAD")
_HOST = re.compile(r"([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_FORWARDED = ("forwarded", "x-real-ip", "cf-connecting-ip", "true-client-ip", "via")
"""Headers of proxies, besides all that begin with x-forwarded-."""

CLOSED = (
    "This server can be reached from other machines, so its pages and API are closed. Set "
    "SWITCHYARD_ADMIN_TOKEN to open them to those who know it, or bind the server to 127.0.0.1."
)
WRONG = (
    "The token is missing or wrong; send the admin's, an operator's or a viewer's as "
    "`Authorization: Bearer TOKEN`."
)
UNCONFIGURED = "No token is configured; set SWITCHYARD_ADMIN_TOKEN and restart to change things here."
SLOW_DOWN = "Too many requests without a valid token or log-in; slow down."
CROSS_ORIGIN = "The request came from another site's page, so nothing was done."


class Denied(Exception):
    """A request that may not: status, words, and headers of the answer."""

    def __init__(self, status: int, words: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks: a GitHub login or the name of a token, and what they may do."""

    name: str
    role: Role
    by: str
    """token, cookie, or place (somebody on this machine, whom nobody asks)"""

    def may(self, role: Role) -> bool:
        return self.role >= role

    @property
    def via(self) -> str:
        """How the audit log names the way they came: a browser's session is pages."""
        return "page" if self.by == "cookie" else "api"


@dataclass(frozen=True)
class Access:
    """Decides for each request; `host` is the address that the server is bound to."""

    app: App
    host: str
    cookies: Cookies
    roles: Roles
    guesses: Knocks = field(default_factory=lambda: Knocks(GUESSES_PER_MINUTE))
    strangers: Knocks = field(default_factory=lambda: Knocks(STRANGERS_PER_MINUTE))

    @property
    def has_github_login(self) -> bool:
        secrets = self.app.secrets
        return bool(secrets.get("GITHUB_CLIENT_ID") and secrets.get("GITHUB_CLIENT_SECRET"))

    @property
    def has_tokens(self) -> bool:
        return any(self.app.secrets.get(secret) for _, secret, _ in TOKENS)

    async def need(self, request: Request, role: Role) -> Person:
        """Who asks, where they have at least this role; Denied where not."""
        address = address_of(request)
        offered = _bearer(request) or _password(request)
        if offered and self.guesses.too_many(address):
            raise too_many()
        person = await self.person(request)
        if person is None:
            raise self._refusal(request, address)
        if person.by == "cookie" and request.method not in READING:
            self.same_origin(request)
        if not person.may(role):
            raise Denied(403, f"This needs the role {role}; {person.name} has {person.role}.")
        return person

    async def person(self, request: Request) -> Person | None:
        """Who asks; None where that is nobody who is known. Counts wrong tokens."""
        address = address_of(request)
        reading = request.method in READING
        # A browser adds a stored password to any site's request by itself, so with that one only looks.
        offered = _bearer(request) or (_password(request) if reading else "")
        if offered and not self.guesses.too_many(address):
            known = self.holder(offered)
            if known is not None:
                return known
            await self.wrong(address, "token")
        session = self.cookies.session(request)
        if session is not None:
            if session.via != "github":
                return Person(session.name, session.role, "cookie")
            role = await self.roles.of(session.name, session.role) if self.has_github_login else None
            if role is not None:
                return Person(session.name, role, "cookie")
        if reading and self._is_here(request):
            return Person("somebody on this machine", Role.VIEWER, "place")
        return None

    def holder(self, offered: str) -> Person | None:
        """Whose token this is. All are compared, so that the time says nothing."""
        found = None
        for name, secret, role in reversed(TOKENS):
            if _same(offered, self.app.secrets.get(secret)):
                found = Person(name, role, "token")
        return found

    async def wrong(self, address: str, how: str, actor: str = "unknown", via: str = "api") -> None:
        """Count a wrong token or a refused log-in, and note it: log-ins each, tokens once a minute."""
        number = self.guesses.count(address)
        if via != "page" and number not in (1, GUESSES_PER_MINUTE):
            return
        entry = {"actor": actor, "via": via, "action": "login.refused", "subject": address}
        detail = {"how": how, "times": number}
        try:
            await self.app.database.run(lambda c: audit.note(c, time.time(), **entry, detail=detail))
        except StoreError as error:
            # It is refused all the same.
            log.error("a refused log-in could not be noted", error=brief(error), **entry)

    def stranger(self, request: Request) -> None:
        """Count a request that nobody known made; Denied where there are too many."""
        address = address_of(request)
        if self.strangers.too_many(address) or self.guesses.too_many(address):
            raise too_many()
        self.strangers.count(address)

    def same_origin(self, request: Request) -> None:
        """Denied where another site's page made the browser send this.

        Browsers say so themselves, of every request that changes something; what says nothing is no browser.
        """
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        public = urlsplit(self.cookies.public_url or "")
        if origin is not None and public.netloc and origin == f"{public.scheme}://{public.netloc}":
            return
        if site is not None:
            same = site in ("same-origin", "none")
        else:
            # As the server was reached, or as a trusted proxy says that it was.
            same = origin is None or origin == f"{request.url.scheme}://{request.headers.get('host')}"
        if not same:
            raise Denied(403, CROSS_ORIGIN)

    def _is_here(self, request: Request) -> bool:
        # The name in the request counts too: it tells a page elsewhere that was pointed at this machine
        # (DNS rebinding), or a proxy that shows this server to others, from somebody who sits here.
        if not (is_loopback(self.host) and is_loopback(_named(request))):
            return False
        public = urlsplit(self.cookies.public_url or "http://localhost").hostname or ""
        return is_loopback(public) and not any(
            name in _FORWARDED or name.startswith("x-forwarded-") for name in request.headers
        )

    def _refusal(self, request: Request, address: str) -> Denied:
        if self.guesses.too_many(address) or self.strangers.too_many(address):
            return too_many()
        self.strangers.count(address)
        reading = request.method in READING
        if not self.has_tokens and not self.has_github_login:
            return Denied(403, CLOSED) if reading else Denied(503, UNCONFIGURED)
        return Denied(401, WRONG, BASIC if reading else BEARER)


def too_many() -> Denied:
    return Denied(429, SLOW_DOWN, {"retry-after": str(retry_after())})


def address_of(request: Request) -> str:
    """The address that a request came from."""
    return request.client.host if request.client is not None else ""


def _named(request: Request) -> str:
    """The host that the request names; empty where it is no host and port alone."""
    match = _HOST.fullmatch(request.headers.get("host", ""))
    return match[1] if match else ""


def is_loopback(host: str) -> bool:
    """Is this a name or address that only this machine can reach?"""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _credentials(request: Request, scheme: str) -> str:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if kind.lower() == scheme else ""


def _bearer(request: Request) -> str:
    return _credentials(request, "bearer")


def _password(request: Request) -> str:
    try:
        decoded = base64.b64decode(_credentials(request, "basic"), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""
    return decoded.partition(":")[2]


def _same(offered: str, token: str | None) -> bool:
    # Compared as bytes, which also may hold letters beyond ASCII.
    return token is not None and bool(offered) and hmac.compare_digest(offered.encode(), token.encode())

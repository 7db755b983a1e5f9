"""Who may see the pages and start runs: everybody on this machine, elsewhere who has the admin token."""

import base64
import binascii
import hmac
import ipaddress
from dataclasses import dataclass
from enum import Enum

from starlette.requests import Request

REALM = {"www-authenticate": 'Basic realm="switchyard", charset="UTF-8"'}


class Answer(Enum):
    """What a request may do."""

    YES = "yes"
    WRONG_TOKEN = "wrong"  # noqa: S105 (the name of an answer)
    NO_TOKEN_CONFIGURED = "unconfigured"  # noqa: S105 (the name of an answer)


@dataclass(frozen=True)
class Access:
    """The server's address decides whether reading is free; writing always asks for the token."""

    host: str
    token: str | None

    def may_read(self, request: Request) -> Answer:
        # The name in the request counts too: it tells a page elsewhere that was pointed at this machine
        # (DNS rebinding), or a proxy that shows this server to others, from somebody who sits here.
        if is_loopback(self.host) and is_loopback(request.url.hostname or ""):
            return Answer.YES
        if self.token is None:
            return Answer.NO_TOKEN_CONFIGURED
        offered = _bearer(request) or _password(request)
        return Answer.YES if _same(offered, self.token) else Answer.WRONG_TOKEN

    def may_write(self, request: Request) -> Answer:
        # Only Bearer: a browser adds a stored password to any site's request by itself.
        if self.token is None:
            return Answer.NO_TOKEN_CONFIGURED
        return Answer.YES if _same(_bearer(request), self.token) else Answer.WRONG_TOKEN


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


def _same(offered: str, token: str) -> bool:
    # Compared as bytes, which also may hold letters beyond ASCII.
    return bool(offered) and hmac.compare_digest(offered.encode(), token.encode())

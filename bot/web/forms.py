"""What a page's form sent, read within bounds, and where a page may send a browser next."""

import asyncio
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import ClientDisconnect, Request

from bot.web.access import Denied

MOST = 16_384
"""Bytes of a form."""
TIMEOUT = 10.0
"""Seconds in which it must have come."""


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form; Denied where it is none or too large."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Denied(415, "Send a form.")
    body = b""
    try:
        async with asyncio.timeout(TIMEOUT):
            async for part in request.stream():
                body += part
                if len(body) > MOST:
                    raise Denied(413, f"A form has at most {MOST} bytes.")
    except TimeoutError:
        raise Denied(408, "The form did not come in time.") from None
    except ClientDisconnect:
        raise Denied(400, "The connection ended before the form did.") from None
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=20))
    except ValueError:
        raise Denied(400, "The form cannot be read.") from None


def local(path: str | None) -> str:
    """A path on this server to go to; the first page where it would lead anywhere else."""
    found = path or "/"
    try:
        parts = urlsplit(found)
    except ValueError:
        return "/"
    # Browsers take a backslash for a slash and leave out line ends, and two slashes name another host.
    plain = found.isascii() and found.isprintable() and "\\" not in found and len(found) <= 500
    if not plain or parts.scheme or parts.netloc or not found.startswith("/") or found.startswith("//"):
        return "/"
    return "/" if parts.path in ("/login", "/logout") else found

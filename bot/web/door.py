"""The door: webhook deliveries are checked, stored and only then answered; nothing else is done here."""

import asyncio
import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.store import inbox
from bot.store.database import Database, brief
from bot.store.inbox import Received
from config.secrets import Secrets
from integrations.base import Delivery
from integrations.github import webhook as github
from integrations.shortcut import webhook as shortcut
from models.errors import UserFacing

log = structlog.get_logger()

MOST = 25 * 1024 * 1024
"""Bytes of a body; GitHub sends no more."""
SMALL = 1024 * 1024
"""A body above this waits for one of few places, so that many large ones do not fill the memory."""
LARGE_PLACES = 4
BODY_TIMEOUT = 20.0
"""Seconds in which a body must have come; GitHub gives up after ten."""
LINGER = 0.002
"""Seconds that a write waits for more deliveries to join its commit."""
REMEMBERED = 20_000
UNSIGNED_PER_MINUTE = 120
"""Refusals of one address in a minute, after which it is told to slow down. What is signed is never refused."""


@dataclass(frozen=True, slots=True)
class Source:
    """A service that sends deliveries: how it signs, and how they are read."""

    name: str
    secret: str | None
    secret_name: str
    signature: bytes
    """The header's name, in lower case."""
    is_signed: Callable[[bytes, bytes, str], bool]
    parse: Callable[[Mapping[bytes, bytes], bytes], Delivery]


def sources(secrets: Secrets) -> dict[str, Source]:
    """Who may send what where, by path."""
    return {
        f"/webhooks/{name}": Source(
            name, secrets.get(secret), secret, module.SIGNATURE, module.is_signed, module.parse
        )
        for name, secret, module in (
            ("github", "GITHUB_WEBHOOK_SECRET", github),
            ("shortcut", "SHORTCUT_WEBHOOK_SECRET", shortcut),
        )
    }


@dataclass(slots=True)
class Writer:
    """Joins deliveries that come at the same time into one commit."""

    database: Database
    stored: Callable[[], None]
    _waiting: list[tuple[Received, "asyncio.Future[bool]"]] = field(default_factory=list)
    _task: "asyncio.Task[None] | None" = None

    async def add(self, row: Received) -> bool:
        """Store a delivery; False where it was there already. Returns after the commit."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        while self._waiting:
            await asyncio.sleep(LINGER)
            group, self._waiting = self._waiting, []

            rows = [row for row, _ in group]
            try:
                new = await self.database.run(lambda c, rows=rows: inbox.store(c, rows))  # type: ignore[misc]
            except Exception as error:  # each sender must learn of it, whatever it was
                for _, future in group:
                    if not future.done():
                        future.set_exception(error)
                continue
            for row, future in group:
                if not future.done():
                    future.set_result(row.id in new)
                new.discard(row.id)
            self.stored()


@dataclass(slots=True)
class Knocks:
    """Refusals by address and minute; bounded, the oldest addresses are forgotten first."""

    _counts: "OrderedDict[str, tuple[int, int]]" = field(default_factory=OrderedDict)

    def count(self, address: str) -> None:
        minute = int(time.monotonic() // 60)
        before, number = self._counts.pop(address, (minute, 0))
        self._counts[address] = (minute, number + 1 if before == minute else 1)
        while len(self._counts) > 10_000:
            self._counts.popitem(last=False)

    def too_many(self, address: str) -> bool:
        minute, number = self._counts.get(address, (0, 0))
        return minute == int(time.monotonic() // 60) and number >= UNSIGNED_PER_MINUTE


class Refused(Exception):
    """A request that is not let in: status and words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class Door:
    """Answers POST /webhooks/… itself, and hands everything else on.

    A plain ASGI application before the routes: these requests come by the thousand and need none of the rest.
    """

    def __init__(
        self,
        application: ASGIApp,
        database: Database,
        senders: Mapping[str, Source],
        stored: Callable[[], None],
    ) -> None:
        self._application = application
        self._senders = senders
        self._writer = Writer(database, stored)
        self._large = asyncio.Semaphore(LARGE_PLACES)
        self._knocks = Knocks()
        self._seen: OrderedDict[str, None] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/webhooks/"):
            await self._application(scope, receive, send)
            return
        address = (scope.get("client") or ("", 0))[0]
        try:
            status, document = await self._take(scope, receive, address)
        except Refused as refused:
            if refused.status in (401, 413):
                self._knocks.count(address)
            status, document = refused.status, {"error": str(refused)}
        except SQLAlchemyError as error:
            log.error("a delivery could not be stored", error=brief(error))
            status, document = 503, {"error": "The delivery could not be stored; send it again."}
        await _answer(send, status, document)

    async def _take(self, scope: Scope, receive: Receive, address: str) -> tuple[int, dict[str, Any]]:
        source = self._senders.get(scope["path"])
        if source is None:
            raise Refused(404, f"There is no such webhook; {', '.join(self._senders)} are.")
        if scope["method"] != "POST":
            raise Refused(405, "Deliveries are sent with POST.")
        headers = dict(scope["headers"])
        signature = headers.get(source.signature)
        if signature is None and self._knocks.too_many(address):
            raise Refused(429, "Too many unsigned requests; slow down.")
        if source.secret is None:
            raise Refused(401, f"No secret is configured here; set {source.secret_name} and restart.")
        if signature is None:
            raise Refused(401, "The delivery is not signed; set the webhook's secret.")
        body = await self._read(headers, receive)
        if not source.is_signed(body, signature, source.secret):
            if self._knocks.too_many(address):
                raise Refused(429, "Too many unsigned requests; slow down.")
            raise Refused(
                401, f"The signature does not fit; the webhook's secret differs from {source.secret_name}."
            )
        try:
            delivery = source.parse(headers, body)
            text = body.decode("utf-8")
        except UserFacing as error:
            raise Refused(400, str(error)) from None
        except UnicodeDecodeError:
            raise Refused(400, "the body is not UTF-8") from None
        key = f"{source.name}:{delivery.id}"
        if key in self._seen:
            return 200, {"status": "known", "delivery": delivery.id}
        row = Received(
            id=key,
            event=delivery.event,
            action=delivery.action,
            issue=delivery.issue,
            body_hash=hashlib.sha256(body).hexdigest()[:32],
            received_at=time.time(),
            state="pending" if delivery.matters else "ignored",
            payload=text if delivery.matters else "",
        )
        new = await self._writer.add(row)
        self._seen[key] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        if not new:
            return 200, {"status": "known", "delivery": delivery.id}
        return 202, {"status": "stored", "delivery": delivery.id}

    async def _read(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """The body, refused as soon as it is seen to be too large; a large one waits for its place."""
        length = headers.get(b"content-length", b"0")
        announced = int(length) if length.isdigit() and len(length) < 12 else 0
        if announced > MOST:
            raise Refused(413, f"A delivery has at most {MOST} bytes.")
        try:
            async with asyncio.timeout(BODY_TIMEOUT):
                if announced > SMALL or b"transfer-encoding" in headers:
                    async with self._large:
                        return await _read_all(receive)
                return await _read_all(receive)
        except TimeoutError:
            raise Refused(408, "The body did not come in time.") from None


async def _read_all(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        if len(body) > MOST:
            raise Refused(413, f"A delivery has at most {MOST} bytes.")
        return body
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, "The connection ended before the body did.")
        part = message.get("body", b"")
        size += len(part)
        if size > MOST:
            raise Refused(413, f"A delivery has at most {MOST} bytes.")
        parts.append(part)
    return b"".join(parts)


async def _answer(send: Send, status: int, document: Mapping[str, Any]) -> None:
    body = json.dumps(document).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

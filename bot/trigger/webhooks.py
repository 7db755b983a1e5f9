"""The door: webhook deliveries are checked, stored and only then answered; nothing else is done here."""

import asyncio
import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self
from weakref import WeakValueDictionary

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.store import inbox
from bot.store.database import Database, StoreError, brief
from bot.store.inbox import Received
from bot.trigger.failure_limit import Knocks, retry_after, source_of
from config.secrets import Secrets
from integrations.base import Delivery
from integrations.github import webhook as github
from integrations.shortcut import webhook as shortcut
from models.errors import UserFacing

log = structlog.get_logger()

MOST = 25 * 1024 * 1024
"""Bytes of a body; GitHub sends no more."""
ROOM = 4 * MOST
"""Bytes of large deliveries in memory at one time, and one more; whose next part finds no room has to wait."""
LARGE = 1024 * 1024
"""The signature of a body above this is computed in a thread."""
SMALL = 64 * 1024
"""Nearly all deliveries are below this."""
BODY_TIMEOUT = 20.0
"""Seconds in which a body must have come; GitHub gives up after ten."""
LINGER = 0.002
"""Seconds that a write waits for more deliveries to join its commit."""
FEW = 4
"""Fewer deliveries than these in a commit, and the next does not wait for more."""
TOGETHER = 500
"""Deliveries in one commit at most."""
PATIENCE = 9.0
"""Seconds that a sender waits for the database; GitHub gives up after ten."""
REMEMBERED = 20_000
UNSIGNED_PER_MINUTE = 120
"""Refusals of one address in a minute, after which it is told to slow down. What is signed is never refused."""
SLOW_DOWN = "Too many unsigned requests; slow down."


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
        """Store a delivery; False where it was there already. Returns after the commit.

        TimeoutError where the database takes too long: the delivery may be stored all the same, and is then known.
        """
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        alone = True
        while self._waiting:
            # One that comes alone is stored at once; what comes meanwhile goes together.
            await asyncio.sleep(0 if alone else LINGER)
            alone = len(self._waiting) < FEW
            group, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
            rows = [row for row, _ in group]
            storing = asyncio.ensure_future(self.database.run(partial(inbox.store, rows=rows), urgent=True))
            while not (await asyncio.wait([storing], timeout=PATIENCE))[0]:
                # One timer for all: those who came later need not wait longer to learn that it stands still.
                late, self._waiting = self._waiting, []
                _tell([*group, *late], TimeoutError("the database does not answer in time"))
            error = storing.exception()
            if error is not None:
                _tell(group, error)
                continue
            new = storing.result()
            # Where nothing will be made of any of them, nobody need look.
            if any(row.state == "pending" and row.id in new for row in rows):
                self.stored()
            for row, future in group:
                if not future.done():
                    future.set_result(row.id in new)
                new.discard(row.id)


def _tell(group: "Sequence[tuple[Received, asyncio.Future[bool]]]", error: BaseException) -> None:
    """Each sender must learn of it, whatever it was."""
    for _, future in group:
        if not future.done():
            future.set_exception(error)


@dataclass(slots=True)
class Room:
    """Bytes that are free. One body at a time may take more, so that those that wait for one another come to an end."""

    free: int = ROOM
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class Tier:
    """Bodies of one size, whose room the larger ones cannot take."""

    upto: int
    """Bytes of a body."""
    room: Room
    each: int = 0
    """How many of one address may have sent more than `before` at one time; the next has to wait. 0: any number."""
    before: int = 0
    """Bytes that each may send without that, so that those that send nothing stop nobody."""
    _slots: "WeakValueDictionary[str, asyncio.Semaphore]" = field(default_factory=WeakValueDictionary)

    def slot(self, address: str) -> asyncio.Semaphore | None:
        """What one address's bodies wait for; forgotten as soon as none holds it."""
        if not self.each:
            return None
        source = source_of(address)
        found = self._slots.get(source)
        if found is None:
            found = self._slots[source] = asyncio.Semaphore(self.each)
        return found


def _tiers() -> tuple[Tier, ...]:
    # A body may be stalled by whoever sends it, and before it is whole nobody can tell whether it is signed.
    return (
        Tier(SMALL, Room(2 * MOST)),
        Tier(LARGE, Room(2 * MOST), each=16, before=SMALL),
        Tier(MOST, Room(ROOM), each=3, before=LARGE),
    )


class Refused(Exception):
    """A request that is not let in: status and words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class Body:
    """One request's body as it comes, refused as soon as it is seen to be too large; holds room until it is left."""

    def __init__(self, tiers: Sequence[Tier], address: str, timeout: float | None = None) -> None:
        self._tiers = tiers
        self._tier = tiers[-1]
        self._address = address
        self._timeout = BODY_TIMEOUT if timeout is None else timeout
        self._slot: asyncio.Semaphore | None = None
        self._held = 0
        self._has_turn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tier.room.free += self._held
        if self._has_turn:
            self._tier.room.turn.release()
        if self._slot is not None:
            self._slot.release()

    async def read(self, announced: bytes, receive: Receive) -> bytes:
        """All of it; `announced` is what Content-Length says."""
        if announced.isdigit():
            size = int(announced) if len(announced) <= 12 else self._tier.upto + 1
            fitting = next((tier for tier in self._tiers if size <= tier.upto), None)
            if fitting is None:
                raise self._too_large()
            self._tier = fitting
        try:
            async with asyncio.timeout(self._timeout):
                return await self._parts(receive)
        except TimeoutError:
            raise Refused(408, "The body did not come in time.") from None

    def _too_large(self) -> Refused:
        return Refused(413, f"A delivery has at most {self._tiers[-1].upto} bytes.")

    async def _take_slot(self) -> None:
        slot = self._tier.slot(self._address)
        if slot is not None:
            await slot.acquire()
            self._slot = slot

    async def _parts(self, receive: Receive) -> bytes:
        room = self._tier.room
        parts: list[bytes] = []
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refused(400, "The connection ended before the body did.")
            part = message.get("body", b"")
            if self._held + len(part) > self._tier.upto:
                raise self._too_large()
            if self._held + len(part) > self._tier.before and self._slot is None and not self._has_turn:
                # Not while it has the turn, for which those that have the slots may wait.
                await self._take_slot()
            if room.free < len(part) and not self._has_turn:
                self._has_turn = await room.turn.acquire()
            room.free -= len(part)
            self._held += len(part)
            parts.append(part)
            if not message.get("more_body"):
                return b"".join(parts)


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
        *,
        body_timeout: float | None = None,
    ) -> None:
        self._body_timeout = body_timeout
        self._application = application
        self._senders = senders
        self._writer = Writer(database, stored)
        self._tiers = _tiers()
        self._knocks = Knocks(UNSIGNED_PER_MINUTE)
        self._seen: OrderedDict[str, None] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/webhooks/"):
            await self._application(scope, receive, send)
            return
        address = (scope.get("client") or ("", 0))[0]
        try:
            status, document = await self._take(scope, receive, address)
        except Refused as refused:
            if refused.status in (401, 404, 413):
                self._knocks.count(address)
            status, document = refused.status, {"error": str(refused)}
        except (StoreError, TimeoutError) as error:
            log.error("a delivery could not be stored", error=brief(error))
            status, document = 503, {"error": "The delivery could not be stored; send it again."}
        except Exception as error:
            # Nothing that is sent here may show a traceback, to the sender or in the log.
            log.error("a delivery met a fault", error=brief(error))
            status, document = 500, {"error": "Something unforeseen went wrong here; the log says what."}
        await _answer(send, status, document)

    async def _take(self, scope: Scope, receive: Receive, address: str) -> tuple[int, dict[str, Any]]:
        source = self._senders.get(scope["path"])
        if source is None:
            if self._knocks.too_many(address):
                raise Refused(429, SLOW_DOWN)
            raise Refused(404, f"There is no such webhook; {', '.join(self._senders)} are.")
        if scope["method"] != "POST":
            raise Refused(405, "Deliveries are sent with POST.")
        headers = dict(scope["headers"])
        signature = headers.get(source.signature)
        if signature is None and self._knocks.too_many(address):
            raise Refused(429, SLOW_DOWN)
        if source.secret is None:
            raise Refused(401, f"No secret is configured here; set {source.secret_name} and restart.")
        if signature is None:
            raise Refused(401, "The delivery is not signed; set the webhook's secret.")
        with Body(self._tiers, address, self._body_timeout) as reading:
            body = await reading.read(headers.get(b"content-length", b""), receive)
            return await self._keep(source, source.secret, headers, signature, body, address)

    async def _keep(
        self,
        source: Source,
        secret: str,
        headers: Mapping[bytes, bytes],
        signature: bytes,
        body: bytes,
        address: str,
    ) -> tuple[int, dict[str, Any]]:
        """Check the signature first of all, and store what is new."""
        if len(body) > LARGE:
            signed = await asyncio.to_thread(source.is_signed, body, signature, secret)
        else:
            signed = source.is_signed(body, signature, secret)
        if not signed:
            if self._knocks.too_many(address):
                raise Refused(429, SLOW_DOWN)
            raise Refused(
                401, f"The signature does not fit; the webhook's secret differs from {source.secret_name}."
            )
        row = _row(source, headers, body)
        named = row.id.removeprefix(f"{source.name}:")
        if row.id in self._seen:
            return 200, {"status": "known", "delivery": named}
        new = await self._writer.add(row)
        self._seen[row.id] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        if not new:
            return 200, {"status": "known", "delivery": named}
        return 202, {"status": "stored", "delivery": named}


def _row(source: Source, headers: Mapping[bytes, bytes], body: bytes) -> Received:
    """What is stored of a signed delivery; Refused where it is none."""
    try:
        # JSON may be UTF-16 or begin with a mark, which no later reader expects.
        text = body.decode("utf-8-sig")
        if "\0" in text:
            raise Refused(400, "the body is not JSON")
        delivery = source.parse(headers, body)
    except UserFacing as error:
        raise Refused(400, str(error)) from None
    except UnicodeDecodeError:
        raise Refused(400, "the body is not UTF-8") from None
    return Received(
        id=f"{source.name}:{_plain(delivery.id)}",
        event=_plain(delivery.event),
        action=_plain(delivery.action),
        issue=_plain(delivery.issue) if delivery.issue else None,
        body_hash=hashlib.sha256(body).hexdigest()[:32],
        received_at=time.time(),
        state="pending" if delivery.matters else "ignored",
        payload=text if delivery.matters else "",
        sender=_plain(delivery.sender),
    )


def _plain(text: str) -> str:
    """Text that any database takes: escapes in JSON can name NUL and halves of characters."""
    if text.isprintable():
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "?")


_HEADERS = (
    (b"content-type", b"application/json"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
)


async def _answer(send: Send, status: int, document: Mapping[str, Any]) -> None:
    body = json.dumps(document).encode()
    headers = [*_HEADERS, (b"content-length", b"%d" % len(body))]
    if status == 429:
        headers.append((b"retry-after", b"%d" % retry_after()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

"""Sends signed deliveries over keep-alive connections and times the answers; a process of its own, and a cheap one.

`python -m tests.bench.sender '{"port": 8080, "count": 10000, "repo": "octo/widgets"}'` prints one JSON document.
"""

import asyncio
import hashlib
import hmac
import json
import statistics
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

SECRET = "bench-secret"
_NUMBER, _REPO = 918_273_645, "bench-owner/bench-repository"
_TITLE = "Bench title to be replaced"


@dataclass(frozen=True)
class Plan:
    """What to send: `rate` is deliveries a second, 0 for as fast as the answers come."""

    port: int
    count: int
    repo: str
    first: int = 1
    rate: float = 0.0
    connections: int = 64
    path: str = "/webhooks/github"
    event: str = "issues"


@dataclass
class Sent:
    """Answers and seconds until them; of a paced sending counted from when each was due."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    due: list[float] = field(default_factory=list)
    """When each was due, in epoch seconds."""
    wall: float = 0.0

    def document(self) -> dict[str, Any]:
        ordered = sorted(self.seconds)
        cuts = statistics.quantiles(ordered, n=100, method="inclusive")
        return {
            "wall": self.wall,
            "statuses": {str(code): count for code, count in self.statuses.items()},
            "p50": cuts[49],
            "p99": cuts[98],
            "max": ordered[-1],
            "due": self.due,
        }


def template() -> bytes:
    """The official example of an opened issue; of the same size and shape where it is not beside the project."""
    from tests.contracts.spec import contracts_dir

    folder = contracts_dir()
    file = folder / "github" / "webhook-examples" / "issues.opened.json" if folder else None
    if file is not None and file.is_file():
        payload = json.loads(file.read_text())
    else:
        urls = {f"part_{n}_url": f"https://api.example.com/repos/{_REPO}/part{n}{{/name}}" for n in range(85)}
        account = {"login": "ann", "type": "User", "id": 7}
        payload = {"issue": {"user": account, "labels": [], "state": "open", **urls}, "sender": account}
        payload["repository"] = {"id": 7, "private": False, "owner": account, **urls}
    payload["action"] = "opened"
    payload["issue"] |= {"number": _NUMBER, "title": _TITLE, "labels": [], "state": "open"}
    payload["issue"]["html_url"] = f"https://github.com/{_REPO}/issues/{_NUMBER}"
    payload["issue"]["created_at"] = payload["issue"]["updated_at"] = "2026-11-21T10:00:00Z"
    payload["repository"]["full_name"] = _REPO
    return json.dumps(payload).encode()


def requests(plan: Plan) -> Iterator[bytes]:
    """Each delivery as the bytes of its whole request."""
    base = template()
    for number in range(plan.first, plan.first + plan.count):
        body = base.replace(str(_NUMBER).encode(), str(number).encode())
        body = body.replace(_REPO.encode(), plan.repo.encode())
        body = body.replace(_TITLE.encode(), f"Saving file number {number} fails".encode())
        mac = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        head = (
            f"POST {plan.path} HTTP/1.1\r\nHost: 127.0.0.1:{plan.port}\r\nUser-Agent: GitHub-Hookshot/bench\r\n"
            f"Accept: */*\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"X-GitHub-Event: {plan.event}\r\nX-GitHub-Delivery: bench-{plan.repo}-{number}\r\n"
            f"X-GitHub-Hook-ID: 7\r\nX-Hub-Signature-256: sha256={mac}\r\n\r\n"
        )
        yield head.encode() + body


class _Connection(asyncio.Protocol):
    """One keep-alive connection with one request on its way at a time; reads only status and length."""

    def __init__(self, pool: "_Pool") -> None:
        self._pool = pool
        self._received = b""
        self._due = 0.0
        self.request = (b"", 0.0)
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def send(self, request: bytes, due: float) -> None:
        self._due = due
        self.request = (request, due)
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        received = self._received = self._received + data if self._received else data
        end = received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = received[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(received) < end + 4 + length:
            return
        self._received = b""
        self._pool.answered(self, int(head[9:12]), self._due)

    def connection_lost(self, error: Exception | None) -> None:
        self._pool.lost(self)

    def close(self) -> None:
        self._transport.close()


class _Pool:
    """The connections, what waits for one that is free, and what was answered."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._requests = list(requests(plan))
        self._waiting: deque[tuple[bytes, float]] = deque()
        self._free: list[_Connection] = []
        self._open = 0
        self._opening: set[asyncio.Task[None]] = set()
        self._done = asyncio.Event()
        self.sent = Sent()

    async def run(self) -> Sent:
        shift, started = time.time() - time.perf_counter(), time.perf_counter()
        for at, request in enumerate(self._requests):
            due = started + at / self._plan.rate if self._plan.rate else started
            self.sent.due.append(due + shift)
            if due > time.perf_counter():
                await asyncio.sleep(due - time.perf_counter())
            self._waiting.append((request, due))
            self._go_on()
        await self._done.wait()
        self.sent.wall = time.perf_counter() - started
        for connection in self._free:
            connection.close()
        return self.sent

    def _go_on(self) -> None:
        """Send what waits over what is free; the server closes connections that were idle for some seconds."""
        while self._waiting and self._free:
            request, due = self._waiting.popleft()
            self._free.pop().send(request, due if self._plan.rate else time.perf_counter())
        if self._waiting and self._open < self._plan.connections:
            self._open += 1
            task = asyncio.create_task(self._connect())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        _, made = await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._plan.port)
        self._free.append(made)
        self._go_on()

    def answered(self, connection: _Connection, status: int, due: float) -> None:
        self.sent.statuses[status] += 1
        self.sent.seconds.append(time.perf_counter() - due)
        self._free.append(connection)
        self._go_on()
        if len(self.sent.seconds) == self._plan.count:
            self._done.set()

    def lost(self, connection: _Connection) -> None:
        self._open -= 1
        if connection in self._free:
            self._free.remove(connection)
        elif not self._done.is_set():
            # It was closed for being idle as the request went out: GitHub opens another one, too.
            self._waiting.appendleft(connection.request)
            self._go_on()


def main() -> None:
    import uvloop

    plan = Plan(**json.loads(sys.argv[1]))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(_run(plan)).document()))


async def _run(plan: Plan) -> Sent:
    return await _Pool(plan).run()


if __name__ == "__main__":
    main()

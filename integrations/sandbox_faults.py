"""What the stand-in services share: requests, answers, routes, faults on demand, a log of requests."""

import json
import random
import re
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote

JSON_HEADER = (b"content-type", b"application/json; charset=utf-8")
REFUSED = "bad"
"""The one credential that no stand-in accepts."""
SERVICES = ("github", "shortcut", "slack", "webhook", "notion", "osv", "llm", "api")
FAULTS = (
    "status",
    "html",
    "echo",
    "slow",
    "hang",
    "hang_after",
    "refuse",
    "drop_after",
    "truncate",
    "none",
)
"""What `POST /_control` can ask for. `echo` quotes the request's own headers and body in its answer; `hang_after`,
`drop_after` and `truncate` take effect before they fail; `slow` waits and then works as usual."""

_FAULT_KEYS = {
    "service": str,
    "match": str,
    "fault": str,
    "status": int,
    "seconds": (int, float),
    "times": (int, type(None)),
    "rate": (int, float),
    "retry_after": (int, type(None)),
    "seed": int,
    "body": object,
    "headers": dict,
}


class ControlError(ValueError):
    """A control request that cannot be understood; its text names the key and what is allowed."""


@dataclass(slots=True)
class Request:
    """One request, already read. `path` is as sent (percent-encoded), header names are in lower case."""

    method: str
    path: str
    query_string: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    params: dict[str, str] = field(default_factory=dict)

    @property
    def query(self) -> dict[str, str]:
        """Query parameters; the last one wins where a name is repeated."""
        return dict(parse_qsl(self.query_string, keep_blank_values=True)) if self.query_string else {}

    def json(self) -> Any:
        """The body as JSON, None where it is empty; ValueError where it is not JSON."""
        return json.loads(self.body) if self.body else None


@dataclass(slots=True)
class Answer:
    """What a stand-in answers; `body` is a list of chunks where it is too big to be put together."""

    status: int
    body: bytes | Iterable[bytes] = b""
    headers: Sequence[tuple[bytes, bytes]] = (JSON_HEADER,)


def json_answer(status: int, value: Any, headers: Sequence[tuple[bytes, bytes]] = ()) -> Answer:
    """Answer with `value` as JSON."""
    return Answer(
        status, json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"), (JSON_HEADER, *headers)
    )


Handler = Callable[[Request], Answer]


class _Node:
    __slots__ = ("handlers", "literal", "parameter", "rest")

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.rest: dict[str, tuple[str, tuple[str, ...], Handler]] | None = None
        self.handlers: dict[str, tuple[str, tuple[str, ...], Handler]] | None = None


class Router:
    """Finds the handler of a path by walking its segments; `{name}` is one, `{name*}` all that follow."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, method: str, template: str, handler: Handler) -> None:
        """Register `handler`; a literal segment wins over a parameter."""
        node = self._root
        names: list[str] = []
        for segment in template.strip("/").split("/"):
            if segment.endswith("*}"):
                node.rest = node.rest or {}
                node.rest[method] = (template, (*names, segment[1:-2]), handler)
                return
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literal.setdefault(segment, _Node())
        node.handlers = node.handlers or {}
        node.handlers[method] = (template, tuple(names), handler)

    def find(self, method: str, path: str) -> tuple[str, dict[str, str], Handler] | None:
        """Template, parameters and handler for a request, or None."""
        segments = path.strip("/").split("/")
        found = self._walk(self._root, segments, 0, [], method)
        if found is None:
            return None
        (template, names, handler), values = found
        return template, {n: unquote(v) for n, v in zip(names, values, strict=True)}, handler

    def _walk(
        self, node: _Node, segments: list[str], at: int, values: list[str], method: str
    ) -> tuple[tuple[str, tuple[str, ...], Handler], list[str]] | None:
        if at == len(segments):
            entry = node.handlers.get(method) if node.handlers else None
            return (entry, values) if entry else None
        child = node.literal.get(segments[at])
        if child is not None:
            found = self._walk(child, segments, at + 1, values, method)
            if found:
                return found
        if node.parameter is not None:
            found = self._walk(node.parameter, segments, at + 1, [*values, segments[at]], method)
            if found:
                return found
        entry = node.rest.get(method) if node.rest else None
        return (entry, [*values, "/".join(segments[at:])]) if entry else None


class Service(Protocol):
    """One stand-in: its routes, a gate before them (credential, rate limit), its own words for an error."""

    name: str
    router: Router

    def begin(self, request: Request, template: str) -> Answer | None:
        """Refuse the request, or return None and let its handler have it."""

    def finish(self, request: Request, answer: Answer) -> Answer:
        """Last touch on an answer, such as rate-limit headers; called once for each `begin`."""

    def not_found(self, request: Request) -> Answer:
        """The answer for a path that has no handler."""

    def error(self, status: int) -> Answer:
        """An error answer in the service's usual shape, for faults."""


@dataclass(slots=True)
class Fault:
    """One fault in force: which requests it hits, what it does to them, and how often still.

    `pattern` has to fit the whole path, as sent and without the query.
    """

    service: str
    kind: str
    method: str = ""
    pattern: re.Pattern[str] | None = None
    status: int = 503
    seconds: float = 5.0
    times: int | None = None
    rate: float = 1.0
    retry_after: int | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    hits: int = 0
    dice: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - chance

    def hit(self, method: str, path: str) -> bool:
        """Whether this request fails; counts it if so."""
        if self.times is not None and self.hits >= self.times:
            return False
        if self.method and self.method != method:
            return False
        if self.pattern is not None and not self.pattern.fullmatch(path):
            return False
        if self.rate < 1.0 and self.dice.random() >= self.rate:
            return False
        self.hits += 1
        return True

    def describe(self) -> dict[str, Any]:
        """For the state page."""
        match = f"{self.method} {self.pattern.pattern if self.pattern else ''}".strip()
        return {
            "service": self.service,
            "fault": self.kind,
            "match": match,
            "times": self.times,
            "rate": self.rate,
            "hits": self.hits,
        }


def parse_fault(data: Mapping[str, Any]) -> Fault:
    """Read a fault from a control request; ControlError says what is wrong with it."""
    for key, value in data.items():
        if key not in _FAULT_KEYS:
            raise ControlError(f"unknown key {key!r} in a fault; known: {', '.join(_FAULT_KEYS)}")
        wanted: Any = _FAULT_KEYS[key]
        if not isinstance(value, wanted) or (isinstance(value, bool) and key != "body"):
            raise ControlError(f"{key!r} has the wrong type: {value!r}")
    service, kind = data.get("service"), data.get("fault")
    if service not in SERVICES:
        raise ControlError(f"service must be one of {', '.join(SERVICES)}, not {service!r}")
    if kind not in FAULTS:
        raise ControlError(f"fault must be one of {', '.join(FAULTS)}, not {kind!r}")
    method, pattern = _parse_match(data.get("match", ""))
    status = data.get("status", 502 if kind == "html" else 503)
    if not 200 <= status <= 599:
        raise ControlError(f"status must lie between 200 and 599, not {status}")
    if not 0 <= data.get("rate", 1.0) <= 1:
        raise ControlError(f"rate is a probability between 0 and 1, not {data['rate']}")
    return Fault(
        service=service,
        kind=kind,
        method=method,
        pattern=pattern,
        status=status,
        seconds=float(data.get("seconds", 5.0)),
        times=data.get("times"),
        rate=float(data.get("rate", 1.0)),
        retry_after=data.get("retry_after"),
        body=data.get("body"),
        headers=data.get("headers", {}),
        dice=random.Random(data.get("seed", 0)),  # noqa: S311 - chance
    )


def _parse_match(text: str) -> tuple[str, re.Pattern[str] | None]:
    method, _, path = text.strip().partition(" ")
    if not re.fullmatch(r"[A-Z]+", method):
        method, path = "", text.strip()
    try:
        return method, re.compile(path.strip()) if path.strip() else None
    except re.error as error:
        raise ControlError(f"match is not a regular expression: {error}") from error


class FaultBook:
    """The faults in force; the newest one that fits a request wins."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Put a fault in force; the fault "none" lifts the service's faults, or those with the same match."""
        if fault.kind != "none":
            self.faults.insert(0, fault)
            return
        self.faults = [f for f in self.faults if f.service != fault.service or not _covers(fault, f)]

    def pick(self, service: str, request: Request) -> Fault | None:
        """The fault that hits this request, if any."""
        for fault in self.faults:
            if fault.service == service and fault.hit(request.method, request.path):
                return fault
        return None


def _covers(lifted: Fault, fault: Fault) -> bool:
    if not lifted.method and lifted.pattern is None:
        return True
    return (lifted.method, lifted.pattern) == (fault.method, fault.pattern)


class RequestLog:
    """Counts requests by service, route and status, and keeps the latest ones with their times."""

    def __init__(self, keep: int = 10_000) -> None:
        self.latest: deque[tuple[float, str, str, str, int | str]] = deque(maxlen=keep)
        self.in_flight: Counter[str] = Counter()
        self.clear()

    def clear(self) -> None:
        """Forget all but the requests that are being answered."""
        self.latest.clear()
        self.routes: dict[str, Counter[str]] = {name: Counter() for name in SERVICES}
        self.statuses: dict[str, Counter[str]] = {name: Counter() for name in SERVICES}
        self.connections: dict[str, set[Any]] = {name: set() for name in SERVICES}
        self.peak: Counter[str] = Counter()

    def start(self, service: str, method: str, template: str, connection: Any) -> None:
        """A request has arrived."""
        self.routes[service][f"{method} {template}"] += 1
        self.connections[service].add(connection)
        flying = self.in_flight[service] + 1
        self.in_flight[service] = flying
        if flying > self.peak[service]:
            self.peak[service] = flying

    def end(self, service: str, method: str, path: str, status: int | str) -> None:
        """It was answered with `status`, or was lost by the fault named there."""
        self.in_flight[service] -= 1
        self.statuses[service][str(status)] += 1
        self.latest.append((time.time(), service, method, path, status))

    def summary(self) -> dict[str, Any]:
        """Counts per service."""
        return {
            name: {
                "count": self.routes[name].total(),
                "by_route": dict(self.routes[name]),
                "by_status": dict(self.statuses[name]),
                "connections": len(self.connections[name]),
                "in_flight": self.in_flight[name],
                "peak_in_flight": self.peak[name],
            }
            for name in SERVICES
        }


class Window:
    """At most `limit` units in any `seconds`; refuses without counting the refused."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit = limit
        self.seconds = seconds
        self.used = 0
        self._taken: deque[tuple[float, int]] = deque()

    def wait(self, now: float, units: int = 1) -> float:
        """Seconds until `units` fit; 0 where they fit now."""
        while self._taken and self._taken[0][0] <= now - self.seconds:
            self.used -= self._taken.popleft()[1]
        if self.used + units <= self.limit:
            return 0.0
        missing = self.used + units - self.limit
        for taken_at, taken in self._taken:
            missing -= taken
            if missing <= 0:
                return taken_at + self.seconds - now
        return self.seconds

    def take(self, now: float, units: int = 1) -> None:
        """Use `units` up."""
        self._taken.append((now, units))
        self.used += units

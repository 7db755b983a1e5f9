"""A team's own service: what its declaration may hold, the requests it makes, the client against the stand-in."""

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, TypeVar

import httpx
import pytest
from pydantic import ValidationError

from bot.sandbox import create_app, running
from integrations.base import BreakerSettings, Limit, RetrySettings
from integrations.resilience import Guard
from integrations.rest.client import LARGEST, RestClient
from integrations.rest.commands import idempotency_key, request_of
from integrations.rest.settings import OperationSettings, RestSettings
from models.commands import Pending, call_service, payload_hash
from models.errors import BadCredential, BreakerOpen, RateLimited, Rejected, SwitchyardError, Transient
from models.units import Rate

T = TypeVar("T")
SECRET = "an-ordinary-secret-of-the-pager"

OPERATIONS: dict[str, Any] = {
    "read": {"path": "/things/{id}"},
    "name": {"path": "/things/{id}", "answer": "owner.name"},
    "odd": {"path": "/things/{id}", "answer": "length(size)"},
    "echo": {"path": "/echo/{id}/end", "query": {"q": "{q}", "fixed": 1, "many": ["{q}", "b"]}},
    "add": {"method": "POST", "path": "/things", "body": {"title": "{title}", "n": "{n}", "say": "No. {n}!"}},
    "put": {"method": "PUT", "path": "/things/{id}", "body": {"all": "{all}"}},
    "change": {"method": "PATCH", "path": "/things/{id}", "body": {"seen": True}},
    "drop": {"method": "DELETE", "path": "/things/{id}"},
}


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ({"path": "things"}, "pattern"),
        ({"path": "/a?b=c"}, "pattern"),
        ({"path": "/a/../b"}, "must not hold . or .."),
        ({"path": "/a", "method": "TRACE"}, "'GET', 'POST'"),
        ({"path": "/a", "body": {}}, "a GET has no body"),
        ({"path": "/a", "answer": "a ="}, "is no JMESPath expression"),
        ({"path": "/a", "method": "POST", "answer": "a"}, "answer is for GET"),
        ({"path": "/a", "headers": {}}, "extra"),
    ],
)
def test_declarations_that_are_refused(operation: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as error:
        RestSettings.model_validate({"base_url": "http://x.test", "operations": {"op": operation}})
    assert words.lower() in str(error.value).lower()


def test_names_and_addresses_that_are_refused() -> None:
    good = {"path": "/a"}
    for base, operations in (
        ("ftp://x", {"op": good}),
        ("http://x", {"Op": good}),
        ("http://x", {}),
        ("http://x?a", {"a": good}),
    ):
        with pytest.raises(ValidationError):
            RestSettings.model_validate({"base_url": base, "operations": operations})


def test_fields_are_found_wherever_they_stand() -> None:
    operation = OperationSettings(
        method="POST",
        path="/a/{one}/b{two}",
        query={"q": "x{three}"},
        body={"a": [{"b": "{four}"}], "c": "{ no }"},
    )
    assert operation.fields == {"one", "two", "three", "four"}
    assert OperationSettings.model_validate(OPERATIONS["read"]).fields == {"id"}


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("core", "/things/core"),
        (7, "/things/7"),
        (True, "/things/true"),
        ("a/b", "/things/a%2Fb"),
        ("../../admin", "/things/..%2F..%2Fadmin"),
        ("a?b#c", "/things/a%3Fb%23c"),
        ("%2e%2e", "/things/%252e%252e"),
        ("ä \r\n{x}", "/things/%C3%A4%20%0D%0A%7Bx%7D"),
        ("\\..\\", "/things/%5C..%5C"),
        ("\ud800", "/things/%3F"),
        ("...", "/things/..."),
    ],
)
def test_a_value_stays_in_its_part_of_the_path(value: Any, path: str) -> None:
    call = request_of(OperationSettings.model_validate(OPERATIONS["read"]), {"id": value})
    assert call.path == path
    # The library that sends it does not take it for anything else.
    assert httpx.URL("http://h" + call.path).raw_path.decode() == path


@pytest.mark.parametrize("value", ["", ".", "..", None, [1], {"a": 1}, "x" * 501])
def test_a_value_that_fits_no_path_is_refused(value: Any) -> None:
    with pytest.raises(Rejected):
        request_of(OperationSettings.model_validate(OPERATIONS["read"]), {"id": value})
    with pytest.raises(Rejected):
        request_of(OperationSettings(path="/a/{id}{id}"), {"id": "."})
    with pytest.raises(Rejected):
        request_of(OperationSettings.model_validate(OPERATIONS["read"]), {})


def test_a_field_that_stands_alone_keeps_its_type() -> None:
    call = request_of(OperationSettings.model_validate(OPERATIONS["add"]), {"title": '"}, {"', "n": 3})
    assert call.body == {"title": '"}, {"', "n": 3, "say": "No. 3!"}
    whole = request_of(OperationSettings.model_validate(OPERATIONS["put"]), {"id": "1", "all": {"a": [None]}})
    assert whole.body == {"all": {"a": [None]}}


def settings(base: str) -> RestSettings:
    auth = {"secret_env": "PAGER_TOKEN"}
    return RestSettings.model_validate({"base_url": base, "auth": auth, "operations": OPERATIONS})


def at(base: str, work: Callable[[RestClient], Awaitable[T]], secret: str = SECRET, timeout: float = 60) -> T:
    async def call() -> T:
        guard = Guard(
            "api:pager",
            limits=[Limit([Rate(1000, 1)])],
            timeout=timeout,
            breaker=BreakerSettings(failure_threshold=3),
            retry=RetrySettings(max_attempts=2, initial_delay=0.01),
        )
        client = RestClient("pager", settings(base), secret, guard, user_agent="test", requests_in_flight=5)
        try:
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(call())


def pending(operation: str, values: Mapping[str, Any]) -> Pending:
    command = call_service("octo/widgets#7", "pager", operation, values)
    return Pending(command=command, created_at=datetime.now(UTC), payload_hash=payload_hash(command.payload))


@pytest.fixture
def sandbox() -> Iterator[Any]:
    with running(create_app([])) as made:
        yield made


def test_reading(sandbox: Any) -> None:
    base = f"{sandbox.url}/services/pager/"
    sandbox.app.services.documents["pager", "things/1"] = {"owner": {"name": "Ada"}, "size": 3}
    assert at(base, lambda c: c.read("read", {"id": 1})) == {"owner": {"name": "Ada"}, "size": 3}
    assert at(base, lambda c: c.read("name", {"id": 1})) == "Ada"
    with pytest.raises(Rejected, match="the answer of odd is another than expected"):
        at(base, lambda c: c.read("odd", {"id": 1}))
    with pytest.raises(Rejected, match="HTTP 404"):
        at(base, lambda c: c.read("read", {"id": "2"}))
    with pytest.raises(Rejected, match="add does not read"):
        at(base, lambda c: c.read("add", {"title": "x", "n": 1}))
    with pytest.raises(Rejected, match="declares no operation 'gone'"):
        at(base, lambda c: c.read("gone", {}))
    told = at(base, lambda c: c.read("echo", {"id": "../x", "q": "a&b=c"}))
    assert told["path"] == "/services/pager/echo/..%2Fx/end"
    assert told["query"] == {"q": "a&b=c", "fixed": "1", "many": "b"}
    assert told["headers"]["authorization"] == f"Bearer {SECRET}"
    assert told["headers"]["user-agent"] == "test"


def test_writing(sandbox: Any) -> None:
    base = f"{sandbox.url}/services/pager"
    store = sandbox.app.services
    add = pending("add", {"title": "T", "n": 1})
    for wish in (add, add, replace(add, payload_hash="another")):
        at(base, lambda c, wish=wish: c.send([wish]))  # type: ignore[misc]
    # The same wish twice is one for the service; a changed one is another.
    assert [entry["id"] for entry in store.documents["pager", "things"]] == [1, 2]
    assert store.repeats() == 1
    assert store.calls[0]["key"] == idempotency_key(add)
    assert at(base, lambda c: c.send([pending("put", {"id": "x", "all": 1})])) == [{"status": 200}]
    at(base, lambda c: c.send([pending("change", {"id": "x"})]))
    assert store.documents["pager", "things/x"] == {"all": 1, "seen": True}
    at(base, lambda c: c.send([pending("drop", {"id": "x"})]))
    assert ("pager", "things/x") not in store.documents
    with pytest.raises(Rejected, match="HTTP 404"):
        at(base, lambda c: c.send([pending("drop", {"id": "x"})]))
    with pytest.raises(Rejected, match="read does not write"):
        at(base, lambda c: c.send([pending("read", {"id": "x"})]))
    assert at(base, lambda c: c.find([add])) == {}
    assert at(base, lambda c: c.check()) == "8 operations declared; none is called now"


def test_a_secret_that_no_header_holds_is_refused_unshown() -> None:
    with pytest.raises(ValueError, match=r"^no header can hold it$"):
        at("http://x.test", lambda c: c.check(), secret="line\nend")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"fault": "status", "status": 500}, Transient),
        ({"fault": "status", "status": 401}, BadCredential),
        ({"fault": "status", "status": 429, "retry_after": 30}, RateLimited),
        ({"fault": "html", "status": 200}, Transient),
        ({"fault": "truncate"}, Transient),
        ({"fault": "drop_after"}, Transient),
        ({"fault": "hang"}, Transient),
        ({"fault": "echo", "status": 400}, Rejected),
    ],
)
def test_faults(sandbox: Any, fault: dict[str, Any], error: type[SwitchyardError]) -> None:
    from config.secrets import protect

    protect("PAGER_TOKEN", SECRET)
    with httpx.Client(base_url=sandbox.url) as http:
        assert http.post("/_control", json={"service": "api", **fault}).status_code == 200
    wait = 0.5 if fault["fault"] == "hang" else 60
    with pytest.raises(error) as found:
        at(f"{sandbox.url}/services/pager", lambda c: c.read("read", {"id": 1}), timeout=wait)
    assert SECRET not in str(found.value)


def test_a_service_that_fails_again_and_again_is_left_alone(sandbox: Any) -> None:
    with httpx.Client(base_url=sandbox.url) as http:
        http.post("/_control", json={"service": "api", "fault": "status", "status": 503})

    async def often(client: RestClient) -> None:
        for _ in range(2):
            with pytest.raises(Transient):
                await client.read("read", {"id": 1})
        with pytest.raises(BreakerOpen):
            await client.read("read", {"id": 1})
        assert client.guard.requests == 3

    at(f"{sandbox.url}/services/pager", often)


@contextmanager
def serving(status: int, headers: Mapping[str, str], body: bytes) -> Iterator[tuple[str, list[str]]]:
    """A service that always answers the same, and notes who asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.do_GET()

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


LARGE = json.dumps("x" * (LARGEST + 1)).encode()


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (200, {}, json.dumps("x" * (LARGEST - 2)).encode(), "x" * (LARGEST - 2)),
        (200, {}, LARGE, "larger than 256 kB"),
        (200, {"content-encoding": "gzip"}, gzip.compress(LARGE * 40, mtime=0), "larger than 256 kB"),
        (200, {"content-encoding": "gzip"}, gzip.compress(b'{"a": 1}', mtime=0), {"a": 1}),
        (200, {}, b"[" * 200_000, "no JSON"),
        (200, {}, b"[" * 41 + b"]" * 41, "no JSON"),
        (200, {}, b"[" * 3 + b"]" * 3, [[[]]]),
        (
            200,
            {},
            b'{"a": 1e999, "b": NaN, "c\\u0000": "\\ud800!\\u0000", "d": 1.5}',
            {"a": None, "b": None, "c": "?!", "d": 1.5},
        ),
        (200, {}, b"", "no JSON"),
        (200, {}, b"null", None),
        (302, {"location": "http://127.0.0.1:1/"}, b"", "HTTP 302"),
    ],
)
def test_answers(status: int, headers: dict[str, str], body: bytes, expected: Any) -> None:
    with serving(status, headers, body) as (base, asked):
        if isinstance(expected, str) and not expected.startswith("x"):
            with pytest.raises(SwitchyardError, match=expected):
                at(base, lambda c: c.read("read", {"id": 1}))
        else:
            assert at(base, lambda c: c.read("read", {"id": 1})) == expected
        assert set(asked) == {"/things/1"}


@pytest.mark.parametrize(("status", "body"), [(404, b"{}"), (403, b"{}"), (503, b""), (200, b"no")])
def test_errors_tell_nothing_of_what_fields_hold(status: int, body: bytes) -> None:
    with serving(status, {}, body) as (base, asked):
        with pytest.raises(SwitchyardError) as error:
            at(base, lambda c: c.read("read", {"id": "what a report says"}))
    assert "GET /things/{id}" in str(error.value) and "report" not in str(error.value)
    assert set(asked) == {"/things/what%20a%20report%20says"}

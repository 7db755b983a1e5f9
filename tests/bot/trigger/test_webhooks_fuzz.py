"""Whatever is sent to the webhooks' door: no fault, nothing unsigned let in, and nothing left lying behind it."""

import asyncio
import hashlib
import hmac
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from bot.store.database import Database
from bot.trigger.webhooks import Door, sources
from tests.bot.trigger import webhooks_fuzz as door_fuzz
from tests.bot.trigger.test_inbox import REPO, Served, issue_event, seeds, serving
from tests.bot.trigger.webhooks_fuzz import SECRET, SECRETS, Case, ask, cases, fuzz, largest


async def test_malformed_deliveries_do_no_harm(database_url: str) -> None:
    outcome = await fuzz(database_url, seed=1, count=2000)
    assert outcome.broken == []
    assert outcome.handled > 100 and min(outcome.statuses[code] for code in (202, 200, 400, 401)) > 10
    assert outcome.memory < 200


def test_the_same_seed_makes_the_same_cases() -> None:
    first, again = ([(c.headers, c.body) for c in cases(3, 50)] for _ in range(2))
    assert first == again


@pytest.mark.parametrize(("extra", "status"), [(0, 202), (1, 413)])
@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_at_the_limit(database: Database, extra: int, status: int, announced: bool) -> None:
    body = largest(extra)
    case = Case(
        "/webhooks/github",
        [
            (b"content-type", b"application/json"),
            (b"x-github-event", b"issues"),
            (b"x-github-delivery", b"large"),
            (
                b"x-hub-signature-256",
                b"sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).digest().hex().encode(),
            ),
            (b"content-length", b"%d" % len(body)) if announced else (b"transfer-encoding", b"chunked"),
        ],
        [body[at : at + 65_536] for at in range(0, len(body), 65_536)],
        signed=True,
    )

    async def nothing(*_: object) -> None:
        raise AssertionError

    door = Door(nothing, database, sources(SECRETS), lambda: None)
    # More than fit at one time: they wait for one another.
    answers = await asyncio.gather(*(ask(door, case) for _ in range(6)))
    assert sorted(answers) == ([200] * 5 + [202] if status == 202 else [413] * 6)
    assert await database.run(door_fuzz.handle) == (status == 202)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("door"), seeds(3)) as (_, served):
        yield served


def raw(port: int, request: bytes, wait: float = 10) -> bytes:
    """What the server answers to these bytes before it closes, or says nothing for a while."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait) as connection:
        answer = b""
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65_536):
                answer += part
        except OSError:
            pass
        return answer


def as_sent(case: Case) -> bytes:
    lines = [b"POST %s HTTP/1.1" % case.path.encode(), b"host: x", b"connection: close"]
    return b"\r\n".join([*lines, *(key + b": " + value for key, value in case.headers), b"", case.body])


def test_malformed_deliveries_over_http(door: Served) -> None:
    for at, case in enumerate(cases(2, 300)):
        answer = raw(door.port, as_sent(case))
        status = int(answer[9:12] or b"0")
        # A length that is none, or that is more than what comes, gets no answer or a plain refusal.
        assert status < 500, (at, answer[:200])
        assert case.signed or not 200 <= status < 300, (at, answer[:200])
    assert door.http.get("/readyz").status_code == 200


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
        b"GET\r\n\r\n",
        b"\r\n" * 5000,
        b"POST /webhooks/github HTTP/9.9\r\n\r\n",
        b"POST /webhooks/github HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        b"POST /webhooks/github HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n",
        b"POST /webhooks/github HTTP/1.1\r\nhost: x\r\n" + b"a" * 100_000 + b": b\r\n\r\n",
        b"POST /webhooks/github\x00 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST /webhooks/github HTTP/1.1\r\nhost: x\r\nx-hub-signature-256: a\x00b\r\n\r\n",
        b"POST " + b"/webhooks/" + b"\xff\xfe" * 3000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST /webhooks/%ZZ%00%ff HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        bytes(range(256)) * 40,
    ],
)
def test_what_is_no_http_is_refused(door: Served, request_bytes: bytes) -> None:
    status = int(raw(door.port, request_bytes, wait=1)[9:12] or b"400")
    assert 400 <= status < 500
    assert door.http.get("/healthz").status_code == 200


def test_those_who_never_end_stop_nobody(door: Served) -> None:
    head = b"POST /webhooks/github HTTP/1.1\r\nhost: x\r\nx-hub-signature-256: sha256=0\r\n"
    kinds = (
        b"content-length: 26214400\r\n\r\n{",
        b"content-length: 500\r\n\r\n{",
        b"transfer-encoding: chunked\r\n\r\n",
    )
    longest = []
    # The unending ones are given up after twenty seconds. Nobody waits for that: once in several tries that shows,
    # however busy the machine is.
    while not longest or (min(longest) >= 5 and len(longest) < 10):
        slow = [socket.create_connection(("127.0.0.1", door.port)) for _ in range(200)]
        try:
            for at, connection in enumerate(slow):
                connection.sendall(head + kinds[at % 3] if at % 4 else head)
            took = []
            for number in (1, 2, 3):
                started = time.monotonic()
                body = issue_event(number, body="x" * (3_000_000 if number == 3 else 100))
                delivery = f"patient-{number}-{len(longest)}"
                assert door.post(body, delivery=delivery).status_code in ((200, 202) if longest else (202,))
                took.append(time.monotonic() - started)
            longest.append(max(took))
            assert door.http.get("/readyz").status_code == 200
        finally:
            for connection in slow:
                connection.close()
    assert min(longest) < 5


def test_unknown_repositories_and_stories_are_stored_and_put_away(door: Served) -> None:
    other = issue_event(7).replace(REPO.encode(), b"some/where")
    assert door.post(other, delivery="elsewhere").status_code == 202
    for number in (-1, 0, 999_999, 2**70):
        body = b'{"id": "s%d", "actions": [{"id": %d, "entity_type": "story"}]}' % (number, number)
        mac = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        told = httpx.post(
            f"http://127.0.0.1:{door.port}/webhooks/shortcut",
            content=body,
            headers={"content-type": "application/json", "payload-signature": mac},
        )
        assert told.status_code == 202

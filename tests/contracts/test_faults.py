"""Faults on demand over real connections, and the control interface's own manners."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bot.sandbox import RunningSandbox, create_app, running
from tests.contracts.api import ISSUES, REPO

_COMMENTS = f"/repos/{REPO}/issues/1/comments"
_WAIT = httpx.Timeout(0.5)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running(create_app(ISSUES)) as found:
        yield found


@pytest.fixture
def client(sandbox: RunningSandbox) -> Iterator[httpx.Client]:
    headers = {"authorization": "Bearer t", "shortcut-token": "t"}
    with httpx.Client(base_url=sandbox.url, headers=headers, timeout=_WAIT) as found:
        control(found, reset="all")
        yield found


def control(client: httpx.Client, **data: Any) -> Any:
    """A control request that has to work."""
    reply = client.post("/_control", json=data)
    assert reply.status_code == 200, reply.text
    return reply.json()


def comment(client: httpx.Client) -> httpx.Response:
    """Something with an effect that can be counted."""
    return client.post(_COMMENTS, json={"body": "hello"})


def comments(client: httpx.Client) -> int:
    """How many came into being."""
    return len(client.get("/_control/comments").json())


@pytest.mark.parametrize(
    ("kind", "error", "effects"),
    [
        ("refuse", httpx.RemoteProtocolError, 0),
        ("drop_after", httpx.RemoteProtocolError, 1),
        ("truncate", httpx.RemoteProtocolError, 1),
        ("hang", httpx.ReadTimeout, 0),
        ("hang_after", httpx.ReadTimeout, 1),
    ],
)
def test_no_answer(client: httpx.Client, kind: str, error: type[Exception], effects: int) -> None:
    control(client, service="github", match="POST /repos/.*/comments", fault=kind, times=1)
    with pytest.raises((error, httpx.ReadError)):
        comment(client)
    assert comments(client) == effects
    assert comment(client).status_code == 201
    assert client.get("/_control/state").json()["requests"]["github"]["by_status"] == {kind: 1, "201": 1}


def test_slow_request_lands_after_its_client_has_gone(client: httpx.Client) -> None:
    control(client, service="github", fault="slow", seconds=4, times=1)
    with pytest.raises(httpx.ReadTimeout):
        client.post(_COMMENTS, json={"body": "hello"}, timeout=0.05)
    assert comments(client) == 0
    deadline = time.monotonic() + 300
    while comments(client) == 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert comments(client) == 1


def test_status_in_each_services_words(client: httpx.Client) -> None:
    for service, method, path in (
        ("github", "GET", "/user"),
        ("shortcut", "GET", "/api/v3/member"),
        ("slack", "POST", "/api/auth.test"),
        ("webhook", "POST", "/hooks/a"),
    ):
        control(client, service=service, fault="status", status=429, retry_after=7, times=1)
        reply = client.request(method, path)
        assert (reply.status_code, reply.headers["retry-after"]) == (429, "7"), service
        assert isinstance(reply.json(), dict)
        assert client.request(method, path).status_code == 200


def test_html_and_own_bodies(client: httpx.Client) -> None:
    control(client, service="shortcut", fault="html", times=1)
    reply = client.get("/api/v3/member")
    assert (reply.status_code, reply.headers["content-type"]) == (502, "text/html")
    control(client, service="slack", fault="status", status=200, body={"ok": False, "error": "x"}, times=1)
    assert client.post("/api/auth.test").json() == {"ok": False, "error": "x"}


def test_times_match_rate_and_lifting(client: httpx.Client) -> None:
    control(client, service="github", match="GET /user", fault="status", status=500)
    assert [client.get("/user").status_code, client.get("/rate_limit").status_code] == [500, 200]
    found = control(client, service="github", fault="none", match="GET /user")
    assert found["faults"] == [] and client.get("/user").status_code == 200
    control(client, service="github", fault="status", rate=0.5, seed=1)
    seen = [client.get("/user").status_code for _ in range(40)]
    assert 8 < seen.count(503) < 32
    control(client, reset="faults")
    assert client.get("/user").status_code == 200


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "expected one of"),
        ({"surprise": 1}, "surprise"),
        ({"service": "gitlab", "fault": "hang"}, "service must be"),
        ({"service": "github", "fault": "explode"}, "fault must be"),
        ({"service": "github", "fault": "hang", "match": "("}, "regular expression"),
        ({"service": "github", "fault": "hang", "tmies": 3}, "tmies"),
        ({"service": "github", "fault": "status", "status": "503"}, "status"),
        ({"service": "github", "fault": "status", "rate": 2}, "probability"),
        ({"reset": "nothing"}, "faults or all"),
        ({"repo": "octo/widgets", "access": "admin"}, "access must be"),
        ({"repo": "widgets", "access": "gone"}, "OWNER/NAME"),
        ({"issue": {"title": "x"}}, "OWNER/NAME"),
        ({"issue": {"repo": "a/b", "tilte": "x"}}, "tilte"),
        ({"issue": {"repo": "a/b", "labels": [1]}}, "labels"),
        ({"channel": "#x"}, "exists"),
        ({"latency_ms": -1}, "latency_ms"),
    ],
)
def test_unknown_control_is_refused_clearly(client: httpx.Client, data: dict[str, Any], words: str) -> None:
    reply = client.post("/_control", json=data)
    assert reply.status_code == 400 and words in reply.json()["error"]


def test_latency_delays_the_answer_not_the_effect(client: httpx.Client) -> None:
    control(client, latency_ms=700)
    with pytest.raises(httpx.ReadTimeout):
        comment(client)
    assert comments(client) == 1
    control(client, latency_ms=0)


def test_issue_from_outside_is_listed_first(client: httpx.Client) -> None:
    made = control(client, issue={"repo": REPO, "title": "Brand new", "created_at": "2026-11-01T00:00:00Z"})
    assert client.get(f"/repos/{REPO}/issues").json()[0]["number"] == made["number"] == 5
    control(client, issue={"repo": REPO, "number": 5, "title": "Edited"})
    assert client.get(f"/repos/{REPO}/issues/5").json()["title"] == "Edited"


def test_webhooks_are_kept_and_repeats_counted(client: httpx.Client) -> None:
    for _ in range(2):
        client.post("/hooks/audit", content=b'{"a":1}', headers={"webhook-id": "msg_1"})
    kept = client.get("/_control/webhooks").json()
    assert [(w["name"], w["id"], w["repeat"], w["body"]) for w in kept] == [
        ("audit", "msg_1", False, '{"a":1}'),
        ("audit", "msg_1", True, '{"a":1}'),
    ]
    assert client.get("/_control/state").json()["webhook_repeats"] == 1


def test_connections_are_counted(client: httpx.Client) -> None:
    for _ in range(3):
        client.get("/user")
    requests = client.get("/_control/state").json()["requests"]["github"]
    assert (requests["count"], requests["connections"]) == (3, 1)
    assert requests["by_route"] == {"GET /user": 3}


def test_pages_of_a_listing(client: httpx.Client) -> None:
    stories = [{"name": f"s{n}", "workflow_state_id": 500000001} for n in range(500)]
    client.post("/api/v3/stories/bulk", json={"stories": stories})
    assert len(client.get("/_control/stories").json()) == 500
    part = client.get("/_control/stories", params={"offset": 490, "limit": 3}).json()
    assert [story["name"] for story in part] == ["s490", "s491", "s492"]
    assert client.get("/_control/surprise").status_code == 400

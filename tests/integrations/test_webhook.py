"""Outgoing webhooks: the signature, what each answer means, and strangers' receivers that misbehave."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from integrations.base import BreakerSettings, Limit, RetrySettings
from integrations.egress import Rules
from integrations.resilience import Guard
from integrations.webhook import client as client_module
from integrations.webhook.client import RETRIES, RepositoryHooks, WebhookClient
from integrations.webhook.commands import derived_secret, request_of, signer
from integrations.webhook.settings import WebhookSettings
from models.commands import Pending
from models.errors import RateLimited, Rejected, SwitchyardError, Transient, Unavailable
from models.messages import post_event
from models.units import Rate
from tests.integrations.test_egress import NAME, Receiver, door, receiver
from tests.integrations.test_redirects import server

SECRET = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"
OPERATORS = "a long secret of the operator's own"


def event(url: str = "", attempts: int = 0, key: str = "event:run-1:abc") -> Pending:
    hook = {"id": "abc", "repo": "octo/widgets", "url": url}
    command = post_event(key, lane="webhook:0", hook=hook, event={"type": "run.finished", "data": {}})
    return Pending(command=command, created_at=datetime.now(UTC), attempts=attempts)


def guard(name: str) -> Guard:
    breaker = BreakerSettings(failure_threshold=2)
    return Guard(name, limits=[Limit([Rate(1_000, 1)])], timeout=60, breaker=breaker, retry=RetrySettings())


@asynccontextmanager
async def hooks(there: Receiver, rules: Rules | None = None) -> AsyncIterator[RepositoryHooks]:
    made = RepositoryHooks(
        OPERATORS,
        guard("webhook:repositories"),
        user_agent="test",
        rules=rules or door(there.port),
        verify=there.trust,
    )
    try:
        yield made
    finally:
        await made.close()


def parts(request: bytes) -> dict[str, str]:
    lines = request.decode().split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}


def test_a_repeat_keeps_its_id_and_has_its_own_time() -> None:
    now = datetime.now(UTC)
    tries = [request_of(event(), signer(SECRET), now + timedelta(seconds=wait)) for wait in (0, 90)]
    assert tries[0][0] == tries[1][0]
    ids, times = zip(*((h["webhook-id"], h["webhook-timestamp"]) for _, h in tries), strict=True)
    assert ids[0] == ids[1] and int(times[1]) - int(times[0]) == 90
    for body, headers in tries:
        assert Webhook(SECRET).verify(body, dict(headers))["type"] == "run.finished"
    # What is signed is id.time.body: an id may hold no full stop.
    _, headers = request_of(event(key="event:a.b:1"), signer(SECRET), now)
    assert "." not in headers["webhook-id"]


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!", "whsec_a"])
def test_what_is_no_signing_secret(secret: str) -> None:
    with pytest.raises(ValueError):
        signer(secret)


def test_each_address_of_each_repository_has_its_own_secret() -> None:
    made = {
        derived_secret(key, repo, url)
        for key in ("a" * 24, "b" * 24)
        for repo in ("octo/widgets", "octo/gadgets", "octo/widgets\0https://a")
        for url in ("https://a", "https://b", "https://a/")
    }
    assert len(made) == 18
    assert derived_secret("k", "Octo/Widgets", "u") == derived_secret("k", "octo/widgets", "u")
    assert all(len(Webhook(secret)._whsecret) == 32 for secret in made)


@pytest.mark.parametrize(
    ("status", "header", "error"),
    [
        (200, None, None),
        (204, None, None),
        (299, None, None),
        (301, None, Rejected),
        (308, None, Rejected),
        (400, None, Transient),
        (404, None, Transient),
        (410, None, Rejected),
        (429, "7", RateLimited),
        (500, None, Transient),
        (503, "7", RateLimited),
    ],
)
async def test_what_the_operators_receiver_answers(
    status: int, header: str | None, error: type[SwitchyardError] | None
) -> None:
    with server() as there:
        there.status = status
        there.headers = {"retry-after": header} if header else {}
        settings = WebhookSettings(url=f"http://127.0.0.1:{there.port}/hook", secret_env="HOOK")
        client = WebhookClient(0, settings, SECRET, guard("webhook:0"), user_agent="test")
        try:
            if error is None:
                assert await client.send([event()]) == [{"status": status}]
            else:
                with pytest.raises(error, match=str(status)):
                    await client.send([event()])
        finally:
            await client.close()


async def test_a_strangers_receiver_gets_a_signed_event(tmp_path: Path) -> None:
    async with receiver(tmp_path) as there, hooks(there) as client:
        url = f"https://{NAME}:{there.port}/hook"
        assert await client.send([event(url)]) == [{"status": 200}]
        body, headers = json.dumps(event().payload["event"], separators=(",", ":")), parts(there.requests[0])
        Webhook(derived_secret(OPERATORS, "octo/widgets", url)).verify(body, headers)
        with pytest.raises(Exception, match="signature"):
            Webhook(derived_secret(OPERATORS, "octo/gadgets", url)).verify(body, headers)


@pytest.mark.parametrize(
    ("status", "words", "error"),
    [
        (302, "a redirect, which is not followed", Rejected),
        (410, "off until its address changes", Rejected),
        (404, "answered 404", Unavailable),
        (429, "answered 429", Unavailable),
        (500, "answered 500", Unavailable),
    ],
)
async def test_what_a_strangers_receiver_answers(
    tmp_path: Path, status: int, words: str, error: type[SwitchyardError]
) -> None:
    async with receiver(tmp_path) as there, hooks(there) as client:
        there.answer = f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n".encode()
        url = f"https://{NAME}:{there.port}/hook"
        for _ in range(5):
            with pytest.raises(error, match=words):
                await client.send([event(url)])
        # It is nobody else's trouble.
        assert client.guard.breaker.state == "closed"
        there.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
        await client.send([event(url)])


async def test_a_receiver_that_stays_silent_is_given_up_after_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "TIMEOUT", 0.2)
    async with receiver(tmp_path) as there, hooks(there) as client:
        there.answer = b""
        there.silent = True
        url = f"https://{NAME}:{there.port}/hook"
        for attempts, wait in enumerate(RETRIES):
            with pytest.raises(Unavailable, match="no answer within") as later:
                await client.send([event(url, attempts)])
            seconds = (later.value.until - datetime.now(UTC)).total_seconds()
            assert wait * 0.99 - 1 < seconds < wait * 1.21
        with pytest.raises(Rejected, match=f"given up after {len(RETRIES) + 1} tries"):
            await client.send([event(url, len(RETRIES))])
        assert sum(RETRIES) > 24 * 3_600


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://127.0.0.1/", "octo/widgets: the address is refused: 127.0.0.1 leads to 127.0.0.1"),
        ("http://example.com/", "only https"),
        ("https://example.com:22/", "port 22"),
        ("https://a:b@example.com/", "name or password"),
    ],
)
async def test_a_refused_address_says_why(url: str, words: str) -> None:
    client = RepositoryHooks(OPERATORS, guard("webhook:repositories"), user_agent="test")
    try:
        with pytest.raises(Rejected, match=words):
            await client.send([event(url)])
    finally:
        await client.close()

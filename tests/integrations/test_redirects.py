"""A service that sends its clients elsewhere: no credential and no text of ours goes along."""

import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from integrations.base import BreakerSettings, Limit, RetrySettings, Target
from integrations.github.client.auth import Credential
from integrations.github.client.client import GithubClient
from integrations.github.settings import GithubSettings
from integrations.resilience import Guard
from integrations.shortcut.client import ShortcutClient
from integrations.shortcut.settings import ShortcutSettings
from integrations.slack.client import SlackClient
from integrations.slack.settings import SlackSettings
from integrations.webhook.client import WebhookClient
from integrations.webhook.settings import WebhookSettings
from models.commands import Command, Pending
from models.errors import SwitchyardError
from models.units import Rate


@dataclass
class Server:
    port: int
    status: int = 200
    location: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    hits: list[str] = field(default_factory=list)


@contextmanager
def server() -> Iterator[Server]:
    """Notes each request; answers an empty JSON object, or where to go."""
    found = Server(0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            found.hits.append(f"{self.command} {self.path} {dict(self.headers)}")
            self.send_response(found.status)
            if found.location:
                self.send_header("location", found.location)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.send_header("content-type", "application/json")
            body = b"" if found.status == 204 else b"{}"
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = answer

        def log_message(self, *_: object) -> None: ...

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    found.port = listening.server_address[1]
    thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield found
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


def pending(operation: str, target: str, **payload: object) -> Pending:
    command = Command(
        key=f"{operation}:octo/widgets#1",
        target=target,
        operation=operation,
        payload=payload,
        issue="octo/widgets#1",
    )
    return Pending(command=command, created_at=datetime.now(UTC))


def guard(name: str) -> Guard:
    limits = [Limit([Rate(1_000, 1)])]
    return Guard(
        name, limits=limits, timeout=60, breaker=BreakerSettings(), retry=RetrySettings(max_attempts=1)
    )


def github(base: str) -> GithubClient:
    return GithubClient(
        GithubSettings(base_url=base),
        Credential("ghp_token"),
        guard("github"),
        user_agent="test",
        requests_in_flight=2,
    )


def shortcut(base: str) -> ShortcutClient:
    settings = ShortcutSettings(base_url=base, workflow_state_id=1)
    return ShortcutClient(settings, "token", guard("shortcut"), user_agent="test", requests_in_flight=2)


def slack(base: str) -> SlackClient:
    return SlackClient(SlackSettings(base_url=f"{base}/api/"), "xoxb-token", guard("slack"))


def webhook(base: str) -> WebhookClient:
    settings = WebhookSettings(url=f"{base}/hook", secret_env="HOOK")
    return WebhookClient(
        0, settings, "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldY", guard("webhook:0"), user_agent="t"
    )


def sending(operation: str, target: str, **payload: object) -> Callable[[Target], Awaitable[object]]:
    return lambda client: client.send([pending(operation, target, **payload)])


ASKED: dict[str, tuple[Callable[[str], Target], Callable[[Target], Awaitable[object]]]] = {
    "github write": (github, sending("add_labels", "github", labels=["bug"])),
    "github read": (github, lambda client: client.issue("octo/widgets", 1)),  # type: ignore[attr-defined]
    "github list": (github, lambda client: client.list_issues("octo/widgets")),  # type: ignore[attr-defined]
    "shortcut": (shortcut, lambda client: client.check()),
    "slack write": (slack, sending("post_message", "slack", channel="#x", text="our words", blocks=[])),
    "slack read": (slack, lambda client: client.check()),
    "webhook": (webhook, sending("post_event", "webhook", event={"type": "x"})),
}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("asked", ASKED)
async def test_nothing_follows_to_another_host(asked: str, status: int) -> None:
    make, ask = ASKED[asked]
    with server() as first, server() as other:
        first.status, first.location = status, f"http://localhost:{other.port}/elsewhere"
        client = make(f"http://127.0.0.1:{first.port}")
        try:
            with pytest.raises(SwitchyardError):
                await ask(client)
        finally:
            await client.close()
        assert first.hits and other.hits == []


async def test_github_may_name_another_path_of_its_own() -> None:
    """A repository that was renamed answers 301 with its new address; the next page's host is never believed."""
    with server() as first, server() as other:
        client = github(f"http://127.0.0.1:{first.port}")
        try:
            with pytest.raises(SwitchyardError, match="something else than a list"):
                await client.follow(
                    "octo/widgets", f"http://127.0.0.1:{other.port}/repositories/1/issues?page=2"
                )
        finally:
            await client.close()
        assert len(first.hits) == 1 and other.hits == []

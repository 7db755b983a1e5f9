"""A GitHub App: its tokens, its installations, and what it asks to be allowed."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.sandbox import create_app, running
from integrations.base import BreakerSettings, RetrySettings
from integrations.github.client.auth import Credential, Installation, parse_installation
from integrations.github.client.client import GithubClient
from integrations.github.client.files import list_files
from integrations.github.client.permissions import (
    EVENTS,
    LEVELS,
    PERMISSIONS,
    configured,
    granted,
    missing,
    subscribed,
)
from integrations.github.commands import find_comment, marker
from integrations.github.settings import GithubSettings
from integrations.github.webhook import HANDLED
from integrations.resilience import Guard
from models.commands import Command, Pending, open_draft_pull
from models.errors import BadCredential, Rejected, Unauthorized
from tests.contracts.checked import checked

T = TypeVar("T")
MANIFEST = Path(__file__).parents[2] / "docs" / "github-app-manifest.json"


@pytest.fixture(scope="module")
def key() -> str:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.private_bytes(*form).decode()


class Sandbox:
    """A checked sandbox with two organisations, and clients of it."""

    def __init__(self, url: str, key: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=60)
        self._url, self._key = url, key

    def control(self, **what: Any) -> None:
        assert self.http.post("/_control", json=what).status_code == 200

    def use(self, work: Callable[[GithubClient], Awaitable[T]], key: str | None = None) -> T:
        async def life() -> T:
            guard = Guard(
                "github",
                limits=(),
                timeout=60,
                breaker=BreakerSettings(),
                retry=RetrySettings(max_attempts=1),
            )
            client = GithubClient(
                GithubSettings(base_url=self._url),
                Credential(app_id="4711", private_key=key or self._key),
                guard,
                user_agent="test",
                requests_in_flight=20,
            )
            try:
                return await work(client)
            finally:
                await client.close()

        return asyncio.run(life())

    def tokens(self) -> int:
        """How many installation tokens were fetched."""
        routes = self.http.get("/_control/state").json()["requests"]["github"]["by_route"]
        return sum(count for route, count in routes.items() if route.endswith("/access_tokens"))


@pytest.fixture
def sandbox(key: str) -> Iterator[Sandbox]:
    issues = [{"repo": name, "title": "It fails", "body": "x"} for name in ("octo/widgets", "acme/rockets")]
    app = checked(create_app(issues), required=False)
    with running(app) as served:
        found = Sandbox(served.url, key)
        yield found
        found.http.close()
    assert app.violations == []


def labels(repo: str) -> Pending:
    command = Command(
        key=f"labels:{repo}#1",
        target="github",
        operation="add_labels",
        payload={"labels": ["bug"]},
        issue=f"{repo}#1",
    )
    return Pending(command=command, created_at=datetime.now(UTC))


def test_threads_share_one_token_of_each_owner(sandbox: Sandbox) -> None:
    async def work(client: GithubClient) -> None:
        repos = ("octo/widgets", "acme/rockets") * 15
        found = await asyncio.gather(*(client.issue(repo, 1) for repo in repos))
        assert len(found) == 30

    sandbox.use(work)
    assert sandbox.tokens() == 2


def test_a_token_is_renewed_before_its_end_and_when_it_is_refused(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = time.monotonic

    async def work(client: GithubClient) -> None:
        await client.issue("octo/widgets", 1)
        await client.issue("octo/widgets", 1)
        assert sandbox.tokens() == 1
        monkeypatch.setattr(time, "monotonic", lambda: clock() + 3600)
        await client.issue("octo/widgets", 1)
        assert sandbox.tokens() == 2
        sandbox.control(installation={"owner": "octo", "revoke": True})
        # A write is repeated too: it was refused, not carried out.
        (answer,) = await client.send([labels("octo/widgets")])
        assert "removed" not in answer and sandbox.tokens() == 3

    sandbox.use(work)


def test_a_draft_pull_request_needs_more_than_labels_do(sandbox: Sandbox) -> None:
    repo = "octo/widgets"
    sandbox.control(repo=repo, files={"src/a.py": "x = 1\n"})

    async def propose(client: GithubClient) -> Mapping[str, Any]:
        files = await list_files(client, repo)
        changed = {"path": "src/a.py", "text": "x = 2\n", "sha": dict(files.blobs)["src/a.py"]}
        wish = open_draft_pull(
            f"{repo}#1", base=files.branch, base_commit=files.commit, files=[changed], title="x", body="y"
        )
        (answer,) = await client.send([Pending(command=wish, created_at=datetime.now(UTC))])
        return answer

    with pytest.raises(Rejected, match="it needs Contents and Pull requests: read and write"):
        sandbox.use(propose)
    more = {one.name: one.level for one in configured(GithubSettings(draft_pulls=True))}
    sandbox.control(installation={"owner": "octo", "permissions": granted() | more})
    assert sandbox.use(propose)["number"] == 2


def comment(repo: str, body: str) -> Pending:
    command = Command(
        key=f"comment:{repo}#1",
        target="github",
        operation="write_comment",
        payload={"body": body},
        issue=f"{repo}#1",
    )
    return Pending(command=command, created_at=datetime.now(UTC))


def test_only_the_apps_own_comment_is_found_again(sandbox: Sandbox) -> None:
    """Anybody can write the marker, and be quicker than the bot whose answer was lost."""
    repo = "octo/widgets"
    stranger = {"body": f"{marker(f'{repo}#1')}\ninstall this"}
    posted = sandbox.http.post(
        f"/repos/{repo}/issues/1/comments", json=stranger, headers={"authorization": "Bearer other"}
    ).json()

    async def work(client: GithubClient) -> None:
        pending = comment(repo, "hello")
        assert await client.find([pending]) == {}
        (sent,) = await client.send([pending])
        assert await client.find([pending]) == {pending.key: sent}
        assert sent["comment_id"] != posted["id"]

    sandbox.use(work)


@pytest.mark.parametrize(
    ("author", "login", "type_", "slug", "own"),
    [
        ("ann", "Ann", "User", None, True),
        ("ann", "eve", "User", None, False),
        ("ann", "bot[bot]", "Bot", None, False),
        ("bot[bot]", "bot[bot]", "Bot", "bot", True),
        ("bot[bot]", "bot[bot]", "Bot", None, True),
        ("bot[bot]", "bot", "User", None, False),
        ("bot[bot]", "bot[bot]", "Bot", "other", False),
        (None, "bot[bot]", "Bot", None, True),
        (None, "eve", "User", None, False),
    ],
)
def test_whose_comment_it_is(author: str | None, login: str, type_: str, slug: str | None, own: bool) -> None:
    item = {
        "id": 1,
        "body": marker("a/b#1"),
        "user": {"login": login, "type": type_},
        "performed_via_github_app": {"slug": slug} if slug else None,
    }
    assert (find_comment("a/b#1", [item], author) is not None) is own
    assert find_comment("a/b#1", [item | {"user": None}], author) is None


def test_a_suspended_owner_waits_alone_and_is_heard_again(sandbox: Sandbox) -> None:
    async def work(client: GithubClient) -> None:
        await client.issue("octo/widgets", 1)
        sandbox.control(installation={"owner": "octo", "suspended": True})
        with pytest.raises(Unauthorized, match="octo is suspended; resume it"):
            await client.send([labels("octo/widgets")])
        before, spent = sandbox.tokens(), client.guard.requests
        with pytest.raises(Unauthorized, match="suspended") as waiting:
            await client.send([labels("octo/widgets")])
        assert not isinstance(waiting.value, BadCredential), "the whole lane would wait"
        assert (sandbox.tokens(), client.guard.requests) == (before, spent), "it costs nothing"
        await client.send([labels("acme/rockets")])
        sandbox.control(installation={"owner": "octo", "suspended": False})
        client.connections.learn([Installation(1, "acme", False, {}, frozenset())])
        with pytest.raises(Unauthorized):
            await client.send([labels("octo/widgets")])
        listed = sandbox.http.get("/app/installations", headers={"authorization": "Bearer x"}).json()
        client.connections.learn([one for item in listed if (one := parse_installation(item))])
        await client.send([labels("octo/widgets")])

    sandbox.use(work)


def test_an_installation_that_comes_later_or_again_is_found(sandbox: Sandbox) -> None:
    async def work(client: GithubClient) -> None:
        sandbox.control(installation={"owner": "acme", "installed": False})
        await client.issue("octo/widgets", 1)
        with pytest.raises(Unauthorized, match="not installed for acme; install it"):
            await client.issue("acme/rockets", 1)
        sandbox.control(installation={"owner": "acme", "installed": True})
        with pytest.raises(Unauthorized):
            await client.issue("acme/rockets", 1)
        client.connections._accounts["acme"].closed_until = 0.0
        await client.issue("acme/rockets", 1)
        # Taken off and put on again: the old token is refused, the old number unknown.
        sandbox.control(installation={"owner": "octo", "installed": False})
        sandbox.control(installation={"owner": "octo", "installed": True})
        await client.issue("octo/widgets", 1)
        sandbox.control(installation={"owner": "octo", "installed": False})
        with pytest.raises(Unauthorized, match="not installed for octo"):
            await client.issue("octo/widgets", 1)

    sandbox.use(work)


def test_a_broken_key_is_named_and_not_shown(sandbox: Sandbox, key: str) -> None:
    async def work(client: GithubClient) -> None:
        await client.issue("octo/widgets", 1)

    sandbox.use(work, key.replace("\n", "\\n"))
    with pytest.raises(BadCredential, match="GITHUB_APP_PRIVATE_KEY") as error:
        sandbox.use(work, "hunter2")
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    "item", [None, [], {}, {"id": "1"}, {"id": 1, "account": None}, {"id": 1, "account": {"login": 5}}]
)
def test_an_odd_installation_is_left_out(item: Any) -> None:
    assert parse_installation(item) is None
    odd = parse_installation({"id": 1, "account": {"login": "octo"}, "permissions": [], "events": {}})
    assert odd == Installation(1, "octo", False, {}, frozenset())


def test_the_list_of_permissions_fits_what_is_handled() -> None:
    levels = {permission.name: permission for permission in PERMISSIONS}
    assert all(permission.level in LEVELS for permission in PERMISSIONS)
    for event in EVENTS:
        assert event.permission in levels
        assert event.optional or not levels[event.permission].optional
    automatic = {"installation", "installation_repositories"}
    assert {event.name for event in EVENTS} | automatic == HANDLED | {"push"}


def test_what_is_missing_is_said() -> None:
    assert missing(granted(), subscribed()) == ([], [])
    assert missing(granted() | {"issues": "admin"}, subscribed()) == ([], [])
    needed, optional = missing({"metadata": "read", "issues": "read", "checks": "read"}, ["issues"])
    assert [words.split(" (")[0] for words in needed] == [
        "permission issues: write",
        "permission contents: read",
        "event issue_comment",
        "event push",
        "event repository",
    ]
    assert [words.split(" (")[0] for words in optional] == [
        "permission pull_requests: read",
        "permission checks: write",
        "event pull_request",
    ]


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({}, []),
        ({"draft_pulls": True}, ["permission contents: write", "permission pull_requests: write"]),
        ({"draft_advisories": True}, ["permission repository_advisories: write"]),
    ],
)
def test_what_the_configuration_asks_for_is_missed(settings: dict[str, bool], names: list[str]) -> None:
    more = configured(GithubSettings(**settings))
    needed, _ = missing(granted(), subscribed(), more)
    assert [words.split(" (")[0] for words in needed] == names
    assert missing(granted() | {one.name: one.level for one in more}, subscribed(), more) == ([], [])


def test_the_manifest_asks_for_just_that() -> None:
    manifest = json.loads(MANIFEST.read_text())
    assert manifest["default_permissions"] == granted()
    assert manifest["default_events"] == subscribed()
    assert manifest["hook_attributes"]["url"].endswith("/webhooks/github")
    assert manifest["public"] is False
    assert set(manifest) <= {
        "name",
        "url",
        "hook_attributes",
        "redirect_url",
        "callback_urls",
        "setup_url",
        "description",
        "public",
        "default_events",
        "default_permissions",
        "request_oauth_on_install",
        "setup_on_update",
    }

"""GitHub over PyGithub: lists issues, and is the target of the github lane."""

import asyncio
import contextvars
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

from integrations.base import Answer, Kind
from integrations.github import commands
from integrations.github.client import other_commands as client_desk
from integrations.github.client import pulls as client_pulls
from integrations.github.client.auth import Connections, Credential
from integrations.github.client.errors import translate
from integrations.github.client.wire import look_before_sending
from integrations.github.payloads import last_page, next_url, place_of
from integrations.github.settings import SEARCHES, GithubSettings
from integrations.resilience import Budget, Guard
from models.commands import Pending
from models.errors import Rejected, Transient, Unauthorized
from models.issue import parse_ref

PER_PAGE = 100
CLOCK_SKEW = timedelta(days=1)
"""A command may have been stored under a clock that was hours ahead of GitHub's."""
REPOSITORY_KEPT = 60.0
"""Seconds for which it is believed that a repository is there: each of its commands may ask."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an issues list; `items` are raw. `unchanged` where GitHub answered 304."""

    items: tuple[Mapping[str, Any], ...]
    next_url: str | None
    etag: str | None
    unchanged: bool = False
    pages: int | None = None
    """How many there are, where GitHub tells it."""


@dataclass(frozen=True, slots=True)
class Access:
    """What the credential may do in a repository."""

    repo: str
    can_write: bool
    private: bool


class GithubClient:
    """One credential at GitHub; its requests go out in a pool of threads."""

    name = "github"

    def __init__(
        self,
        settings: GithubSettings,
        credential: Credential,
        guard: Guard,
        *,
        user_agent: str,
        requests_in_flight: int,
    ) -> None:
        self.guard = guard
        look_before_sending()
        self.connections = Connections(
            credential, settings.base_url, timeout=max(1, int(guard.timeout)), user_agent=user_agent
        )
        self._threads = ThreadPoolExecutor(requests_in_flight, thread_name_prefix="github")
        self.server_time: datetime | None = None
        """GitHub's clock as of its latest answer; ours may differ."""
        self.searches = Budget(SEARCHES)
        self._account: str | None = None
        self._closed: dict[str, tuple[float, str]] = {}
        """By repository when it was looked at (monotonic time), and why its issues cannot be reached."""

    async def list_issues(
        self, repo: str, *, since: datetime | None = None, url: str | None = None, etag: str | None = None
    ) -> Page:
        """One page of open issues and pull requests, oldest first; `url` is the next page's address.

        Sorted by creation: sorted by update, the bot's own labels would move issues between pages.
        """
        address = self.connections.on_base(url) if url else self.first_page(repo, since)
        headers = {"If-None-Match": etag} if etag else {}
        return await self._page(address, repo, etag, headers)

    async def list_changed(self, repo: str, since: datetime | None) -> Page:
        """The first issues and pull requests, open or closed, changed at or after `since`; earliest change first.

        The next page is the same question from the last one's time on: numbered pages of a list that is
        sorted by change lose what moves while they are read.
        """
        query = f"state=all&sort=updated&direction=asc&per_page={PER_PAGE}{_from(since)}"
        return await self._page(f"/repos/{repo}/issues?{query}", repo)

    async def follow(self, repo: str, url: str) -> Page:
        """The page at an address that an earlier page named."""
        return await self._page(self.connections.on_base(url), repo)

    async def list_events(self, repo: str) -> Page:
        """What happened to the repository's issues, the latest first."""
        return await self._page(f"/repos/{repo}/issues/events?per_page={PER_PAGE}", repo)

    async def login(self) -> str | None:
        """The account that a token acts as; None for an App, whose writes are marked as a bot's."""
        if self.connections.is_app:
            return None
        try:
            _, data = await self.read("/user")
        except (Unauthorized, Rejected):
            # An installation's token, given as GITHUB_TOKEN, is no user's.
            return None
        return str(data["login"]) if isinstance(data, Mapping) and data.get("login") else None

    async def own_account(self) -> str | None:
        """The account as which an App writes; None for a token, which acts as a person does."""
        if not self.connections.is_app:
            return None
        _, data = await self.read("/app")
        slug = data.get("slug") if isinstance(data, Mapping) else None
        return f"{slug}[bot]" if slug else None

    async def _page(
        self, address: str, repo: str, etag: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Page:
        answer, data = await self.guard.read(lambda: self._request("GET", address, repo, headers=headers))
        if data is None:
            return Page((), None, etag, unchanged=True)
        if not isinstance(data, list):
            raise Transient(f"github: {address.split('?')[0]} came as something else than a list")
        items = tuple(item for item in data if isinstance(item, Mapping))
        link = answer.get("link")
        return Page(items, next_url(link), answer.get("etag"), pages=last_page(link))

    def first_page(self, repo: str, since: datetime | None) -> str:
        """The address of the first page of open issues."""
        query = f"state=open&sort=created&direction=asc&per_page={PER_PAGE}{_from(since)}"
        return f"/repos/{repo}/issues?{query}"

    async def closed_since(self, repo: str, since: datetime) -> bool:
        """Was an issue closed since then? An issue that leaves an open list moves the later pages forward."""
        query = f"state=closed&sort=updated&direction=desc&per_page=1{_from(since)}"
        _, data = await self.read(f"/repos/{repo}/issues?{query}", repo)
        return bool(data)

    async def issue(self, repo: str, number: int) -> Mapping[str, Any]:
        """One issue, raw; Rejected where it does not exist."""
        _, data = await self.read(f"/repos/{repo}/issues/{number}", repo)
        if not isinstance(data, Mapping):
            raise Transient(f"github: {repo}#{number} came as something else than an issue")
        return data

    async def access(self, repo: str) -> Access:
        """Can the credential see and label the repository's issues?"""
        _, data = await self.read(f"/repos/{repo}", repo)
        if not isinstance(data, Mapping):
            raise Transient(f"github: {repo} came as something else than a repository")
        permissions = data.get("permissions")
        # An App's token shows no permissions there; its writes will tell.
        can_write = not isinstance(permissions, Mapping) or any(
            permissions.get(level) for level in ("triage", "push", "maintain", "admin")
        )
        return Access(repo, can_write, bool(data.get("private")))

    def bulk_size(self, operation: str) -> int:
        return 1

    async def send(self, pendings: Sequence[Pending]) -> Sequence[Answer]:
        (pending,) = pendings
        self.connections.require(_owner(pending))
        try:
            return [await self._carry_out(pending)]
        except Rejected as error:
            place = await self._place_now(pending, error)
        if place is None:
            return [{**(pending.last_answer or {}), "gone": True}]
        return [await self._carry_out(replace(pending, command=replace(pending.command, issue=place)))]

    async def _carry_out(self, pending: Pending) -> Answer:
        operation = pending.command.operation
        if operation == "add_labels":
            return await self._exchange_labels(pending)
        if operation == "write_comment":
            request = commands.comment_request(pending)
            try:
                data = await self._write(pending, request)
            except Rejected as error:
                if request[0] == "PATCH" and error.status == 404:
                    # A person deleted the bot's comment; it stays deleted.
                    return {**(pending.last_answer or {}), "removed": True}
                raise
            return commands.comment_answer(data)
        if operation == "reflect_story":
            return await self._reflect(pending)
        if operation in _CARRIED_OUT:
            return await _CARRIED_OUT[operation](self, pending)
        raise Rejected(f"github: unknown operation {operation!r}")

    async def _exchange_labels(self, pending: Pending) -> Answer:
        """Take off what the bot put there before and does not want any more, then put on what is new.

        In this order: between the two, nobody sees labels that contradict each other. Each request may be repeated
        without harm, so a command that ended half-way begins anew.
        """
        for label in commands.old_labels(pending):
            try:
                await self._write(pending, commands.removal_request(pending, label))
            except Rejected as error:
                # A person took it off already; without its label, GitHub says so in these words.
                if error.status != 404 or "label does not exist" not in str(error).lower():
                    raise
        added = commands.new_labels(pending)
        if added:
            data = await self._write(pending, commands.labels_request(pending, added))
            commands.require_labels(pending, data or (), added)
        return commands.labels_answer(pending, self.server_time or datetime.now(UTC))

    async def _reflect(self, pending: Pending) -> Answer:
        """Show the story's labels, and close where that was wished."""
        labels = await self._exchange_labels(pending)
        if commands.must_close(pending):
            await self._write(pending, commands.close_request(pending))
        return {**labels, **commands.closed_answer(pending)}

    async def _write(self, pending: Pending, request: commands.Request) -> Any:
        """One request for a command; what makes something new counts as content."""
        method, path, body = request
        repo, _ = parse_ref(str(pending.command.issue))
        kind: Kind = "content" if path.endswith(("/comments", "/reactions")) else "write"
        return await self.write(method, path, body, repo, kind)

    async def write(self, method: str, path: str, body: Any, repo: str, kind: Kind = "write") -> Any:
        """JSON of one request that changes something."""
        _, data = await self.guard.call(lambda: self._request(method, path, repo, body=body), kind=kind)
        return data

    async def _place_now(self, pending: Pending, error: Rejected) -> str | None:
        """Where the issue of a refused command was moved to; None where it was deleted or made a discussion.

        Raises the error where that was not why. GitHub says the same where the whole repository is gone or a
        permission is missing; then the error says so.
        """
        if error.status not in commands.GONE:
            raise error
        repo, number = parse_ref(str(pending.command.issue))
        item = None if self._closed_for(repo) else await self._issue_or_none(repo, number)
        if item is None:
            if self._closed_for(repo) is None:
                self._closed[repo] = (time.monotonic(), await self._why_closed(repo))
            why = self._closed_for(repo)
            if why:
                raise Rejected(f"github: {repo}: {why}", status=error.status)
            return None
        place = place_of(item)
        if place is None or place.casefold() == str(pending.command.issue).casefold():
            raise Unauthorized(f"{error}; the issue is there: give the credential write access to issues")
        return place

    async def _issue_or_none(self, repo: str, number: int) -> Mapping[str, Any] | None:
        try:
            return await self.issue(repo, number)
        except Rejected as error:
            if error.status in commands.GONE:
                return None
            raise

    def _closed_for(self, repo: str) -> str | None:
        """Why the repository's issues cannot be reached, as of lately; empty where they can, None where unknown."""
        at, why = self._closed.get(repo, (float("-inf"), ""))
        return why if time.monotonic() - at < REPOSITORY_KEPT else None

    async def _why_closed(self, repo: str) -> str:
        """Why no issue of a repository can be reached; empty where they can."""
        try:
            _, data = await self.read(f"/repos/{repo}", repo)
        except Rejected as error:
            return f"the repository is gone, or the credential may not see it ({error})"
        has_issues = not isinstance(data, Mapping) or data.get("has_issues", True)
        return "" if has_issues else "the repository's issues are turned off"

    async def find(self, pendings: Sequence[Pending]) -> Mapping[str, Answer]:
        """Labels may be added twice without harm; a comment is looked for by its marker, a check by its key."""
        look_up: Mapping[str, Callable[[Pending], Awaitable[Answer | None]]] = {
            "write_comment": self._find_comment,
            "write_check": partial(client_desk.find_check, self),
            "open_draft_pull": partial(client_pulls.find_draft_pull, self),
            "draft_advisory": partial(client_desk.find_draft_advisory, self),
        }
        found: dict[str, Answer] = {}
        for pending in pendings:
            look = look_up.get(pending.command.operation)
            if look is None or pending.last_answer:
                continue
            self.connections.require(_owner(pending))
            try:
                match = await look(pending)
            except Rejected as error:
                # Where it was moved, sending finds that out, too.
                match = {"gone": True} if await self._place_now(pending, error) is None else None
            if match is not None:
                found[pending.key] = match
        return found

    async def _find_comment(self, pending: Pending) -> Answer | None:
        ref = str(pending.command.issue)
        repo, number = parse_ref(ref)
        since = min(pending.created_at, pending.maybe_sent_at or pending.created_at) - CLOCK_SKEW
        query = f"per_page={PER_PAGE}{_from(since)}"
        address: str | None = f"/repos/{repo}/issues/{number}/comments?{query}"
        while address is not None:
            answer, data = await self.read(address, repo)
            match = commands.find_comment(ref, data, await self._author())
            if match is not None:
                return match
            following = next_url(answer.get("link"))
            address = self.connections.on_base(following) if following else None
        return None

    async def _author(self) -> str | None:
        """The account that this credential writes as, asked for once; None where GitHub does not tell."""
        if self._account is None:
            self._account = await self.own_account() or await self.login()
        return self._account

    async def read(self, address: str, repo: str = "") -> tuple[Mapping[str, Any], Any]:
        """Headers and JSON of something at GitHub; as the App itself where no repository or owner is named."""
        return await self.guard.read(lambda: self._request("GET", address, repo))

    async def check(self) -> str:
        if self.connections.is_app:
            _, data = await self.guard.call(lambda: self._request("GET", "/app", ""))
            found = data if isinstance(data, Mapping) else {}
            installed = found.get("installations_count", "?")
            return f"reachable, as the App {found.get('slug', '?')}, installed in {installed} accounts"
        _, data = await self.guard.call(lambda: self._request("GET", "/rate_limit", ""))
        core = data.get("resources", {}).get("core", {}) if isinstance(data, Mapping) else {}
        return f"reachable, {core.get('remaining', '?')} of {core.get('limit', '?')} requests left this hour"

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.connections.close()

    async def _request(
        self,
        method: str,
        url: str,
        repo: str,
        *,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[Mapping[str, Any], Any]:
        """Response headers and JSON; None where GitHub answered without a body (304)."""

        def blocking() -> tuple[Mapping[str, Any], Any]:
            owner = repo.split("/")[0]
            return self.connections.request(method, url, owner, headers=headers or {}, body=body)

        try:
            within = contextvars.copy_context().run
            answer, data = await asyncio.get_running_loop().run_in_executor(self._threads, within, blocking)
        except Exception as error:
            raise translate(error, url) from None
        with suppress(ValueError, KeyError):
            if answer.get("x-ratelimit-resource", "core") == "core":
                self.guard.learn(int(answer["x-ratelimit-remaining"]), float(answer["x-ratelimit-reset"]))
        with suppress(ValueError, TypeError):
            self.server_time = parsedate_to_datetime(answer["date"]) if "date" in answer else None
        if isinstance(data, dict) and set(data) <= {"data", "url"} and isinstance(data.get("data"), str):
            # PyGithub wraps a text that is no JSON this way; a proxy's error page comes so.
            raise Transient(f"github: answered {method} {url.split('?')[0]} with something that is no JSON")
        if isinstance(data, dict) and "location" in answer and "id" not in data:
            # PyGithub follows 301 for any method and takes 307 and 308 for an answer.
            raise Rejected(f"github: {url.split('?')[0]} moved; use the repository's new name", status=307)
        return answer, data


_CARRIED_OUT: Mapping[str, Callable[[GithubClient, Pending], Awaitable[Answer]]] = {
    "react": client_desk.react,
    "write_check": client_desk.write_check,
    "assign": client_desk.assign,
    "open_draft_pull": client_pulls.open_draft_pull,
    "draft_advisory": client_desk.draft_advisory,
}


def _from(since: datetime | None) -> str:
    """The part of a query that asks for what changed at or after a time."""
    return "" if since is None else f"&since={since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _owner(pending: Pending) -> str:
    return str(pending.command.issue).partition("/")[0]

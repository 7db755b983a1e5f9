"""GitHub over PyGithub: lists issues, and is the target of the github lane."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from github import Auth, Github, GithubException, GithubIntegration

from integrations.base import Answer
from integrations.github import commands
from integrations.github.payloads import next_url
from integrations.github.settings import GithubSettings
from integrations.resilience import Guard, retry_after
from models.commands import Pending
from models.errors import BadCredential, RateLimited, Rejected, SwitchyardError, Transient, Unauthorized

PER_PAGE = 100


@dataclass(frozen=True, slots=True)
class Credential:
    """A token, or a GitHub App's id and private key."""

    token: str | None = None
    app_id: str | None = None
    private_key: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an issues list; `items` are raw. `unchanged` where GitHub answered 304."""

    items: tuple[Mapping[str, Any], ...]
    next_url: str | None
    etag: str | None
    unchanged: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """What the credential may do in a repository."""

    repo: str
    can_write: bool
    private: bool


class GithubClient:
    """One credential at GitHub.

    PyGithub's connection object keeps the request in its own fields between `request` and `getresponse`, so
    two threads that share one send each other's requests: every thread of the pool has a client of its own.
    """

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
        self._settings = settings
        self._credential = credential
        self._user_agent = user_agent
        self.guard = guard
        self._threads = ThreadPoolExecutor(requests_in_flight, thread_name_prefix="github")
        self._local = threading.local()
        self.server_time: datetime | None = None
        """GitHub's clock as of its latest answer; ours may differ."""
        self._installations: dict[str, Auth.Auth] = {}
        self._installations_lock = threading.Lock()

    async def list_issues(
        self, repo: str, *, since: datetime | None = None, url: str | None = None, etag: str | None = None
    ) -> Page:
        """One page of open issues and pull requests, oldest first; `url` is the next page's address.

        Sorted by creation: sorted by update, the bot's own labels would move issues between pages.
        """
        address = self._on_base(url) if url else self.first_page(repo, since)
        headers = {"If-None-Match": etag} if etag else {}
        return await self._page(address, repo, etag, headers)

    async def list_changed(self, repo: str, since: datetime | None) -> Page:
        """The first issues and pull requests, open or closed, changed at or after `since`; earliest change first.

        The next page is the same question from the last one's time on: numbered pages of a list that is
        sorted by change lose what moves while they are read.
        """
        query = f"state=all&sort=updated&direction=asc&per_page={PER_PAGE}"
        if since is not None:
            query += f"&since={since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return await self._page(f"/repos/{repo}/issues?{query}", repo)

    async def follow(self, repo: str, url: str) -> Page:
        """The page at an address that an earlier page named."""
        return await self._page(self._on_base(url), repo)

    async def list_events(self, repo: str) -> Page:
        """What happened to the repository's issues, the latest first."""
        return await self._page(f"/repos/{repo}/issues/events?per_page={PER_PAGE}", repo)

    async def login(self) -> str | None:
        """The account that a token acts as; None for an App, whose writes are marked as a bot's."""
        if self._credential.token is None:
            return None
        try:
            _, data = await self.guard.read(lambda: self._request("GET", "/user", ""))
        except (Unauthorized, Rejected):
            # An installation's token, given as GITHUB_TOKEN, is no user's.
            return None
        return str(data["login"]) if isinstance(data, Mapping) and data.get("login") else None

    async def _page(
        self, address: str, repo: str, etag: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Page:
        answer, data = await self.guard.read(lambda: self._request("GET", address, repo, headers=headers))
        if data is None:
            return Page((), None, etag, unchanged=True)
        if not isinstance(data, list):
            raise Transient(f"github: {address.split('?')[0]} came as something else than a list")
        items = tuple(item for item in data if isinstance(item, Mapping))
        return Page(items, next_url(answer.get("link")), answer.get("etag"))

    def _on_base(self, url: str) -> str:
        """The next page's address at the configured host: the credential goes nowhere else."""
        base = urlsplit(self._settings.base_url)
        return urlsplit(url)._replace(scheme=base.scheme, netloc=base.netloc).geturl()

    def first_page(self, repo: str, since: datetime | None) -> str:
        query = f"state=open&sort=created&direction=asc&per_page={PER_PAGE}"
        if since is not None:
            query += f"&since={since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return f"/repos/{repo}/issues?{query}"

    async def closed_since(self, repo: str, since: datetime) -> bool:
        """Was an issue closed since then? An issue that leaves an open list moves the later pages forward."""
        query = f"state=closed&sort=updated&direction=desc&per_page=1&since={since:%Y-%m-%dT%H:%M:%SZ}"
        _, data = await self.guard.read(lambda: self._request("GET", f"/repos/{repo}/issues?{query}", repo))
        return bool(data)

    async def issue(self, repo: str, number: int) -> Mapping[str, Any]:
        """One issue, raw; Rejected where it does not exist."""
        _, data = await self.guard.read(lambda: self._request("GET", f"/repos/{repo}/issues/{number}", repo))
        if not isinstance(data, Mapping):
            raise Transient(f"github: {repo}#{number} came as something else than an issue")
        return data

    async def access(self, repo: str) -> Access:
        """Can the credential see and label the repository's issues?"""
        _, data = await self.guard.read(lambda: self._request("GET", f"/repos/{repo}", repo))
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
        repo = str(pending.command.issue).split("#")[0]
        if pending.command.operation == "add_labels":
            method, path, body = commands.labels_request(pending)
            _, data = await self.guard.call(
                lambda: self._request(method, path, repo, body=body), kind="write"
            )
            return [commands.labels_answer(pending, data or ())]
        if pending.command.operation == "write_comment":
            method, path, body = commands.comment_request(pending)
            try:
                _, data = await self.guard.call(
                    lambda: self._request(method, path, repo, body=body),
                    kind="content" if method == "POST" else "write",
                )
            except Rejected as error:
                if method == "PATCH" and error.status == 404:
                    # A person deleted the bot's comment; it stays deleted.
                    return [{**(pending.last_answer or {}), "removed": True}]
                raise
            return [commands.comment_answer(data)]
        raise Rejected(f"github: unknown operation {pending.command.operation!r}")

    async def find(self, pendings: Sequence[Pending]) -> Mapping[str, Answer]:
        """Labels may be added twice without harm; a comment is looked for by its marker."""
        found: dict[str, Answer] = {}
        for pending in pendings:
            if pending.command.operation != "write_comment" or pending.last_answer:
                continue
            ref = str(pending.command.issue)
            repo, number = ref.split("#")
            since = pending.created_at - timedelta(minutes=10)
            path = (
                f"/repos/{repo}/issues/{number}/comments?per_page={PER_PAGE}&since={since:%Y-%m-%dT%H:%M:%SZ}"
            )
            address: str | None = path
            while address is not None and pending.key not in found:
                answer, data = await self.guard.read(
                    lambda address=address, repo=repo: self._request("GET", address, repo)  # type: ignore[misc]
                )
                match = commands.find_comment(ref, data)
                if match is not None:
                    found[pending.key] = match
                following = next_url(answer.get("link"))
                address = self._on_base(following) if following else None
        return found

    async def check(self) -> str:
        _, data = await self.guard.call(lambda: self._request("GET", "/rate_limit", ""))
        core = data.get("resources", {}).get("core", {}) if isinstance(data, Mapping) else {}
        return f"reachable, {core.get('remaining', '?')} of {core.get('limit', '?')} requests left this hour"

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

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
            requester = self._client(repo.split("/")[0]).requester
            return requester.requestJsonAndCheck(method, url, headers=dict(headers or {}), input=body)

        try:
            answer, data = await asyncio.get_running_loop().run_in_executor(self._threads, blocking)
        except Exception as error:
            raise _translate(error, url) from None
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

    def _client(self, owner: str) -> Github:
        clients: dict[str, Github] | None = getattr(self._local, "clients", None)
        if clients is None:
            clients = self._local.clients = {}
        name = owner if self._credential.token is None else ""
        if name not in clients:
            clients[name] = Github(
                auth=self._auth(owner),
                base_url=self._settings.base_url.rstrip("/"),
                timeout=max(1, int(self.guard.timeout)),
                user_agent=self._user_agent,
                per_page=PER_PAGE,
                retry=0,
                pool_size=1,
                seconds_between_requests=0,
                seconds_between_writes=0,
            )
        return clients[name]

    def _auth(self, owner: str) -> Auth.Auth:
        """A token is used as it is; an App signs in to the owner's installation, whose tokens PyGithub renews."""
        if self._credential.token is not None:
            return Auth.Token(self._credential.token)
        app = Auth.AppAuth(str(self._credential.app_id), str(self._credential.private_key))
        if not owner:
            return app
        with self._installations_lock:
            if owner not in self._installations:
                integration = GithubIntegration(
                    auth=app, base_url=self._settings.base_url.rstrip("/"), retry=0
                )
                for installation in integration.get_installations():
                    login = str(installation.raw_data.get("account", {}).get("login", ""))
                    self._installations.setdefault(
                        login.casefold(), app.get_installation_auth(installation.id)
                    )
                if owner.casefold() not in self._installations:
                    raise Unauthorized(f"github: the App is not installed for {owner}; install it there")
            return self._installations[owner.casefold()]


def _translate(error: Exception, url: str) -> SwitchyardError:
    """PyGithub's and requests' errors, named for what to do."""
    if isinstance(error, SwitchyardError):
        return error
    if isinstance(error, GithubException):
        return _from_status(error, url)
    if isinstance(error, requests.exceptions.ConnectionError):
        return Transient(f"github: cannot connect ({_reason(error)})", maybe_sent=not _never_sent(error))
    if isinstance(error, requests.exceptions.RequestException):
        # Its words may quote a header, and with it the credential.
        return Transient(f"github: {type(error).__name__}")
    if isinstance(error, ValueError):
        return Transient(f"github: answered {url.split('?')[0]} with broken JSON")
    if isinstance(error, (RuntimeError, AssertionError)):
        # PyGithub refuses redirects to another host this way.
        return Rejected(f"github: {str(error)[:200] or 'an address outside of base_url'}")
    raise error


def _from_status(error: GithubException, url: str) -> SwitchyardError:
    status = int(error.status or 0)
    headers = {str(k).lower(): str(v) for k, v in (error.headers or {}).items()}
    data = error.data if isinstance(error.data, Mapping) else {}
    words = str(data.get("message") or error.message or f"HTTP {status}")[:300]
    path = url.split("?")[0]
    limited = (
        "retry-after" in headers
        or headers.get("x-ratelimit-remaining") == "0"
        or "rate limit" in words.lower()
    )
    if status == 429 or (status == 403 and limited):
        return RateLimited(f"github: {words}", _limited_until(headers))
    if status == 401:
        return BadCredential(
            f"github: the credential was refused ({words}); renew GITHUB_TOKEN or the App's key"
        )
    if status == 403:
        return Unauthorized(f"github: {path} is forbidden ({words}); give the credential access to it")
    if status >= 500 or status == 408:
        return Transient(f"github: HTTP {status} for {path}")
    details = "; ".join(
        str(item.get("message") or f"{item.get('field')}: {item.get('code')}")
        for item in data.get("errors") or ()
        if isinstance(item, Mapping)
    )
    return Rejected(f"github: {words}{f' ({details[:200]})' if details else ''} for {path}", status=status)


def _limited_until(headers: Mapping[str, str]) -> datetime:
    """Retry-After, else the reset time of a spent budget, else a minute, as GitHub asks."""
    if "retry-after" in headers:
        return retry_after(headers["retry-after"], default=60)
    if headers.get("x-ratelimit-remaining") == "0" and headers.get("x-ratelimit-reset", "").isdigit():
        until = datetime.fromtimestamp(int(headers["x-ratelimit-reset"]), UTC)
        return min(until + timedelta(seconds=1), datetime.now(UTC) + timedelta(hours=2))
    return retry_after(None, default=60)


def _never_sent(error: requests.exceptions.ConnectionError) -> bool:
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    cause = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(cause, urllib3.exceptions.NewConnectionError)


def _reason(error: Exception) -> str:
    text = str(error.args[0] if error.args else error)
    return text.rsplit(": ", 1)[-1].strip("()'\" ")[:120]

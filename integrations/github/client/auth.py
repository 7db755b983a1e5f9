"""Who the bot is at GitHub: a token as it is, or an App that signs in to each owner's installation."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from github import Auth, Github, GithubException

from integrations.github.client.errors import translate
from integrations.github.payloads import next_url
from models.errors import BadCredential, Rejected, Transient, Unauthorized

KNOWN = 60.0
"""Seconds for which it is believed that an owner has no installation, or a suspended one."""
MARGIN = 60.0
"""Seconds before its end at which a token is renewed; of one with a short life a tenth of that."""
PER_PAGE = 100


@dataclass(frozen=True, slots=True)
class Credential:
    """A token, or a GitHub App's id and private key."""

    token: str | None = None
    app_id: str | None = None
    private_key: str | None = None


@dataclass(frozen=True, slots=True)
class Installation:
    """The App in one account, as GitHub lists it."""

    id: int
    owner: str
    suspended: bool
    permissions: Mapping[str, str]
    events: frozenset[str]


def parse_installation(item: Any) -> Installation | None:
    """One of GitHub's; None where it is none that can be used."""
    if not isinstance(item, Mapping) or not isinstance(item.get("id"), int):
        return None
    account, permissions, events = item.get("account"), item.get("permissions"), item.get("events")
    login = account.get("login") if isinstance(account, Mapping) else None
    if not isinstance(login, str) or not login:
        return None
    return Installation(
        item["id"],
        login,
        bool(item.get("suspended_at")),
        {str(k): str(v) for k, v in permissions.items()} if isinstance(permissions, Mapping) else {},
        frozenset(str(event) for event in events) if isinstance(events, list) else frozenset(),
    )


@dataclass(slots=True)
class _Account:
    """One owner's installation and its token; the lock lets one thread fetch for all."""

    owner: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    token: str = ""
    good_until: float = 0.0
    """Monotonic time from which the token is renewed."""
    closed: str = ""
    """Why there is no token."""
    closed_until: float = 0.0
    """Monotonic time from which that is looked at again."""


class Connections:
    """Connections to GitHub, one for each thread and owner.

    PyGithub's connection object keeps the request in its own fields between `request` and `getresponse`, so
    two threads that share one send each other's requests. Its own installation tokens share one, too.
    """

    def __init__(self, credential: Credential, base_url: str, *, timeout: int, user_agent: str) -> None:
        self._credential = credential
        self._base_url = base_url.rstrip("/")
        self._options = {"timeout": timeout, "user_agent": user_agent}
        self._local = threading.local()
        self._all: list[Github] = []
        self._lock = threading.Lock()
        self._accounts: dict[str, _Account] = {}
        self._installations: dict[str, Installation] = {}
        self._listed_at = float("-inf")

    @property
    def is_app(self) -> bool:
        return self._credential.token is None

    def on_base(self, url: str) -> str:
        """An address that GitHub named, at the configured host: the credential goes nowhere else."""
        base = urlsplit(self._base_url)
        return urlsplit(url)._replace(scheme=base.scheme, netloc=base.netloc).geturl()

    def close(self) -> None:
        """Let go of every thread's connections."""
        while self._all:
            self._all.pop().close()

    def request(
        self, method: str, url: str, owner: str, *, headers: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> tuple[Mapping[str, Any], Any]:
        """Response headers and JSON of one request, in the calling thread; raises PyGithub's errors.

        An installation's token that is refused before its time was revoked: the request goes once more with
        a new one, for GitHub did not carry it out.
        """
        requester = self._client(owner).requester
        auth = requester.auth
        used = auth.token if isinstance(auth, _InstallationAuth) else ""
        try:
            return requester.requestJsonAndCheck(method, url, headers=dict(headers), input=body)
        except GithubException as error:
            if error.status == 403 and used and "suspended" in str(error.data).lower():
                self._close(self._account(owner), used, _suspended(owner))
                raise Unauthorized(_suspended(owner)) from None
            if error.status != 401 or not used:
                raise
        self._forget(owner, used)
        try:
            return requester.requestJsonAndCheck(method, url, headers=dict(headers), input=body)
        except GithubException as error:
            if error.status != 401:
                raise
            # The App's key is good, or there were no new token: other owners' work goes on.
            raise Unauthorized(f"github: a new token of {owner}'s installation was refused") from None

    def require(self, owner: str) -> None:
        """Unauthorized where an owner's installation is known to be suspended or gone, as of lately.

        Asked before a request is counted: what waits for one owner must not spend the others' budget.
        """
        account = self._accounts.get(owner.casefold())
        if account is not None and account.closed and time.monotonic() < account.closed_until:
            raise Unauthorized(account.closed)

    def token(self, owner: str) -> str:
        """The token of an owner's installation; Unauthorized where there is none, and what to do about it."""
        account = self._account(owner)
        with account.lock:
            now = time.monotonic()
            if account.token and now < account.good_until:
                return account.token
            if account.closed and now < account.closed_until:
                raise Unauthorized(account.closed)
            try:
                self._renew(account)
            except BadCredential:
                raise
            except Unauthorized as error:
                account.token, account.closed = "", str(error)
                account.closed_until = time.monotonic() + KNOWN
                raise
            account.closed = ""
            return account.token

    def _renew(self, account: _Account) -> None:
        found = self._find(account.owner)
        if found.suspended:
            # It may have been resumed since it was listed.
            found = self._find(account.owner, after=time.monotonic())
        if found.suspended:
            raise Unauthorized(_suspended(account.owner))
        path = f"/app/installations/{found.id}/access_tokens"
        try:
            answer = self._as_app("POST", path)[1]
        except Rejected as error:
            if error.status != 404:
                raise
            # Uninstalled since it was listed, and perhaps installed again under another number.
            found = self._find(account.owner, after=time.monotonic())
            answer = self._as_app("POST", f"/app/installations/{found.id}/access_tokens")[1]
        except Unauthorized as error:
            if isinstance(error, BadCredential) or "suspended" not in str(error).lower():
                raise
            raise Unauthorized(_suspended(account.owner)) from None
        token = answer.get("token") if isinstance(answer, Mapping) else None
        if not isinstance(token, str) or not token:
            raise Transient(f"github: {path} gave no token", maybe_sent=False)
        life = _seconds_left(answer.get("expires_at"))
        account.token = token
        account.good_until = time.monotonic() + life - min(MARGIN, life / 10)

    def _find(self, owner: str, *, after: float | None = None) -> Installation:
        """The owner's installation; listed anew where it is unknown, or the list is older than `after`."""
        with self._lock:
            found = self._installations.get(owner.casefold())
            if found is None or (after is not None and self._listed_at < after):
                self._installations = {i.owner.casefold(): i for i in self._list()}
                self._listed_at = time.monotonic()
                found = self._installations.get(owner.casefold())
        if found is None:
            raise Unauthorized(
                f"github: the App is not installed for {owner}; install it there "
                "(in the App's settings: Install App), or take its repositories off workflow.repositories"
            )
        return found

    def _list(self) -> list[Installation]:
        found: list[Installation] = []
        address: str | None = f"/app/installations?per_page={PER_PAGE}"
        while address is not None:
            answer, data = self._as_app("GET", address)
            if not isinstance(data, list):
                raise Transient("github: the list of installations came as something else", maybe_sent=False)
            found += [installation for item in data if (installation := parse_installation(item))]
            following = next_url(answer.get("link"))
            address = self.on_base(following) if following else None
        return found

    def _as_app(self, method: str, url: str) -> tuple[Mapping[str, Any], Any]:
        """A request that belongs to the credential: where it fails, the request it was for was never sent."""
        try:
            return self._client("").requester.requestJsonAndCheck(method, url)
        except Exception as error:
            found = translate(error, url)
        if isinstance(found, Transient):
            raise Transient(str(found), maybe_sent=False)
        raise found

    def learn(self, installations: "list[Installation]") -> None:
        """All installations as they were just listed, so that nobody needs to list them again."""
        with self._lock:
            self._installations = {i.owner.casefold(): i for i in installations}
            self._listed_at = time.monotonic()
            accounts = list(self._accounts.values())
        open_now = {i.owner.casefold() for i in installations if not i.suspended}
        for account in accounts:
            if account.owner.casefold() in open_now:
                account.closed_until = 0.0

    def _account(self, owner: str) -> _Account:
        with self._lock:
            return self._accounts.setdefault(owner.casefold(), _Account(owner))

    def _forget(self, owner: str, token: str) -> None:
        account = self._account(owner)
        with account.lock:
            if account.token == token:
                account.token = ""

    def _close(self, account: _Account, token: str, why: str) -> None:
        with account.lock:
            if account.token == token:
                account.token, account.closed = "", why
                account.closed_until = time.monotonic() + KNOWN

    def _client(self, owner: str) -> Github:
        """This thread's connection for an owner; for the App itself where `owner` is empty."""
        clients: dict[str, Github] | None = getattr(self._local, "clients", None)
        if clients is None:
            clients = self._local.clients = {}
        name = owner.casefold() if self.is_app else ""
        if name not in clients:
            clients[name] = Github(
                auth=self._auth(owner),
                base_url=self._base_url,
                per_page=PER_PAGE,
                retry=0,
                pool_size=1,
                seconds_between_requests=0,
                seconds_between_writes=0,
                **self._options,  # type: ignore[arg-type]
            )
            self._all.append(clients[name])
        return clients[name]

    def _auth(self, owner: str) -> Auth.Auth:
        if self._credential.token is not None:
            return Auth.Token(self._credential.token)
        if owner:
            return _InstallationAuth(lambda: self.token(owner))
        # Files of environment variables often have the key on one line.
        key = str(self._credential.private_key).replace("\\n", "\n")
        app = Auth.AppAuth(str(self._credential.app_id), key)
        try:
            app.create_jwt()
        except Exception:
            # The library's words may quote the key.
            raise BadCredential(
                "github: GITHUB_APP_PRIVATE_KEY is no private key; copy the whole .pem file that GitHub gave"
            ) from None
        return app


class _InstallationAuth(Auth.Auth):
    """Asks for the installation's token at every request: it may have been renewed since the last."""

    def __init__(self, current: Callable[[], str]) -> None:
        self._current = current

    @property
    def token_type(self) -> str:
        return "token"

    @property
    def token(self) -> str:
        return self._current()


def _suspended(owner: str) -> str:
    return (
        f"github: the App's installation for {owner} is suspended; resume it in {owner}'s settings under "
        "GitHub Apps. What is to be written there waits"
    )


def _seconds_left(expires_at: Any) -> float:
    """How long a token is good by our clock; an hour, as GitHub promises, where that cannot be read."""
    try:
        until = datetime.fromisoformat(str(expires_at))
    except ValueError:
        return 3600.0
    # A clock that is hours off must not have a token fetched for every request; a refused one is renewed.
    return min(
        max((until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 1.0), 3600.0
    )

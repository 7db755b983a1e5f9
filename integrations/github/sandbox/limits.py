"""The rate limits of the GitHub stand-in, primary and secondary, per token."""

import math
import time
from collections.abc import Callable

from integrations.sandbox_faults import Answer, Request, Window, json_answer

PRIMARY_PER_HOUR = 5000
SEARCH_PER_MINUTE = 30
CONCURRENT = 100
POINTS_PER_MINUTE = 900
CONTENT_PER_MINUTE = 80
CONTENT_PER_HOUR = 500
_CONTENT_ENDINGS = ("/comments", "/issues", "/pulls", "/reactions", "/requested_reviewers")
_DOCS = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api"


class Quota:
    """A primary limit: so many requests in a fixed window that starts with the first one."""

    def __init__(self, resource: str, limit: int, seconds: float) -> None:
        self.resource = resource
        self.limit = limit
        self.seconds = seconds
        self.used = 0
        self.reset_at = 0.0

    def roll(self, now: float) -> None:
        """Start a new window where the old one is over."""
        if now >= self.reset_at:
            self.used = 0
            self.reset_at = now + self.seconds

    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """What every answer says about it; never a reset that lies in the past when it is read."""
        return (
            (b"x-ratelimit-limit", str(self.limit).encode()),
            (b"x-ratelimit-remaining", str(max(0, self.limit - self.used)).encode()),
            (b"x-ratelimit-reset", str(math.ceil(self.reset_at)).encode()),
            (b"x-ratelimit-used", str(self.used).encode()),
            (b"x-ratelimit-resource", self.resource.encode()),
        )

    def describe(self) -> dict[str, int]:
        """As `GET /rate_limit` shows it."""
        return {
            "limit": self.limit,
            "remaining": max(0, self.limit - self.used),
            "reset": math.ceil(self.reset_at),
            "used": self.used,
        }


class _Account:
    """What one token has used up."""

    def __init__(self, scale: float) -> None:
        self.core = Quota("core", PRIMARY_PER_HOUR, 3600 / scale)
        self.search = Quota("search", SEARCH_PER_MINUTE, 60 / scale)
        self.points = Window(POINTS_PER_MINUTE, 60 / scale)
        self.content_minute = Window(CONTENT_PER_MINUTE, 60 / scale)
        self.content_hour = Window(CONTENT_PER_HOUR, 3600 / scale)


class Limits:
    """What each token asks for; counts and refuses only where `enforce` is set."""

    def __init__(self, *, enforce: bool, scale: float, in_flight: Callable[[], int]) -> None:
        self.enforce = enforce
        self._scale = scale
        self._in_flight = in_flight
        self._accounts: dict[str, _Account] = {}
        self.refused = 0

    def account(self, token: str) -> _Account:
        """The token's own counts."""
        found = self._accounts.get(token)
        if found is None:
            found = self._accounts[token] = _Account(self._scale)
        now = time.time()
        found.core.roll(now)
        found.search.roll(now)
        return found

    def quota(self, token: str, path: str) -> Quota:
        """The primary limit that a path falls under."""
        account = self.account(token)
        return account.search if path.startswith("/search/") else account.core

    def take(self, token: str, request: Request) -> Answer | None:
        """Use up what the request costs, or refuse it."""
        if not self.enforce or request.path == "/rate_limit":
            return None
        account, now = self.account(token), time.time()
        quota = self.quota(token, request.path)
        if quota.used >= quota.limit:
            self.refused += 1
            return _refusal(f"API rate limit exceeded for user. Resource: {quota.resource}.", None)
        wait, windows = self._secondary(account, request, now)
        if wait > 0:
            self.refused += 1
            message = "You have exceeded a secondary rate limit. Please wait before you try again."
            return _refusal(message, math.ceil(wait))
        quota.used += 1
        for window, units in windows:
            window.take(now, units)
        return None

    def _secondary(
        self, account: _Account, request: Request, now: float
    ) -> tuple[float, list[tuple[Window, int]]]:
        write = request.method not in ("GET", "HEAD")
        windows = [(account.points, 5 if write else 1)]
        if request.method == "POST" and request.path.endswith(_CONTENT_ENDINGS):
            windows += [(account.content_minute, 1), (account.content_hour, 1)]
        wait = max(window.wait(now, units) for window, units in windows)
        if self._in_flight() > CONCURRENT:
            wait = max(wait, 1.0)
        return wait, windows

    def give_back(self, token: str, path: str) -> None:
        """A request that was answered 304 costs no primary quota."""
        if self.enforce:
            quota = self.quota(token, path)
            quota.used = max(0, quota.used - 1)


def _refusal(message: str, retry_after: int | None) -> Answer:
    headers = [] if retry_after is None else [(b"retry-after", str(retry_after).encode())]
    return json_answer(403, {"message": message, "documentation_url": _DOCS, "status": "403"}, headers)

"""Traps in the sandbox: something happens exactly when the n-th request of a kind is there."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.asgi import Message, Receive, SandboxApp, Scope, Send

KINDS = {
    "access": r"GET /repos/[^/]+/[^/]+",
    "page": r"GET /repos/[^/]+/[^/]+/issues\?.*state=open.*",
    "label": r"POST /repos/.*/issues/\d+/labels",
    "comment": r"POST /repos/.*/issues/\d+/comments",
    "edit": r"PATCH /repos/.*/issues/comments/\d+",
    "find comment": r"GET /repos/.*/issues/\d+/comments\?.*",
    "workflows": r"GET /api/v3/workflows",
    "story bulk": r"POST /api/v3/stories/bulk",
    "find stories": r"POST /api/v3/stories/search",
    "slack": r"POST /api/chat\.postMessage",
    "webhook": r"POST /hooks/.*",
}
"""Every call that a run makes: its method, its path and, where there is one, its query."""
DRAFTING = {
    "draft": r"POST /v1/chat/completions",
    "advice": r"(GET /v1/vulns/.*|POST /v1/query.*)",
    "notion page": r"POST /v1/pages",
    "git object": r"POST /repos/.*/git/(trees|commits|refs)",
    "pull": r"POST /repos/.*/pulls",
    "reviewer": r"POST /repos/.*/requested_reviewers",
    "advisory": r"POST /repos/.*/security-advisories",
    "assignee": r"POST /repos/.*/assignees",
    "service": r"POST /services/.*",
}
"""Those that runs make where all is on."""
MOMENTS = ("before", "after", "answered")
"""Before its effect; after its effect and before any of its answer; when the answer is out."""
PAGE = 8
"""Issues on a page, where the program asked for 100: a few issues make several pages."""


@dataclass
class _Armed:
    kind: re.Pattern[str]
    n: int
    moment: str
    act: Callable[[], None]
    delay: float
    seen: int = 0


@dataclass
class Trap:
    """Stands between the contract checks and the sandbox; lets everything pass but what it waits for."""

    app: SandboxApp
    requests: list[tuple[str, str]] = field(default_factory=list)
    """(path with its query, the address asked from) of every page of issues."""
    _armed: _Armed | None = None

    def arm(self, kind: str, n: int, moment: str, act: Callable[[], None], delay: float = 0.0) -> None:
        """Call `act` at that moment of the n-th such request from now on; `delay` seconds after an answer."""
        self._armed = _Armed(re.compile((KINDS | DRAFTING)[kind]), n, moment, act, delay)

    def disarm(self) -> None:
        self._armed = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.app, name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_control"):
            await self.app(scope, receive, send)
            return
        query = scope["query_string"].decode()
        if scope["path"].endswith("/issues"):
            scope["query_string"] = query.replace("per_page=100", f"per_page={PAGE}").encode()
        what = f"{scope['method']} {scope['path']}" + (f"?{query}" if query else "")
        armed = self._armed
        if armed is None or not armed.kind.fullmatch(what):
            await self.app(scope, receive, send)
            return
        armed.seen += 1
        if armed.seen != armed.n:
            await self.app(scope, receive, send)
            return
        if armed.moment == "answered":
            await self.app(scope, receive, send)
            await asyncio.sleep(armed.delay)
            armed.act()
            return
        if armed.moment == "after":
            await self.app(scope, receive, _nowhere)
        armed.act()
        while (await receive())["type"] != "http.disconnect":
            pass


async def _nowhere(message: Message) -> None:
    """An answer that is never sent."""

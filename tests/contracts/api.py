"""Calls an ASGI application directly, with each service's own credential."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from bot.sandbox.server import create_app
from tests.contracts.checked import Checked, checked

REPO = "octo/widgets"
ISSUES: list[dict[str, Any]] = [
    {"repo": REPO, "title": "Crash on start", "body": "It crashes ☃", "labels": ["bug"], "author": "ann"},
    {"repo": REPO, "title": "Please add dark mode", "body": None, "author": None, "reactions": 3},
    {"repo": REPO, "title": "Fix the crash", "body": "Closes #1", "pull_request": True},
    {"repo": REPO, "title": "Old question", "body": "How?", "state": "closed", "assignees": ["bob"]},
    {"repo": "octo/gadgets", "title": "Elsewhere", "body": "crash", "author": "renovate[bot]"},
]


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; None where it is empty."""
        return json.loads(self.body) if self.body else None


class Api:
    """A sandbox to be called without a network; checked where the specifications are at hand."""

    def __init__(self, **options: Any) -> None:
        self.app: Checked = checked(create_app(ISSUES, **options), required=False)
        self.sandbox = self.app.sandbox

    def github(self, method: str, path: str, body: Any = None, /, **query: Any) -> Reply:
        """A request to GitHub."""
        return self.call(method, path, body, query, {"authorization": "Bearer sandbox"})

    def shortcut(self, method: str, path: str, body: Any = None, **query: Any) -> Reply:
        """A request to Shortcut; `path` is what follows /api/v3."""
        return self.call(method, f"/api/v3{path}", body, query, {"shortcut-token": "sandbox"})

    def slack(self, method: str, /, **arguments: Any) -> Reply:
        """A call of a Slack method with a JSON body."""
        headers = {"authorization": "Bearer xoxb-sandbox"}
        return self.call("POST", f"/api/{method}", arguments, {}, headers)

    def control(self, **data: Any) -> Reply:
        """A control request."""
        return self.call("POST", "/_control", data, {}, {})

    def read(self, page: str) -> Any:
        """One of the control pages."""
        return self.call("GET", f"/_control/{page}", None, {}, {}).json

    def clean(self) -> None:
        """AssertionError where a request or answer broke its specification."""
        assert not self.app.violations, "\n".join(self.app.violations)

    def call(
        self, method: str, path: str, body: Any, query: dict[str, Any], headers: dict[str, str]
    ) -> Reply:
        """One request; `body` goes as JSON unless it is bytes."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        if raw and "content-type" not in headers:
            headers = {**headers, "content-type": "application/json"}
        return asyncio.run(self._call(method, path, raw, urlencode(query), headers))

    async def _call(self, method: str, path: str, raw: bytes, query: str, headers: dict[str, str]) -> Reply:
        parts: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message: Any) -> None:
            parts.append(message)

        escaped = path if "%" in path else quote(path)
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": escaped.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
        }
        await self.app(scope, receive, send)
        found = {name.decode(): value.decode() for name, value in parts[0]["headers"]}
        return Reply(parts[0]["status"], found, b"".join(part.get("body", b"") for part in parts[1:]))

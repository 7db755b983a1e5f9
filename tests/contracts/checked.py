"""The sandbox with every request and answer that passes through it checked against the specifications."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bot.sandbox.asgi import FAULT_KEY, Message, Receive, SandboxApp, Scope, Send
from tests.contracts.spec import Spec, contracts_dir, read_body, read_path, read_query, spec

_FREE = ("/_control", "/hooks/", "/services/", "/slack/")


class Checked:
    """ASGI wrapper; `violations` has what was wrong, `unchecked` the requests that no document describes."""

    def __init__(self, app: SandboxApp, against: Spec | None) -> None:
        self.sandbox = app
        self.violations: list[str] = []
        self.unchecked: Counter[str] = Counter()
        self._spec = against
        self._is_meant = False

    @contextmanager
    def wrong_on_purpose(self) -> Iterator[None]:
        """Requests made inside are meant to break their contract; what is answered to them must still keep it."""
        self._is_meant = True
        try:
            yield
        finally:
            self._is_meant = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and look at both directions on the way."""
        if self._spec is None or scope["type"] != "http" or scope["path"].startswith(_FREE):
            await self.sandbox(scope, receive, send)
            return
        sent, answered = bytearray(), bytearray()
        status = 0
        whole = scope["method"] == "GET"

        async def receive_copy() -> Message:
            nonlocal whole
            message = await receive()
            if message["type"] == "http.request":
                whole = not message.get("more_body", False)
            sent.extend(message.get("body", b""))
            return message

        async def send_copy(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            answered.extend(message.get("body", b""))
            await send(message)

        try:
            await self.sandbox(scope, receive_copy, send_copy)
        finally:
            # A client that was killed while it sent breaks no contract with its half of a request.
            if whole:
                self._check(self._spec, scope, bytes(sent), status, bytes(answered))

    def _check(self, against: Spec, scope: Scope, sent: bytes, status: int, answered: bytes) -> None:
        method, path = scope["method"], read_path(scope["raw_path"])
        headers = dict(scope["headers"])
        if not against.knows(method, path):
            self.unchecked[f"{method} {path}"] += 1
        try:
            body = read_body(headers.get(b"content-type", b"").decode(), sent)
            against.check_request(method, path, body, read_query(scope["query_string"].decode()))
        except (AssertionError, ValueError) as error:
            if not self._is_meant:
                self.violations.append(str(error) or repr(error))
        try:
            # What a fault spoiled on purpose breaks its contract on purpose.
            if status and FAULT_KEY not in scope:
                answer: Any = read_body("application/json", answered)
                against.check_response(method, path, status, answer)
        except (AssertionError, ValueError) as error:
            self.violations.append(str(error) or repr(error))


def checked(app: SandboxApp, *, required: bool = True) -> Checked:
    """Wrap a sandbox; skips the test where the specifications are absent (fails where CI is set).

    Without `required` the test runs unchecked there, since it has more to show than the contract.
    """
    present = contracts_dir() is not None or bool(os.environ.get("CI"))
    return Checked(app, spec() if required or present else None)

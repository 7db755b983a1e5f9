"""The stand-ins as one ASGI application: reads a request, lets faults and the services at it, answers."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from bot.sandbox.control import Control
from bot.sandbox.services import Services
from integrations.sandbox_faults import (
    Answer,
    Fault,
    Handler,
    Request,
    Service,
    json_answer,
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

FAULT_KEY = "switchyard.fault"
"""Scope entry with the name of the fault that spoiled an answer; contract checks leave such answers alone."""
CONNECTION_KEY = "switchyard.connection"
ABORT_KEY = "switchyard.abort"


class ConnectionLost(ConnectionError):
    """Raised in place of a cut connection where the application runs without a server."""


class SandboxApp(Services):
    """All stand-ins behind one address; the path tells whom a request is for."""

    def __init__(self, *, latency_ms: float, enforce_rate_limits: bool, time_scale: float) -> None:
        super().__init__(
            latency_ms=latency_ms, enforce_rate_limits=enforce_rate_limits, time_scale=time_scale
        )
        self.control = Control(self)

    def _service(self, path: str) -> Service:
        if path.startswith("/api/v3/"):
            return self.shortcut
        if path.startswith(("/v1/chat/", "/v1/models")):
            return self.llm
        if path.startswith(("/api/", "/slack/")):
            return self.slack
        if path.startswith(("/v1/pages", "/v1/blocks", "/v1/users")):
            return self.notion
        if path.startswith(("/v1/query", "/v1/vulns/")):
            return self.osv
        if path.startswith("/services/"):
            return self.services
        return self.webhook if path.startswith("/hooks/") else self.github

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        request = await _read(scope, receive)
        if request is None:
            return
        if request.path.startswith("/_control"):
            await _send(send, await _forward(self.control.answer(request)))
            return
        service = self._service(request.path)
        found = service.router.find(request.method, request.path)
        template = found[0] if found else "(unknown)"
        connection = scope.get(CONNECTION_KEY) or scope.get("client")
        self.log.start(service.name, request.method, template, connection)
        status: int | str = "lost"
        try:
            status = await self._serve(service, request, found, scope, receive, send)
        finally:
            self.log.end(service.name, request.method, request.path, status)

    async def _serve(
        self,
        service: Service,
        request: Request,
        found: tuple[str, dict[str, str], Handler] | None,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> int | str:
        fault = self.faults.pick(service.name, request) if self.faults.faults else None
        if fault is not None:
            scope[FAULT_KEY] = fault.kind
            return await self._fail(fault, service, request, found, scope, receive, send)
        answer = _answer(service, request, found)
        if self.latency_ms:
            # The effect is there before the answer is: a client that dies meanwhile cannot know.
            await asyncio.sleep(self.latency_ms / 1000)
        await _send(send, answer)
        return answer.status

    async def _fail(
        self,
        fault: Fault,
        service: Service,
        request: Request,
        found: tuple[str, dict[str, str], Handler] | None,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> int | str:
        """Do what the fault says; tells the status sent, or the fault's name where none was."""
        if fault.kind in ("status", "html", "echo"):
            answer = _echoed(fault, request) if fault.kind == "echo" else _spoiled(fault, service)
            await _send(send, answer)
            return answer.status
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            del scope[FAULT_KEY]
            answer = _answer(service, request, found)
            await _send(send, answer)
            return answer.status
        if fault.kind in ("hang_after", "drop_after", "truncate"):
            answer = _answer(service, request, found)
            if fault.kind == "truncate":
                await _send_half(send, answer)
        if fault.kind in ("hang", "hang_after"):
            await _wait_for_disconnect(receive)
        else:
            await _cut(scope, receive)
        return fault.kind


async def _forward(answer: Answer) -> Answer:
    """A person's deed in Slack that has an address is sent there; other answers of the control go as they are."""
    if not isinstance(answer.body, bytes) or not answer.body.startswith(b'{"ok": true, "request"'):
        return answer
    told = json.loads(answer.body)
    if "to" not in told:
        return answer
    import httpx

    request = told["request"]
    try:
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            found = await client.post(
                told["to"], content=request["body"].encode(), headers=request["headers"]
            )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return json_answer(502, {"error": f"{told['to']} does not answer: {type(error).__name__}"})
    return json_answer(200, {"ok": True, "status": found.status_code, "body": found.text})


def _answer(service: Service, request: Request, found: tuple[str, dict[str, str], Handler] | None) -> Answer:
    if found is None:
        refused = service.begin(request, "")
        return service.finish(request, refused or service.not_found(request))
    template, request.params, handler = found
    refused = service.begin(request, template)
    return service.finish(request, refused or handler(request))


def _spoiled(fault: Fault, service: Service) -> Answer:
    """The answer of a fault that answers."""
    headers = [(name.lower().encode(), str(value).encode()) for name, value in fault.headers.items()]
    if fault.retry_after is not None:
        headers.append((b"retry-after", str(fault.retry_after).encode()))
    if fault.kind == "html":
        text = fault.body or "<html><body><h1>Bad gateway</h1><p>A proxy answered.</p></body></html>"
        return Answer(fault.status, str(text).encode(), [(b"content-type", b"text/html"), *headers])
    if fault.body is None:
        answer = service.error(fault.status)
        return Answer(answer.status, answer.body, [*answer.headers, *headers])
    if isinstance(fault.body, str):
        return Answer(fault.status, fault.body.encode(), [(b"content-type", b"text/plain"), *headers])
    return json_answer(fault.status, fault.body, headers)


def _echoed(fault: Fault, request: Request) -> Answer:
    """An error that quotes the request, as a careless proxy's does; the credential comes first."""
    first = ("authorization", "shortcut-token")
    ordered = sorted(request.headers.items(), key=lambda header: header[0] not in first)
    words = ", ".join(f"{name}: {value}" for name, value in ordered)
    words += f" {request.body[:2_000].decode('utf-8', 'replace')}"
    return json_answer(fault.status, {"ok": False, "message": words, "error": words})


async def _read(scope: Scope, receive: Receive) -> Request | None:
    """The whole request; None where its client has gone, for half a request has no effect."""
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    raw = scope.get("raw_path")
    path = raw.decode("ascii", "replace") if raw else scope["path"]
    return Request(scope["method"], path, scope["query_string"].decode("latin-1"), headers, body)


async def _send(send: Send, answer: Answer) -> None:
    headers = list(answer.headers)
    if isinstance(answer.body, bytes):
        if answer.status not in (204, 304):
            headers.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})
        return
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    for chunk in answer.body:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _send_half(send: Send, answer: Answer) -> None:
    """Promise the whole body and send half of it."""
    body = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
    headers = [*answer.headers, (b"content-length", str(max(len(body), 2)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    await asyncio.sleep(0.01)


async def _cut(scope: Scope, receive: Receive) -> None:
    """Close the connection; without a server under us, an exception has to say so."""
    abort = scope.get(ABORT_KEY)
    if abort is None:
        raise ConnectionLost("the sandbox cut the connection")
    abort()
    await _wait_for_disconnect(receive)


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return

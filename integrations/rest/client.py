"""A team's own service over httpx: reads for flows that think, and the target of the service's own lane."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from integrations.base import Answer
from integrations.http import raise_for_status, send
from integrations.resilience import Guard
from integrations.rest.commands import Call, idempotency_key, request_of
from integrations.rest.settings import OperationSettings, RestSettings
from models.commands import Pending
from models.errors import Rejected, Transient

LARGEST = 262_144
"""Bytes of an answer."""
DEEPEST = 40
"""Lists and mappings within each other in an answer: what is deeper cannot be handed on."""


class RestClient:
    """One service. ValueError where its secret cannot stand in a header."""

    def __init__(
        self,
        service: str,
        settings: RestSettings,
        secret: str | None,
        guard: Guard,
        *,
        user_agent: str,
        requests_in_flight: int,
    ) -> None:
        self.service = service
        self.name = f"api:{service}"
        self.guard = guard
        self._settings = settings
        self._credential = settings.auth.secret_env if settings.auth else f"{service}'s auth"
        headers = {"User-Agent": user_agent, "Accept": "application/json"}
        if settings.auth is not None and secret is not None:
            if not (secret.isascii() and secret.isprintable()):
                raise ValueError("no header can hold it")
            headers[settings.auth.header] = f"{settings.auth.scheme} {secret}".strip()
        self._http = httpx.AsyncClient(
            headers=headers,
            timeout=guard.timeout,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=requests_in_flight, keepalive_expiry=60),
        )

    async def read(self, operation: str, values: Mapping[str, Any]) -> Any:
        """What a reading operation answers, or what `answer` picks of it; None where that is nothing."""
        declared = self._operation(operation)
        if not declared.reads:
            raise Rejected(f"{self.service}: {operation} does not read")
        call = request_of(declared, values)
        found = await self.guard.read(lambda: self._json(call, {}))
        if declared.answer is None:
            return found
        import jmespath
        from jmespath.exceptions import JMESPathError

        try:
            return jmespath.search(declared.answer, found)
        except JMESPathError as error:
            words = " ".join(str(error).split())[:120]
            raise Rejected(
                f"{self.service}: the answer of {operation} is another than expected ({words})"
            ) from None

    def bulk_size(self, operation: str) -> int:
        return 1

    async def send(self, pendings: Sequence[Pending]) -> Sequence[Answer]:
        """Call the operation; every try of one wish carries the same Idempotency-Key."""
        (pending,) = pendings
        declared = self._operation(str(pending.payload["operation"]))
        if declared.reads:
            raise Rejected(f"{self.service}: {pending.payload['operation']} does not write")
        call = request_of(declared, pending.payload["values"])
        headers = {"Idempotency-Key": idempotency_key(pending)}
        return [{"status": await self.guard.call(lambda: self._status(call, headers), kind="write")}]

    async def find(self, pendings: Sequence[Pending]) -> Mapping[str, Answer]:
        """Nothing: calling is at least once; the service knows a repeat by its Idempotency-Key."""
        return {}

    async def check(self) -> str:
        count = len(self._settings.operations)
        return f"{count} operation{'' if count == 1 else 's'} declared; none is called now"

    async def close(self) -> None:
        await self._http.aclose()

    def _operation(self, name: str) -> OperationSettings:
        declared = self._settings.operations.get(name)
        if declared is None:
            raise Rejected(f"{self.service}: the configuration declares no operation {name!r} any more")
        return declared

    async def _json(self, call: Call, headers: Mapping[str, str]) -> Any:
        response = await self._answered(call, headers)
        try:
            return _plain(json.loads(response.content))
        except (ValueError, RecursionError):
            words = f"{self.service}: answered {call.name} with something that is no JSON"
            raise Transient(words) from None

    async def _status(self, call: Call, headers: Mapping[str, str]) -> int:
        return (await self._answered(call, headers)).status_code

    async def _answered(self, call: Call, headers: Mapping[str, str]) -> httpx.Response:
        body = {} if call.body is None else {"json": call.body}
        url = self._settings.base_url.rstrip("/") + call.path
        response = await send(
            self._http,
            self.service,
            call.method,
            url,
            at_most=LARGEST,
            params=list(call.query) or None,
            headers=dict(headers),
            **body,
        )
        raise_for_status(response, self.service, call.name, credential=self._credential)
        return response


def _plain(value: Any, depth: int = 0) -> Any:
    """JSON that every database and service takes; ValueError where it is nested too deep. A number that is none
    becomes null, and what is no character of Unicode's a question mark."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth >= DEEPEST and isinstance(value, list | dict):
        raise ValueError("nested too deep")
    if isinstance(value, list):
        return [_plain(one, depth + 1) for one in value]
    if isinstance(value, dict):
        return {_plain(name): _plain(one, depth + 1) for name, one in value.items()}
    return value

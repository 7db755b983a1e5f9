"""What the clients over httpx share: one request, its errors named for what to do, its JSON."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from integrations.resilience import require_lane, retry_after
from models.errors import BadCredential, RateLimited, Rejected, Transient, Unauthorized


async def request_json(
    client: httpx.AsyncClient, service: str, method: str, path: str, *, credential: str, **options: Any
) -> Any:
    """The JSON of a 2xx answer; models.errors otherwise. `credential` names what to renew."""
    response = await send(client, service, method, path, **options)
    raise_for_status(response, service, f"{method} {path}", credential=credential)
    return json_of(response, service, f"{method} {path}")


def json_of(response: httpx.Response, service: str, what: str) -> Any:
    """The answer's JSON; Transient where it is none, as a proxy's page in between."""
    try:
        return response.json()
    except (ValueError, RecursionError):
        raise Transient(f"{service}: answered {what} with something that is no JSON") from None


async def send(
    client: httpx.AsyncClient,
    service: str,
    method: str,
    path: str,
    *,
    unread: bool = False,
    at_most: int | None = None,
    **options: Any,
) -> httpx.Response:
    """One request; what stops it on the way becomes Transient. `unread` leaves the answer's body alone, of one that
    is larger than `at_most` bytes no more is read, and it is Rejected."""
    try:
        request = client.build_request(method, path, **options)
        request.stream = _LastLook(request.stream)
        if not unread and at_most is None:
            return await client.send(request)
        response = await client.send(request, stream=True)
        if unread:
            await response.aclose()
            return response
        return await _bounded(response, service, at_most or 0)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise Transient(f"{service}: cannot connect ({_reason(error)})", maybe_sent=False) from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise Rejected(f"{service}: {_reason(error)}") from None
    except httpx.HTTPError as error:
        raise Transient(f"{service}: {type(error).__name__} ({_reason(error)})") from None


class _LastLook(httpx.AsyncByteStream):
    """A request's body that is only given out while its lane is held: without it the service does nothing."""

    def __init__(self, body: object) -> None:
        assert isinstance(body, httpx.AsyncByteStream)
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        require_lane()
        async for part in self._body:
            yield part

    async def aclose(self) -> None:
        await self._body.aclose()


async def _bounded(response: httpx.Response, service: str, at_most: int) -> httpx.Response:
    """The answer with its whole body, which is counted as it comes, unpacked."""
    body = bytearray()
    try:
        async for chunk in response.aiter_bytes(16_384):
            body += chunk
            if len(body) > at_most:
                raise Rejected(f"{service}: the answer is larger than {at_most // 1024} kB")
    finally:
        await response.aclose()
    plain = {k: v for k, v in response.headers.items() if k not in ("content-encoding", "content-length")}
    return httpx.Response(response.status_code, headers=plain, content=bytes(body), request=response.request)


def raise_for_status(response: httpx.Response, service: str, what: str, *, credential: str) -> None:
    """Nothing for 2xx; else the error that says what to do."""
    status = response.status_code
    if response.is_success:
        return
    if status == 429:
        # Shortcut documents no header: its window is a minute.
        raise RateLimited(
            f"{service}: too many requests", retry_after(response.headers.get("retry-after"), default=60)
        )
    words = _words(response)
    if status == 401:
        raise BadCredential(f"{service}: the credential was refused ({words}); renew {credential}")
    if status == 403:
        raise Unauthorized(f"{service}: {what} is forbidden ({words}); check what {credential} may do")
    if status >= 500 or status == 408:
        raise Transient(f"{service}: HTTP {status} for {what}")
    raise Rejected(f"{service}: HTTP {status} for {what}: {words}", status=status)


def _words(response: httpx.Response) -> str:
    """The service's own words, bounded."""
    try:
        data = response.json()
    except ValueError:
        return response.text[:200].strip() or response.reason_phrase
    if isinstance(data, Mapping):
        parts = [str(data[key]) for key in ("message", "error", "errors", "tag") if data.get(key)]
        return "; ".join(parts)[:300] or response.reason_phrase
    return str(data)[:200]


def _reason(error: Exception) -> str:
    return str(error)[:120] or type(error).__name__

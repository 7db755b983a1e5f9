"""Outgoing webhooks, signed as Standard Webhooks asks: the operator's own, and those that repositories name."""

import asyncio
import random
import ssl
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import httpx

from integrations import egress
from integrations.base import Answer
from integrations.http import send
from integrations.resilience import Guard, retry_after
from integrations.webhook.commands import GONE, GONE_WORDS, derived_secret, request_of, signer
from integrations.webhook.settings import WebhookSettings
from models.commands import Pending
from models.errors import RateLimited, Rejected, Transient, Unavailable

REPOSITORIES = "webhook:repositories"
"""The one lane of all addresses that repositories name."""
RETRIES = (60, 300, 1_800, 7_200, 18_000, 36_000, 50_400)
"""Seconds to the next try at an address that does not take its event; about 32 hours in all."""
TIMEOUT = 15.0


class WebhookClient:
    """One receiver of the operator's own, wherever it is; redirects are not followed."""

    def __init__(
        self, index: int, settings: WebhookSettings, secret: str, guard: Guard, *, user_agent: str
    ) -> None:
        self.name = f"webhook:{index}"
        self._settings = settings
        self._signer = signer(secret)
        self.guard = guard
        self._http = httpx.AsyncClient(
            headers={"User-Agent": user_agent}, timeout=guard.timeout, follow_redirects=False
        )

    def bulk_size(self, operation: str) -> int:
        return 1

    async def send(self, pendings: Sequence[Pending]) -> Sequence[Answer]:
        (pending,) = pendings
        return [await self.guard.call(lambda: self._post(pending))]

    async def find(self, pendings: Sequence[Pending]) -> Mapping[str, Answer]:
        """Nothing: sending is at least once; the receiver knows a repeat by `webhook-id`."""
        return {}

    async def check(self) -> str:
        return f"signs for {httpx.URL(self._settings.url).host}; not called now"

    async def close(self) -> None:
        await self._http.aclose()

    async def _post(self, pending: Pending) -> Answer:
        body, headers = request_of(pending, self._signer, datetime.now(UTC))
        response = await send(
            self._http, "webhook", "POST", self._settings.url, unread=True, content=body, headers=headers
        )
        status, pause = response.status_code, response.headers.get("retry-after")
        if response.is_success:
            return {"status": status}
        if status == 429 or (status >= 500 and pause is not None):
            raise RateLimited(f"webhook: the receiver answered {status}", retry_after(pause, default=60))
        if status == GONE or response.is_redirect:
            raise _refusal(status)
        raise Transient(f"webhook: the receiver answered {status}")


class RepositoryHooks:
    """All receivers that repositories name: strangers' addresses, so they are reached by the egress filter.

    A receiver that does not answer is its command's own trouble: it is tried again later and then given up,
    while the others' events go on. So nothing here counts against the breaker.
    """

    name = REPOSITORIES

    def __init__(
        self,
        secret: str,
        guard: Guard,
        *,
        user_agent: str,
        rules: egress.Rules | None = None,
        verify: ssl.SSLContext | bool = True,
    ) -> None:
        self._secret = secret
        self.guard = guard
        self._http = egress.client(timeout=TIMEOUT, user_agent=user_agent, rules=rules, verify=verify)

    def bulk_size(self, operation: str) -> int:
        return 1

    async def send(self, pendings: Sequence[Pending]) -> Sequence[Answer]:
        (pending,) = pendings
        return [await self.guard.call(lambda: self._post(pending), timeout=2 * TIMEOUT)]

    async def find(self, pendings: Sequence[Pending]) -> Mapping[str, Answer]:
        """Nothing: sending is at least once; the receiver knows a repeat by `webhook-id`."""
        return {}

    async def check(self) -> str:
        return "signs for the addresses that repositories name; none is called now"

    async def close(self) -> None:
        await self._http.aclose()

    async def _post(self, pending: Pending) -> Answer:
        hook = pending.payload["hook"]
        repo, url = str(hook["repo"]), str(hook["url"])
        signs = signer(derived_secret(self._secret, repo, url))
        body, headers = request_of(pending, signs, datetime.now(UTC))
        try:
            async with asyncio.timeout(TIMEOUT):
                response = await send(
                    self._http, "webhook", "POST", url, unread=True, content=body, headers=headers
                )
        except TimeoutError:
            raise _later(pending, f"webhook of {repo}: no answer within {TIMEOUT:g} s") from None
        except Transient as error:
            raise _later(pending, f"webhook of {repo}: {str(error).removeprefix('webhook: ')}") from None
        except Rejected as error:
            raise Rejected(f"webhook of {repo}: {str(error).removeprefix('webhook: ')}") from None
        status = response.status_code
        if response.is_success:
            return {"status": status}
        if status == GONE or response.is_redirect:
            raise _refusal(status, f"webhook of {repo}")
        raise _later(
            pending,
            f"webhook of {repo}: the receiver answered {status}",
            response.headers.get("retry-after"),
        )


def _refusal(status: int, name: str = "webhook") -> Rejected:
    """What no repetition changes."""
    if status == GONE:
        return Rejected(
            f"{name}: {GONE_WORDS}: it wants no more; off until its address changes or this is discarded",
            status=status,
        )
    return Rejected(
        f"{name}: the receiver answered {status}, a redirect, which is not followed; correct its address",
        status=status,
    )


def _later(pending: Pending, words: str, header: str | None = None) -> Unavailable | Rejected:
    """The next try, jittered, no earlier than the receiver asks; after the last one the command is given up."""
    if pending.attempts >= len(RETRIES):
        return Rejected(f"{words}; given up after {pending.attempts + 1} tries")
    until = datetime.now(UTC) + timedelta(seconds=RETRIES[pending.attempts] * random.uniform(1, 1.2))  # noqa: S311
    return Unavailable(words, max(until, retry_after(header, default=0)))

"""One outgoing webhook, signed as Standard Webhooks asks: a target with a lane of its own."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import httpx
from standardwebhooks.webhooks import Webhook

from integrations.base import Answer
from integrations.http import send
from integrations.resilience import Guard, retry_after
from integrations.webhook.settings import WebhookSettings
from models.commands import Pending
from models.errors import RateLimited, Rejected, Transient


class WebhookClient:
    """The receiver is the operator's own; redirects are not followed."""

    def __init__(
        self, index: int, settings: WebhookSettings, secret: str, guard: Guard, *, user_agent: str
    ) -> None:
        self.name = f"webhook:{index}"
        self._settings = settings
        self._signer = Webhook(secret)
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
        body = json.dumps(pending.payload["event"], separators=(",", ":"))
        now = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": pending.key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(pending.key, now, body),
        }
        response = await send(
            self._http, "webhook", "POST", self._settings.url, content=body.encode(), headers=headers
        )
        status = response.status_code
        if response.is_success:
            return {"status": status}
        if status == 429:
            raise RateLimited(
                "webhook: too many requests", retry_after(response.headers.get("retry-after"), default=60)
            )
        if status == 410 or response.is_redirect:
            raise Rejected(f"webhook: the receiver answered {status}", status=status)
        raise Transient(f"webhook: the receiver answered {status}")

"""A receiver of outgoing webhooks that keeps what it gets and notices repeats."""

import time
from collections import Counter
from typing import Any

from integrations.sandbox_faults import Answer, Request, Router, json_answer


class WebhookSandbox:
    """Takes `POST /hooks/{name}`; a repeat is a delivery whose `webhook-id` came before under that name."""

    name = "webhook"

    def __init__(self) -> None:
        self.router = Router()
        self.router.add("POST", "/hooks/{name}", self._receive)
        self.deliveries: list[dict[str, Any]] = []
        self._times: Counter[tuple[str, str]] = Counter()

    def begin(self, request: Request, template: str) -> Answer | None:
        """Everybody may deliver; the signature is the receiver's own matter."""
        return None

    def finish(self, request: Request, answer: Answer) -> Answer:
        """Nothing to add."""
        return answer

    def not_found(self, request: Request) -> Answer:
        """Only POST to a hook is known."""
        return self.error(404)

    def error(self, status: int) -> Answer:
        """An error for a fault."""
        return json_answer(status, {"error": status})

    def repeats(self) -> int:
        """Deliveries beyond the first of their id."""
        return sum(times - 1 for times in self._times.values())

    def distinct(self) -> int:
        """Different ids seen."""
        return len(self._times)

    def _receive(self, request: Request) -> Answer:
        name, identifier = request.params["name"], request.headers.get("webhook-id", "")
        if identifier:
            self._times[name, identifier] += 1
        self.deliveries.append(
            {
                "name": name,
                "id": identifier,
                "received_at": time.time(),
                "repeat": self._times[name, identifier] > 1,
                "headers": dict(request.headers),
                "body": request.body.decode("utf-8", "replace"),
            }
        )
        return json_answer(200, {"received": True})

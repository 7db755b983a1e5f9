"""The deliveries of the App's webhook in the GitHub stand-in: what was sent, and what came of it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from integrations.github.sandbox.context import HEADERS, Desk
from integrations.github.sandbox.input import refuse
from integrations.sandbox_faults import Answer, ControlError, Request, json_answer

_KEYS = ("event", "guid", "payload", "status_code", "delivered_at", "redelivery")
_FIRST = 1_000_000
"""The first delivery's number; they grow from there."""


class DeliveryRoutes:
    """The list, newest first, and each delivery whole. They are put here by the control; none is sent."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._all: list[dict[str, Any]] = []
        desk.add("GET", "/app/hook/deliveries", self._list)
        desk.add("GET", "/app/hook/deliveries/{delivery_id}", self._get)

    def control(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Note a delivery; one without a status could not be made, as while nobody listened."""
        unknown = [key for key in data if key not in _KEYS]
        event, guid, payload = data.get("event"), data.get("guid"), data.get("payload")
        if unknown or not (isinstance(event, str) and isinstance(guid, str) and isinstance(payload, dict)):
            raise ControlError(f"a delivery has event, guid and payload; known: {', '.join(_KEYS)}")
        status = data.get("status_code", 502)
        if not isinstance(status, int):
            raise ControlError("status_code is a number")
        action, repository = payload.get("action"), payload.get("repository")
        number = repository.get("id") if isinstance(repository, Mapping) else None
        installation = payload.get("installation")
        self._all.append(
            {
                "id": _FIRST + len(self._all),
                "guid": guid,
                "delivered_at": data.get("delivered_at")
                or datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "redelivery": bool(data.get("redelivery", False)),
                "duration": 0.05,
                "status": "OK" if 200 <= status < 300 else "failed to connect",
                "status_code": status,
                "event": event,
                "action": action if isinstance(action, str) else None,
                "installation_id": installation.get("id") if isinstance(installation, Mapping) else None,
                "repository_id": number if isinstance(number, int) else None,
                "throttled_at": None,
                "payload": payload,
            }
        )
        return {"delivery": self._all[-1]["id"]}

    def _list(self, request: Request) -> Answer:
        query = request.query
        size = min(max(int(query["per_page"]) if query.get("per_page", "").isdecimal() else 30, 1), 100)
        cursor = query.get("cursor", "")
        text = cursor.removeprefix("v1_")
        if cursor and not text.isdecimal():
            raise refuse(400, "Invalid cursor")
        below = int(text) if cursor else _FIRST + len(self._all)
        found = [item for item in reversed(self._all) if item["id"] < below]
        shown = [{key: value for key, value in item.items() if key != "payload"} for item in found[:size]]
        headers = [*HEADERS]
        if len(found) > size:
            following = urlencode({"per_page": size, "cursor": f"v1_{shown[-1]['id']}"})
            url = f"{self._desk.writer.base}{request.path}?{following}"
            headers.append((b"link", f'<{url}>; rel="next"'.encode()))
        return Answer(200, json.dumps(shown).encode(), headers)

    def _get(self, request: Request) -> Answer:
        number = request.params["delivery_id"]
        place = int(number) - _FIRST if number.isdecimal() else -1
        if not 0 <= place < len(self._all):
            raise refuse(404)
        item = dict(self._all[place])
        payload = item.pop("payload")
        sent = {
            "Accept": "*/*",
            "Content-Type": "application/json",
            "X-GitHub-Delivery": item["guid"],
            "X-GitHub-Event": item["event"],
        }
        item |= {
            "url": "https://example.com/webhooks/github",
            "request": {"headers": sent, "payload": payload},
            "response": {"headers": {}, "payload": ""},
        }
        return json_answer(200, item)

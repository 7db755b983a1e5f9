"""A stand-in of any JSON service under /services/: it keeps what is put, lists what is posted, and echoes."""

import json
import time
from typing import Any

from integrations.sandbox_faults import REFUSED, Answer, Request, Router, json_answer

LONGEST_LIST = 10_000


class RestSandbox:
    """`PUT`, `PATCH`, `GET` and `DELETE /services/{name}/{path}` on a document; `POST` adds one to a list, once for
    an Idempotency-Key. `GET /services/{name}/echo/…` answers the request itself."""

    name = "api"

    def __init__(self) -> None:
        self.router = Router()
        for method, handler in (
            ("GET", self._get),
            ("PUT", self._put),
            ("PATCH", self._patch),
            ("DELETE", self._delete),
            ("POST", self._post),
        ):
            self.router.add(method, "/services/{service}/{path*}", handler)
        self.documents: dict[tuple[str, str], Any] = {}
        self.calls: list[dict[str, Any]] = []
        """Every writing request, repeats too."""
        self._by_key: dict[str, Any] = {}

    def begin(self, request: Request, template: str) -> Answer | None:
        """A body must be JSON, and one credential is refused."""
        credential = request.headers.get("authorization", "").rpartition(" ")[2]
        if credential == REFUSED:
            return json_answer(401, {"error": "bad credential"})
        try:
            request.json()
        except ValueError:
            return json_answer(400, {"error": "the body is no JSON"})
        return None

    def finish(self, request: Request, answer: Answer) -> Answer:
        """Nothing to add."""
        return answer

    def not_found(self, request: Request) -> Answer:
        """Anything below /services/NAME/ is known, and nothing else."""
        return self.error(404)

    def error(self, status: int) -> Answer:
        """An error for a fault."""
        return json_answer(status, {"error": f"status {status}"})

    def repeats(self) -> int:
        """Writing requests beyond the first of their Idempotency-Key."""
        return sum(call["repeat"] for call in self.calls)

    def _at(self, request: Request) -> tuple[str, str]:
        # As it was sent: a quoted slash is no slash.
        return request.params["service"], request.path.split("/", 3)[3]

    def _get(self, request: Request) -> Answer:
        at = self._at(request)
        if at[1].startswith("echo/"):
            told = {"path": request.path, "query": request.query, "headers": dict(request.headers)}
            return json_answer(200, told)
        return json_answer(200, self.documents[at]) if at in self.documents else self.error(404)

    def _put(self, request: Request) -> Answer:
        self._note(request)
        self.documents[self._at(request)] = request.json()
        return json_answer(200, request.json())

    def _patch(self, request: Request) -> Answer:
        self._note(request)
        at, change = self._at(request), request.json()
        if not isinstance(change, dict) or not isinstance(self.documents.get(at, {}), dict):
            return json_answer(422, {"error": "a document takes a mapping"})
        self.documents[at] = {**self.documents.get(at, {}), **change}
        return json_answer(200, self.documents[at])

    def _delete(self, request: Request) -> Answer:
        self._note(request)
        return (
            json_answer(200, {})
            if self.documents.pop(self._at(request), None) is not None
            else self.error(404)
        )

    def _post(self, request: Request) -> Answer:
        key = self._note(request)
        if key in self._by_key:
            return json_answer(200, self._by_key[key])
        entries = self.documents.setdefault(self._at(request), [])
        if not isinstance(entries, list) or len(entries) >= LONGEST_LIST:
            return json_answer(409, {"error": "there is no list, or it is full"})
        made = {"id": len(entries) + 1, "value": request.json()}
        entries.append(made)
        if key:
            self._by_key[key] = made
        return json_answer(201, made)

    def _note(self, request: Request) -> str:
        service, path = self._at(request)
        key = request.headers.get("idempotency-key", "")
        self.calls.append(
            {
                "service": service,
                "method": request.method,
                "path": path,
                "key": key,
                "repeat": bool(key) and any(call["key"] == key for call in self.calls),
                "received_at": time.time(),
                "body": json.loads(request.body) if request.body else None,
            }
        )
        return key

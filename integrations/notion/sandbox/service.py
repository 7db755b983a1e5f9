"""A stateful stand-in of Notion: pages with their blocks, its limits, its pace."""

import json
import math
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from integrations.notion.sandbox.blocks import MAX_BYTES, Invalid, check_children, check_rich_text
from integrations.sandbox_faults import REFUSED, Answer, Request, Router, Window, json_answer

PARENT = "0f5a1c3e-7b2d-4e6f-8a9b-000000000001"
"""The one page that is there from the start and shared with the connection."""
BOT = "0f5a1c3e-7b2d-4e6f-8a9b-0000000000b0"
PERSON = "0f5a1c3e-7b2d-4e6f-8a9b-0000000000c0"
_CODES = {
    400: "validation_error", 401: "unauthorized", 403: "restricted_resource", 404: "object_not_found",
    409: "conflict_error", 429: "rate_limited", 500: "internal_server_error", 503: "service_unavailable",
    529: "service_overload",
}  # fmt: skip


class NotionSandbox:
    """Pages below PARENT; anybody with a token that is not refused is the same connection."""

    name = "notion"

    def __init__(self, *, enforce: bool, scale: float) -> None:
        self.router = Router()
        self.refused = 0
        self._window = Window(180, 60 / scale) if enforce else None
        self._blocks: dict[str, dict[str, Any]] = {}
        self._children: dict[str, list[str]] = {PARENT: []}
        self._titles: dict[str, str] = {PARENT: "Documentation drafts"}
        for method, path, handler in (
            ("GET", "/v1/users/me", self._me),
            ("POST", "/v1/pages", self._create),
            ("GET", "/v1/pages/{id}", self._page),
            ("PATCH", "/v1/pages/{id}", self._put_away),
            ("GET", "/v1/blocks/{id}/children", self._list),
            ("PATCH", "/v1/blocks/{id}/children", self._append),
        ):
            self.router.add(method, path, self._handler(handler))

    def _handler(self, work: Callable[[Request], Any]) -> Callable[[Request], Answer]:
        def handle(request: Request) -> Answer:
            try:
                return json_answer(200, work(request))
            except Invalid as invalid:
                return self.error(invalid.status, str(invalid))

        return handle

    # What the application calls.

    def begin(self, request: Request, template: str) -> Answer | None:
        """Check credential, version and pace."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token or token == REFUSED:
            return self.error(401, "API token is invalid.")
        if not request.headers.get("notion-version"):
            return self.error(400, "Notion-Version header failed validation.", code="missing_version")
        if self._window is not None:
            wait = self._window.wait(time.monotonic())
            if wait > 0:
                self.refused += 1
                headers = [(b"retry-after", str(max(1, math.ceil(wait))).encode())]
                answer = self.error(429)
                return Answer(answer.status, answer.body, [*answer.headers, *headers])
            self._window.take(time.monotonic())
        return None

    def finish(self, request: Request, answer: Answer) -> Answer:
        """Nothing to add."""
        return answer

    def not_found(self, request: Request) -> Answer:
        """An unknown path."""
        return self.error(400, "Invalid request URL.", code="invalid_request_url")

    def error(self, status: int, message: str = "", *, code: str = "") -> Answer:
        """An error in Notion's shape."""
        name = code or _CODES.get(status, "internal_server_error")
        return json_answer(
            status, {"object": "error", "status": status, "code": name, "message": message or name}
        )

    def pages(self) -> list[dict[str, Any]]:
        """Every page that stands below PARENT, with its blocks, in the order of making."""
        return [
            {
                "id": page,
                "title": self._titles[page],
                "blocks": [self._shown(block, nested=True) for block in self._children[page]],
            }
            for page in self._children[PARENT]
            if not self._blocks[page]["in_trash"]
        ]

    def write_by_hand(self, page: str, text: str) -> None:
        """A person adds a paragraph to a page."""
        block = {
            "type": "paragraph",
            "paragraph": {"rich_text": [{"type": "text", "text": {"content": text}}]},
        }
        self._add(page, block, PERSON)

    # Its methods.

    def _me(self, request: Request) -> dict[str, Any]:
        bot = {"owner": {"type": "workspace", "workspace": True}, "workspace_name": "Sandbox"}
        return {
            "object": "user",
            "id": BOT,
            "name": "switchyard",
            "avatar_url": None,
            "type": "bot",
            "bot": bot,
        }

    def _create(self, request: Request) -> dict[str, Any]:
        body = _object(request)
        _only(body, "parent", "properties", "children", "icon", "cover")
        parent = body.get("parent")
        where = str(parent.get("page_id")) if isinstance(parent, dict) else ""
        self._known(where)
        title = (body.get("properties") or {}).get("title")
        if not isinstance(title, dict) or set(title) - {"title", "type", "id"}:
            raise Invalid("body.properties.title should be a title.")
        check_rich_text(title.get("title"), "body.properties.title.title")
        children = body.get("children", [])
        check_children(children, "body.children")
        page = str(uuid.uuid4())
        text = "".join(piece["text"]["content"] for piece in title["title"])
        now = _now()
        self._blocks[page] = {
            "type": "child_page",
            "child_page": {"title": text},
            "parent": where,
            "by": BOT,
            "created": now,
            "in_trash": False,
        }
        self._titles[page] = text
        self._children[page] = []
        self._children[where].append(page)
        for child in children:
            self._add(page, child, BOT)
        return self._page_object(page)

    def _page(self, request: Request) -> dict[str, Any]:
        page = request.params["id"]
        if page not in self._titles:
            raise Invalid(_missing(page), 404)
        return self._page_object(page)

    def _put_away(self, request: Request) -> dict[str, Any]:
        page, body = request.params["id"], _object(request)
        if page not in self._blocks:
            raise Invalid(_missing(page), 404)
        self._blocks[page]["in_trash"] = bool(body.get("in_trash", body.get("archived", False)))
        return self._page_object(page)

    def _list(self, request: Request) -> dict[str, Any]:
        where = request.params["id"]
        self._known(where)
        query = request.query
        size = query.get("page_size", "100")
        if not size.isdecimal() or not 1 <= int(size) <= 100:
            raise Invalid(f"query.page_size should be ≤ 100, instead was {size}.")
        children = [c for c in self._children[where] if not self._blocks[c].get("in_trash")]
        start = query.get("start_cursor")
        if start is not None and start not in children:
            raise Invalid(f"The start_cursor provided is invalid: {start}")
        first = children.index(start) if start else 0
        rest = children[first : first + int(size) + 1]
        return {
            "object": "list",
            "results": [self._shown(block) for block in rest[: int(size)]],
            "next_cursor": rest[int(size)] if len(rest) > int(size) else None,
            "has_more": len(rest) > int(size),
            "type": "block",
            "block": {},
        }

    def _append(self, request: Request) -> dict[str, Any]:
        where, body = request.params["id"], _object(request)
        _only(body, "children", "after", "position")
        self._known(where)
        if self._blocks.get(where, {}).get("in_trash"):
            raise Invalid(
                "Can't edit block that is archived. You must unarchive the block before editing.", 400
            )
        check_children(body.get("children"), "body.children")
        made = [self._add(where, child, BOT) for child in body["children"]]
        results = [self._shown(block) for block in made]
        return {
            "object": "list",
            "results": results,
            "next_cursor": None,
            "has_more": False,
            "type": "block",
            "block": {},
        }

    # What there is.

    def _known(self, where: str) -> None:
        if where not in self._children:
            raise Invalid(_missing(where), 404)

    def _add(self, where: str, block: Mapping[str, Any], by: str) -> str:
        made = str(uuid.uuid4())
        kind = str(block.get("type") or next(key for key in block if key != "object"))
        content = {key: value for key, value in block[kind].items() if key != "children"}
        self._blocks[made] = {"type": kind, kind: content, "parent": where, "by": by, "created": _now()}
        self._children[made] = []
        self._children[where].append(made)
        for child in block[kind].get("children", ()):
            self._add(made, child, by)
        return made

    def _shown(self, block: str, *, nested: bool = False) -> dict[str, Any]:
        known = self._blocks[block]
        kind = known["type"]
        who = {"object": "user", "id": known["by"]}
        return {
            "object": "block",
            "id": block,
            "parent": {"type": "page_id", "page_id": known["parent"]}
            if known["parent"] in self._titles
            else {"type": "block_id", "block_id": known["parent"]},
            "created_time": known["created"],
            "last_edited_time": known["created"],
            "created_by": who,
            "last_edited_by": who,
            "has_children": bool(self._children[block]),
            "in_trash": known.get("in_trash", False),
            "type": kind,
            kind: known[kind],
            **({"children": [self._shown(c, nested=True) for c in self._children[block]]} if nested else {}),
        }

    def _page_object(self, page: str) -> dict[str, Any]:
        known = self._blocks.get(page, {"created": "2026-01-01T00:00:00.000Z", "in_trash": False})
        title = [{"type": "text", "text": {"content": self._titles[page]}, "plain_text": self._titles[page]}]
        who = {"object": "user", "id": known.get("by", PERSON)}
        parent = known.get("parent")
        return {
            "object": "page",
            "id": page,
            "created_time": known["created"],
            "last_edited_time": known["created"],
            "created_by": who,
            "last_edited_by": who,
            "in_trash": known["in_trash"],
            "parent": {"type": "page_id", "page_id": parent}
            if parent
            else {"type": "workspace", "workspace": True},
            "properties": {"title": {"id": "title", "type": "title", "title": title}},
            "url": f"https://www.notion.so/{page.replace('-', '')}",
            "public_url": None,
        }


def _object(request: Request) -> dict[str, Any]:
    if len(request.body) > MAX_BYTES:
        raise Invalid(f"The request body is larger than {MAX_BYTES} bytes.", 413)
    try:
        data = json.loads(request.body)
    except ValueError:
        raise Invalid("Error parsing JSON body.") from None
    if not isinstance(data, dict):
        raise Invalid("body should be an object.")
    return data


def _only(body: Mapping[str, Any], *known: str) -> None:
    for key in body:
        if key not in known:
            raise Invalid(f"body failed validation: body.{key} should be not present.")


def _missing(what: str) -> str:
    return (
        f"Could not find block with ID: {what}. Make sure the relevant pages and databases are shared with "
        "your integration."
    )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:00.000Z")

"""Notion's side of the contract: bodies by the schemas of its own client, paths and queries by its document."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs

from tests.contracts.schemas import pointer

_PREFIXES = ("/v1/pages", "/v1/blocks", "/v1/users")
_APPEND = "/v1/blocks/{block_id}/children"


class NotionSpec:
    """Checks requests and answers of Notion's interface."""

    def __init__(self, root: Path) -> None:
        document = json.loads((root / "notion-openapi.mcp.json").read_text(encoding="utf-8"))
        self._operations = {
            (method.upper(), template): operation
            for template, item in document["paths"].items()
            for method, operation in item.items()
        }
        self._bodies = {
            ("POST", "/v1/pages"): _validator(root, "CreatePage"),
            ("PATCH", _APPEND): _validator(root, "AppendChildren"),
        }

    def knows(self, path: str) -> bool:
        """Whether a path is Notion's."""
        return path.startswith(_PREFIXES)

    def check_request(self, method: str, path: str, body: Any, query: Mapping[str, Any]) -> None:
        """AssertionError where a path, a query or a body is none of Notion's."""
        template = self._template(method, path)
        assert template is not None, f"{method} {path}: no such path in Notion's interface"
        parameters = self._operations[method, template].get("parameters", [])
        known = {p["name"] for p in parameters if p.get("in") == "query"}
        assert set(query) <= known, f"{method} {path}: unknown query {sorted(set(query) - known)}"
        problems = self.body_problems(method, path, body)
        assert not problems, f"{method} {template}: request: " + "; ".join(problems[:5])

    def body_problems(self, method: str, path: str, body: Any) -> list[str]:
        """What is wrong with a body, by the shapes that Notion's own client has for it."""
        template = self._template(method, path)
        validator = self._bodies.get((method, template or ""))
        if validator is None:
            return []
        value = {"block_id": "b", **(body or {})} if template == _APPEND else body
        return [f"{pointer(e.instance_path)}: {e.message[:200]}" for e in validator.iter_errors(value)]

    def check_response(self, method: str, path: str, status: int, body: Any) -> None:
        """AssertionError where an answer has not the members that every object of its kind has."""
        where = f"{method} {path}: response {status}"
        assert isinstance(body, dict), f"{where}: {body!r}"
        if status >= 400:
            assert body.get("object") == "error" and body.get("status") == status, f"{where}: {body!r}"
            assert isinstance(body.get("code"), str) and isinstance(body.get("message"), str), where
        elif path.endswith("/children"):
            assert body.get("object") == "list" and isinstance(body.get("has_more"), bool), where
            assert isinstance(body.get("next_cursor"), str | None), where
            for block in body["results"]:
                assert block["object"] == "block" and block["type"] in block, f"{where}: {block!r}"
                assert {"id", "created_by", "has_children", "parent"} <= set(block), f"{where}: {block!r}"
        else:
            kind = "page" if path.startswith("/v1/pages") else "user"
            assert body.get("object") == kind and isinstance(body.get("id"), str), f"{where}: {body!r}"

    def _template(self, method: str, path: str) -> str | None:
        for known, template in self._operations:
            if known == method and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path):
                return template
        return None


def _validator(root: Path, name: str) -> jsonschema_rs.Draft7Validator:
    (path,) = root.glob(f"{name}.*.schema.json")
    return jsonschema_rs.Draft7Validator(json.loads(path.read_text(encoding="utf-8")))

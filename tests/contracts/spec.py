"""The official specifications as one checker of requests and responses, alone or around the sandbox."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote

import pytest

from tests.contracts.notion_spec import NotionSpec
from tests.contracts.schemas import Schemas, load
from tests.contracts.slack_spec import SlackSpec

_TAIL = ("path", "name", "ref")
"""Path parameters that may hold slashes where they come last."""
_SHORTCUT_ERRORS = (400, 401, 403, 404, 409, 422, 429, 500, 502, 503)
_GITHUB_ERRORS = (400, 401, 403, 404, 409, 410, 422, 429, 500, 502, 503)
_MISSING = object()
_ISSUE_EVENTS = Path(__file__).with_name("github_issue_events.subset.json")
"""The same document's part on events of issues, which the specifications beside the repository lack."""
_CORRECTED = {
    # The document wants the account to be a user and an enterprise at once; its own component has it right.
    ("GET /app/installations", 200): {
        "type": "array",
        "items": {"$ref": "#/components/schemas/installation"},
    },
}


def contracts_dir() -> Path | None:
    """Where the specifications lie: $SWITCHYARD_CONTRACTS, else beside the repository; None where absent."""
    told = os.environ.get("SWITCHYARD_CONTRACTS")
    root = Path(told) if told else Path(__file__).parents[2].parent / "shared" / "contracts"
    return root if (root / "github" / "api.github.com.subset.json").is_file() else None


def require_contracts() -> Path:
    """The directory; skips the test where there is none, or fails it where CI is set."""
    root = contracts_dir()
    if root is not None:
        return root
    reason = "no official specifications found; set SWITCHYARD_CONTRACTS to their directory"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@cache
def spec() -> "Spec":
    """The specifications, read once; skips like `require_contracts`."""
    return Spec(require_contracts())


@dataclass(frozen=True)
class Operation:
    """One method of one path, as its document has it."""

    service: str
    schemas: Schemas
    template: str
    pattern: re.Pattern[str]
    method: str
    data: Mapping[str, Any]
    parameters: tuple[Mapping[str, Any], ...]

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"

    def body_schema(self) -> Mapping[str, Any] | None:
        """What the request's body has to fit."""
        for parameter in self.parameters:
            if parameter["in"] == "body":
                found: Mapping[str, Any] = parameter["schema"]
                return found
        content = self.schemas.resolve(self.data.get("requestBody", {})).get("content", {})
        return content.get("application/json", {}).get("schema") if content else None

    def body_required(self) -> bool:
        """Whether there has to be a body."""
        if any(p["in"] == "body" and p.get("required") for p in self.parameters):
            return True
        return bool(self.schemas.resolve(self.data.get("requestBody", {})).get("required"))

    def response_schema(self, status: int) -> Any:
        """Schema of an answer; None where it has no body, _MISSING where the status is unknown."""
        if (self.name, status) in _CORRECTED:
            return _CORRECTED[self.name, status]
        if str(status) not in self.data["responses"]:
            return _MISSING
        response = self.schemas.resolve(self.data["responses"][str(status)])
        if "content" in response:
            return response["content"].get("application/json", {}).get("schema")
        return response.get("schema")


class Spec:
    """Checks requests and responses of GitHub, Shortcut and Slack; the path tells whose they are."""

    def __init__(self, root: Path) -> None:
        self.operations = [
            *_operations("github", load(root / "github" / "api.github.com.subset.json", _ISSUE_EVENTS)),
            *_operations("shortcut", load(root / "shortcut" / "shortcut.swagger.json")),
            *_operations("osv", load(root / "osv" / "osv_service_v1.swagger.json")),
        ]
        openai = load(root / "openai" / "openai.chat-completions.subset.json")
        self.operations += _operations("openai", openai, prefix="/v1")
        self.slack = SlackSpec(root / "slack")
        self.notion = NotionSpec(root / "notion")

    def find(self, method: str, path: str) -> Operation | None:
        """The operation that a request is for; a template with fewer parameters wins."""
        fitting = [o for o in self.operations if o.method == method and o.pattern.fullmatch(path)]
        return min(fitting, key=lambda o: o.template.count("{"), default=None)

    def knows(self, method: str, path: str) -> bool:
        """Whether a document describes this request."""
        if _is_slack(path):
            return self.slack.knows(path.removeprefix("/api/"))
        return self.notion.knows(path) or self.find(method, path) is not None

    def check_request(
        self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None
    ) -> None:
        """AssertionError where the request breaks its specification; unknown GitHub paths pass.

        `body` is parsed JSON, for Slack the arguments; `query` has texts or lists of texts.
        """
        if _is_slack(path):
            self.slack.check_request(path.removeprefix("/api/"), {**(query or {}), **(body or {})})
            return
        if self.notion.knows(path):
            self.notion.check_request(method, path, body, query or {})
            return
        operation = self.find(method, path)
        if operation is None:
            assert not path.startswith("/api/v3/"), f"{method} {path}: no such path in Shortcut's interface"
            return
        if isinstance(body, list) and path.endswith("/labels"):
            # The prose allows a plain list of names here, the schema beside it forgets to.
            body = {"labels": body}
        problems = [*_query_problems(operation, query or {}), *_body_problems(operation, body)]
        assert not problems, f"{operation.name}: request: " + "; ".join(problems[:5])

    def check_response(self, method: str, path: str, status: int, body: Any = None) -> None:
        """AssertionError where the answer breaks its specification; `body` is parsed JSON or None."""
        if _is_slack(path):
            self.slack.check_response(path.removeprefix("/api/"), status, body)
            return
        if self.notion.knows(path):
            self.notion.check_response(method, path, status, body)
            return
        if status == 304:
            assert body is None, f"{method} {path}: 304 has a body"
            return
        operation = self.find(method, path)
        if operation is None:
            return
        schema = operation.response_schema(status)
        where = f"{operation.name}: response {status}"
        if schema is None and status < 300:
            assert body is None, f"{where}: a body where the specification has none"
        elif schema is None or schema is _MISSING or status >= 400:
            _check_error(operation, status, body, where, schema)
        else:
            problems = operation.schemas.problems(f"{operation.name}:{status}", schema, body)
            assert not problems, f"{where}: " + "; ".join(problems[:5])


def _check_error(operation: Operation, status: int, body: Any, where: str, schema: Any) -> None:
    """Errors that a document does not describe still have the service's usual shape."""
    if operation.service == "openai":
        shape = {"$ref": "#/components/schemas/ErrorResponse"}
        problems = operation.schemas.problems("openai error", shape, body)
        assert not problems, f"{where}: " + "; ".join(problems[:5])
        return
    known = _GITHUB_ERRORS if operation.service == "github" else _SHORTCUT_ERRORS
    assert status in known, f"{where}: not in the specification"
    assert isinstance(body, dict) and isinstance(body.get("message"), str), f"{where}: no message: {body!r}"
    if operation.service == "github":
        assert isinstance(body.get("documentation_url"), str), f"{where}: no documentation_url"
        if schema is not None and schema is not _MISSING:
            problems = operation.schemas.problems(f"{operation.name}:{status}", schema, body)
            assert not problems, f"{where}: " + "; ".join(problems[:5])


def _is_slack(path: str) -> bool:
    return path.startswith("/api/") and not path.startswith("/api/v3/")


def _operations(service: str, schemas: Schemas, prefix: str = "") -> list[Operation]:
    found = []
    for path, item in schemas.document["paths"].items():
        template = prefix + path
        for method, data in item.items():
            if method in ("get", "post", "put", "patch", "delete"):
                raw = [*item.get("parameters", []), *data.get("parameters", [])]
                parameters = tuple(schemas.resolve(p) for p in raw)
                pattern = re.compile(_pattern(template))
                found.append(Operation(service, schemas, template, pattern, method.upper(), data, parameters))
    return found


def _pattern(template: str) -> str:
    def part(match: re.Match[str]) -> str:
        last = match.end() == len(template)
        return ".*" if last and match[1] in _TAIL else "[^/]+"

    return re.sub(r"\{([^}]+)\}", part, template)


def _query_problems(operation: Operation, query: Mapping[str, Any]) -> list[str]:
    known = {p["name"]: p for p in operation.parameters if p["in"] == "query"}
    problems = [f"query {name}: not in the specification" for name in query if name not in known]
    for name, parameter in known.items():
        schema = parameter.get("schema") or {
            k: v for k, v in parameter.items() if k not in ("name", "in", "required", "description")
        }
        if name not in query:
            if parameter.get("required"):
                problems.append(f"query {name}: missing")
            continue
        value = _coerced(query[name], schema.get("type"))
        key = f"{operation.name}?{name}"
        problems += [f"query {name}{p}" for p in operation.schemas.problems(key, schema, value)]
    return problems


def _coerced(value: Any, kind: Any) -> Any:
    """A query's text as the type that its schema has."""
    if kind == "array":
        return value if isinstance(value, list) else [value]
    text = value[-1] if isinstance(value, list) else value
    if kind == "integer" and re.fullmatch(r"-?\d+", str(text)):
        return int(text)
    if kind == "boolean" and str(text).lower() in ("true", "false"):
        return str(text).lower() == "true"
    return text


def _body_problems(operation: Operation, body: Any) -> list[str]:
    schema = operation.body_schema()
    if schema is None:
        return [] if body in (None, {}) else ["a body where the specification has none"]
    if body is None:
        return ["no body"] if operation.body_required() else []
    problems = operation.schemas.problems(f"{operation.name}<", schema, body)
    if isinstance(body, dict):
        # A misspelt key is no breach of an open object, and yet the service ignores it silently.
        known = _known_keys(operation.schemas, schema)
        problems += [f"/{key}: not in the specification" for key in body if known and key not in known]
    return problems


def _known_keys(schemas: Schemas, schema: Mapping[str, Any]) -> set[str]:
    node = schemas.resolve(schema)
    keys = set(node.get("properties", ()))
    for part in ("oneOf", "anyOf", "allOf"):
        for item in node.get(part, ()):
            keys |= _known_keys(schemas, item)
    return keys


def read_body(content_type: str, raw: bytes) -> Any:
    """A request's body as `check_request` wants it: JSON, or the fields of a form; None where it is empty."""
    if not raw:
        return None
    if "form-urlencoded" in content_type:
        return dict(parse_qsl(raw.decode(), keep_blank_values=True))
    return json.loads(raw)


def read_query(text: str) -> dict[str, Any]:
    """A query string as `check_request` wants it."""
    return {k: v if len(v) > 1 else v[0] for k, v in parse_qs(text, keep_blank_values=True).items()}


def read_path(raw: bytes) -> str:
    """A path without its percent signs."""
    return unquote(raw.decode("ascii", "replace"))

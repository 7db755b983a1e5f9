"""From a declared operation and the values of its fields to a request; values stay where they were put."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from integrations.rest.settings import FIELD, OperationSettings
from models.commands import Pending
from models.errors import Rejected

LONGEST = 500
"""Characters of a value in a path or a query."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `path` is percent-encoded; `name` says what was called, without what its fields hold."""

    method: str
    path: str
    name: str
    query: tuple[tuple[str, str], ...]
    body: Any


def request_of(operation: OperationSettings, values: Mapping[str, Any]) -> Call:
    """The request; Rejected where a value does not fit its place."""
    path = FIELD.sub(lambda match: quote(_text(match[1], values), safe="", errors="replace"), operation.path)
    # A path cannot lead elsewhere: what a field gives is quoted, and a part is never empty or a dot.
    parts = zip(operation.path.split("/"), path.split("/"), strict=True)
    for template, part in parts:
        if template and part in ("", ".", ".."):
            raise Rejected(f"a field cannot be {part!r} in the path {operation.path}")
    query = tuple(
        (name, _plain(name, one))
        for name, given in operation.query.items()
        for one in _several(_filled(given, values))
    )
    name = f"{operation.method} {operation.path[:200]}"
    return Call(operation.method, path, name, query, _filled(operation.body, values))


def idempotency_key(pending: Pending) -> str:
    """The same for every try of one wish, and another where the wish has changed."""
    return hashlib.sha256(f"{pending.key}\0{pending.payload_hash}".encode()).hexdigest()[:40]


def _filled(given: Any, values: Mapping[str, Any]) -> Any:
    """A part of the declaration with its fields filled: a field that stands alone keeps its value's type."""
    if isinstance(given, Mapping):
        return {str(name): _filled(one, values) for name, one in given.items()}
    if isinstance(given, list | tuple):
        return [_filled(one, values) for one in given]
    if not isinstance(given, str):
        return given
    alone = FIELD.fullmatch(given)
    if alone is not None:
        return _value(alone[1], values)
    return FIELD.sub(lambda match: _text(match[1], values), given)


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _value(name: str, values: Mapping[str, Any]) -> Any:
    if name not in values:
        raise Rejected(f"the field {name} was not filled")
    return values[name]


def _text(name: str, values: Mapping[str, Any]) -> str:
    return _plain(name, _value(name, values))


def _plain(name: str, value: Any) -> str:
    """A value as text for a path, a query or the middle of a sentence."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise Rejected(f"the field {name} is no text and no number")
    text = str(value)
    if len(text) > LONGEST:
        raise Rejected(f"the field {name} is longer than {LONGEST} characters")
    return text

"""Expressions of a team's own flows: JMESPath over the case as plain JSON, checked before any case comes."""

import dataclasses
import difflib
import json
import re
import types
import typing
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, Union

from models.case import Case, Route

LONGEST = 1_000
"""Characters of an expression."""
_NUMBER = re.compile(r"[<>=] {0,3}-?\d")
VIEWED = (
    "issue",
    "sentiment",
    "code",
    "impact",
    "decision",
    "trace",
    "similar",
    "suspects",
    "advisories",
    "estimate",
    "priority",
    "suspicions",
    "sections",
    "tasks",
    "questions",
    "labels",
    "notes",
    "data",
)
"""What of a case an expression sees; `route` and `issue.ref` stand beside it."""


def view(case: Case) -> dict[str, Any]:
    """The case as plain JSON; times are ISO 8601."""
    seen = {name: _plain(getattr(case, name)) for name in VIEWED if name != "data"}
    seen["issue"]["ref"] = case.issue.ref
    # Plain already, and perhaps large.
    return {**seen, "data": dict(case.data), "route": case.route}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list | frozenset | set):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value):
        return {spec.name: _plain(getattr(value, spec.name)) for spec in dataclasses.fields(value)}
    return str(value)


def evaluate(expression: str, seen: Mapping[str, Any]) -> Any:
    """What the expression gives, as JSON; None also where a function is given what it does not take, as of a missing
    field, and where it comes to no number (`to_number` of "nan" or "1e999")."""
    from jmespath.exceptions import JMESPathError

    try:
        value = _compiled(expression).search(seen)
        json.dumps(value, allow_nan=False)
    except (JMESPathError, ArithmeticError, TypeError, ValueError, RecursionError):
        return None
    return value


def holds(expression: str, seen: Mapping[str, Any]) -> bool:
    """Does the condition hold? As JMESPath has it: null, false and what is empty do not, 0 does."""
    value = evaluate(expression, seen)
    return not (value is None or value is False or (isinstance(value, str | list | dict) and not value))


def check(expression: Any) -> None:
    """ValueError says what is wrong: no expression, an unknown function, or a field that no case has."""
    from jmespath.exceptions import JMESPathError

    if not isinstance(expression, str) or not expression.strip():
        raise ValueError("must be an expression, like impact.severity == 'critical'")
    if len(expression) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    try:
        tree = _compiled(expression).parsed
    except JMESPathError as error:
        words = " ".join(str(error).split()).removeprefix("Invalid jmespath expression: ").removesuffix(" ^")
        hint = "; a number stands between backticks, like `50`" if _NUMBER.search(expression) else ""
        raise ValueError(f"is no JMESPath expression ({words[:160]}){hint}") from None
    try:
        _shape(tree, _case_shape())
    except ValueError as error:
        is_text = '"' in expression or expression.strip().isidentifier()
        hint = "; text stands between single quotes, like 'critical'" if is_text else ""
        raise ValueError(f"{error}{hint}") from None


def nearest(name: str, known: Collection[str]) -> str:
    """What to say of an unknown name."""
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"known here: {', '.join(sorted(known))}"


@lru_cache(maxsize=512)
def _compiled(expression: str) -> Any:
    # Imported where it is needed: short commands import every node, and few use an expression.
    import jmespath

    return jmespath.compile(expression)


@dataclass(frozen=True, slots=True)
class _Record:
    """A mapping with known keys."""

    keys: Mapping[str, "_Shape"]


@dataclass(frozen=True, slots=True)
class _Items:
    """A list of things of one shape."""

    of: "_Shape"


@dataclass(frozen=True, slots=True)
class _Plain:
    """Text, a number or a truth; `options` where only these can occur."""

    options: tuple[Any, ...] = ()


_Shape = _Record | _Items | _Plain | None
"""None: whatever it is."""
_TRUTH = _Plain()


@lru_cache(maxsize=1)
def _case_shape() -> _Record:
    hints = typing.get_type_hints(Case)
    keys = {name: _shape_of_type(hints[name]) for name in VIEWED}
    issue = keys["issue"]
    assert isinstance(issue, _Record)
    keys["issue"] = _Record({**issue.keys, "ref": _Plain()})
    return _Record({**keys, "route": _shape_of_type(Route)})


def _shape_of_type(hint: Any) -> _Shape:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        rest = [one for one in arguments if one is not type(None)]
        return _shape_of_type(rest[0]) if len(rest) == 1 else None
    if origin is Literal:
        return _Plain(arguments)
    if origin is tuple:
        return _Items(_shape_of_type(arguments[0]) if arguments[-1] is Ellipsis else None)
    if dataclasses.is_dataclass(hint):
        return _Record({name: _shape_of_type(one) for name, one in typing.get_type_hints(hint).items()})
    return _Plain() if hint in (str, int, float, bool, datetime) else None


def _shape(tree: Any, at: _Shape) -> _Shape:
    """The shape of what a part of an expression gives where it is applied to `at`; ValueError where it cannot be."""
    kind, parts = tree["type"], tree.get("children", [])
    if kind == "field":
        return _field(tree["value"], at)
    if kind in ("current", "identity"):
        return at
    if kind == "literal":
        return _literal(tree["value"])
    if kind in ("subexpression", "pipe", "index_expression"):
        for part in parts:
            at = _shape(part, at)
        return at
    if kind == "index":
        return at.of if isinstance(at, _Items) else None
    if kind == "slice":
        return at
    if kind in ("projection", "filter_projection", "value_projection"):
        left = _shape(parts[0], at)
        element = left.of if isinstance(left, _Items) and kind != "value_projection" else None
        if kind == "filter_projection":
            _shape(parts[2], element)
        return _Items(_shape(parts[1], element))
    if kind == "flatten":
        inner = _shape(parts[0], at)
        return inner.of if isinstance(inner, _Items) and isinstance(inner.of, _Items) else inner
    if kind == "multi_select_dict":
        return _Record({part["value"]: _shape(part["children"][0], at) for part in parts})
    if kind == "function_expression":
        return _function(tree["value"], parts, at)
    shapes = [_shape(part, at) for part in parts]
    if kind == "comparator" and tree["value"] in ("eq", "ne"):
        _comparable(parts, shapes)
    if kind in ("comparator", "not_expression"):
        return _TRUTH
    return _Items(None) if kind == "multi_select_list" else None


def _literal(value: Any) -> _Shape:
    # What a literal is made of is known, and still its fields are its writer's own matter.
    return _Plain() if isinstance(value, str | int | float) else None


def _field(name: str, at: _Shape) -> _Shape:
    if isinstance(at, _Record):
        if name not in at.keys:
            raise ValueError(f"there is no {name!r}; {nearest(name, at.keys)}")
        return at.keys[name]
    if isinstance(at, _Items):
        raise ValueError(f"{name!r} is asked of a list; write [*].{name}, or [0].{name} for the first")
    if isinstance(at, _Plain):
        raise ValueError(f"{name!r} is asked of something that is no mapping")
    return None


def _comparable(parts: Any, shapes: list[_Shape]) -> None:
    """A comparison with a value that never occurs is a slip."""
    for shape, other in zip(shapes, reversed(parts), strict=True):
        if isinstance(shape, _Plain) and shape.options and other["type"] == "literal":
            value = other["value"]
            if value is not None and value not in shape.options:
                raise ValueError(f"{value!r} never occurs there; {nearest(str(value), shape.options)}")


def _function(name: str, parts: Any, at: _Shape) -> _Shape:
    from jmespath.functions import Functions

    table = Functions.FUNCTION_TABLE
    if name not in table:
        raise ValueError(f"there is no function {name!r}; {nearest(name, table)}")
    signature = table[name]["signature"]
    wanted = len(signature)
    variadic = bool(signature) and bool(signature[-1].get("variadic"))
    if len(parts) < wanted or (len(parts) > wanted and not variadic):
        raise ValueError(f"{name}() takes {wanted}{' or more' if variadic else ''}, not {len(parts)}")
    shapes = [_shape(part, at) for part in parts if part["type"] != "expref"]
    first = shapes[0] if shapes else None
    element = first.of if isinstance(first, _Items) else None
    inner = [_shape(part["children"][0], element) for part in parts if part["type"] == "expref"]
    if name in ("sort_by", "sort", "reverse"):
        return first
    if name in ("max_by", "min_by", "max", "min"):
        return element
    return _Items(inner[0]) if name == "map" and inner else None

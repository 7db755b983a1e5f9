"""The two searches of the Shortcut stand-in: by fields, and by the operators of its search line."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from integrations.shortcut.sandbox.payloads import STATES, Label, Story, moment_of

Fits = Callable[[Story], bool]

_TERM = re.compile(r'([!-]?)(?:([a-z_-]+):)?(?:"([^"]*)"|(\S+))', re.IGNORECASE)
_EQUAL = [
    "archived",
    "story_type",
    "epic_id",
    "requested_by_id",
    "iteration_id",
    "group_id",
    "workflow_state_id",
    "estimate",
    "project_id",
    "external_id",
]
_AMONG = {
    "epic_ids": "epic_id",
    "project_ids": "project_id",
    "iteration_ids": "iteration_id",
    "group_ids": "group_id",
}


def compile_body(data: Mapping[str, Any], labels: Mapping[str, Label]) -> Fits:
    """The test that `POST /stories/search` asks for; all its fields must fit."""
    tests: list[Fits] = []
    for name, value in data.items():
        if name in _EQUAL:
            tests.append(_equal(name, value))
        elif name in _AMONG:
            tests.append(_among(_AMONG[name], value))
        elif name.endswith(("_start", "_end")):
            tests.append(_time(name, value))
        elif name in ("label_name", "label_ids"):
            tests.append(_labelled(_label_id(labels, value) if name == "label_name" else value))
        elif name in ("owner_id", "owner_ids"):
            tests.append(_owned([value] if name == "owner_id" else value))
        elif name == "workflow_state_types":
            tests.append(_typed(value))
    return lambda story: all(test(story) for test in tests)


def _equal(name: str, value: Any) -> Fits:
    return lambda story: getattr(story, name) == value


def _among(name: str, values: list[Any]) -> Fits:
    return lambda story: getattr(story, name) in values


def _time(name: str, value: str) -> Fits:
    what, _, side = name.rpartition("_")
    limit = moment_of(value)
    if side == "start":
        return lambda story: (getattr(story, what) or "") >= limit
    return lambda story: bool(getattr(story, what)) and getattr(story, what) <= limit


def _labelled(ids: list[int]) -> Fits:
    return lambda story: any(i in ids for i in story.label_ids)


def _label_id(labels: Mapping[str, Label], name: str) -> list[int]:
    found = labels.get(name.lower())
    return [found.id] if found else []


def _owned(people: list[str | None]) -> Fits:
    return lambda story: any(i in people for i in story.owner_ids) or (None in people and not story.owner_ids)


def _typed(types: list[str]) -> Fits:
    return lambda story: story.state_type in types


def compile_query(text: str, labels: Mapping[str, Label]) -> Fits:
    """The test that a search line asks for: words, and a few `name:value` operators; `!` turns one around."""
    tests = [
        _negate(_operator(key.lower(), quoted or plain, labels))
        if minus
        else _operator(key.lower(), quoted or plain, labels)
        for minus, key, quoted, plain in _TERM.findall(text)
    ]
    return lambda story: all(test(story) for test in tests)


def _operator(key: str, value: str, labels: Mapping[str, Label]) -> Fits:
    low = value.lower()
    match key:
        case "type":
            return _equal("story_type", low)
        case "label":
            return _labelled(_label_id(labels, value))
        case "id":
            return lambda story: str(story.id) == value
        case "state":
            return lambda story: (
                low in (str(story.workflow_state_id), STATES[story.workflow_state_id][0].lower())
            )
        case "is":
            return _is(low)
        case "title":
            return lambda story: low in story.name.lower()
        case "description":
            return lambda story: low in story.description.lower()
        case "created" | "updated":
            return _range(f"{key}_at", value)
    return lambda story: low in story.name.lower() or low in story.description.lower()


def _is(value: str) -> Fits:
    match value:
        case "archived":
            return lambda story: story.archived
        case "unestimated":
            return lambda story: story.estimate is None
        case "unstarted" | "started" | "done":
            return lambda story: story.state_type == value
    return lambda story: story.story_type == value


def _range(name: str, value: str) -> Fits:
    start, dots, end = value.partition("..")
    if not dots:
        end = start
    low, high = start.strip("*"), end.strip("*")
    return lambda story: (
        low <= getattr(story, name) and (not high or getattr(story, name)[: len(high)] <= high)
    )


def _negate(test: Fits) -> Fits:
    return lambda story: not test(story)

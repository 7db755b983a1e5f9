"""What Shortcut's interface refuses: unknown fields, wrong types, and values beyond the documented limits."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

Check = Callable[[Any], str | None]
"""Says what is wrong with a value, or None."""

_UUID = re.compile(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
_COLOR = re.compile(r"^#[a-fA-F0-9]{6}$")
STORY_TYPES = ("feature", "bug", "chore")


def text(low: int, high: int, pattern: re.Pattern[str] | None = None) -> Check:
    """A string of `low` to `high` characters."""

    def check(value: Any) -> str | None:
        if not isinstance(value, str):
            return "must be a string"
        if not low <= len(value) <= high:
            return f"must have {low} to {high} characters, has {len(value)}"
        return "has the wrong form" if pattern and not pattern.match(value) else None

    return check


def integer(value: Any) -> str | None:
    """A whole number; JSON's true is none."""
    return None if isinstance(value, int) and not isinstance(value, bool) else "must be an integer"


def boolean(value: Any) -> str | None:
    """True or false."""
    return None if isinstance(value, bool) else "must be a boolean"


def uuid(value: Any) -> str | None:
    """A member, a group."""
    return None if isinstance(value, str) and _UUID.match(value) else "must be a UUID"


def moment(value: Any) -> str | None:
    """A date and time in ISO 8601."""
    try:
        return None if datetime.fromisoformat(value).tzinfo else "must have a time zone"
    except (TypeError, ValueError):
        return "must be a date and time"


def one_of(*allowed: str) -> Check:
    """One of a few words."""
    return lambda value: None if value in allowed else f"must be one of {', '.join(allowed)}"


def nullable(check: Check) -> Check:
    """Null, or what `check` lets pass."""
    return lambda value: None if value is None else check(value)


def many(check: Check, *, unique: bool = False) -> Check:
    """A list of such values."""

    def all_of(value: Any) -> str | None:
        if not isinstance(value, list):
            return "must be a list"
        for at, item in enumerate(value):
            wrong = check(item)
            if wrong:
                return f"[{at}] {wrong}"
        if unique and len({str(item) for item in value}) < len(value):
            return "must not repeat a value"
        return None

    return all_of


def shape(fields: Mapping[str, Check], *required: str) -> Check:
    """An object of these fields and no others."""

    def check(value: Any) -> str | None:
        if not isinstance(value, dict):
            return "must be an object"
        for name in required:
            if name not in value:
                return f"{name}: missing-required-key"
        for name, item in value.items():
            known = fields.get(name)
            if known is None:
                return f"{name}: disallowed-key"
            wrong = known(item)
            if wrong:
                return f"{name}: {wrong}"
        return None

    return check


LABEL = shape(
    {
        "name": text(1, 128),
        "description": text(0, 1024),
        "color": text(1, 7, _COLOR),
        "external_id": text(1, 128),
    },
    "name",
)
COMMENT = shape(
    {
        "text": text(0, 100_000),
        "author_id": uuid,
        "created_at": moment,
        "updated_at": moment,
        "external_id": text(0, 1024),
        "parent_id": nullable(integer),
    },
    "text",
)
UPDATE_COMMENT = shape({"text": text(0, 100_000)}, "text")
_TASK_FIELDS: dict[str, Check] = {
    "description": text(1, 2048),
    "complete": boolean,
    "owner_ids": many(uuid),
}
TASK = shape(
    {**_TASK_FIELDS, "external_id": text(0, 128), "created_at": moment, "updated_at": moment}, "description"
)
UPDATE_TASK = shape({**_TASK_FIELDS, "before_id": integer, "after_id": integer})
_CUSTOM_FIELD = shape({"field_id": uuid, "value_id": uuid, "value": text(0, 1000)}, "field_id", "value_id")
_LINK = shape(
    {"subject_id": integer, "object_id": integer, "verb": one_of("blocks", "duplicates", "relates to")},
    "verb",
)
_IDS = many(integer, unique=True)
_UUIDS = many(uuid, unique=True)
_EXTERNAL_LINK = text(1, 2048, re.compile(r"^https?://.+$"))

_COMMON: dict[str, Check] = {
    "archived": boolean,
    "deadline": nullable(moment),
    "epic_id": nullable(integer),
    "estimate": nullable(integer),
    "external_links": many(_EXTERNAL_LINK),
    "group_id": nullable(uuid),
    "iteration_id": nullable(integer),
    "move_to": one_of("first", "last"),
    "project_id": nullable(integer),
    "requested_by_id": uuid,
    "story_type": one_of(*STORY_TYPES),
    "workflow_state_id": integer,
}
_SINGLE: dict[str, Check] = {
    **_COMMON,
    "custom_fields": many(_CUSTOM_FIELD),
    "description": text(0, 100_000),
    "file_ids": _IDS,
    "follower_ids": _UUIDS,
    "labels": many(LABEL),
    "linked_file_ids": _IDS,
    "name": text(1, 512),
    "owner_ids": _UUIDS,
    "parent_story_id": nullable(integer),
}
_CREATE_FIELDS: dict[str, Check] = {
    **_SINGLE,
    "comments": many(COMMENT),
    "completed_at_override": moment,
    "created_at": moment,
    "external_id": text(0, 1024),
    "source_task_id": nullable(integer),
    "started_at_override": moment,
    "story_links": many(_LINK),
    "story_template_id": nullable(uuid),
    "tasks": many(TASK),
    "updated_at": moment,
}
CREATE_STORY = shape(_CREATE_FIELDS, "name")
CREATE_STORIES = shape({"stories": many(CREATE_STORY)}, "stories")
UPDATE_STORY = shape(
    {
        **_SINGLE,
        "after_id": integer,
        "before_id": integer,
        "branch_ids": _IDS,
        "commit_ids": _IDS,
        "completed_at_override": nullable(moment),
        "pull_request_ids": _IDS,
        "started_at_override": nullable(moment),
    }
)
UPDATE_STORIES = shape(
    {
        **_COMMON,
        "after_id": integer,
        "before_id": integer,
        "custom_fields_add": many(_CUSTOM_FIELD),
        "custom_fields_remove": many(_CUSTOM_FIELD),
        "follower_ids_add": _UUIDS,
        "follower_ids_remove": _UUIDS,
        "labels_add": many(LABEL),
        "labels_remove": many(LABEL),
        "owner_ids_add": _UUIDS,
        "owner_ids_remove": _UUIDS,
        "story_ids": _IDS,
    },
    "story_ids",
)
DELETE_STORIES = shape({"story_ids": _IDS}, "story_ids")
SEARCH_STORIES = shape(
    {
        "archived": boolean,
        "completed_at_end": moment,
        "completed_at_start": moment,
        "created_at_end": moment,
        "created_at_start": moment,
        "deadline_end": moment,
        "deadline_start": moment,
        "epic_id": nullable(integer),
        "epic_ids": _IDS,
        "estimate": integer,
        "external_id": text(0, 1024),
        "group_id": nullable(uuid),
        "group_ids": _UUIDS,
        "includes_description": boolean,
        "iteration_id": nullable(integer),
        "iteration_ids": _IDS,
        "label_ids": _IDS,
        "label_name": text(1, 128),
        "owner_id": nullable(uuid),
        "owner_ids": _UUIDS,
        "project_id": nullable(integer),
        "project_ids": many(nullable(integer), unique=True),
        "requested_by_id": uuid,
        "story_type": one_of(*STORY_TYPES),
        "updated_at_end": moment,
        "updated_at_start": moment,
        "workflow_state_id": integer,
        "workflow_state_types": many(one_of("started", "backlog", "unstarted", "done")),
    }
)

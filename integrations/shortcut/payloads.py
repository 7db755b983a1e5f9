"""Shortcut's shapes: what we send of a story, and what we read of one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from models.errors import Transient
from models.story import Story

MAX_NAME, MAX_DESCRIPTION, MAX_LABEL, MAX_EXTERNAL_ID = 512, 100_000, 128, 1_024
MAX_TASK = 2_048
READ_DESCRIPTION = 8_000
"""Characters of a description that are kept of a story that is read."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class State:
    """A workflow state; `type` is backlog, unstarted, started or done."""

    name: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the numbers in stories mean; members and epics only as far as somebody asked for them."""

    states: Mapping[int, State] = field(default_factory=dict)
    default_state: int | None = None
    members: Mapping[str, str] = field(default_factory=dict)
    epics: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a story lies: its workflow state and its epic, if any."""

    state: int
    epic: int | None = None


def story_params(key: str, payload: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """CreateStoryParams; Shortcut refuses unknown fields and everything over its limits."""
    params: dict[str, Any] = {
        "name": str(payload["name"])[:MAX_NAME] or "Untitled issue",
        "description": str(payload["description"])[:MAX_DESCRIPTION],
        "story_type": payload["story_type"],
        "workflow_state_id": place.state,
        "external_id": key[:MAX_EXTERNAL_ID],
        "external_links": [payload["external_link"]],
        "labels": [{"name": str(name)[:MAX_LABEL]} for name in payload["labels"]],
    }
    if payload.get("estimate") is not None:
        params["estimate"] = int(payload["estimate"])
    if place.epic is not None:
        params["epic_id"] = place.epic
    if tasks := [str(text)[:MAX_TASK] for text in payload.get("tasks") or () if text]:
        params["tasks"] = [{"description": text, "complete": False} for text in tasks]
    return params


def story_answer(story: Mapping[str, Any], *, existing: bool = False) -> dict[str, Any]:
    """What is kept of a story; by its first state, epic and labels it is known later what people changed."""
    answer = {
        "id": story.get("id"),
        "url": story.get("app_url"),
        "existing": existing,
        "state": story.get("workflow_state_id"),
        "epic": story.get("epic_id"),
        "labels": label_names(story),
    }
    if not isinstance(answer["id"], int):
        raise Transient("shortcut: a story came without an id")
    return answer


def label_names(story: Mapping[str, Any]) -> list[str]:
    """The names of a story's labels."""
    return [str(label["name"]) for label in _objects(story.get("labels")) if label.get("name")]


def default_state(workflows: Any) -> int:
    """The default state of the workspace's first workflow."""
    for workflow in workflows if isinstance(workflows, list) else ():
        if isinstance(workflow, Mapping) and isinstance(workflow.get("default_state_id"), int):
            return int(workflow["default_state_id"])
    raise Transient("shortcut: the workspace's workflows came without a default state")


def read_scale(member: Any) -> tuple[int, ...]:
    """The points that the workspace of this token's owner estimates in; empty where it does not estimate."""
    workspace = member.get("workspace2") if isinstance(member, Mapping) else None
    scale = workspace.get("estimate_scale") if isinstance(workspace, Mapping) else None
    if not isinstance(scale, list):
        raise Transient("shortcut: the member came without the workspace's estimate scale")
    return tuple(
        sorted({n for n in scale if isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 2**31})
    )


def read_states(workflows: Any) -> dict[int, State]:
    """All states of all workflows, by number."""
    return {
        state["id"]: State(_text(state.get("name"), 200), _text(state.get("type"), 20).lower())
        for workflow in _objects(workflows)
        for state in _objects(workflow.get("states"))
        if isinstance(state.get("id"), int)
    }


def read_members(members: Any) -> dict[str, str]:
    """People by number; whoever left keeps a name."""
    found = {}
    for member in _objects(members):
        profile = member.get("profile")
        if member.get("id") and isinstance(profile, Mapping):
            found[str(member["id"])] = _text(profile.get("name") or profile.get("mention_name"), 200)
    return found


def read_epics(epics: Any) -> dict[int, str]:
    """Epics by number."""
    return {e["id"]: _text(e.get("name"), 500) for e in _objects(epics) if isinstance(e.get("id"), int)}


def read_stories(stories: Any) -> list[Story]:
    """The stories of a list; what is none is left out."""
    return [story for item in _objects(stories) if (story := read_story(item)) is not None]


def read_story(item: Mapping[str, Any]) -> Story | None:
    """One story, slim or whole; None where it has no number."""
    number = item.get("id")
    if not isinstance(number, int) or not 0 < number < 2**63:
        return None
    created = _time(item.get("created_at"), _EPOCH)
    owners, links = item.get("owner_ids"), item.get("external_links")
    said = item.get("comment_ids") if "comment_ids" in item else item.get("comments")
    external_id, estimate = item.get("external_id"), item.get("estimate")
    return Story(
        id=number,
        created_at=created,
        updated_at=_time(item.get("updated_at"), created),
        url=_text(item.get("app_url"), 2_000),
        name=_text(item.get("name"), MAX_NAME),
        story_type=_text(item.get("story_type"), 20),
        external_id=_text(external_id, MAX_EXTERNAL_ID) if external_id else None,
        external_links=tuple(_text(link, 2_048) for link in links[:50]) if isinstance(links, list) else (),
        state_id=_whole(item.get("workflow_state_id")),
        state_changed=_text(item["moved_at"], 40) if item.get("moved_at") else None,
        epic_id=_whole(item.get("epic_id")),
        owner_ids=tuple(_text(owner, 60) for owner in owners[:20]) if isinstance(owners, list) else (),
        archived=item.get("archived") is True,
        comments=len(said) if isinstance(said, list) else 0,
        description=_text(item.get("description"), READ_DESCRIPTION),
        done=item.get("completed") is True,
        estimate=estimate if isinstance(estimate, int) and 0 <= estimate < 2**31 else None,
        labels=tuple(_text(name, MAX_LABEL) for name in label_names(item)[:50]),
    )


def read_found(results: Any) -> list[Story]:
    """The stories of a page of search results."""
    return read_stories(results.get("data")) if isinstance(results, Mapping) else []


def _objects(items: Any) -> list[Mapping[str, Any]]:
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []


def _text(value: Any, limit: int) -> str:
    text = str(value)[:limit] if value is not None else ""
    # NUL cannot be stored by PostgreSQL and half a surrogate pair not be encoded at all.
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and 0 < value < 2**63 else None


def _time(value: Any, default: datetime) -> datetime:
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError:
        return default
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)

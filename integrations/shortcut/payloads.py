"""Shortcut's shapes: what we send of a story, and what we read of one."""

from collections.abc import Mapping
from typing import Any

from models.errors import Transient

MAX_NAME, MAX_DESCRIPTION, MAX_LABEL, MAX_EXTERNAL_ID = 512, 100_000, 128, 1_024


def story_params(key: str, payload: Mapping[str, Any], workflow_state_id: int) -> dict[str, Any]:
    """CreateStoryParams; Shortcut refuses unknown fields and everything over its limits."""
    params: dict[str, Any] = {
        "name": str(payload["name"])[:MAX_NAME] or "Untitled issue",
        "description": str(payload["description"])[:MAX_DESCRIPTION],
        "story_type": payload["story_type"],
        "workflow_state_id": workflow_state_id,
        "external_id": key[:MAX_EXTERNAL_ID],
        "external_links": [payload["external_link"]],
        "labels": [{"name": str(name)[:MAX_LABEL]} for name in payload["labels"]],
    }
    if payload.get("estimate") is not None:
        params["estimate"] = int(payload["estimate"])
    return params


def story_answer(story: Mapping[str, Any], *, existing: bool = False) -> dict[str, Any]:
    """What is kept of a story."""
    answer = {"id": story.get("id"), "url": story.get("app_url"), "existing": existing}
    if not isinstance(answer["id"], int):
        raise Transient("shortcut: a story came without an id")
    return answer


def default_state(workflows: Any) -> int:
    """The default state of the workspace's first workflow."""
    for workflow in workflows if isinstance(workflows, list) else ():
        if isinstance(workflow, Mapping) and isinstance(workflow.get("default_state_id"), int):
            return int(workflow["default_state_id"])
    raise Transient("shortcut: the workspace's workflows came without a default state")


def state_ids(workflows: Any) -> set[int]:
    """All states of all workflows."""
    return {
        state["id"]
        for workflow in (workflows if isinstance(workflows, list) else ())
        if isinstance(workflow, Mapping)
        for state in workflow.get("states") or ()
        if isinstance(state, Mapping) and isinstance(state.get("id"), int)
    }

"""What changing a story asks of Shortcut: to put one away that was made twice, and to move one to another route."""

from collections.abc import Mapping, Sequence
from typing import Any

from integrations.shortcut.payloads import MAX_EXTERNAL_ID, MAX_LABEL, Place, label_names, read_story
from models.commands import Pending


def is_commented(story: Mapping[str, Any], key: str) -> bool:
    """Does the bot's comment of this command stand? It is known by its external id."""
    return any(
        isinstance(comment, Mapping) and comment.get("external_id") == key[:MAX_EXTERNAL_ID]
        for comment in story.get("comments") or ()
    )


def reason_to_leave(story: Mapping[str, Any], kept: Mapping[str, Any] | None) -> str:
    """Why a story that was made twice must stay; empty where it may be put away."""
    if kept is None or kept.get("archived"):
        return "the other story is gone"
    found = read_story(story)
    return "" if found is not None and found.is_untouched else "a person works on it"


def merge_comment(pending: Pending) -> dict[str, Any]:
    """The explaining comment, with the command's key as external id."""
    url = str(pending.payload.get("keep_url") or "")
    where = f" in {url}" if url else ""
    return {
        "text": f"This story was made twice for {pending.command.issue}. Work goes on{where}.",
        "external_id": pending.key[:MAX_EXTERNAL_ID],
    }


def change_of(pending: Pending, story: Mapping[str, Any], target: Place | None) -> dict[str, Any]:
    """UpdateStory for a move: only what differs, and nothing that a person changed.

    `target` is where stories of the route lie; None where no route has a place of its own. The story goes there
    from where the bot had put it, and from nowhere else.
    """
    payload, change = pending.payload, {}
    if payload["story_type"] and payload["story_type"] != story.get("story_type"):
        change["story_type"] = payload["story_type"]
    present = label_names(story)
    wanted = _exchanged(pending, story, present)
    if wanted != present:
        change["labels"] = [{"name": name[:MAX_LABEL]} for name in wanted]
    if target is not None:
        put = _left(pending)
        if story.get("workflow_state_id") == put.get("state") != target.state:
            change["workflow_state_id"] = target.state
        if "epic" in put and story.get("epic_id") == put["epic"] != target.epic:
            change["epic_id"] = target.epic
    return change


def move_answer(pending: Pending, story: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Where the bot has put the story and which labels it has given it, for the next move."""
    given = [*_given(pending, story), str(pending.payload["label"])]
    others = {name.casefold() for name in pending.payload["instead_of"]}
    return {
        "id": story.get("id"),
        "url": story.get("app_url"),
        "changed": sorted(change),
        **_left(pending),
        **{name: change[key] for name, key in _PLACES if key in change},
        "labels": list(dict.fromkeys(name for name in given if name.casefold() not in others)),
    }


_PLACES = (("state", "workflow_state_id"), ("epic", "epic_id"))


def _before(pending: Pending) -> Mapping[str, Any]:
    """What the bot knows of the story from the time it was moved last, or made."""
    return pending.last_answer or pending.answers.get(f"story:{pending.command.issue}") or {}


def _left(pending: Pending) -> dict[str, Any]:
    """The state and the epic in which the bot left the story, as far as it knows them."""
    return {name: _before(pending)[name] for name, _ in _PLACES if name in _before(pending)}


def _given(pending: Pending, story: Mapping[str, Any]) -> list[str]:
    """Labels that the bot gave the story; where that was not kept, of its own stories those that name a route."""
    known = _before(pending).get("labels")
    if isinstance(known, list):
        return [str(name) for name in known]
    found = read_story(story)
    return list(pending.payload["instead_of"]) if found is not None and found.made_by_bot else []


def _exchanged(pending: Pending, story: Mapping[str, Any], present: Sequence[str]) -> list[str]:
    """The story's labels with the route's in place of those that the bot gave it for other routes."""
    given = {name.casefold() for name in _given(pending, story)}
    others = {name.casefold() for name in pending.payload["instead_of"]} & given
    kept = [name for name in present if name.casefold() not in others]
    label = str(pending.payload["label"])
    has_it = label.casefold() in {name.casefold() for name in kept}
    return kept if has_it else [*kept, label]

"""What putting a story away asks of Shortcut: whether it may be done, and the one comment that explains it."""

from collections.abc import Mapping
from typing import Any

from integrations.shortcut.payloads import MAX_EXTERNAL_ID, read_story
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

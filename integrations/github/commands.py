"""From a command to GitHub's requests, and from GitHub's answers to what is kept of them."""

from collections.abc import Mapping
from typing import Any

from integrations.base import Answer
from models.commands import Pending
from models.errors import Rejected, Unauthorized
from models.issue import parse_ref

MAX_COMMENT = 65_536


def marker(ref: str) -> str:
    """The hidden line by which the bot finds its own comment again."""
    return f"<!-- switchyard:{ref} -->"


def labels_request(pending: Pending) -> tuple[str, str, dict[str, Any]]:
    """POST adds to the issue's labels; PATCH would replace what people put there."""
    return "POST", f"{_path(pending)}/labels", {"labels": list(pending.payload["labels"])}


def labels_answer(pending: Pending, data: Any) -> Answer:
    """GitHub drops labels silently where the credential may not set them: that is a missing permission."""
    got = {str(item.get("name", "")).casefold() for item in data if isinstance(item, Mapping)}
    missing = [name for name in pending.payload["labels"] if name.casefold() not in got]
    if missing:
        raise Unauthorized(
            f"github: the label {missing[0]!r} was not accepted on {pending.command.issue}; "
            "give the token write access to issues (Issues: read and write)"
        )
    return {"labels": list(pending.payload["labels"])}


def comment_request(pending: Pending) -> tuple[str, str, dict[str, Any]]:
    """A new comment, or an edit of the one that stands."""
    body = {"body": comment_body(pending)}
    known = (pending.last_answer or {}).get("comment_id")
    if known is not None:
        repo, _ = parse_ref(str(pending.command.issue))
        return "PATCH", f"/repos/{repo}/issues/comments/{known}", body
    return "POST", f"{_path(pending)}/comments", body


def comment_body(pending: Pending) -> str:
    """The comment's text with its marker first and, where asked for, the story's link last."""
    ref = str(pending.command.issue)
    text = str(pending.payload["body"])
    if not text.startswith(marker(ref)):
        text = f"{marker(ref)}\n{text}"
    if pending.payload.get("with_story"):
        story = pending.answers.get(f"story:{ref}", {})
        if story.get("url"):
            text += f"\n\nTracked in [Shortcut]({story['url']})."
    return text[:MAX_COMMENT]


def comment_answer(data: Any) -> Answer:
    if not isinstance(data, Mapping) or not isinstance(data.get("id"), int):
        raise Rejected("github: the answer to a new comment has no id")
    return {"comment_id": data["id"], "url": data.get("html_url")}


def find_comment(ref: str, data: Any) -> Answer | None:
    """The bot's own comment among an issue's comments."""
    for item in data if isinstance(data, list) else ():
        if isinstance(item, Mapping) and str(item.get("body") or "").startswith(marker(ref)):
            return comment_answer(item)
    return None


def _path(pending: Pending) -> str:
    repo, number = parse_ref(str(pending.command.issue))
    return f"/repos/{repo}/issues/{number}"

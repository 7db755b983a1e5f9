"""From a command to GitHub's requests, and from GitHub's answers to what is kept of them."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from integrations.base import Answer
from models.commands import Pending
from models.errors import Rejected, Unauthorized
from models.issue import parse_ref

MAX_COMMENT = 65_536
GONE = (301, 404, 410)
"""What GitHub answers for an issue that was deleted, moved out of reach or made a discussion."""

Request = tuple[str, str, dict[str, Any] | None]
"""Method, path and body."""


MARKER = "<!-- switchyard:"


def marker(ref: str) -> str:
    """The hidden line by which the bot finds its own comment again."""
    return f"{MARKER}{ref} -->"


def labels_request(pending: Pending, labels: Sequence[str] | None = None) -> Request:
    """POST adds to the issue's labels; PATCH would replace what people put there."""
    wanted = pending.payload["labels"] if labels is None else labels
    return "POST", f"{_path(pending)}/labels", {"labels": list(wanted)}


def labels_answer(pending: Pending, data: Any, labels: Sequence[str] | None = None) -> Answer:
    """GitHub drops labels silently where the credential may not set them: that is a missing permission."""
    got = {str(item.get("name", "")).casefold() for item in data if isinstance(item, Mapping)}
    wanted = pending.payload["labels"] if labels is None else labels
    missing = [name for name in wanted if name.casefold() not in got]
    if missing:
        raise Unauthorized(
            f"github: the label {missing[0]!r} was not accepted on {pending.command.issue}; "
            "give the token write access to issues (Issues: read and write)"
        )
    return {"labels": list(wanted)}


def new_labels(pending: Pending) -> list[str]:
    """Labels of a story that the issue was not given before.

    What it was given and does not have any more, a person took off: it is not put back.
    """
    before = {name.casefold() for name in _labels_before(pending)}
    return [name for name in pending.payload["labels"] if name.casefold() not in before]


def old_labels(pending: Pending) -> list[Request]:
    """Requests that take off the labels which the issue was given before and which hold no more."""
    kept = {name.casefold() for name in pending.payload["labels"]}
    return [
        ("DELETE", f"{_path(pending)}/labels/{quote(name, safe='')}", None)
        for name in _labels_before(pending)
        if name.casefold() not in kept
    ]


def must_close(pending: Pending) -> bool:
    """Closing was wished, and was not carried out for just this end of the story: a person may have reopened."""
    wish = pending.payload.get("close")
    return wish is not None and wish != (pending.last_answer or {}).get("closed")


def close_request(pending: Pending) -> Request:
    return "PATCH", _path(pending), {"state": "closed", "state_reason": "completed"}


def reflect_answer(pending: Pending) -> Answer:
    """What the issue was given, for the next change of its story."""
    closed = pending.payload.get("close") or (pending.last_answer or {}).get("closed")
    return {"labels": list(pending.payload["labels"]), "closed": closed}


def _labels_before(pending: Pending) -> list[str]:
    return list((pending.last_answer or {}).get("labels") or ())


def comment_request(pending: Pending) -> Request:
    """A new comment, or an edit of the one that stands."""
    body = {"body": comment_body(pending)}
    known = (pending.last_answer or {}).get("comment_id")
    if known is not None:
        repo, _ = parse_ref(str(pending.command.issue))
        return "PATCH", f"/repos/{repo}/issues/comments/{known}", body
    return "POST", f"{_path(pending)}/comments", body


def comment_body(pending: Pending) -> str:
    """The comment's text with its marker first and, where asked for, the story's state and link last."""
    ref = str(pending.command.issue)
    text = str(pending.payload["body"])
    if not text.startswith(marker(ref)):
        text = f"{marker(ref)}\n{text}"
    if pending.payload.get("status"):
        text = f"{text.rstrip()}\n\n{pending.payload['status']}"
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

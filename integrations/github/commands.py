"""From a command to GitHub's requests, and from GitHub's answers to what is kept of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
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


def labels_request(pending: Pending, labels: Sequence[str]) -> Request:
    """POST adds to the issue's labels; PATCH would replace what people put there."""
    return "POST", f"{_path(pending)}/labels", {"labels": list(labels)}


def require_labels(pending: Pending, data: Any, labels: Sequence[str]) -> None:
    """GitHub drops labels silently where the credential may not set them: that is a missing permission."""
    got = {str(item.get("name", "")).casefold() for item in data if isinstance(item, Mapping)}
    missing = [name for name in labels if name.casefold() not in got]
    if missing:
        raise Unauthorized(
            f"github: the label {missing[0]!r} was not accepted on {pending.command.issue}; "
            "give the token write access to issues (Issues: read and write)"
        )


def new_labels(pending: Pending) -> list[str]:
    """Labels that the issue was not given before.

    What it was given and does not have any more, a person took off: it is not put back.
    """
    before = {name.casefold() for name in _labels_before(pending)}
    return [name for name in pending.payload["labels"] if name.casefold() not in before]


def old_labels(pending: Pending) -> list[str]:
    """Labels that the issue was given before and which hold no more."""
    kept = {name.casefold() for name in pending.payload["labels"]}
    return [name for name in _labels_before(pending) if name.casefold() not in kept]


def removal_request(pending: Pending, label: str) -> Request:
    return "DELETE", f"{_path(pending)}/labels/{quote(label, safe='')}", None


def labels_answer(pending: Pending, now: datetime) -> Answer:
    """What the issue was given, for the next change; and since when it is without what was taken off again.

    In copies of the issue from before then, those labels are still the bot's.
    """
    given = list(pending.payload["labels"])
    known = {name.casefold() for name in given}
    off = dict((pending.last_answer or {}).get("off") or {})
    off |= {name.casefold(): now.timestamp() for name in old_labels(pending)}
    return {"labels": given, "off": {name: at for name, at in off.items() if name not in known}}


def must_close(pending: Pending) -> bool:
    """Closing was wished, and was not carried out for just this end of the story: a person may have reopened."""
    wish = pending.payload.get("close")
    return wish is not None and wish != (pending.last_answer or {}).get("closed")


def close_request(pending: Pending) -> Request:
    return "PATCH", _path(pending), {"state": "closed", "state_reason": "completed"}


def closed_answer(pending: Pending) -> Answer:
    """For which end of the story the issue was closed."""
    return {"closed": pending.payload.get("close") or (pending.last_answer or {}).get("closed")}


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
    for part in ("reply", "status"):
        if pending.payload.get(part):
            text = f"{text.rstrip()}\n\n{pending.payload[part]}"
    if pending.payload.get("with_story"):
        story = pending.answers.get(f"story:{ref}", {})
        if story.get("url"):
            text += f"\n\nTracked in [Shortcut]({story['url']})."
    return text[:MAX_COMMENT]


def comment_answer(data: Any) -> Answer:
    if not isinstance(data, Mapping) or not isinstance(data.get("id"), int):
        raise Rejected("github: the answer to a new comment has no id")
    return {"comment_id": data["id"], "url": data.get("html_url")}


def reaction_request(pending: Pending) -> Request:
    """The same reaction twice is one."""
    repo, _ = parse_ref(str(pending.command.issue))
    wanted = pending.payload
    path = f"/repos/{repo}/issues/comments/{int(wanted['comment_id'])}/reactions"
    return "POST", path, {"content": wanted["content"]}


def find_comment(ref: str, data: Any, author: str | None) -> Answer | None:
    """The bot's own comment among an issue's comments: anybody can write its marker, so its author counts too.

    `author` is the account that the credential writes as; None where GitHub does not tell, and then it is an App's.
    """
    for item in data if isinstance(data, list) else ():
        if not isinstance(item, Mapping) or not str(item.get("body") or "").startswith(marker(ref)):
            continue
        user = item.get("user")
        if isinstance(user, Mapping) and _wrote(item, user, author):
            return comment_answer(item)
    return None


def _wrote(item: Mapping[str, Any], user: Mapping[str, Any], author: str | None) -> bool:
    login = str(user.get("login") or "").casefold()
    if author is None:
        return user.get("type") == "Bot"
    through = item.get("performed_via_github_app")
    if author.endswith("[bot]") and isinstance(through, Mapping) and through.get("slug"):
        return login == author.casefold() == f"{through['slug']}[bot]".casefold()
    return login == author.casefold()


CHECK_NAME = "switchyard"
_TITLE, _SUMMARY = 255, 65_535


def check_request(pending: Pending) -> Request:
    """A new check run, or an edit of the one that stands."""
    repo, _ = parse_ref(str(pending.command.issue))
    wanted = pending.payload
    body = {
        "name": CHECK_NAME,
        "status": "completed",
        "conclusion": wanted["conclusion"],
        "output": {"title": str(wanted["title"])[:_TITLE], "summary": str(wanted["summary"])[:_SUMMARY]},
    }
    known = (pending.last_answer or {}).get("check_id")
    if known is not None:
        return "PATCH", f"/repos/{repo}/check-runs/{known}", body
    # By the key it is found again where the answer was lost.
    return (
        "POST",
        f"/repos/{repo}/check-runs",
        {**body, "head_sha": wanted["sha"], "external_id": pending.key},
    )


def checks_path(pending: Pending) -> str:
    """Where the check runs of a command's commit are listed."""
    repo, _ = parse_ref(str(pending.command.issue))
    return f"/repos/{repo}/commits/{pending.payload['sha']}/check-runs?check_name={CHECK_NAME}&per_page=100"


def check_answer(data: Any) -> Answer:
    if not isinstance(data, Mapping) or not isinstance(data.get("id"), int):
        raise Rejected("github: the answer to a check run has no id")
    return {"check_id": data["id"], "url": data.get("html_url")}


def find_check(pending: Pending, data: Any) -> Answer | None:
    """The command's own check run among a commit's."""
    runs = data.get("check_runs") if isinstance(data, Mapping) else None
    for item in runs if isinstance(runs, list) else ():
        if isinstance(item, Mapping) and item.get("external_id") == pending.key:
            return check_answer(item)
    return None


_ADVISORY = {"summary": 1_024, "description": 60_000}


def advisory_body(pending: Pending) -> dict[str, Any]:
    """A draft advisory; GitHub takes a CVSS vector or a severity, not both."""
    wanted = pending.payload
    vulnerabilities = [
        {
            "package": {"ecosystem": package["ecosystem"], "name": package.get("name") or None},
            "vulnerable_version_range": package.get("affected") or None,
        }
        for package in wanted["packages"]
    ]
    rated = {"cvss_vector_string": wanted["vector"]} if wanted["vector"] else {}
    if not rated and wanted["severity"]:
        rated = {"severity": wanted["severity"]}
    description = str(wanted["description"])[: _ADVISORY["description"]]
    return {
        "summary": str(wanted["summary"])[: _ADVISORY["summary"]],
        # By the marker it is found again where the answer was lost.
        "description": f"{description}\n\n{marker(str(pending.command.issue))}",
        "vulnerabilities": vulnerabilities,
        "cwe_ids": list(wanted["weaknesses"]) or None,
        "cve_id": wanted["cve"] or None,
        **rated,
    }


def advisory_answer(data: Any) -> Answer:
    if not isinstance(data, Mapping) or not data.get("ghsa_id"):
        raise Rejected("github: the answer to a draft advisory has no identifier")
    return {"ghsa_id": data["ghsa_id"], "url": data.get("html_url")}


def find_advisory(pending: Pending, data: Any) -> Answer | None:
    """The issue's own draft among a repository's."""
    mark = marker(str(pending.command.issue))
    for item in data if isinstance(data, list) else ():
        if isinstance(item, Mapping) and str(item.get("description") or "").rstrip().endswith(mark):
            return advisory_answer(item)
    return None


def _path(pending: Pending) -> str:
    repo, number = parse_ref(str(pending.command.issue))
    return f"/repos/{repo}/issues/{number}"

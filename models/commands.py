"""Commands: what the bot wants done outside; stored with the cases, delivered later by lanes."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

TARGETS = ("shortcut", "github", "slack", "email", "webhook", "notion")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One wish for one service. `key` is stable: the same wish has the same key in every run.

    `payload` is plain JSON. `after` names keys that must have been delivered first (or have been
    given up). `lane` names the queue; it is the target unless a target has several independent ones.
    """

    key: str
    target: str
    operation: str
    payload: Mapping[str, Any]
    issue: str | None = None
    after: tuple[str, ...] = ()
    lane: str = ""

    def __post_init__(self) -> None:
        if self.target not in TARGETS:
            raise ValueError(f"unknown target {self.target!r}")
        if not self.lane:
            object.__setattr__(self, "lane", self.target)


def payload_hash(payload: Mapping[str, Any]) -> str:
    """Tells whether a stored command already asks for just this."""
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()[:32]


def create_story(
    ref: str,
    *,
    name: str,
    description: str,
    story_type: str,
    labels: Sequence[str],
    external_link: str,
    estimate: int | None = None,
) -> Command:
    """Create the one Shortcut story of issue `ref`; its `external_id` is the command's key."""
    return Command(
        key=f"story:{ref}",
        target="shortcut",
        operation="create_story",
        issue=ref,
        payload={
            "name": name,
            "description": description,
            "story_type": story_type,
            "labels": list(labels),
            "external_link": external_link,
            "estimate": estimate,
        },
    )


def add_labels(ref: str, labels: Sequence[str]) -> Command:
    """Add labels to the issue; never takes one away."""
    return Command(
        key=f"labels:{ref}",
        target="github",
        operation="add_labels",
        issue=ref,
        payload={"labels": list(labels)},
    )


def archive_story(ref: str, story_id: int, *, keep_id: int, keep_url: str) -> Command:
    """Put a story away that was made twice; the other one is kept."""
    return Command(
        key=f"merge:{story_id}",
        target="shortcut",
        operation="archive_story",
        issue=ref,
        payload={"story_id": story_id, "keep_id": keep_id, "keep_url": keep_url},
    )


def reflect_story(ref: str, labels: Sequence[str], *, close: str | None = None) -> Command:
    """Let the issue show just these labels of its story, in place of those it was given before.

    `close` names one end of the story, by its time: the issue is closed once for it.
    """
    return Command(
        key=f"reflect:{ref}",
        target="github",
        operation="reflect_story",
        issue=ref,
        payload={"labels": list(labels), "close": close},
    )


def write_comment(ref: str, body: str, *, with_story: bool = False, status: str = "") -> Command:
    """Write the bot's one comment on the issue, or edit it in place; with the story's link where asked.

    `status` is a line on the story's state; a later text keeps the line that stands.
    """
    payload: dict[str, Any] = {"body": body, "with_story": with_story}
    return Command(
        key=f"comment:{ref}",
        target="github",
        operation="write_comment",
        issue=ref,
        payload=payload | {"status": status} if status else payload,
        after=(f"story:{ref}",) if with_story else (),
    )


def post_message(
    key: str, *, channel: str, text: str, blocks: Sequence[Mapping[str, Any]], issue: str | None = None
) -> Command:
    """Post one Slack message; `text` is what notifications and screen readers show."""
    return Command(
        key=key,
        target="slack",
        operation="post_message",
        issue=issue,
        payload={"channel": channel, "text": text, "blocks": list(blocks)},
    )


def post_event(key: str, *, index: int, event: Mapping[str, Any]) -> Command:
    """Send one event to the outgoing webhook number `index` of the configuration; each has its own lane."""
    return Command(
        key=key,
        target="webhook",
        operation="post_event",
        payload={"index": index, "event": dict(event)},
        lane=f"webhook:{index}",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A stored command on its way: what its predecessors answered, and whether an earlier try may have arrived."""

    command: Command
    created_at: datetime
    payload_hash: str = ""
    attempts: int = 0
    failures: int = 0
    maybe_sent_at: datetime | None = None
    last_answer: Mapping[str, Any] | None = None
    """What the service answered when this key was delivered before, with another payload."""
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Answers of the commands named in `after`, by key."""

    @property
    def key(self) -> str:
        return self.command.key

    @property
    def payload(self) -> Mapping[str, Any]:
        return self.command.payload

"""Commands: what the bot wants done outside; stored with the cases, delivered later by lanes."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

TARGETS = ("shortcut", "github", "slack", "email", "webhook", "notion", "api")


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
    not_before: float | None = None
    """Epoch seconds; for a message that can wait until the team's quiet hours are over."""

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
    route: str = "",
    tasks: Sequence[str] = (),
) -> Command:
    """Create the one Shortcut story of issue `ref`; its `external_id` is the command's key.

    By its `route` the configuration may name a state and an epic. `tasks` are the story's own, to be ticked off.
    """
    payload: dict[str, Any] = {
        "name": name,
        "description": description,
        "story_type": story_type,
        "labels": list(labels),
        "external_link": external_link,
        "estimate": estimate,
        "route": route,
    }
    return Command(
        key=f"story:{ref}",
        target="shortcut",
        operation="create_story",
        issue=ref,
        payload=payload | {"tasks": list(tasks)} if tasks else payload,
    )


def move_story(
    ref: str, *, route: str, story_type: str | None, label: str, instead_of: Sequence[str]
) -> Command:
    """Bring the story that stands to the route that a person decided; its text is left alone.

    `label` says which it is, `instead_of` are those that said so before: what the bot itself gave of them is taken
    off. Without `story_type` that stays what it is.
    """
    return Command(
        key=f"move:{ref}",
        target="shortcut",
        operation="move_story",
        issue=ref,
        payload={
            "route": route,
            "story_type": story_type,
            "label": label,
            "instead_of": list(instead_of),
        },
        after=(f"story:{ref}",),
    )


def add_labels(ref: str, labels: Sequence[str]) -> Command:
    """Let the issue show just these labels of the bot's, in place of those it was given before."""
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


MAX_REPLY = 3_000
"""Characters of an answer in the bot's comment."""


def write_comment(
    ref: str, body: str, *, with_story: bool = False, status: str = "", reply: str = ""
) -> Command:
    """Write the bot's one comment on the issue, or edit it in place; with the story's link where asked.

    `status` is a line on the story's state, `reply` the answer to the last command that a person wrote there;
    a later text keeps those that stand.
    """
    payload: dict[str, Any] = {"body": body, "with_story": with_story}
    extra = {"status": status, "reply": reply[:MAX_REPLY]}
    return Command(
        key=f"comment:{ref}",
        target="github",
        operation="write_comment",
        issue=ref,
        payload=payload | {name: text for name, text in extra.items() if text},
        after=(f"story:{ref}",) if with_story else (),
    )


Reaction = Literal["+1", "-1", "confused", "eyes"]


def react(ref: str, comment_id: int, content: Reaction) -> Command:
    """Answer a comment on the issue with a reaction."""
    return Command(
        key=f"react:{comment_id}",
        target="github",
        operation="react",
        issue=ref,
        payload={"comment_id": comment_id, "content": content},
    )


def assign(ref: str, login: str) -> Command:
    """Assign a person to an issue that has nobody yet."""
    return Command(
        key=f"assign:{ref}", target="github", operation="assign", issue=ref, payload={"login": login}
    )


def open_draft_pull(
    ref: str,
    *,
    base: str,
    base_commit: str,
    files: Sequence[Mapping[str, str]],
    title: str,
    body: str,
    reviewers: Sequence[str] = (),
) -> Command:
    """Open the one draft pull request for issue `ref`, in the issue's repository.

    `base` is the branch that it is for and `base_commit` its head as it was read; `files` are changed files, each
    with its `path`, its whole new `text` and the `sha` that git gave its content before. `reviewers` are logins,
    and teams as "owner/team". Its branch is named by the issue's number and what it changes.
    """
    changed = [{"path": file["path"], "text": file["text"], "sha": file["sha"]} for file in files]
    return Command(
        key=f"pull:{ref}",
        target="github",
        operation="open_draft_pull",
        issue=ref,
        payload={
            "base": base,
            "base_commit": base_commit,
            "branch": f"switchyard/{ref.rpartition('#')[2]}-{payload_hash({'files': changed})[:10]}",
            "files": changed,
            "title": title,
            "body": body,
            "reviewers": list(reviewers),
        },
    )


def draft_advisory(
    ref: str,
    *,
    summary: str,
    description: str,
    severity: str = "",
    vector: str = "",
    cve: str = "",
    weaknesses: Sequence[str] = (),
    packages: Sequence[Mapping[str, str]] = (),
) -> Command:
    """Draft a security advisory in the issue's repository, which only its maintainers see.

    `vector` is CVSS and comes before `severity` (critical, high, medium, low); `weaknesses` are "CWE-79"; each of
    `packages` has an `ecosystem` as GitHub names it, a `name` and the `affected` range of versions.
    """
    return Command(
        key=f"advisory:{ref}",
        target="github",
        operation="draft_advisory",
        issue=ref,
        payload={
            "summary": summary,
            "description": description,
            "severity": severity,
            "vector": vector,
            "cve": cve,
            "weaknesses": list(weaknesses),
            "packages": [dict(package) for package in packages],
        },
    )


def write_check(ref: str, sha: str, *, conclusion: str, title: str, summary: str) -> Command:
    """Say on a pull request's commit whether what it changes is good: `conclusion` is success or failure."""
    return Command(
        key=f"check:{ref}@{sha}",
        target="github",
        operation="write_check",
        issue=ref,
        payload={"sha": sha, "conclusion": conclusion, "title": title, "summary": summary},
    )


def publish_page(ref: str, *, title: str, markdown: str) -> Command:
    """Put the one page of issue `ref` into Notion; once it stands it is people's, and is not written again."""
    return Command(
        key=f"page:{ref}",
        target="notion",
        operation="publish_page",
        issue=ref,
        payload={"title": title, "markdown": markdown},
    )


def call_service(
    ref: str, service: str, operation: str, values: Mapping[str, Any], *, name: str = ""
) -> Command:
    """Call a writing operation that the configuration declares of a service, once for an issue and a `name`."""
    return Command(
        key=":".join(("api", service, operation, *([name] if name else []), ref)),
        target="api",
        # With the service before it, it is mistaken for no operation of another target.
        operation=f"{service}.{operation}",
        issue=ref,
        payload={"service": service, "operation": operation, "values": dict(values)},
        lane=f"api:{service}",
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

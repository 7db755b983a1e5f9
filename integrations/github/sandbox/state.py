"""What the GitHub stand-in remembers: repositories with their issues, labels, comments and files."""

import time
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

from integrations.github.sandbox.history import History, IssueEvent, Label, doer, labellers

API_USER = "switchyard-sandbox"
"""Whoever holds a token here acts as this account."""

REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")
ACCESS = ("push", "read", "forbidden", "gone", "disabled")
DEFAULT_LABELS = {
    "bug": "d73a4a",
    "documentation": "0075ca",
    "duplicate": "cfd3d7",
    "enhancement": "a2eeef",
    "good first issue": "7057ff",
    "help wanted": "008672",
    "invalid": "e4e669",
    "question": "d876e3",
    "wontfix": "ffffff",
}
_EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
_clock = (0, "")


def now_text() -> str:
    """The time as GitHub writes it: UTC, whole seconds. Kept for a second, since every write asks."""
    global _clock
    second = int(time.time())
    if second != _clock[0]:
        _clock = (second, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second)))
    return _clock[1]


def time_text(value: object) -> str | None:
    """A time in any ISO 8601 spelling as GitHub writes it; None where there is none."""
    if isinstance(value, datetime):
        moment = value
    else:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Comment:
    """A comment on an issue."""

    id: int
    number: int
    body: str
    login: str
    created_at: str
    updated_at: str
    own_reactions: dict[str, int] = field(default_factory=dict)
    """The token's own reactions, with their ids."""


@dataclass(slots=True)
class IssueRecord:
    """An issue or a pull request; `labels` holds keys of the repository's labels, in lower case."""

    id: int
    number: int
    title: str
    body: str | None
    author: str | None
    association: str
    created_at: str
    updated_at: str
    labels: list[str] = field(default_factory=list)
    state: str = "open"
    state_reason: str | None = None
    closed_at: str | None = None
    assignees: list[str] = field(default_factory=list)
    comments_before: int = 0
    comment_ids: list[int] = field(default_factory=list)
    reactions: dict[str, int] = field(default_factory=dict)
    own_reactions: dict[str, int] = field(default_factory=dict)
    labels_added: list[str] = field(default_factory=list)
    pull_request: bool = False
    locked: bool = False
    deleted: bool = False
    moved_to: str | None = None
    """OWNER/NAME#NUMBER, where it was transferred to."""

    @property
    def hidden(self) -> bool:
        """Whether no list shows it any more."""
        return self.deleted or self.moved_to is not None

    @property
    def comments(self) -> int:
        """How many comments the issue is said to have; those before the seed have no text."""
        return self.comments_before + len(self.comment_ids)


Order = list[tuple[str, int]]
"""Issue numbers sorted by a time."""


class Repository:
    """One repository; its issues stay sorted by creation and by update, separately for each state."""

    def __init__(self, full_name: str, identifier: int) -> None:
        self.full_name = full_name
        self.id = identifier
        self.access = "push"
        self.created_at = "2024-01-01T00:00:00Z"
        self.issues: dict[int, IssueRecord] = {}
        self.labels: dict[str, Label] = {}
        self.comments: dict[int, Comment] = {}
        self.files: dict[str, str] = {"README.md": f"# {full_name.partition('/')[2]}\n"}
        self.version = 0
        self.last_number = 0
        self._orders: dict[tuple[str, str], Order] = {
            (sort, state): [] for sort in ("created", "updated") for state in ("open", "closed")
        }
        self._merged: dict[tuple[str, str], tuple[int, Order]] = {}
        self._next_id = identifier * 10_000_000
        self.history = History(self.new_id)
        for name, color in DEFAULT_LABELS.items():
            self.add_label(name, color=color, default=True)

    def new_id(self) -> int:
        """An identifier that no other thing of any repository has."""
        self._next_id += 1
        return self._next_id

    def add_label(
        self, name: str, *, color: str = "ededed", description: str | None = None, default: bool = False
    ) -> Label:
        """The label of that name (GitHub ignores case), made where it is missing."""
        key = name.lower()
        label = self.labels.get(key)
        if label is None:
            label = self.labels[key] = Label(self.new_id(), name, color, description, default)
        return label

    def put(self, issue: IssueRecord) -> None:
        """Add an issue; `seed` has the path from loose fields."""
        self.issues[issue.number] = issue
        self.last_number = max(self.last_number, issue.number)
        self.history.hide(issue.number, issue.hidden)
        self._enter(issue)

    def touch(self, issue: IssueRecord, *, state: str | None = None, at: str | None = None) -> None:
        """The API's user changed the issue: now, or at `at`; with `state`, closed or opened it as well."""
        self._leave(issue)
        issue.updated_at = at or now_text()
        if state is not None and state != issue.state:
            self._set_state(issue, state, API_USER)
            issue.closed_at = issue.updated_at if state == "closed" else None
        self._enter(issue)

    def _set_state(self, issue: IssueRecord, state: str, by: str) -> None:
        """Close or open an issue that was changed just now."""
        if state != issue.state:
            kind = "closed" if state == "closed" else "reopened"
            self.history.add(IssueEvent(kind, issue.number, by, issue.updated_at))
        issue.state = state

    def set_labels(
        self,
        issue: IssueRecord,
        keys: list[str],
        *,
        at: str | None = None,
        by: str = API_USER,
        labeller: Callable[[str], str] | None = None,
    ) -> None:
        """Give an issue the labels of these keys; `labeller` tells who put one on where that was not `by`."""
        at = at or now_text()
        for key in issue.labels:
            if key not in keys:
                self.history.add(IssueEvent("unlabeled", issue.number, by, at, self.labels[key]))
        for key in keys:
            if key not in issue.labels:
                who = labeller(key) if labeller else by
                self.history.add(IssueEvent("labeled", issue.number, who, at, self.labels[key]))
        issue.labels = keys

    def _enter(self, issue: IssueRecord) -> None:
        self.version += 1
        if not issue.hidden:
            insort(self._orders["created", issue.state], (issue.created_at, issue.number))
            insort(self._orders["updated", issue.state], (issue.updated_at, issue.number))

    def _leave(self, issue: IssueRecord) -> None:
        for sort, key in (("created", issue.created_at), ("updated", issue.updated_at)):
            order = self._orders[sort, issue.state]
            at = bisect_left(order, (key, issue.number))
            if at < len(order) and order[at] == (key, issue.number):
                del order[at]

    def order(self, sort: str, state: str) -> Order:
        """Numbers sorted upwards; "all" and the order by comments are put together when asked for."""
        if state != "all" and sort != "comments":
            return self._orders[sort, state]
        version, order = self._merged.get((sort, state), (-1, []))
        if version != self.version:
            order = self._merge(sort, state)
            self._merged[sort, state] = (self.version, order)
        return order

    def _merge(self, sort: str, state: str) -> Order:
        if sort == "comments":
            found = (i for i in self.issues.values() if not i.hidden and state in ("all", i.state))
            return sorted((f"{i.comments:08}", i.number) for i in found)
        return sorted(self._orders[sort, "open"] + self._orders[sort, "closed"])

    def open_count(self) -> int:
        """Open issues and pull requests."""
        return len(self._orders["created", "open"])

    def seed(self, data: Mapping[str, Any]) -> IssueRecord:
        """Add an issue from loose fields, or change those named of the one with that number.

        Its labels were put on when it was made. `by` names who changed it, `labelled_by` who put labels on.
        """
        number = int(data.get("number") or self.last_number + 1)
        old = self.issues.get(number)
        if old is not None:
            self._change(old, data)
            return old
        created = time_text(data.get("created_at"))
        if created is None:
            created = time_text(_EPOCH + timedelta(minutes=number)) or ""
        issue = IssueRecord(
            id=self.new_id(),
            number=number,
            title=str(data.get("title") or ""),
            body=None if data.get("body") is None else str(data["body"]),
            author=data.get("author", "octo-reporter"),
            association=str(data.get("author_association") or "NONE"),
            created_at=created,
            updated_at=time_text(data.get("updated_at")) or created,
            state=str(data.get("state") or "open"),
            assignees=list(data.get("assignees") or ()),
            comments_before=int(data.get("comments") or 0),
            reactions={"+1": int(data["reactions"])} if data.get("reactions") else {},
            pull_request=bool(data.get("pull_request")),
            locked=bool(data.get("locked")),
            deleted=bool(data.get("deleted")),
            moved_to=data.get("moved_to"),
        )
        issue.closed_at = issue.updated_at if issue.state == "closed" else None
        if data.get("labels"):
            keys = self.label_keys(data["labels"])
            self.set_labels(issue, keys, at=created, labeller=labellers(data))
        self.put(issue)
        return issue

    def label_keys(self, names: Iterable[str]) -> list[str]:
        """Keys of the labels of those names, each once, made where they are missing."""
        keys: dict[str, None] = {}
        for name in names:
            self.add_label(name)
            keys[name.lower()] = None
        return list(keys)

    def _change(self, issue: IssueRecord, data: Mapping[str, Any]) -> None:
        self._leave(issue)
        issue.title = str(data.get("title", issue.title))
        issue.body = data.get("body", issue.body)
        issue.author = data.get("author", issue.author)
        issue.association = str(data.get("author_association", issue.association))
        issue.updated_at = time_text(data.get("updated_at")) or now_text()
        by = doer(data)
        if "labels" in data:
            keys = self.label_keys(data["labels"])
            self.set_labels(issue, keys, at=issue.updated_at, by=by, labeller=labellers(data))
        issue.assignees = list(data.get("assignees", issue.assignees))
        issue.comments_before = int(data.get("comments", issue.comments_before))
        issue.locked = bool(data.get("locked", issue.locked))
        issue.deleted = bool(data.get("deleted", issue.deleted))
        issue.moved_to = data.get("moved_to", issue.moved_to)
        self.history.hide(issue.number, issue.hidden)
        self._set_state(issue, str(data.get("state", issue.state)), by)
        issue.closed_at = issue.updated_at if issue.state == "closed" else None
        self._enter(issue)

    def rename_label(self, key: str, new_name: str) -> None:
        """Give a label another name, on every issue that has it."""
        label = self.labels.pop(key)
        label.name = new_name
        self.labels[new_name.lower()] = label
        for issue in self.issues.values():
            issue.labels = [new_name.lower() if k == key else k for k in issue.labels]

    def add_comment(self, issue: IssueRecord, body: str, login: str = API_USER) -> Comment:
        """Write a comment, as the API's user unless another account is named."""
        now = now_text()
        comment = Comment(self.new_id(), issue.number, body, login, now, now)
        self.comments[comment.id] = comment
        issue.comment_ids.append(comment.id)
        self.touch(issue)
        return comment


def user_id(login: str) -> int:
    """The same account has the same number everywhere."""
    return 1000 + crc32(login.encode())


class Repositories:
    """All repositories, by their names in lower case."""

    def __init__(self) -> None:
        self._by_name: dict[str, Repository] = {}

    def __iter__(self) -> Iterator[Repository]:
        return iter(self._by_name.values())

    def find(self, full_name: str) -> Repository | None:
        """The repository, or None."""
        return self._by_name.get(full_name.lower())

    def get_or_add(self, full_name: str) -> Repository:
        """The repository, made where it is missing."""
        found = self._by_name.get(full_name.lower())
        if found is None:
            found = self._by_name[full_name.lower()] = Repository(full_name, len(self._by_name) + 1)
        return found

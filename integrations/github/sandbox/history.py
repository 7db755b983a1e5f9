"""What happened to the issues of a repository in the GitHub stand-in, and who did it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MAINTAINER = "octo-maintainer"
"""The person who did what a seed or a control request does not say another did."""


@dataclass(slots=True)
class Label:
    """A label of a repository."""

    id: int
    name: str
    color: str = "ededed"
    description: str | None = None
    default: bool = False


@dataclass(slots=True)
class IssueEvent:
    """A label put on or taken off, or an issue closed or opened again; `id` is 0 until somebody looks."""

    kind: str
    number: int
    actor: str
    created_at: str
    label: Label | None = None
    id: int = 0


class History:
    """Events of one repository. They are numbered when they are looked at, in the order of their times.

    So seeds that are put in in any order read as if they had happened one after another.
    """

    def __init__(self, new_id: Callable[[], int]) -> None:
        self._new_id = new_id
        self._fresh: list[IssueEvent] = []
        self._listed: list[IssueEvent] = []
        self._by_issue: dict[int, list[IssueEvent]] = {}
        self._hidden: set[int] = set()
        self._stale = False

    def add(self, event: IssueEvent) -> None:
        """It happened."""
        self._fresh.append(event)

    def hide(self, number: int, hidden: bool) -> None:
        """Whether the issue is deleted: the repository's list leaves out its events then."""
        if hidden != (number in self._hidden):
            self._hidden ^= {number}
            self._stale = True

    def all(self) -> list[IssueEvent]:
        """Of all issues that are not deleted, oldest first; not to be changed."""
        self._number()
        if self._stale:
            shown = (events for number, events in self._by_issue.items() if number not in self._hidden)
            self._listed = sorted((event for events in shown for event in events), key=lambda e: e.id)
            self._stale = False
        return self._listed

    def of(self, number: int) -> list[IssueEvent]:
        """Of one issue, oldest first; not to be changed."""
        self._number()
        return self._by_issue.get(number, [])

    def _number(self) -> None:
        self._fresh.sort(key=lambda event: event.created_at)
        for event in self._fresh:
            event.id = self._new_id()
            self._by_issue.setdefault(event.number, []).append(event)
            if event.number not in self._hidden:
                self._listed.append(event)
        self._fresh.clear()


def doer(data: Mapping[str, Any]) -> str:
    """Who makes the change that loose fields describe."""
    return str(data.get("by") or MAINTAINER)


def labellers(data: Mapping[str, Any]) -> Callable[[str], str]:
    """Who puts on the label of a key: `labelled_by` (or `labeled_by`) names one login, or one per label."""
    given, others = data.get("labelled_by") or data.get("labeled_by") or {}, doer(data)
    if isinstance(given, str):
        return lambda key: given
    logins = {str(name).lower(): str(login) for name, login in given.items()}
    return lambda key: logins.get(key, others)

"""The part of GitHub's issue search that a triage bot needs: words, and qualifiers for repository, kind."""

import re
from collections.abc import Callable

from integrations.github.sandbox.state import IssueRecord, Repositories, Repository

_TERM = re.compile(r'(-?)(?:([a-z]+):)?(?:"([^"]*)"|(\S+))', re.IGNORECASE)
_KINDS: dict[str, Callable[[IssueRecord], bool]] = {
    "issue": lambda i: not i.pull_request,
    "pr": lambda i: i.pull_request,
    "pull-request": lambda i: i.pull_request,
    "open": lambda i: i.state == "open",
    "closed": lambda i: i.state == "closed",
}


def search(repositories: Repositories, text: str) -> list[tuple[Repository, IssueRecord]] | None:
    """What fits the query, best first; None where it names only repositories that cannot be read."""
    names: list[str] = []
    words: list[str] = []
    checks: list[Callable[[IssueRecord], bool]] = []
    only_title = False
    for minus, key, quoted, plain in _TERM.findall(text):
        value = (quoted or plain).lower()
        match key.lower():
            case "repo":
                names.append(value)
            case "is" | "state" | "type" if value in _KINDS:
                checks.append(_KINDS[value] if not minus else _negate(_KINDS[value]))
            case "label":
                checks.append(_has_label(value, wanted=not minus))
            case "author":
                checks.append(lambda i, v=value: (i.author or "").lower() == v)  # type: ignore[misc]
            case "in":
                only_title = value == "title"
            case "":
                words.append(value)
    readable = [r for r in repositories if r.access in ("push", "read")]
    if names:
        readable = [r for r in readable if r.full_name.lower() in names]
        if not readable:
            return None
    found = []
    for repo in readable:
        for issue in repo.issues.values():
            if not issue.hidden and all(check(issue) for check in checks):
                score = _score(issue, words, only_title)
                if score is not None:
                    found.append((score, issue.updated_at, repo, issue))
    found.sort(key=lambda hit: hit[:2], reverse=True)
    return [(repo, issue) for _, _, repo, issue in found]


def _score(issue: IssueRecord, words: list[str], only_title: bool) -> int | None:
    """How many words the title has; None where one occurs nowhere."""
    title = issue.title.lower()
    missing = [word for word in words if word not in title]
    if missing and only_title:
        return None
    if missing:
        body = (issue.body or "").lower()
        if any(word not in body for word in missing):
            return None
    return len(words) - len(missing)


def _has_label(name: str, *, wanted: bool) -> Callable[[IssueRecord], bool]:
    return lambda issue: (name in issue.labels) is wanted


def _negate(check: Callable[[IssueRecord], bool]) -> Callable[[IssueRecord], bool]:
    return lambda issue: not check(issue)

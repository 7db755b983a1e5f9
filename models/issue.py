"""A GitHub issue as Switchyard sees it: few fields, bounded, independent of any client library."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

MAX_BODY = 200_000
"""Characters of a body that are kept; GitHub's own limit is 65,536, mirrors and imports exceed it."""

_REF = re.compile(r"^([A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)#([1-9][0-9]{0,9})$")

_ADDRESS = re.compile(r"^https?://[^/\s]+/([^/\s]+/[^/\s]+)/issues/([0-9]+)/?(?:[?#]\S*)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One issue. `repo` is "owner/name"; `author` is None where the account was deleted; times are aware (UTC)."""

    repo: str
    number: int
    title: str
    body: str
    html_url: str
    created_at: datetime
    updated_at: datetime
    state: str = "open"
    labels: tuple[str, ...] = ()
    author: str | None = None
    author_association: str = "NONE"
    assignees: tuple[str, ...] = ()
    comments: int = 0
    reactions: int = 0

    @property
    def ref(self) -> str:
        """The name everything is keyed by: "owner/name#number"."""
        return f"{self.repo}#{self.number}"

    @property
    def by_insider(self) -> bool:
        """Did somebody of the project itself write it?"""
        return self.author_association in ("OWNER", "MEMBER", "COLLABORATOR")


def parse_ref(text: str) -> tuple[str, int]:
    """Split "owner/name#12" into repository and number; ValueError says what was expected."""
    match = _REF.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not an issue; write OWNER/NAME#NUMBER")
    return match[1], int(match[2])


def named_ref(text: str) -> str:
    """The "owner/name#12" that a person means by it or by the issue's address; ValueError like parse_ref's."""
    address = _ADDRESS.match(text.strip())
    ref = f"{address[1]}#{address[2]}" if address else text.strip()
    parse_ref(ref)
    return ref


def content_hash(issue: Issue) -> str:
    """Hash of what triage depends on; without times and counters. The bot's own labels are off already."""
    parts = (issue.title, issue.body, issue.state, issue.author or "", *sorted(issue.labels))
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


def title_key(title: str) -> str:
    """Titles that differ only in case, digits and punctuation share it; empty where little is left."""
    words = re.findall(r"[^\W\d_]{2,}", title.casefold())
    return "" if len(words) < 3 else hashlib.sha256(" ".join(words).encode()).hexdigest()[:16]

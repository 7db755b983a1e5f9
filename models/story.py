"""A Shortcut story as Switchyard sees it: few fields, bounded, and the issue that it belongs to."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from models.issue import parse_ref

PREFIX = "story:"
"""An external id that begins so is one that the bot wrote: the key of the command that made the story."""
_PATH = re.compile(r"^/([A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)/issues/([1-9][0-9]{0,9})/?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One story. `url` is where people see it; times are aware (UTC)."""

    id: int
    created_at: datetime
    updated_at: datetime
    url: str = ""
    name: str = ""
    story_type: str = ""
    external_id: str | None = None
    external_links: tuple[str, ...] = ()
    state_id: int | None = None
    state_changed: str | None = None
    """When it came into its state, as the service writes it; None where it was never moved."""
    epic_id: int | None = None
    owner_ids: tuple[str, ...] = ()
    archived: bool = False
    comments: int = 0
    description: str = ""
    """Its beginning, where it was asked for."""
    done: bool = False
    estimate: int | None = None
    """Points."""
    labels: tuple[str, ...] = ()

    @property
    def made_by_bot(self) -> bool:
        """Does it carry an external id of the bot's?"""
        return _own_ref(self) is not None

    @property
    def hidden(self) -> bool:
        """Put away, or about security: nobody is led to it from another issue."""
        return self.archived or any(label.casefold() == "security" for label in self.labels)

    @property
    def is_untouched(self) -> bool:
        """Did nobody change it, or write on it, since it was made?"""
        late = (self.updated_at - self.created_at).total_seconds() > 2
        return not (late or self.owner_ids or self.epic_id or self.comments)


def ref_of(story: Story, hosts: Collection[str] = ("github.com",)) -> str | None:
    """The issue it belongs to, as "owner/name#n": by its external id, else by the first link to an issue.

    `hosts` are the names under which people see GitHub. A link may be written in another case than GitHub's.
    """
    own = _own_ref(story)
    if own is not None:
        return own
    for link in story.external_links:
        try:
            parts = urlsplit(link)
            host = (parts.hostname or "").removeprefix("www.")
        except ValueError:
            continue
        match = _PATH.match(parts.path)
        if match is not None and parts.scheme in ("http", "https") and host in hosts:
            return f"{match[1]}#{match[2]}"
    return None


def _own_ref(story: Story) -> str | None:
    if story.external_id is None or not story.external_id.startswith(PREFIX):
        return None
    ref = story.external_id.removeprefix(PREFIX)
    try:
        parse_ref(ref)
    except ValueError:
        return None
    return ref

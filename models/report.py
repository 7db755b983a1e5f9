"""What a run came to; `run --json` prints it and the HTML report shows it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

STORY_KEYS = ("created", "existing", "queued", "dead")
GITHUB_KEYS = ("updated", "queued", "dead")
NOTIFICATION_KEYS = ("slack", "email", "webhook", "notion", "api", "queued", "dead")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """One case as the report and the digest show it."""

    ref: str
    title: str
    url: str
    route: str
    urgency: float
    status: str = "triaged"
    error: str = ""
    story_url: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def needs_person(self) -> bool:
        """Does somebody have to decide, or to approve?"""
        by_people = self.detail.get("by") in ("person", "label")
        return (self.route == "needs_human" and not by_people) or bool(self.detail.get("held"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """The figures of one run; see interface.md for the meaning of each."""

    run_id: str
    status: str
    dry_run: bool = False
    name: str = "triage"
    trigger: str = "cli"
    started_at: str = ""
    fetched: int = 0
    pull_requests_skipped: int = 0
    unchanged: int = 0
    triaged: int = 0
    failed: int = 0
    from_cache: bool = False
    routes: Mapping[str, int] = field(default_factory=dict)
    needs_person: int = 0
    """Cases that somebody has to decide or to approve."""
    stories: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(STORY_KEYS, 0))
    github: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(GITHUB_KEYS, 0))
    notifications: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(NOTIFICATION_KEYS, 0))
    planned: Mapping[str, Mapping[str, int]] | None = None
    requests: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    resumes_at: str | None = None
    progress: Mapping[str, Any] | None = None
    """Of a run that has not ended: how far it is, and when it will have ended if it goes on as it did."""
    duration_seconds: float = 0.0
    report: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The JSON document; keys that say nothing in this run are left out."""
        document = {key: value for key, value in asdict(self).items() if value is not None}
        document["problems"] = list(self.problems)
        document["skipped"] = list(self.skipped)
        return document

"""What a run was asked to do, and how far it has come; both are stored with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """What a run was asked to do."""

    repositories: tuple[str, ...] = ()
    issues: tuple[str, ...] = ()
    since: str | None = None
    full: bool = False
    named: bool = False
    """Somebody asked for just these: what cannot be done for one of them is a failure."""
    wait: float = 60.0

    def to_json(self) -> dict[str, Any]:
        return {
            "repositories": list(self.repositories),
            "issues": list(self.issues),
            "since": self.since,
            "full": self.full or bool(self.issues),
            "named": self.named,
            "wait": self.wait,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Params":
        return Params(
            repositories=tuple(data.get("repositories", ())),
            issues=tuple(data.get("issues", ())),
            since=data.get("since"),
            full=bool(data.get("full")),
            named=bool(data.get("named")),
            wait=float(data.get("wait", 60.0)),
        )


@dataclass(slots=True)
class Fetching:
    """Where fetching stands; stored with each page."""

    repository: int = 0
    url: str | None = None
    started: str | None = None
    """GitHub's own time when the repository's first page was read: the next run's cursor."""
    buffer: list[str] = field(default_factory=list)
    batches: int = 0
    fetched: int = 0
    expected: int | None = None
    """Issues and pull requests up to the end of this repository, as its first page told; None before it."""
    pulls: int = 0
    bad: int = 0
    from_cache: bool = False
    failed: bool = False
    """The credential was refused: what was read is still brought to its end."""
    incomplete: bool = False
    """Something that should have been read could not be."""
    finished: bool = False
    relisted: bool = False
    pages: int = 0
    pull_numbers: list[int] = field(default_factory=list)
    """Pull requests of the repository that is being read; a list that is read again shows them again."""
    waited: float = 0.0
    """Seconds spent on GitHub's refusals for its rate."""
    cursors: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    """What was left alone, and why: repositories that switched the bot off."""
    resumes_at: float | None = None
    reconciled: bool = False
    """The run has looked at what became of the stories, or tried to."""

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @property
    def expected_issues(self) -> int | None:
        """Issues that there will be: pull requests are expected to be as many as among those that were read."""
        issues = self.fetched - self.pulls
        if self.finished:
            return issues
        return (
            max(issues, round(self.expected * issues / self.fetched))
            if self.expected and self.fetched
            else None
        )

"""What a node may ask of the outside, and what it is answered: plain values that cross processes and can be kept.

An answer of None says that nobody could be asked (a service that is off or down, a budget that is spent); a node
goes on without it.
"""

from dataclasses import dataclass, fields
from typing import Any, Generic, Literal, TypeVar

from models.case import Advisory, Similar

T = TypeVar("T")


class Ask(Generic[T]):
    """One question. Equal ones have one answer: `bot/think/lookups` asks once and remembers what came back."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The files of a repository's default branch, with git's name of each one's content."""

    branch: str
    commit: str
    blobs: tuple[tuple[str, str], ...]
    """(path, blob SHA) in git's order; at most the first 50,000."""

    def __hash__(self) -> int:
        # A listing is looked up for every case of its repository, and has thousands of paths.
        return hash(self.commit)

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(path for path, _ in self.blobs)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One text file as it is at the default branch's head; `sha` is git's name of its content."""

    path: str
    text: str
    sha: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Docs:
    """A repository's documentation: README and what lies in its docs folders, bounded; `commit` names the state."""

    commit: str
    pages: tuple[File, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """What a language model wrote, checked against the shape that was asked for; `data` is plain JSON."""

    data: dict[str, Any]
    model: str


@dataclass(frozen=True, slots=True)
class ListFiles(Ask[Files]):
    repo: str


@dataclass(frozen=True, slots=True)
class ReadFile(Ask[File]):
    repo: str
    path: str


@dataclass(frozen=True, slots=True)
class ReadDocs(Ask[Docs]):
    repo: str


@dataclass(frozen=True, slots=True)
class FileAuthors(Ask[tuple[str, ...]]):
    """Logins of those who changed a file last, the latest first, bots left out."""

    repo: str
    path: str


@dataclass(frozen=True, slots=True)
class SearchIssues(Ask[tuple[Similar, ...]]):
    """GitHub's own search among the issues of one repository."""

    repo: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SearchStories(Ask[tuple[Similar, ...]]):
    """Shortcut's own search."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EstimateScale(Ask[tuple[int, ...]]):
    """The points that the team's stories are estimated in, ascending; empty where it does not estimate."""


@dataclass(frozen=True, slots=True)
class FindAdvisories(Ask[tuple[Advisory, ...]]):
    """What OSV knows by these identifiers (CVE, GHSA, …) and of these packages (purl, with a version)."""

    ids: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


DraftKind = Literal["fix", "design", "spec", "page"]


@dataclass(frozen=True, slots=True)
class WriteDraft(Ask[Drafted]):
    """A draft by the language model. Instructions and shape go with `kind`; `material` is what it is told, all of it
    taken for data. `security` marks what only a model that is allowed to may see."""

    kind: DraftKind
    material: str
    complaint: str = ""
    """What was wrong with the draft before, where this is another try."""
    security: bool = False
    issue: str = ""
    """For whom; one issue may not spend what all have."""


@dataclass(frozen=True, slots=True)
class CallService(Ask[Any]):
    """A reading operation that the configuration declares of a service; `values` fill its fields, as JSON."""

    service: str
    operation: str
    values: str


AnyAsk = (
    ListFiles
    | ReadFile
    | ReadDocs
    | FileAuthors
    | SearchIssues
    | SearchStories
    | EstimateScale
    | FindAdvisories
    | WriteDraft
    | CallService
)

LASTING: tuple[type, ...] = (ListFiles, ReadFile, ReadDocs, FileAuthors, EstimateScale)
"""Answers about a repository, or the team, that serve all its cases for a while."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one ask, or why there is none, as a sentence."""

    answer: Any = None
    why_not: str = ""


def in_words(ask: Ask[Any]) -> str:
    """What was asked, without its material: for logs and notes."""
    known = {f.name: getattr(ask, f.name) for f in fields(ask)}  # type: ignore[arg-type]
    short = {
        k: v
        for k, v in known.items()
        if k not in ("material", "complaint", "values", "words", "ids", "packages")
    }
    return f"{type(ask).__name__}({', '.join(f'{k}={v!r}' for k, v in short.items())})"[:200]

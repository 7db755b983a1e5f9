"""A case: one issue with everything that was found out and decided about it, and the commands it led to."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from models.commands import Command
from models.issue import Issue

Route = Literal["bug", "feature", "docs", "security", "needs_human"]
ROUTES: tuple[Route, ...] = ("bug", "feature", "docs", "security", "needs_human")
LABELS = ("bug", "feature", "docs", "question")
"""What the classifier tells apart; a question is answered by a person, security is a screen of its own."""


SEVERITIES = ("critical", "high", "medium", "low")
"""The gravest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentiment:
    """The reporter's tone: `score` from -1 (angry) to 1 (pleased), `urgency` 0…1, and the words it rests on."""

    score: float = 0.0
    urgency: float = 0.0
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSigns:
    """What the text shows of code: fenced blocks, languages, error lines, versions, paths, commands."""

    blocks: int = 0
    share: float = 0.0
    """Share of the body's characters that is code, 0…1."""
    languages: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    """Shell lines without their prompt."""
    packages: tuple[str, ...] = ()
    """ "ecosystem/name" or "ecosystem/name@version", the ecosystem as in a package URL: "pypi/requests@2.31"."""
    evidence: Mapping[str, str] = field(default_factory=dict)
    """By package the line that it was read from."""
    has_trace: bool = False
    has_steps: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """How much it matters: `score` 0…100 with its `parts`, and the `severity` that follows."""

    score: float = 0.0
    severity: Literal["low", "medium", "high", "critical"] = "low"
    parts: Mapping[str, float] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The model's answer for one text. `probabilities` runs over LABELS; `accepted` where it passes the threshold."""

    route: str
    confidence: float
    accepted: bool
    probabilities: Mapping[str, float]
    security_score: float
    security_flag: bool
    model: str
    reasons: tuple[tuple[str, float], ...] = ()
    """What stands in the text, in plain words, with its weight, strongest first; positive ones speak for `route`."""
    thresholds: Mapping[str, float | None] = field(default_factory=dict)
    """By label the confidence from which the model is believed; None: never. Empty where it is not known."""
    security_threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Where the case goes and why. `prediction` is None where a rule or a person's label settled it alone."""

    route: Route
    confidence: float
    accepted: bool
    by: Literal["person", "label", "rule", "screen", "model"] = "model"
    """What settled it: a person's word, a person's label, the operator's rule, the security screen or the router."""
    held: bool = False
    """The operator wants a person to approve this route before a story is made."""
    rules: tuple[str, ...] = ()
    """Rules and labels that mattered, as sentences."""
    prediction: Prediction | None = None

    @property
    def by_people(self) -> bool:
        """Did somebody decide it, and not the bot?"""
        return self.by in ("person", "label")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a person last said of the case, elsewhere than by a label; `route` is one of LABELS or "security"."""

    route: str
    person: str
    via: str
    at: float
    number: int = 0
    """Of the correction, to know whether it was thought of."""
    labels: tuple[str, ...] = ()
    """The labels that people had put on the issue by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One line of a stack trace."""

    file: str
    line: int | None = None
    function: str = ""
    own: bool = True
    """False for the standard library, installed packages and runtimes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackTrace:
    """A parsed trace; `fingerprint` is stable over line numbers, addresses and absolute paths."""

    language: str
    exception: str
    message: str
    frames: tuple[Frame, ...] = ()
    fingerprint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar:
    """An issue or story that may be about the same thing, and the reason to think so."""

    ref: str
    """ "owner/name#n" of an issue, "shortcut:n" of a story."""
    title: str
    url: str
    score: float
    """0…1."""
    reason: str
    done: bool = False
    """Closed, or a finished story."""
    estimate: int | None = None
    """A story's points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A file of the repository that a bug may lie in, why, and who knows it."""

    path: str
    reason: str
    line: int | None = None
    owners: tuple[str, ...] = ()
    """From CODEOWNERS: logins and teams, without the @."""
    authors: tuple[str, ...] = ()
    """Logins of those who changed it last, the latest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """A place in the repository's documentation that may already say what the issue asks for."""

    path: str
    heading: str
    url: str
    """At the commit that was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advisory:
    """A published vulnerability."""

    id: str
    aliases: tuple[str, ...] = ()
    summary: str = ""
    severity: str = ""
    """critical, high, medium or low; empty where nobody has rated it."""
    vector: str = ""
    """CVSS."""
    affected: tuple[str, ...] = ()
    """Packages as purl without a version."""
    fixed: tuple[str, ...] = ()
    """Versions in which it is mended, as "name version"."""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A titled part of the story's description; `body` is markdown that is safe to publish in Shortcut."""

    title: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One issue on its way through triage. Nodes return the next case with `replace`; nothing is changed in place."""

    issue: Issue
    told: Told | None = None
    sentiment: Sentiment | None = None
    code: CodeSigns | None = None
    impact: Impact | None = None
    decision: Decision | None = None
    trace: StackTrace | None = None
    similar: tuple[Similar, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    advisories: tuple[Advisory, ...] = ()
    pointers: tuple[Pointer, ...] = ()
    """Fit to be told to the reporter: only where the documentation has nearly all that the title is about."""
    estimate: int | None = None
    """Points on the team's scale."""
    priority: float | None = None
    """0…100, from the feature flow's score or the impact."""
    suspicions: tuple[str, ...] = ()
    """Signs that the text talks to a language model rather than to people; it gets no draft."""
    sections: tuple[Section, ...] = ()
    tasks: tuple[str, ...] = ()
    """The story's own tasks, as acceptance criteria."""
    questions: tuple[str, ...] = ()
    """What the reporter should be asked for."""
    escalation: tuple[str, ...] = ()
    """What the security team is told in its private channel, and nobody else."""
    labels: tuple[str, ...] = ()
    """Labels for the story and, where public, the issue; beyond the route's own."""
    notes: tuple[str, ...] = ()
    """What was skipped and why, for the report."""
    terms: bytes = b""
    """The text's words as the index of similar issues keeps them; nodes have no use for it."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """What steps of a team's own flows keep for one another, as plain JSON by name."""
    commands: tuple[Command, ...] = ()

    @property
    def route(self) -> Route:
        return self.decision.route if self.decision else "needs_human"

    @property
    def needs_person(self) -> bool:
        """Does somebody have to decide, or to approve? A question that a person found to be one was decided."""
        if self.decision is None:
            return True
        is_open = self.route == "needs_human" and not self.decision.by_people
        return is_open or self.decision.held

    @property
    def urgency(self) -> float:
        """What "most urgent" is sorted by, 0…100."""
        impact = self.impact.score if self.impact else 0.0
        tone = self.sentiment.urgency if self.sentiment else 0.0
        boost = 15.0 if self.route == "security" else 0.0
        return min(100.0, impact + 10.0 * tone + boost)


def merge(base: Case, results: list[Case]) -> Case:
    """Join what parallel steps added to one case: tuples and mappings grow, other fields take the changed value."""
    changes: dict[str, Any] = {}
    for spec in fields(Case):
        before = getattr(base, spec.name)
        for result in results:
            after = getattr(result, spec.name)
            if after is before or after == before:
                continue
            if isinstance(before, tuple):
                grown = changes.get(spec.name, before)
                changes[spec.name] = grown + tuple(x for x in after if x not in grown)
            elif isinstance(before, Mapping):
                changes[spec.name] = {**changes.get(spec.name, before), **after}
            else:
                changes[spec.name] = after
    return replace(base, **changes) if changes else base


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that could not be triaged: which issue, in which node, and the error, bounded."""

    ref: str
    node: str
    error_text: str

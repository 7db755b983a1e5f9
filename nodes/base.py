"""What a node is, and the context it thinks in."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar

from models.asks import Ask
from models.case import Case, Prediction, Route, Similar

T = TypeVar("T")


class Node(Protocol):
    """One step: take a case, return the next one. Never writes to the world."""

    async def __call__(self, case: Case, ctx: "Context", /) -> Case: ...


class Router(Protocol):
    """The trained classifier, asked for one case at a time (it batches inside)."""

    async def predict(self, case: Case, /) -> Prediction: ...


class Asking(Protocol):
    """The way to what lies outside: repository files, the services' own search, advisories, drafts."""

    async def __call__(self, ask: Ask[T], /) -> T | None:
        """The answer; None where nobody could be asked. A case may be begun again to wait for it: ask early, and
        do nothing twice that is dear."""
        ...


async def nobody(ask: Ask[T], /) -> T | None:
    """Where there is nothing outside."""
    return None


class SimilarIssues(Protocol):
    """Issues and stories seen before: the local index."""

    def find(self, case: Case, /) -> tuple[Similar, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One business rule: where all given conditions hold, `action` the `route`.

    `label`, `author` and `path` are glob patterns without regard to case; `path` is tried on the file
    paths that the text names, `pattern` is a regular expression tried on title and body. A boost adds
    `weight` to the log-odds that the model gives the route; the thresholds stay what they are.
    """

    route: Route
    action: Literal["force", "forbid", "boost"] = "force"
    weight: float = 1.0
    by: Literal["operator", "repository"] = "operator"
    """Whose it is. A repository's takes no case away from the security screen, and its pattern is one of RE2."""
    name: str = ""
    repository: str | None = None
    label: str | None = None
    author: str | None = None
    path: str | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the operator, and the repository within that, want said and done, as far as nodes need to know it."""

    comment: Literal["always", "useful", "never"] = "useful"
    link_story: bool = False
    needs_human: Literal["ask", "story"] = "ask"
    route_labels: Mapping[str, str] = field(
        default_factory=lambda: {
            "bug": "bug",
            "feature": "enhancement",
            "docs": "documentation",
            "security": "needs review",
            "needs_human": "needs triage",
        }
    )
    """The issue's label by route. Security's says nothing of security: labels are public."""
    rules: tuple[Rule, ...] = ()
    accept_threshold: float | None = None
    """Overrides the model's own thresholds where set."""
    approve: frozenset[Route] = frozenset()
    """Routes for which a person is asked before a story is made."""
    closed_routes: frozenset[Route] = frozenset()
    """Routes that the repository does not use: what would go there goes to a person."""
    services: frozenset[str] = frozenset()
    """Services beyond GitHub that are on: shortcut, notion, osv, llm, email, and those that the team declared."""
    assign_suspects: bool = False
    """Assign the likeliest person to a bug that has no assignee."""
    draft_pulls: bool = False
    """Open draft pull requests with what a language model or a reporter proposed."""
    draft_advisories: bool = False
    """Open draft security advisories on GitHub."""
    drafts_for_security: bool = False
    """A language model may see security reports."""
    estimate_scale: tuple[int, ...] | None = None
    """The configured points; empty where the team does not estimate, None where the service has to be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Read ports and the time; nodes reach the world only through it."""

    now: datetime
    router: Router
    similar: SimilarIssues
    ask: Asking = nobody
    policy: Policy = field(default_factory=Policy)


async def ask_all(ctx: Context, asks: Sequence[Ask[Any]]) -> list[Any]:
    """The answers, in order; all are asked before one is waited for."""
    answers = await asyncio.gather(*(ctx.ask(ask) for ask in asks), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return answers

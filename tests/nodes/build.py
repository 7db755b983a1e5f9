"""Builds issues, cases and contexts for the tests of nodes and sub-flows."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from models.asks import Ask
from models.case import Case, Decision, Prediction, Route, Similar
from models.issue import Issue
from nodes.base import Context, Node, Policy

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
REPO = "octo/widgets"


def issue(title: str = "Widgets fall over", body: str = "", **changes: Any) -> Issue:
    """An issue of octo/widgets, two days old."""
    number = changes.pop("number", 7)
    made = Issue(
        repo=REPO,
        number=number,
        title=title,
        body=body,
        html_url=f"https://github.com/{REPO}/issues/{number}",
        created_at=NOW - timedelta(days=2),
        updated_at=NOW - timedelta(days=1),
        author="ada",
    )
    return replace(made, **changes)


def prediction(route: str = "bug", confidence: float = 0.8, **changes: Any) -> Prediction:
    """A prediction that is sure of `route`."""
    rest = (1.0 - confidence) / 3
    names = ("bug", "feature", "docs", "question")
    made = Prediction(
        route=route,
        confidence=confidence,
        accepted=confidence >= 0.6,
        probabilities={name: confidence if name == route else rest for name in names},
        security_score=0.05,
        security_flag=False,
        model="stub",
        reasons=(("“crash” in the title", 1.5), ("a stack trace", 0.8), ("“please add”", -0.4)),
    )
    return replace(made, **changes)


def decided(route: Route, **changes: Any) -> Decision:
    """A decision for `route` by the model."""
    made = Decision(route=route, confidence=0.8, accepted=True, prediction=prediction())
    return replace(made, **changes)


def case(
    title: str = "Widgets fall over", body: str = "", route: Route | None = None, **changes: Any
) -> Case:
    """A case of one such issue; `route` gives it a decision, other names are the issue's fields."""
    made = Case(issue=issue(title, body, **changes))
    return replace(made, decision=decided(route)) if route else made


@dataclass
class StubRouter:
    """Answers by issue number, else with `default`."""

    default: Prediction = field(default_factory=prediction)
    answers: Mapping[int, Prediction | Exception] = field(default_factory=dict)
    most_at_once: int = 0
    _waiting: int = 0

    async def predict(self, case: Case, /) -> Prediction:
        self._waiting += 1
        self.most_at_once = max(self.most_at_once, self._waiting)
        await asyncio.sleep(0)
        self._waiting -= 1
        answer = self.answers.get(case.issue.number, self.default)
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class StubSimilar:
    """Finds what it was given."""

    found: tuple[Similar, ...] = ()

    def find(self, case: Case, /) -> tuple[Similar, ...]:
        return self.found


def context(router: StubRouter | None = None, similar: tuple[Similar, ...] = (), **policy: Any) -> Context:
    """A context at NOW; other names are the policy's fields."""
    return Context(
        now=NOW, router=router or StubRouter(), similar=StubSimilar(similar), policy=Policy(**policy)
    )


def alike(score: float = 0.95, ref: str = "octo/widgets#3", title: str = "Widgets fell over") -> Similar:
    """An issue that is like the one at hand."""
    return Similar(
        ref=ref, title=title, url="https://github.com/octo/widgets/issues/3", score=score, reason="same error"
    )


def run(node: Node, given: Case, ctx: Context | None = None) -> Case:
    """What a node makes of a case."""
    return asyncio.run(_call(node, given, ctx or context()))


async def _call(node: Node, given: Case, ctx: Context) -> Case:
    return await node(given, ctx)


def answering(ctx: Context, answers: Mapping[Ask[Any], Any]) -> tuple[Context, list[Ask[Any]]]:
    """The context with these answers to what is asked, None to all else; and what is asked, as it comes."""
    asked: list[Ask[Any]] = []

    async def ask(question: Ask[Any], /) -> Any:
        asked.append(question)
        return answers.get(question)

    return replace(ctx, ask=ask), asked


def text_of(done: Case, title: str) -> str:
    """The body of the section with this title; empty where there is none."""
    return next((section.body for section in done.sections if section.title == title), "")


def command(done: Case, operation: str) -> Mapping[str, Any]:
    """The payload of the one command of this kind; empty where there is none."""
    found = [wish for wish in done.commands if wish.operation == operation]
    assert len(found) <= 1
    return found[0].payload if found else {}

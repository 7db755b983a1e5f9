"""Triage of one case from the analyses to its commands, and of a batch with every failure kept apart."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from models.asks import Ask, Reply
from models.case import Case, Decision, Failure
from nodes.analyze_code import AnalyzeCode
from nodes.analyze_sentiment import AnalyzeSentiment
from nodes.assess_impact import AssessImpact
from nodes.base import Context, Policy
from nodes.create_story import CreateStory
from nodes.detect_injection import DetectInjection
from nodes.escalate_security import EscalateSecurity
from nodes.route_issue import RouteIssue
from nodes.update_issue import UpdateIssue
from subflows import SUBFLOWS
from subflows.base import Escalated, NodeFailed, Parallel, Subflow, Waiting, noted, run_step, told
from subflows.needs_human import needs_human

T = TypeVar("T")
_NONE = Reply()
_ERROR_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Paused:
    """A case that waits for answers before its step `at`, which is then begun again."""

    case: Case
    at: int
    asks: tuple[Ask[Any], ...]


TO_SECURITY = Subflow(name="to_security", steps=(CreateStory(story_type="bug"), EscalateSecurity()))
"""How a security report reaches people where its own flow has ended early."""


@dataclass(frozen=True)
class ByRoute:
    """Hands the case to its route's sub-flow, and to people where that flow ends by escalation."""

    flows: Mapping[str, Subflow] = field(default_factory=lambda: SUBFLOWS)

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        try:
            return await self.flows[case.route](case, ctx)
        except Escalated as escalated:
            # What the flow had found and wished for is left behind: people begin where it began.
            case = noted(case, f"the {case.route} flow left it to people", escalated)
        if case.route == "security":
            return await TO_SECURITY(case, ctx)
        if case.route == "needs_human":
            # It is the flow for people itself that has ended; the built-in one needs nothing from outside.
            return await needs_human(case, ctx)
        reason = f"the {case.route} flow could not be finished"
        before = case.decision or Decision(route="needs_human", confidence=0.0, accepted=False)
        decision = replace(
            before, route="needs_human", accepted=False, held=False, by="rule", rules=(*before.rules, reason)
        )
        return await self.flows["needs_human"](replace(case, decision=decision), ctx)


TRIAGE = Subflow(
    name="triage",
    steps=(
        Parallel(AnalyzeSentiment(), AnalyzeCode(), AssessImpact(), DetectInjection()),
        RouteIssue(),
        ByRoute(),
        UpdateIssue(),
    ),
)


class Answers:
    """The asking port of one case: gives what is known, and notes what has to be asked unless it is `final`."""

    def __init__(self, known: Mapping[Ask[Any], Reply], *, final: bool) -> None:
        self._known = known
        self._final = final
        self.open: list[Ask[Any]] = []
        self.why_not: list[str] = []

    async def __call__(self, ask: Ask[T], /) -> T | None:
        reply = self._known.get(ask, _NONE if self._final else None)
        if reply is None:
            self.open.append(ask)
            raise Waiting(ask)
        if reply.why_not and reply.why_not not in self.why_not:
            self.why_not.append(reply.why_not)
        answer: T | None = reply.answer
        return answer


async def triage(case: Case, ctx: Context, flow: Subflow = TRIAGE) -> Case:
    """Analyse, route, run the route's sub-flow, and wish for what the issue itself should show."""
    return await flow(case, ctx)


async def triage_all(
    cases: Sequence[Case | Paused],
    ctx: Context,
    policies: Mapping[str, Policy] | None = None,
    *,
    known: Mapping[Ask[Any], Reply] | None = None,
    flow: Subflow = TRIAGE,
    final: bool = False,
) -> list[Case | Failure | Paused]:
    """Triage a batch at once, so that the router can answer for many texts together; in the order given.

    `policies` has those of repositories that differ from the context's; `known` what was answered of what cases
    have asked. Without it, and for what is not known where this is the `final` round, a case that asks is told that
    nobody can be asked.
    """
    own = {repo: replace(ctx, policy=policy) for repo, policy in (policies or {}).items()}
    paused = [case if isinstance(case, Paused) else Paused(case, 0, ()) for case in cases]
    work = (_isolated(one, own.get(one.case.issue.repo, ctx), known, flow, final) for one in paused)
    return list(await asyncio.gather(*work))


async def _isolated(
    paused: Paused, ctx: Context, known: Mapping[Ask[Any], Reply] | None, flow: Subflow, final: bool
) -> Case | Failure | Paused:
    case, at = paused.case, paused.at
    answers = Answers(known, final=final) if known is not None else None
    if answers is not None:
        ctx = replace(ctx, ask=answers)
    try:
        for at in range(paused.at, len(flow.steps)):
            case = await run_step(flow.steps[at], case, ctx)
    except Waiting:
        return Paused(case, at, tuple(dict.fromkeys(answers.open)) if answers else ())
    except NodeFailed as failed:
        return Failure(case.issue.ref, failed.node, _bounded(told(case, failed)))
    except Exception as error:
        return Failure(case.issue.ref, "triage", _bounded(f"{type(error).__name__}: {error}"))
    return replace(case, notes=(*case.notes, *answers.why_not)) if answers and answers.why_not else case


def _bounded(text: str) -> str:
    line = " ".join(text[: 4 * _ERROR_LIMIT].split())
    return line if len(line) <= _ERROR_LIMIT else line[: _ERROR_LIMIT - 1] + "…"

"""Triage of one case from the analyses to its commands, and of a batch with every failure kept apart."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from models.case import Case
from nodes.analyze_code import AnalyzeCode
from nodes.analyze_sentiment import AnalyzeSentiment
from nodes.assess_impact import AssessImpact
from nodes.base import Context, Policy
from nodes.route_issue import RouteIssue
from nodes.update_issue import UpdateIssue
from subflows import SUBFLOWS
from subflows.base import NodeFailed, Parallel, run_step

ANALYSES = Parallel(AnalyzeSentiment(), AnalyzeCode(), AssessImpact())
ROUTE = RouteIssue()
UPDATE = UpdateIssue()
_ERROR_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that could not be triaged: which issue, in which node, and the error, bounded."""

    ref: str
    node: str
    error_text: str


async def triage(case: Case, ctx: Context) -> Case:
    """Analyse, route, run the route's sub-flow, and wish for what the issue itself should show."""
    case = await run_step(ANALYSES, case, ctx)
    case = await run_step(ROUTE, case, ctx)
    case = await SUBFLOWS[case.route](case, ctx)
    return await run_step(UPDATE, case, ctx)


async def triage_all(
    cases: Iterable[Case], ctx: Context, policies: Mapping[str, Policy] | None = None
) -> list[Case | Failure]:
    """Triage a batch at once, so that the router can answer for many texts together; in the order given.

    `policies` has those of repositories that differ from the context's.
    """
    own = {repo: replace(ctx, policy=policy) for repo, policy in (policies or {}).items()}
    return list(await asyncio.gather(*(_isolated(case, own.get(case.issue.repo, ctx)) for case in cases)))


async def _isolated(case: Case, ctx: Context) -> Case | Failure:
    try:
        return await triage(case, ctx)
    except NodeFailed as failed:
        return Failure(case.issue.ref, failed.node, _bounded(str(failed)))
    except Exception as error:
        return Failure(case.issue.ref, "triage", _bounded(f"{type(error).__name__}: {error}"))


def _bounded(text: str) -> str:
    line = " ".join(text[: 4 * _ERROR_LIMIT].split())
    return line if len(line) <= _ERROR_LIMIT else line[: _ERROR_LIMIT - 1] + "…"

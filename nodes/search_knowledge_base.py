"""Looks among the issues and stories seen before for ones that may be about the same thing."""

from dataclasses import dataclass, replace

from models.case import Case
from nodes.base import Context
from nodes.text.search.similar import AT_LEAST, SHOWN, ranked


@dataclass(frozen=True)
class SearchKnowledgeBase:
    """At most `shown` are kept, and none that is less alike than `at_least`; the story's section names them."""

    shown: int = SHOWN
    at_least: float = AT_LEAST

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        found = [one for one in ctx.similar.find(case) if one.ref != case.issue.ref]
        kept = [one for one in ranked(found) if one.score >= self.at_least][: self.shown]
        return replace(case, similar=(*case.similar, *kept)) if kept else case

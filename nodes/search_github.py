"""Asks GitHub's own search for similar issues, where those seen before give no strong answer."""

from dataclasses import dataclass, replace

from models.asks import SearchIssues
from models.case import Case
from nodes.base import Context
from nodes.text.search.similar import judged, words_to_ask


@dataclass(frozen=True)
class SearchGithub:
    """Searches the issue's own repository for an error's name and words, or what the title names; `shown` at most."""

    shown: int = 3

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        words = words_to_ask(case, ctx.similar.find(case))
        if not words:
            return case
        found = await ctx.ask(SearchIssues(case.issue.repo, words))
        kept = judged(found or (), case, "GitHub's search")[: self.shown]
        return replace(case, similar=(*case.similar, *kept)) if kept else case

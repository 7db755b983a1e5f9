"""Asks Shortcut's own search for similar stories, where those seen before give no strong answer."""

from dataclasses import dataclass, replace

from models.asks import SearchStories
from models.case import Case
from nodes.base import Context
from nodes.text.search.similar import judged, words_to_ask


@dataclass(frozen=True)
class SearchShortcut:
    """Searches the workspace for an error's name and words, or what the title names; `shown` at most."""

    shown: int = 3

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        asks = "shortcut" in ctx.policy.services
        words = words_to_ask(case, ctx.similar.find(case)) if asks else ()
        if not words:
            return case
        found = await ctx.ask(SearchStories(words))
        kept = judged(found or (), case, "Shortcut's search")[: self.shown]
        return replace(case, similar=(*case.similar, *kept)) if kept else case

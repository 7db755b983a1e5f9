"""Reading: answers what cases ask of the outside, each question once, within the services' budgets."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog

from bot.think.lookups import advisories, drafts, estimates, repository, search, services
from bot.think.sources import Sources
from models.asks import (
    LASTING,
    Ask,
    CallService,
    EstimateScale,
    FileAuthors,
    FindAdvisories,
    ListFiles,
    ReadDocs,
    ReadFile,
    Reply,
    SearchIssues,
    SearchStories,
    WriteDraft,
    in_words,
)
from models.errors import SwitchyardError

log = structlog.get_logger()

READERS: dict[type, Callable[[Sources, Any, str], Awaitable[Any]]] = {
    ListFiles: repository.list_files,
    ReadFile: repository.read_file,
    ReadDocs: repository.read_docs,
    FileAuthors: repository.file_authors,
    SearchIssues: search.search_issues,
    SearchStories: search.search_stories,
    EstimateScale: estimates.scale,
    FindAdvisories: advisories.find,
    WriteDraft: drafts.write,
    CallService: services.call,
}
"""Who answers which question: given the sources, the ask and the run. None, or one of models.errors: nobody."""

KEPT = 600.0
"""Seconds for which an answer about a repository is believed; one that failed, for a tenth."""
AT_ONCE = 8
"""Questions of one kind under way at a time."""
PATIENCE = 120.0
"""Seconds after which any question is given up, whatever its reader does."""


NO_DRAFT = Reply(why_not="a dry run asks no language model: that would cost money")


class Reading:
    """Answers asks; equal ones that come together are asked once."""

    def __init__(
        self,
        sources: Sources,
        *,
        kept: float = KEPT,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sources = sources
        self._believed, self._patience, self._clock = kept, patience, clock
        self._kept: dict[Ask[Any], tuple[float, Reply]] = {}
        self._under_way: dict[Ask[Any], asyncio.Future[Reply]] = {}
        # Slow drafts must not keep others from a quick look at a file.
        self._free = {kind: asyncio.Semaphore(AT_ONCE) for kind in READERS}

    async def answer(
        self, asks: Sequence[Ask[Any]], run: str = "", *, dry: bool = False
    ) -> Mapping[Ask[Any], Reply]:
        """A reply to each; those that belong to a run count against its ceilings, and a `dry` one costs nothing
        and is kept nowhere."""
        free = [ask for ask in asks if not (dry and isinstance(ask, WriteDraft))]
        replies = await asyncio.gather(*(self._one(ask, "" if dry else run) for ask in free))
        return dict.fromkeys(asks, NO_DRAFT) | dict(zip(free, replies, strict=True))

    async def _one(self, ask: Ask[Any], run: str) -> Reply:
        kept = self._kept.get(ask)
        if kept is not None and kept[0] > self._clock():
            return kept[1]
        if ask not in self._under_way:
            task = asyncio.ensure_future(self._ask(ask, run))
            self._under_way[ask] = task
            task.add_done_callback(lambda _: self._under_way.pop(ask, None))
        # Who waits may be cancelled; the others who wait for the same are not.
        reply = await asyncio.shield(self._under_way[ask])
        if isinstance(ask, LASTING):
            believed = self._believed if reply.answer is not None else self._believed / 10
            now = self._clock()
            self._kept = {known: one for known, one in self._kept.items() if one[0] > now}
            self._kept[ask] = (now + believed, reply)
        return reply

    async def close(self) -> None:
        """End what nobody waits for any more; what it would note of itself needs the database still."""
        left = list(self._under_way.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _ask(self, ask: Ask[Any], run: str) -> Reply:
        try:
            async with self._free[type(ask)], asyncio.timeout(self._patience):
                return Reply(await READERS[type(ask)](self._sources, ask, run))
        except TimeoutError:
            return Reply(why_not=f"{in_words(ask)}: no answer in {self._patience:.0f} s")
        except SwitchyardError as error:
            return Reply(why_not=str(error)[:300])
        except Exception as error:  # a reader's fault costs the answer, not the case
            log.error("reading failed", ask=in_words(ask), error=f"{type(error).__name__}: {error}"[:300])
            return Reply(why_not=f"{in_words(ask)}: {type(error).__name__}")

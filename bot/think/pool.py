"""Thinking: batches go to a pool of child processes, so that CPU work never blocks the event loop."""

import asyncio
import contextlib
import ctypes
import gc
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot.think.similar.port import SimilarDocuments
from models.asks import LASTING, Ask, Reply
from models.case import Case, Failure, Prediction
from models.issue import Issue
from nodes.base import Context, Policy
from subflows.base import Subflow
from subflows.triage import TRIAGE, Paused, triage_all

if TYPE_CHECKING:
    from models.router.inference.predict import Model

Result = Case | Failure
Answering = Callable[[Sequence[Ask[Any]]], Awaitable[Mapping[Ask[Any], Reply]]]
"""Asks the outside what cases want to know, in the parent, where the clients are; an answer for each."""
ROUNDS = 24
"""Times that a case may ask; what it asks then is not answered."""
REMEMBERED = 600.0
"""Seconds for which a child believes what it was told of a repository."""
M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -8, -3, -1
"""mallopt's options, from malloc.h."""
IDLE_SECONDS = 30.0
"""An idle pool is closed: its children hold about 190 MB each."""


@dataclass(frozen=True, slots=True)
class ThinkSettings:
    """What a child needs to know; picklable."""

    model: str
    policy: Policy
    database_url: str | None
    flow: Subflow = TRIAGE


@dataclass(frozen=True, slots=True)
class Known:
    """What was answered so far; nothing more will be where this is `final`."""

    replies: Mapping[Ask[Any], Reply]
    final: bool = False


def limit_arenas() -> None:
    """Tell glibc to use one arena and to give large blocks back: by default memory grows with the run."""
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        for option, value in ((M_ARENA_MAX, 1), (M_MMAP_THRESHOLD, 65_536), (M_TRIM_THRESHOLD, 131_072)):
            libc.mallopt(option, value)


class _BatchedRouter:
    """The router port: joins what the cases of one batch ask into one matrix product."""

    def __init__(self, model: "Model") -> None:
        self._model = model
        self._waiting: list[tuple[Issue, asyncio.Future[Prediction]]] = []

    async def predict(self, case: Case) -> Prediction:
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._flush)
        future: asyncio.Future[Prediction] = loop.create_future()
        self._waiting.append((case.issue, future))
        return await future

    def _flush(self) -> None:
        from models.router.inference.predict import Text

        waiting, self._waiting = self._waiting, []
        try:
            texts = [Text(i.repo, i.title, i.body) for i, _ in waiting]
            predictions = self._model.predict(texts, explain=True)
        except Exception as error:  # each case reports it as its own failure
            for _, future in waiting:
                future.set_exception(error)
            return
        for (_, future), prediction in zip(waiting, predictions, strict=True):
            future.set_result(prediction)


def chosen(model: str) -> str | None:
    """`builtin` is what the store starts from: a promoted version takes its place until a rollback."""
    return None if model == "builtin" else model


def load_model(name: str) -> "Model":
    """The configured model; UserFacing where it is missing or damaged."""
    from models.router.inference.store import Store

    return Store().load(chosen(name))


class Mind:
    """All that thinking needs, loaded once per process."""

    def __init__(self, settings: ThinkSettings) -> None:
        self._policy = settings.policy
        self._flow = settings.flow
        self._model = load_model(settings.model)
        self._lasting: dict[Ask[Any], tuple[float, Reply]] = {}
        self._similar = SimilarDocuments(settings.database_url)

    def close(self) -> None:
        self._similar.close()

    def think(
        self,
        cases: Sequence[Case | Paused],
        policies: Mapping[str, Policy] | None = None,
        known: Known | None = None,
    ) -> list[Result | Paused]:
        async def together() -> list[Result | Paused]:
            context = Context(
                now=datetime.now(UTC),
                router=_BatchedRouter(self._model),
                similar=self._similar,
                policy=self._policy,
            )
            told = None if known is None else self._recall(known.replies)
            final = known is not None and known.final
            return await triage_all(cases, context, policies, known=told, flow=self._flow, final=final)

        self._similar.begin([(one.case if isinstance(one, Paused) else one).issue for one in cases])
        results = asyncio.run(together())
        return [self._similar.finish(result) if isinstance(result, Case) else result for result in results]

    def _recall(self, known: Mapping[Ask[Any], Reply]) -> Mapping[Ask[Any], Reply]:
        """What was told now, and what was told of repositories a while ago."""
        now = time.monotonic()
        self._lasting = {ask: kept for ask, kept in self._lasting.items() if kept[0] > now}
        for ask, reply in known.items():
            if isinstance(ask, LASTING) and reply.answer is not None:
                self._lasting[ask] = (now + REMEMBERED, reply)
        return {**{ask: reply for ask, (_, reply) in self._lasting.items()}, **known}


_mind: Mind | None = None


def _start_child(settings: ThinkSettings, parent: int) -> None:
    """Load what thinking needs, and leave when the parent is gone, however it went."""
    global _mind
    limit_arenas()
    # Thinking can wait a little; those who knock and those who look at a page should not.
    with contextlib.suppress(OSError, AttributeError):
        os.nice(5)
    # Ctrl-C reaches the whole group; the parent decides when its children end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    _mind = Mind(settings)
    # What was loaded stays: the collector need not walk through it with every batch.
    gc.freeze()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _think(
    cases: Sequence[Case | Paused], policies: Mapping[str, Policy], known: Known | None
) -> list[Result | Paused]:
    assert _mind is not None
    return _mind.think(cases, policies, known)


class Thinker:
    """The pool of thinking children; made when first needed, closed when idle."""

    def __init__(self, settings: ThinkSettings, processes: int) -> None:
        self._settings = settings
        self._processes = processes
        self._pool: Executor | None = None
        self._alone = asyncio.Lock()
        self._busy = 0
        self._idle_timer: asyncio.TimerHandle | None = None

    async def think(
        self,
        cases: Sequence[Case],
        policies: Mapping[str, Policy] | None = None,
        answer: Answering | None = None,
    ) -> list[Result]:
        """The thought-out cases, in the order given. A child's death fails only what killed it: the cases of its
        batch are tried again alone, then halved until the culprit is found.

        `policies` has those of repositories that have one of their own. A case that asks something of the outside
        is put aside until `answer` has it, and goes on in a child then; without it nobody can be asked."""
        if not cases:
            return []
        known: dict[Ask[Any], Reply] = {}
        done: dict[str, Result] = {}
        todo: Sequence[Case | Paused] = cases
        for turn in range(ROUNDS + 1):
            told = None if answer is None else Known(known, final=turn == ROUNDS)
            results = await self._round(todo, policies or {}, told)
            done |= {_ref(result): result for result in results if not isinstance(result, Paused)}
            todo = paused = [result for result in results if isinstance(result, Paused)]
            if not paused or answer is None:
                break
            if turn < ROUNDS:
                known |= await answer(tuple(dict.fromkeys(ask for one in paused for ask in one.asks)))
        return [done[case.issue.ref] for case in cases]

    async def _round(
        self,
        cases: Sequence[Case | Paused],
        policies: Mapping[str, Policy],
        known: Known | None,
    ) -> list[Result | Paused]:
        self._busy += 1
        try:
            try:
                return await self._submit(self._executor(), cases, policies, known)
            except BrokenProcessPool:
                async with self._alone:
                    return await self._narrow(cases, policies, known)
        finally:
            self._busy -= 1
            self._rest()

    async def _submit(
        self,
        pool: Executor,
        cases: Sequence[Case | Paused],
        policies: Mapping[str, Policy],
        known: Known | None,
    ) -> list[Result | Paused]:
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(pool, _think, list(cases), dict(policies), known)
        except BrokenProcessPool:
            if pool is self._pool:
                self._pool = None
            pool.shutdown(wait=False)
            raise

    async def _narrow(
        self,
        cases: Sequence[Case | Paused],
        policies: Mapping[str, Policy],
        known: Known | None,
    ) -> list[Result | Paused]:
        pool = self._make(1)
        try:
            return await self._submit(pool, cases, policies, known)
        except BrokenProcessPool:
            if len(cases) == 1:
                return [Failure(_ref(cases[0]), "process", "the thinking process died on this issue")]
            middle = len(cases) // 2
            halves = cases[:middle], cases[middle:]
            return [result for half in halves for result in await self._narrow(half, policies, known)]
        finally:
            pool.shutdown(wait=False)

    def _executor(self) -> Executor:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        if self._pool is None:
            self._pool = self._make(self._processes)
        return self._pool

    def _make(self, processes: int) -> Executor:
        if self._processes == 0:
            return ThreadPoolExecutor(1, "think", _start_in_thread, (self._settings,))
        return ProcessPoolExecutor(
            processes, multiprocessing.get_context("spawn"), _start_child, (self._settings, os.getpid())
        )

    def _rest(self) -> None:
        if self._busy == 0 and self._pool is not None:
            self._idle_timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self.close)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
            # A child's connections end with it; a thread's would stay.
            if self._processes == 0 and _mind is not None:
                _mind.close()


def _ref(result: Case | Failure | Paused) -> str:
    if isinstance(result, Failure):
        return result.ref
    return result.case.issue.ref if isinstance(result, Paused) else result.issue.ref


def _start_in_thread(settings: ThinkSettings) -> None:
    global _mind
    _mind = Mind(settings)

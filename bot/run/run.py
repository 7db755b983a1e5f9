"""One triage run: fetch page by page, think in batches, deliver, tell, report; resumable at any point."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog

from bot.app.app import App
from bot.deliver.reconcile import PATIENCE, begin_look
from bot.notify.alerts import check_alerts
from bot.run import aggregate
from bot.run.batches import work_batches
from bot.run.fetch import Stopped, fetch_all, save_cursors, stop_where_asked
from bot.store import lane_states, outbox, runs
from bot.store.database import AWAY, StoreError, brief
from models.report import RunReport
from models.run import Fetching, Params

log = structlog.get_logger()

PROBE_WAIT = 10.0
"""Seconds that a run waits for an open breaker's probe, and only for one."""
AWAY_PAUSE = 1.0
AWAY_PATIENCE = 60.0
"""Seconds of such failures after which a run gives up; nothing is lost, a later one goes on."""


@dataclass(slots=True)
class Progress:
    """How far a run is, for the progress bar."""

    fetched: int = 0
    """Issues; pull requests are left out."""
    triaged: int = 0
    expected: int | None = None
    """Issues that there will be, as far as GitHub has told."""
    delivered: int = 0
    waiting: int = 0
    """Commands of this run that are to be delivered."""
    phase: str = "fetching"

    def see(self, state: Fetching) -> None:
        self.fetched = state.fetched - state.pulls
        self.expected = state.expected_issues


Watch = Callable[[Progress], None]


async def drive(
    app: App, run_id: str, watch: Watch = lambda progress: None, *, wait: float | None = None
) -> RunReport:
    """Bring a run to its end from wherever it stands. This process must be its owner and be `working`.

    `wait` overrides how long, in seconds, the run was told to wait for deliveries. A database that is away
    for a moment is waited for.
    """
    failing_since: float | None = None
    while True:
        began = time.monotonic()
        try:
            return await _drive(app, run_id, watch, wait)
        except AWAY as error:
            now = time.monotonic()
            if failing_since is None or now - began > AWAY_PATIENCE:
                failing_since = now
            if now - failing_since > AWAY_PATIENCE:
                raise
            log.error("the database is away, waiting", run=run_id, error=brief(error))
            await asyncio.sleep(AWAY_PAUSE)


async def _drive(app: App, run_id: str, watch: Watch, wait: float | None) -> RunReport:
    row = await app.database.query(lambda c: runs.get(c, run_id))
    assert row is not None
    params = Params.from_json(row.params)
    if wait is not None:
        params = replace(params, wait=wait)
    state = Fetching(**row.progress)
    before = app.requests()
    progress = Progress(fetched=state.fetched - state.pulls)
    pump = asyncio.create_task(_report_progress(app, run_id, progress, watch, row.requests, before))
    workers = asyncio.create_task(work_batches(app))
    look, look_until = None if state.reconciled else begin_look(app.stories, run_id), time.time() + PATIENCE
    try:
        await fetch_all(app, run_id, params, state, progress.see)
        progress.phase = "triaging"
        await _until_batches_done(app, run_id, workers)
        if look is not None:
            await asyncio.wait({look}, timeout=max(0.0, look_until - time.time()))
            await _store_problems(app, run_id, state, look.result() if look.done() else ())
        now = time.time()
        if row.cases_done_at is None:
            await app.database.run(lambda c: runs.update(c, run_id, cases_done_at=now))
        deadline = time.time() + params.wait
        progress.phase = "delivering"
        await settle(app, run_id, deadline)
        await save_cursors(app, state)
        shortcut = app.shortcut
        late = look.result() if look is not None and look.done() else ()
        await _store_problems(app, run_id, state, [*late, *(shortcut.notices if shortcut else ())])
        await _store_requests(app, run_id, _sum(row.requests, before, app.requests()))
        await aggregate.announce(app, run_id)
        await check_alerts(app)
        last = max(deadline, time.time() + min(5.0, params.wait))
        await settle(app, run_id, last, lanes=("slack", "webhook", "email"))
        await _store_requests(app, run_id, _sum(row.requests, before, app.requests()))
        return await aggregate.finish(app, run_id)
    except Stopped:
        await app.database.run(lambda c: runs.update(c, run_id, owner=None))
        return await aggregate.current(app, run_id)
    finally:
        tasks = [task for task in (pump, workers, look) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _sum(stored: Mapping[str, int], before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    """Requests of this run: those of an interrupted life and those of this one."""
    return {name: stored.get(name, 0) + count - before.get(name, 0) for name, count in now.items()}


async def _report_progress(
    app: App,
    run_id: str,
    progress: Progress,
    watch: Watch,
    stored: Mapping[str, int],
    before: Mapping[str, int],
) -> None:
    """Twice a second: tell how far the run is, and store what it sent, for a kill may come at any time."""
    while True:
        with suppress(StoreError):
            await _store_requests(app, run_id, _sum(stored, before, app.requests()))
            totals = await app.database.query(lambda c: runs.totals(c, run_id))
            progress.triaged = totals.get("triaged", 0) + totals.get("unchanged", 0) + totals.get("failed", 0)
            if progress.phase == "delivering":
                progress.delivered, progress.waiting = await app.database.query(
                    lambda c: runs.deliveries(c, run_id)
                )
            watch(progress)
        # Counting costs more the more there is to count.
        await asyncio.sleep(0.5 + progress.delivered / 50_000)


async def _store_problems(app: App, run_id: str, state: Fetching, problems: Sequence[str]) -> None:
    """Keep what a person should know, each sentence once; and that the stories were looked at."""
    state.reconciled = True
    state.problems += [problem for problem in problems if problem not in state.problems]
    await app.database.run(
        lambda c: runs.update(c, run_id, progress=state.to_json(), problems=state.problems)
    )


async def _store_requests(app: App, run_id: str, requests: Mapping[str, int]) -> None:
    await app.database.run(lambda c: runs.update(c, run_id, requests=dict(requests)))


async def _until_batches_done(app: App, run_id: str, workers: "asyncio.Task[None]") -> None:
    while await app.database.query(lambda c: runs.open_batches(c, run_id)):
        if workers.done():
            workers.result()
        await stop_where_asked(app, run_id)
        await asyncio.sleep(0.05)


async def settle(app: App, run_id: str | None, deadline: float, lanes: tuple[str, ...] | None = None) -> None:
    """Wait while anything of this run can be delivered before the deadline."""
    app.wake_lanes()
    probes: dict[str, float] = {}
    while True:
        states = await app.database.query(lambda c: lane_states.waiting(c, run_id))
        if lanes is not None:
            states = [s for s in states if s.name.split(":")[0] in lanes]
        now = time.time()
        if now >= deadline or not any(_deliverable(app, s, now, deadline, probes) for s in states):
            return
        # Counting what waits costs more the more it is, and then there is no hurry either.
        await asyncio.sleep(min(0.5, 0.05 + sum(s.pending for s in states) / 20_000))


def _deliverable(
    app: App, state: lane_states.LaneState, now: float, deadline: float, probes: dict[str, float]
) -> bool:
    """Will this lane deliver something before the deadline? `probes` holds the one probe that is waited for."""
    if state.name not in app.lanes:
        return False
    if app.lanes[state.name].active:
        return True
    if state.next_at >= outbox.WAITING:
        # It waits for another lane's answer; that lane decides.
        return False
    if state.blocked_kind == "credential" and state.ready_at > now:
        return False
    if state.blocked_kind == "breaker" and state.ready_at > now:
        first = probes.setdefault(state.name, state.ready_at)
        return state.ready_at <= min(deadline, now + PROBE_WAIT) and state.ready_at - first < 0.5
    return state.ready_at <= deadline

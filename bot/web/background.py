"""What runs beside the pages: batches, runs that somebody must drive, and their beginning."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from bot.app.app import App
from bot.monitor.health import Pulse
from bot.review.slack_commands import work_people
from bot.run import aggregate
from bot.run import run as engine
from bot.run.batches import IDLE_PAUSE, work_batches
from bot.store import owners, runs
from bot.store.database import StoreConflict, brief
from bot.store.repositories import NONE, served
from bot.trigger.inbox import work_inbox
from bot.trigger.repo_config import keep
from bot.trigger.schedule import missed as missed_fire
from bot.trigger.schedule import run_id_of, trigger_of
from models.errors import SwitchyardError, UserFacing
from models.run import Params

log = structlog.get_logger()

LOOK = 2.0
"""Seconds between two looks for runs that nobody drives."""
RESTART_PAUSE = 2.0


@dataclass(slots=True)
class Background:
    """One process's part in the work that the database holds."""

    app: App
    pulse: Pulse
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While inside, batches and runs are worked on; a run that is cut off is taken up again later."""
        works = {
            "batches": lambda: work_batches(self.app, IDLE_PAUSE),
            "runs": self._drive_runs,
            "inbox": lambda: work_inbox(self.app),
            "people": lambda: work_people(self.app),
            "configurations": lambda: keep(self.app),
        }
        tasks = [asyncio.create_task(self._keep(name, work)) for name, work in works.items()]
        self.pulse.workers.update(dict.fromkeys(works, True))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.pulse.workers.update(dict.fromkeys(works, False))

    async def begin(self, run_id: str, trigger: str) -> bool:
        """Store a run over all repositories that are served; the loop drives it. False where it exists already."""
        names = tuple(await self.app.database.query(lambda c: served(c, self.app.settings)))
        if not names:
            raise UserFacing(NONE)
        params = Params(repositories=names).to_json()
        try:
            made = await self.app.database.run(lambda c: runs.create(c, run_id, trigger, params, None))
        except StoreConflict:
            # Another scheduler was faster by a moment.
            made = False
        if made:
            self._wake.set()
        return made

    async def begin_nightly(self, scheduled: datetime) -> None:
        """Start the run of a scheduled time; whoever comes second finds it there."""
        try:
            await self.begin(run_id_of(scheduled), "nightly")
        except UserFacing as error:
            log.warning("nightly run not started", reason=str(error))

    async def begin_asked(self) -> str:
        """Start a run that somebody asked for; UserFacing where one is at work already."""
        at_work = await self.app.database.query(runs.running)
        if at_work is not None:
            raise UserFacing(f"run {at_work} is at work already; wait for its end")
        run_id = runs.new_id("api")
        await self.begin(run_id, "api")
        return run_id

    async def catch_up(self) -> None:
        """Make up for the run that was missed while no scheduler lived."""
        trigger = trigger_of(self.app.settings.schedule)
        if trigger is None:
            return
        fire = await self.app.database.query(lambda c: missed_fire(c, trigger, datetime.now(UTC)))
        if fire is not None:
            log.warning("nightly run was missed, starting it now", scheduled=fire.isoformat())
            await self.begin_nightly(fire)

    async def _keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Start a task again when it fails: the database may be locked or gone for a while."""
        while True:
            try:
                await work()
            except Exception as error:
                log.error("background task failed, starting again", task=name, error=brief(error))
                self.app.tasks.failed(name, brief(error))
            await asyncio.sleep(RESTART_PAUSE)

    async def _drive_runs(self) -> None:
        """Take runs that nobody drives, one at a time, and bring each to its end."""
        while True:
            self._wake.clear()
            run_id = await self._take()
            self.app.tasks.worked("runs")
            if run_id is not None:
                await self._drive(run_id)
                continue
            try:
                async with asyncio.timeout(LOOK):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _take(self) -> str | None:
        # Reading first keeps an idle process from taking the write lock again and again.
        if await self.app.database.query(runs.running) is None:
            return None
        row = await self.app.database.run(lambda c: runs.adopt(c, self.app.me, owners.alive(c)))
        return row.id if row is not None else None

    async def _drive(self, run_id: str) -> None:
        try:
            log.info("run begins", run=run_id)
            report = await engine.drive(self.app, run_id)
            log.info("run ended", run=run_id, status=report.status)
        except SwitchyardError as error:
            await self._fail(run_id, str(error))
        except Exception as error:
            log.error("run failed", run=run_id, error=brief(error))
            await self._fail(run_id, f"internal error: {type(error).__name__}; see the log")

    async def _fail(self, run_id: str, reason: str) -> None:
        """Close the run, unless a person did: a run that was cancelled or paused meanwhile stays so."""
        if await self.app.database.query(lambda c: runs.status(c, run_id)) == "running":
            log.warning("run failed", run=run_id, reason=reason)
            await aggregate.finish(self.app, run_id, "failed", reason)

"""When things happen by themselves: the nightly run, a missed one after a restart, trainings, probes."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, Protocol, cast
from zoneinfo import ZoneInfo

import structlog

from bot.store import owners, runs
from bot.store.database import Transaction
from config.schedule import MAIL_AT, RECONCILE
from config.settings import ScheduleSettings, Settings
from models.errors import UserFacing

log = structlog.get_logger()

CATCH_UP = timedelta(hours=24)
"""A run that was missed longer ago than this is not made up for; the next one comes soon enough."""
BOOT = timedelta(seconds=1)
"""After this much of a start missed deliveries are looked for: what is caught up by itself comes first."""
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_PART = re.compile(r"^(?:\*|([0-7])(?:-([0-7]))?)(?:/([1-9]))?$")


class Trigger(Protocol):
    """What is used of APScheduler's triggers, which have no types of their own."""

    def get_next_fire_time(self, previous: datetime | None, now: datetime, /) -> datetime | None: ...


class Scheduler(Protocol):
    """What is used of APScheduler's schedulers."""

    @property
    def running(self) -> bool: ...

    def start(self) -> None: ...

    def shutdown(self, wait: bool = True) -> None: ...

    def get_job(self, job_id: str) -> Any: ...


def trigger_of(schedule: ScheduleSettings) -> Trigger | None:
    """The nightly trigger; None where it is off, UserFacing where the expression is none."""
    return cron(schedule.nightly, schedule.timezone, "nightly")


def cron(expression: str | None, timezone: str, key: str) -> Trigger | None:
    """The trigger of a cron expression, as `key` of the schedule has it."""
    if expression is None:
        return None
    from apscheduler.triggers.cron import CronTrigger

    minute, hour, day, month, weekday = expression.split()
    try:
        named = " ".join((minute, hour, day, month, _weekdays(weekday)))
        # Without a zone of its own the trigger would take the machine's, whatever the configuration says.
        make = cast(Any, CronTrigger).from_crontab
        return cast(Trigger, make(named, timezone=ZoneInfo(timezone)))
    except ValueError as error:
        raise UserFacing(f"workflow.schedule.{key}: {expression!r}: {error}") from None


def _weekdays(field: str) -> str:
    """Days by name: APScheduler counts them from Monday, cron from Sunday."""
    if field == "*":
        return field
    days: list[str] = []
    for part in field.split(","):
        match = _DAY_PART.match(part)
        if match is None:
            days.append(part)
            continue
        first = int(match[1]) if match[1] else 0
        last = int(match[2]) if match[2] else 6 if match[1] is None else first
        if last < first:
            raise ValueError(f"the range {part} of weekdays runs backwards")
        days += _DAYS[first : last + 1 : int(match[3] or 1)]
    return ",".join(dict.fromkeys(days))


def run_id_of(scheduled: datetime) -> str:
    """The nightly run's name: every scheduler makes the same of the same time, so it starts once."""
    return f"nightly-{scheduled.astimezone(UTC):%Y%m%dT%H%MZ}"


def last_fire(trigger: Trigger, now: datetime) -> datetime | None:
    """The latest scheduled time that is not after `now`, looking back a little more than a day."""
    latest: datetime | None = None
    fire = trigger.get_next_fire_time(None, now - CATCH_UP - timedelta(hours=1))
    while fire is not None and fire <= now:
        if not _repeated(fire):
            latest = fire
        fire = trigger.get_next_fire_time(fire, fire)
    return latest


def _repeated(fire: datetime) -> bool:
    """Is this the second 02:30 of the night in which clocks go back?"""
    return fire.fold == 1


def missed(connection: Transaction, trigger: Trigger, now: datetime) -> datetime | None:
    """The scheduled time to make up for after a restart; None where nothing was missed.

    A database that was not in use at that time, a fresh installation's, has missed nothing.
    """
    fire = last_fire(trigger, now)
    if fire is None or now - fire > CATCH_UP:
        return None
    if runs.status(connection, run_id_of(fire)) is not None:
        return None
    at = fire.timestamp()
    # A process that was killed leaves its row behind, and with it the time at which it lived.
    in_use = runs.any_before(connection, at) or owners.any_before(connection, at)
    return fire if in_use else None


def create_scheduler(
    settings: Settings,
    start_run: Callable[[datetime], Awaitable[None]],
    probe: Callable[[], Awaitable[None]],
    learn: Callable[[], Awaitable[None]],
    watch: Callable[[], Awaitable[None]],
    look: Callable[[], Awaitable[None]],
    *,
    sweep: Callable[[], Awaitable[None]] | None = None,
    refresh: Callable[[], Awaitable[None]] | None = None,
    post: Callable[[], Awaitable[None]] | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Scheduler:
    """A scheduler in memory, not started yet. `start_run` gets the scheduled time, whenever it is called;
    `probe` asks how the services are, `learn` trains the router, `watch` looks for drift once a day, `look`
    every few minutes for what became of the stories, `sweep` for deliveries that were missed, and `refresh`
    once an hour for where the GitHub App is installed; `post` sends the mails of a day or a week that is over."""
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    trigger = trigger_of(settings.schedule)
    scheduler = cast(Any, AsyncIOScheduler)(timezone=UTC)
    probe, learn, watch, look = map(_stoppable, (probe, learn, watch, look))
    sweep, refresh, post = (job and _stoppable(job) for job in (sweep, refresh, post))
    if trigger is not None:

        async def nightly() -> None:
            scheduled = last_fire(trigger, clock())
            if scheduled is not None:
                await start_run(scheduled)

        # A laptop that slept through the night still does its run when it wakes, and only one.
        grace = int(CATCH_UP.total_seconds())
        scheduler.add_job(_stoppable(nightly), trigger, id="nightly", misfire_grace_time=grace, coalesce=True)
    scheduler.add_job(
        probe,
        "interval",
        seconds=settings.monitoring.health_check_interval,
        id="probe",
        next_run_time=clock(),
        misfire_grace_time=None,
        coalesce=True,
        max_instances=1,
    )
    retrain = cron(settings.schedule.retrain, settings.schedule.timezone, "retrain")
    if retrain is not None:
        scheduler.add_job(
            learn, retrain, id="retrain", misfire_grace_time=3600, coalesce=True, max_instances=1
        )
    scheduler.add_job(
        watch,
        "interval",
        hours=24,
        id="watch",
        next_run_time=clock(),
        misfire_grace_time=None,
        coalesce=True,
    )
    scheduler.add_job(
        look,
        "interval",
        seconds=RECONCILE.total_seconds(),
        id="reconcile",
        misfire_grace_time=None,
        coalesce=True,
        max_instances=1,
    )
    options = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
    if sweep is not None and settings.schedule.sweep:
        first = clock() + BOOT
        seconds = settings.schedule.sweep
        scheduler.add_job(sweep, "interval", seconds=seconds, id="sweep", next_run_time=first, **options)
    if refresh is not None:
        scheduler.add_job(refresh, "interval", hours=1, id="installations", **options)
    if post is not None:
        # At a start too: what fell due while nothing ran goes out now, and each mail once.
        daily = cron(f"{MAIL_AT.minute} {MAIL_AT.hour} * * *", settings.schedule.timezone, "timezone")
        scheduler.add_job(post, daily, id="mail", next_run_time=clock(), **options)
    return cast(Scheduler, scheduler)


def _stoppable(job: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """The same, ending quietly when it is cut off: APScheduler would log a fault with a traceback at each stop."""

    @wraps(job)
    async def run() -> None:
        with suppress(asyncio.CancelledError):
            await job()

    return run


def next_fire(scheduler: Scheduler | None) -> datetime | None:
    """When the nightly run comes next; None where it is off."""
    job = scheduler.get_job("nightly") if scheduler is not None else None
    return getattr(job, "next_run_time", None)

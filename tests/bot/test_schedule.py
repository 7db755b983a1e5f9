"""Cron as people write it, the scheduled time as the run's name, missed runs, and real firing."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from bot.schedule import Trigger, create_scheduler, last_fire, missed, next_fire, run_id_of, trigger_of
from bot.store import runs
from bot.store.database import Database
from config.settings import ScheduleSettings, Settings
from models.errors import UserFacing
from models.tables import OwnerRow, RunRow

NOW = datetime(2026, 11, 20, 13, 0, 30, tzinfo=UTC)


def trigger(cron: str, zone: str = "UTC") -> Trigger:
    made = trigger_of(ScheduleSettings(nightly=cron, timezone=zone))
    assert made is not None
    return made


def fires(cron: str, count: int, start: datetime = NOW) -> list[str]:
    made, found, at = trigger(cron), [], start
    for _ in range(count):
        fire = made.get_next_fire_time(None, at)
        assert fire is not None
        found.append(f"{fire:%a %H:%M}")
        at = fire + timedelta(seconds=1)
    return found


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("0 2 * * *", ["Sat 02:00", "Sun 02:00", "Mon 02:00"]),
        ("0 2 * * 1-5", ["Mon 02:00", "Tue 02:00", "Wed 02:00"]),
        ("0 2 * * 0", ["Sun 02:00", "Sun 02:00"]),
        ("0 2 * * 7", ["Sun 02:00"]),
        ("0 2 * * 5-7", ["Sat 02:00", "Sun 02:00", "Fri 02:00"]),
        ("0 2 * * mon,6", ["Sat 02:00", "Mon 02:00"]),
        ("*/30 * * * *", ["Fri 13:30", "Fri 14:00"]),
    ],
)
def test_days_are_counted_as_cron_counts_them(cron: str, expected: list[str]) -> None:
    assert fires(cron, len(expected)) == expected


@pytest.mark.parametrize("cron", ["99 2 * * *", "a b c d e", "0 2 * * 9", "0 2 * * 5-1", "0 25 * * *"])
def test_a_wrong_value_is_one_clear_line(cron: str) -> None:
    with pytest.raises(UserFacing, match=r"^workflow\.schedule\.nightly: '.+': [^\n]+$"):
        trigger_of(ScheduleSettings(nightly=cron))


def test_off() -> None:
    assert trigger_of(ScheduleSettings(nightly=None)) is None


def test_the_run_is_named_after_the_scheduled_time_in_utc() -> None:
    fire = last_fire(trigger("30 2 * * *", "Europe/Berlin"), NOW)
    assert fire is not None
    assert run_id_of(fire) == "nightly-20261120T0130Z"
    assert last_fire(trigger("0 2 1 1 *"), NOW) is None
    assert last_fire(trigger("* * * * *"), NOW) == NOW.replace(second=0)


def test_the_repeated_hour_fires_once() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    made = trigger("30 2 * * *", "Europe/Berlin")
    first = last_fire(made, datetime(2026, 10, 25, 2, 45, tzinfo=berlin))
    again = last_fire(made, datetime(2026, 10, 25, 2, 45, tzinfo=berlin, fold=1))
    assert first is not None
    assert again is not None
    assert run_id_of(first) == run_id_of(again) == "nightly-20261025T0030Z"


def _ran(database: Database, run_id: str, at: datetime) -> None:
    with database.write() as connection:
        runs.create(connection, run_id, "nightly", {}, None)
        table: sa.Table = RunRow.__table__  # type: ignore[attr-defined]
        connection.execute(sa.update(table).where(table.c.id == run_id).values(started_at=at.timestamp()))


def _missed(database: Database, cron: str = "0 2 * * *", now: datetime = NOW) -> datetime | None:
    with database.read() as connection:
        return missed(connection, trigger(cron), now)


def test_a_fresh_database_missed_nothing(database: Database) -> None:
    assert _missed(database) is None


def test_a_missed_run_is_made_up_for_once(database: Database) -> None:
    _ran(database, "nightly-20261119T0200Z", NOW - timedelta(hours=35))
    fire = _missed(database)
    assert fire == datetime(2026, 11, 20, 2, tzinfo=UTC)
    _ran(database, run_id_of(fire), NOW)
    assert _missed(database) is None


def test_a_run_missed_long_ago_is_let_go(database: Database) -> None:
    _ran(database, "run-1", NOW - timedelta(days=30))
    assert _missed(database, "0 2 * * 1") is None


def test_a_killed_process_was_in_use(database: Database) -> None:
    with database.write() as connection:
        owner: sa.Table = OwnerRow.__table__  # type: ignore[attr-defined]
        then = (NOW - timedelta(hours=20)).timestamp()
        row = {"executor_id": "x", "host": "h", "pid": 1, "process_started": then, "heartbeat_at": then}
        connection.execute(sa.insert(owner).values(row))
    assert _missed(database) is not None


async def idle() -> None:
    return None


async def test_it_fires_with_the_scheduled_time_and_probes_at_once() -> None:
    settings = Settings.model_validate(
        {"schedule": {"nightly": "* * * * *"}, "monitoring": {"health_check_interval": "50ms"}}
    )
    started: asyncio.Queue[datetime] = asyncio.Queue()
    probes = 0

    async def probe() -> None:
        nonlocal probes
        probes += 1

    scheduler = create_scheduler(settings, started.put, probe, idle, idle, idle)
    scheduler.start()
    try:
        due = next_fire(scheduler)
        assert due is not None
        job = scheduler.get_job("nightly")
        # As if the minute were over: the job comes due now, late for its scheduled time.
        job.modify(next_run_time=datetime.now(UTC) - timedelta(seconds=1))
        async with asyncio.timeout(300):
            scheduled = await started.get()
            while probes < 2:
                await asyncio.sleep(0.02)
        assert scheduled.second == 0
        assert timedelta(0) <= datetime.now(UTC) - scheduled < timedelta(minutes=2)
    finally:
        scheduler.shutdown(wait=False)
        await asyncio.sleep(0)


async def test_a_stop_in_the_middle_of_a_job_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def probe() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    scheduler = create_scheduler(Settings(), asyncio.Queue[datetime]().put, probe, idle, idle, idle)
    scheduler.start()
    async with asyncio.timeout(300):
        await begun.wait()
    scheduler.shutdown(wait=False)
    async with asyncio.timeout(300):
        await ended.wait()
    await asyncio.sleep(0.05)  # so that what follows its end can be seen
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_without_a_nightly_run_it_only_probes() -> None:
    async def never(_: datetime) -> None:
        raise AssertionError

    settings = Settings.model_validate({"schedule": {"nightly": None, "retrain": None}})
    scheduler = create_scheduler(settings, never, idle, idle, idle, idle, sweep=idle, refresh=idle)
    scheduler.start()
    assert next_fire(scheduler) is None
    assert scheduler.get_job("sweep").trigger.interval == timedelta(minutes=15)
    assert scheduler.get_job("installations").trigger.interval == timedelta(hours=1)
    assert scheduler.get_job("retrain") is None
    assert scheduler.get_job("reconcile").trigger.interval == timedelta(minutes=5)
    assert next_fire(None) is None
    scheduler.shutdown(wait=False)
    await asyncio.sleep(0)

"""Runs begin once, are driven by whoever is there, and end with a reason where they fail."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot import aggregate
from bot.store import runs
from bot.web.background import Background
from bot.web.health import Pulse
from bot.wiring import App, working
from models.errors import UserFacing
from tests.web.conftest import MakeApp


async def until(true: Callable[[], bool], seconds: float = 300) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.05)


def status(app: App, run_id: str) -> str | None:
    with app.database.read() as connection:
        return runs.status(connection, run_id)


async def test_a_run_begins_once(make_app: MakeApp) -> None:
    app = make_app()
    first, second = Background(app, Pulse()), Background(make_app(), Pulse())
    at = datetime(2026, 11, 20, 2, tzinfo=UTC)
    await asyncio.gather(first.begin_nightly(at), second.begin_nightly(at))
    with app.database.read() as connection:
        rows = runs.latest(connection, 10)
    assert [(row.id, row.trigger) for row in rows] == [("nightly-20261120T0200Z", "nightly")]
    with pytest.raises(UserFacing, match="nightly-20261120T0200Z is at work"):
        await first.begin_asked()


async def test_no_repositories_is_said_and_starts_nothing(
    make_app: MakeApp, capsys: pytest.CaptureFixture[str]
) -> None:
    background = Background(make_app(repositories=[]), Pulse())
    with pytest.raises(UserFacing, match=r"workflow\.repositories"):
        await background.begin_asked()
    await background.begin_nightly(datetime(2026, 11, 20, 2, tzinfo=UTC))
    assert status(background.app, "nightly-20261120T0200Z") is None


async def test_runs_are_driven_and_orphans_adopted(make_app: MakeApp) -> None:
    app = make_app()
    pulse = Pulse()
    background = Background(app, pulse)
    with app.database.write() as connection:
        params = {"repositories": ["octo/widgets"], "wait": 0}
        runs.create(connection, "orphan", "cli", params, "host:1:dead")
    async with working(app), background.running():
        assert pulse.worker_works
        await until(lambda: status(app, "orphan") != "running")
        run_id = await background.begin_asked()
        await until(lambda: status(app, run_id) != "running")
    assert not pulse.worker_works
    with app.database.read() as connection:
        for name in ("orphan", run_id):
            report = aggregate.summarise(connection, "triage", runs.get(connection, name))
            # Nobody answers at the address of GitHub, and nothing is stored.
            assert report.status == "failed"
            assert any("octo/widgets" in problem for problem in report.problems)


async def test_a_run_that_breaks_ends_as_failed(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = make_app()
    background = Background(app, Pulse())

    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("bot.runs.drive", broken)
    async with working(app), background.running():
        run_id = await background.begin_asked()
        await until(lambda: status(app, run_id) != "running")
    with app.database.read() as connection:
        row = runs.get(connection, run_id)
    assert row is not None
    assert row.status == "failed"
    assert row.problems == ["internal error: ZeroDivisionError; see the log"]


async def test_a_missed_night_is_made_up_for(make_app: MakeApp, capsys: pytest.CaptureFixture[str]) -> None:
    app = make_app(schedule={"nightly": "0 * * * *"})
    background = Background(app, Pulse())
    await background.catch_up()
    with app.database.write() as connection:
        assert list(runs.latest(connection, 10)) == []
        runs.create(connection, "run-1", "cli", {}, None)
        old = (datetime.now(UTC) - timedelta(hours=3)).timestamp()
        runs.update(connection, "run-1", started_at=old, status="done")
    await background.catch_up()
    await background.catch_up()
    with app.database.read() as connection:
        names = [row.id for row in runs.latest(connection, 10)]
    assert len(names) == 2
    assert names[0].startswith("nightly-")


async def test_a_background_task_that_fails_starts_again(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bot.web.background.RESTART_PAUSE", 0.01)
    calls = 0

    async def failing(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls < 3:
            raise OSError("database is gone")
        await asyncio.sleep(60)

    monkeypatch.setattr("bot.web.background.work_batches", failing)
    pulse = Pulse()
    async with Background(make_app(), pulse).running():
        await until(lambda: calls == 3)
        assert pulse.worker_works

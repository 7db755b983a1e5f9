"""A run goes on when its database comes back, tells how far it is, and when it will have ended."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from rich.console import Console

from bot.app.app import build, close, working
from bot.cli.run import ProgressBar
from bot.run import run as engine
from bot.run.aggregate import progress_of
from bot.store import runs
from config.load import load
from models.report import RunReport
from models.run import Params
from tests.bot.run.test_run import bugs, many
from tests.world import World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.chdir(tmp_path)
    with bugs(tmp_path, many(12)) as made:
        made.set("scaling.cpu_workers", "0")
        made.set("scaling.batch_size", "3")
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made
        made.assert_contracts()


async def run(watch: engine.Watch = lambda progress: None) -> RunReport:
    app = build(load(None))
    try:
        async with working(app):
            params = Params(repositories=app.settings.repositories, wait=20).to_json()
            await app.database.run(lambda c: runs.create(c, "run-1", "cli", params, app.me))
            return await engine.drive(app, "run-1", watch)
    finally:
        await close(app)


def away(real: Callable[..., Any], turns: set[int]) -> Callable[..., Any]:
    """The function, failing at these of its calls as a database that is restarted does."""
    calls = 0

    def failing(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls in turns:
            raise sa.exc.OperationalError("SELECT 1", {}, Exception("terminating connection"))
        return real(*arguments, **options)

    return failing


@pytest.mark.parametrize("place", ["open_batches", "update", "status", "delivered", "close"])
async def test_a_database_that_is_away_for_a_moment_ends_no_run(
    world: World, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(engine, "AWAY_PAUSE", 0.05)
    monkeypatch.setattr(runs, place, away(getattr(runs, place), {1, 2, 4}))
    report = await run()
    assert (report.status, report.triaged, report.stories["created"]) == ("completed", 12, 12)
    assert len(world.listed("stories")) == 12
    world.assert_once()


async def test_one_that_stays_away_is_no_endless_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "AWAY_PAUSE", 0.02)
    monkeypatch.setattr(engine, "AWAY_PATIENCE", 0.2)
    monkeypatch.setattr(runs, "open_batches", away(runs.open_batches, set(range(1, 1000))))
    with pytest.raises(sa.exc.OperationalError):
        await run()


@pytest.mark.slow
async def test_a_run_knows_early_how_much_there_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.control(issues=[{"repo": "octo/widgets", "title": f"Number {n} fails"} for n in range(288)])
    world.control(latency_ms=40)
    monkeypatch.setenv("SWITCHYARD__SCALING__REQUESTS_IN_FLIGHT", "10")
    seen: list[tuple[str, int, int | None, int, int]] = []

    def watch(progress: engine.Progress) -> None:
        seen.append(
            (progress.phase, progress.fetched, progress.expected, progress.delivered, progress.waiting)
        )

    report = await run(watch)
    assert report.fetched == 300 and report.progress is None, "a run that has ended estimates nothing"
    told = [expected for phase, fetched, expected, *_ in seen if 0 < fetched < 300]
    assert all(expected == 300 for expected in told), seen
    delivering = [entry for entry in seen if entry[0] == "delivering" and entry[4]]
    assert all(expected == 300 for _, _, expected, *_ in seen[-1:])
    assert delivering and all(delivered + waiting >= 600 for *_, delivered, waiting in delivering), seen


@pytest.mark.parametrize(
    ("progress", "totals", "delivered", "waiting", "wanted"),
    [
        ({}, {}, 0, 0, {"fetched": 0, "triaged": 0, "delivered": 0, "waiting": 0}),
        (
            {"fetched": 100, "expected": 1000},
            {"triaged": 40},
            80,
            0,
            {"fetched": 100, "expected": 1000, "triaged": 40, "estimated_end": 1000.0 + 100 * 960 / 40},
        ),
        (
            {"fetched": 1200, "pulls": 200, "finished": True},
            {"triaged": 900, "unchanged": 100},
            500,
            1500,
            {"fetched": 1000, "expected": 1000, "triaged": 1000, "estimated_end": 1000.0 + 100 * 3},
        ),
        ({"fetched": 50, "pulls": 25, "expected": 400}, {}, 0, 0, {"fetched": 25, "expected": 200}),
    ],
)
def test_the_estimate(
    progress: dict[str, Any],
    totals: dict[str, int],
    delivered: int,
    waiting: int,
    wanted: dict[str, Any],
) -> None:
    found = progress_of(progress, totals, delivered, waiting, started=900.0, now=1000.0)
    if "estimated_end" in wanted:
        wanted["estimated_end"] = engine.aggregate.iso(wanted["estimated_end"])
    assert wanted.items() <= found.items()
    assert ("estimated_end" in found) == ("estimated_end" in wanted)


def test_a_terminal_shows_how_long_it_will_take() -> None:
    out = io.StringIO()
    bar = ProgressBar(Console(file=out, force_terminal=True, width=100))
    with bar as watch:
        watch(engine.Progress(fetched=100, triaged=10, expected=1000))
        bar.refresh()
        watch(
            engine.Progress(
                fetched=1000, triaged=1000, expected=1000, delivered=30, waiting=90, phase="delivering"
            )
        )
        bar.refresh()
    text = out.getvalue()
    assert "10/1000" in text and "30/120" in text and "delivering" in text and "left" in text
    quiet = io.StringIO()
    with ProgressBar(Console(file=quiet, force_terminal=False)) as watch:
        watch(engine.Progress(fetched=1))
    assert quiet.getvalue() == ""


def test_runs_show_tells_where_a_run_stands(world: World) -> None:
    world.set("integrations.shortcut.rate_limit", "2/minute")
    world.set("integrations.github.content_rate_limit", "2/minute")
    world.set("integrations.github.comment", "always")
    process = world.start("run", "--wait", "60s")
    try:
        world.wait_until(lambda: world.state()["comments"] >= 2)
        shown = world.run("runs", "list", "--json").json["runs"][0]
        assert shown["status"] == "running"
        assert shown["progress"]["expected"] == 12 == shown["progress"]["fetched"], shown["progress"]
        words = world.run("runs", "show", shown["run_id"])
        assert "of 12 issues" in words.out, words.out
        assert json.loads(world.run("runs", "show", shown["run_id"], "--json").out)["progress"]
    finally:
        process.kill()
        process.communicate()

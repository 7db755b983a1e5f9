"""The chart beside a digest: what it shows, that it is small, and that it stands there once."""

import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib.image
import pytest

from bot.notify import chart
from bot.notify.chart import HEIGHT, MOST, WIDTH, Bar, draw, words
from tests.bot.run.test_run import issue
from tests.growth import calls
from tests.world import ROOT, World

DAY = 86_400.0


def bars(count: int, apart: float = DAY, many: int = 1) -> list[Bar]:
    routes = ("bug", "feature", "docs", "security", "needs_human")
    return [
        Bar(1.7e9 + apart * at, {name: many * (at * place % 23) for place, name in enumerate(routes, 3)})
        for at in range(count)
    ]


@pytest.mark.parametrize(
    "drawn", [bars(2), bars(MOST), bars(MOST, apart=600.0, many=10_000), [Bar(0, {"bug": 1})] * 2]
)
def test_a_chart_is_small_and_of_one_size(drawn: list[Bar]) -> None:
    draw(drawn, "UTC")
    content = b""

    def again() -> None:
        nonlocal content
        content = draw(drawn, "Asia/Kolkata")

    made = calls(again)
    assert made < 400_000
    assert content.startswith(b"\x89PNG") and len(content) <= 30_000
    assert matplotlib.image.imread(io.BytesIO(content), format="png").shape[:2] == (HEIGHT, WIDTH)


def test_who_cannot_see_it_is_told_the_figures() -> None:
    told = words([Bar(0, {"bug": 2, "docs": 1}), Bar(DAY, {"bug": 3, "security": 1, "needs_human": 0})])
    assert "3 bugs, 1 for review." in told and "in all: 3" in told
    assert len(words(bars(MOST, many=10_000))) <= 1_000


def pictures(world: World) -> list[dict[str, Any]]:
    """Messages that carry a file."""
    return [message for message in world.listed("messages") if message.get("files")]


def digest(world: World, run_id: str) -> dict[str, Any]:
    keys = {
        str(m.get("metadata", {}).get("event_payload", {}).get("key")): m for m in world.listed("messages")
    }
    return keys[f"digest:{run_id}"]


def more(world: World, first: int) -> None:
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    world.control(issues=[issue(n, labels=["bug"], updated_at=now) for n in range(first, first + 5)])


@pytest.fixture
def world(tmp_path: Path) -> Any:
    with World(tmp_path, [issue(n, labels=["bug"]) for n in range(1, 8)]) as world:
        world.set("integrations.slack.chart", "true")
        yield world


@pytest.mark.slow
def test_a_second_run_has_one_chart_in_its_digests_thread(world: World) -> None:
    assert world.run("run").code == 0
    assert world.listed("files") == []
    more(world, 11)
    second = world.run("run", "--json").json
    assert second["status"] == "completed" and second["notifications"]["slack"] == 1
    (file,) = world.listed("files")
    assert file["title"] == "Routes of the last 2 runs" and 1_000 < file["bytes"] <= 30_000
    (picture,) = pictures(world)
    assert picture["thread_ts"] == digest(world, second["run_id"])["ts"]
    # A run that finds nothing new tells nothing, and draws nothing.
    assert world.run("run").code == 0
    assert len(world.listed("files")) == 1
    world.assert_contracts()


@pytest.mark.slow
def test_a_kill_while_it_is_uploaded_doubles_nothing(world: World) -> None:
    assert world.run("run").code == 0
    more(world, 11)
    world.control(service="slack", match=".*files.completeUploadExternal", fault="hang_after", times=1)
    process = world.start("run")
    world.wait_until(lambda: pictures(world))
    process.kill()
    process.communicate()
    world.control(reset="faults")
    assert world.run("run").code == 0
    assert json.loads(world.run("queue", "list", "--json").out)["pending"] == []
    assert len(pictures(world)) == 1
    world.assert_once()


@pytest.mark.parametrize("why", ["turned off", "no scope", "no matplotlib"])
@pytest.mark.slow
def test_without_a_chart_all_else_is_as_ever(world: World, why: str) -> None:
    path: dict[str, str] = {}
    if why == "turned off":
        world.set("integrations.slack.chart", "false")
    elif why == "no matplotlib":
        (world.folder / "matplotlib.py").write_text("raise ImportError")
        # An interpreter of its own: the one that others are forked from may have found the real one.
        path = {"python_path": f"{world.folder}:{ROOT}"}
    else:
        body = {"ok": False, "error": "missing_scope"}
        world.control(
            service="slack", match=".*files.getUploadURLExternal", fault="status", status=200, body=body
        )
    assert world.run("run", **path).code == 0
    more(world, 11)
    second = world.run("run", "--json", **path)
    assert second.json["status"] == "completed" and second.json["notifications"]["slack"] == 1
    assert "chart" not in second.out + second.err and pictures(world) == []


async def test_a_chart_that_fails_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Base:
        async def query(self, work: Any) -> list[Bar]:
            return bars(3)

    class Settings:
        class integrations:
            class slack:
                chart = True

        class schedule:
            timezone = "UTC"

    class App:
        database, settings = Base(), Settings

    class Report:
        run_id = "r:1"

    made = await chart.command(App, Report)  # type: ignore[arg-type]
    assert made is not None and made.key == "chart:r:1" and made.after == ("digest:r:1",)
    for module in ("matplotlib.figure", "matplotlib.ticker"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, module, None)
            assert await chart.command(App, Report) is None  # type: ignore[arg-type]

    def broken(*_: Any) -> bytes:
        raise RuntimeError("no font")

    monkeypatch.setattr(chart, "draw", broken)
    assert await chart.command(App, Report) is None  # type: ignore[arg-type]

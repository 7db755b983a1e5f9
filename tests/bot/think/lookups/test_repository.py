"""Questions about a repository, from a node's ask to GitHub's answer."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.app.app import App, build, close
from config.load import load as load_settings
from models.asks import Ask, FileAuthors, ListFiles, ReadDocs, ReadFile, Reply
from models.errors import Transient
from tests.world import World

REPO = "octo/widgets"
FILES = {"README.md": "# Widgets\n", "src/a.py": "x = 1\n", "docs/guide.md": "Read me.\n"}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.chdir(tmp_path)
    with World(tmp_path, [{"repo": REPO, "title": "It fails"}]) as made:
        made.control(repo=REPO, files=FILES, by="ann")
        made.set("resilience.retry.max_attempts", "1")
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made
        made.assert_contracts()


@asynccontextmanager
async def inside() -> AsyncIterator[App]:
    app = build(load_settings(None))
    try:
        yield app
    finally:
        await close(app)


def requests(world: World) -> int:
    return int(world.state()["requests"]["github"]["count"])


async def test_every_question_is_answered(world: World) -> None:
    listing, page, docs = ListFiles(REPO), ReadFile(REPO, "src/a.py"), ReadDocs(REPO)
    people = FileAuthors(REPO, "src/a.py")
    async with inside() as app:
        replies = await app.reading.answer([listing, page, docs, people])
        counted = requests(world)
        again = await app.reading.answer([listing, page, docs, people])
        assert again == replies and requests(world) == counted
    assert set(replies[listing].answer.paths) == set(FILES)
    assert replies[page].answer.text == "x = 1\n"
    assert [one.path for one in replies[docs].answer.pages] == ["README.md", "docs/guide.md"]
    assert replies[people].answer == ("ann",)


@pytest.mark.parametrize("ask", [ReadFile(REPO, "absent"), ReadDocs("octo/absent")])
async def test_what_is_not_there_is_no_failure(world: World, ask: Ask[Any]) -> None:
    async with inside() as app:
        assert (await app.reading.answer([ask]))[ask] == Reply()


async def test_a_reading_that_fails_or_would_wait_says_why_not(world: World) -> None:
    ask = ListFiles(REPO)
    world.control(service="github", fault="status", status=502, match="GET .*/git/trees/.*")
    async with inside() as app:
        assert "HTTP 502" in (await app.reading.answer([ask]))[ask].why_not
    world.control(reset="faults")
    async with inside() as app:
        app.github.guard.learn(0, 4_000_000_000.0)
        counted = requests(world)
        assert "rate budget spent" in (await app.reading.answer([ask]))[ask].why_not
        assert requests(world) == counted
    async with inside() as app:
        for _ in range(app.settings.resilience.circuit_breaker.failure_threshold):
            app.github.guard.breaker.leave(False, Transient("down"))
        assert "breaker open" in (await app.reading.answer([ask]))[ask].why_not

"""GitHub's and Shortcut's own searches through their clients: what is asked, what it may cost, what is kept back."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.app.app import App, build, close
from bot.think.lookups.search import search_issues, search_stories
from config.load import load
from integrations.github.client.search import plain_words
from integrations.github.settings import SEARCHES
from models.asks import SearchIssues, SearchStories
from models.tables import CaseRow
from tests.bot.run.test_run import issue
from tests.world import World

REPO = "octo/widgets"
TITLES = {
    1: "Exporting a calendar fails with QuotaError",
    2: "QuotaError while exporting",
    3: "Something else",
    4: "Pull request for exporting QuotaError",
    5: "Exporting QuotaError as a secret",
}
BUG_STATE = 500000001
TOKEN = {"Shortcut-Token": "sandbox"}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Six issues and the real limits."""
    monkeypatch.chdir(tmp_path)
    given = [issue(n, title=title, body="Text", pull_request=n == 4) for n, title in TITLES.items()]
    given[1]["state"] = "closed"
    given.append(issue(1, repo="octo/gadgets", title="Exporting QuotaError in private"))
    with World(tmp_path, given, enforce_rate_limits=True) as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made
        made.assert_contracts()


@asynccontextmanager
async def inside() -> AsyncIterator[App]:
    app = build(load(None))
    try:
        app.database.require_schema()
        yield app
    finally:
        await close(app)


async def routed(app: App, key: str, route: str, status: str = "triaged") -> None:
    row = {"key": key, "run_id": "r", "status": status, "route": route, "content_hash": "", "own_labels": []}
    row |= {"detail": {}, "urgency": 0, "trace_key": "", "title": "", "url": "", "failures": 0, "error": ""}
    statement = sa.insert(CaseRow.__table__).values(**row, updated_at=0)  # type: ignore[attr-defined]
    await app.database.run(lambda c: c.execute(statement))


def make(world: World, **fields: Any) -> int:
    """A person makes a story."""
    body = {"workflow_state_id": BUG_STATE, **fields}
    answer = world.http.post("/api/v3/stories", json=body, headers=TOKEN)
    assert answer.is_success, answer.text
    return int(answer.json()["id"])


WORDS: list[tuple[tuple[str, ...], list[str]]] = [
    (("QuotaError", "exporting"), ["QuotaError", "exporting"]),
    (("repo:octo/gadgets", "QuotaError"), ["repo", "octo", "gadgets", "QuotaError"]),
    (('"a b', "is:pr -label:x"), ["a", "b", "is", "pr", "label", "x"]),
    (("a OR b", "NOT c", "AND"), ["a", "b", "c"]),
    (("std.io.Error", "..x.."), ["std.io.Error", "x"]),
    (("x" * 300, "\x00\n", "", "é漢"), ["é漢"]),
    (("same", "same"), ["same"]),
    (tuple("abcdefghij"), list("abcdef")),
]


@pytest.mark.parametrize(("given", "expected"), WORDS)
def test_words_hold_no_operators(given: tuple[str, ...], expected: list[str]) -> None:
    found = plain_words(given)
    assert found == expected
    assert not set(':"-!()') & set(" ".join(found))


async def test_github_finds_what_may_be_told(world: World) -> None:
    async with inside() as app:
        await routed(app, f"{REPO}#5", "security")
        found = await search_issues(app.sources, SearchIssues(REPO, ("QuotaError", "exporting")), "r")
        assert found is not None
        assert {(one.ref, one.done) for one in found} == {(f"{REPO}#1", False), (f"{REPO}#2", True)}
        assert all(one.url for one in found)
        nothing = await search_issues(
            app.sources, SearchIssues(REPO, ("repo:octo/gadgets", "QuotaError")), "r"
        )
        assert nothing == ()


async def test_a_spent_search_budget_stops_nothing_else(world: World) -> None:
    ask = SearchIssues(REPO, ("QuotaError",))
    async with inside() as app:
        allowed = SEARCHES.rates[0].count
        answers = [await search_issues(app.sources, ask, "r") for _ in range(allowed + 2)]
        assert [answer is None for answer in answers] == [False] * allowed + [True] * 2
        assert app.github.guard.requests == allowed
    # A process that knows nothing of the others' searches is refused by GitHub; nobody else hears of it.
    async with inside() as app:
        answers = [await search_issues(app.sources, ask, "r") for _ in range(5)]
        assert [answer is None for answer in answers] == [False, False, True, True, True]
        assert app.github.guard.requests == 3
        assert (await app.github.issue(REPO, 1))["number"] == 1


async def test_shortcut_finds_what_may_be_told(world: World) -> None:
    names = {
        "plain": {"name": "QuotaError at export", "estimate": 3},
        "of": {"name": "QuotaError of an issue", "external_links": [f"https://github.com/{REPO}/issues/1"]},
        "secret": {"name": "QuotaError and more", "external_id": f"story:{REPO}#5"},
        "labelled": {"name": "QuotaError labelled", "labels": [{"name": "security"}]},
        "other": {"name": "Something else"},
    }
    made = {what: make(world, **fields) for what, fields in names.items()}
    async with inside() as app:
        await routed(app, f"{REPO}#5", "security")
        found = await search_stories(app.sources, SearchStories(('"QuotaError"', "type:bug")), "r")
        assert found == ()
        found = await search_stories(app.sources, SearchStories(("QuotaError",)), "r")
        assert found is not None
        assert {one.ref: one.estimate for one in found} == {
            f"shortcut:{made['plain']}": 3,
            f"{REPO}#1": None,
        }


async def test_shortcut_is_asked_for_little(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHYARD__INTEGRATIONS__SHORTCUT__RATE_LIMIT", "40/minute")
    make(world, name="QuotaError")
    async with inside() as app:
        answers = [await search_stories(app.sources, SearchStories(("QuotaError",)), "r") for _ in range(8)]
        assert [answer is None for answer in answers] == [False] * 5 + [True] * 3
        assert app.guards["shortcut"].requests == 5


async def test_nothing_is_asked_without_words_or_service(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHORTCUT_API_TOKEN", raising=False)
    async with inside() as app:
        assert await search_stories(app.sources, SearchStories(("QuotaError",)), "r") is None
        assert await search_issues(app.sources, SearchIssues(REPO, ("::", '"')), "r") is None
        assert app.github.guard.requests == 0

"""What becomes of stories in Shortcut: adopted, put away when they come twice, and shown on their issues."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.app.app import App, build, close, working
from bot.deliver.reconcile import look, reconcile
from bot.run import run as engine
from bot.run.run import settle
from bot.store import cases, queue, runs, stories
from config.load import load
from integrations.github.settings import GithubSettings
from models.report import RunReport
from models.story import Story, ref_of
from tests.bot.run.test_run import bugs, issue, many
from tests.world import World

REPO = "octo/widgets"
BUG_STATE, PROGRESS, DONE = 500000001, 500000002, 500000003
SAM, EPIC = "5a6b0001-0000-4000-8000-000000000002", 90
TOKEN = {"Shortcut-Token": "sandbox"}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Five issues, each of which becomes a bug story."""
    monkeypatch.chdir(tmp_path)
    with bugs(tmp_path, [*many(5), issue(1, repo="octo/gadgets")]) as made:
        made.set("scaling.cpu_workers", "0")
        made.set("repositories", f'["{REPO}"]')
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made
        made.assert_contracts()


@asynccontextmanager
async def inside(**environment: str) -> AsyncIterator[App]:
    """The program in this process, as a run or `serve` has it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv("SWITCHYARD__INTEGRATIONS__" + name.upper().replace(".", "__"), value)
        app = build(load(None))
    try:
        app.database.require_schema()
        async with working(app):
            yield app
    finally:
        await close(app)


async def run(app: App, *, full: bool = False) -> RunReport:
    """One run to its end."""
    run_id = runs.new_id("run")
    params = engine.Params(repositories=app.settings.repositories, full=full, wait=20).to_json()
    await app.database.run(lambda c: runs.create(c, run_id, "cli", params, app.me))
    return await engine.drive(app, run_id)


def call(world: World, method: str, path: str, body: Any = None) -> Any:
    """A person does something in Shortcut."""
    answer = world.http.request(method, f"/api/v3/stories{path}", json=body, headers=TOKEN)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def make(world: World, **fields: Any) -> dict[str, Any]:
    return dict(call(world, "POST", "", {"name": "By hand", "workflow_state_id": BUG_STATE, **fields}))


def story_of(world: World, number: int) -> dict[str, Any]:
    (found,) = [s for s in world.listed("stories") if s["external_id"] == f"story:{REPO}#{number}"]
    return found


def change(world: World, number: int, **fields: Any) -> None:
    call(world, "PUT", f"/{story_of(world, number)['id']}", fields)


def on_github(world: World, number: int, repo: str = REPO) -> dict[str, Any]:
    answer = world.http.get(f"/repos/{repo}/issues/{number}", headers={"Authorization": "token sandbox"})
    return dict(answer.json())


def labels(world: World, number: int, repo: str = REPO) -> set[str]:
    return {label["name"] for label in on_github(world, number, repo)["labels"]}


def reflected(world: World, number: int) -> set[str]:
    """The issue's labels that tell of its story."""
    return {name for name in labels(world, number) if ": " in name and not name.startswith("priority")}


def sent(world: World, service: str, part: str = "") -> int:
    routes = world.state()["requests"][service]["by_route"]
    return sum(count for route, count in routes.items() if part in route)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"external_id": "story:octo/widgets#7"}, "octo/widgets#7"),
        ({"external_id": "import-7", "external_links": ("https://github.com/o/n/issues/3",)}, "o/n#3"),
        ({"external_links": ("https://x.org/", "http://www.github.com/O/n/issues/3/#issuecomment-1")}, "O/n#3"),
        ({"external_links": ("https://git.example.com/o/n/issues/12?a=b",)}, "o/n#12"),
        ({"external_links": ("https://evil.example/github.com/o/n/issues/3", "https://[", "")}, None),
        ({"external_links": ("https://github.com/o/n/pull/3", "https://github.com/o/n/issues/0")}, None),
        ({"external_id": "story:", "external_links": ()}, None),
        ({"external_id": "story:o/n#x\n"}, None),
    ],
)  # fmt: skip
def test_the_issue_of_a_story(fields: dict[str, Any], expected: str | None) -> None:
    now = datetime.now(UTC)
    story = Story(id=1, created_at=now, updated_at=now, **fields)
    assert ref_of(story, GithubSettings(base_url="https://git.example.com/api/v3").hosts) == expected


async def test_a_story_that_a_person_linked_is_adopted_by_the_first_run(world: World) -> None:
    linked = make(world, external_links=[f"https://github.com/{REPO}/issues/3"])
    make(world, external_links=["https://github.com/Octo/Widgets/issues/4#issuecomment-1"])
    make(world, external_links=[f"https://github.com/{REPO}/issues/5"], archived=True)
    make(world, name="Of something else")
    commented = {"github.comment": "always", "github.link_story": "true"}
    async with inside(**commented) as app:
        report = await run(app)
        assert report.status == "completed"
        assert report.stories == {"created": 3, "existing": 2, "queued": 0, "dead": 0}
        # Reading the stories, and asking for the default state and the scale of estimates: three more than the bulk.
        assert sent(world, "shortcut") - 4 == report.requests["shortcut"] == 4
        (comment,) = [c for c in world.listed("comments") if c["number"] == 3]
        assert linked["app_url"] in comment["body"]
        assert len(world.listed("stories")) == 7
        again = await run(app, full=True)
        assert again.stories["created"] == 0 and again.stories["existing"] == 5
        # From now on it speaks for its issue as one of the bot's own would.
        assert reflected(world, 3) == set()
        call(world, "PUT", f"/{linked['id']}", {"workflow_state_id": DONE})
        await run(app)
        assert reflected(world, 3) == {"story: Done"}
    assert len(world.listed("stories")) == 7


async def test_a_lost_database_doubles_nothing(world: World) -> None:
    async with inside(**{"github.comment": "always"}) as app:
        assert (await run(app)).stories["created"] == 5
    change(world, 2, workflow_state_id=PROGRESS)
    async with inside(**{"github.comment": "always"}) as app:
        await run(app)
    assert reflected(world, 2) == {"story: In Progress"}
    archived = story_of(world, 4)
    change(world, 4, archived=True)
    world.lose_database()
    async with inside(**{"github.comment": "always"}) as app:
        report = await run(app)
        assert report.stories == {"created": 0, "existing": 5, "queued": 0, "dead": 0}
        assert report.status == "completed"
        assert len(world.listed("stories")) == 5, "what a person archived is not made again, either"
        assert story_of(world, 4)["id"] == archived["id"]
        world.assert_once()
        assert world.state()["comments"] == 5
        # The label of that time is known again as the bot's own, and goes with the state.
        await run(app)
        change(world, 2, workflow_state_id=DONE)
        await run(app)
        assert reflected(world, 2) == {"story: Done"}


def test_a_lost_database_between_two_commands(world: World) -> None:
    assert world.run("run", "--json").json["stories"]["created"] == 5
    world.lose_database()
    report = world.run("run", "--json").json
    assert report["stories"]["existing"] == 5 and report["status"] == "completed"
    assert len(world.listed("stories")) == 5


async def test_a_story_that_arrives_late_is_put_away_with_one_comment(world: World) -> None:
    async with inside() as app:
        await run(app)
        kept = story_of(world, 1)
        late = make(world, external_id=f"story:{REPO}#1")
        report = await run(app)
        assert report.stories["created"] == 0 and report.status == "completed" and not report.problems
        found = {s["id"]: s for s in world.listed("stories")}
        assert found[late["id"]]["archived"] and not found[kept["id"]]["archived"]
        comments = call(world, "GET", f"/{late['id']}/comments")
        assert len(comments) == 1 and kept["app_url"] in comments[0]["text"]
        before = world.writes()
        await run(app)
        assert world.writes() == before
    assert world.state()["messages"] == 1, "that is no news"


@pytest.mark.slow
async def test_stories_that_are_made_after_their_look_up_are_put_away(world: World) -> None:
    world.control(service="shortcut", match="POST /api/v3/stories/bulk", fault="slow", seconds=30, times=1)
    async with inside(**{"shortcut.timeout": "4s"}) as app:
        assert (await run(app)).stories["created"] == 5
        await asyncio.to_thread(world.wait_until, lambda: len(world.listed("stories")) == 10)
        made = {s["external_id"]: s["id"] for s in world.listed("stories")[:5]}
        report = await run(app)
        assert report.status == "completed" and report.stories["created"] == 0
        live = {s["external_id"]: s["id"] for s in world.listed("stories") if not s["archived"]}
        assert live == made and len(live) == 5


async def test_a_late_story_that_a_person_works_on_stays(world: World) -> None:
    async with inside() as app:
        await run(app)
        late = make(world, external_id=f"story:{REPO}#1", owner_ids=[SAM])
        report = await run(app)
        assert not any(s["archived"] for s in world.listed("stories"))
        (problem,) = report.problems
        assert late["app_url"] in problem and f"{REPO}#1" in problem
        assert reflected(world, 1) == set(), "only the recorded story speaks for the issue"


async def test_a_late_story_is_left_where_a_person_was_faster(world: World) -> None:
    async with inside() as app:
        await run(app)
        late = make(world, external_id=f"story:{REPO}#1")
        world.control(service="shortcut", match="GET /api/v3/stories/.*", fault="status", status=503, times=1)
        await reconcile(app.stories)
        call(world, "POST", f"/{late['id']}/comments", {"text": "I am on it"})
        await settle(app, None, time.time() + 300)
        # The comment came within the time in which a change may be the making itself; it counts all the same.
        assert not any(s["archived"] for s in world.listed("stories"))


async def test_what_people_do_with_a_story_shows_on_its_issue(world: World) -> None:
    async with inside() as app:
        await run(app)
        before = world.writes()
        await run(app)
        assert world.writes() == before, "new stories in their first state are no news"

        change(world, 1, workflow_state_id=PROGRESS)
        before = sent(world, "github", "POST")
        report = await run(app)
        assert sent(world, "github", "POST") == before + 1
        assert reflected(world, 1) == {"story: In Progress"} and "bug" in labels(world, 1)
        assert report.github["updated"] == 1 and report.triaged == 0
        assert world.state()["messages"] == 1, "no digest for it"

        change(world, 1, workflow_state_id=DONE, owner_ids=[SAM], epic_id=EPIC)
        await run(app)
        everything = {"story: Done", "owner: Sam Signal", "epic: Issues from GitHub"}
        assert reflected(world, 1) == everything
        assert on_github(world, 1)["state"] == "open", "nothing is closed unless that was asked for"

        # A person takes labels off; they stay off, also when something else changes.
        world.control(issue={"repo": REPO, "number": 1, "labels": ["bug", "story: Done"], "by": "ann"})
        before = world.writes()
        report = await run(app)
        assert world.writes() == before and report.triaged == 0
        change(world, 1, workflow_state_id=PROGRESS, name="Another name")
        await run(app)
        assert reflected(world, 1) == {"story: In Progress"}
        change(world, 1, owner_ids=[], workflow_state_id=BUG_STATE)
        report = await run(app)
        assert reflected(world, 1) == set() and report.triaged == 0
        assert report.stories == {"created": 0, "existing": 0, "queued": 0, "dead": 0}
        full = await run(app, full=True)
        assert full.routes == {"bug": 5} and reflected(world, 1) == set()


async def test_labels_of_people_are_left_alone(world: World) -> None:
    async with inside() as app:
        await run(app)
        given = ["bug", "story: In Progress", "epic: Mine"]
        world.control(issue={"repo": REPO, "number": 1, "labels": given, "by": "ann"})
        await run(app)
        change(world, 1, workflow_state_id=PROGRESS, epic_id=EPIC)
        await run(app)
        assert reflected(world, 1) == {"story: In Progress", "epic: Mine", "epic: Issues from GitHub"}
        change(world, 1, workflow_state_id=DONE, epic_id=None)
        await run(app)
        assert reflected(world, 1) == {"story: In Progress", "epic: Mine", "story: Done"}


async def test_as_a_line_of_the_one_comment(world: World) -> None:
    async with inside(**{"github.reflect": "comment", "github.comment": "never"}) as app:
        await run(app)
        change(world, 1, workflow_state_id=PROGRESS, owner_ids=[SAM])
        await run(app)
        (comment,) = world.listed("comments")
        assert "Status: **In Progress**, owner Sam Signal." in comment["body"]
        assert world.state()["messages"] == 1
    async with inside(**{"github.reflect": "comment", "github.comment": "always"}) as app:
        await run(app, full=True)
        change(world, 1, workflow_state_id=DONE)
        await run(app)
        (comment,) = [c for c in world.listed("comments") if c["number"] == 1]
        assert "Status: **Done**, owner Sam Signal." in comment["body"] and "routed" in comment["body"]
        before = world.writes()
        await run(app, full=True)
        assert world.writes() == before
        # A comment that a person deleted stays deleted.
        path = f"/repos/{REPO}/issues/comments/{comment['id']}"
        world.http.delete(path, headers={"Authorization": "token sandbox"})
        change(world, 1, workflow_state_id=PROGRESS)
        await run(app)
        change(world, 1, workflow_state_id=DONE)
        await run(app)
        assert not [c for c in world.listed("comments") if c["number"] == 1]
        assert reflected(world, 1) == set()
    world.assert_once()


def test_a_bare_off_in_yaml_is_off() -> None:
    assert GithubSettings.model_validate({"reflect": False}).reflect == "off"
    assert GithubSettings().reflect == "label"


async def test_off_is_off(world: World) -> None:
    async with inside(**{"github.reflect": "off"}) as app:
        await run(app)
        change(world, 1, workflow_state_id=DONE)
        before = world.writes()
        await run(app)
        assert world.writes() == before
        assert not sent(world, "shortcut", "GET /api/v3/members")


async def test_a_security_case_is_not_told_of_in_public(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.route_all("security")
    monkeypatch.setenv("SWITCHYARD__ROUTER__RULES", world.environment["SWITCHYARD__ROUTER__RULES"])
    async with inside() as app:
        await run(app)
        change(world, 1, workflow_state_id=DONE, owner_ids=[SAM])
        await run(app)
        assert reflected(world, 1) == set()


async def test_closing_when_done_is_asked_for_and_a_person_may_reopen(world: World) -> None:
    async with inside(**{"github.close_when_done": "true"}) as app:
        await run(app)
        change(world, 1, workflow_state_id=DONE)
        await run(app)
        closed = on_github(world, 1)
        assert (closed["state"], closed["state_reason"]) == ("closed", "completed")
        world.control(issue={"repo": REPO, "number": 1, "state": "open", "by": "ann"})
        change(world, 1, owner_ids=[SAM])
        await run(app)
        assert on_github(world, 1)["state"] == "open"
        assert reflected(world, 1) == {"story: Done", "owner: Sam Signal"}
        change(world, 1, workflow_state_id=PROGRESS)
        await run(app)
        assert on_github(world, 1)["state"] == "open"
        change(world, 1, workflow_state_id=DONE)
        await run(app)
        assert on_github(world, 1)["state"] == "closed"
        assert all(on_github(world, n)["state"] == "open" for n in (2, 3, 4, 5))


async def test_a_deleted_or_archived_story_is_not_made_again(world: World) -> None:
    async with inside(**{"github.comment": "always", "github.link_story": "true"}) as app:
        await run(app)
        call(world, "DELETE", f"/{story_of(world, 1)['id']}")
        change(world, 2, archived=True)
        report = await run(app, full=True)
        assert report.status == "completed" and report.stories["existing"] == 5
        world.control(issue={"repo": REPO, "number": 1, "title": "Quite another title for this"})
        assert (await run(app)).status == "completed"
    assert len(world.listed("stories")) == 4


async def test_an_issue_that_is_gone_costs_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHYARD__RESILIENCE__CIRCUIT_BREAKER__RESET_TIMEOUT_SECONDS", "1s")
    down = {"match": f"POST /repos/{REPO}/.*", "fault": "status", "status": 503}
    async with inside(**{"github.comment": "always"}) as app:
        world.control(service="github", **down)
        run_id = runs.new_id("run")
        params = engine.Params(repositories=(REPO,), wait=1).to_json()
        await app.database.run(lambda c: runs.create(c, run_id, "cli", params, app.me))
        assert (await engine.drive(app, run_id)).github["queued"] == 5
        world.control(issue={"repo": REPO, "number": 1, "deleted": True})
        world.control(issue={"repo": REPO, "number": 2, "moved_to": "octo/gadgets#1"})
        world.control(reset="faults")
        app.guards["github"].breaker.probe_now()
        await app.database.run(queue.unblock)
        async with asyncio.timeout(300):
            while (await app.database.query(lambda c: runs.delivered(c, run_id)))["github"]["queued"]:
                await settle(app, None, time.time() + 300)
        row = await app.database.query(lambda c: runs.get(c, run_id))
        found = (await app.database.query(lambda c: runs.delivered(c, run_id)))["github"]
        assert row is not None and found == {"updated": 4, "queued": 0, "dead": 0}
        assert "bug" in labels(world, 1, "octo/gadgets"), "what was asked for went along with it"
        assert [c["repo"] for c in world.listed("comments") if c["number"] == 1] == ["octo/gadgets"]
        lines = await app.database.query(lambda c: {line.ref: line for line in cases.lines(c, run_id)})
        assert cases.GONE in lines[f"{REPO}#1"].detail["notes"]
        assert not lines[f"{REPO}#2"].detail["notes"]
        # Its story moves; nothing is asked of GitHub any more.
        change(world, 1, workflow_state_id=DONE)
        await run(app)
        assert not await app.database.query(lambda c: queue.items(c, "dead"))


async def test_a_repository_that_is_gone_is_a_refusal_that_names_it(world: World) -> None:
    async with inside() as app:
        await run(app)
        change(world, 1, workflow_state_id=DONE)
        world.control(repo=REPO, access="gone")
        await reconcile(app.stories)
        await settle(app, None, time.time() + 300)
        (dead,) = await app.database.query(lambda c: queue.items(c, "dead"))
        assert REPO in dead["last_error"] and "repository is gone" in dead["last_error"]


async def test_a_state_that_was_removed_gives_way_to_the_default(world: World) -> None:
    async with inside(**{"shortcut.workflow_state_id": "424242"}) as app:
        report = await run(app)
        assert report.status == "completed" and report.stories["created"] == 5
        (problem,) = report.problems
        assert "424242" in problem and "workflow_state_id" in problem
        change(world, 1, workflow_state_id=PROGRESS)
        await run(app)
        assert reflected(world, 1) == {"story: In Progress"}
        assert reflected(world, 2) == set()


@pytest.mark.parametrize("fault", ["status", "refuse", "html"])
async def test_a_look_that_fails_fails_no_run(world: World, fault: str) -> None:
    world.control(service="shortcut", match="POST /api/v3/stories/search", fault=fault)
    async with inside() as app:
        report = await run(app)
        assert report.status == "completed" and report.stories["created"] == 5


async def test_a_look_that_hangs_holds_up_stories_only_for_a_while(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.deliver.reconcile.PATIENCE", 1.0)
    monkeypatch.setattr("bot.run.run.PATIENCE", 1.0)
    world.control(service="shortcut", match="POST /api/v3/stories/search", fault="hang")
    # By itself the look would not end.
    async with inside(**{"shortcut.timeout": "1h"}) as app:
        report = await run(app)
        assert report.status == "completed" and report.stories["created"] == 5


async def test_the_scheduled_look_comes_no_oftener_than_it_should(world: World) -> None:
    async with inside() as app:
        await run(app)
        before = sent(world, "shortcut")
        await look(app.stories)
        assert sent(world, "shortcut") == before, "a run has just looked"
        at = time.time() - 600
        await app.database.run(lambda c: stories.save_reading(c, at, at))
        await look(app.stories)
        assert sent(world, "shortcut") == before + 1

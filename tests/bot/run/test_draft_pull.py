"""A bug from its trace to suspects with people and one draft pull request, in a run against the sandbox."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.app.app import App, build, close, think_settings, working
from bot.run import run as engine
from bot.store import runs
from bot.think import lookups as reading
from bot.think.pool import Thinker
from config.load import load as load_settings
from models.asks import Drafted, WriteDraft
from models.commands import Pending, assign
from models.report import RunReport
from models.tables import CommandRow
from tests.world import World

REPO = "octo/widgets"
STORE = "src/widgets/store.py"
CODE = "def load(key):\n    return rows[key]\n\n\ndef save(key, row):\n    rows[key] = row\n"
FILES = {
    STORE: CODE,
    "src/widgets/cli.py": "from widgets.store import load\n\n\ndef main():\n    load('a')\n",
    ".github/CODEOWNERS": "* @cy\n/src/ @octo/core @dee\n",
    ".github/workflows/ci.yml": "on: push\njobs: {}\n",
    "README.md": "# Widgets\n",
}
TRACE = (
    "With 1.4.2 it falls:\n\n```\nTraceback (most recent call last):\n"
    '  File "/home/ada/venv/lib/python3.12/site-packages/widgets/cli.py", line 5, in main\n    load("a")\n'
    '  File "/home/ada/venv/lib/python3.12/site-packages/widgets/store.py", line 2, in load\n'
    "    return rows[key]\nKeyError: 'a'\n```\n"
)
EDIT = {"path": STORE, "find": "    return rows[key]\n", "replace": "    return rows.get(key)\n"}
ISSUE = {"repo": REPO, "number": 7, "title": "KeyError when loading", "body": TRACE, "author": "ada"}
_commands: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]


def draft(*edits: Mapping[str, str]) -> dict[str, Any]:
    return {
        "cause": "The key may be missing. Fixes #1.",
        "steps": ["Ask for it kindly."],
        "edits": list(edits),
    }


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """One bug with a trace, in a repository with files, owners and two authors."""
    monkeypatch.chdir(tmp_path)
    with World(tmp_path, [ISSUE]) as made:
        made.control(repo=REPO, files=FILES, by="eve")
        made.control(repo=REPO, files={STORE: CODE.replace("row\n", "row  # kept\n")}, by="fay")
        made.route_all("bug")
        made.set("scaling.cpu_workers", "0")
        made.set("integrations.github.draft_pulls", "true")
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made
        made.assert_contracts()


@asynccontextmanager
async def inside(*drafts: dict[str, Any], **environment: str) -> AsyncIterator[App]:
    """The program in this process, with a model that writes these drafts, the last one for ever."""
    left = list(drafts)

    async def write(app: App, ask: WriteDraft, run: str) -> Drafted:
        return Drafted(data=left.pop(0) if len(left) > 1 else left[0], model="stub")

    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setitem(reading.READERS, WriteDraft, write)
        app = build(load_settings(None))
        app.policy = replace(app.policy, services=app.policy.services | ({"llm"} if drafts else set()))
        app.thinker = Thinker(think_settings(app.settings, app.policy), 0)
        try:
            async with working(app):
                yield app
        finally:
            await close(app)


async def triage(app: App, **params: Any) -> RunReport:
    run_id = runs.new_id("run")
    asked = engine.Params(repositories=app.settings.repositories, wait=30, **params).to_json()
    await app.database.run(lambda c: runs.create(c, run_id, "cli", asked, app.me))
    report = await engine.drive(app, run_id)
    assert report.triaged == 1 and not report.problems
    return report


async def sent(app: App, key: str) -> Mapping[str, Any] | None:
    """What a command was answered; None where there is no such command."""
    query = sa.select(_commands.c.answer).where(_commands.c.key == key, _commands.c.state == "sent")
    answer: Mapping[str, Any] | None = await app.database.query(lambda c: c.execute(query).scalar())
    return answer


async def test_the_story_names_suspects_with_their_people(world: World) -> None:
    async with inside() as app:
        await triage(app)
    (story,) = world.listed("stories")
    lines = [row for row in story["description"].splitlines() if row.startswith("- [ ] ")]
    assert [row.partition("](")[0] for row in lines] == [
        f"- [ ] [`{STORE}:2`",
        "- [ ] [`src/widgets/cli.py:5`",
    ]
    assert lines[0].endswith(
        "in the trace in `load`; owned by `octo/core`, `dee`; last changed by `fay`, `eve`"
    )
    assert lines[1].endswith("; last changed by `eve`")
    assert world.listed("pulls") == []


async def test_one_draft_pull_request_on_a_branch_of_its_own(world: World) -> None:
    async with inside(draft(EDIT)) as app:
        await triage(app)
        answer = await sent(app, f"pull:{REPO}#7")
        await triage(app, full=True)
    (pull,) = world.listed("pulls")
    assert answer is not None and answer["number"] == pull["number"]
    assert (pull["draft"], pull["base"], pull["head"][:13]) == (True, "main", "switchyard/7-")
    kept = CODE.replace("row\n", "row  # kept\n")
    assert pull["files"] == {STORE: kept.replace("return rows[key]", "return rows.get(key)")}
    assert pull["reviewers"] == ["dee", "core"] and "[skip ci]" in pull["message"]
    assert "nobody has checked" in pull["body"] and "about #7" in pull["body"] and "#1" not in pull["body"]
    # The branch that it is for is as it was.
    found = world.http.get(f"/repos/{REPO}/commits", headers={"authorization": "Bearer sandbox"}).json()
    assert [commit["author"]["login"] for commit in found] == ["fay", "eve"]
    (story,) = world.listed("stories")
    assert "Draft by `stub`; nobody has checked it." in story["description"]
    assert "+    return rows.get(key)" in story["description"]


@pytest.mark.parametrize(
    ("edits", "environment"),
    [
        ([EDIT], {"SWITCHYARD__INTEGRATIONS__GITHUB__DRAFT_PULLS": "false"}),
        ([{"path": ".github/workflows/ci.yml", "find": "on: push", "replace": "on: issues"}], {}),
        ([EDIT, {"path": ".github/CODEOWNERS", "find": "@cy", "replace": "@eve"}], {}),
        ([{**EDIT, "find": "rows"}], {}),
        ([{**EDIT, "path": "src/widgets/new.py"}], {}),
        ([], {}),
    ],
)
async def test_no_pull_request_whatever_the_model_says(
    world: World, edits: list[dict[str, str]], environment: dict[str, str]
) -> None:
    async with inside(draft(*edits), **environment) as app:
        await triage(app)
        assert await sent(app, f"pull:{REPO}#7") is None
    assert world.listed("pulls") == []
    state = world.state()["requests"]["github"]["by_route"]
    assert not any("/git/" in route for route in state if not route.startswith("GET"))


async def test_a_second_try_may_apply(world: World) -> None:
    async with inside(draft({**EDIT, "find": "nowhere"}), draft(EDIT)) as app:
        await triage(app)
    assert len(world.listed("pulls")) == 1


@pytest.mark.parametrize("path", ["/pulls", "/git/refs", "/git/trees", "/requested_reviewers"])
async def test_an_answer_that_is_lost_makes_no_second_one(world: World, path: str) -> None:
    world.control(service="github", fault="drop_after", match=f"POST .*{path}", times=1)
    async with inside(draft(EDIT)) as app:
        await triage(app)
        await engine.settle(app, None, 40)
        answer = await sent(app, f"pull:{REPO}#7")
    (pull,) = world.listed("pulls")
    assert answer is not None and answer["number"] == pull["number"]
    # Nor do those go unasked who are to look at it.
    assert pull["reviewers"] == ["dee", "core"]
    assert [fault["hits"] for fault in world.state()["faults"]] == [1]


async def test_reviewers_are_asked_once_github_is_well_again(world: World) -> None:
    world.control(service="github", fault="status", status=502, match="POST .*/requested_reviewers", times=2)
    async with inside(draft(EDIT)) as app:
        await triage(app)
        await engine.settle(app, None, 40)
    (pull,) = world.listed("pulls")
    assert pull["reviewers"] == ["dee", "core"]


async def test_a_file_that_has_changed_since_is_left_alone(world: World) -> None:
    async with inside(draft(EDIT)) as app:
        app.lanes["github"].held_until = float("inf")
        task = asyncio.create_task(triage(app))
        while not await app.database.query(
            lambda c: c.execute(sa.select(_commands.c.key).where(_commands.c.key == f"pull:{REPO}#7")).all()
        ):
            await asyncio.sleep(0.05)
        world.control(repo=REPO, files={STORE: CODE + "# more\n"})
        app.lanes["github"].held_until = 0.0
        await task
        answer = await sent(app, f"pull:{REPO}#7")
    assert answer == {"skipped": f"{STORE} has changed since"}
    assert world.listed("pulls") == []


async def test_a_repository_that_takes_no_drafts_keeps_no_branch(world: World) -> None:
    world.control(repo=REPO, drafts=False)
    async with inside(draft(EDIT)) as app:
        await triage(app)
        answer = await sent(app, f"pull:{REPO}#7")
    assert answer == {"skipped": "the repository takes no draft pull requests"}
    branches = world.http.get(
        f"/repos/{REPO}/git/matching-refs/heads/switchyard", headers={"authorization": "Bearer sandbox"}
    )
    assert branches.json() == []


async def test_who_may_not_open_one_labels_all_the_same(world: World) -> None:
    world.control(service="github", fault="status", status=403, match="POST .*/git/trees", times=50)
    async with inside(draft(EDIT)) as app:
        await triage(app)
        dead = await app.database.query(
            lambda c: c.execute(
                sa.select(_commands.c.key, _commands.c.last_error).where(_commands.c.state == "dead")
            ).all()
        )
    assert [row.key for row in dead] == [f"pull:{REPO}#7"]
    assert "it needs Contents and Pull requests: read and write" in dead[0].last_error
    assert world.listed("labels")[0]["added"]


@pytest.mark.parametrize(
    ("before", "answer", "assignees"),
    [
        ({}, {"assigned": "dee"}, ["dee"]),
        ({"account": {"login": "dee", "permission": "read"}}, None, []),
    ],
)
async def test_who_knows_the_file_is_assigned_where_that_is_wanted(
    world: World, before: dict[str, Any], answer: dict[str, str] | None, assignees: list[str]
) -> None:
    if before:
        world.control(**before)
    async with inside(SWITCHYARD__INTEGRATIONS__GITHUB__ASSIGN_SUSPECTS="true") as app:
        await triage(app)
        told = await sent(app, f"assign:{REPO}#7")
    assert told == (answer or {"skipped": "dee cannot be assigned in this repository"})
    issue = world.http.get(f"/repos/{REPO}/issues/7", headers={"authorization": "Bearer sandbox"}).json()
    assert [person["login"] for person in issue["assignees"]] == assignees


async def test_whom_a_person_assigned_meanwhile_stays(world: World) -> None:
    async with inside() as app:
        world.control(issue={"repo": REPO, "number": 7, "assignees": ["zoe"]})
        now = datetime.now(UTC)
        (told,) = await app.github.send([Pending(command=assign(f"{REPO}#7", "dee"), created_at=now)])
    assert told == {"skipped": "somebody is assigned already"}

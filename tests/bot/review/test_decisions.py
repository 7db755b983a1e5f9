"""What people say of a case: recorded, thought about again, told to the router; approvals, pauses and reasons."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.app.app import App
from bot.review import decisions as correct
from bot.run import dry_run
from bot.run.batches import work_batch
from bot.store import cases, learning, pauses, queue, runs
from bot.store.runs import Batch
from models.run import Params
from tests.bot.deliver.test_reconcile import REPO, inside, labels, on_github, run, story_of
from tests.bot.review.test_comment_commands import serving, story_shows, until
from tests.bot.run.test_run import bugs, many
from tests.world import World

REF = f"{REPO}#1"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.chdir(tmp_path)
    with bugs(tmp_path, many(2)) as made:
        made.set("scaling.cpu_workers", "0")
        made.set("repositories", f'["{REPO}"]')
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made
        made.assert_contracts()
        made.assert_once()


async def route(app: App, ref: str, where: Any, person: str = "ann", **more: Any) -> correct.Said:
    said = await app.database.run(
        lambda c: correct.reroute(c, ref, where, person=person, via="slack", **more)
    )
    app.new_batches.set()
    return said


async def test_what_is_not_known_is_said(world: World) -> None:
    async with inside() as app:
        for said in (
            await route(app, f"{REPO}#77", "bug"),
            await route(app, "nonsense", "bug"),
            await app.database.run(lambda c: correct.ignore(c, REF, person="a", via="cli")),
            await app.database.run(lambda c: correct.retry(c, REF, person="a", via="cli")),
            await app.database.run(lambda c: correct.snooze(c, REF, person="a", until=time.time())),
        ):
            assert not said.done and "was not triaged here" in said.words
        assert await app.database.query(lambda c: correct.why(c, REF)) is None
        assert await app.database.query(learning.corrections) == []


@pytest.mark.databases("sqlite", "postgresql")
async def test_names_may_be_written_in_any_case(world: World) -> None:
    async with serving() as app:
        said = await route(app, REF.upper(), "feature", "A\x00n\u202en  of <!here>")
        assert said.done and said.ref == REF
        (kept,) = await app.database.query(learning.corrections)
        assert (kept.issue, kept.person) == (REF, "Ann of <!here>")
        await until(lambda: story_shows(world, "feature", "feature"))


@pytest.mark.databases("sqlite", "postgresql")
async def test_a_word_that_comes_while_the_case_is_thought_about_is_not_lost(world: World) -> None:
    async with inside() as app:
        await run(app)
        think = app.thinker.think

        async def slowly(*given: Any) -> Any:
            results = await think(*given)
            # In this moment, after the batch has read what people said.
            app.thinker.think = think  # type: ignore[method-assign]
            await route(app, REF, "feature")
            return results

        app.thinker.think = slowly  # type: ignore[method-assign, assignment]
        await app.database.run(lambda c: correct.retry(c, REF, person="ann", via="cli"))
        for _ in range(2):
            batch = await app.database.run(lambda c: runs.claim(c, app.me, [app.me]))
            assert isinstance(batch, Batch)
            await work_batch(app, batch)
        await until(lambda: story_shows(world, "feature", "feature"))


async def test_a_route_that_asks_first_makes_its_story_when_a_person_approves(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHYARD__ROUTER__APPROVE", "bug,feature")
    async with inside(**{"github.comment": "never"}) as app:
        report = await run(app)
        assert (report.routes, report.needs_person) == ({"bug": 2}, 2)
        assert report.stories["created"] == 0 and world.listed("stories") == []
        assert "bug" in labels(world, 1)
        waiting = await app.database.query(
            lambda c: [line.ref for line in cases.lines(c, report.run_id, people_only=True)]
        )
        assert sorted(waiting) == [REF, f"{REPO}#2"]
        reasons = await app.database.query(lambda c: correct.why(c, REF))
        assert reasons is not None and any("waits for a person's approval" in line for line in reasons.lines)
        said = await route(app, REF, "approve")
        assert (said.done, said.words) == (True, "Approved: bug.")
        batch = await app.database.run(lambda c: runs.claim(c, app.me, [app.me]))
        assert batch is not None
        await work_batch(app, batch)
        await until(lambda: len(world.listed("stories")) == 1)
        assert story_shows(world, "bug", "bug")
        # A confirmation teaches, and counts against nobody.
        days = await app.database.query(lambda c: learning.days(c, 0))
        assert sum(day.corrected for day in days) == 0


@pytest.mark.databases("sqlite", "postgresql")
async def test_a_question_keeps_its_story_and_waits_for_nobody(world: World) -> None:
    async with serving() as app:
        await route(app, REF, "question")
        await until(lambda: story_shows(world, "bug", "question"))
        await until(lambda: "question" in labels(world, 1) and "bug" not in labels(world, 1))
        report = await run(app, full=True)
        assert report.routes == {"bug": 1, "needs_human": 1}
        assert report.needs_person == 0
        approve = await route(app, REF, "approve")
        assert not approve.done and "nothing to approve" in approve.words


async def test_snoozed_cases_are_not_listed_until_then(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHYARD__ROUTER__APPROVE", '["bug"]')
    async with inside() as app:
        report = await run(app)

        def waiting() -> Any:
            return app.database.query(
                lambda c: {line.ref for line in cases.lines(c, report.run_id, people_only=True)}
            )

        now = time.time()
        said = await app.database.run(lambda c: correct.snooze(c, REF, person="ann", until=now + 3600))
        assert said.done and said.words.startswith("Snoozed until 20")
        assert await waiting() == {f"{REPO}#2"}
        await app.database.run(lambda c: pauses.begin(c, f"{pauses.SNOOZE}{REF}", "ann", now, now - 1))
        assert await waiting() == {REF, f"{REPO}#2"}


async def test_a_retry_sends_refused_commands_again(world: World) -> None:
    async with serving() as app:
        key = f"labels:{REF}"

        await app.database.run(
            lambda c: c.execute(sa.text("UPDATE commands SET state = 'dead' WHERE key = :key"), {"key": key})
        )
        assert len(await app.database.query(lambda c: queue.items(c, "dead"))) == 1
        said = await app.database.run(lambda c: correct.retry(c, REF, person="ann", via="cli"))
        assert said.words == "It is looked at again, and 1 refused update is sent again."
        app.new_batches.set()
        app.wake_lanes()
        async with asyncio.timeout(300):
            while await app.database.query(lambda c: queue.items(c, "dead") + queue.items(c, "pending")):
                await asyncio.sleep(0.05)


@pytest.mark.slow
def test_from_the_command_line(world: World) -> None:
    assert world.run("run", "--json").code == 0
    shown = world.run("issue", "why", REF)
    assert shown.code == 0 and f"{REF}: bug\n  It goes to bug: a rule says so." in shown.out
    assert "Story: http" in shown.out
    reasons = world.run("issue", "why", REF, "--json").json
    assert reasons["route"] == "bug" and "It goes to bug: a rule says so." in reasons["lines"]
    routed = world.run("issue", "route", REF, "feature")
    assert routed.code == 0 and f"{REF}: Routed: feature." in routed.out
    assert world.run("run", "--json").code == 0
    assert story_shows(world, "feature", "feature")
    assert {"enhancement"} == labels(world, 1) & {"bug", "enhancement"}
    assert "It goes to feature: a person said so." in world.run("issue", "why", REF).out
    assert world.run("--json", "issue", "retry", REF).json["done"] is True
    assert world.run("issue", "ignore", REF).code == 0
    for arguments in (
        ("route", REF, "nonsense"),
        ("route", f"{REPO}#99", "bug"),
        ("why", f"{REPO}#99"),
        ("why", "nonsense"),
        ("retry", REF),
    ):
        refused = world.run("issue", *arguments)
        assert refused.code == 2 and refused.err.startswith("switchyard: issue"), refused.err


@pytest.mark.databases("sqlite", "postgresql")
async def test_a_dry_run_knows_what_people_said(world: World) -> None:
    async with serving() as app:
        await route(app, REF, "feature")
        await until(lambda: story_shows(world, "feature", "feature"))
        params = Params(repositories=app.settings.repositories, full=True)
        report, lines, _ = await dry_run.dry_run(app, params)
        assert report.routes == {"bug": 1, "feature": 1}
        assert report.planned is not None and report.planned["stories"] == {
            "created": 0,
            "existing": 2,
            "queued": 0,
            "dead": 0,
        }
        assert on_github(world, 1) and story_of(world, 1) and lines


async def test_reasons_tell_what_was_asked_since(world: World) -> None:
    async with inside() as app:
        await run(app)

        async def lines() -> str:
            reasons = await app.database.query(lambda c: correct.why(c, REF))
            assert reasons is not None
            return "\n".join(reasons.lines)

        await app.database.run(lambda c: correct.ignore(c, REF, person="bo", via="cli"))
        assert "bo asked to leave it alone until somebody routes it." in await lines()
        await route(app, REF, "question")
        told = await lines()
        assert "ann said question (slack); it is taken up by serve or the next run." in told
        assert "leave it alone" not in told
        approve = await route(app, REF, "approve", person="bo")
        assert not approve.done and "ann said question already" in approve.words
        await app.database.run(lambda c: correct.snooze(c, REF, person="bo", until=time.time() + 60))
        assert "bo asked not to be reminded of it until 20" in await lines()
        await run(app)
        assert "is taken up" not in await lines()

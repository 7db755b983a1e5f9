"""The sweep finds what was missed while the bot was down, in both of its ways."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.store import inbox
from bot.store.database import Database
from bot.trigger.sweep import sweep
from integrations.github.client.client import GithubClient
from tests.bot.trigger.test_inbox import SECRET
from tests.bot.trigger.test_installations import as_app, many, payload_of, post, serving, stories
from tests.integrations.test_github_app import Sandbox, key, sandbox
from tests.world import World

__all__ = ["key", "sandbox"]

REPO = "octo/widgets"


def ago(**delta: float) -> str:
    return f"{datetime.now(UTC) - timedelta(**delta):%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.slow
def test_an_app_fetches_the_deliveries_that_reached_nobody(tmp_path: Path) -> None:
    with World(tmp_path, [*many(REPO, 20), *many("acme/rockets", 1)]) as world:
        as_app(world)
        with serving(world) as door:
            post(door, "issues", "came", payload_of(REPO, 1))
            world.wait_until(lambda: stories(world) == {f"{REPO}#1"})
        world.control(hook_delivery={"event": "issues", "guid": "old", "payload": payload_of(REPO, 2),
                                     "delivered_at": ago(days=4)})  # fmt: skip
        world.control(hook_delivery={"event": "issues", "guid": "came", "payload": payload_of(REPO, 1),
                                     "status_code": 202})  # fmt: skip
        for number in range(10, 120):
            state = "open" if number < 20 else "closed"
            payload = payload_of(REPO, number, state=state)
            world.control(hook_delivery={"event": "issues", "guid": f"m{number}", "payload": payload})
        # Redelivered by a person, in vain; of no interest; and one that cannot be read.
        world.control(hook_delivery={"event": "issues", "guid": "m10", "payload": payload_of(REPO, 10)})
        world.control(hook_delivery={"event": "star", "guid": "s", "payload": {"action": "created"}})
        world.control(hook_delivery={"event": "issues", "guid": "odd", "payload": {"issue": None}})
        with serving(world):
            wanted = {f"{REPO}#{number}" for number in (1, *range(10, 20))}
            world.wait_until(lambda: stories(world) == wanted)
        details = [r for r in world.listed("requests") if r["path"].startswith("/app/hook/deliveries/")]
        assert len(details) == 111, "each missing one is fetched once, and no other"
        with serving(world) as door:
            world.wait_until(lambda: list_reads(world) >= 5)
            assert door.http.get("/healthz").status_code == 200
        details = [r for r in world.listed("requests") if r["path"].startswith("/app/hook/deliveries/")]
        assert len(details) == 111
        world.assert_once()
        world.assert_contracts()


def test_it_goes_on_where_it_stopped(
    sandbox: Sandbox, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.trigger.sweep.MOST", 3)
    for number in range(7):
        payload = payload_of(REPO, number + 1)
        sandbox.control(hook_delivery={"event": "issues", "guid": f"g{number}", "payload": payload})

    async def work(client: GithubClient) -> None:
        app: Any = SimpleNamespace(github=client, database=database, delivered=asyncio.Event())
        first = await sweep(app)
        assert (first.found, first.read, app.delivered.is_set()) == (3, 3, True)
        # One that GitHub cannot show holds up no other, and is asked for again.
        broken = {"match": "/app/hook/deliveries/1000003", "fault": "status", "status": 500}
        sandbox.control(service="github", **broken)
        second = await sweep(app)
        assert (second.found, len(second.problems)) == (2, 1)
        sandbox.control(reset="faults")
        sandbox.control(service="github", match="/app/hook/deliveries/1000006", fault="status", status=429)
        third = await sweep(app)
        assert third.found == 1 and "next sweep" in third.problems[0]
        sandbox.control(reset="faults")
        client.guard._held_until = 0.0
        assert (await sweep(app)).found == 1
        assert (await sweep(app)).read == 0

    sandbox.use(work)
    with database.write() as connection:
        order = [row.id for row in inbox.waiting(connection, "github", 10)]
    assert order == [f"github:g{n}" for n in (0, 1, 2, 4, 5, 3, 6)]
    database.dispose()


def list_reads(world: World) -> int:
    routes = world.state()["requests"]["github"]["by_route"]
    return int(routes.get("GET /app/hook/deliveries", 0))


@pytest.mark.slow
def test_with_a_token_each_repository_is_asked_what_changed(tmp_path: Path) -> None:
    seeds = [issue | {"created_at": ago(days=9), "updated_at": ago(days=9)} for issue in many(REPO, 5)]
    with World(tmp_path, seeds) as world:
        world.environment["GITHUB_WEBHOOK_SECRET"] = SECRET
        world.route_all("bug")
        world.set("schedule.sweep", "1s")
        # Nothing is known of the repository: it is read from now on, and the past is left to a run.
        with serving(world):
            world.wait_until(lambda: world.state()["requests"].get("github", {}).get("count", 0) >= 2)
        assert stories(world) == set()
        world.control(issue={"repo": REPO, "number": 3, "title": "Loading fails now"})
        world.control(issue={"repo": REPO, "number": 4, "state": "closed", "by": "ann"})
        with serving(world):
            world.wait_until(lambda: stories(world) == {f"{REPO}#3"})
            # What the bot itself writes is no news, and an issue that changes while it serves is found, too.
            world.control(issue={"repo": REPO, "number": 5, "title": "Printing fails now"})
            world.wait_until(lambda: stories(world) == {f"{REPO}#3", f"{REPO}#5"})
        world.assert_once()
        world.assert_contracts()


def test_it_can_be_turned_off_and_is_off_without_webhooks(tmp_path: Path) -> None:
    for folder, name, value in (("off", "SWITCHYARD__SCHEDULE__SWEEP", "0"), ("none", "UNUSED", "1")):
        (tmp_path / folder).mkdir()
        with World(tmp_path / folder, many(REPO, 1)) as world:
            as_app(world)
            world.environment[name] = value
            if folder == "none":
                world.environment.pop("GITHUB_WEBHOOK_SECRET")
            with serving(world):
                world.wait_until(lambda w=world: "/installation/repositories" in str(w.listed("requests")))
            assert list_reads(world) == 0

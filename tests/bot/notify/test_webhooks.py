"""Webhooks of repositories: who is told what, whose trouble a dead receiver is, and who is off."""

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.deliver.lane import Lane
from bot.notify import webhooks as hooks
from bot.store import outbox, owners, repo_configs, runs
from bot.store.database import Database, GroupWriter
from integrations.base import BreakerSettings, Limit, RetrySettings
from integrations.resilience import Guard
from integrations.webhook.client import REPOSITORIES, RepositoryHooks
from integrations.webhook.commands import GONE_WORDS
from integrations.webhook.settings import WebhookSettings
from models.report import RunReport
from models.tables import CaseRow, CommandRow, RepositoryConfigRow
from models.units import Rate
from tests.bot.run.test_run import bugs, issue
from tests.integrations.test_egress import NAME, door, receiver

OPERATORS = "a long secret of the operator's own"
OWN = (WebhookSettings(url="http://127.0.0.1:1/h", secret_env="HOOK"),)
_cases: sa.Table = CaseRow.__table__  # type: ignore[attr-defined]
_commands: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]
_configs: sa.Table = RepositoryConfigRow.__table__  # type: ignore[attr-defined]


def configure(connection: Connection, repo: str, *urls: Any, sha: str = "1") -> None:
    connection.execute(sa.delete(_configs).where(_configs.c.repo == repo))
    data = {"webhooks": [{"url": url} for url in urls]}
    connection.execute(sa.insert(_configs).values(repo=repo, data=data, sha=sha, problem="", read_at=1.0))


def handle(connection: Connection, key: str, route: str = "bug", status: str = "triaged") -> None:
    empty = {"urgency": 0.0, "trace_key": "", "url": "", "content_hash": "", "own_labels": [], "failures": 0}
    connection.execute(
        sa.insert(_cases).values(
            key=key, status=status, route=route, run_id="r", updated_at=1.0, title="SECRET", error="", detail={},
            **empty,
        )
    )  # fmt: skip


def report(**fields: Any) -> RunReport:
    return RunReport(
        run_id="r", status="completed", started_at="2026-11-21T02:00:00Z", trigger="nightly", **fields
    )


def told(connection: Connection, targets: tuple[str, ...] = (REPOSITORIES,)) -> dict[str, dict[str, Any]]:
    """The events by address."""
    made = hooks.commands(connection, report(), OWN, targets)
    return {c.payload["hook"].get("url", c.lane): c.payload["event"] for c in made}


def test_each_repository_is_told_of_itself_alone(database: Database) -> None:
    with database.write() as c:
        configure(c, "octo/widgets", "https://a.example.com/", "https://b.example.com/")
        configure(c, "octo/gadgets", "https://c.example.com/")
        configure(c, "octo/idle", "https://d.example.com/")
        for number, route in enumerate(("bug", "bug", "docs", "security", "needs_human")):
            handle(c, f"Octo/Widgets#{number}", route)
        handle(c, "Octo/Widgets#9", status="failed")
        handle(c, "octo/gadgets#1", "feature")
        found = told(c)
    assert set(found) == {f"https://{name}.example.com/" for name in "abc"}
    event = found["https://a.example.com/"]
    assert event["type"] == "run.finished" and event["timestamp"].endswith("Z")
    assert event["data"] == {
        "run_id": "r",
        "trigger": "nightly",
        "started_at": "2026-11-21T02:00:00Z",
        "repository": "Octo/Widgets",
        "triaged": 5,
        "failed": 1,
        # A security report and a question for a person look the same from outside.
        "routes": {"bug": 2, "docs": 1, "review": 2},
    }
    assert found["https://b.example.com/"] == event
    assert found["https://c.example.com/"]["data"]["routes"] == {"feature": 1}
    assert "SECRET" not in json.dumps(found) and "security" not in json.dumps(found)


def test_the_operators_hook_is_told_of_the_run_and_repositories_only_where_they_may(
    database: Database,
) -> None:
    with database.write() as c:
        configure(c, "octo/widgets", "https://a.example.com/")
        handle(c, "octo/widgets#1")
        assert set(told(c, ("webhook:0",))) == {"webhook:0"}
        assert set(told(c, ())) == set()
        both = hooks.commands(c, report(), OWN, ("webhook:0", REPOSITORIES))
    assert [command.lane for command in both] == ["webhook:0", REPOSITORIES]
    assert len({command.key for command in both}) == 2
    assert both[0].payload["event"]["data"]["stories"] == dict(report().stories)


def test_a_file_from_elsewhere_does_no_harm(database: Database) -> None:
    with database.write() as c:
        configure(c, "octo/widgets", *[f"https://{n}.example.com/" for n in range(50)], None, 7, [])
        assert len(repo_configs.hooks(c)) == repo_configs.MOST_HOOKS
        for data in ({}, {"webhooks": None}, {"webhooks": ["x", 1, None, {"uri": "y"}]}):
            c.execute(sa.update(_configs).values(data=data))
            assert repo_configs.hooks(c) == []


def test_a_hook_that_wants_no_more_is_off_until_its_file_changes(database: Database) -> None:
    url = "https://a.example.com/"

    def refuse(c: Connection, key: str) -> None:
        words = f"webhook of octo/widgets: {GONE_WORDS}: it wants no more"
        c.execute(sa.update(_commands).where(_commands.c.key == key).values(state="dead", last_error=words))

    with database.write() as c:
        configure(c, "octo/widgets", url)
        handle(c, "octo/widgets#1")
        both = hooks.commands(c, report(), OWN, ("webhook:0", REPOSITORIES))
        outbox.store_once(c, "r", both, 0.0)
        assert len(told(c, ("webhook:0", REPOSITORIES))) == 2
        for command in both:
            refuse(c, command.key)
        assert told(c, ("webhook:0", REPOSITORIES)) == {}
        configure(c, "octo/widgets", url, sha="2")
        assert set(told(c)) == {url}
        configure(c, "octo/widgets", url, sha="1")
        assert told(c) == {}
        c.execute(sa.update(_commands).values(state="dropped"))
        assert len(told(c, ("webhook:0", REPOSITORIES))) == 2, "a person discarded the dead letters"


def test_what_a_stranger_does_not_take_is_no_failure_of_the_run(database: Database) -> None:
    with database.write() as c:
        configure(
            c, "octo/widgets", "https://a.example.com/", "https://b.example.com/", "https://c.example.com/"
        )
        handle(c, "octo/widgets#1")
        made = hooks.commands(c, report(), OWN, (REPOSITORIES,))
        outbox.store_once(c, "r", made, 0.0)
        for command, state in zip(made, ("sent", "dead", "pending"), strict=True):
            c.execute(sa.update(_commands).where(_commands.c.key == command.key).values(state=state))
        found = runs.delivered(c, "r")["notifications"]
    assert (found["webhook"], found["queued"], found["dead"]) == (1, 0, 0)


async def test_a_dead_receiver_holds_up_nobody(database: Database, tmp_path: Path) -> None:
    """Ten strangers' receivers that are closed, refused or silent, and one that takes its event at once."""
    async with receiver(tmp_path) as there:
        good = f"https://{NAME}:{there.port}/hook"

        def resolve(host: str, port: int) -> list[str]:
            return ["127.0.0.1" if host == NAME else "127.0.0.2" if host.startswith("down") else "10.0.0.1"]

        rules = door(there.port)
        rules = type(rules)(
            ports=rules.ports, resolve=resolve, allows=lambda address: address.startswith("127.")
        )
        guard = Guard(
            REPOSITORIES,
            limits=[Limit([Rate(1_000, 1)])],
            timeout=60,
            breaker=BreakerSettings(failure_threshold=2),
            retry=RetrySettings(),
        )
        target = RepositoryHooks(OPERATORS, guard, user_agent="test", rules=rules, verify=there.trust)
        lane = Lane(target, database, GroupWriter(database), RetrySettings(max_attempts=1), 3, "me")
        await database.run(lambda c: owners.beat(c, "me"))

        def prepare(c: Connection) -> None:
            for n in range(5):
                configure(c, f"octo/down{n}", f"https://down{n}.example.com:{there.port}/")
                configure(c, f"octo/inside{n}", f"https://inside{n}.example.com:{there.port}/")
                handle(c, f"octo/down{n}#1")
                handle(c, f"octo/inside{n}#1")
            configure(c, "octo/zebra", good)
            handle(c, "octo/zebra#1")
            outbox.store_once(c, "r", hooks.commands(c, report(), (), (REPOSITORIES,)), time.time())

        await database.run(prepare)
        began = time.time()
        work = asyncio.create_task(lane.run({lane.name: lane}))
        try:
            async with asyncio.timeout(300):
                while (
                    await database.query(lambda c: outbox.due(c, REPOSITORIES, time.time(), 1)) or lane.active
                ):
                    await asyncio.sleep(0.02)
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await target.close()
        assert len(there.requests) == 1 and guard.breaker.state == "closed"
        with database.read() as c:
            rows = c.execute(sa.select(_commands)).all()
        states: Mapping[str, set[str]] = {
            name: {row.state for row in rows if name in row.payload["hook"]["url"]}
            for name in ("down", "inside", NAME)
        }
        assert states == {"down": {"pending"}, "inside": {"dead"}, NAME: {"sent"}}
        refused = next(row for row in rows if "inside" in row.payload["hook"]["url"])
        assert "leads to 10.0.0.1, which is not public" in refused.last_error
        times = [row.next_attempt_at for row in rows if row.state == "pending"]
        assert all(began + 50 < at < time.time() + 80 for at in times) and all(
            row.attempts == 1 for row in rows if row.state != "sent"
        )


@pytest.mark.slow
def test_a_repositorys_address_inside_is_refused_and_the_run_is_well(tmp_path: Path) -> None:
    with bugs(tmp_path, [issue(1)]) as world:
        url = f"https://127.0.0.1:{world.sandbox.port}/hooks/inside"
        file = f"webhooks: [{{url: '{url}'}}, {{url: 'https://127.0.0.1/hooks/inside'}}]"
        world.control(repo="octo/widgets", files={".github/switchyard.yml": file})
        assert world.run("run", "--json").code == 0
        # Without the secret such hooks are off, and the report says so.
        quiet = world.run("run", "--full", "--json").json
        assert any("SWITCHYARD_HOOK_SECRET" in words for words in quiet["skipped"])
        world.environment["SWITCHYARD_HOOK_SECRET"] = "short"
        assert "shorter than" in world.run("run").err
        world.environment["SWITCHYARD_HOOK_SECRET"] = OPERATORS
        world.control(issue=issue(2))
        result = world.run("run", "--json", "--since", "2026-10-01")
        assert (result.code, result.json["status"]) == (0, "completed"), result.out + result.err
        assert "skipped" not in result.json or not any("HOOK" in words for words in result.json["skipped"])
        dead = world.run("queue", "list", "--json").json["dead"]
        told = sorted(item["last_error"].split("refused: ")[1] for item in dead)
        assert told == [
            "127.0.0.1 leads to 127.0.0.1, which is not public",
            f"port {world.sandbox.port}; allowed are 443, 8443",
        ]
        assert world.listed("webhooks") == []

        shown = world.run("hooks", "Octo/Widgets", "--json").json
        assert shown["repository"] == "Octo/Widgets" and shown["hooks"][0]["url"] == url
        secrets = {hook["secret"] for hook in shown["hooks"]}
        assert len(secrets) == 2 and all(secret.startswith("whsec_") for secret in secrets)
        words = world.run("hooks", "octo/widgets").out
        assert all(secret in words for secret in secrets)
        assert "names no webhooks" in world.run("hooks", "octo/none").out
        del world.environment["SWITCHYARD_HOOK_SECRET"]
        without = world.run("hooks", "octo/widgets")
        assert without.code == 2 and "SWITCHYARD_HOOK_SECRET" in without.err


def test_only_a_hook_that_asked_for_it_is_told_of_security_reports(database: Database) -> None:
    own = [
        WebhookSettings(url="https://a.example.com", secret_env="A"),
        WebhookSettings(url="https://b.example.com", secret_env="B", what=frozenset({"security"})),
    ]
    targets = ("webhook:0", "webhook:1", REPOSITORIES)
    with database.write() as c:
        configure(c, "octo/widgets", "https://c.example.com/")
        handle(c, "octo/widgets#1", "security")
        handle(c, "octo/widgets#2", "bug")
        found = hooks.security_events(c, "r", own, targets)
        assert [command.lane for command in found] == ["webhook:1"]
        event = found[0].payload["event"]
        assert event["type"] == "security.reported"
        assert event["data"] == {"ref": "octo/widgets#1", "route": "security", "severity": ""}
        assert "SECRET" not in json.dumps(found[0].payload)
        outbox.store_once(c, "r", found, 1.0)
        assert hooks.security_events(c, "r", own, targets) == []
        assert [command.lane for command in hooks.commands(c, report(), own, targets)][:1] == ["webhook:0"]
        assert "webhook:1" not in [command.lane for command in hooks.commands(c, report(), own, targets)]

"""The audit log: what the bot wrote, what people did on the command line, and how it is read."""

import time
from typing import Any

import pytest

from bot.cli.audit import account, list_audit
from bot.store import audit, outbox
from bot.store.database import Database
from bot.store.outbox import Outcome
from models.errors import UserFacing
from tests.world import World

NOW = 1_800_000_000.0
REF = "octo/widgets#1"


def delivered(answer: dict[str, Any] | None, **more: Any) -> Outcome:
    what = {"key": f"comment:{REF}", "issue": REF, "target": "github", "operation": "write_comment"}
    return Outcome(**{**what, "payload_hash": "", "answer": answer, **more})  # type: ignore[arg-type]


def entries(database: Database, **wanted: Any) -> list[dict[str, Any]]:
    with database.read() as connection:
        return audit.entries(connection, **{"limit": 100, **wanted})


def test_a_write_is_noted_with_its_number_and_nothing_of_its_text(database: Database) -> None:
    outcomes = [
        delivered({"comment_id": 7, "url": "https://github.com/x"}),
        delivered(
            {"id": 9, "url": "https://app.shortcut.com/s/9/THE-TITLE"}, target="shortcut", key="story:x"
        ),
        delivered({"channel": "C1", "ts": "1.5"}, target="slack", issue=None, key="digest:run-1"),
        delivered({}, target="webhook", issue=None, key="event:1"),
    ]
    with database.write() as connection:
        outbox.save(connection, outcomes, NOW)
    found = entries(database)
    assert [(e["via"], e["action"], e["subject"], e["detail"]) for e in reversed(found)] == [
        ("github", "write_comment", REF, {"key": f"comment:{REF}", "id": 7}),
        ("shortcut", "write_comment", REF, {"key": "story:x", "id": 9}),
        ("slack", "write_comment", "digest:run-1", {"key": "digest:run-1", "id": "1.5"}),
        ("webhook", "write_comment", "event:1", {"key": "event:1"}),
    ]
    assert {e["actor"] for e in found} == {audit.BOT}
    assert "TITLE" not in str(found)
    with database.read() as connection:
        assert audit.writes_since(connection, [REF], NOW - 1, "github") == {REF: 1}


@pytest.mark.parametrize(
    "outcome",
    [
        delivered({"existing": True}),
        delivered({"gone": True}),
        delivered({"comment_id": 7, "removed": True}),
        delivered(None, error="refused", tried=True),
        delivered(None, again_at=NOW + 1, error="later"),
    ],
)
def test_what_wrote_nothing_is_not_noted(database: Database, outcome: Outcome) -> None:
    with database.write() as connection:
        outbox.save(connection, [outcome], NOW)
    assert entries(database) == []


def test_it_is_read_by_actor_subject_and_time_page_by_page(database: Database) -> None:
    with database.write() as connection:
        for number in range(6):
            actor, subject = ("ann", "run-1") if number % 2 else ("bob", "run-2")
            audit.note(connection, NOW + number, actor=actor, via="api", action="run.pause", subject=subject)
    first = entries(database, limit=2)
    assert [e["id"] for e in first] == [6, 5]
    assert [e["id"] for e in entries(database, limit=2, before=first[-1]["id"])] == [4, 3]
    assert {e["subject"] for e in entries(database, actor="ann")} == {"run-1"}
    assert len(entries(database, subject="run-2")) == 3
    assert [e["id"] for e in entries(database, since=NOW + 4)] == [6, 5]
    assert first[0]["at"] == "2027-01-15T08:00:05Z"


def test_old_entries_are_forgotten(database: Database) -> None:
    with database.write() as connection:
        for at in (NOW - audit.KEPT - 1, NOW):
            audit.note(connection, at, actor="ann", via="api", action="run.pause", subject="run-1")
        audit.prune(connection, NOW)
    assert [e["id"] for e in entries(database)] == [2]


def test_a_time_that_is_none_is_one_sentence(database: Database) -> None:
    with pytest.raises(UserFacing, match="--since: 'soon' is not a time"):
        list_audit(database, None, None, "soon", 10, False)


@pytest.mark.slow
def test_commands_are_noted_under_the_account_that_gave_them(world: World) -> None:
    world.environment["USER"] = world.environment["LOGNAME"] = "somebody-else"
    world.control(service="shortcut", fault="status", status=422, times=8, match="POST /api/v3/stories/bulk")
    report = world.run("run", "--wait", "5s", "--json").json
    dead = world.run("queue", "list", "--json").json["dead"]
    assert world.run("queue", "discard", dead[0]["key"]).code == 0
    assert world.run("queue", "retry", "--all-dead").code == 0
    world.run("queue", "drain")
    assert world.run("runs", "cancel", report["run_id"]).code == 2

    found = world.run("audit", "--actor", account(), "--json").json["entries"]
    assert [(e["via"], e["action"], e["subject"]) for e in reversed(found)] == [
        ("cli", "run.start", report["run_id"]),
        ("cli", "queue.discard", dead[0]["key"]),
        ("cli", "queue.retry", "dead letters"),
        ("cli", "queue.drain", "queue"),
    ]
    # Every write is there, once: what stands in Shortcut is what the bot says it made.
    made = world.run("audit", "--actor", audit.BOT, "--limit", "10000", "--json").json["entries"]
    stories = {e["detail"]["id"] for e in made if e["action"] == "create_story"}
    assert stories == {story["id"] for story in world.listed("stories")}
    assert len(stories) == sum(e["action"] == "create_story" for e in made)
    titles = {story["name"] for story in world.listed("stories")}
    assert not [title for title in titles if title in str(made)]
    text = world.run("audit", "--issue", made[0]["subject"], "--limit", "1").out
    assert text.count("\n") == 1
    assert "switchyard (" in text
    year = time.gmtime().tm_year
    assert world.run("audit", "--since", f"{year + 1}-01-01").out == "nothing of this kind was noted\n"

"""Loops: the bot knows its own doing, and stops answering bots that answer it."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.store import audit, inbox, runs
from bot.store import loop_guard as suppressed
from bot.store.database import Database
from bot.store.inbox import Received
from bot.trigger import loop_guard as quiet
from bot.trigger.inbox import Ground, meaning, take
from models.tables import CommandRow, InboxRow, IssueRow, QuietRow, RunRow

REPO = "octo/widgets"
GROUND = Ground({REPO: REPO}, me="switchyard[bot]", replies=3, tell=True)
ANN, STALE = {"login": "ann", "type": "User"}, {"login": "stale[bot]", "type": "Bot"}
ME = {"login": "switchyard[bot]", "type": "Bot"}


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.write() as opened:
        yield opened


def event(number: int = 1, action: str = "labeled", sender: Any = ANN, **more: Any) -> dict[str, Any]:
    issue = {
        "number": number,
        "title": "Saving fails",
        "state": "open",
        "updated_at": "2026-11-01T10:00:00Z",
        "created_at": "2026-11-01T10:00:00Z",
    }
    return {"action": action, "issue": issue, "repository": {"full_name": REPO}, "sender": sender} | more


def arrive(connection: Connection, payload: dict[str, Any], kind: str = "issues") -> str:
    key = f"github:{time.monotonic_ns()}"
    row = Received(
        id=key,
        event=kind,
        action=payload["action"],
        issue=None,
        body_hash=key,
        received_at=time.time(),
        state="pending",
        payload=json.dumps(payload),
    )
    inbox.store(connection, [row])
    return key


def wrote(connection: Connection, times: int, number: int = 1, ago: float = 60.0) -> None:
    for _ in range(times):
        audit.note(
            connection,
            time.time() - ago,
            actor=audit.BOT,
            via="github",
            action="write_comment",
            subject=f"{REPO}#{number}",
        )


def noted(connection: Connection, key: str) -> str:
    table = InboxRow.__table__  # type: ignore[attr-defined]
    return str(connection.execute(sa.select(table.c.note).where(table.c.id == key)).scalar())


def column(connection: Connection, row: Any, name: str) -> list[Any]:
    return list(connection.execute(sa.select(row.__table__.c[name])).scalars())


@pytest.mark.parametrize(
    ("kind", "payload", "triaged"),
    [
        ("issues", event(), True),
        ("issues", event(sender=STALE), True),
        ("issues", event(sender=ME), False),
        ("issues", event(sender={"login": "Switchyard[BOT]"}), False),
        ("issues", event(sender=None), True),
        ("issues", event(sender={"login": 7}), True),
        ("issue_comment", event(action="created", comment={"body": "<!-- switchyard:x -->"}), False),
    ],
)
def test_the_bots_own_doing_is_known(kind: str, payload: dict[str, Any], triaged: bool) -> None:
    found = meaning(kind, payload["action"], payload, GROUND)
    assert (found.triage is not None) == triaged
    # What it looks like now is remembered all the same.
    assert found.triage or found.remember


@pytest.mark.parametrize(
    ("writes", "ago", "senders", "answered"),
    [
        (2, 60, [STALE], True),
        (3, 60, [STALE], False),
        # An hour later the count begins anew.
        (3, 3700, [STALE], True),
        # A person is answered, also where a bot spoke at the same time ...
        (3, 60, [ANN], True),
        (3, 60, [STALE, ANN], True),
        (3, 60, [ANN, STALE], True),
        # ... unless it is a bot with a person's account.
        (12, 60, [ANN], False),
    ],
)
def test_bots_are_answered_so_often_and_no_more(
    connection: Connection, writes: int, ago: float, senders: list[Any], answered: bool
) -> None:
    wrote(connection, writes, ago=ago)
    keys = [arrive(connection, event(sender=sender)) for sender in senders]
    assert take(connection, GROUND, 100) == int(answered)
    assert all(noted(connection, key).startswith("to triage" if answered else "quiet") for key in keys)
    # The copy is the newest in either case, so that the next run sees what changed.
    assert column(connection, IssueRow, "key") == [f"{REPO}#1"]


def test_it_says_once_that_it_is_quiet(connection: Connection) -> None:
    wrote(connection, 3)
    wrote(connection, 2, number=2)
    for _ in range(3):
        arrive(connection, event(1, sender=STALE))
        arrive(connection, event(2, sender=STALE))
        take(connection, GROUND, 100)
    assert column(connection, QuietRow, "issue") == [f"{REPO}#1"]
    (said,) = column(connection, CommandRow, "payload")
    assert f"{REPO}#1" in said["text"] and "stale[bot]" in said["text"] and "next run" in said["text"]
    suppressed.prune(connection, time.time() + quiet.HOUR + 1)
    assert column(connection, QuietRow, "issue") == []


def test_one_delivery_can_be_taken_alone(connection: Connection) -> None:
    keys = [arrive(connection, event(number)) for number in (1, 2, 3)]
    assert take(connection, GROUND, 100, only=keys[1]) == 1
    assert [bool(noted(connection, key)) for key in keys] == [False, True, False]


def test_large_deliveries_are_not_read_all_at_once(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "AT_ONCE", 3_000)
    for number in range(1, 6):
        payload = event(number)
        payload["issue"]["body"] = "x" * 1_000
        arrive(connection, payload)
    read = len(inbox.waiting(connection, "github", 100))
    assert 0 < read < 4
    while inbox.is_waiting(connection, "github"):
        assert take(connection, GROUND, 100) > 0
    assert len(column(connection, IssueRow, "key")) == 5


def test_a_day_of_webhooks_is_one_run_that_ends(connection: Connection) -> None:
    arrive(connection, event(1))
    arrive(connection, event(2))
    take(connection, GROUND, 1)
    arrive(connection, event(1, "edited"))
    take(connection, GROUND, 1)
    (run_id,) = column(connection, RunRow, "id")
    assert column(connection, RunRow, "progress") == [{"fetched": 3}]
    assert runs.open_batches(connection, run_id) == 3
    assert runs.close_days(connection, "webhook", run_id) == 0
    assert runs.close_days(connection, "webhook", "webhook-tomorrow") == 1
    assert column(connection, RunRow, "status") == ["running"]

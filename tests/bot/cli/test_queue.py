"""The queue: what is taken back from public places when an issue turns out to be a security report."""

import pytest
import sqlalchemy as sa

from bot.store import outbox, queue
from bot.store.database import Database
from models.commands import Command
from models.tables import CommandRow

REF = "octo/widgets#7"
_table: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]


def wish(key: str, target: str, issue: str = REF) -> Command:
    return Command(key=key, target=target, operation="x", issue=issue, payload={})


@pytest.mark.parametrize(
    ("values", "left"),
    [
        ({}, None),
        ({"state": "dead"}, "dropped"),
        ({"maybe_sent_at": 1.0}, "dropped"),
        ({"answer": {"id": 1}}, "sent"),
        ({"state": "sent", "answer": {"id": 1}}, "sent"),
    ],
)
@pytest.mark.parametrize("target", queue.PUBLIC)
def test_what_waits_for_public_places_is_taken_back(
    database: Database, values: dict[str, object], left: str | None, target: str
) -> None:
    keys = ("taken", "kept", "private", "other")
    wishes = [
        wish("taken", target),
        wish("kept", target),
        wish("private", "slack"),
        wish("other", target, "octo/widgets#8"),
    ]
    with database.write() as connection:
        outbox.store(connection, "run", wishes, 1.0)
        connection.execute(sa.update(_table).where(_table.c.key.in_(keys)).values(attempts=1, **values))
        queue.withdraw(connection, [REF], {"kept"})
        states = {row.key: row.state for row in connection.execute(sa.select(_table))}
    assert states.get("taken") == left
    before = values.get("state", "pending")
    assert all(states[key] == before for key in keys[1:])
    with database.write() as connection:
        queue.retry(connection, None)
        assert "taken" not in {item["key"] for item in queue.items(connection, "pending")}

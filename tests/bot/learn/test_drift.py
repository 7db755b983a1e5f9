"""The watch for drift: what counts as a move, told once and over once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.learn.drift import MEASURES, Count, moved, settle, weeks
from bot.notify.alerts import Channels
from bot.store import learning
from bot.store.database import Database
from models.tables import CommandRow, RouterDayRow

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ABSTAINED, CORRECTED = MEASURES
_days: sa.Table = RouterDayRow.__table__  # type: ignore[attr-defined]
_commands: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("before", "recent", "measure", "expected"),
    [
        (Count(400, 120), Count(200, 60), ABSTAINED, False),
        (Count(400, 120), Count(200, 100), ABSTAINED, True),
        (Count(400, 240), Count(200, 60), ABSTAINED, True),
        # Too few to say anything.
        (Count(400, 120), Count(40, 40), ABSTAINED, False),
        (Count(30, 0), Count(400, 400), ABSTAINED, False),
        # Sure, but too small to matter.
        (Count(100_000, 30_000), Count(100_000, 33_000), ABSTAINED, False),
        # Large, but chance may do it.
        (Count(60, 18), Count(60, 26), ABSTAINED, False),
        (Count(500, 100, 8), Count(300, 60, 36), CORRECTED, True),
        # Fewer corrections are good news.
        (Count(500, 100, 80), Count(300, 60, 2), CORRECTED, False),
        # Corrections are counted against what was accepted; of nothing there is no share.
        (Count(500, 500, 0), Count(300, 300, 9), CORRECTED, False),
    ],
)
def test_moved(before: Count, recent: Count, measure: Any, expected: bool) -> None:
    assert moved(before, recent, measure) is expected


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.write() as opened:
        yield opened


def decide(connection: Connection, days_ago: int, decided: int, abstained: int, corrected: int = 0) -> None:
    day = f"{NOW - timedelta(days=days_ago):%Y-%m-%d}"
    row = {"day": day, "model": "m", "decided": decided, "abstained": abstained, "corrected": corrected}
    connection.execute(sa.insert(_days).values(row))


def test_one_alert_and_one_when_it_is_over(connection: Connection) -> None:
    for ago in range(7, 30):
        decide(connection, ago, 40, 12)
    for ago in range(6):
        decide(connection, ago, 40, 26)
    at = NOW.timestamp()
    ((event, name, detail),) = settle(connection, at, Channels(slack=True))
    assert (event, name) == ("alert", "drift:abstained")
    assert "65% of the router's decisions were left to a person in the last 7 days (156 of 240)" in detail
    assert "it was 30%" in detail
    assert settle(connection, at + 86_400, Channels(slack=True)) == []
    connection.execute(sa.update(_days).where(_days.c.day >= "2026-11-15").values(abstained=13))
    ((event, _, _),) = settle(connection, at + 2 * 86_400, Channels(slack=True))
    assert event == "alert over"
    keys = connection.execute(sa.select(_commands.c.key).order_by(_commands.c.key)).scalars().all()
    assert keys == [f"alert:drift:abstained:{at:.0f}", f"alert:drift:abstained:{at:.0f}:over"]


def test_weeks(connection: Connection) -> None:
    decide(connection, 0, 10, 2, 1)
    decide(connection, 6, 10, 2)
    decide(connection, 7, 4, 4)
    decide(connection, 30, 1, 0)
    rows = learning.days(connection, 0.0)
    assert weeks(rows, NOW) == [
        ("2026-11-15", Count(20, 4, 1)),
        ("2026-11-08", Count(4, 4, 0)),
        ("2026-10-18", Count(1, 0, 0)),
    ]
    assert weeks([], NOW) == []

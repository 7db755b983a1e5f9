"""Alerts: what crosses a threshold, told once, over once, and one voice among several processes."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.notify import alerts
from bot.notify.alerts import Channels, Seen, Watch, evaluate, open_alerts, p99, settle
from bot.store.database import Database
from config.settings import AlertSettings
from models.tables import CommandRow

LIMITS = AlertSettings.model_validate({"error_rate": 0.05, "latency_p99": "5000ms"})
NOW, CLOCK = 1_700_000_000.0, 5_000.0


def requests(
    good: int, bad: int = 0, *, at: float = CLOCK - 10, seconds: float = 0.1
) -> list[alerts.Request]:
    return [(at, seconds, False)] * bad + [(at, seconds, True)] * good


def names(seen: Seen) -> list[str]:
    return [name for name, _ in evaluate("github", seen, LIMITS)]


def test_thresholds() -> None:
    assert names(Seen(requests(95, 5))) == []
    assert names(Seen(requests(94, 6))) == ["error_rate:github"]
    assert names(Seen(requests(20, seconds=6))) == ["latency_p99:github"]
    assert names(Seen(requests(0))) == []
    # One slow request in two hundred is beyond the 99th percentile; three are not.
    assert names(Seen(requests(199) + requests(1, seconds=60))) == []
    assert names(Seen(requests(197) + requests(3, seconds=60))) == ["latency_p99:github"]


def test_nearest_rank() -> None:
    assert p99([float(n) for n in range(1, 101)]) == 99.0
    assert p99([3.0]) == 3.0


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    alerts._over_at.clear()
    yield
    alerts._over_at.clear()


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.write() as opened:
        yield opened


def watch(services: Mapping[str, Seen], *, after: float = 0.0, me: str = "a:1:x") -> Watch:
    """A look `after` so many seconds."""
    return Watch(me, services, LIMITS, NOW + after, CLOCK + after)


def look(connection: Connection, seen: Watch, *alive: str) -> list[tuple[str, str]]:
    return [(event, name) for event, name, _ in settle(connection, seen, alive, Channels(slack=True))]


def messages(connection: Connection) -> list[Any]:
    table: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]
    return list(connection.execute(sa.select(table.c.key, table.c.payload).order_by(table.c.created_at)))


def test_one_alert_and_one_when_it_is_over(connection: Connection) -> None:
    failing = requests(10, 10)
    assert look(connection, watch({"github": Seen(failing)})) == [("alert", "error_rate:github")]
    assert look(connection, watch({"github": Seen(failing)}, after=30)) == []
    assert [alert["name"] for alert in open_alerts(connection)] == ["error_rate:github"]
    # A few good answers say little, and the old failures must not count for ever.
    few = failing + requests(5, at=CLOCK + 40)
    assert look(connection, watch({"github": Seen(few)}, after=60)) == []
    many = failing + requests(20, at=CLOCK + 40)
    assert look(connection, watch({"github": Seen(many)}, after=90)) == [("alert over", "error_rate:github")]
    # The failures are still within the window; they raise no second alert.
    more = many + requests(20, at=CLOCK + 100)
    assert look(connection, watch({"github": Seen(more)}, after=120)) == []
    again = more + requests(10, 10, at=CLOCK + 130)
    assert look(connection, watch({"github": Seen(again)}, after=150)) == [("alert", "error_rate:github")]
    keys = [row.key for row in messages(connection)]
    assert keys == [
        f"alert:error_rate:github:{NOW:.0f}",
        f"alert:error_rate:github:{NOW:.0f}:over",
        f"alert:error_rate:github:{NOW + 150:.0f}",
    ]
    assert "10 of 20 requests failed" in messages(connection)[0].payload["text"]


def test_few_requests_are_judged_only_by_the_breaker(connection: Connection) -> None:
    down = Seen(requests(0, 5))
    assert look(connection, watch({"shortcut": down})) == []
    assert look(connection, watch({"shortcut": Seen(down.requests, tripped=True)})) == [
        ("alert", "error_rate:shortcut")
    ]
    # A breaker that is still open is no recovery, whatever came before it tripped again.
    open_yet = Seen(requests(30, at=CLOCK + 10), tripped=True)
    assert look(connection, watch({"shortcut": open_yet}, after=30)) == []
    # Slowly used, it is over when a quarter of an hour brought nothing but good answers.
    quiet = Seen(requests(1, at=CLOCK + 800))
    assert look(connection, watch({"shortcut": quiet}, after=899)) == []
    assert look(connection, watch({"shortcut": quiet}, after=901)) == [("alert over", "error_rate:shortcut")]


def test_silence_is_no_recovery(connection: Connection) -> None:
    look(connection, watch({"github": Seen(requests(0, 20))}))
    assert look(connection, watch({"github": Seen(())}, after=5_000)) == []
    assert len(open_alerts(connection)) == 1


def test_old_requests_do_not_count(connection: Connection) -> None:
    assert look(connection, watch({"github": Seen(requests(0, 50, at=CLOCK - 901))})) == []


def test_a_rate_near_the_threshold_does_not_flap(connection: Connection) -> None:
    look(connection, watch({"github": Seen(requests(94, 6))}))
    near = Seen(requests(955, 45, at=CLOCK + 10))
    assert look(connection, watch({"github": near}, after=20)) == []


def test_other_processes_keep_silent_until_the_first_is_gone(connection: Connection) -> None:
    assert look(connection, watch({"github": Seen(requests(0, 20))}, me="a:1:x"), "a:1:x", "b:2:y") != []
    failing, fine = Seen(requests(0, 20)), Seen(requests(30, at=CLOCK + 1))
    both = ("a:1:x", "b:2:y")
    assert look(connection, watch({"github": failing}, me="b:2:y"), *both) == []
    assert look(connection, watch({"github": fine}, me="b:2:y", after=9), *both) == []
    one_good = Seen(requests(1, at=CLOCK + 1))
    assert look(connection, watch({"github": one_good}, me="b:2:y", after=9), "b:2:y") == [
        ("alert over", "error_rate:github")
    ]


def test_a_dead_process_leaves_its_alert_to_the_next(connection: Connection) -> None:
    look(connection, watch({"github": Seen(requests(0, 20))}, me="a:1:x"))
    still = Seen(requests(0, 20, at=CLOCK + 5))
    assert look(connection, watch({"github": still}, me="b:2:y", after=9), "b:2:y") == []
    assert look(connection, watch({"github": still}, me="c:3:z", after=9), "b:2:y", "c:3:z") == []


def test_without_channels_it_is_only_logged(connection: Connection) -> None:
    told = settle(connection, watch({"github": Seen(requests(0, 20))}), (), Channels())
    assert [event for event, _, _ in told] == ["alert"]
    assert messages(connection) == []

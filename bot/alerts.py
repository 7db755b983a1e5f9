"""Alerts: one message when a service fails too often or answers too slowly, one when that is over."""

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from bot.store import outbox, owners
from bot.wiring import App
from config.settings import AlertSettings
from integrations.resilience import Guard
from integrations.slack.payloads import escape
from models.commands import Command, post_message
from models.tables import AlertRow

log = structlog.get_logger()
_alerts: sa.Table = AlertRow.__table__  # type: ignore[attr-defined]

WINDOW = 900.0
"""Seconds over which requests are judged."""
ENOUGH = 20
"""Requests that it takes to judge a service, unless its breaker judged already."""
CALMER = 0.8
"""An open alert is over below this share of its threshold, so that a rate near it does not flap."""
RUN_ID = "alerts"

Request = tuple[float, float, bool]
"""(monotonic time, seconds, went well), as Guard keeps them."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A threshold that is crossed; `name` is the measure and the service."""

    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one process's own requests say: what is crossed, and which services it has heard of at all."""

    crossed: tuple[Alert, ...]
    heard: frozenset[str]


def evaluate(
    service: str,
    recent: Iterable[Request],
    thresholds: AlertSettings,
    *,
    now: float,
    tripped: bool = False,
    open_names: frozenset[str] = frozenset(),
) -> list[Alert]:
    """The alerts of one service; `now` is the monotonic clock, `tripped` says that its breaker is open.

    A breaker trips long before a service that is called in bulk has had twenty requests.
    """
    window = [entry for entry in recent if now - entry[0] <= WINDOW]
    if not window or (len(window) < ENOUGH and not tripped):
        return []
    found = []
    failed = sum(not ok for _, _, ok in window)
    rate = failed / len(window)
    name = f"error_rate:{service}"
    if failed and rate > thresholds.error_rate * (CALMER if name in open_names else 1):
        words = f"{failed} of {len(window)} requests failed in the last 15 minutes ({rate:.0%}"
        broken = "; its breaker is open" if tripped else ""
        found.append(Alert(name, f"{service}: {words}, threshold {thresholds.error_rate:.0%}){broken}"))
    slow = p99([seconds for _, seconds, _ in window])
    name = f"latency_p99:{service}"
    limit = thresholds.latency_p99
    if len(window) >= ENOUGH and slow > limit * (CALMER if name in open_names else 1):
        found.append(
            Alert(
                name,
                f"{service}: the slowest 1 % of requests took {slow:.1f} s or more (threshold {limit:g} s)",
            )
        )
    return found


def p99(seconds: Sequence[float]) -> float:
    """The 99th percentile by nearest rank."""
    return sorted(seconds)[math.ceil(0.99 * len(seconds)) - 1]


def judge(
    guards: Iterable[Guard], thresholds: AlertSettings, now: float, open_names: frozenset[str]
) -> Verdict:
    """All services as this process has seen them."""
    crossed: list[Alert] = []
    heard: set[str] = set()
    for guard in guards:
        # A copy, since requests may be added while this runs in a thread.
        recent = guard.recent.copy()
        tripped = guard.breaker.state != "closed"
        if tripped or any(now - at <= WINDOW for at, _, _ in recent):
            heard.add(guard.service)
        crossed += evaluate(
            guard.service, recent, thresholds, now=now, tripped=tripped, open_names=open_names
        )
    return Verdict(tuple(crossed), frozenset(heard))


async def check_alerts(app: App) -> None:
    """Tell once of each threshold that is crossed now, and once of each that no longer is."""
    thresholds = app.settings.monitoring.alert_thresholds
    stored = await app.database.query(lambda c: c.execute(sa.select(_alerts)).all())
    names = frozenset(_measure(row.name) for row in stored)
    verdict = judge(app.guards.values(), thresholds, time.monotonic(), names)
    if not verdict.crossed and not stored:
        return
    told = await app.database.run(
        lambda c: settle(c, verdict, app.me, owners.alive(c), time.time(), slack="slack" in app.targets)
    )
    for event, name, detail in told:
        log.warning(event, name=name, detail=detail)
    if told:
        app.wake_lanes()


def settle(
    connection: Connection, verdict: Verdict, me: str, alive: Iterable[str], now: float, *, slack: bool
) -> list[tuple[str, str, str]]:
    """Bring the table of open alerts up to date and store the messages; returns what there is to log.

    Each process sees only its own requests. So an alert belongs to the process that raised it, which alone
    says when it is over, and the others keep silent about the same thing; a dead one's alerts are inherited.
    """
    living = set(alive) | {me}
    crossed = {alert.name: alert for alert in verdict.crossed}
    told: list[tuple[str, str, str]] = []
    commands: list[Command] = []
    known: set[str] = set()
    for row in connection.execute(sa.select(_alerts).order_by(_alerts.c.name)).all():
        name, _, owner = row.name.partition("@")
        known.add(name)
        if owner != me and owner in living:
            continue
        if name in crossed:
            if owner != me:
                connection.execute(
                    sa.update(_alerts).where(_alerts.c.name == row.name).values(name=f"{name}@{me}")
                )
            continue
        if name.partition(":")[2] not in verdict.heard:
            # Silence is no sign of health.
            continue
        connection.execute(sa.delete(_alerts).where(_alerts.c.name == row.name))
        told.append(("alert over", name, row.detail))
        commands.append(_message(f"{_key(name, row.since)}:over", ":white_check_mark: Over", row.detail))
    for name, alert in crossed.items():
        if name not in known:
            connection.execute(sa.insert(_alerts).values(name=f"{name}@{me}", since=now, detail=alert.detail))
            told.append(("alert", name, alert.detail))
            commands.append(_message(_key(name, now), ":warning: Alert", alert.detail))
    if slack and commands:
        outbox.store_once(connection, RUN_ID, commands, now)
    return told


def open_alerts(connection: Connection) -> list[dict[str, Any]]:
    """The alerts that are not over, for pages and metrics."""
    rows = connection.execute(sa.select(_alerts).order_by(_alerts.c.since))
    return [{"name": _measure(row.name), "since": row.since, "detail": row.detail} for row in rows]


def _measure(stored: str) -> str:
    return stored.partition("@")[0]


def _key(name: str, since: float) -> str:
    return f"alert:{name}:{since:.0f}"


def _message(key: str, head: str, detail: str) -> Command:
    text = f"{head}: {escape(detail, 500)}"
    block = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    return post_message(key, channel="", text=text, blocks=[block])

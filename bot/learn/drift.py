"""The watch for drift: does the router leave more to people, or is it corrected more often, than it was?"""

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from bot.app.app import App
from bot.notify.alerts import Channels, channels
from bot.store import alerts, learning, outbox
from bot.store.alerts import OpenAlert
from bot.store.database import StoreConflict, Transaction

log = structlog.get_logger()

PREFIX = "drift:"
RECENT, BEFORE = timedelta(days=7), timedelta(days=28)
ENOUGH = 50
"""Decisions that each period must hold to be compared."""
SURE = 3.0
"""Standard errors by which shares must differ: once in some hundred looks chance does that too."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One share that is watched: of what, from which difference on, and how it is told."""

    name: str
    least: float
    told: str
    only_up: bool


MEASURES = (
    Measure("abstained", 0.10, "of the router's decisions were left to a person", only_up=False),
    Measure("corrected", 0.05, "of the router's accepted decisions were corrected by a person", only_up=True),
)


@dataclass(frozen=True, slots=True)
class Count:
    """Decisions of a period."""

    decided: int = 0
    abstained: int = 0
    corrected: int = 0

    def share(self, measure: str) -> tuple[int, int]:
        """Part and whole of a measure; corrections are counted against what was accepted."""
        if measure == "abstained":
            return self.abstained, self.decided
        whole = self.decided - self.abstained
        return min(self.corrected, whole), whole


def count(rows: Iterable[Any]) -> Count:
    """All days and models together."""
    totals = [0, 0, 0]
    for row in rows:
        for at, name in enumerate(("decided", "abstained", "corrected")):
            totals[at] += getattr(row, name)
    return Count(*totals)


def moved(before: Count, recent: Count, measure: Measure, *, ease: float = 1.0) -> bool:
    """Did the share move by more than chance and more than matters? `ease` below 1 makes it easier."""
    (k0, n0), (k1, n1) = before.share(measure.name), recent.share(measure.name)
    if n0 < ENOUGH or n1 < ENOUGH:
        return False
    difference = k1 / n1 - k0 / n0
    if measure.only_up and difference < 0:
        return False
    joint = (k0 + k1) / (n0 + n1)
    error = math.sqrt(joint * (1 - joint) * (1 / n0 + 1 / n1))
    return abs(difference) >= measure.least * ease and abs(difference) >= SURE * ease * error


def weeks(rows: Sequence[Any], now: datetime) -> list[tuple[str, Count]]:
    """(first day, count) of each week back from today that has decisions, the latest first."""
    found = []
    end = now.astimezone(UTC).date() + timedelta(days=1)
    while rows and f"{end}" > min(row.day for row in rows):
        start = end - timedelta(days=7)
        inside = [row for row in rows if f"{start}" <= row.day < f"{end}"]
        if inside:
            found.append((f"{start}", count(inside)))
        end = start
    return found


async def check_drift(app: App) -> None:
    """Tell once when a share has moved, and once when it is back."""
    now = time.time()
    try:
        told = await app.database.run(lambda c: settle(c, now, channels(app)))
    except StoreConflict:
        # Another process told of it in the same moment.
        return
    for event, name, detail in told:
        log.warning(event, name=name, detail=detail)
    if told:
        app.wake_lanes()


def settle(connection: Transaction, now: float, to: Channels) -> list[tuple[str, str, str]]:
    """Bring the open drift alerts up to date, and store the messages; returns what there is to log."""
    rows = learning.days(connection, now - (RECENT + BEFORE).total_seconds())
    border = f"{datetime.fromtimestamp(now, UTC) - RECENT + timedelta(days=1):%Y-%m-%d}"
    before = count(row for row in rows if row.day < border)
    recent = count(row for row in rows if row.day >= border)
    known = {alert.name: alert for alert in alerts.all_open(connection)}
    told, commands = [], []
    for measure in MEASURES:
        name = f"{PREFIX}{measure.name}"
        alert = known.get(name)
        if alert is None and moved(before, recent, measure):
            detail = _detail(measure, before, recent)
            alerts.add(connection, OpenAlert(name, now, detail))
            told.append(("alert", name, detail))
            commands += to.tell(name, now, detail)
        elif alert is not None and not moved(before, recent, measure, ease=0.5):
            alerts.remove(connection, name)
            told.append(("alert over", name, alert.detail))
            commands += to.tell(name, alert.since, alert.detail, over=True)
    if commands:
        outbox.store_once(connection, "alerts", commands, now)
    return told


def _detail(measure: Measure, before: Count, recent: Count) -> str:
    (k0, n0), (k1, n1) = before.share(measure.name), recent.share(measure.name)
    return (
        f"router: {k1 / n1:.0%} {measure.told} in the last 7 days ({k1} of {n1}); in the four weeks before it "
        f"was {k0 / n0:.0%}. Look at `switchyard router drift`; `switchyard router train` learns from "
        "corrections, `switchyard router rollback` undoes a promotion"
    )

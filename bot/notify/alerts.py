"""Alerts: told once when a service fails too often or answers too slowly, and once when that is over."""

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from bot.app.app import App
from bot.notify import mail
from bot.store import alerts, outbox, owners
from bot.store.alerts import OpenAlert
from bot.store.database import Transaction
from config.settings import AlertSettings
from integrations.slack.payloads import escape
from integrations.webhook.commands import hook_id
from models.commands import Command
from models.messages import post_event, post_message

log = structlog.get_logger()

WINDOW = 900.0
"""Seconds over which requests are judged."""
ENOUGH = 20
"""Requests that it takes to judge a service, unless its breaker judged already."""
CALMER = 0.8
"""An open alert is over below this share of its threshold, so that a rate near it does not flap."""
MEASURES = ("error_rate", "latency_p99")
RUN_ID = "alerts"

Request = tuple[float, float, bool]
"""(monotonic time, seconds, went well), as Guard keeps them."""

_over_at: dict[tuple[str, str], float] = {}
"""When (process, alert) was over last: what was before then raises it no second time."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What this process has seen of a service: its latest requests, and whether its breaker is open."""

    requests: Sequence[Request]
    tripped: bool = False

    def since(self, start: float) -> "Seen":
        return Seen([entry for entry in self.requests if entry[0] > start], self.tripped)

    def enough(self, measure: str) -> bool:
        """Are these enough to judge by?"""
        # A breaker trips long before a service that is called in bulk has had twenty requests.
        judged = self.tripped and measure == "error_rate" and bool(self.requests)
        return judged or len(self.requests) >= ENOUGH


def evaluate(
    service: str, seen: Seen, thresholds: AlertSettings, *, share: float = 1.0
) -> list[tuple[str, str]]:
    """(name, detail) of each threshold that these requests cross; `share` is how much of it counts."""
    count = len(seen.requests)
    if count == 0:
        return []
    found = []
    failed = sum(not ok for _, _, ok in seen.requests)
    if failed / count > thresholds.error_rate * share:
        broken = "; its breaker is open" if seen.tripped else ""
        words = f"{failed} of {count} requests failed in the last 15 minutes ({failed / count:.0%}"
        found.append(
            (f"error_rate:{service}", f"{service}: {words}, threshold {thresholds.error_rate:.0%}){broken}")
        )
    slow = p99([seconds for _, seconds, _ in seen.requests])
    if slow > thresholds.latency_p99 * share:
        words = f"the slowest 1 % of requests took {slow:.1f} s or more"
        found.append(
            (f"latency_p99:{service}", f"{service}: {words} (threshold {thresholds.latency_p99:g} s)")
        )
    return found


def p99(seconds: Sequence[float]) -> float:
    """The 99th percentile by nearest rank."""
    return sorted(seconds)[math.ceil(0.99 * len(seconds)) - 1]


@dataclass(frozen=True, slots=True)
class Watch:
    """One look of one process at its services; `now` is the epoch's time, `clock` the monotonic one."""

    me: str
    services: Mapping[str, Seen]
    thresholds: AlertSettings
    now: float
    clock: float

    def crossed(self) -> dict[str, str]:
        """Alerts to raise, by name."""
        found: dict[str, str] = {}
        for service, seen in self.services.items():
            for measure in MEASURES:
                name = f"{measure}:{service}"
                # What was before the last alert of this name was over raises no second one.
                start = max(self.clock - WINDOW, _over_at.get((self.me, name), -math.inf))
                fresh = seen.since(start)
                if fresh.enough(measure):
                    found |= {n: d for n, d in evaluate(service, fresh, self.thresholds) if n == name}
        return found

    def is_over(self, name: str, since: float, *, inherited: bool) -> bool:
        """Has the service done well since the alert was raised? Silence is no sign of health."""
        measure, _, service = name.partition(":")
        seen = self.services.get(service, Seen(()))
        began = self.clock - (self.now - since)
        after = seen.since(max(began, self.clock - WINDOW))
        if not after.requests or after.tripped:
            return False
        if name in dict(evaluate(service, after, self.thresholds, share=CALMER)):
            return False
        return inherited or after.enough(measure) or self.now - since >= WINDOW


@dataclass(frozen=True, slots=True)
class Channels:
    """Where alerts are told. Each place has a command of its own in a lane of its own, so each fails alone."""

    slack: bool = False
    hooks: Sequence[tuple[str, str]] = ()
    """Lane and id of the operator's own webhooks."""
    mail: Sequence[str] = ()
    name: str = "triage"

    def tell(self, name: str, since: float, detail: str, *, over: bool = False) -> list[Command]:
        """The commands of an alert that began at `since` (epoch seconds), or of its end."""
        key = f"alert:{name}:{since:.0f}"
        end = ":over" if over else ""
        found: list[Command] = []
        if self.slack:
            head = ":white_check_mark: Over" if over else ":warning: Alert"
            found.append(message(f"{key}{end}", head, detail))
        event = {
            "type": "alert.ended" if over else "alert.started",
            "timestamp": _iso(time.time()),
            "data": {"name": name, "since": _iso(since), "detail": detail},
        }
        found += [
            post_event(f"{key}:{hook}{end}", lane=lane, hook={"id": hook}, event=event)
            for lane, hook in self.hooks
        ]
        return found + mail.alert(self.name, key, detail, self.mail, over=over)


def channels(app: App) -> Channels:
    """Everybody who wants to be told of alerts, of those that are on."""
    hooks = [
        (f"webhook:{index}", hook_id(hook.url))
        for index, hook in enumerate(app.settings.integrations.webhooks)
        if "alerts" in hook.what
    ]
    readers = mail.recipients(app.settings) if "email" in app.targets else ()
    return Channels(
        slack="slack" in app.targets,
        hooks=[(lane, hook) for lane, hook in hooks if lane in app.targets],
        mail=[who.address for who in readers if "alerts" in who.what],
        name=app.settings.name,
    )


async def check_alerts(app: App) -> None:
    """Tell once of each threshold that is crossed now, and once of each that no longer is."""
    services = {
        name: Seen(tuple(guard.recent), guard.breaker.state != "closed") for name, guard in app.guards.items()
    }
    thresholds = app.settings.monitoring.alert_thresholds
    watch = Watch(app.me, services, thresholds, time.time(), time.monotonic())
    if not await app.database.query(alerts.all_open) and not watch.crossed():
        return
    told = await app.database.run(lambda c: settle(c, watch, owners.alive(c), channels(app)))
    for event, name, detail in told:
        log.warning(event, name=name, detail=detail)
    if told:
        app.wake_lanes()


def settle(
    connection: Transaction, watch: Watch, alive: Iterable[str], to: Channels
) -> list[tuple[str, str, str]]:
    """Bring the table of open alerts up to date and store the messages; returns what there is to log.

    Each process sees only its own requests. So an alert belongs to the process that raised it, which alone
    says when it is over, and the others keep silent about the same thing; a dead one's alerts are inherited.
    """
    living = set(alive) | {watch.me}
    told: list[tuple[str, str, str]] = []
    commands: list[Command] = []
    known: set[str] = set()
    # The watch for drift keeps its own (bot/learn/drift.py): those belong to no process.
    own = [alert for alert in alerts.all_open(connection) if not alert.name.startswith("drift:")]
    for alert in sorted(own, key=lambda alert: alert.name):
        name, _, owner = alert.name.partition("@")
        known.add(name)
        if owner != watch.me and owner in living:
            continue
        if watch.is_over(name, alert.since, inherited=owner != watch.me):
            alerts.remove(connection, alert.name)
            _over_at[watch.me, name] = watch.clock
            told.append(("alert over", name, alert.detail))
            commands += to.tell(name, alert.since, alert.detail, over=True)
        elif owner != watch.me:
            alerts.rename(connection, alert.name, f"{name}@{watch.me}")
    for name, detail in watch.crossed().items():
        if name not in known:
            alerts.add(connection, OpenAlert(f"{name}@{watch.me}", watch.now, detail))
            told.append(("alert", name, detail))
            commands += to.tell(name, watch.now, detail)
    if commands:
        outbox.store_once(connection, RUN_ID, commands, watch.now)
    return told


def open_alerts(connection: Transaction) -> list[dict[str, Any]]:
    """The alerts that are not over, for pages and metrics."""
    return [
        {"name": _measure(alert.name), "since": alert.since, "detail": alert.detail}
        for alert in alerts.all_open(connection)
    ]


def _measure(stored: str) -> str:
    return stored.partition("@")[0]


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def message(key: str, head: str, detail: str) -> Command:
    """The Slack message of an alert, or of its end."""
    text = f"{head}: {escape(detail, 500)}"
    block = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    return post_message(key, channel="", text=text, blocks=[block])

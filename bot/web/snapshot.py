"""What pages and the API show of runs, queue and services, read from the database and from memory."""

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from bot.app.app import App
from bot.monitor.health import Pulse, breakers, iso
from bot.monitor.metrics import release
from bot.notify.alerts import open_alerts
from bot.run import aggregate
from bot.store import inbox, lane_states, queue, repo_configs, runs
from bot.store.database import Transaction
from bot.store.repositories import served
from bot.trigger.schedule import next_fire
from models.report import RunReport

KEPT = 200


@dataclass(slots=True)
class Reports:
    """Summaries of runs; those that change no more are kept, for summing one up reads all its commands."""

    app: App
    _known: dict[str, RunReport] = field(default_factory=dict)

    def latest(self, connection: Transaction, limit: int) -> list[RunReport]:
        return [self._of(connection, row) for row in runs.latest(connection, limit)]

    def one(self, connection: Transaction, run_id: str) -> RunReport | None:
        row = runs.get(connection, run_id)
        return self._of(connection, row) if row is not None else None

    def _of(self, connection: Transaction, row: Any) -> RunReport:
        known = self._known.get(row.id)
        if known is not None:
            return known
        report = aggregate.summarise(connection, self.app.settings.name, row, self.app.skipped)
        if row.status in runs.AT_WORK:
            # All may be delivered, but the digest and the report are still to come.
            return replace(report, status="running")
        if not _may_change(report):
            if len(self._known) >= KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[row.id] = report
        return report


def _may_change(report: RunReport) -> bool:
    """Commands that wait or are dead may be delivered yet, and a budget comes back."""
    parts = (report.stories, report.github, report.notifications)
    return report.status == "paused" or any(part.get("queued") or part.get("dead") for part in parts)


def queued(connection: Transaction, limit: int) -> dict[str, list[dict[str, Any]]]:
    """The queue as `queue list --json` prints it."""
    return {state: queue.items(connection, state, limit) for state in ("pending", "dead")}


def queue_by_target(connection: Transaction, now: float) -> list[dict[str, Any]]:
    """For each target how much waits, how much is dead, how old the oldest is, and what holds it up."""
    counts = queue.counts(connection)
    lanes = {lane.name: lane for lane in lane_states.waiting(connection)}
    shown = []
    for target in sorted({target for target, _ in counts}):
        pending, oldest = counts.get((target, "pending"), (0, now))
        held = [lane for name, lane in lanes.items() if name.split(":")[0] == target and lane.blocked_reason]
        until = max((lane.blocked_until or 0.0 for lane in held), default=0.0)
        shown.append(
            {
                "target": target,
                "pending": pending,
                "dead": counts.get((target, "dead"), (0, now))[0],
                "oldest_seconds": round(max(0.0, now - oldest)) if pending else 0,
                "waits_because": next((lane.blocked_reason for lane in held), None),
                "waits_until": iso(datetime.fromtimestamp(until, UTC)) if until > now else None,
            }
        )
    return shown


def deliveries(connection: Transaction, now: float) -> dict[str, Any]:
    """How many webhook deliveries and presses wait for their turn, and for how long."""
    waiting, since = inbox.depth(connection)
    return {"waiting": waiting, "oldest_seconds": round(max(0.0, now - since)) if since else 0}


def status(app: App, pulse: Pulse, connection: Transaction) -> dict[str, Any]:
    """Everything but the runs."""
    now = time.time()
    due = next_fire(pulse.scheduler)
    return {
        "name": app.settings.name,
        "version": app.settings.version,
        "release": release(),
        "repositories": list(served(connection, app.settings)),
        "configurations": [
            known | {"read_at": iso(datetime.fromtimestamp(known["read_at"], UTC))}
            for known in repo_configs.standing(connection)
        ],
        "next_run_at": iso(due) if due else None,
        "scheduler": pulse.scheduler_works,
        "worker": pulse.worker_works and not app.tasks.failing,
        "failing": app.tasks.failing,
        "inbox": deliveries(connection, now),
        "queue": queue_by_target(connection, now),
        "breakers": breakers(app.guards),
        "integrations": {name: probe.to_json() for name, probe in sorted(pulse.health.probes.items())},
        "alerts": [
            alert | {"since": iso(datetime.fromtimestamp(alert["since"], UTC))}
            for alert in open_alerts(connection)
        ],
        "skipped": list(app.skipped),
    }

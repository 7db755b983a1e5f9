"""Prometheus text: requests as they were counted, and queue, breakers and runs as they are."""

import time
from collections.abc import Iterator
from functools import lru_cache
from importlib import metadata

import structlog
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bot.app.app import App
from bot.monitor.health import Pulse
from bot.notify.alerts import open_alerts
from bot.store import inbox, queue, runs
from bot.store.database import StoreError, Transaction
from bot.trigger.schedule import next_fire

log = structlog.get_logger()

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
STATES = ("closed", "half-open", "open")


def render(app: App, pulse: Pulse) -> bytes:
    """The whole exposition; asks the database, so call it in a thread."""
    own = CollectorRegistry()
    own.register(_State(app, pulse))
    return generate_latest(REGISTRY) + generate_latest(own)


@lru_cache(maxsize=1)
def release() -> str:
    """The installed version; a checkout that was never installed has none."""
    try:
        return metadata.version("switchyard-bot")
    except metadata.PackageNotFoundError:
        return "unknown"


class _State(Collector):
    """Gauges that are read when somebody asks."""

    def __init__(self, app: App, pulse: Pulse) -> None:
        self._app = app
        self._pulse = pulse

    def collect(self) -> Iterator[Metric]:
        settings = self._app.settings
        build = GaugeMetricFamily(
            "switchyard_build_info", "What is running.", labels=["workflow", "version", "release"]
        )
        build.add_metric([settings.name, settings.version, release()], 1)
        yield build
        yield from self._breakers()
        yield from self._integrations()
        yield from self._schedule()
        yield from self._tasks()
        yield from self._stored()

    def _breakers(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "switchyard_breaker_state", "1 for the state a breaker is in.", labels=["service", "state"]
        )
        for name, guard in self._app.guards.items():
            for state in STATES:
                family.add_metric([name, state], float(guard.breaker.state == state))
        yield family

    def _integrations(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "switchyard_integration_up", "1 where the last probe was answered well.", labels=["integration"]
        )
        for name, probe in self._pulse.health.probes.items():
            family.add_metric([name], float(probe.ok))
        yield family

    def _schedule(self) -> Iterator[Metric]:
        due = next_fire(self._pulse.scheduler)
        if due is not None:
            yield GaugeMetricFamily(
                "switchyard_next_run_timestamp_seconds", "When the nightly run comes.", due.timestamp()
            )

    def _tasks(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "switchyard_task_up",
            "0 where a background task failed three times in a row and has not worked since.",
            labels=["task"],
        )
        for name in sorted({*self._pulse.workers, *self._app.tasks.failing}):
            family.add_metric([name], float(name not in self._app.tasks.failing))
        yield family

    def _stored(self) -> Iterator[Metric]:
        """What only the database knows; where it does not answer, the other figures still come."""
        up = GaugeMetricFamily("switchyard_database_up", "1 where the database answered this scrape.", 1)
        try:
            with self._app.database.read() as connection:
                families = _families(connection, sorted({name.split(":")[0] for name in self._app.targets}))
        except StoreError as error:
            log.error("database", error=str(error))
            up = GaugeMetricFamily("switchyard_database_up", "1 where the database answered this scrape.", 0)
            families = []
        yield up
        yield from families


def _families(connection: Transaction, targets: list[str]) -> list[Metric]:
    counts = queue.counts(connection)
    commands = GaugeMetricFamily(
        "switchyard_outbox_commands", "Commands that wait or are dead.", labels=["target", "state"]
    )
    oldest = GaugeMetricFamily(
        "switchyard_outbox_oldest_seconds", "Age of the oldest command that waits.", labels=["target"]
    )
    now = time.time()
    for target in sorted({*targets, *(target for target, _ in counts)}):
        for state in ("pending", "dead"):
            commands.add_metric([target, state], counts.get((target, state), (0, 0.0))[0])
        waiting = counts.get((target, "pending"))
        oldest.add_metric([target], max(0.0, now - waiting[1]) if waiting else 0.0)
    attempts = GaugeMetricFamily(
        "switchyard_outbox_attempts", "Failed attempts of the commands that wait.", labels=["target"]
    )
    tried = queue.attempts(connection)
    for target in sorted({*targets, *tried}):
        attempts.add_metric([target], tried.get(target, 0))
    deliveries, since = inbox.depth(connection)
    waiting_in = GaugeMetricFamily("switchyard_inbox_deliveries", "Deliveries that wait.", deliveries)
    oldest_in = GaugeMetricFamily(
        "switchyard_inbox_oldest_seconds",
        "Age of the oldest delivery that waits.",
        max(0.0, now - since) if since else 0.0,
    )
    by_status = GaugeMetricFamily("switchyard_runs", "Runs by status.", labels=["status"])
    for status, count in runs.count_by_status(connection).items():
        by_status.add_metric([status], count)
    alerts = GaugeMetricFamily("switchyard_alert_since_seconds", "When an open alert began.", labels=["name"])
    for alert in open_alerts(connection):
        alerts.add_metric([alert["name"]], alert["since"])
    return [commands, oldest, attempts, waiting_in, oldest_in, by_status, alerts]

"""Alive, ready, and what the services answered when they were last asked."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog

from bot.app.app import App
from bot.store import queue
from bot.store.database import StoreError
from bot.trigger.schedule import Scheduler
from integrations.base import Target
from integrations.resilience import Guard
from models.errors import BreakerOpen, RateLimited, SwitchyardError

log = structlog.get_logger()

PROBE_TIMEOUT = 10.0
DATABASE_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Probe:
    """What one service answered, and when."""

    ok: bool
    detail: str
    checked_at: datetime

    def to_json(self, *, details: bool = True) -> dict[str, Any]:
        document = {"ok": self.ok, "checked_at": iso(self.checked_at)}
        return document | {"detail": self.detail} if details else document


@dataclass(slots=True)
class Health:
    """The last probe of each integration, by name; kept in memory."""

    probes: dict[str, Probe] = field(default_factory=dict)


@dataclass(slots=True)
class Pulse:
    """What a running server knows about itself."""

    health: Health = field(default_factory=Health)
    scheduler: Scheduler | None = None
    workers: dict[str, bool] = field(default_factory=dict)
    """The background tasks by name, and whether each goes as it should."""

    @property
    def scheduler_works(self) -> bool:
        return self.scheduler is not None and self.scheduler.running

    @property
    def worker_works(self) -> bool:
        return bool(self.workers) and all(self.workers.values())


async def probe(app: App, health: Health) -> None:
    """Ask every service how it is, all at once, each within a bounded time."""
    quiet = app.settings.monitoring.health_check_interval / 2
    names = [
        name
        for name in app.targets
        if not _heard_lately(app.guards.get(name), health.probes.get(name), quiet)
    ]
    answers = await asyncio.gather(*(_ask(app.targets[name]) for name in names))
    for name, answer in zip(names, answers, strict=True):
        before = health.probes.get(name)
        if not answer.ok and (before is None or before.ok):
            log.warning("integration does not answer", name=name, detail=answer.detail)
        health.probes[name] = answer


def _heard_lately(guard: Guard | None, before: Probe | None, quiet: float) -> bool:
    """While a run keeps a service busy and it answers, a probe would only cost budget."""
    if guard is None or before is None or not before.ok or not guard.recent:
        return False
    at, _, ok = guard.recent[-1]
    return ok and time.monotonic() - at < quiet


async def _ask(target: Target) -> Probe:
    """One service's answer; an open breaker refuses by itself until its own probe is due."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT):
            detail, ok = await target.check(), True
    except RateLimited as error:
        detail, ok = str(error), True
    except BreakerOpen as error:
        detail, ok = str(error), False
    except TimeoutError:
        detail, ok = f"no answer within {PROBE_TIMEOUT:g} s", False
    except SwitchyardError as error:
        detail, ok = str(error), False
    except Exception as error:
        # A probe that breaks in a way nobody foresaw must not end the others.
        log.exception("probe failed", name=target.name)
        detail, ok = f"internal error: {type(error).__name__}", False
    return Probe(ok, detail[:300], datetime.now(UTC))


async def readiness(app: App, pulse: Pulse, *, details: bool) -> tuple[bool, dict[str, Any]]:
    """Ready or not, and the document that says why. A service that is down keeps the bot ready: it waits."""
    depth, problem = await _depth(app)
    checks: dict[str, dict[str, Any]] = {
        "database": {"ok": problem is None} | ({"detail": problem} if problem else {}),
        "scheduler": {"ok": pulse.scheduler_works},
        "worker": _worker(app, pulse, details=details),
    }
    ready = all(check["ok"] for check in checks.values())
    document: dict[str, Any] = {"status": "ready" if ready else "not ready", **checks}
    document["breakers"] = breakers(app.guards)
    document["integrations"] = {
        name: answer.to_json(details=details) for name, answer in sorted(pulse.health.probes.items())
    }
    document["queue"] = depth
    return ready, document


def _worker(app: App, pulse: Pulse, *, details: bool) -> dict[str, Any]:
    """The background tasks; one that failed three times in a row is not well until it works again."""
    failing = app.tasks.failing
    tasks = dict(pulse.workers) | dict.fromkeys(failing, False)
    document: dict[str, Any] = {"ok": pulse.worker_works and not failing, "tasks": tasks}
    return document | ({"failing": failing} if details else {})


async def _depth(app: App) -> tuple[dict[str, int], str | None]:
    """How many commands wait and how many are dead; or what is wrong with the database."""
    try:
        async with asyncio.timeout(DATABASE_TIMEOUT):
            counts = await app.database.query(queue.counts)
    except TimeoutError:
        return {}, f"no answer within {DATABASE_TIMEOUT:g} s"
    except StoreError as error:
        log.error("database", error=str(error))
        return {}, f"it does not answer ({type(error).__name__})"
    sums = {"pending": 0, "dead": 0}
    for (_, state), (count, _) in counts.items():
        sums[state] += count
    return sums, None


def breakers(guards: Mapping[str, Guard]) -> dict[str, dict[str, str | None]]:
    """Each service's breaker, and when an open one lets a probe through."""
    shown = {}
    for name, guard in sorted(guards.items()):
        due = guard.breaker.probe_at
        shown[name] = {"state": guard.breaker.state, "probe_at": iso(due) if due else None}
    return shown


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

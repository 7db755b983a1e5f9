"""Outgoing webhooks: who is told of a run's end, and what; the operator's own hooks and those of repositories."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.store import case_reads, cases, escalations, repo_configs
from bot.store.commands import dead_payloads
from bot.store.database import Transaction
from integrations.webhook.client import REPOSITORIES
from integrations.webhook.commands import GONE_WORDS, hook_id
from integrations.webhook.settings import WebhookSettings
from models.commands import Command
from models.messages import post_event
from models.report import RunReport

FOR_REVIEW = ("security", "needs_human")
"""Told as one figure: whoever reads a repository's hook must not learn that there is a security report."""


def commands(
    connection: Transaction, report: RunReport, own: Sequence[WebhookSettings], targets: Iterable[str]
) -> list[Command]:
    """The events of a run that ends; none for a hook that answered that it wants no more."""
    known, gone, now = set(targets), _gone(connection), _iso(time.time())
    found = [
        post_event(
            f"event:{report.run_id}:{index}",
            lane=f"webhook:{index}",
            hook={"id": hook_id(hook.url)},
            event=_event(_figures(report), now),
        )
        for index, hook in enumerate(own)
        if f"webhook:{index}" in known and hook_id(hook.url) not in gone and "runs" in hook.what
    ]
    if REPOSITORIES not in known or not (hooks := repo_configs.hooks(connection)):
        return found
    figures = _by_repository(connection, report.run_id)
    return found + [
        post_event(
            f"event:{report.run_id}:{hook.id}",
            lane=REPOSITORIES,
            hook={"id": hook.id, "repo": hook.repo, "url": hook.url},
            event=_event(
                {"run_id": report.run_id, "trigger": report.trigger, "started_at": report.started_at}
                | figures[hook.repo],
                now,
            ),
        )
        for hook in hooks
        if hook.repo in figures and hook.id not in gone
    ]


def security_events(
    connection: Transaction, run_id: str, own: Sequence[WebhookSettings], targets: Iterable[str]
) -> list[Command]:
    """The events on a run's security reports for the operator's hooks that want them; each report is told once."""
    known, gone = set(targets), _gone(connection)
    wanted = [
        (index, hook_id(hook.url))
        for index, hook in enumerate(own)
        if "security" in hook.what and f"webhook:{index}" in known and hook_id(hook.url) not in gone
    ]
    if not wanted:
        return []
    lines = cases.lines(connection, run_id, ok_only=True, route="security")
    now = _iso(time.time())
    return [
        escalations.noted(
            post_event(
                f"event:security:{line.ref}:{escalations.severity(line)}:{index}",
                lane=f"webhook:{index}",
                hook={"id": name},
                event={
                    "type": "security.reported",
                    "timestamp": now,
                    "data": {"ref": line.ref, "route": "security", "severity": escalations.severity(line)},
                },
            ),
            [line],
        )
        for line in escalations.fresh(connection, lines, "webhook")
        for index, name in wanted
    ]


def _gone(connection: Transaction) -> set[str]:
    """Ids of hooks whose receiver answered 410; the dead letter keeps them off until a person discards it."""
    dead = dead_payloads(connection, "webhook", GONE_WORDS)
    return {str((payload.get("hook") or {}).get("id")) for payload in dead}


def _event(data: Mapping[str, Any], now: str) -> dict[str, Any]:
    return {"type": "run.finished", "timestamp": now, "data": dict(data)}


def _figures(report: RunReport) -> dict[str, Any]:
    """The whole run, for the operator; no text of an issue."""
    document = report.to_json()
    kept = ("run_id", "status", "name", "trigger", "started_at", "fetched", "triaged", "failed", "routes",
            "stories", "github", "duration_seconds")  # fmt: skip
    return {key: document[key] for key in kept}


def _by_repository(connection: Transaction, run_id: str) -> dict[str, dict[str, Any]]:
    """What a run did in each repository (in lower case). Stories are left out: they tell security reports apart."""
    names: dict[str, str] = {}
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for ref, status, route in case_reads.routes(connection, run_id):
        name = ref.rsplit("#", 1)[0]
        names[name.lower()] = name
        told = "failed" if status == "failed" else "review" if route in FOR_REVIEW else route
        sums[name.lower()][told] += 1
    return {
        repo: {
            "repository": names[repo],
            "triaged": counts.total() - counts["failed"],
            "failed": counts["failed"],
            "routes": {route: counts[route] for route in sorted(counts) if route != "failed"},
        }
        for repo, counts in sums.items()
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

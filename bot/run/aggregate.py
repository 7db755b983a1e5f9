"""What a run came to: its figures, its digest and webhook, its report."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bot.app.app import App
from bot.notify import case_messages as news
from bot.notify import chart, digests, mail
from bot.notify import webhooks as hooks
from bot.report import examples
from bot.report import html as report_file
from bot.report.wording import count_of
from bot.store import cases, lane_states, outbox, runs
from bot.store.database import Transaction
from models.case import Case, Failure
from models.commands import Command
from models.report import GITHUB_KEYS, NOTIFICATION_KEYS, STORY_KEYS, CaseLine, RunReport
from models.run import Fetching

REPORTS = Path("var/reports")
PACED = ("rate", "content")
"""Reasons to stand still that are healthy."""
DRY_LINES = 1_000
"""Cases that a dry run's report lists; a dry run keeps them in memory."""


def summarise(
    connection: Transaction, app_name: str, row: Any, skipped: tuple[str, ...] = (), *, ending: bool = False
) -> RunReport:
    """A run's report from the database as it is now: what was queued then may be delivered meanwhile.

    `ending` tells the status of a run that is about to be closed; before that it is running.
    """
    totals = runs.totals(connection, row.id)
    done = runs.delivered(connection, row.id)
    done["stories"]["existing"] += totals.get("stories_existing", 0)
    states = lane_states.waiting(connection, row.id)
    progress: Mapping[str, Any] = row.progress
    failed = totals.get("failed", 0) + progress.get("bad", 0)
    queued = sum(part["queued"] for part in done.values())
    dead = sum(part["dead"] for part in done.values())
    status, resumes = _status(row, progress, states, failed, queued, dead, ending)
    return RunReport(
        run_id=row.id,
        status=status,
        name=app_name,
        trigger=row.trigger,
        started_at=iso(row.started_at),
        fetched=progress.get("fetched", 0),
        pull_requests_skipped=progress.get("pulls", 0),
        unchanged=totals.get("unchanged", 0),
        triaged=totals.get("triaged", 0),
        failed=failed,
        from_cache=bool(progress.get("from_cache")),
        routes=totals["routes"],
        needs_person=totals.get("needs_person", 0),
        stories=done["stories"],
        github=done["github"],
        notifications=done["notifications"],
        requests=row.requests,
        problems=(*row.problems, *_lane_problems(states), *digests.refused(connection, row.id)),
        skipped=(*skipped, *progress.get("skipped", ())),
        resumes_at=iso(resumes) if resumes is not None else None,
        progress=None
        if ending or row.status not in runs.AT_WORK
        else progress_of(progress, totals, *runs.deliveries(connection, row.id), row.started_at, time.time()),
        duration_seconds=round((row.finished_at or time.time()) - row.started_at, 3),
        report=(row.report or {}).get("report"),
    )


def progress_of(
    progress: Mapping[str, Any],
    totals: Mapping[str, Any],
    delivered: int,
    waiting: int,
    started: float,
    now: float,
) -> dict[str, Any]:
    """Where a run stands that has not ended: issues without pull requests, and commands.

    The end is estimated from the share that is done: of the issues, those thought about; of their commands,
    those delivered.
    """
    state = Fetching(**progress)
    triaged = sum(totals.get(name, 0) for name in ("triaged", "unchanged", "failed"))
    found: dict[str, Any] = {
        "fetched": state.fetched - state.pulls,
        "triaged": triaged,
        "delivered": delivered,
        "waiting": waiting,
    }
    expected = state.expected_issues
    if not expected:
        return found
    share = min(1.0, triaged / expected) * (delivered / (delivered + waiting) if delivered + waiting else 1.0)
    end = {"estimated_end": iso(now + (now - started) * (1 - share) / share)} if share else {}
    return {**found, "expected": expected, **end}


def _status(
    row: Any,
    progress: Mapping[str, Any],
    states: Sequence[lane_states.LaneState],
    failed: int,
    queued: int,
    dead: int,
    ending: bool,
) -> tuple[str, float | None]:
    """The run's status, and when it goes on where it is paused."""
    if row.status in ("cancelled", "failed", "paused"):
        return row.status, None
    if row.status in runs.AT_WORK and not ending:
        return "running", None
    if progress.get("failed") or (progress.get("incomplete") and not progress.get("fetched")):
        return "failed", None
    now = time.time()
    # What waits for another lane's answer is that lane's business.
    states = [s for s in states if s.next_at < outbox.WAITING]
    paced = [s.blocked_until for s in states if s.blocked_kind in PACED and (s.blocked_until or 0) > now]
    paced += [s.next_at for s in states if s.is_later(now)]
    healthy = queued == 0 or (bool(paced) and len(paced) == len(states))
    if failed or dead or progress.get("incomplete") or not healthy:
        return "partial", None
    resumes = progress.get("resumes_at")
    if queued:
        return "paused", min(at for at in paced if at)
    if resumes and resumes > now:
        return "paused", float(resumes)
    return ("partial", None) if resumes else ("completed", None)


def _lane_problems(states: Sequence[lane_states.LaneState]) -> list[str]:
    """What holds commands up, in the words of the service."""
    return [
        f"{count_of(state.pending, 'command')} for {state.name} {'waits' if state.pending == 1 else 'wait'}: "
        f"{state.blocked_reason or state.last_error}"
        for state in states
        if (state.blocked_reason or state.last_error) and state.blocked_kind not in PACED
    ]


async def announce(app: App, run_id: str) -> None:
    """Store the run's one digest and its webhooks; nothing where nothing was new."""
    report = await current(app, run_id, ending=True)
    news = await app.database.query(lambda c: runs.has_commands(c, run_id))
    await mail.announce(app, report, news=news or bool(report.failed))
    if not news and not report.failed:
        # A run that found everything in place has nothing to tell.
        return
    commands: list[Command] = []
    if "slack" in app.targets:
        commands += await app.database.query(lambda c: digests.messages(c, app.settings, report))
        # It belongs below the operator's digest, and there is not always one.
        if any(command.key == f"digest:{run_id}" for command in commands):
            drawn = await chart.command(app, report)
            commands += [drawn] if drawn else []
    own = app.settings.integrations.webhooks
    commands += await app.database.query(lambda c: hooks.commands(c, report, own, app.targets))
    commands += await app.database.query(lambda c: hooks.security_events(c, run_id, own, app.targets))
    await app.database.run(lambda c: outbox.store_once(c, run_id, commands, time.time()))


async def finish(app: App, run_id: str, status: str = "done", problem: str | None = None) -> RunReport:
    """Write the report, then close the run. What it decided and could not deliver stays in the queue."""
    path = REPORTS / f"{run_id}.html"
    now = time.time()

    def write(connection: Transaction) -> RunReport:
        row = runs.get(connection, run_id)
        assert row is not None
        problems = [*row.problems, problem] if problem else row.problems
        ended = SimpleNamespace(
            **{
                **row._mapping,
                "status": "running" if status == "done" else status,
                "problems": problems,
                "finished_at": now,
                "report": {"report": str(path)},
            }
        )
        report = summarise(connection, app.settings.name, ended, app.skipped, ending=True)
        shown = (*examples.SHARED, *app.shown_examples)
        stories = examples.of_run(connection, run_id, shown) if report.triaged else ()
        report_file.write(path, report, cases.lines(connection, run_id), stories)
        return report

    report = await app.database.query(write)
    values = {"status": status, "finished_at": now, "owner": None, "report": {"report": str(path)}}
    if problem:
        values["problems"] = list(report.problems)
    if not await app.database.run(lambda c: runs.close(c, run_id, **values)):
        # A person paused or cancelled it in this moment; that stands.
        return await current(app, run_id)
    return report


async def current(app: App, run_id: str, *, ending: bool = False) -> RunReport:
    """The report of a run as it stands."""

    def work(connection: Transaction) -> RunReport:
        row = runs.get(connection, run_id)
        return summarise(connection, app.settings.name, row, app.skipped, ending=ending)

    return await app.database.query(work)


def lines_of(results: Sequence[Case | Failure]) -> list[CaseLine]:
    """Cases that are not stored, as the report shows them."""
    lines = []
    for result in results:
        if isinstance(result, Failure):
            lines.append(
                CaseLine(
                    ref=result.ref,
                    title="",
                    url="",
                    route="needs_human",
                    urgency=0.0,
                    status="failed",
                    error=f"{result.node}: {result.error_text}",
                )
            )
        else:
            issue = result.issue
            lines.append(
                CaseLine(
                    ref=issue.ref,
                    title=issue.title,
                    url=issue.html_url,
                    route=result.route,
                    urgency=result.urgency,
                    detail=cases.describe(result),
                )
            )
    return lines


def dry_report(
    app: App,
    run_id: str,
    sums: Mapping[str, Any],
    fetched: int,
    pulls: int,
    bad: int,
    incomplete: bool,
    refused: bool,
    from_cache: bool,
    problems: tuple[str, ...],
    skipped: tuple[str, ...],
    started: float,
) -> RunReport:
    """A dry run's report: `planned` holds what would be done, the other counts stay 0."""
    failed = sums.get("failed", 0) + bad
    status = "partial" if failed or incomplete else "completed"
    if refused or (incomplete and not fetched):
        status = "failed"
    triaged = sums.get("triaged", 0)
    shortcut = "shortcut" in app.targets
    own = enumerate(app.settings.integrations.webhooks)
    receivers = sum(f"webhook:{i}" in app.targets and "runs" in hook.what for i, hook in own)
    digests = int(triaged + failed > 0)
    planned = {
        "stories": dict.fromkeys(STORY_KEYS, 0)
        | {
            "created": sums.get("stories_new", 0) if shortcut else 0,
            "existing": sums.get("stories_existing", 0) if shortcut else 0,
        },
        "github": dict.fromkeys(GITHUB_KEYS, 0) | {"updated": sums.get("github_updates", 0)},
        "notifications": dict.fromkeys(NOTIFICATION_KEYS, 0)
        | {
            "slack": (
                digests + bool(sums["routes"].get("security")) + min(news.MOST_TOLD, sums.get("to_tell", 0))
            )
            if "slack" in app.targets
            else 0,
            "email": mail.planned(app.settings, sums["routes"], news=bool(digests))
            if "email" in app.targets
            else 0,
            "webhook": digests * receivers,
            "notion": sums.get("pages_new", 0),
        },
    }
    return RunReport(
        run_id=run_id,
        status=status,
        dry_run=True,
        name=app.settings.name,
        started_at=iso(started),
        fetched=fetched,
        pull_requests_skipped=pulls,
        unchanged=sums.get("unchanged", 0),
        triaged=triaged,
        failed=failed,
        from_cache=from_cache,
        routes=sums["routes"],
        needs_person=sums.get("needs_person", 0),
        planned=planned,
        requests=app.requests(),
        problems=problems,
        skipped=(*app.skipped, *skipped),
        duration_seconds=round(time.time() - started, 3),
        report=str(REPORTS / f"{run_id}.html"),
    )


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

"""`runs list`, `show`, `pause`, `resume`, `cancel`."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.cli import audit
from bot.report.wording import count_of, plain
from bot.store import cases, runs
from bot.store.database import Database
from config.settings import Settings
from models.errors import UserFacing

HEADS = ("run", "status", "started", "fetched", "triaged", "stories", "queued", "dead")
SHORT_HEADS = ("run", "status", "started", "read", "triaged", "new", "wait", "dead")
WIDE = 100
"""Columns that the table of runs needs with its long heads and whole times."""


def terminal_console() -> Console:
    """The terminal; what is piped is as wide as it needs to be, so that nothing in it is cut."""
    return Console() if sys.stdout.isatty() else Console(width=10_000)


def list_runs(database: Database, settings: Settings, limit: int, as_json: bool) -> None:
    from bot.run.aggregate import summarise

    with database.read() as connection:
        reports = [summarise(connection, settings.name, row) for row in runs.latest(connection, limit)]
    if as_json:
        sys.stdout.write(json.dumps({"runs": [report.to_json() for report in reports]}, indent=2) + "\n")
        return
    if not reports:
        print("no runs yet; start one with `switchyard run`")
        return
    console = terminal_console()
    short = console.width < WIDE
    table = Table(box=None, pad_edge=False, padding=(0, 1 if short else 2, 0, 0))
    for title in SHORT_HEADS if short else HEADS:
        table.add_column(title, no_wrap=True)
    for report in reports:
        parts = (report.stories, report.github, report.notifications)
        table.add_row(
            report.run_id,
            report.status,
            report.started_at[5:16].replace("T", " ") if short else report.started_at,
            str(report.fetched),
            str(report.triaged),
            str(report.stories["created"]),
            str(sum(part["queued"] for part in parts)),
            str(sum(part["dead"] for part in parts)),
        )
    console.print(table)


def show_run(database: Database, settings: Settings, run_id: str, as_json: bool) -> None:
    from bot.report import html as report_file
    from bot.run.aggregate import summarise

    with database.read() as connection:
        row = runs.get(connection, run_id)
        if row is None:
            raise UserFacing(f"no run {run_id!r}; `switchyard runs list` shows them")
        report = summarise(connection, settings.name, row)
        steps = runs.steps(connection, run_id)
        lines = list(cases.lines(connection, run_id, limit=10))
    if as_json:
        sys.stdout.write(json.dumps(report.to_json() | {"steps": steps}, indent=2) + "\n")
        return
    console = terminal_console()
    report_file.terminal(report, console)
    if report.progress:
        console.print(_stands(report.progress), highlight=False)
    table = Table(box=None, pad_edge=False)
    for title in ("step", "state", "issues"):
        table.add_column(title)
    for step in steps:
        table.add_row(str(step["name"]), str(step["state"]), str(step["issues"]))
    console.print(table)
    for line in lines:
        title = "routed for review" if line.route == "security" else plain(line.title, 80)
        console.print(
            f"  {line.ref}  {line.route}  {escape(title)}  {escape(plain(line.error, 200))}", highlight=False
        )


def _stands(progress: Mapping[str, Any]) -> str:
    """How far a run is that has not ended, in a line."""
    of = f" of {progress['expected']:,}" if "expected" in progress else ""
    issues = "issue" if progress["triaged"] == 1 and not of else "issues"
    line = f"At work: {progress['triaged']:,}{of} {issues} thought about"
    line += (
        f", {progress['delivered']:,} of {progress['delivered'] + progress['waiting']:,} commands delivered"
    )
    return line + (f", ready about {progress['estimated_end']}" if "estimated_end" in progress else "")


def change_run(database: Database, run_id: str, wanted: str, *, drop: bool = False) -> None:
    """Pause, resume or cancel, and say what that means."""
    with database.write() as connection:
        status, dropped = runs.change(connection, run_id, wanted, drop=drop)
        audit.note(connection, f"run.{wanted}", run_id, **({"dropped": dropped} if drop else {}))
    note = f"; {count_of(dropped, 'undelivered command')} forgotten" if drop else ""
    print(f"run {run_id}: {status}{note}")

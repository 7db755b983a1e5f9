"""Mail: who is told what of a run, of a day or a week of runs, and of alerts; each address by its own command."""

import heapq
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.app.app import App
from bot.notify import mail_body as letters
from bot.notify.mail_body import MOST, Letter, as_html, as_text, digest, in_trouble
from bot.report.wording import count_of
from bot.store import cases, escalations, mail, outbox, runs
from bot.store.database import Transaction
from config.schedule import MAIL_AT
from config.settings import Settings
from integrations.email.settings import Often, RecipientSettings
from models.commands import Command
from models.messages import send_mail
from models.report import GITHUB_KEYS, STORY_KEYS, CaseLine, RunReport

RUN_ID = "mail"
"""Stands for the run of mails that belong to no single one."""
LONGEST = timedelta(days=35)
"""How far back a digest reaches, whenever the last one was sent."""
MOST_REPORTS = 10


async def announce(app: App, report: RunReport, *, news: bool) -> None:
    """Store the mails of a run that ends, and those of a day or a week that is over."""
    if "email" not in app.targets:
        return
    now = time.time()

    def work(connection: Transaction) -> None:
        found = commands(connection, app.settings, report, news=news)
        outbox.store_once(connection, report.run_id, found, now)
        outbox.store_once(connection, RUN_ID, due(connection, app.settings, now), now)

    await app.database.run(work)


async def send_due(app: App) -> None:
    """Store the digests of a day or a week that is over; the scheduler calls it."""
    if "email" not in app.targets:
        return
    now = time.time()
    await app.database.run(lambda c: outbox.store_once(c, RUN_ID, due(c, app.settings, now), now))
    app.wake_lanes()


def planned(settings: Settings, routes: Mapping[str, int], *, news: bool) -> int:
    """How many mails a run like this would send at its end, for a dry run."""
    told = recipients(settings)
    digests = sum(who.often == "run" and "digest" in who.what for who in told) if news else 0
    return digests + (sum("security" in who.what for who in told) if routes.get("security") else 0)


def recipients(settings: Settings) -> Sequence[RecipientSettings]:
    return settings.integrations.email.recipients if settings.integrations.email is not None else ()


# --- what is sent to whom ---------------------------------------------------------------------------


def commands(connection: Transaction, settings: Settings, report: RunReport, *, news: bool) -> list[Command]:
    """The mails of a run: its digest, its problems, and its security reports for those who asked for them."""
    told = recipients(settings)
    now = [who.address for who in told if who.often == "run" and _wanted(who, report, news)]
    found: list[Command] = []
    if now:
        letter = digest(
            settings,
            report,
            list(cases.lines(connection, report.run_id, limit=MOST, ok_only=True)),
            list(cases.lines(connection, report.run_id, limit=MOST, ok_only=True, route="needs_human")),
        )
        found += _to_each(letter, report.run_id, now)
    return found + (security(connection, settings, report.run_id) if report.routes.get("security") else [])


def security(connection: Transaction, settings: Settings, run_id: str, *, part: str = "") -> list[Command]:
    """The mails on the run's security reports, for those who asked for them; each report is told once.

    `part` tells apart the mails of a run that has several, because it takes what events bring.
    """
    guards = [who.address for who in recipients(settings) if "security" in who.what]
    if not guards:
        return []
    lines = cases.lines(connection, run_id, ok_only=True, route="security")
    news = escalations.fresh(connection, lines, "email")
    if not news:
        return []
    letter = letters.security(settings.name, run_id, news[:MOST_REPORTS], total=len(news))
    key = f"{run_id}:{part}:security" if part else f"{run_id}:security"
    return [escalations.noted(command, news) for command in _to_each(letter, key, guards)]


def due(connection: Transaction, settings: Settings, now: float) -> list[Command]:
    """The digests of the last day or week that are not stored yet; nothing where there was nothing to tell."""
    found: list[Command] = []
    zone = ZoneInfo(settings.schedule.timezone)
    for who in recipients(settings):
        if who.often == "run" or not {"digest", "problems"} & set(who.what):
            continue
        end = last_end(who.often, datetime.fromtimestamp(now, zone))
        sent = mail.last(connection, RUN_ID, who.address)
        if sent is not None and sent >= end.timestamp():
            continue
        # What came since the last mail, so that a day on which nothing ran leaves no hole.
        start = last_end(who.often, end - timedelta(seconds=1))
        if sent is not None:
            start = max(last_end(who.often, datetime.fromtimestamp(sent, zone)), end - LONGEST)
        rows = mail.ended(connection, start.timestamp(), end.timestamp())
        report, lines = summed(connection, settings, rows)
        if not _wanted(who, report, report.triaged + report.failed > 0):
            continue
        urgent = heapq.nlargest(MOST, lines, key=_urgency)
        people = heapq.nlargest(MOST, (line for line in lines if line.route == "needs_human"), key=_urgency)
        letter = digest(settings, report, urgent, people, period=_period(who.often, start, end, len(rows)))
        found += _to_each(letter, _label(who.often, end), [who.address])
    return found


def last_end(often: Often, now: datetime) -> datetime:
    """The latest time, not after `now` and in its zone, at which a day or a week of digests ended."""
    day = now.date()
    end = datetime.combine(day, MAIL_AT, now.tzinfo)
    if end > now:
        day -= timedelta(days=1)
    if often == "weekly":
        day -= timedelta(days=day.weekday())
    return datetime.combine(day, MAIL_AT, now.tzinfo)


def summed(
    connection: Transaction, settings: Settings, rows: Sequence[Any]
) -> tuple[RunReport, list[CaseLine]]:
    """Several runs as if they were one, and the cases that they would show."""
    counts = runs.sum_counts(runs.totals(connection, row.id) for row in rows)
    routes: Counter[str] = Counter()
    delivered: dict[str, Counter[str]] = {"stories": Counter(), "github": Counter()}
    lines: list[CaseLine] = []
    problems: dict[str, None] = {}
    for run in rows:
        routes.update(runs.totals(connection, run.id)["routes"])
        for name, part in runs.delivered(connection, run.id).items():
            if name in delivered:
                delivered[name].update(part)
        lines += cases.lines(connection, run.id, limit=2 * MOST, ok_only=True)
        lines += cases.lines(connection, run.id, limit=MOST, ok_only=True, route="needs_human")
        problems |= dict.fromkeys(run.problems)
    failed = counts.get("failed", 0) + sum(row.progress.get("bad", 0) for row in rows)
    stories = dict.fromkeys(STORY_KEYS, 0) | delivered["stories"]
    github = dict.fromkeys(GITHUB_KEYS, 0) | delivered["github"]
    left = failed + sum(part[key] for part in (stories, github) for key in ("queued", "dead"))
    broken = any(row.status == "failed" for row in rows)
    report = RunReport(
        run_id=", ".join(row.id for row in rows[-3:]),
        status="failed"
        if broken and not counts.get("triaged")
        else "partial"
        if left or broken
        else "completed",
        name=settings.name,
        triaged=counts.get("triaged", 0),
        failed=failed,
        routes=dict(routes),
        stories=stories,
        github=github,
        problems=tuple(problems),
    )
    return report, list({line.ref: line for line in lines}.values())


def alert(name: str, key: str, detail: str, to: Sequence[str], *, over: bool) -> list[Command]:
    """The mails of an alert, or of its end; the latter stands below the former in a reader's program."""
    suffix = ":over" if over else ""
    return _to_each(
        letters.alert(name, detail, over=over), f"{key}{suffix}", to, follows=key if over else None
    )


def _wanted(who: RecipientSettings, report: RunReport, news: bool) -> bool:
    return (news and "digest" in who.what) or ("problems" in who.what and in_trouble(report))


def _urgency(line: CaseLine) -> float:
    return line.urgency


def _label(often: Often, end: datetime) -> str:
    """The day or the week that ended: 2026-11-21, 2026-W47."""
    day = end.date() - timedelta(days=1)
    year, week, _ = day.isocalendar()
    return f"{day}" if often == "daily" else f"{year}-W{week:02}"


def _period(often: Often, start: datetime, end: datetime, count: int) -> str:
    until = f"{end:%a} {end.day} {end:%b %H:%M}"
    return f"{count_of(count, 'run')} from {start:%a} {start.day} {start:%b %H:%M} to {until} ({end:%Z})"


def _to_each(letter: Letter, key: str, to: Sequence[str], follows: str | None = None) -> list[Command]:
    text, html = as_text(letter), as_html(letter)
    return [
        send_mail(
            f"mail:{key}:{address}",
            to=address,
            subject=letter.subject,
            text=text,
            html=html,
            follows=f"mail:{follows}:{address}" if follows else "",
        )
        for address in to
    ]

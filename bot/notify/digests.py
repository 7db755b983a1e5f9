"""Digests: what Slack is told of a run, in the operator's channels and in those that repositories name."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote

import sqlalchemy as sa

from bot.notify import case_messages as news
from bot.notify import quiet_hours as hours
from bot.store import cases, escalations, runs
from bot.store import repo_configs as repository_config
from bot.store.database import Transaction
from config.repository import FILE
from config.settings import Settings
from integrations.slack.payloads import digest, security_digest
from models.commands import Command
from models.messages import post_message
from models.report import GITHUB_KEYS, STORY_KEYS, CaseLine, RunReport
from models.tables import CommandRow, RunRow

MOST_URGENT = 5
MOST_REPORTS = 10
"""Security reports that are told one by one; the others are counted."""
COMPARED, FEWEST_COMPARED = 7, 2
"""Runs before this one whose mean the digest compares with; of fewer than two it says nothing."""
_runs: sa.Table = RunRow.__table__  # type: ignore[attr-defined]
_commands: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]


def messages(connection: Transaction, settings: Settings, report: RunReport) -> list[Command]:
    """The run's digests and security digests: one of each for a channel, on the cases that are told there.

    A channel is "" where it is the operator's.
    """
    own = repository_config.channels(connection)
    run_id, now = report.run_id, time.time()
    usual = usual_routes(connection, report)
    url = report_url(settings, run_id)
    digests = {repo: channels.digest or "" for repo, channels in own.items()}
    parts = _parts(connection, report, digests) if own else {"": _whole(connection, report)}
    keys = {channel: _key("digest", run_id, channel) for channel in parts}
    threads = news.in_threads(connection, settings, run_id, keys)
    found: list[Command] = []
    for channel, part in parts.items():
        told = part.report(report) if own else report
        text, blocks = digest(
            told,
            part.urgent,
            (),
            usual=None if own else usual,
            people=part.people,
            in_thread=sum(keys[channel] in command.after for command in threads),
            report_url=url,
        )
        wait = hours.not_before(connection, settings, channel, now)
        found.append(post_message(keys[channel], channel=channel, text=text, blocks=blocks, not_before=wait))
    if report.trigger == "webhook":
        # Each was told when it came.
        return found + threads
    secrets: defaultdict[str, list[CaseLine]] = defaultdict(list)
    rooms = {repo: channels.security or "" for repo, channels in own.items()}
    reports = cases.lines(connection, run_id, ok_only=True, route="security")
    for line in escalations.fresh(connection, reports, "slack"):
        secrets[rooms.get(_repo(line.ref), "")].append(line)
    for channel, lines in secrets.items():
        counted = replace(report, routes={"security": len(lines)})
        text, blocks = security_digest(counted, lines[:MOST_REPORTS])
        message = post_message(_key("security", run_id, channel), channel=channel, text=text, blocks=blocks)
        found.append(escalations.noted(message, lines))
    return found + threads


def report_url(settings: Settings, run_id: str) -> str:
    """Where people read the run's report; empty where `serve` has no public address."""
    base = settings.monitoring.public_url
    return f"{base.rstrip('/')}/reports/{quote(run_id)}.html" if base else ""


def usual_routes(connection: Transaction, report: RunReport) -> dict[str, float]:
    """Cases by route in the last runs of the same kind, on average; empty where there are too few to say."""
    ended = sa.select(_runs.c.id).where(
        _runs.c.trigger == report.trigger, _runs.c.status == "done", _runs.c.id != report.run_id
    )
    before = connection.execute(ended.order_by(_runs.c.started_at.desc()).limit(COMPARED)).scalars().all()
    if len(before) < FEWEST_COMPARED:
        return {}
    sums: Counter[str] = Counter()
    for run_id in before:
        sums.update(runs.totals(connection, run_id)["routes"])
    return {route: count / len(before) for route, count in sums.items()}


def refused(connection: Transaction, run_id: str) -> list[str]:
    """Digests of the run that a channel did not take, with Slack's word and what to do."""
    rows = connection.execute(
        sa.select(_commands.c.payload["channel"].as_string().label("channel"), _commands.c.last_error)
        .where(_commands.c.run_id == run_id, _commands.c.operation == "post_message")
        .where(_commands.c.state == "dead")
    )
    return [
        f"{row.channel}, which {FILE} names, was not told: {row.last_error}; then `switchyard queue retry`"
        for row in rows
        if row.channel
    ]


@dataclass(slots=True)
class _Part:
    """What one channel is told of a run."""

    repos: set[str] = field(default_factory=set)
    routes: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    people: int = 0
    """Cases that somebody has to decide or to approve."""
    urgent: list[CaseLine] = field(default_factory=list)
    stories: Counter[str] = field(default_factory=Counter)
    github: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def report(self, whole: RunReport) -> RunReport:
        return replace(
            whole,
            triaged=self.routes.total(),
            failed=self.failed,
            routes=dict(self.routes),
            stories={key: self.stories[key] for key in STORY_KEYS},
            github={key: self.github[key] for key in GITHUB_KEYS},
            problems=tuple(self.problems),
        )


def _whole(connection: Transaction, report: RunReport) -> _Part:
    """Everything, for the one channel that there is; without reading all cases."""
    urgent = list(cases.lines(connection, report.run_id, limit=MOST_URGENT, ok_only=True))
    return _Part(people=report.needs_person, urgent=urgent)


def _parts(connection: Transaction, report: RunReport, channels: Mapping[str, str]) -> dict[str, _Part]:
    """By channel; only those in which there is something to tell."""
    parts: defaultdict[str, _Part] = defaultdict(_Part)
    for line in cases.lines(connection, report.run_id):
        part = parts[channels.get(_repo(line.ref), "")]
        part.repos.add(_repo(line.ref))
        if line.status == "failed":
            part.failed += 1
            continue
        part.routes[line.route] += 1
        if len(part.urgent) < MOST_URGENT:
            part.urgent.append(line)
        part.people += line.needs_person
    news = set()
    for issue, counted, key in _deliveries(connection, report.run_id):
        channel = channels.get(_repo(issue), "")
        news.add(channel)
        getattr(parts[channel], counted)[key] += 1
    for problem in report.problems:
        channel = channels.get(problem.partition(":")[0].lower(), "")
        if channel in parts:
            parts[channel].problems.append(problem)
    return {
        channel: part for channel, part in parts.items() if part.repos and (channel in news or part.failed)
    }


def _deliveries(connection: Transaction, run_id: str) -> Iterable[tuple[str, str, str]]:
    """Issue, `stories` or `github`, and which count of these each of the run's commands adds to."""
    existing = sa.func.coalesce(_commands.c.answer["existing"].as_boolean(), sa.false()).label("existing")
    rows = connection.execute(
        sa.select(_commands.c.issue, _commands.c.target, _commands.c.operation, _commands.c.state, existing)
        .where(_commands.c.run_id == run_id, _commands.c.issue.is_not(None))
        .where(_commands.c.target.in_(("shortcut", "github")), _commands.c.state != "dropped")
    )
    states: dict[str, int] = {"sent": 0, "dead": 1, "pending": 2}
    worst: dict[str, str] = {}
    for row in rows:
        if row.target == "github":
            # An issue is updated when all that was asked for it is delivered.
            worst[row.issue] = max(worst.get(row.issue, "sent"), row.state, key=lambda name: states[name])
        elif row.state != "sent" or row.operation == "create_story":
            sent = "existing" if row.existing else "created"
            yield row.issue, "stories", {"pending": "queued", "dead": "dead"}.get(row.state, sent)
    for issue, state in worst.items():
        yield issue, "github", {"pending": "queued", "dead": "dead"}.get(state, "updated")


def _repo(ref: str) -> str:
    return ref.rpartition("#")[0].lower()


def _key(kind: str, run_id: str, channel: str) -> str:
    return f"{kind}:{run_id}:{channel}" if channel else f"{kind}:{run_id}"

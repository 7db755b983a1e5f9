"""Digests: what Slack is told of a run, in the operator's channels and in those that repositories name."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import repository_config
from bot.store import cases
from config.repository import FILE
from integrations.slack.payloads import digest, security_digest
from models.commands import Command, post_message
from models.report import GITHUB_KEYS, STORY_KEYS, CaseLine, RunReport
from models.tables import CommandRow

MOST_URGENT = 5
MOST_REPORTS = 10
"""Security reports that are told one by one; the others are counted."""
_commands: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]


def messages(connection: Connection, report: RunReport, *, new_only: bool) -> list[Command]:
    """The run's digests and security digests: one of each for a channel, on the cases that are told there.

    `new_only` leaves out security cases whose story an earlier run asked for. A channel is "" where it is the
    operator's.
    """
    own = repository_config.channels(connection)
    run_id = report.run_id

    def security(limit: int | None) -> Iterable[CaseLine]:
        return cases.lines(connection, run_id, limit=limit, ok_only=True, route="security", new_only=new_only)

    if not own:
        urgent = list(cases.lines(connection, run_id, limit=MOST_URGENT, ok_only=True))
        waiting = list(cases.lines(connection, run_id, limit=MOST_URGENT, route="needs_human"))
        found = [_message("digest", run_id, "", *digest(report, urgent, waiting))]
        secret = list(security(MOST_REPORTS))
        return found + (
            [_message("security", run_id, "", *security_digest(report, secret))] if secret else []
        )
    digests = {repo: channels.digest or "" for repo, channels in own.items()}
    found = [
        _message("digest", run_id, channel, *digest(part.report(report), part.urgent, part.waiting))
        for channel, part in _parts(connection, report, digests).items()
    ]
    secrets: defaultdict[str, list[CaseLine]] = defaultdict(list)
    rooms = {repo: channels.security or "" for repo, channels in own.items()}
    for line in security(None):
        secrets[rooms.get(_repo(line.ref), "")].append(line)
    for channel, lines in secrets.items():
        counted = replace(report, routes={"security": len(lines)})
        found.append(_message("security", run_id, channel, *security_digest(counted, lines[:MOST_REPORTS])))
    return found


def refused(connection: Connection, run_id: str) -> list[str]:
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
    urgent: list[CaseLine] = field(default_factory=list)
    waiting: list[CaseLine] = field(default_factory=list)
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


def _parts(connection: Connection, report: RunReport, channels: Mapping[str, str]) -> dict[str, _Part]:
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
        if line.route == "needs_human" and len(part.waiting) < MOST_URGENT:
            part.waiting.append(line)
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


def _deliveries(connection: Connection, run_id: str) -> Iterable[tuple[str, str, str]]:
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


def _message(kind: str, run_id: str, channel: str, text: str, blocks: list[dict[str, Any]]) -> Command:
    key = f"{kind}:{run_id}:{channel}" if channel else f"{kind}:{run_id}"
    return post_message(key, channel=channel, text=text, blocks=blocks)

"""What a report says in words and figures; the file, the terminal and the status page share it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from models.case import ROUTES
from models.report import RunReport
from models.text.escape import clean, one_line
from models.text.secrets import redact

ROUTE_NAMES = {
    "bug": "bugs",
    "feature": "features",
    "docs": "docs",
    "security": "for review",
    "needs_human": "need a person",
}
_ROUTE_OF_ONE = ROUTE_NAMES | {"bug": "bug", "feature": "feature", "needs_human": "needs a person"}
_SENT = {"notion": "in Notion", "api": "to services of your own"}
"""How what is no message is told beside the messages."""
STATUS_MARKS = {
    "completed": ("✔", "green"),
    "partial": ("!", "yellow"),
    "paused": ("‖", "cyan"),
    "running": ("…", "cyan"),
    "cancelled": ("■", "yellow"),
    "failed": ("✘", "red"),
}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def count_of(number: int, noun: str) -> str:
    """A count with its noun: 1 issue, 2 issues."""
    plural = {"story": "stories"}.get(noun, f"{noun}s")
    return f"{number:,} {noun if number == 1 else plural}"


def route_words(route: str, number: int) -> str:
    """What stands after the count of a route's issues: 1 bug, 2 bugs."""
    return (_ROUTE_OF_ONE if number == 1 else ROUTE_NAMES).get(route, plain(route, 40))


def plain(value: object, limit: int = 200) -> str:
    """Foreign text as one harmless line: no control characters, no secrets, bounded."""
    return one_line(redact(clean(str(value)[: limit * 8]))[0], limit)


def moment(text: str | None) -> str:
    """A time in ISO 8601 (UTC) as people read it: 2026-11-20 02:00 UTC."""
    shown = plain(text or "", 40)
    return f"{shown[:10]} {shown[11:16]} UTC" if _TIME.fullmatch(shown) else shown


def web_link(url: str | None) -> str:
    """The address where it is one of the web, else nothing: `javascript:` must not become clickable."""
    try:
        return url if url and urlsplit(url).scheme in ("http", "https") else ""
    except ValueError:
        return ""


def verdict(report: RunReport) -> str:
    """What happened, in one sentence."""
    if report.dry_run:
        return _dry_verdict(report)
    queued, dead = _sum(report, "queued"), _sum(report, "dead")
    if report.status == "completed":
        if report.from_cache and report.triaged == 0:
            return "GitHub did not answer; the stored issues were all triaged before."
        if report.triaged == 0:
            return "Nothing had changed since the last run, so there was nothing to do."
        return f"{count_of(report.triaged, 'issue')} triaged and everything is delivered."
    if report.status == "paused" and report.resumes_at is None:
        return f"Paused by hand after {count_of(report.triaged, 'issue')}."
    if report.status == "paused":
        what = (
            f"{count_of(queued, 'update')} {'waits' if queued == 1 else 'wait'} for a rate budget"
            if queued
            else "reading waits for a rate budget"
        )
        return f"All is healthy: {what}, on again at {moment(report.resumes_at)}."
    if report.status == "running" and report.trigger == "webhook":
        return f"Takes webhooks until midnight UTC: {count_of(report.triaged, 'issue')} triaged so far."
    if report.status == "running":
        return f"Still at work: {count_of(report.triaged, 'issue')} triaged so far."
    if report.status == "cancelled":
        return f"Cancelled after {count_of(report.triaged, 'issue')}."
    if report.status == "failed":
        return "The run could not do its work; the problems below say why."
    parts = [f"{count_of(report.failed, 'case')} failed"] if report.failed else []
    if dead:
        parts.append(f"{count_of(dead, 'update')} refused for good")
    if queued:
        parts.append(f"{count_of(queued, 'update')} waiting in the queue")
    rest = ", ".join(parts) or "something could not be read"
    return f"{count_of(report.triaged, 'issue')} triaged, but not all is done: {rest}."


def _dry_verdict(report: RunReport) -> str:
    planned: Mapping[str, Mapping[str, int]] = report.planned or {}
    messages = sum(planned.get("notifications", {}).values())
    return (
        "Dry run, nothing was written anywhere. A real run would create "
        f"{count_of(planned.get('stories', {}).get('created', 0), 'story')}, update "
        f"{count_of(planned.get('github', {}).get('updated', 0), 'issue')} and post "
        f"{count_of(messages, 'message')}."
    )


def next_steps(report: RunReport) -> list[str]:
    """What a person should do now; empty where there is nothing."""
    steps = []
    if report.dry_run and report.status == "completed":
        steps.append("Do it for real: the same command without --dry-run.")
    if _sum(report, "dead"):
        steps.append(
            "See what was refused with `switchyard queue list`, mend the cause, "
            "then `switchyard queue retry --all-dead`."
        )
    if _sum(report, "queued"):
        steps.append(
            "Deliver what waits: leave `switchyard serve` running, or call `switchyard queue drain`."
        )
    if report.status == "paused" and report.resumes_at is None:
        steps.append(f"Go on with it: `switchyard runs resume {plain(report.run_id)}`.")
    if report.failed:
        steps.append("Failed cases are tried again by the next run; the report names the reason of each.")
    if report.status == "failed":
        steps.append("Ask `switchyard doctor` what is wrong with configuration, credentials and services.")
    people = report.needs_person
    if people:
        steps.append(
            f"Route the {count_of(people, 'issue')} that {'needs' if people == 1 else 'need'} a person: "
            "put the right label on the issue, or use `switchyard issue route`."
        )
    return steps


def _sum(report: RunReport, key: str) -> int:
    return sum(part.get(key, 0) for part in (report.stories, report.github, report.notifications))


def bars(routes: Mapping[str, int]) -> list[dict[str, Any]]:
    """The routes in their order with their share of the largest, for drawing."""
    largest = max([*routes.values(), 1])
    known = [*ROUTES, *(name for name in routes if name not in ROUTES)]
    return [
        {
            "route": plain(name, 40),
            "name": route_words(name, routes.get(name, 0)),
            "count": routes.get(name, 0),
            "share": round(100 * routes.get(name, 0) / largest, 1),
        }
        for name in known
    ]


def outcomes(report: RunReport) -> list[tuple[str, str]]:
    """Stories, GitHub and messages in words; of a dry run what would be done."""
    planned = report.planned if report.dry_run and report.planned else {}
    stories = planned.get("stories", report.stories)
    github = planned.get("github", report.github)
    sent = planned.get("notifications", report.notifications)
    would = "would be " if report.dry_run else ""
    issues = "issue" if github.get("updated") == 1 else "issues"
    rest = [(key, word) for key, word in (("queued", "waiting"), ("dead", "refused"))]
    messages = [(name, _SENT.get(name, name)) for name in sent if name not in ("queued", "dead")]
    return [
        (
            "Stories",
            _words(stories, [("created", f"{would}created"), ("existing", "existed already"), *rest]),
        ),
        ("GitHub", _words(github, [("updated", f"{issues} {would}updated"), *rest])),
        ("Messages", _words(sent, [*messages, *rest])),
    ]


def _words(counts: Mapping[str, int], names: Sequence[tuple[str, str]]) -> str:
    """The first figure always, the others where they are not 0."""
    parts = [
        f"{counts.get(key, 0):,} {word}" for i, (key, word) in enumerate(names) if counts.get(key) or i == 0
    ]
    return " · ".join(parts)


def figures(report: RunReport) -> list[tuple[str, int]]:
    """Where every fetched item went."""
    return [
        ("fetched", report.fetched),
        (
            "pull request" if report.pull_requests_skipped == 1 else "pull requests",
            report.pull_requests_skipped,
        ),
        ("unchanged", report.unchanged),
        ("triaged", report.triaged),
        ("failed", report.failed),
    ]


def requests(report: RunReport) -> str:
    return " · ".join(f"{plain(name, 40)} {count:,}" for name, count in report.requests.items())


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"

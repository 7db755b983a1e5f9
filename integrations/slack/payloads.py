"""What the bot says of a run in Slack: a digest to be read in twenty seconds, and the security team's own."""

from collections.abc import Mapping, Sequence
from typing import Any

from integrations.slack.payloads_blocks import (
    MAX_SECTION,
    MAX_TOTAL,
    Block,
    code,
    context,
    escape,
    fitting,
    header,
    link,
    section,
    take,
)
from integrations.slack.payloads_cases import case_line, why_line
from models.report import CaseLine, RunReport

__all__ = ["MAX_SECTION", "digest", "escape", "security_digest"]

_ROUTES = {
    "bug": ":beetle: bugs",
    "feature": ":seedling: features",
    "docs": ":books: docs",
    "security": ":lock: for review",
    "needs_human": ":raising_hand: need a person",
}
NOTABLE = 0.2
"""Share by which a count must differ from its mean before the digest says so; and by one at least."""
MOST_PROBLEMS = 5
MOST_BLOCKS = 50
"""Blocks of one message that Slack takes."""


def digest(
    report: RunReport,
    urgent: Sequence[CaseLine],
    waiting: Sequence[CaseLine],
    *,
    usual: Mapping[str, float] | None = None,
    people: int | None = None,
    in_thread: int | None = None,
    report_url: str = "",
) -> tuple[str, list[dict[str, Any]]]:
    """The run's one message: (plain text, blocks). Counts first, then the most urgent, then who is needed.

    `usual` are the counts by route that the last runs had on average. `people` is how many cases need a person, where
    that is more than those of the route needs_human: some wait for an approval. `in_thread` is how many of them are
    told in the message's thread; where it is not given, `waiting` lists them here. `report_url` is where the report
    can be read, if anywhere.
    """
    head = f"Triage: {_count(report.triaged, 'issue')}"
    counts = "  ·  ".join(
        f"{label} *{report.routes.get(route, 0)}*{_trend(report.routes.get(route, 0), (usual or {}).get(route))}"
        for route, label in _ROUTES.items()
        if report.routes.get(route) or round((usual or {}).get(route, 0))
    )
    blocks = [header(head), section(counts or "Nothing was routed."), section("  ·  ".join(_facts(report)))]
    if urgent:
        blocks.append(section(fitting("*Most urgent*", map(case_line, urgent), len(urgent))))
    people = report.routes.get("needs_human", 0) if people is None else people
    if people and in_thread is not None:
        rest = f"; {people - in_thread} more in the home tab" if people > in_thread else ""
        blocks.append(section(f"*{_need(people)}*: most urgent first in the thread{rest}"))
    elif people and waiting:
        entries = (case_line(line) + why_line(line) for line in waiting)
        blocks.append(section(fitting(f"*Need a person* ({people})", entries, people)))
    if report.problems:
        problems = (f"• {escape(problem, 300)}" for problem in report.problems[:MOST_PROBLEMS])
        blocks.append(section(fitting("*Look at*", problems, len(report.problems))))
    blocks.append(_foot(report, report_url))
    return f"{head}. {counts.replace('*', '')}", blocks


def _foot(report: RunReport, url: str) -> Block:
    read = f"{link(url, 'Report')} · " if url else ""
    return context(f"{read}run {code(report.run_id)} · {escape(report.name)}")


def _facts(report: RunReport) -> list[str]:
    stories = report.stories
    facts = ["1 story created" if stories["created"] == 1 else f"{stories['created']} stories created"]
    if stories["existing"]:
        facts.append(f"{stories['existing']} stood already")
    queued = stories["queued"] + report.github["queued"]
    if queued:
        when = f", goes on at {escape(report.resumes_at, 40)}" if report.resumes_at else ""
        facts.append(f"*{queued} updates wait in the queue*{when}")
    dead = stories["dead"] + report.github["dead"]
    if dead:
        facts.append(f"*{dead} updates were refused* (`switchyard queue list`)")
    if report.failed:
        facts.append(f"*{_count(report.failed, 'case')} failed*")
    return facts


def _trend(count: int, mean: float | None) -> str:
    """How a count stands against the last runs; nothing where it is as usual."""
    if mean is None or abs(count - mean) < max(1.0, NOTABLE * mean):
        return ""
    return f" ({'↑' if count > mean else '↓'} from {mean:.0f})"


def _need(people: int) -> str:
    return "1 needs a person" if people == 1 else f"{people} need a person"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def security_digest(report: RunReport, lines: Sequence[CaseLine]) -> tuple[str, list[dict[str, Any]]]:
    """A run's possible security reports, for the private channel: (plain text, blocks)."""
    total = report.routes.get("security", len(lines))
    head = f"{_count(total, 'possible security report')} to review"
    groups = []
    for line in lines:
        facts = [f"• {escape(str(fact), 200)}" for fact in line.detail.get("escalation", ())[:6]]
        story = f" · {link(line.story_url, 'story')}" if line.story_url else ""
        title = f"{link(line.url, line.ref)} {escape(line.title)}{story}"
        groups.append([section(fitting(title, facts, len(facts), "in the story"))])
    # Slack refuses a message that is too long, and then nobody would hear of any of these.
    shown, count = take(groups, blocks=MOST_BLOCKS - 2, text=MAX_TOTAL - 1_000)
    rest = f"{total - count} more are stories with the label security. " if total > count else ""
    foot = context(f"{rest}Please answer here, not on the public issue. Run {code(report.run_id)}")
    return head, [header(head), *shown, foot]

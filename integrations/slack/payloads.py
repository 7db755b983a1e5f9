"""What the bot says in Slack: the digest of a run, within Block Kit's limits for any input."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from models.report import CaseLine, RunReport

MAX_SECTION, MAX_HEADER = 3_000, 150
MAX_TITLE = 120
MAX_REASON = 60
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_ROUTES = {
    "bug": ":beetle: bugs",
    "feature": ":seedling: features",
    "docs": ":books: docs",
    "security": ":lock: for review",
    "needs_human": ":raising_hand: need a person",
}


def escape(text: str, limit: int = MAX_TITLE) -> str:
    """Issue text for mrkdwn: bounded, one line, no control characters, links, mentions or formatting."""
    text = " ".join(_CONTROL.sub("", text).split())
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # A zero-width joiner after @ and inside `*_~` keeps Slack from making mentions and formats of them.
    return re.sub(r"([@*_~`])", "\\1\u2060", text)


def digest(
    report: RunReport, urgent: Sequence[CaseLine], waiting: Sequence[CaseLine]
) -> tuple[str, list[dict[str, Any]]]:
    """The run's one message: (plain text, blocks). Counts first, then the most urgent, then who is needed."""
    head = f"Triage: {report.triaged} issues"
    counts = "  ·  ".join(
        f"{label} *{report.routes[route]}*" for route, label in _ROUTES.items() if report.routes.get(route)
    )
    stories = report.stories
    facts = [f"{stories['created']} stories created"]
    if stories["existing"]:
        facts.append(f"{stories['existing']} stood already")
    queued = stories["queued"] + report.github["queued"]
    if queued:
        when = f", goes on at {report.resumes_at}" if report.resumes_at else ""
        facts.append(f"*{queued} updates wait in the queue*{when}")
    dead = stories["dead"] + report.github["dead"]
    if dead:
        facts.append(f"*{dead} updates were refused* (`switchyard queue list`)")
    if report.failed:
        facts.append(f"*{report.failed} cases failed*")
    blocks = [_header(head), _section(counts or "Nothing was routed."), _section("  ·  ".join(facts))]
    if urgent:
        blocks.append(_section(_fitting("*Most urgent*", map(_line, urgent), len(urgent))))
    people = report.routes.get("needs_human", 0)
    if people and waiting:
        entries = (_line(line) + _why(line) for line in waiting)
        blocks.append(_section(_fitting(f"*Need a person* ({people})", entries, people)))
    if report.problems:
        blocks.append(_section("*Look at*\n" + "\n".join(f"• {escape(p, 300)}" for p in report.problems[:5])))
    blocks.append(
        {"type": "context", "elements": [_mrkdwn(f"run `{report.run_id}` · {escape(report.name)}")]}
    )
    return f"{head}. {counts.replace('*', '')}", blocks


def security_digest(report: RunReport, lines: Sequence[CaseLine]) -> tuple[str, list[dict[str, Any]]]:
    """A run's possible security reports, for the private channel: (plain text, blocks)."""
    total = report.routes.get("security", len(lines))
    head = f"{total} possible security report{'s' if total != 1 else ''} to review"
    blocks = [_header(head)]
    for line in lines:
        facts = "\n".join(f"• {escape(str(fact), 200)}" for fact in line.detail.get("escalation", ())[:6])
        story = f" · <{line.story_url}|story>" if line.story_url else ""
        blocks.append(_section(f"<{line.url}|{line.ref}> {escape(line.title)}{story}\n{facts}".strip()))
    rest = f"{total - len(lines)} more are stories with the label security. " if total > len(lines) else ""
    advice = f"{rest}Please answer here, not on the public issue. Run `{report.run_id}`"
    blocks.append({"type": "context", "elements": [_mrkdwn(advice)]})
    return head, blocks


def _fitting(head: str, entries: Iterable[str], total: int) -> str:
    """A list with as many whole entries as fit into a section; half a link or half an entity would be shown."""
    told, shown = head, 0
    for entry in entries:
        if len(told) + len(entry) > MAX_SECTION - 60:
            break
        told, shown = f"{told}\n{entry}", shown + 1
    return told + (f"\n… and {total - shown} more in the report" if total > shown else "")


def _why(line: CaseLine) -> str:
    """The two likeliest routes and what spoke for and against the first; empty where nothing is known."""
    shares = sorted(line.detail.get("probabilities", {}).items(), key=lambda item: (-item[1], item[0]))
    if line.route == "security" or not shares:
        return ""
    likely = " or ".join(f"{escape(name, 20)} {share:.0%}" for name, share in shares[:2])
    reasons = line.detail.get("reasons", ())
    speaks_for = [escape(str(name), MAX_REASON) for name, weight in reasons if weight > 0][:2]
    against = [escape(str(name), MAX_REASON) for name, weight in reasons if weight < 0][:1]
    told = [", ".join(speaks_for)] if speaks_for else []
    told += [f"against: {against[0]}"] if against else []
    return f"\n      likely {likely}" + (f" ({'; '.join(told)})" if told else "")


def _line(line: CaseLine) -> str:
    """One case; of a security case only that it was routed for review."""
    link = f"<{line.url}|{line.ref}>"
    if line.route == "security":
        return f"• {link} routed for review"
    story = f" · <{line.story_url}|story>" if line.story_url else ""
    severity = escape(str(line.detail.get("severity", "")), 20)
    return f"• {link} {escape(line.title)} ({severity}){story}"


def _header(text: str) -> dict[str, Any]:
    return {"type": "header", "text": {"type": "plain_text", "text": text[:MAX_HEADER]}}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> dict[str, Any]:
    # Verbatim: an address in a title is no link; ours are written as links.
    return {"type": "mrkdwn", "text": text[:MAX_SECTION], "verbatim": True}

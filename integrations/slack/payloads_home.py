"""The home tab, and what the slash command answers: status, queue, why."""

from collections.abc import Sequence
from dataclasses import dataclass

from integrations.slack.payloads_blocks import (
    MAX_NAME,
    MAX_TOTAL,
    Block,
    context,
    divider,
    escape,
    fitting,
    header,
    link,
    section,
    take,
)
from integrations.slack.payloads_cases import CHOICES, case_line, case_text, decision
from models.report import CaseLine, RunReport

MOST_CASES = 20


@dataclass(frozen=True, slots=True)
class Waiting:
    """What one lane holds, as people are told."""

    target: str
    waiting: int
    dead: int = 0
    reason: str = ""
    """What it waits for, in the service's words; empty where it is just under way."""


def status(
    report: RunReport | None,
    *,
    waiting: int = 0,
    people: int = 0,
    refused: int = 0,
    down: Sequence[str] = (),
    report_url: str = "",
) -> str:
    """How it goes, in a few lines: the latest run, what waits for services, and what waits for people."""
    if report is None:
        told = "No run yet; `/triage run` starts one."
    else:
        progress = report.progress or {}
        at = f", {progress['triaged']} of {progress['expected']}" if "expected" in progress else ""
        end = (
            f", ends about {escape(str(progress['estimated_end']), 40)}"
            if "estimated_end" in progress
            else ""
        )
        read = f" · {link(report_url, 'report')}" if report_url else ""
        what = ("1 issue" if report.triaged == 1 else f"{report.triaged} issues") + (
            f", {report.failed} failed" if report.failed else ""
        )
        told = f"Latest run: *{escape(report.status, 20)}*{at}{end} · {what}{read}"
    lines = [told, f"*{people}* wait for a person · *{waiting}* updates wait in the queue"]
    if refused:
        lines.append(f":warning: *{refused}* updates were refused; `switchyard queue list` says why")
    if down:
        lines.append(f":red_circle: not answering: {', '.join(escape(name, 40) for name in down[:8])}")
    return "\n".join(lines)


def queue(lanes: Sequence[Waiting]) -> str:
    """What waits for which service, and why."""
    busy = [lane for lane in lanes if lane.waiting or lane.dead]
    if not busy:
        return "The queue is empty."
    entries = []
    for lane in busy:
        dead = f" · {lane.dead} refused" if lane.dead else ""
        reason = f": {escape(lane.reason.removeprefix(f'{lane.target}: '), 200)}" if lane.reason else ""
        entries.append(f"• {escape(lane.target, 40)} *{lane.waiting}*{dead}{reason}")
    total = sum(lane.waiting for lane in busy)
    return fitting(f"*{total}* updates wait", entries, len(entries), "in `switchyard queue list`")


def why(ref: str, lines: Sequence[str], *, story_url: str = "", may_correct: bool = True) -> str:
    """What was decided about an issue and what spoke for it, as sentences, and how to correct it."""
    story = f" · {link(story_url, 'story')}" if story_url else ""
    told = fitting(f"*{link('', ref)}*{story}", (escape(line, 300) for line in lines), len(lines))
    choices = ", ".join(CHOICES)
    return told + (f"\n_Wrong?_ `/triage route {link('', ref)} ROUTE`: {choices}" if may_correct else "")


def home(
    status: str, queue: str, cases: Sequence[CaseLine], *, total: int | None = None, updated: str = ""
) -> list[Block]:
    """The home tab's blocks: how it goes, what waits, and up to 20 cases with their buttons, most urgent first.

    `status` and `queue` are texts of the functions above; `total` is how many cases wait altogether.
    """
    total = len(cases) if total is None else max(total, len(cases))
    top = [
        header("Triage"),
        section(status),
        section(queue),
        divider(),
        header(f"Need a person: {total}" if total else "Nothing needs a person"),
    ]
    ordered = {line.ref[:MAX_NAME]: line for line in sorted(cases, key=lambda line: -line.urgency)}
    groups = (
        [section(case_line(line))]
        if line.route == "security"
        else [section(case_text(line)), decision(line, "home")]
        for line in [*ordered.values()][:MOST_CASES]
    )
    shown, count = take(groups, blocks=90, text=MAX_TOTAL - len(status) - len(queue) - 400)
    more = total - count
    foot = [f"… and {more} more; decide some and open this tab again"] if more > 0 else []
    foot += [f"as of {escape(updated, 60)}"] if updated else []
    return [*top, *shown, *([context(" · ".join(foot))] if foot else [])]

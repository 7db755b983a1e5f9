"""Letters: what a mail says of a run, of several, of security reports and of an alert, as text and as HTML."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.report.html import environment, row
from bot.report.wording import (
    ROUTE_NAMES,
    STATUS_MARKS,
    bars,
    count_of,
    next_steps,
    outcomes,
    plain,
    verdict,
    web_link,
)
from config.settings import Settings
from models.report import CaseLine, RunReport

MOST = 5
"""Cases and problems of each kind that a mail shows."""
_JOINT = re.compile(r"(?<=[^\s.:@])([.:@])(?=[^\s.:@])")


@dataclass(frozen=True, slots=True)
class Part:
    """One list of a mail."""

    title: str
    cases: Sequence[Mapping[str, Any]] = ()
    """ref, url, title, story, note, facts"""
    lines: Sequence[str] = ()
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail before it is rendered as text and as HTML; foreign text in it is plain, one line and bounded."""

    subject: str
    head: str
    lead: str
    tone: str = ""
    """A status' name, for its colour."""
    bars: Sequence[Mapping[str, Any]] = ()
    facts: Sequence[tuple[str, str]] = ()
    parts: Sequence[Part] = ()
    links: Sequence[tuple[str, str]] = ()
    """(words, address)"""
    foot: Sequence[str] = ()


def in_trouble(report: RunReport) -> bool:
    """Did something go wrong that a person should look at?"""
    dead = report.stories.get("dead", 0) + report.github.get("dead", 0)
    return bool(report.problems or report.failed or dead or report.status in ("failed", "partial"))


def digest(
    settings: Settings,
    report: RunReport,
    urgent: Sequence[CaseLine],
    waiting: Sequence[CaseLine],
    *,
    period: str = "",
) -> Letter:
    """A run, or several, as a lead reads them in 20 seconds."""
    people = report.routes.get("needs_human", 0)
    trouble = in_trouble(report)
    head = f"{count_of(report.triaged, 'issue')} triaged"
    parts = []
    if urgent:
        parts.append(Part("Most urgent", cases=[_case(line) for line in urgent]))
    if people and waiting:
        rest = f"and {people - len(waiting)} more in the report" if people > len(waiting) else ""
        shown = [_case(line, likely=True) for line in waiting]
        parts.append(Part(f"Need a person ({people})", cases=shown, rest=rest))
    steps = [step for step in next_steps(report) if trouble or "label on the issue" in step]
    problems = [_unlinked(plain(problem, 300)) for problem in report.problems[:MOST]]
    if trouble and problems:
        hidden = len(report.problems) - len(problems)
        parts.append(Part("Look at", lines=problems, rest=f"and {hidden} more" if hidden else ""))
    if steps:
        parts.append(Part("Next", lines=steps))
    link = report_link(settings, report.run_id) if not period else dashboard(settings)
    about = (period,) if period else (f"Run {plain(report.run_id)}.",)
    where = (
        ()
        if link or period
        else (f"Its report: reports/{plain(report.run_id)}.html where `switchyard serve` answers.",)
    )
    needed = f", {people} need{'s' if people == 1 else ''} a person" if people else ""
    return Letter(
        subject=f"[{plain(report.name, 40)}] {head}{needed}{'; something needs mending' if trouble else ''}",
        head=head,
        lead=verdict(report),
        tone=report.status if report.status in STATUS_MARKS else "",
        bars=[bar for bar in bars(report.routes) if bar["count"]],
        facts=[(name, words) for name, words in outcomes(report) if name != "Messages"],
        parts=parts,
        links=((("Open the report" if not period else "Open the dashboard"), link),) if link else (),
        foot=(*about, *where, *_foot()),
    )


def security(name: str, run_id: str, lines: Sequence[CaseLine], *, total: int) -> Letter:
    """Possible security reports that are new, for those who asked to be told of them."""
    head = f"{count_of(total, 'possible security report')} to review"
    shown = [
        _case(line, private=False)
        | {"facts": [plain(fact, 200) for fact in line.detail.get("escalation", ())][:6]}
        for line in lines
    ]
    rest = f"and {total - len(lines)} more, stories with the label security" if total > len(lines) else ""
    return Letter(
        subject=f"[{plain(name, 40)}] {head}",
        head=head,
        lead="Please do not answer on the public issue. This mail goes only to those who are named for it.",
        tone="partial",
        parts=(Part("To review", cases=shown, rest=rest),),
        foot=(f"Run {plain(run_id)}.", *_foot()),
    )


def alert(name: str, detail: str, *, over: bool) -> Letter:
    """An alert, or its end."""
    words = plain(detail, 500)
    service = words.partition(":")[0]
    return Letter(
        subject=f"[{plain(name, 40)}] {'Over' if over else 'Alert'}: {service}",
        head="The alert is over" if over else f"Alert: {service}",
        lead=words,
        tone="completed" if over else "failed",
        parts=()
        if over
        else (Part("Now", lines=("`switchyard doctor` says what does not answer, and why.",)),),
        foot=("You are told once when an alert starts and once when it is over.", *_foot()),
    )


def report_link(settings: Settings, run_id: str) -> str:
    """Where people read a run's report; empty where the configuration does not say where `serve` is."""
    base = dashboard(settings)
    return f"{base.rstrip('/')}/reports/{run_id}.html" if base else ""


def dashboard(settings: Settings) -> str:
    return settings.monitoring.public_url or ""


def _case(line: CaseLine, *, likely: bool = False, private: bool = True) -> dict[str, Any]:
    """A case as a mail shows it; of a security case no more than the report shows."""
    shown = row(line)
    notes = []
    if shown["private"] and not private:
        shown["title"], shown["story"] = plain(line.title) or "(no title)", web_link(line.story_url)
    elif not shown["private"] and line.status != "failed":
        notes = [f"likely {' or '.join(shown['likeliest'])}"] if likely and shown["likeliest"] else []
        notes += [shown["severity"]] if not likely else []
    facts: list[str] = []
    if likely and not shown["private"]:
        facts = [f"{side}: {', '.join(map(_unlinked, signs[:2]))}" for side, signs in shown.get("why", ())]
    return {
        "ref": shown["ref"],
        "url": shown["url"],
        "title": _unlinked(shown["title"]),
        "story": shown["story"],
        "route": shown["route"],
        "route_name": ROUTE_NAMES.get(line.route, line.route) if shown["private"] else shown["route_name"],
        "note": " · ".join(notes),
        "facts": facts,
    }


def _unlinked(text: str) -> str:
    """Foreign text of which no mail program makes a link: an address in a title is not one of ours."""
    return _JOINT.sub("\\1\u2060", text)


def _foot() -> tuple[str, ...]:
    return (
        "Sent by Switchyard; nobody reads answers to it. Who is told what stands in the configuration under "
        "integrations.email.recipients.",
    )


def as_html(letter: Letter) -> str:
    return environment().get_template("mail.html").render(letter=letter)


def as_text(letter: Letter) -> str:
    """The same for those who read text, in lines of their own."""
    lines = [letter.head, "=" * len(letter.head), letter.lead, ""]
    if letter.bars:
        lines += [f"{bar['count']:>7,}  {bar['name']}" for bar in letter.bars] + [""]
    lines += [f"{name}: {words}" for name, words in letter.facts]
    for part in letter.parts:
        lines += ["", part.title, "-" * len(part.title)]
        for case in part.cases:
            note = f" ({case['note']})" if case["note"] else ""
            lines.append(f"* {case['ref']} {case['title']}{note}")
            lines += [f"  {fact}" for fact in case["facts"]]
            lines += [f"  {url}" for url in (case["url"], case["story"]) if url]
        lines += [f"* {line}" for line in part.lines]
        lines += [f"  {part.rest}"] if part.rest else []
    lines += ["", *(f"{words}: {url}" for words, url in letter.links), "-- ", *letter.foot]
    return "\n".join(lines) + "\n"

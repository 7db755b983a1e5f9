"""The report of a run: an HTML file that is complete in itself, and a summary for the terminal."""

import heapq
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from bot.report.examples import Example
from bot.report.wording import (
    STATUS_MARKS,
    bars,
    duration,
    figures,
    moment,
    next_steps,
    outcomes,
    plain,
    requests,
    verdict,
    web_link,
)
from models.report import CaseLine, RunReport

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup
    from rich.console import Console

TEMPLATES = Path(__file__).parent.parent / "web" / "templates"
URGENT, PEOPLE, FAILED = 5, 10, 10
"""How many cases the lists above the table show; the table itself shows all."""
# --- the file ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Chosen:
    """What the lists above the table show, picked while the table is written; holds no more than it shows."""

    urgent: list[tuple[float, int, CaseLine]] = field(default_factory=list)
    people: list[CaseLine] = field(default_factory=list)
    failed: list[CaseLine] = field(default_factory=list)
    total: int = 0

    def watch(self, lines: Iterable[CaseLine]) -> Iterator[dict[str, Any]]:
        for line in lines:
            self.total += 1
            self._pick(line)
            yield row(line)

    def _pick(self, line: CaseLine) -> None:
        if line.status == "failed":
            if len(self.failed) < FAILED:
                self.failed.append(line)
            return
        if line.needs_person and len(self.people) < PEOPLE:
            self.people.append(line)
        # The number keeps equal urgencies in the order in which they came.
        heapq.heappush(self.urgent, (line.urgency, -self.total, line))
        if len(self.urgent) > URGENT:
            heapq.heappop(self.urgent)

    def most_urgent(self) -> list[dict[str, Any]]:
        return [row(line) for _, _, line in sorted(self.urgent, key=lambda item: item[:2], reverse=True)]


def row(line: CaseLine) -> dict[str, Any]:
    """A case as the page shows it. Of a security case it shows nothing but that it was routed for review."""
    shown: dict[str, Any] = {
        "ref": plain(line.ref, 160),
        "url": web_link(line.url),
        "route": line.route if line.status != "failed" else "failed",
        "route_name": {"security": "for review", "needs_human": "person"}.get(line.route, line.route),
        "story": web_link(line.story_url),
        "private": line.route == "security",
    }
    if line.status == "failed":
        # An earlier run may have screened this issue as security, so its title stays out as well.
        return shown | {"error": plain(line.error, 400), "title": "", "route_name": "failed"}
    if line.route == "security":
        return shown | {"title": "routed for review", "story": ""}
    detail = line.detail
    shares = detail.get("probabilities", {})
    return shown | {
        "title": plain(line.title) or "(no title)",
        "confidence": f"{float(detail.get('confidence') or 0):.0%}",
        "severity": plain(detail.get("severity", "low"), 12),
        "likeliest": likeliest(shares),
        "rules": [plain(rule) for rule in detail.get("rules", ())],
        "why": why(shares, detail.get("reasons", ())),
        "evidence": [plain(words) for words in detail.get("evidence", ())],
        "similar": [
            {"ref": plain(ref, 160), "url": web_link(url), "reason": plain(reason)}
            for ref, url, reason in detail.get("similar", ())
        ],
        "suspicions": [plain(words) for words in detail.get("suspicions", ())],
        "notes": [plain(note) for note in detail.get("notes", ())],
    }


def likeliest(probabilities: Mapping[str, float], count: int = 2) -> list[str]:
    """The likeliest routes in words: "bug 48 %"."""
    best = sorted(probabilities.items(), key=lambda item: (-item[1], item[0]))[:count]
    return [f"{plain(name, 40)} {share:.0%}" for name, share in best]


def why(
    probabilities: Mapping[str, float], reasons: Iterable[tuple[object, float]]
) -> list[tuple[str, list[str]]]:
    """What spoke for the model's route and what against it, in words; only what there is."""
    route = plain(max(probabilities, key=lambda name: probabilities[name]), 40) if probabilities else "it"
    said = [(plain(sign, 80), float(weight)) for sign, weight in reasons]
    sides = (
        (f"for {route}", [sign for sign, weight in said if weight > 0]),
        ("against", [sign for sign, weight in said if weight < 0]),
    )
    return [(side, signs) for side, signs in sides if signs]


@lru_cache(maxsize=1)
def environment() -> "Environment":
    """The templates; whatever a value holds, it is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["ticks"] = _ticks
    templates.filters["moment"] = moment
    return templates


def _ticks(text: str) -> "Markup":
    """A sentence of ours with its `commands` set as code."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`([^`]{1,200})`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 (escaped just here)


def write(path: Path, report: RunReport, lines: Iterable[CaseLine], examples: Sequence[Example] = ()) -> None:
    """Write the report to `path`: all of it or nothing, and never more than a few cases in memory.

    The lists at the top are known only once all cases were seen, so the table goes to its own file first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    chosen = _Chosen()
    templates = environment()
    descriptor, name = tempfile.mkstemp(prefix=f".{path.stem[:80]}.", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with (
            tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace", dir=path.parent) as table,
            os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as out,
        ):
            _write_all(table, templates.get_template("report_rows.html").generate(lines=chosen.watch(lines)))
            _write_all(
                out, templates.get_template("report_head.html").generate(**_head(report, chosen, examples))
            )
            table.seek(0)
            shutil.copyfileobj(table, out)
            _write_all(out, templates.get_template("report_tail.html").generate(run=plain(report.run_id)))
        # mkstemp made it readable for its owner alone; a report is for whoever may read the folder.
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _write_all(out: TextIO, pieces: Iterable[str]) -> None:
    out.writelines(pieces)


def _head(report: RunReport, chosen: _Chosen, examples: Sequence[Example]) -> dict[str, Any]:
    mark, _ = STATUS_MARKS.get(report.status, ("·", "white"))
    people = report.needs_person
    return {
        "run": plain(report.run_id),
        "name": plain(report.name, 80),
        "trigger": plain(report.trigger, 40),
        "started": moment(report.started_at),
        "seconds": duration(report.duration_seconds),
        "dry": report.dry_run,
        "status": plain(report.status, 20),
        "mark": mark,
        "verdict": verdict(report),
        "steps": next_steps(report),
        "figures": figures(report),
        "from_cache": report.from_cache,
        "bars": bars(report.routes),
        "outcomes": outcomes(report),
        "requests": requests(report),
        "problems": [plain(problem, 500) for problem in report.problems],
        "skipped": [plain(part, 300) for part in report.skipped],
        "urgent": chosen.most_urgent(),
        "people": [row(line) for line in chosen.people],
        "more_people": max(0, people - len(chosen.people)),
        "failed": [row(line) for line in chosen.failed],
        "more_failed": max(0, report.failed - len(chosen.failed)),
        "examples": [example.shown() for example in examples],
        "private": any(example.route == "security" for example in examples),
        "total": chosen.total,
        "unlisted": max(0, report.triaged + report.failed - chosen.total),
    }


# --- the terminal -----------------------------------------------------------------------------------


def terminal(report: RunReport, console: "Console") -> None:
    """A run in a few lines; all text is plain, so nothing in it can be taken for markup."""
    from rich.table import Table
    from rich.text import Text

    mark, colour = STATUS_MARKS.get(report.status, ("·", "white"))
    word = f"{report.status}, dry run" if report.dry_run else report.status
    console.print(
        Text.assemble(
            (f"{mark} {plain(word, 40)}", f"bold {colour}"),
            (
                f"  {plain(report.name, 60)} · {plain(report.run_id)} · {duration(report.duration_seconds)}",
                "dim",
            ),
        )
    )
    console.print(Text(verdict(report)))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    counted = [
        f"{count:,} {name}" for name, count in figures(report) if count or name in ("fetched", "triaged")
    ]
    stored = " (from the stored copy, GitHub did not answer)" if report.from_cache else ""
    grid.add_row("Issues", Text(" · ".join(counted) + stored))
    for index, bar in enumerate(bar for bar in bars(report.routes) if bar["count"]):
        drawn = "━" * max(1, round(bar["share"] / 5))
        line = Text.assemble((f"{drawn:<20}", "cyan"), f" {bar['count']:>6,}  {bar['name']}")
        grid.add_row("Routes" if index == 0 else "", line)
    for title, words in outcomes(report):
        grid.add_row(title, Text(words))
    if report.requests:
        grid.add_row("Requests", Text(requests(report)))
    if report.resumes_at:
        grid.add_row("Goes on", Text(moment(report.resumes_at)))
    if report.report:
        grid.add_row("Report", Text(plain(report.report, 400)))
    console.print(grid)
    for title, texts, style in (
        ("Problems", report.problems, "yellow"),
        ("Off", report.skipped, "dim"),
        ("Next", next_steps(report), ""),
    ):
        if texts:
            console.print(Text(title, style=f"bold {style}".strip()))
            for text in texts:
                console.print(Text(f"  • {plain(text, 500)}", style=style))

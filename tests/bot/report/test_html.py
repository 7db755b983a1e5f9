"""The report file and the terminal summary: complete, safe for any text, silent about security cases."""

import io
import re
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bot.report.html import terminal, write
from bot.report.wording import bars, moment, next_steps, outcomes, plain, verdict, web_link
from models.report import GITHUB_KEYS, NOTIFICATION_KEYS, STORY_KEYS, CaseLine, RunReport

VOID = {"meta", "br", "link", "input", "img", "hr"}

REPORT = RunReport(
    run_id="nightly-20261120T0200Z",
    status="completed",
    trigger="nightly",
    started_at="2026-11-20T02:00:00Z",
    fetched=12,
    pull_requests_skipped=2,
    triaged=10,
    routes={"bug": 6, "feature": 2, "needs_human": 2},
    stories=dict.fromkeys(STORY_KEYS, 0) | {"created": 8},
    github=dict.fromkeys(GITHUB_KEYS, 0) | {"updated": 10},
    notifications=dict.fromkeys(NOTIFICATION_KEYS, 0) | {"slack": 1},
    requests={"github": 12, "shortcut": 2},
    duration_seconds=3.2,
)


def line(number: int = 1, **changes: Any) -> CaseLine:
    values: dict[str, Any] = {
        "ref": f"octo/widgets#{number}",
        "title": "Crash on start",
        "url": f"https://github.com/octo/widgets/issues/{number}",
        "route": "bug",
        "urgency": 50.0,
        "story_url": f"https://app.shortcut.com/octo/story/{number}",
        "detail": {
            "confidence": 0.87,
            "severity": "high",
            "probabilities": {"bug": 0.48, "question": 0.41, "docs": 0.11},
            "reasons": [["“traceback” in the title", 1.2], ["a stack trace", 0.4], ["“please”", -0.3]],
            "rules": ['label "bug" on the issue'],
            "evidence": ["data loss"],
            "similar": [
                ["octo/widgets#7", "https://github.com/octo/widgets/issues/7", "the same stack trace"]
            ],
            "notes": ["osv was not asked"],
        },
    }
    return CaseLine(**values | changes)


class _Checked(HTMLParser):
    """Balanced tags, no scripts, nothing loaded from elsewhere; collects links and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "iframe", "object", "embed", "form"), tag
        for name, value in attrs:
            assert not name.startswith("on"), name
            assert name not in ("src", "srcset", "action"), name
            if name == "href":
                self.links.append(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)


def read(path: Path) -> tuple[str, _Checked]:
    page = path.read_text(encoding="utf-8")
    checked = _Checked()
    checked.feed(page)
    checked.close()
    assert checked.open == []
    return " ".join(" ".join(checked.text).split()), checked


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reports" / "run.html"


def test_shows_what_a_lead_needs(path: Path) -> None:
    report = replace(
        REPORT,
        status="partial",
        failed=1,
        problems=("octo/gone: not found; take it off workflow.repositories",),
        skipped=("slack is off: set SLACK_BOT_TOKEN",),
        stories=REPORT.stories | {"queued": 2},  # type: ignore[operator]
    )
    cases = [
        line(9, status="failed", error="AssessImpact: ValueError: broken", title="an old title"),
        line(1, urgency=90.0),
        line(2, route="needs_human", title="How do I configure this?", urgency=20.0, story_url=None),
    ]
    write(path, report, iter(cases))
    text, checked = read(path)
    assert "10 issues triaged, but not all is done: 1 case failed, 2 updates waiting in the queue." in text
    for words in (
        "! partial",
        "octo/gone: not found",
        "slack is off",
        "Most urgent",
        "likely bug 48% or question 41%",
        "octo/widgets#9 : AssessImpact: ValueError: broken",
        "for bug: “traceback” in the title, a stack trace; against: “please”",
        "for bug “traceback” in the title, a stack trace against “please”",
        "data loss",
        "osv was not asked",
        "the same stack trace",
        "8 created · 2 waiting",
        "2026-11-20 02:00 UTC",
    ):
        assert words in text, words
    assert "an old title" not in text
    assert "https://app.shortcut.com/octo/story/1" in checked.links


def test_a_security_case_shows_nothing_but_its_link(path: Path) -> None:
    secret = line(
        3,
        route="security",
        title="SECRET-TITLE",
        urgency=100.0,
        detail={
            "evidence": ["SECRET-EVIDENCE"],
            "rules": ["SECRET-RULE"],
            "severity": "critical",
            "probabilities": {"bug": 0.9},
            "reasons": [["“SECRET-WORD”", 1.0]],
        },
    )
    write(path, replace(REPORT, routes={"security": 1}), [secret])
    text, checked = read(path)
    assert text.count("routed for review") >= 2
    assert "SECRET" not in path.read_text(encoding="utf-8")
    assert "critical" not in text
    assert checked.links == ["https://github.com/octo/widgets/issues/3"] * 2


def test_foreign_text_is_harmless(path: Path) -> None:
    title = "</td><script>alert(1)</script> \x1b[31m\x00 \u202eevil \ud800 ghp_" + "x" * 36 + "é" * 500
    cases = [line(1, title=title, url="javascript:alert(1)", story_url="data:text/html,x", error="<b>")]
    report = replace(REPORT, problems=("<img src=x onerror=alert(1)>",), skipped=("{{ 7 * 7 }}",), name="<i>")
    write(path, report, cases)
    text, checked = read(path)
    assert "<script>alert(1)</script>" in text
    assert "{{ 7 * 7 }}" in text
    assert "ghp_x" not in text
    assert not re.search("[\x00\x1b\u202e]", path.read_text(encoding="utf-8"))
    assert all(link.startswith("https://") for link in checked.links)


def test_an_empty_run_and_odd_details(path: Path) -> None:
    write(path, replace(REPORT, triaged=0, routes={}), [])
    text, _ = read(path)
    assert "nothing to do" in text
    assert "This run triaged no issue." in text
    write(path, REPORT, [line(1, title="", url="", story_url=None, detail={})])
    text, _ = read(path)
    assert "(no title)" in text


def test_a_dry_run_says_what_would_be_done(path: Path) -> None:
    planned = {
        "stories": dict.fromkeys(STORY_KEYS, 0) | {"created": 8},
        "github": dict.fromkeys(GITHUB_KEYS, 0) | {"updated": 10},
        "notifications": dict.fromkeys(NOTIFICATION_KEYS, 0) | {"slack": 1},
    }
    zero = {"stories": dict.fromkeys(STORY_KEYS, 0), "github": dict.fromkeys(GITHUB_KEYS, 0)}
    report = replace(
        REPORT, dry_run=True, planned=planned, notifications=dict.fromkeys(NOTIFICATION_KEYS, 0), **zero
    )
    write(path, report, [line()])
    text, _ = read(path)
    assert "dry run" in text
    assert "would create 8 stories, update 10 issues and post 1 message" in text
    assert "8 would be created" in text


def test_it_is_all_or_nothing(path: Path) -> None:
    write(path, REPORT, [line()])
    before = path.read_text(encoding="utf-8")

    def broken() -> Iterator[CaseLine]:
        yield line()
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        write(path, REPORT, broken())
    assert path.read_text(encoding="utf-8") == before
    assert [file.name for file in path.parent.iterdir()] == ["run.html"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_memory_does_not_grow_with_the_cases(path: Path) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        write(path, REPORT, (line(number, urgency=number % 97) for number in range(count)))
        peaked = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peaked

    peak(10)
    assert peak(1_500) < peak(150) + 250_000


def test_the_most_urgent_come_first_whatever_the_order(path: Path) -> None:
    write(path, REPORT, [line(number, urgency=float(number), title=f"T{number}") for number in range(1, 30)])
    text, _ = read(path)
    urgent = text[text.index("Most urgent") : text.index("All cases")]
    assert re.findall(r"\bT\d+", urgent) == ["T29", "T28", "T27", "T26", "T25"]


def say(report: RunReport) -> str:
    out = io.StringIO()
    terminal(report, Console(file=out, width=100, force_terminal=False))
    return out.getvalue()


def test_the_terminal_summary() -> None:
    report = replace(
        REPORT,
        status="paused",
        resumes_at="2026-11-20T03:00:00Z",
        problems=("[bold]not markup[/bold] \x1b[31m", "[/]"),
        skipped=("slack is off",),
        github=REPORT.github | {"queued": 4},  # type: ignore[operator]
        report="var/reports/x.html",
    )
    said = say(report)
    for words in (
        "‖ paused",
        "4 updates wait for a rate budget, on again at 2026-11-20 03:00 UTC",
        "12 fetched",
        "[bold]not markup[/bold]",
        "[/]",
        "slack is off",
        "var/reports/x.html",
        "6  bugs",
        "switchyard queue drain",
    ):
        assert words in said, words
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "10 issues triaged and everything is delivered."),
        ({"triaged": 0}, "Nothing had changed"),
        ({"status": "failed"}, "could not do its work"),
        ({"status": "cancelled"}, "Cancelled after 10 issues."),
        ({"status": "running", "triaged": 1}, "1 issue triaged so far"),
        ({"status": "paused"}, "Paused by hand"),
        ({"status": "partial"}, "something could not be read"),
        ({"status": "partial", "github": {"dead": 1}}, "1 update refused for good"),
    ],
)
def test_verdicts(changes: dict[str, Any], words: str) -> None:
    assert words in verdict(replace(REPORT, **changes))


def test_next_steps_name_what_to_call() -> None:
    bad = replace(REPORT, status="failed", stories={"dead": 1, "queued": 1}, failed=1, needs_person=2)
    steps = " ".join(next_steps(bad))
    for words in ("queue retry --all-dead", "queue drain", "doctor", "2 issues that need a person"):
        assert words in steps
    # A question that a person found to be one asks nobody.
    assert next_steps(replace(REPORT, routes={"needs_human": 1})) == []


def test_small_parts() -> None:
    assert plain("a\x00b\n\tc") == "ab c"
    assert web_link("http://[bad") == web_link("file:///etc/passwd") == web_link(None) == ""
    assert moment("2026-11-20T03:00:00Z") == "2026-11-20 03:00 UTC"
    assert moment("soon") == "soon"
    assert [bar["share"] for bar in bars({"bug": 4, "odd": 1})][:1] == [100.0]
    assert bars({"odd": 1})[-1]["name"] == "odd"
    assert [bar["name"] for bar in bars({"bug": 1, "feature": 2})][:2] == ["bug", "features"]


def test_what_is_no_message_is_not_called_one() -> None:
    sent = dict.fromkeys(NOTIFICATION_KEYS, 0) | {"slack": 3, "notion": 1, "api": 2}
    shown = dict(outcomes(replace(REPORT, notifications=sent)))
    assert shown["Messages"] == "3 slack · 1 in Notion · 2 to services of your own"

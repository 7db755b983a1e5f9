"""Every decision of a run keeps its reasons, and a report can show them."""

from datetime import UTC, datetime

import pytest

from bot.report.html import row
from bot.run.aggregate import lines_of
from bot.sandbox.server import load_issues
from bot.think.pool import Mind, ThinkSettings
from models.case import Case
from models.issue import Issue
from nodes.base import Policy, Rule

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


def think(*rules: Rule) -> list[Case]:
    issues = [
        Issue(
            repo=str(record["repo"]),
            number=number,
            title=str(record["title"] or ""),
            body=str(record["body"] or ""),
            html_url=f"https://github.com/{record['repo']}/issues/{number}",
            created_at=NOW,
            updated_at=NOW,
            author="ada",
        )
        for number, record in enumerate(load_issues(None), 1)
    ]
    found = Mind(ThinkSettings("builtin", Policy(rules=rules), None)).think(
        [Case(issue=issue) for issue in issues]
    )
    return [case for case in found if isinstance(case, Case)]


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return think()


def test_every_case_has_reasons_for_and_against(cases: list[Case]) -> None:
    assert len(cases) > 50
    for line in lines_of(cases):
        reasons = line.detail["reasons"]
        assert any(weight > 0 for _, weight in reasons), line.title
        assert any(weight < 0 for _, weight in reasons), line.title
        assert len(reasons) <= 8
        assert line.detail["model"] and line.detail["probabilities"]


def test_the_report_tells_them_and_is_silent_about_security(cases: list[Case]) -> None:
    for line in lines_of(cases):
        shown = row(line)
        if line.route == "security":
            assert "why" not in shown and "likeliest" not in shown
        else:
            likely = max(line.detail["probabilities"].items(), key=lambda item: item[1])[0]
            assert [side for side, _ in shown["why"]] == [f"for {likely}", "against"]


def test_a_boost_is_held_against_the_models_own_thresholds(cases: list[Case]) -> None:
    lifted = think(Rule(route="feature", action="boost", weight=10.0, author="*"))
    before, after = (sum(case.route == "feature" for case in found) for found in (cases, lifted))
    assert after > before
    for case in lifted:
        assert case.decision is not None and case.decision.prediction is not None
        needed = case.decision.prediction.thresholds["feature"]
        if case.route == "feature":
            assert needed is not None and case.decision.confidence >= needed

"""Severity, score and parts of the impact."""

from datetime import timedelta
from typing import Any

import pytest

from models.case import Impact
from nodes.assess_impact import AssessImpact
from tests.nodes.build import NOW, case, run


def impact(title: str, body: str = "", **changes: Any) -> Impact:
    found = run(AssessImpact(), case(title, body, **changes)).impact
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("title", "body", "severity"),
    [
        ("Typo in the readme", "", "low"),
        ("Please add a dark theme", "It would be nice.", "low"),
        ("Button is two pixels off", "", "low"),
        ("App crashes when opening a file", "", "medium"),
        ("Sync hangs forever", "It never returns.", "medium"),
        ("Sorting no longer works after upgrading", "", "medium"),
        ("Crash after upgrading", "It worked in 1.2, since upgrading it crashes.", "high"),
        ("Saving loses all data", "", "high"),
        ("SQL injection in the search form", "", "high"),
        ("Data loss in production", "All our users are affected, files get corrupted.", "critical"),
    ],
)
def test_severity(title: str, body: str, severity: str) -> None:
    assert impact(title, body).severity == severity


@pytest.mark.parametrize(
    "body", ["There is no crash.", "It does not crash.", "It never hangs, and avoids data loss."]
)
def test_what_is_denied_is_no_evidence(body: str) -> None:
    assert impact("A question of style", body).evidence == ()


def test_code_is_no_evidence() -> None:
    assert impact("Colours", "```\ncrash(); data loss; vulnerability\n```").evidence == ()


def test_the_parts_make_the_score() -> None:
    found = impact("Crash on start", "", reactions=20, comments=10, author_association="MEMBER")
    assert found.score == pytest.approx(sum(found.parts.values()), abs=0.1)
    assert set(found.parts) == {"evidence", "reach", "recency"}
    assert found.evidence == ("crash: “crash”",)


def test_reach_and_freshness_raise_the_score() -> None:
    plain = impact("Crash on start")
    assert impact("Crash on start", reactions=50).score > plain.score
    assert impact("Crash on start", created_at=NOW - timedelta(days=300)).score < plain.score


def test_the_score_stays_in_its_bounds() -> None:
    loud = "data loss, vulnerability, crash, hangs, regression, showstopper, all users, memory leak"
    found = impact(loud, loud, reactions=10**9, comments=10**9, created_at=NOW + timedelta(days=2))
    assert 0 <= found.score <= 100

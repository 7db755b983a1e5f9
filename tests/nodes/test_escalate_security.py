"""What the private channel is told: facts only, bounded; and when an advisory is drafted."""

from dataclasses import replace
from typing import Any

import pytest

from models.case import Advisory, Case, Section
from nodes.analyze_code import AnalyzeCode
from nodes.escalate_security import EscalateSecurity
from tests.nodes.build import case, command, context, decided, run

KNOWN = Advisory(id="GHSA-2c2j-9gv5-cj73", severity="high", fixed=("gadget-merge 2.4.1",))
VECTOR = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
STEPS = (
    "An XSS vulnerability.\n\n## Steps to reproduce\n\n1. search for `<script>alert(1)</script>`\n2. look\n"
)


def test_the_facts() -> None:
    given = case("XSS in search", "A stored XSS, CVE-2024-12345, in widgets==1.2.3.", "security")
    given = replace(given, decision=decided("security", rules=('label "security" on the issue',)))
    done = run(EscalateSecurity(), given)
    assert done.escalation == (
        "severity medium, by the kind of weakness alone; not confirmed yet",
        "kind: cross-site scripting",
        "ids: CVE-2024-12345",
        "packages: widgets 1.2.3",
        'why: label "security" on the issue',
    )
    assert done.commands == ()


def test_what_is_known_of_it_is_told() -> None:
    given = replace(case("Merge", "Pollution in gadget-merge", "security"), advisories=(KNOWN,))
    assert run(EscalateSecurity(), given).escalation == (
        "severity high, by GHSA-2c2j-9gv5-cj73",
        "known: GHSA-2c2j-9gv5-cj73; fixed in gadget-merge 2.4.1",
    )


def test_a_secret_is_named_by_its_kind() -> None:
    done = run(EscalateSecurity(), case("Leak", "ghp_0123456789abcdefghijABCDEFGHIJ", "security"))
    assert "the text holds secrets, to be revoked: GitHub token" in done.escalation
    assert not any("0123456789" in fact for fact in done.escalation)


def test_nothing_known_says_nothing() -> None:
    assert run(EscalateSecurity(), case("Hm", "I have a bad feeling.", "security")).escalation == ()


@pytest.mark.parametrize(
    "piece", ["XSS CVE-2024-1234 ", "pkg==1.2.3 ", "@everyone <!channel> ", "a" * 60 + "==1.2.3 "]
)
def test_facts_are_bounded(piece: str) -> None:
    done = run(EscalateSecurity(), case(piece * 9, "".join(f"{piece}{n} " for n in range(3_000)), "security"))
    assert len(done.escalation) <= 7
    assert sum(len(fact) for fact in done.escalation) < 2_000


def escalated(title: str, body: str, *, drafts: bool = True, **changes: Any) -> Case:
    given = run(AnalyzeCode(), case(title, body, "security"))
    sections = (Section(title="Vulnerability report", body="the report"), Section(title="Other", body="no"))
    given = replace(given, sections=sections, **changes)
    return run(EscalateSecurity(), given, context(draft_advisories=drafts))


@pytest.mark.parametrize(
    ("kind", "ecosystem"),
    [
        ("pypi", "pip"), ("gem", "rubygems"), ("golang", "go"), ("cargo", "rust"), ("hex", "erlang"),
        ("npm", "npm"), ("nuget", "nuget"), ("composer", "composer"), ("pub", "pub"), ("swift", "swift"),
        ("hackage", None), ("cran", None),
    ],
)  # fmt: skip
def test_an_ecosystem_that_github_does_not_know_is_not_sent(kind: str, ecosystem: str | None) -> None:
    draft = command(
        escalated("XSS in search", f"{STEPS}\npkg:{kind}/widgets@1.2.3, {VECTOR}"), "draft_advisory"
    )
    assert [package["ecosystem"] for package in draft["packages"]] == ([ecosystem] if ecosystem else [])


def test_an_advisory_is_drafted_of_what_the_text_shows() -> None:
    done = escalated("XSS in search @everyone", f"{STEPS}\nwidgets==1.2.3 and other==9.9, {VECTOR}")
    draft = command(done, "draft_advisory")
    assert draft["severity"] == "critical"
    assert draft["vector"] == VECTOR
    assert draft["weaknesses"] == ["CWE-79"]
    assert draft["packages"] == [{"ecosystem": "pip", "name": "widgets", "affected": "<= 1.2.3"}]
    assert "the report" in draft["description"]
    assert "no" not in draft["description"].split()
    assert "@everyone" not in draft["summary"]


@pytest.mark.parametrize(
    ("title", "body", "changes"),
    [
        ("XSS in search", "Prevent XSS.", {}),
        ("XSS in search", STEPS.replace(" vulnerability", ""), {}),
        ("XSS in search", STEPS, {"drafts": False}),
        ("XSS in search", STEPS, {"advisories": (KNOWN,)}),
        ("XSS in search", f"{STEPS} GHSA-2c2j-9gv5-cj73", {}),
        ("CVE-2026-10001 (High) detected in gadget.js", STEPS, {}),
        ("Hm", "I have a bad feeling.", {"decision": decided("security", by="person")}),
    ],
)
def test_no_advisory_without_evidence_or_of_what_has_one(
    title: str, body: str, changes: dict[str, Any]
) -> None:
    assert command(escalated(title, body, **changes), "draft_advisory") == {}


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        (STEPS, {}),
        (f"Bad. {VECTOR}", {}),
        ("Prevent XSS.", {"decision": decided("security", by="person")}),
        ("Prevent XSS.", {"decision": decided("security", by="label")}),
    ],
)
def test_an_advisory_needs_something_to_see_it_by_or_a_persons_word(
    body: str, changes: dict[str, Any]
) -> None:
    assert (
        command(escalated("XSS in search", body, **changes), "draft_advisory")["summary"] == "XSS in search"
    )

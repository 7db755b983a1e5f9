"""What the private channel is told: facts only, bounded, and no command of its own."""

from dataclasses import replace

import pytest

from nodes.escalate_security import EscalateSecurity
from tests.nodes.build import case, decided, run


def test_the_facts() -> None:
    given = case("XSS in search", "A stored XSS, CVE-2024-12345, in widgets==1.2.3.", "security")
    given = replace(given, decision=decided("security", rules=('label "security" on the issue',)))
    done = run(EscalateSecurity(), given)
    assert done.escalation == (
        "severity medium, not confirmed",
        "kind: cross-site scripting",
        "ids: CVE-2024-12345",
        "packages: widgets 1.2.3",
        'why: label "security" on the issue',
    )
    assert done.commands == ()


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
    assert len(done.escalation) <= 6
    assert sum(len(fact) for fact in done.escalation) < 2_000

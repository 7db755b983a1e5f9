"""What the audit lists, what it asks OSV, and that it goes on where OSV says nothing."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from models.asks import FindAdvisories
from models.case import Advisory, Case, CodeSigns
from nodes.audit_security import AuditSecurity
from tests.nodes.build import case, context, run, text_of

LONG = "0123456789abcdefghijABCDEFGHIJ"
KNOWN = Advisory(
    id="GHSA-2c2j-9gv5-cj73",
    aliases=("CVE-2026-10001",),
    summary="Prototype pollution in gadget-merge",
    severity="critical",
    affected=("pkg:npm/gadget-merge",),
    fixed=("gadget-merge 2.4.1",),
)


@dataclass
class Osv:
    """Answers every question the same, and remembers what it was asked."""

    answer: Any
    asked: list[Any] = field(default_factory=list)

    async def __call__(self, ask: Any, /) -> Any:
        self.asked.append(ask)
        return self.answer


def audited(given: Case, osv: Osv, *services: str) -> Case:
    ctx = replace(context(services=frozenset(services)), ask=osv)

    async def work() -> Case:
        return await AuditSecurity()(given, ctx)

    return asyncio.run(work())


def test_everything_found_is_listed() -> None:
    body = (
        "cve-2024-12345 and GHSA-2c2j-9gv5-cj73, CWE-79. XSS in widgets==1.2.3, before 1.2.4, fixed in "
        "1.2.4.\n"
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"
    )
    text = text_of(run(AuditSecurity(), case("XSS", body, "security")), "Security audit")
    assert "[CVE-2024-12345](https://nvd.nist.gov/vuln/detail/CVE-2024-12345)" in text
    assert "[GHSA-2c2j-9gv5-cj73](https://github.com/advisories/GHSA-2c2j-9gv5-cj73)" in text
    assert "CVSS: `CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N` 6.1 medium (version 3.1)" in text
    assert "Packages: `widgets 1.2.3 (pypi)`" in text
    assert "cross-site scripting ([CWE-79](https://cwe.mitre.org/data/definitions/79.html))" in text


def test_a_wrong_vector_is_said_to_be_wrong() -> None:
    body = "An XSS, CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L"
    text = text_of(run(AuditSecurity(), case("XSS", body, "security")), "Security audit")
    assert (
        "`CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L` is wrong, so nothing follows from it (`missing A`)"
        in text
    )


def test_packages_that_code_names_count_too() -> None:
    given = replace(
        case("XSS", "An XSS in it.", "security"),
        code=CodeSigns(packages=("npm/@octo/core@7.1.0", "npm/left", "odd/x@1", "npm/a b@1")),
    )
    assert "Packages: `@octo/core 7.1.0 (npm)`" in text_of(run(AuditSecurity(), given), "Security audit")


def test_nothing_found_adds_nothing() -> None:
    given = case("Hm", "I have a bad feeling.", "security")
    assert run(AuditSecurity(), given) is given


def test_a_secret_in_the_text_is_said_to_be_revoked() -> None:
    text = text_of(run(AuditSecurity(), case("Leak", f"My token: ghp_{LONG}", "security")), "Security audit")
    assert "GitHub token: taken out here, still in the issue; revoke it" in text
    assert LONG not in text


def test_osv_is_asked_for_ids_and_packages_and_nothing_else() -> None:
    body = f"CVE-2026-10001, CWE-1321 in pkg:npm/gadget-merge@2.4.0?token={LONG} and words of ours, v1.2"
    osv = Osv((KNOWN,))
    done = audited(case("Pollution", body, "security"), osv, "osv")
    assert osv.asked == [FindAdvisories(ids=("CVE-2026-10001",), packages=("pkg:npm/gadget-merge@2.4.0",))]
    assert done.advisories == (KNOWN,)
    assert "Not known" not in text_of(done, "Security audit")


def test_what_osv_does_not_know_is_told() -> None:
    done = audited(case("Pollution", "CVE-2026-99999 it says", "security"), Osv(()), "osv")
    assert "- Not known to OSV: CVE-2026-99999" in text_of(done, "Security audit")


@pytest.mark.parametrize(
    ("body", "services"),
    [
        ("CVE-2026-10001", ()),
        ("CVE-2026-10001", ("shortcut", "llm")),
        ("An XSS, CWE-79, in version 1.2.3 of gadget-merge", ("osv",)),
        ("gadget-merge@latest and @octo/core", ("osv",)),
    ],
)
def test_nobody_is_asked_without_osv_or_without_anything_to_ask(body: str, services: tuple[str, ...]) -> None:
    osv = Osv((KNOWN,))
    assert audited(case("XSS", body, "security"), osv, *services).advisories == ()
    assert osv.asked == []


def test_no_answer_leaves_the_audit_as_it_is() -> None:
    given = case("Pollution", "CVE-2026-10001", "security")
    without = run(AuditSecurity(), given)
    done = audited(given, Osv(None), "osv")
    listed = text_of(without, "Security audit")
    assert "CVE-2026-10001" in listed
    note = "- OSV did not answer: published vulnerabilities were not looked up"
    assert text_of(done, "Security audit") == f"{listed}\n{note}"
    assert done.advisories == ()


@pytest.mark.parametrize(
    "piece", ["CVE-2024-{n:05} ", "pkg{n}==1.2.3 ", "CVSS:3.1/AV:{n} ", "XSS ` [x](javascript:1) "]
)
def test_it_is_bounded(piece: str) -> None:
    body = "".join(piece.format(n=n) for n in range(10_000))
    osv = Osv(())
    done = audited(case("XSS", body, "security"), osv, "osv")
    assert len(text_of(done, "Security audit")) <= 4_000
    assert all(len(ask.ids) <= 20 and len(ask.packages) <= 12 for ask in osv.asked)

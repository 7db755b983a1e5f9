"""What a text says of a vulnerability: identifiers, kinds, and how many of them at most."""

import pytest

from nodes.text.security.weaknesses import audit
from tests.growth import text_grows_linearly
from tests.nodes.build import issue


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("remote code execution in the loader", "remote code execution"),
        ("stored XSS in comments", "cross-site scripting"),
        ("SQL injection through the name", "SQL injection"),
        ("path traversal with ../../etc/passwd", "path traversal"),
        ("SSRF to 169.254.169.254", "server-side request forgery"),
        ("an auth bypass for anyone", "broken authentication or authorization"),
        ("uploads work without authentication", "broken authentication or authorization"),
        ("heap use-after-free, exploitable", "memory safety"),
        ("integer overflow in the counter", "integer overflow"),
        ("pickle.load on user input", "unsafe deserialization"),
        ("the log leaks the password", "exposed secret"),
        ("it returns the password as clear text", "unencrypted secret"),
        ("an information leak to others", "information disclosure"),
        ("open to a man in the middle", "man in the middle"),
        ("ReDoS in the parser", "denial of service"),
        ("open redirect after login", "open redirect"),
        ("npm audit reports it", "vulnerable dependency"),
        ("Update the connector to 8.0.16 to fix 3 CVEs", "vulnerable dependency"),
        ("CVE-2026-10001 (Medium) detected in gadget.js", "vulnerable dependency"),
        ("no CSRF protection", "cross-site request forgery"),
    ],
)
def test_kinds(text: str, kind: str) -> None:
    assert kind in [found.name for found in audit(issue("Report", text)).kinds]


@pytest.mark.parametrize(
    "text",
    [
        "The CSRF token is sent twice.",
        "```\nsymfony/security-csrf v6.1.0\n```",
        "```\n<script>alert(1)</script>\n```",
        "per_form_csrf_tokens is odd",
    ],
)
def test_what_names_no_weakness(text: str) -> None:
    assert audit(issue("Report", text)).kinds == ()


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("cve-2024-12345, (GHSA-2C2J-9GV5-CJ73)", ("CVE-2024-12345", "GHSA-2c2j-9gv5-cj73")),
        (
            "PYSEC-2026-101 RUSTSEC-2026-0101 GO-2026-1234",
            ("PYSEC-2026-101", "RUSTSEC-2026-0101", "GO-2026-1234"),
        ),
        ("https://example.com/CVE-2024-1234#CWE-79", ("CVE-2024-1234", "CWE-79")),
        ("CVE-2024-XXXX CVE-1234-5678 XCVE-2024-1234 CVE-2024-12345678", ()),
        ("CVE-2024-1234 CVE-2024-1234", ("CVE-2024-1234",)),
    ],
)
def test_identifiers(text: str, ids: tuple[str, ...]) -> None:
    assert audit(issue("Report", text)).ids == ids


@pytest.mark.parametrize(
    ("text", "affected"),
    [
        ("Affected versions: 4.8.0 to 5.0.0-rc.2. I'd wait.", ("4.8.0 to 5.0.0-rc.2",)),
        ("Affected: 3.0.0 up to 3.3.1.", ("3.0.0 up to 3.3.1",)),
        ("We upgraded from 1.0 to 2.0.", ()),
        ("versions before 2.1.0 and <= 3.0.1", ("versions before 2.1.0", "<= 3.0.1")),
        ("<br>4.3 x>4.3.1 and a-<1.2", ()),
    ],
)
def test_affected_versions(text: str, affected: tuple[str, ...]) -> None:
    assert audit(issue("Report", text)).affected == affected


@pytest.mark.parametrize(
    "piece", ["CVE-2024-{n:05} ", "CVE-2024-1234 ", "pkg{n}==1.2.3 ", "CVSS:3.1/AV:{n} "]
)
def test_ten_thousand_are_bounded(piece: str) -> None:
    text = "".join(piece.format(n=n) for n in range(10_000))
    assert text_grows_linearly(lambda part: audit(issue("Report", part)), text)
    found = audit(issue("Report", text))
    assert len(found.ids) <= 20
    assert len(found.packages) <= 12
    assert len(found.vectors) <= 5

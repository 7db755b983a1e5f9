"""Identifiers, vectors, packages, kinds and secrets."""

import pytest

from nodes.audit_security import AuditSecurity
from nodes.text.secrets import redact
from nodes.text.weaknesses import audit, valid_vector
from tests.nodes.build import case, issue, run, text_of

PARTS = ("0123456789", "abcdefghij", "ABCDEFGHIJ")
LONG = "".join(PARTS) + "0123456789"


@pytest.mark.parametrize(
    ("vector", "valid"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", True),
        ("CVSS:3.0/AV:P/AC:H/PR:H/UI:R/S:C/C:N/I:L/A:N/E:P", True),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", True),
        ("AV:N/AC:L/Au:N/C:P/I:P/A:P", True),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", False),
        ("CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", False),
        ("CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", False),
        ("CVSS:3.1", False),
        ("", False),
    ],
)
def test_vectors(vector: str, valid: bool) -> None:
    assert valid_vector(vector) is valid


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("remote code execution in the loader", "remote code execution"),
        ("stored XSS in comments", "cross-site scripting"),
        ("SQL injection through the name", "SQL injection"),
        ("path traversal with ../../etc/passwd", "path traversal"),
        ("SSRF to 169.254.169.254", "server-side request forgery"),
        ("an auth bypass for anyone", "broken authentication or authorization"),
        ("heap use-after-free, exploitable", "memory safety"),
        ("pickle.load on user input", "unsafe deserialization"),
        ("the log leaks the password", "exposed secret"),
        ("ReDoS in the parser", "denial of service"),
        ("open redirect after login", "open redirect"),
        ("npm audit reports it", "vulnerable dependency"),
    ],
)
def test_kinds(text: str, kind: str) -> None:
    assert kind in [found.name for found in audit(issue("Report", text)).kinds]


def test_everything_found_is_listed() -> None:
    body = (
        "cve-2024-12345 and GHSA-2c2j-9gv5-cj73, CWE-79. XSS in widgets@1.2.3, before 1.2.4, fixed in "
        "1.2.4.\n"
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"
    )
    text = text_of(run(AuditSecurity(), case("XSS", body, "security")), "Security audit")
    assert "[CVE-2024-12345](https://nvd.nist.gov/vuln/detail/CVE-2024-12345)" in text
    assert "[GHSA-2c2j-9gv5-cj73](https://github.com/advisories/GHSA-2c2j-9gv5-cj73)" in text
    assert "CVSS: `CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N` (valid form)" in text
    assert "Packages: `widgets 1.2.3`" in text
    assert "cross-site scripting ([CWE-79](https://cwe.mitre.org/data/definitions/79.html))" in text


def test_nothing_found_adds_nothing() -> None:
    given = case("Hm", "I have a bad feeling.", "security")
    assert run(AuditSecurity(), given) is given


SECRETS = [
    ("GitHub token", "ghp_" + LONG),
    ("GitHub token", "github_pat_" + LONG),
    ("GitLab token", "glpat-" + LONG),
    ("AWS access key", "AKIA" + "ABCDEFGHIJ234567"),
    ("Slack token", "xoxb-" + LONG),
    ("Google API key", "AIza" + LONG[:35]),
    ("Stripe key", "sk_live_" + LONG[:24]),
    ("API key", "sk-" + LONG),
    ("npm token", "npm_" + LONG[:36]),
    ("Hugging Face token", "hf_" + LONG[:34]),
    ("JSON web token", "eyJ" + PARTS[1] + ".eyJ" + PARTS[1] + "." + LONG),
    ("bearer token", "Authorization: Bearer " + LONG),
    ("password in an address", "postgres://ada:" + PARTS[1] + "@db.example/x"),
    ("credential", "api_key = '" + LONG + "'"),
    ("private key", "-----BEGIN RSA PRIVATE KEY-----\nMIIE" + LONG + "\n-----END RSA PRIVATE KEY-----"),
]


@pytest.mark.parametrize(("kind", "secret"), SECRETS)
def test_secrets_are_taken_out(kind: str, secret: str) -> None:
    text, kinds = redact(f"before {secret} after")
    assert kinds == (kind,)
    assert f"[redacted: {kind}]" in text
    assert not any(part in text for part in PARTS)
    assert text.startswith("before ") and text.endswith(" after")


@pytest.mark.parametrize(
    "text",
    [
        "the token is missing",
        "password: undefined",
        "task-list-with-many-words-in-it",
        "key=value",
        "disk-0",
        "https://x.example/a@b",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert redact(text) == (text, ())


def test_a_secret_in_the_text_is_said_to_be_revoked() -> None:
    given = case("Leak", f"My token: ghp_{LONG}", "security")
    assert "GitHub token: taken out here, still in the issue; revoke it" in text_of(
        run(AuditSecurity(), given), "Security audit"
    )

"""Secrets: taken out by their shape, named by their kind; what only looks like one stays."""

import pytest

from models.text.secrets import redact
from tests.growth import text_grows_linearly

PARTS = ("0123456789", "abcdefghij", "ABCDEFGHIJ")
LONG = "".join(PARTS) + "0123456789"
HEX = "0123456789abcdef" * 4

SECRETS = [
    ("GitHub token", "ghp_" + LONG),
    ("GitHub token", "github_pat_" + LONG),
    ("GitLab token", "glpat-" + LONG),
    ("AWS access key", "AKIA" + "ABCDEFGHIJ234567"),
    ("Slack token", "xoxb-" + LONG),
    ("Slack webhook address", "https://hooks.slack.com/services/" + LONG),
    ("Google API key", "AIza" + LONG[:35]),
    ("Google client secret", "GOCSPX-" + LONG[:28]),
    ("Google access token", "ya29." + LONG),
    ("Azure key", "AccountKey=" + LONG + LONG + "abcdef=="),
    ("Azure signature", "?sv=1&sig=" + LONG + "%3D"),
    ("Azure client secret", "abc8Q~" + LONG[:33]),
    ("Stripe key", "sk_live_" + LONG[:24]),
    ("API key", "sk-" + LONG),
    ("npm token", "npm_" + LONG[:36]),
    ("npm credential", "_auth=" + LONG + "="),
    ("npm credential", "//npm.example/:_authToken=01234567-89ab-cdef-0123-456789abcdef"),
    ("Hugging Face token", "hf_" + LONG[:34]),
    ("DigitalOcean token", "dop_v1_" + HEX),
    ("Shopify token", "shpat_" + HEX[:32]),
    ("Docker token", "dckr_pat_" + LONG),
    ("Vault token", "hvs." + LONG),
    ("Notion token", "ntn_" + LONG + "012345"),
    ("Mailgun key", "key-" + HEX[:32]),
    ("Telegram token", "123456789:AA" + LONG[:33]),
    ("JSON web token", "eyJ" + PARTS[1] + ".eyJ" + PARTS[1] + "." + LONG),
    ("bearer token", "Authorization: Bearer " + LONG),
    ("basic credential", "Authorization: Basic " + LONG),
    ("password in an address", "postgres://ada:" + PARTS[1] + "@db.example/x"),
    ("credential", "api_key = '" + LONG + "'"),
    ("credential", "export DB_PASSWORD=" + LONG),
    ("credential", "aws_secret_access_key = " + LONG),
    ("private key", "-----BEGIN RSA PRIVATE KEY-----\nMIIE" + LONG + "\n-----END RSA PRIVATE KEY-----"),
    (
        "private key",
        '"private_key": "-----BEGIN PRIVATE KEY-----\\nMIIE' + LONG + '\\n-----END PRIVATE KEY-----"',
    ),
]


@pytest.mark.parametrize(("kind", "secret"), SECRETS)
def test_secrets_are_taken_out(kind: str, secret: str) -> None:
    text, kinds = redact(f"before {secret} after")
    assert kinds == (kind,)
    assert f"[redacted: {kind}]" in text
    assert not any(part in text for part in PARTS)
    assert text.startswith("before ")
    assert text.endswith(" after")


@pytest.mark.parametrize(
    "text",
    [
        "the token is missing",
        "password: undefined",
        "task-list-with-many-words-in-it",
        "key=value",
        "disk-0",
        "https://x.example/a@b",
        "https://user:password@db.example",
        "postgres://postgres:postgres@localhost",
        "http://elastic:changeme@localhost:9200",
        "https://admin:${PASSWORD}@db.example",
        "https://me:xxxxxx@db.example",
        "side effect: Basic authentication is enabled without it",
        "?sig=short",
        "key-value-store-of-many-things-in-it",
        "DB_PASSWORD=changeme",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert redact(text) == (text, ())


@pytest.mark.parametrize(
    "piece",
    [
        "://a:",
        "_auth=",
        "key-",
        "sig=",
        "8Q~",
        "-----BEGIN PRIVATE KEY-----",
        "eyJaaaaaaaa.",
        "password=a1",
        "1:AA",
    ],
)
def test_it_takes_linear_time(piece: str) -> None:
    text = piece * (60_000 // len(piece))
    assert text_grows_linearly(redact, text)

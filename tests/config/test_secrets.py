"""What this process knows and must not tell: found in every spelling, whole or cut off."""

import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.cli import _CleanLines
from config import secrets
from config.secrets import load_secrets, protect_url, redact
from models.errors import Rejected, Transient
from tests.growth import calls

TOKEN = "zk/9+Qw7&Rt5 Yu3=Io1\"Pa8'Sd6é"


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(secrets, "_known", secrets._Known())
    yield


def known(**values: str) -> None:
    load_secrets(environ=values)


def forms(value: str) -> dict[str, str]:
    raw = value.encode()
    return {
        "as it is": value,
        "in an address": quote(value, safe=""),
        "in a form": quote_plus(value),
        "in JSON": json.dumps(value)[1:-1],
        "in a repr": repr(value)[1:-1],
        "base64": base64.b64encode(raw).decode(),
        "base64 for addresses": base64.urlsafe_b64encode(raw).decode(),
        "after a name": base64.b64encode(b"x:" + raw).decode(),
        "after another name": base64.b64encode(b"me:" + raw).decode(),
        "before something": base64.b64encode(raw + b":x-oauth-basic").decode(),
    }


@pytest.mark.parametrize("form", forms(TOKEN))
def test_a_secret_is_found_in_every_spelling(form: str) -> None:
    known(SMTP_PASSWORD=TOKEN)
    written = forms(TOKEN)[form]
    text = redact(f"the service said {written} to us")
    assert "[redacted: SMTP_PASSWORD]" in text
    assert text.startswith("the service said ") and text.endswith(" to us")
    own = written.removesuffix("Ong=").removesuffix(written[-20:] if form == "before something" else "")
    assert not any(own[i : i + 8] in text for i in range(len(own) - 8))


@pytest.mark.parametrize("cut", range(16, 40))
def test_a_secret_that_was_cut_off_is_found(cut: int) -> None:
    secret = "8f3kd02mXcv9a1LpQ7zr5TyU4iO6eWnB0hJgS2dK"
    known(SHORTCUT_API_TOKEN=secret)
    assert redact(f"{secret[:cut]} for GET /x") == "[redacted: SHORTCUT_API_TOKEN] for GET /x"
    assert redact(f"{secret[:15]} for GET /x") == f"{secret[:15]} for GET /x"


def test_every_line_of_a_private_key_is_a_secret() -> None:
    key = rsa.generate_private_key(65_537, 2_048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    text = key.decode()
    for value in (text, text.replace("\n", "\\n")):
        secrets._known = secrets._Known()
        known(GITHUB_APP_ID="123456789", GITHUB_APP_PRIVATE_KEY=value)
        for line in text.strip().splitlines()[1:-1]:
            assert line[:20] not in redact(f"cannot read {line!r} of it")
        assert "MII" not in redact(f"error: {text}") and "MII" not in redact(json.dumps(text))
        assert redact("app 123456789") == "app 123456789"


def test_the_password_of_the_database() -> None:
    known(SWITCHYARD_DATABASE_URL="postgresql://me:p%40ss-w0rd-31@db/x")
    assert redact("role me, password p@ss-w0rd-31") == "role me, password [redacted: SWITCHYARD_DATABASE_URL]"
    assert "w0rd" not in redact("postgresql://me:p%40ss-w0rd-31@db/x")
    protect_url("storage.url", "postgresql://me:postgres@db/x")
    assert redact("postgresql and postgres") == "postgresql and postgres"
    protect_url("storage.url", "postgresql://[broken")


@pytest.mark.parametrize(
    "token",
    [
        "ghs_16C7e42F292c6912E7710c838347Ae178B4a",
        "ghs_12345678901234567890_ey.eyJhbGciOiJSUzI1NiJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ",
        "github_pat_11ABCDEFG0123456789_abcdefghijklmnopqrstuvwxyz",
        "xapp-1-A0123456789-1234567890123-abcdef",
        "xoxb-123456789012-abcdefghijkl",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ],
)
def test_a_token_that_was_fetched_at_run_time_is_known_by_its_shape(token: str) -> None:
    assert token[8:] not in redact(f"got {token}") and "[redacted" in redact(f"got {token}")


def test_what_is_short_or_a_word_is_left_alone() -> None:
    known(GITHUB_TOKEN="sandbox", SHORTCUT_API_TOKEN="password", SLACK_BOT_TOKEN="xoxb-sandbox")
    assert redact(
        "the sandbox has a password: xoxb-sandbox"
    ) == "the sandbox has a password: [redacted: Slack token]" or (
        redact("the sandbox has a password: xoxb-sandbox")
        == "the sandbox has a password: [redacted: SLACK_BOT_TOKEN]"
    )


def test_errors_are_clean_from_the_start() -> None:
    known(NOTION_TOKEN="nt-5f2k9d0s8a7q1w3e")
    for error in (
        Rejected("said nt-5f2k9d0s8a7q1w3e"),
        Transient("said nt-5f2k9d0s8a7q1w3e", maybe_sent=False),
    ):
        assert str(error) == "said [redacted: NOTION_TOKEN]"
        assert "5f2k" not in repr(error)


def test_other_peoples_log_lines_are_clean() -> None:
    known(NOTION_TOKEN="nt-5f2k9d0s8a7q1w3e")
    try:
        raise ValueError("header nt-5f2k9d0s8a7q1w3e")
    except ValueError as error:
        trace = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("x", 10, "f", 1, "sent %s", ({"Authorization": "nt-5f2k9d0s8a7q1w3e"},), trace)
    line = _CleanLines("%(message)s").format(record)
    assert "5f2k" not in line and line.count("[redacted: NOTION_TOKEN]") >= 2


def test_files_are_secrets_too(tmp_path: Path) -> None:
    (tmp_path / "SLACK_SIGNING_SECRET").write_text("9b8c7d6e5f4a3b2c1d0e\n")
    known(SWITCHYARD_SECRETS_DIR=str(tmp_path))
    assert redact("9b8c7d6e5f4a3b2c1d0e") == "[redacted: SLACK_SIGNING_SECRET]"


def test_a_log_line_costs_a_few_calls() -> None:
    known(**{name: f"{name}-{index:032x}" for index, name in enumerate(secrets.NAMES)})
    line = json.dumps({"event": "lane failed, trying again", "lane": "github", "error": "no answer " * 15})
    redact(line)
    made = calls(lambda: redact(line))
    assert made < 200, "a few searches; nothing is built for each line"

"""E-mail against a real SMTP server: what arrives, what each refusal becomes, and what cannot be smuggled in."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from integrations.base import BreakerSettings, Limit, RetrySettings
from integrations.email.client import EmailClient
from integrations.email.payloads import compose, header, message_id
from integrations.email.settings import EmailSettings
from integrations.resilience import Guard
from models.commands import Pending
from models.errors import BadCredential, Rejected, Transient, Unauthorized, Unavailable
from models.messages import send_mail
from models.units import Rate
from tests.smtp import PASSWORD, USER, Post, post, self_signed

AT = datetime.now(UTC).replace(microsecond=0)
TO = "team@example.com"


def settings(**options: Any) -> EmailSettings:
    given = {"host": "127.0.0.1", "tls": "none", "sender": "Triage <triage@example.com>", "recipients": [TO]}
    return EmailSettings.model_validate({**given, **options})


def client(chosen: EmailSettings, password: str | None = None, *, timeout: float = 60) -> EmailClient:
    guard = Guard(
        "email",
        limits=[Limit([Rate(100, 1)])],
        timeout=timeout,
        breaker=BreakerSettings.model_validate({}),
        retry=RetrySettings.model_validate({}),
    )
    return EmailClient(chosen, password, guard, list_name="My triage")


def pending(to: str = TO, *, key: str = "mail:run-1:team", **options: str) -> Pending:
    given = {"subject": "42 issues", "text": "Hello", "html": "<p>Hello</p>"}
    return Pending(command=send_mail(key, to=to, **{**given, **options}), created_at=AT)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def server() -> Iterator[Post]:
    with post() as kept:
        yield kept


async def test_a_mail_arrives_in_both_parts_with_its_headers(server: Post) -> None:
    mailer = client(settings(port=server.port, reply_to="leads@example.com"))
    (answer,) = await mailer.send([pending(text="Grüße aus dem Lauf\n.\n..zwei", html="<p>Grüße</p>")])
    (mail,) = server.mails
    assert server.envelopes == [("triage@example.com", [TO])]
    assert mail["From"] == "Triage <triage@example.com>" and mail["To"] == TO
    assert mail["Subject"] == "42 issues" and mail["Reply-To"] == "leads@example.com"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Id"] == "<my-triage.switchyard.example.com>"
    assert mail["Date"].datetime == AT
    assert mail["Message-ID"] == answer["message_id"] == message_id("mail:run-1:team", "example.com")
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None and text.get_content().splitlines() == ["Grüße aus dem Lauf", ".", "..zwei"]
    assert html is not None and html.get_content().strip() == "<p>Grüße</p>"
    assert mail.get_content_type() == "multipart/alternative"


async def test_a_repeat_has_the_same_message_id(server: Post) -> None:
    server.lose_answer = 1
    mailer = client(settings(port=server.port))
    with pytest.raises(Transient) as caught:
        await mailer.send([pending()])
    assert caught.value.maybe_sent
    assert await mailer.find([pending()]) == {}
    await mailer.send([pending()])
    first, second = server.mails
    assert first["Message-ID"] == second["Message-ID"] and first["Date"] == second["Date"]


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (
            "550 5.1.1 no such user",
            Rejected,
            "the mail to team@example.com was refused (550 5.1.1 no such user)",
        ),
        ("450 4.2.1 greylisted", Unavailable, "450 4.2.1 greylisted"),
        ("452 4.2.2 mailbox full", Unavailable, "452"),
        ("421 4.3.2 closing", Transient, "421"),
        ("530 5.7.0 authentication required", BadCredential, "SMTP_PASSWORD"),
    ],
)
async def test_refused_recipients(server: Post, reply: str, error: type[Exception], words: str) -> None:
    server.refusals[TO] = reply
    mailer = client(settings(port=server.port))
    with pytest.raises(error) as caught:
        await mailer.send([pending()])
    assert words in str(caught.value)
    assert getattr(caught.value, "maybe_sent", False) is False
    # Another recipient gets mail all the same.
    await mailer.send([pending("lead@example.com", key="other")])
    assert [to for _, to in server.envelopes] == [["lead@example.com"]]


async def test_a_recipient_refused_for_now_is_tried_again_and_given_up_in_the_end(server: Post) -> None:
    server.refusals[TO] = "450 4.2.1 greylisted"
    mailer = client(settings(port=server.port))
    now = datetime.now(UTC)
    for attempts, minutes in ((0, 5), (1, 10), (9, 240)):
        with pytest.raises(Unavailable) as caught:
            await mailer.send([replace(pending(), attempts=attempts, created_at=now)])
        assert caught.value.until - now == pytest.approx(
            timedelta(minutes=minutes), abs=timedelta(seconds=10)
        )
    with pytest.raises(Rejected, match="refused for three days"):
        await mailer.send([replace(pending(), created_at=now - timedelta(days=4))])
    # None of this says that the server is unwell.
    assert mailer.guard.breaker.state == "closed" and all(ok for _, _, ok in mailer.guard.recent)


async def test_refused_content_and_sender(server: Post) -> None:
    mailer = client(settings(port=server.port))
    server.data_reply = "554 5.7.1 looks like spam"
    with pytest.raises(Rejected, match="looks like spam"):
        await mailer.send([pending()])
    server.data_reply = "451 4.3.0 try later"
    with pytest.raises(Transient, match="try later"):
        await mailer.send([pending()])
    server.sender_reply = "553 5.7.1 not yours"
    # Nobody's mail dies of a misspelt sender.
    with pytest.raises(BadCredential, match=r"correct integrations\.email\.sender"):
        await mailer.send([pending()])


async def test_starttls_and_sign_in(certificate: Path) -> None:
    with post(tls="starttls", certificate=certificate, auth=True) as server:
        chosen = settings(port=server.port, tls="starttls", ca_file=str(certificate), username=USER)
        mailer = client(chosen, PASSWORD)
        said = await mailer.check()
        assert "STARTTLS" in said and f"signed in as {USER}" in said and server.mails == []
        # The probe of every half minute does not sign in each time.
        await mailer.check()
        assert server.sign_ins == 1
        await mailer.send([pending()])
        assert len(server.mails) == 1 and server.sign_ins == 2
        with pytest.raises(BadCredential) as caught:
            await client(chosen, "wrong secret").send([pending()])
        assert "renew SMTP_PASSWORD" in str(caught.value) and "wrong secret" not in str(caught.value)
        with pytest.raises(Unauthorized, match="cannot be trusted") as untrusted:
            await client(settings(port=server.port, tls="starttls", username=USER), PASSWORD).check()
        assert "ca_file" in str(untrusted.value)
        with pytest.raises(Unauthorized, match="no certificates that can be read"):
            missing = settings(port=server.port, tls="starttls", ca_file="/nowhere.pem")
            await client(missing).check()


async def test_tls_from_the_first_byte(certificate: Path) -> None:
    with post(tls="tls", certificate=certificate) as server:
        await client(settings(port=server.port, tls="tls", ca_file=str(certificate))).send([pending()])
        assert len(server.mails) == 1


async def test_encryption_that_is_not_offered_is_refused(server: Post) -> None:
    with pytest.raises(Unauthorized, match="does not offer STARTTLS, and nothing is sent unencrypted"):
        await client(settings(port=server.port, tls="starttls")).send([pending()])
    with pytest.raises(Transient, match="port 465 is usual"):
        await client(settings(port=server.port, tls="tls")).send([pending()])
    with pytest.raises(Unauthorized, match="offers no sign-in"):
        await client(settings(port=server.port, username=USER), PASSWORD).send([pending()])
    assert server.mails == []


async def test_a_server_that_is_away_or_hangs(server: Post, unused_port: int) -> None:
    with pytest.raises(Transient, match="cannot connect") as caught:
        await client(settings(port=unused_port)).send([pending()])
    assert not caught.value.maybe_sent
    server.hangs = True
    with pytest.raises(Transient):
        await client(settings(port=server.port), timeout=0.3).send([pending()])
    # It opens the breaker like any other service that does not answer.
    mailer = client(settings(port=unused_port))
    for _ in range(5):
        with pytest.raises(Transient):
            await mailer.send([pending()])
    assert mailer.guard.breaker.state == "open"


@pytest.fixture
async def unused_port() -> int:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = int(server.sockets[0].getsockname()[1])
    server.close()
    await server.wait_closed()
    return port


@pytest.mark.parametrize(
    "evil",
    [
        "hello\r\nBcc: thief@example.net",
        "hello\nX-Evil: 1",
        "hello\rX-Evil: 1",
        "hello\r\n\r\n<script>alert(1)</script>",
        "hello\x00\x0b\x0cX-Evil: 1",
        "hello\u2028X-Evil: 1\u2029X-Evil: 2\x85X-Evil: 3",
        "hello\u202e\u200b world \ud800",
        "=?utf-8?q?hello=0D=0ABcc=3A_thief=40example=2Enet?=",
        "a" * 10_000,
        "é" * 10_000,
        "\r\n" * 5_000,
    ],
)
async def test_nothing_is_smuggled_into_headers(server: Post, evil: str) -> None:
    chosen = settings(port=server.port)
    mail = compose(chosen, evil, "key", {"to": TO, "subject": evil, "text": evil, "html": evil}, AT)
    allowed = {"from", "to", "subject", "date", "message-id", "auto-submitted", "x-auto-response-suppress",
               "list-id", "mime-version", "content-type"}  # fmt: skip
    head = mail.as_bytes().partition(b"\r\n\r\n")[0].decode("ascii")
    assert all(line[0] == " " or line.partition(":")[0].lower() in allowed for line in head.split("\r\n"))
    await client(chosen).send([pending(subject=evil, text=evil, html=evil)])
    (seen,) = server.mails
    assert {name.lower() for name in seen} - {"x-peer", "x-mailfrom", "x-rcptto"} <= allowed
    assert server.envelopes == [("triage@example.com", [TO])]
    assert len(seen["Subject"]) <= 150 and not set("\r\n\x00") & set(seen["Subject"])


def test_a_header_is_one_bounded_line() -> None:
    assert header("a\r\n b\tc\u2028d\u202ee") == "a b c d e"
    assert header("x" * 500, 10) == "xxxxxxxxx…"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("team@example.com", "team@example.com"),
        (" Team+triage@Example.COM ", "Team+triage@example.com"),
        ("team@bücher.example", "team@xn--bcher-kva.example"),
        ("team@localhost", "team@localhost"),
    ],
)
def test_addresses(given: str, kept: str) -> None:
    (recipient,) = settings(recipients=[given]).recipients
    assert recipient.address == kept
    assert recipient.what == ("digest", "alerts") and recipient.often == "run"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "not an e-mail address"),
        ("team", "not an e-mail address"),
        ("jörg@example.com", "only ASCII before the @"),
        ("a@b@c\r\nRCPT TO:<x@y>", "not an e-mail address"),
        ("team@example.com\r\nBcc: x@y", "not an e-mail address"),
        ("team@example.com>, <x@y.example", "not an e-mail address"),
        ('"a b"@example.com', "not an e-mail address"),
        ("a..b@example.com", "not an e-mail address"),
        ("team@-example.com", "not an e-mail address"),
        ("team@exa mple.com", "not an e-mail address"),
        ("team@\u2028x.example", "not an e-mail address|its domain is none"),
        ("a" * 400 + "@example.com", "at most 320"),
    ],
)
def test_what_is_no_address_is_refused(given: str, words: str) -> None:
    for what in ({"recipients": [given]}, {"recipients": [{"address": given}]}, {"sender": given}):
        with pytest.raises(ValidationError, match=words):
            settings(**what)


def test_the_section() -> None:
    several = settings(recipients="a@example.com, b@example.com").recipients
    assert [recipient.address for recipient in several] == ["a@example.com", "b@example.com"]
    chosen = settings(recipients=[{"address": TO, "what": ["security"], "often": "weekly"}]).recipients
    assert chosen[0].what == ("security",) and chosen[0].often == "weekly"
    with pytest.raises(ValidationError, match="listed twice"):
        settings(recipients=[TO, {"address": TO.upper()}])
    with pytest.raises(ValidationError, match="unencrypted"):
        settings(host="smtp.example.com", username=USER)
    assert settings(host="localhost", username=USER).is_local
    named = settings(sender='"Triage, inc." <triage@bücher.example>')
    assert named.sender_name == "Triage, inc." and named.domain == "xn--bcher-kva.example"
    with pytest.raises(ValidationError):
        settings(sender="Triage\r\nBcc: x@y <triage@example.com>")

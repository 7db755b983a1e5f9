"""E-mail over aiosmtplib: the target of the email lane, one mail to one recipient at a time."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import aiosmtplib

from integrations.base import Answer
from integrations.email.payloads import compose, header
from integrations.email.settings import EmailSettings
from integrations.resilience import Guard
from models.commands import Pending
from models.errors import BadCredential, Rejected, SwitchyardError, Transient, Unauthorized, Unavailable

AT_ONCE = 4
"""Connections at a time; many servers refuse more of one client."""
SIGN_IN_EVERY = 600.0
"""Seconds between two sign-ins of the health probe; mail services lock out who signs in all the time."""
_SIGN_IN = {530, 534, 535, 538}
"""Replies that are about who we are (RFC 4954)."""
_SIZE = 552
_CLOSING = 421
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=5), timedelta(hours=4)
"""Between two tries of a recipient that is refused for now: many servers do so with everybody's first mail."""
PATIENCE = timedelta(days=3)
"""Then a recipient that is refused for now is taken for one that is refused."""


class EmailClient:
    """One server, used with a connection for each mail: digests are rare, and idle connections are cut."""

    name = "email"

    def __init__(
        self, settings: EmailSettings, password: str | None, guard: Guard, *, list_name: str
    ) -> None:
        self._settings = settings
        self._password = password
        self._list_name = list_name
        self.guard = guard
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._signed_in: float | None = None

    def bulk_size(self, operation: str) -> int:
        return 1

    async def send(self, pendings: Sequence[Pending]) -> Sequence[Answer]:
        (pending,) = pendings
        if pending.command.operation != "send_mail":
            raise Rejected(f"email: unknown operation {pending.command.operation!r}")
        async with self._gate:
            return [await self.guard.call(lambda: self._deliver(pending), kind="content")]

    async def find(self, pendings: Sequence[Pending]) -> Mapping[str, Answer]:
        """Nothing: sending is at least once; a repeat carries the same Message-ID."""
        return {}

    async def check(self) -> str:
        """Connect, encrypt and sign in; no mail is sent."""
        return await self.guard.call(self._check)

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _check(self) -> str:
        recently = self._signed_in is not None and time.monotonic() - self._signed_in < SIGN_IN_EVERY
        async with self._session(sign_in=not recently):
            pass
        where = f"{self._settings.host}:{self._settings.port}"
        how = {"starttls": "encrypted (STARTTLS)", "tls": "encrypted (TLS)", "none": "not encrypted"}
        who = f"signed in as {self._settings.username}" if self._settings.username else "no sign-in"
        return f"{where} answers, {how[self._settings.tls]}, {who}; no mail was sent"

    async def _deliver(self, pending: Pending) -> Answer:
        mail = compose(self._settings, self._list_name, pending.key, pending.payload, pending.created_at)
        content, to = mail.as_bytes(), str(pending.payload["to"])
        async with self._session() as smtp:
            sent = False
            try:
                size = [f"size={len(content)}"] if smtp.supports_extension("size") else []
                try:
                    await smtp.mail(self._settings.sender_address, options=size)
                except aiosmtplib.SMTPResponseException as error:
                    self._refuse_sender(error)
                try:
                    await smtp.rcpt(to)
                except aiosmtplib.SMTPResponseException as error:
                    _refuse_recipient(error, pending)
                sent = True
                reply = await smtp.data(content)
            except aiosmtplib.SMTPResponseException as error:
                _refuse(error, f"the mail to {to}")
            except (aiosmtplib.SMTPException, OSError) as error:
                words = f"email: the connection broke off ({_words(error)})"
                raise Transient(words, maybe_sent=sent) from None
            with suppress(aiosmtplib.SMTPException, OSError):
                await smtp.quit()
        return {"to": to, "message_id": str(mail["Message-ID"]), "reply": header(reply.message, 200)}

    @asynccontextmanager
    async def _session(self, *, sign_in: bool = True) -> AsyncIterator[aiosmtplib.SMTP]:
        """A connection that is encrypted as configured and signed in."""
        smtp = aiosmtplib.SMTP(
            hostname=self._settings.host,
            port=self._settings.port,
            timeout=self.guard.timeout,
            use_tls=self._settings.tls == "tls",
            start_tls=False,
            tls_context=self._trust() if self._settings.tls != "none" else None,
        )
        try:
            try:
                await smtp.connect()
                await smtp.ehlo()
                if self._settings.tls == "starttls":
                    await self._encrypt(smtp)
                if sign_in and self._settings.username is not None:
                    await self._sign_in(smtp, self._settings.username)
            except (aiosmtplib.SMTPException, OSError) as error:
                raise self._unreachable(error) from None
            yield smtp
        finally:
            smtp.close()

    def _trust(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self._settings.ca_file)
        except (OSError, ssl.SSLError):
            raise Unauthorized(
                f"email: integrations.email.ca_file: {self._settings.ca_file} holds no certificates that can be read"
            ) from None

    async def _encrypt(self, smtp: aiosmtplib.SMTP) -> None:
        if not smtp.supports_extension("starttls"):
            raise Unauthorized(
                f"email: {self._settings.host}:{self._settings.port} does not offer STARTTLS, and nothing is sent "
                "unencrypted; correct host and port, or set tls: tls (usually port 465)"
            )
        await smtp.starttls()
        await smtp.ehlo()

    async def _sign_in(self, smtp: aiosmtplib.SMTP, username: str) -> None:
        encrypted = smtp.get_transport_info("sslcontext") is not None
        if not encrypted and not self._settings.is_local:
            raise Unauthorized("email: no password is sent over a connection that is not encrypted")
        if not smtp.supports_extension("auth"):
            raise Unauthorized(
                f"email: {self._settings.host} offers no sign-in; take username out of integrations.email"
            )
        try:
            await smtp.login(username, self._password or "")
        except aiosmtplib.SMTPAuthenticationError as error:
            if error.code < 500:
                raise
            raise BadCredential(
                f"email: {self._settings.host} refused the sign-in of {username} ({_reply(error)}); renew "
                "SMTP_PASSWORD (some services want one made for applications)"
            ) from None
        self._signed_in = time.monotonic()

    def _refuse_sender(self, error: aiosmtplib.SMTPResponseException) -> NoReturn:
        """The server takes nothing from this sender, so the lane stands and no mail dies of it."""
        if error.code >= 500 and error.code not in (*_SIGN_IN, _SIZE):
            raise BadCredential(
                f"email: {self._settings.host} takes no mail from {self._settings.sender_address} "
                f"({_reply(error)}); correct integrations.email.sender"
            ) from None
        _refuse(error, f"mail from {self._settings.sender_address}")

    def _unreachable(self, error: Exception) -> SwitchyardError:
        """What a connection that did not come about means; nothing of a mail was sent."""
        where = f"{self._settings.host}:{self._settings.port}"
        # The library wraps what it met while connecting; the reason lies below.
        causes = (error, error.__cause__, error.__context__)
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
            return Unauthorized(
                f"email: the certificate of {where} cannot be trusted ({_words(error)}); correct host, or name the "
                "authority's certificate in integrations.email.ca_file"
            )
        if any(isinstance(cause, ssl.SSLError) for cause in causes):
            return Transient(
                f"email: {where} does not speak TLS as asked ({_words(error)}); port 465 is usual for tls: tls, "
                "587 for tls: starttls",
                maybe_sent=False,
            )
        if isinstance(error, aiosmtplib.SMTPResponseException) and error.code in _SIGN_IN:
            return BadCredential(f"email: {where} wants another sign-in ({_reply(error)})")
        return Transient(f"email: cannot connect to {where} ({_words(error)})", maybe_sent=False)


def _refuse_recipient(error: aiosmtplib.SMTPResponseException, pending: Pending) -> NoReturn:
    """A full mailbox or a greylist is no fault of the server: only this recipient's mail waits."""
    what = f"the mail to {pending.payload['to']}"
    now = datetime.now(UTC)
    if error.code >= 500 or error.code == _CLOSING:
        _refuse(error, what)
    if now - pending.created_at > PATIENCE:
        raise Rejected(
            f"email: {what} was refused for three days ({_reply(error)})", status=error.code
        ) from None
    pause = min(FIRST_PAUSE * 2 ** min(pending.attempts, 10), LONGEST_PAUSE)
    raise Unavailable(f"email: {what} was refused for now ({_reply(error)})", now + pause) from None


def _refuse(error: aiosmtplib.SMTPResponseException, what: str) -> NoReturn:
    """Raise what a refusal of the server means for one mail."""
    words = f"email: {what} was refused ({_reply(error)})"
    if error.code in _SIGN_IN:
        raise BadCredential(f"{words}; set integrations.email.username and SMTP_PASSWORD") from None
    if error.code >= 500:
        raise Rejected(words, status=error.code) from None
    raise Transient(words, maybe_sent=False) from None


def _reply(error: aiosmtplib.SMTPResponseException) -> str:
    return header(f"{error.code} {error.message}", 200)


def _words(error: Exception) -> str:
    return header(str(error), 160) or type(error).__name__

"""A real SMTP server for tests, with the faults that mail servers have."""

import asyncio
import datetime
import email
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "triage", "correct horse"


@dataclass
class Post:
    """What the server took, and how it is to behave."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)
    """Replies to RCPT by address; "*" for all."""
    sender_reply: str | None = None
    data_reply: str | None = None
    lose_answer: int = 0
    """So many mails are taken and the connection is cut before the answer."""
    hangs: bool = False
    sign_ins: int = 0
    connections: int = 0

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail, (_, to) in zip(self.mails, self.envelopes, strict=True) if to == [address]]

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: Any
    ) -> Any:
        self.connections += 1
        session.host_name = hostname
        if self.hangs:
            await asyncio.sleep(3600)
        return responses

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.sender_reply:
            return self.sender_reply
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        refusal = self.refusals.get(address) or self.refusals.get("*")
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.data_reply:
            return self.data_reply
        mail = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        if self.lose_answer:
            self.lose_answer -= 1
            server.transport.abort()
        return "250 kept as 4711"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.sign_ins += 1
        right = isinstance(data, LoginPassword) and data.login == USER.encode()
        return AuthResult(success=right and data.password == PASSWORD.encode(), handled=False)


@contextmanager
def post(
    *, tls: str = "none", certificate: Path | None = None, auth: bool = False, port: int = 0
) -> Iterator[Post]:
    """A server on a free loopback port, in a thread of its own; `certificate` holds key and certificate."""
    kept = Post()
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    ready, loop = threading.Event(), asyncio.new_event_loop()
    options: dict[str, Any] = {"hostname": "post.test", "loop": loop}
    if tls == "starttls":
        options["tls_context"] = context
    if auth:
        options |= {"authenticator": kept.authenticate, "auth_required": True}
        options["auth_require_tls"] = tls == "starttls"
    servers: list[SMTP] = []

    def session() -> SMTP:
        servers.append(SMTP(kept, **options))
        return servers[-1]

    def serve() -> None:
        asyncio.set_event_loop(loop)
        how = context if tls == "tls" else None
        server = loop.run_until_complete(loop.create_server(session, "127.0.0.1", port, ssl=how))
        kept.port = server.sockets[0].getsockname()[1]
        ready.set()
        loop.run_forever()
        server.close()
        for open_one in servers:
            if open_one.transport is not None:
                open_one.transport.abort()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert ready.wait(120)
    try:
        yield kept
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(120)


def self_signed(folder: Path) -> Path:
    """A certificate for 127.0.0.1 with its key, in one file that is its own authority too."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "post.test")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "post.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    return path

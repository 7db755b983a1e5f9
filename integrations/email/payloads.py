"""The mail itself: headers that nothing can be smuggled into, a part for people who read text and one in HTML."""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from integrations.email.settings import EmailSettings

MAX_SUBJECT = 150
MAX_PART = 200_000
"""Characters of a part; what we write ourselves is far below."""

_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]+")


def header(value: str, limit: int = MAX_SUBJECT) -> str:
    """Any text as the value of one header: a single line without control characters, bounded."""
    line = " ".join(_LINE.sub(" ", value[: limit * 4]).split())
    # The library decodes such words, line ends included, and would write what they hold.
    line = line.replace("=?", "= ?")
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def message_id(key: str, domain: str) -> str:
    """The same for the same command, so that a reader's program shows a repeat once."""
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{domain}>"


def compose(
    settings: EmailSettings, list_name: str, key: str, payload: Mapping[str, Any], at: datetime
) -> EmailMessage:
    """The mail of one command; `at` is when it was wished for, whenever it is sent.

    `payload` holds to, subject, text, html, and `follows`: the key of the mail that this one belongs to.
    """
    mail = EmailMessage(policy=SMTP)
    name, host = settings.sender_address.rsplit("@", 1)
    mail["From"] = Address(header(settings.sender_name, 80), name, host)
    to, domain = str(payload["to"]).rsplit("@", 1)
    mail["To"] = Address("", to, domain)
    mail["Subject"] = header(str(payload["subject"]))
    mail["Date"] = at
    mail["Message-ID"] = message_id(key, settings.domain)
    if payload.get("follows"):
        before = message_id(str(payload["follows"]), settings.domain)
        mail["In-Reply-To"] = before
        mail["References"] = before
    if settings.reply_to:
        mail["Reply-To"] = settings.reply_to
    # Out-of-office notes and other robots must not answer (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    slug = re.sub(r"[^a-z0-9]+", "-", list_name.lower()).strip("-") or "triage"
    mail["List-Id"] = f"<{slug}.switchyard.{settings.domain}>"
    mail.set_content(_part(payload["text"]), cte="quoted-printable")
    if payload.get("html"):
        mail.add_alternative(_part(payload["html"]), subtype="html", cte="quoted-printable")
    return mail


def _part(value: object) -> str:
    """Text that can be encoded; an issue may hold half of a surrogate pair."""
    return str(value)[:MAX_PART].encode("utf-8", "replace").decode()

"""Secrets, from the environment or from files; never from YAML, never printed."""

import base64
import json
import os
import re
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

from models.errors import UserFacing, clean_with
from models.text import secrets as shapes

NAMES = (
    "GITHUB_TOKEN",
    "GITHUB_APP_ID",
    "GITHUB_APP_PRIVATE_KEY",
    "GITHUB_WEBHOOK_SECRET",
    "GITHUB_CLIENT_ID",
    "GITHUB_CLIENT_SECRET",
    "SHORTCUT_API_TOKEN",
    "SHORTCUT_WEBHOOK_SECRET",
    "SLACK_BOT_TOKEN",
    "SLACK_SIGNING_SECRET",
    "NOTION_TOKEN",
    "SMTP_PASSWORD",
    "LLM_API_KEY",
    "SWITCHYARD_ADMIN_TOKEN",
    "SWITCHYARD_OPERATOR_TOKEN",
    "SWITCHYARD_VIEWER_TOKEN",
    "SWITCHYARD_HOOK_SECRET",
)

IN_HEADERS = ("GITHUB_TOKEN", "SHORTCUT_API_TOKEN", "SLACK_BOT_TOKEN", "NOTION_TOKEN", "LLM_API_KEY")
"""Secrets that go to their service in a header."""

PUBLIC = ("GITHUB_APP_ID", "GITHUB_CLIENT_ID")
"""Names among the secrets that anybody may read."""
SHORTEST = 8
"""Characters from which on a value is looked for, 12 where it is letters only: a shorter one may be a common word."""


@dataclass(frozen=True, repr=False)
class Secrets:
    """Secrets by name; an absent one is None. Its repr shows nothing."""

    values: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Secrets({', '.join(sorted(self.values))})"

    def get(self, name: str) -> str | None:
        return self.values.get(name)

    @property
    def has_github(self) -> bool:
        return bool(
            self.get("GITHUB_TOKEN") or (self.get("GITHUB_APP_ID") and self.get("GITHUB_APP_PRIVATE_KEY"))
        )


def load_secrets(extra: tuple[str, ...] = (), environ: Mapping[str, str] = os.environ) -> Secrets:
    """Read all known secrets and those named in `extra` (outgoing webhooks name their own)."""
    folder = environ.get("SWITCHYARD_SECRETS_DIR")
    if folder and not Path(folder).is_dir():
        raise UserFacing(f"environment SWITCHYARD_SECRETS_DIR: {folder} is not a directory")
    values: dict[str, str] = {}
    for name in (*NAMES, *extra):
        value = environ.get(name, "").strip()
        if not value and folder:
            path = Path(folder) / name
            try:
                value = path.read_text(encoding="utf-8").strip() if path.exists() else ""
            except (OSError, UnicodeDecodeError) as error:
                raise UserFacing(f"secret {name}: {path} cannot be read ({error})") from None
        if name in IN_HEADERS and not (value.isascii() and value.isprintable()):
            # HTTP libraries name a header they cannot send, and its value with it.
            raise UserFacing(f"secret {name}: holds a character that no secret has; copy it again")
        if value:
            values[name] = value
    for name, value in values.items():
        if name not in PUBLIC:
            protect(name, value)
    protect_url("SWITCHYARD_DATABASE_URL", environ.get("SWITCHYARD_DATABASE_URL", ""))
    return Secrets(values)


@dataclass(frozen=True, slots=True)
class _Known:
    """All that must not show: spellings and their replacement by their beginning, and what finds a beginning."""

    forms: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    pattern: re.Pattern[str] | None = None


_known = _Known()


def protect(name: str, value: str) -> None:
    """From now on `redact` takes this value out of every text, however it is written."""
    global _known
    # A key may come on one line, with its line ends written out.
    lines = [line.strip() for line in value.replace("\\n", "\n").splitlines()]
    parts = [value] if len(lines) == 1 else [line for line in lines if line and "-----" not in line]
    forms = dict(_known.forms)
    for part in parts:
        if len(part) >= (12 if part.isalpha() else SHORTEST):
            for form in _written(part):
                beginning = form[: _told_by(form)]
                entry = (form, f"[redacted: {name}]")
                forms[beginning] = tuple(dict.fromkeys((*forms.get(beginning, ()), entry)))
    if forms:
        # The longest first: of two that begin alike, the other one's rest would stay.
        ordered = sorted(forms, key=lambda beginning: (-len(beginning), beginning))
        _known = _Known(forms, re.compile("|".join(map(re.escape, ordered))))


def protect_url(name: str, url: str) -> None:
    """The same for the password in an address."""
    try:
        password = urlsplit(url).password
    except ValueError:
        password = None
    if password:
        protect(name, password)
        protect(name, unquote(password))


def _told_by(form: str) -> int:
    """How much of its beginning gives it away: error texts are cut to a length, and secrets with them."""
    return max(SHORTEST, min(16, len(form) * 2 // 3))


def _written(value: str) -> Iterator[str]:
    """The value as logs, addresses, JSON and headers may show it."""
    yield value
    yield from (quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1], repr(value)[1:-1])
    raw = value.encode()
    for before in range(3):
        # What stands before it in the same text (a name and a colon) shifts it by so many bytes.
        coded = base64.b64encode(b"\0" * before + raw)[(0, 2, 3)[before] :].decode().rstrip("=")[:-1]
        if len(coded) >= SHORTEST:
            yield coded
            yield coded.translate({ord("+"): "-", ord("/"): "_"})


def redact(text: str) -> str:
    """The text without this process's secrets, and without anything that is shaped like one."""
    known = _known
    at = 0
    while known.pattern is not None and (found := known.pattern.search(text, at)):
        ends = [
            (_same(text, found.start(), form), replacement)
            for form, replacement in known.forms[found.group()]
        ]
        end, replacement = max(ends)
        text = text[: found.start()] + replacement + text[end:]
        at = found.start() + len(replacement)
    return shapes.redact(text)[0]


def _same(text: str, start: int, form: str) -> int:
    """Where the text leaves the form that begins at `start`: an error's text may hold just a part of it."""
    end = start
    while end < len(text) and end - start < len(form) and text[end] == form[end - start]:
        end += 1
    return end


clean_with(redact)


def redact_line(logger: Any, method: str, line: str | bytes | MutableMapping[str, Any]) -> str:
    """structlog's last step: whatever was logged, the line that is written holds no secret."""
    return redact(str(line))

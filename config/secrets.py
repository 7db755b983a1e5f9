"""Secrets, from the environment or from files; never from YAML, never printed."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models.errors import UserFacing

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
    return Secrets(values)

"""E-mail's section of the configuration."""

from typing import Literal

from pydantic import Field

from integrations.base import Section


class EmailSettings(Section):
    host: str
    port: int = Field(587, ge=1, le=65535)
    tls: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    sender: str
    recipients: tuple[str, ...] = ()

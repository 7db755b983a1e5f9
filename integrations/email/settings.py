"""E-mail's section of the configuration: the server, the sender, and who is told what and how often."""

import ipaddress
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from integrations.base import Section
from models.units import Duration, Rate, RateField

What = Literal["digest", "problems", "security", "alerts"]
Often = Literal["run", "daily", "weekly"]

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+)*")
_DOMAIN = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
_NAMED = re.compile(r"(?P<name>[^<>\x00-\x1f\x7f]*?)\s*<(?P<address>[^<>]+)>")


def address(value: str) -> str:
    """An e-mail address as servers take it, its domain in ASCII; ValueError says what is wrong with it."""
    local, _, domain = value.strip().rpartition("@")
    if not local.isascii():
        raise ValueError(f"{value!r}: many servers take only ASCII before the @; use an alias")
    if not domain.isascii():
        import idna

        try:
            domain = idna.encode(domain, uts46=True).decode()
        except idna.IDNAError as error:
            raise ValueError(f"{value!r}: its domain is none ({error})") from None
    if len(local) > 64 or len(domain) > 253 or not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        raise ValueError(f"{value!r} is not an e-mail address; write name@example.com")
    return f"{local}@{domain.lower()}"


Address = Annotated[str, Field(max_length=320), AfterValidator(address)]


class RecipientSettings(Section):
    """One address, what it is told, and how often."""

    address: Address
    what: tuple[What, ...] = ("digest", "alerts")
    """Security reports go only to those who name them."""
    often: Often = "run"
    """Of digests and problems; alerts and security reports go out at once."""


def _recipient(value: Any) -> Any:
    return {"address": value} if isinstance(value, str) else value


def _several(value: Any) -> Any:
    """Addresses may be given as one comma-separated string, as environment variables are."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class EmailSettings(Section):
    host: str = Field(pattern=r"^[^\s/@]+$", examples=["smtp.example.com"])
    port: int = Field(587, ge=1, le=65535)
    tls: Literal["starttls", "tls", "none"] = "starttls"
    ca_file: str | None = None
    """Certificates to trust in place of the machine's own (PEM), for a server with a private authority."""
    username: str | None = Field(None, min_length=1)
    sender: str = Field(max_length=320, examples=["triage@example.com"])
    """An address, or `Name <address>`."""
    reply_to: Address | None = None
    recipients: Annotated[
        tuple[Annotated[RecipientSettings, BeforeValidator(_recipient)], ...], BeforeValidator(_several)
    ] = ()
    rate_limit: RateField = Rate(5, 1)
    timeout: Duration = Field(20.0, gt=0)

    @field_validator("sender")
    @classmethod
    def _clean_sender(cls, value: str) -> str:
        named = _NAMED.fullmatch(value.strip())
        if named is None:
            return address(value)
        name = named["name"].strip().strip('"')
        return f"{name} <{address(named['address'])}>"

    @field_validator("recipients")
    @classmethod
    def _each_once(cls, value: tuple[RecipientSettings, ...]) -> tuple[RecipientSettings, ...]:
        addresses = [recipient.address.lower() for recipient in value]
        twice = next((name for name in addresses if addresses.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice} is listed twice; give it once, with all that it is told")
        return value

    @model_validator(mode="after")
    def _password_is_not_shown(self) -> "EmailSettings":
        if self.tls == "none" and self.username is not None and not self.is_local:
            raise ValueError(
                f"a password would cross the network to {self.host} unencrypted; set tls: starttls or tls: tls"
            )
        return self

    @property
    def sender_name(self) -> str:
        return self.sender.rpartition("<")[0].strip()

    @property
    def sender_address(self) -> str:
        return self.sender.rpartition("<")[2].rstrip(">")

    @property
    def domain(self) -> str:
        """The sender's domain, in whose name messages are numbered."""
        return self.sender_address.rpartition("@")[2]

    @property
    def is_local(self) -> bool:
        """Is the server on this machine?"""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

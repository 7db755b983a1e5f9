"""One outgoing webhook of the configuration."""

from typing import Literal

from pydantic import Field

from integrations.base import Section
from models.units import Duration

What = Literal["runs", "alerts", "security"]


class WebhookSettings(Section):
    url: str = Field(pattern=r"^https?://", examples=["https://host/path"])
    secret_env: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$", examples=["TRIAGE_HOOK_SECRET"])
    """Name of the environment variable that holds the signing secret (`whsec_…`)."""
    what: frozenset[What] = Field(frozenset({"runs", "alerts"}), min_length=1)
    """`security`: of each possible security report that there is one, by issue and severity; never what it says."""
    timeout: Duration = 10.0

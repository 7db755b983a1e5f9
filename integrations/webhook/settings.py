"""One outgoing webhook of the configuration."""

from pydantic import Field

from integrations.base import Section
from models.units import Duration


class WebhookSettings(Section):
    url: str = Field(pattern=r"^https?://", examples=["https://host/path"])
    secret_env: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$", examples=["TRIAGE_HOOK_SECRET"])
    """Name of the environment variable that holds the signing secret (`whsec_…`)."""
    timeout: Duration = 10.0

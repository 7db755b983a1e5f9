"""Slack's section of the configuration."""

from pydantic import Field

from integrations.base import Section
from models.units import Duration, Rate, RateField


class SlackSettings(Section):
    base_url: str = Field("https://slack.com/api/", pattern=r"^https?://", examples=["https://host/path"])
    channel: str = Field("#triage", min_length=1)
    security_channel: str = Field("#security", min_length=1)
    rate_limit: RateField = Rate(1, 1)
    timeout: Duration = 10.0

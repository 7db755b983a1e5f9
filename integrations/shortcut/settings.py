"""Shortcut's section of the configuration."""

from pydantic import Field

from integrations.base import Section
from models.units import Duration, Rate, RateField


class ShortcutSettings(Section):
    base_url: str = Field(
        "https://api.app.shortcut.com", pattern=r"^https?://", examples=["https://host/path"]
    )
    rate_limit: RateField = Rate(200, 60)
    workflow_state_id: int | None = None
    """Where new stories appear; the workspace's default state where it is not set."""
    bulk_size: int = Field(50, ge=1, le=500)
    timeout: Duration = 20.0

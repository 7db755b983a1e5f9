"""Notion's section of the configuration."""

import re

from pydantic import Field, field_validator

from integrations.base import Section
from models.units import Duration, Rate, RateField

_ID = re.compile(r"([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})$")


class NotionSettings(Section):
    base_url: str = Field("https://api.notion.com", pattern=r"^https?://", examples=["https://host/path"])
    parent_page_id: str = Field(min_length=1)
    """The page below which drafts are put: its id, or its address as Notion's "Copy link" gives it."""
    rate_limit: RateField = Rate(3, 1)
    timeout: Duration = 20.0

    @field_validator("parent_page_id")
    @classmethod
    def _only_the_id(cls, value: str) -> str:
        found = _ID.search(value.partition("?")[0].strip().lower())
        return "-".join(found.groups()) if found else value

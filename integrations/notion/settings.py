"""Notion's section of the configuration."""

from pydantic import Field

from integrations.base import Section


class NotionSettings(Section):
    base_url: str = Field("https://api.notion.com", pattern=r"^https?://", examples=["https://host/path"])
    parent_page_id: str

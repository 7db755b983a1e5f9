"""The language model's section of the configuration."""

from pydantic import Field

from integrations.base import Section


class LlmSettings(Section):
    model: str = Field(pattern=r"^[a-z-]+:.+")
    base_url: str | None = Field(None, pattern=r"^https?://")

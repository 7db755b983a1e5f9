"""The language model's section of the configuration."""

from pydantic import Field

from integrations.base import Section


class LlmSettings(Section):
    model: str = Field(pattern=r"^[a-z-]+:.+", examples=["openai:gpt-4.1-mini"])
    base_url: str | None = Field(None, pattern=r"^https?://", examples=["https://host/v1"])

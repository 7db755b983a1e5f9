"""The language model's section of the configuration."""

from pydantic import Field

from integrations.base import Section
from models.units import Duration


class Prices(Section):
    """What a million tokens cost."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)


class LlmSettings(Section):
    model: str = Field(pattern=r"^openai:[^\s]{1,200}$", examples=["openai:gpt-4.1-mini"])
    """`openai:` and the model's name, also for other services that speak OpenAI's interface at `base_url`."""
    base_url: str | None = Field(None, pattern=r"^https?://[^\s]+$", examples=["https://host/v1"])
    timeout: Duration = Field(30.0, ge=1, le=60)
    """For one draft, a second try included."""
    max_tokens: int = Field(2_000, ge=100, le=20_000)
    """Longest answer to one question; thinking counts, where a model thinks."""
    requests_in_flight: int = Field(4, ge=1, le=30)
    tokens_per_run: int = Field(200_000, ge=0)
    tokens_per_day: int = Field(1_000_000, ge=0)
    """In any 24 hours, over all runs and processes."""
    money_per_run: float | None = Field(None, ge=0)
    money_per_day: float | None = Field(None, ge=0)
    """In the currency of `prices`; US dollars where those are the known ones."""
    prices: Prices | None = None
    drafts_for_security: bool = False
    """The model may see security reports."""

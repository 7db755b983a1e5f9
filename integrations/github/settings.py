"""GitHub's section of the configuration."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from integrations.base import Section
from models.units import Duration, Rate, RateField


class GithubSettings(Section):
    base_url: str = Field("https://api.github.com", pattern=r"^https?://", examples=["https://host/path"])
    rate_limit: RateField = Rate(5000, 3600)
    content_rate_limit: RateField = Rate(80, 60)
    comment: Literal["always", "useful", "never"] = "useful"
    link_story: bool = False
    labels: Mapping[Literal["bug", "feature", "docs", "security", "needs_human"], str] = {}
    timeout: Duration = 10.0

"""OSV's section of the configuration."""

from pydantic import Field

from integrations.base import Section
from models.units import Duration, Rate, RateField


class OsvSettings(Section):
    base_url: str = Field("https://api.osv.dev", pattern=r"^https?://", examples=["https://host/path"])
    rate_limit: RateField = Rate(50, 1)
    timeout: Duration = Field(5.0, gt=0)

"""OSV's section of the configuration."""

from pydantic import Field

from integrations.base import Section


class OsvSettings(Section):
    base_url: str = Field("https://api.osv.dev", pattern=r"^https?://", examples=["https://host/path"])

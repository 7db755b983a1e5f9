"""Shortcut's section of the configuration."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from integrations.base import Section
from models.units import Duration, Rate, RateField


class PlaceSettings(Section):
    """Where the stories of one route lie."""

    workflow_state_id: int | None = None
    epic_id: int | None = None


def _ascending(values: tuple[int, ...]) -> tuple[int, ...]:
    if any(value < 0 for value in values):
        raise ValueError("points are whole numbers from 0")
    return tuple(sorted(set(values)))


class ShortcutSettings(Section):
    base_url: str = Field(
        "https://api.app.shortcut.com", pattern=r"^https?://", examples=["https://host/path"]
    )
    rate_limit: RateField = Rate(200, 60)
    workflow_state_id: int | None = None
    """Where new stories appear; the workspace's default state where it is not set."""
    routes: Mapping[Literal["bug", "feature", "docs", "security", "needs_human"], PlaceSettings] = {}
    """Another state or an epic for the stories of some routes."""
    estimate_scale: Literal["auto"] | Annotated[tuple[int, ...], AfterValidator(_ascending)] = "auto"
    """The points that stories are estimated in; auto: the workspace's own. An empty list: no story has an estimate."""
    bulk_size: int = Field(50, ge=1, le=500)
    timeout: Duration = 20.0

"""Slack's section of the configuration."""

import re
from collections.abc import Mapping
from datetime import time
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from integrations.base import Section
from models.units import Duration, Rate, RateField


def _hours(value: Any) -> Any:
    """Two times of the day from "22:00-07:00"."""
    if value is None or isinstance(value, tuple):
        return value
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-3]):([0-5]\d)", str(value).strip())
    if found is None:
        raise ValueError(f"{value!r} are no quiet hours; write 22:00-07:00")
    hours = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    if hours[0] == hours[1]:
        raise ValueError(f"{value!r} begin and end at the same time")
    return hours


class SlackSettings(Section):
    base_url: str = Field("https://slack.com/api/", pattern=r"^https?://", examples=["https://host/path"])
    channel: str = Field("#triage", min_length=1)
    security_channel: str = Field("#security", min_length=1)
    channels: Mapping[Literal["bug", "feature", "docs", "needs_human"], str] = {}
    """Where cases that need a person are told instead of `channel`: by the route that waits for approval, or
    needs_human for those that nobody has routed."""
    quiet_hours: Annotated[tuple[time, time] | None, BeforeValidator(_hours)] = Field(
        None, examples=["22:00-07:00"]
    )
    """By the schedule's time zone: new messages wait until these are over; the security channel's do not."""
    chart: bool = True
    """Upload a small chart into the digest's thread, where files may be uploaded (files:write)."""
    rate_limit: RateField = Rate(1, 1)
    timeout: Duration = 10.0

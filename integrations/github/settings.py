"""GitHub's section of the configuration."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field

from integrations.base import ONLY_CONTENT, Limit, Section
from models.units import Duration, Rate, RateField


def _word(value: Any) -> Any:
    """YAML reads a bare `off` as false."""
    return "off" if value is False else value


MOST_REQUESTS = Rate(15_000, 3600)
"""What GitHub grants an organisation's App on an enterprise plan, and nobody else more."""


SEARCHES = Limit([Rate(28, 60)])
"""GitHub grants 30 a minute; a little is left to others with the same credential."""


class GithubSettings(Section):
    base_url: str = Field("https://api.github.com", pattern=r"^https?://", examples=["https://host/path"])
    rate_limit: RateField = Rate(5000, 3600)
    content_rate_limit: RateField = Rate(80, 60)
    content_hour_limit: RateField = Rate(500, 3600)
    points_rate_limit: RateField = Rate(900, 60)
    """A read is one point, a write five."""
    comment: Literal["always", "useful", "never"] = "useful"
    link_story: bool = False
    reflect: Annotated[Literal["label", "comment", "off"], BeforeValidator(_word)] = "label"
    """How an issue shows what people do with its story: state, owner and epic."""
    replies_per_hour: int = Field(10, ge=1, le=1000)
    """Writes to one issue in an hour after which other bots are answered there no more for an hour."""
    close_when_done: bool = False
    """Close an issue when its story is done; nothing else ever closes one."""
    assign_suspects: bool = False
    """Assign who knows the suspected file best to a bug that has nobody yet."""
    draft_pulls: bool = False
    """Open draft pull requests with a model's patch that applies, or a correction that a reporter spelt out."""
    draft_advisories: bool = False
    """Open a draft security advisory for a report; only maintainers see it."""
    labels: Mapping[Literal["bug", "feature", "docs", "security", "needs_human"], str] = {}
    timeout: Duration = 10.0

    @property
    def hosts(self) -> frozenset[str]:
        """The names under which people see GitHub: the public one, and that of the configured server."""
        host = urlsplit(self.base_url).hostname or ""
        return frozenset({"github.com", host.removeprefix("api.")})

    def limits(self) -> list[Limit]:
        """GitHub's limits: requests, points, and what creates content.

        Who allows more than GitHub ever does works against another server; the limits that were not named
        in the configuration are then not assumed either.
        """
        content = [self.content_rate_limit]
        found = [Limit([self.rate_limit])]
        standard = _within(self.content_rate_limit, Rate(80, 60)) and _within(self.rate_limit, MOST_REQUESTS)
        if standard or "points_rate_limit" in self.model_fields_set:
            found.append(Limit([self.points_rate_limit], {"read": 1, "write": 5, "content": 5}))
        if standard or "content_hour_limit" in self.model_fields_set:
            content.append(self.content_hour_limit)
        return [*found, Limit(content, ONLY_CONTENT)]


def _within(rate: Rate, most: Rate) -> bool:
    return rate.count * most.seconds <= most.count * rate.seconds

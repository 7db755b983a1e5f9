"""What every integration has in common: its configuration section, its secrets, and how a lane talks to it."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from models.commands import Pending
from models.units import Duration, Rate

Answer = Mapping[str, Any]
"""What a service answered to one command, as plain JSON; kept with the command."""


class Section(BaseModel):
    """A section of the configuration: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class BreakerSettings(Section):
    failure_threshold: int = Field(5, ge=1)
    reset_timeout_seconds: Duration = Field(60.0, gt=0)


class RetrySettings(Section):
    max_attempts: int = Field(3, ge=1)
    backoff_multiplier: float = Field(2.0, ge=1)
    initial_delay: Duration = 1.0
    max_delay: Duration = 900.0

    def delay(self, attempts: int) -> float:
        """Seconds until the next try after `attempts` failures; jittered so that peers do not march in step."""
        # The exponent is bounded: a command that has waited through a long outage must not overflow.
        pause = self.initial_delay * self.backoff_multiplier ** min(max(attempts - 1, 0), 40)
        return min(self.max_delay, pause) * random.uniform(0.5, 1.0)  # noqa: S311 (no secret)


Kind = Literal["read", "write", "content"]
"""What a request does: reads, changes what is there, or makes something new, which GitHub counts apart."""
ALIKE: Mapping[Kind, int] = {"read": 1, "write": 1, "content": 1}
ONLY_CONTENT: Mapping[Kind, int] = {"content": 1}


@dataclass(frozen=True, slots=True)
class Limit:
    """One of a service's limits: so many units in each of these windows, and what a request costs of them."""

    rates: Sequence[Rate]
    cost: Mapping[Kind, int] = field(default_factory=lambda: ALIKE)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook delivery, whose signature was right; `payload` is raw."""

    id: str
    event: str
    action: str
    issue: str | None
    """ "owner/name#n" where it is about an issue; also for a pull request, which GitHub takes for one."""
    payload: Mapping[str, Any]
    matters: bool
    """Whether anything is made of such events; others are stored by name alone, and answered the same."""
    sender: str = ""
    """The account that caused it, as the service names it."""


class Target(Protocol):
    """One credential at one service, as its lane sees it. Raises models.errors only."""

    name: str

    def bulk_size(self, operation: str) -> int:
        """How many commands of this operation fit into one request."""
        ...

    async def send(self, commands: Sequence[Pending]) -> Sequence[Answer]:
        """Carry out commands of one operation in one request, an answer for each, in order."""
        ...

    async def find(self, commands: Sequence[Pending]) -> Mapping[str, Answer]:
        """Of commands that an earlier request may have carried out: those that the service has, by key."""
        ...

    async def check(self) -> str:
        """Ask the service who we are; a sentence for `doctor`."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `doctor`: what was looked at, whether it is right, and how to mend it."""

    name: str
    ok: bool
    detail: str
    mend: str = ""

"""Units of the configuration: durations in seconds and rates as a count per period."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

_DURATION = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\s*$")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}
_RATE = re.compile(r"^\s*(\d+)\s*/\s*(\d+(?:\.\d+)?)?\s*(s|sec|second|m|min|minute|h|hour|d|day)\s*$")


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` in any `seconds`."""

    count: int
    seconds: float

    def __str__(self) -> str:
        names = {1.0: "s", 60.0: "minute", 3600.0: "hour", 86400.0: "day"}
        return f"{self.count}/{names.get(self.seconds, f'{self.seconds}s')}"


def parse_duration(value: Any) -> float:
    """Seconds from `30s`, `5000ms`, `15m`, `2h`, `1d` or a plain number of seconds; ValueError otherwise."""
    if isinstance(value, bool):
        raise ValueError(f"{value!r} is not a duration; write 30s, 5000ms, 15m or 2h")
    match = _DURATION.match(str(value))
    if match is None:
        raise ValueError(f"{value!r} is not a duration; write 30s, 5000ms, 15m or 2h")
    return float(match[1]) * _SECONDS[match[2]]


def parse_rate(value: Any) -> Rate:
    """A rate from `5000/hour`, `200/minute`, `1/s` or `80/3s`; ValueError otherwise."""
    if isinstance(value, Rate):
        return value
    match = _RATE.match(str(value))
    if match is None or int(match[1]) < 1 or (match[2] and float(match[2]) <= 0):
        raise ValueError(f"{value!r} is not a rate; write 5000/hour, 200/minute or 1/s")
    return Rate(int(match[1]), float(match[2] or 1) * _SECONDS[match[3][0]])


Duration = Annotated[float, BeforeValidator(parse_duration)]
RateField = Annotated[Rate, BeforeValidator(parse_rate), PlainSerializer(str, return_type=str)]

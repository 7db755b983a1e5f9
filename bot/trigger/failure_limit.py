"""Knocks: refused requests by source and minute, after which a source is told to slow down."""

import ipaddress
import time
from collections import OrderedDict
from dataclasses import dataclass, field

REMEMBERED = 10_000
"""Sources; the oldest are forgotten first."""


@dataclass(slots=True)
class Knocks:
    """How often each source was refused in this minute; one process's own count."""

    most: int
    """Refusals of one source in a minute, after which it has to wait for the next."""
    _counts: "OrderedDict[str, tuple[int, int]]" = field(default_factory=OrderedDict)

    def count(self, address: str) -> int:
        """Note a refusal; says how many there are in this minute."""
        source, minute = source_of(address), int(time.monotonic() // 60)
        before, number = self._counts.pop(source, (minute, 0))
        number = number + 1 if before == minute else 1
        self._counts[source] = (minute, number)
        while len(self._counts) > REMEMBERED:
            self._counts.popitem(last=False)
        return number

    def too_many(self, address: str) -> bool:
        """Was it refused too often in this minute?"""
        if not self._counts:
            return False
        minute, number = self._counts.get(source_of(address), (0, 0))
        return minute == int(time.monotonic() // 60) and number >= self.most


def retry_after() -> int:
    """Seconds until the minute is over."""
    return 60 - int(time.monotonic() % 60)


def source_of(address: str) -> str:
    """Whom an address stands for: who has one of IPv6 has the other 2⁶⁴ of its network, too."""
    if ":" not in address:
        return address
    try:
        found = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    return str(found.ipv4_mapped or ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))

"""How long the other processes surely take this one for alive."""

from dataclasses import dataclass

from integrations.resilience import steady


@dataclass(slots=True)
class Lease:
    """Renewed with each heartbeat; a process that was stopped or suspended finds it over when it wakes."""

    until: float = 0.0
    """Steady seconds, as integrations.resilience counts them."""

    def held(self) -> bool:
        return steady() < self.until

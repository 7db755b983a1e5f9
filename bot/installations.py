"""Which repositories the GitHub App may see, as its installations change."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import Connection


def apply(connection: Connection, event: str, action: str, payload: Mapping[str, Any], now: float) -> str:
    """Bring the table in line with an event about installations; returns what was made of it."""
    return "noted"

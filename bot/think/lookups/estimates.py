"""Reads the scale that the team estimates its stories in."""

import asyncio
from typing import TYPE_CHECKING

from bot.think.sources import Sources
from models.asks import EstimateScale
from models.errors import Transient

if TYPE_CHECKING:
    pass

PATIENCE = 5.0
"""Seconds; a batch is not held up for longer, the usual scale does as well."""


async def scale(sources: Sources, ask: EstimateScale, run: str) -> tuple[int, ...] | None:
    """Shortcut's; None where Shortcut is off."""
    if sources.shortcut is None:
        return None
    try:
        async with asyncio.timeout(PATIENCE):
            return await sources.shortcut.estimate_scale()
    except TimeoutError:
        raise Transient(f"shortcut: its estimate scale did not come in {PATIENCE:.0f} s") from None

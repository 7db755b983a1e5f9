"""Reads the scale that the team estimates its stories in."""

import asyncio
from typing import TYPE_CHECKING, cast

from models.asks import EstimateScale
from models.errors import Transient

if TYPE_CHECKING:
    from bot.app.app import App
    from integrations.shortcut.client import ShortcutClient

PATIENCE = 5.0
"""Seconds; a batch is not held up for longer, the usual scale does as well."""


async def scale(app: "App", ask: EstimateScale, run: str) -> tuple[int, ...] | None:
    """Shortcut's; None where Shortcut is off."""
    shortcut = app.targets.get("shortcut")
    if shortcut is None:
        return None
    try:
        async with asyncio.timeout(PATIENCE):
            return await cast("ShortcutClient", shortcut).estimate_scale()
    except TimeoutError:
        raise Transient(f"shortcut: its estimate scale did not come in {PATIENCE:.0f} s") from None

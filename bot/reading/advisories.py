"""Asks OSV for published vulnerabilities."""

from typing import TYPE_CHECKING

from models.asks import FindAdvisories
from models.case import Advisory

if TYPE_CHECKING:
    from bot.wiring import App


async def find(app: "App", ask: FindAdvisories, run: str) -> tuple[Advisory, ...] | None:
    return None

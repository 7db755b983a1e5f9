"""Asks the language model for drafts, within its ceilings, and keeps what it wrote."""

from typing import TYPE_CHECKING

from models.asks import Drafted, WriteDraft

if TYPE_CHECKING:
    from bot.wiring import App


async def write(app: "App", ask: WriteDraft, run: str) -> Drafted | None:
    return None

"""Calls the reading operations of services that the configuration declares."""

from typing import TYPE_CHECKING, Any

from models.asks import CallService

if TYPE_CHECKING:
    from bot.wiring import App


async def call(app: "App", ask: CallService, run: str) -> Any:
    return None

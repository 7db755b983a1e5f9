"""Asks GitHub's and Shortcut's own search, where their budgets leave room."""

from typing import TYPE_CHECKING

from models.asks import SearchIssues, SearchStories
from models.case import Similar

if TYPE_CHECKING:
    from bot.wiring import App


async def search_issues(app: "App", ask: SearchIssues, run: str) -> tuple[Similar, ...] | None:
    return None


async def search_stories(app: "App", ask: SearchStories, run: str) -> tuple[Similar, ...] | None:
    return None

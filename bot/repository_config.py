"""A repository's own configuration: read, kept, checked where a pull request changes it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import Connection

from bot.wiring import App


def off(connection: Connection) -> frozenset[str]:
    """Repositories, in lower case, that switched the bot off."""
    return frozenset()


def changed_by_push(payload: Mapping[str, Any]) -> bool:
    """Did this push to the default branch touch the file?"""
    return False


async def load(app: App, repo: str, *, force: bool = False) -> str:
    """Read the file anew; returns what was found, as a short note."""
    return "nothing to read"


async def check_pull(app: App, payload: Mapping[str, Any]) -> str:
    """Check the file that a pull request changes; returns what came of it, as a short note."""
    return "nothing to check"

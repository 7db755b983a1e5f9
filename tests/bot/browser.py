"""Browsers and programs that ask the application for something, as whoever they are."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from bot.app.app import App
from bot.monitor.health import Pulse
from bot.store import audit
from bot.web.app import create_app

ADMIN, OPERATOR, VIEWER = "admin-token-1", "operator-token-2", "viewer-token-3"
SAME = {"sec-fetch-site": "same-origin", "accept": "text/html"}
"""What a browser sends with a form of our own page."""


async def begin() -> str:
    return "api-1"


@asynccontextmanager
async def browser(
    app: App, host: str = "0.0.0.0", base: str = "http://bot.example", **options: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client that keeps cookies and follows nothing by itself."""
    made = create_app(app, host=host, pulse=Pulse(), start=begin)
    transport = httpx.ASGITransport(app=made, **options)
    async with httpx.AsyncClient(transport=transport, base_url=base) as opened:
        yield opened


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def enter(http: httpx.AsyncClient, token: str) -> httpx.Response:
    """Log in by the form."""
    return await http.post("/login", data={"token": token}, headers=SAME)


def noted(app: App, **wanted: Any) -> list[tuple[str, str, str, str]]:
    """Actor, way, action and subject of the audit log's entries, the oldest first."""
    with app.database.read() as connection:
        found = audit.entries(connection, limit=1000, **wanted)
    return [(e["actor"], e["via"], e["action"], e["subject"]) for e in reversed(found)]

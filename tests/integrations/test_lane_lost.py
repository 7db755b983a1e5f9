"""A process that is stopped while it sends: whatever of the request is out, the service does nothing with it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.sandbox import create_app, running
from integrations.base import BreakerSettings, RetrySettings
from integrations.github.client.auth import Credential
from integrations.github.client.client import GithubClient
from integrations.github.settings import GithubSettings
from integrations.resilience import Guard, only_while
from integrations.shortcut.client import ShortcutClient
from integrations.shortcut.settings import ShortcutSettings
from models.commands import Command, Pending, create_story, write_comment
from models.errors import LaneLost
from tests.contracts.checked import Checked, checked

REF = "octo/widgets#1"
COMMENT = write_comment(REF, "Thank you.")
STORY = create_story(
    REF,
    name="It fails",
    description="x",
    story_type="bug",
    labels=["bug"],
    external_link="https://github.com/octo/widgets/issues/1",
)


@pytest.fixture
def sandbox() -> Iterator[tuple[Checked, str]]:
    app = checked(create_app([{"repo": "octo/widgets", "title": "It fails", "body": "x"}]), required=False)
    with running(app) as served:
        yield app, served.url


def guard(name: str) -> Guard:
    return Guard(name, limits=[], timeout=60, breaker=BreakerSettings(), retry=RetrySettings(max_attempts=1))


async def github(url: str) -> AsyncIterator[Any]:
    client = GithubClient(
        GithubSettings(base_url=url),
        Credential(token="sandbox"),
        guard("github"),
        user_agent="test",
        requests_in_flight=2,
    )
    yield client
    await client.close()


async def shortcut(url: str) -> AsyncIterator[Any]:
    settings = ShortcutSettings(base_url=url, workflow_state_id=500000001)
    client = ShortcutClient(settings, "sandbox", guard("shortcut"), user_agent="test", requests_in_flight=2)
    yield client
    await client.close()


@pytest.mark.parametrize(
    ("connect", "command", "looks"),
    [
        (github, COMMENT, 0),
        (github, COMMENT, 1),
        (github, COMMENT, 2),
        (shortcut, STORY, 0),
        (shortcut, STORY, 1),
    ],
    ids=[
        "comment, at once",
        "comment, before its head",
        "comment, before its body",
        "story, at once",
        "story, body",
    ],
)
def test_nothing_is_written_once_the_lane_is_lost(
    sandbox: tuple[Checked, str],
    connect: Callable[[str], AsyncIterator[Any]],
    command: Command,
    looks: int,
) -> None:
    app, url = sandbox
    left = looks

    def held() -> bool:
        nonlocal left
        left -= 1
        return left >= 0

    async def life(send: Callable[[Any], Awaitable[Any]]) -> None:
        async for client in connect(url):
            await send(client)

    async def lose(client: Any) -> None:
        with only_while(held), pytest.raises(LaneLost):
            await client.send([Pending(command=command, created_at=datetime.now(UTC))])

    async def keep(client: Any) -> None:
        await client.send([Pending(command=command, created_at=datetime.now(UTC))])

    def written() -> tuple[int, int]:
        state = app.sandbox.control.state()
        return state["comments"], state["stories"]

    asyncio.run(life(lose))
    assert written() == (0, 0)
    asyncio.run(life(keep))
    assert sum(written()) == 1

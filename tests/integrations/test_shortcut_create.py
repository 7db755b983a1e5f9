"""A story as it is made: its tasks, its estimate, and the scale that the team estimates in."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from integrations.base import BreakerSettings, Limit, RetrySettings
from integrations.resilience import Guard
from integrations.shortcut.client import ShortcutClient
from integrations.shortcut.payloads import Place, read_scale, story_params
from integrations.shortcut.settings import ShortcutSettings
from models.commands import Command, create_story, payload_hash
from models.errors import Transient
from models.units import Rate
from tests.integrations.test_shortcut_move import REF, pending, send
from tests.world import World

TASKS = ["Filters while typing", "Works without a mouse"]


def wish(**more: Any) -> Command:
    """The story of one wish."""
    return create_story(
        REF,
        name="A search box",
        description="Much text",
        story_type="feature",
        labels=["feature"],
        external_link="https://github.com/octo/widgets/issues/1",
        **more,
    )


@contextmanager
def workspace(folder: Path) -> Iterator[World]:
    with World(folder, []) as world:
        yield world
        world.assert_contracts()


def test_tasks_are_the_storys_own_and_open(tmp_path: Path) -> None:
    with workspace(tmp_path) as world:
        ((answer,), _) = send(world, pending(wish(tasks=TASKS, estimate=4)))
        made = world.http.get(f"/api/v3/stories/{answer['id']}", headers={"Shortcut-Token": "x"}).json()
    assert [(task["description"], task["complete"]) for task in made["tasks"]] == [(t, False) for t in TASKS]
    assert made["estimate"] == 4


def test_a_story_without_tasks_is_stored_as_before() -> None:
    assert "tasks" not in wish().payload
    assert payload_hash(wish().payload) == payload_hash(wish(tasks=()).payload)


@pytest.mark.parametrize(
    ("tasks", "sent"),
    [
        ([], None),
        (["", "a"], ["a"]),
        (["x" * 3_000], ["x" * 2_048]),
        (None, None),
    ],
)
def test_tasks_keep_shortcuts_limits(tasks: list[str] | None, sent: list[str] | None) -> None:
    params = story_params("k", {**wish().payload, "tasks": tasks}, Place(1))
    found = params.get("tasks")
    assert (found and [task["description"] for task in found]) == sent


@pytest.mark.parametrize(
    ("configured", "scale"),
    [
        ({}, (0, 1, 2, 4, 8)),
        ({"estimate_scale": "auto"}, (0, 1, 2, 4, 8)),
        ({"estimate_scale": [5, 1]}, (1, 5)),
    ],
)
def test_the_scale_is_the_configured_one_else_the_workspaces(
    tmp_path: Path, configured: dict[str, Any], scale: tuple[int, ...]
) -> None:
    async def ask(world: World) -> tuple[int, ...]:
        guard = Guard(
            "shortcut",
            limits=[Limit([Rate(100, 60)])],
            timeout=60,
            breaker=BreakerSettings(),
            retry=RetrySettings(),
        )
        settings = ShortcutSettings(base_url=world.base, **configured)
        client = ShortcutClient(settings, "token", guard, user_agent="test", requests_in_flight=2)
        try:
            first = await client.estimate_scale()
            assert await client.estimate_scale() == first
            assert guard.requests == (0 if isinstance(settings.estimate_scale, tuple) else 1)
            return first
        finally:
            await client.close()

    with workspace(tmp_path) as world:
        assert asyncio.run(ask(world)) == scale


@pytest.mark.parametrize(
    ("member", "scale"),
    [
        ({"workspace2": {"estimate_scale": [8, 1, 1, 2]}}, (1, 2, 8)),
        ({"workspace2": {"estimate_scale": []}}, ()),
        ({"workspace2": {"estimate_scale": [None, "3", True, -1, 2**40, 5]}}, (5,)),
    ],
)
def test_a_scale_is_read_leniently(member: Any, scale: tuple[int, ...]) -> None:
    assert read_scale(member) == scale


@pytest.mark.parametrize(
    "member", [None, [], {}, {"workspace2": None}, {"workspace2": {"estimate_scale": "1,2"}}]
)
def test_an_answer_without_a_scale_is_no_scale(member: Any) -> None:
    with pytest.raises(Transient):
        read_scale(member)


@pytest.mark.parametrize("scale", ["linear", [-1], [1.5], 3])
def test_a_wrong_scale_is_refused(scale: Any) -> None:
    with pytest.raises(ValidationError):
        ShortcutSettings(estimate_scale=scale)

"""A story that moves to another route: what people changed stays, and the same once more changes nothing."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from integrations.base import BreakerSettings, Limit, RetrySettings
from integrations.resilience import Guard
from integrations.shortcut.client import ShortcutClient
from integrations.shortcut.settings import ShortcutSettings
from models.commands import Command, Pending, create_story, move_story
from models.errors import Rejected
from models.units import Rate
from tests.world import World

REF = "octo/widgets#1"
TODO, PROGRESS, DONE = 500000001, 500000002, 500000003
EPIC = 90
ROUTES = {"bug": {"workflow_state_id": TODO}, "feature": {"workflow_state_id": PROGRESS, "epic_id": EPIC}}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, []) as made:
        yield made
        made.assert_contracts()


def send(world: World, *pendings: Pending, **settings: Any) -> tuple[list[Mapping[str, Any]], list[str]]:
    """The answers to commands sent in one request, and what the client wants people to know."""

    async def work() -> tuple[list[Mapping[str, Any]], list[str]]:
        guard = Guard(
            "shortcut",
            limits=[Limit([Rate(1000, 60)])],
            timeout=60,
            breaker=BreakerSettings(),
            retry=RetrySettings(),
        )
        made = ShortcutSettings(base_url=world.base, **settings)
        client = ShortcutClient(made, "sandbox", guard, user_agent="test", requests_in_flight=2)
        try:
            return list(await client.send(pendings)), client.notices
        finally:
            await client.close()

    return asyncio.run(work())


def pending(command: Command, **more: Any) -> Pending:
    return Pending(command=command, created_at=datetime.now(UTC), **more)


def story(world: World, **settings: Any) -> Mapping[str, Any]:
    """The bot makes a bug story; what it keeps of it."""
    wish = create_story(
        REF,
        name="It fell",
        description="Much text",
        story_type="bug",
        labels=["bug", "severity: high"],
        external_link="https://github.com/octo/widgets/issues/1",
        route="bug",
    )
    ((answer,), _) = send(world, pending(wish), **settings)
    return answer


def move(
    world: World, made: Mapping[str, Any], last: Mapping[str, Any] | None = None, **settings: Any
) -> Mapping[str, Any]:
    names = ["bug", "docs", "question", "security", "needs triage"]
    wish = move_story(REF, route="feature", story_type="feature", label="feature", instead_of=names)
    given = pending(wish, answers={f"story:{REF}": made}, last_answer=last)
    ((answer,), _) = send(world, given, **settings)
    return answer


def by_hand(world: World, number: int, **fields: Any) -> dict[str, Any]:
    """A person changes the story; without fields only a look at it."""
    method = "PUT" if fields else "GET"
    headers = {"Shortcut-Token": "a-person"}
    answer = world.http.request(method, f"/api/v3/stories/{number}", json=fields or None, headers=headers)
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


def labels(shown: Mapping[str, Any]) -> list[str]:
    return [label["name"] for label in shown["labels"]]


def test_type_and_labels_move_and_the_text_stays(world: World) -> None:
    made = story(world)
    assert made["labels"] == ["bug", "severity: high"]
    by_hand(world, made["id"], labels=[{"name": n} for n in ("bug", "severity: high", "Q4")], name="Renamed")
    answer = move(world, made)
    shown = by_hand(world, made["id"])
    assert (shown["story_type"], labels(shown)) == ("feature", ["severity: high", "Q4", "feature"])
    assert (shown["name"], shown["description"]) == ("Renamed", "Much text")
    assert shown["workflow_state_id"] == made["state"], "no route has a state of its own"
    assert answer["changed"] == ["labels", "story_type"]
    assert answer["labels"] == ["severity: high", "feature"]


def test_the_same_once_more_writes_nothing(world: World) -> None:
    made = story(world)
    first = move(world, made)
    writes = world.writes()
    for last in (None, first):
        assert move(world, made, last)["changed"] == []
    assert world.writes() == writes


def test_a_label_that_a_person_gave_stays_even_if_it_names_a_route(world: World) -> None:
    made = {**story(world), "labels": ["severity: high"]}
    move(world, made)
    assert labels(by_hand(world, made["id"])) == ["bug", "severity: high", "feature"]


def test_what_was_made_before_labels_were_kept_gives_up_its_routes_label(world: World) -> None:
    made = {name: value for name, value in story(world).items() if name != "labels"}
    move(world, made)
    assert labels(by_hand(world, made["id"])) == ["severity: high", "feature"]


def test_a_persons_own_story_keeps_all_its_labels(world: World) -> None:
    fields = {"name": "By hand", "workflow_state_id": TODO, "labels": [{"name": "bug"}]}
    headers = {"Shortcut-Token": "a-person"}
    number = world.http.post("/api/v3/stories", json=fields, headers=headers).json()["id"]
    move(world, {"id": number, "existing": True})
    assert labels(by_hand(world, number)) == ["bug", "feature"]


def test_state_and_epic_follow_the_route(world: World) -> None:
    made = story(world, routes=ROUTES)
    assert (made["state"], made["epic"]) == (TODO, None)
    answer = move(world, made, routes=ROUTES)
    shown = by_hand(world, made["id"])
    assert (shown["workflow_state_id"], shown["epic_id"]) == (PROGRESS, EPIC)
    assert (answer["state"], answer["epic"]) == (PROGRESS, EPIC)
    # And back: a route without an epic takes the bot's own off.
    wish = move_story(REF, route="bug", story_type="bug", label="bug", instead_of=["feature"])
    send(world, pending(wish, answers={f"story:{REF}": made}, last_answer=answer), routes=ROUTES)
    shown = by_hand(world, made["id"])
    assert (shown["workflow_state_id"], shown["epic_id"], labels(shown)) == (
        TODO,
        None,
        ["severity: high", "bug"],
    )


def test_a_persons_move_stays(world: World) -> None:
    made = story(world, routes=ROUTES)
    by_hand(world, made["id"], workflow_state_id=DONE)
    answer = move(world, made, routes=ROUTES)
    shown = by_hand(world, made["id"])
    assert (shown["workflow_state_id"], shown["epic_id"]) == (DONE, EPIC)
    assert answer["state"] == TODO, "the bot remembers where it had put it"
    by_hand(world, made["id"], epic_id=None, story_type="chore")
    move(world, made, answer, routes=ROUTES)
    shown = by_hand(world, made["id"])
    assert (shown["epic_id"], shown["story_type"]) == (None, "feature")


@pytest.mark.parametrize("end", ["gone", "archived"])
def test_a_story_that_is_gone_is_no_error(world: World, end: str) -> None:
    made = story(world)
    if end == "archived":
        by_hand(world, made["id"], archived=True)
    else:
        world.http.delete(f"/api/v3/stories/{made['id']}", headers={"Shortcut-Token": "a-person"})
    writes = world.writes()
    assert move(world, made)[end] is True
    assert world.writes() == writes
    assert move(world, {"existing": True}) == {"gone": True}


def test_a_question_keeps_its_type(world: World) -> None:
    made = story(world)
    wish = move_story(REF, route="needs_human", story_type=None, label="question", instead_of=["bug"])
    send(world, pending(wish, answers={f"story:{REF}": made}))
    shown = by_hand(world, made["id"])
    assert (shown["story_type"], labels(shown)) == ("bug", ["severity: high", "question"])


def test_a_state_and_an_epic_that_are_gone_give_way(world: World) -> None:
    routes = {"bug": {"workflow_state_id": 7, "epic_id": 8}, "feature": {"epic_id": 9}}
    wish = create_story(
        REF,
        name="n",
        description="",
        story_type="bug",
        labels=[],
        external_link="https://x.invalid/1",
        route="bug",
    )
    ((made,), notices) = send(world, pending(wish), routes=routes)
    assert (made["state"], made["epic"]) == (TODO, None)
    assert [notice.split(":")[1].strip()[:30] for notice in notices] == [
        "the workflow state 7 does not ",
        "the epic 8 does not exist any ",
    ]
    assert "epic" not in move(world, made, routes=routes)["changed"]


@pytest.mark.parametrize("routes", [{"bug": {"workflow_state_id": 7}}, {"bug": {"epic_id": 7}}])
def test_a_number_that_does_not_exist_is_found_by_the_check(world: World, routes: Any) -> None:
    async def check() -> str:
        guard = Guard(
            "shortcut",
            limits=[Limit([Rate(1000, 60)])],
            timeout=60,
            breaker=BreakerSettings(),
            retry=RetrySettings(),
        )
        made = ShortcutSettings(base_url=world.base, routes=routes)
        client = ShortcutClient(made, "sandbox", guard, user_agent="test", requests_in_flight=2)
        try:
            return await client.check()
        finally:
            await client.close()

    with pytest.raises(Rejected, match=r"routes\.bug.*7 does not exist"):
        asyncio.run(check())

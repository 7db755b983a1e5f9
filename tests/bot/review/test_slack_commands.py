"""People in Slack: one message an issue, buttons that move the story, and nobody flooded."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.bot.trigger.test_inbox import REPO, Served, issue_event, labels_of, seeds, serving
from tests.world import World


class Team:
    """A world whose issues all need a person, and the people in its Slack."""

    def __init__(self, world: World, door: Served) -> None:
        self.world, self.door = world, door

    def messages(self, words: str = "") -> list[dict[str, Any]]:
        return [m for m in self.world.listed("messages") if words in json.dumps(m)]

    def press(self, message: dict[str, Any], action: str, user: str = "sam", **more: str) -> Any:
        what = {"channel": message["channel"], "ts": message["ts"], "action_id": action, "user": user} | more
        return self.world.control(press=what, to=f"{self.door.http.base_url}/slack/events")

    def types(self, text: str, user: str = "sam", channel: str = "#triage") -> str:
        what = {"text": text, "channel": channel, "user": user}
        return json.dumps(self.world.control(slash=what, to=f"{self.door.http.base_url}/slack/events"))

    def case(self, number: int) -> dict[str, Any]:
        """The message about this issue."""
        self.world.wait_until(lambda: self.messages(f"{REPO}#{number} needs a person"))
        (found,) = self.messages(f"{REPO}#{number} needs a person")
        return found

    def until(self, true: Callable[[], Any]) -> None:
        self.world.wait_until(true)

    def stories(self, number: int) -> list[dict[str, Any]]:
        return [s for s in self.world.listed("stories") if s["external_id"] == f"story:{REPO}#{number}"]


# Each test says if it needs the server on PostgreSQL, too; `make slow` runs all of them there.
pytestmark = pytest.mark.databases("sqlite")


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory, database_kind: str) -> Iterator[Team]:
    with serving(tmp_path_factory.mktemp("people"), seeds(40), route="needs_human") as (world, door):
        yield Team(world, door)


def test_a_button_makes_the_story_and_another_moves_it(team: Team) -> None:
    team.door.post(issue_event(1), delivery="p-1")
    message = team.case(1)
    assert team.stories(1) == []
    team.press(message, "switchyard:other", value="bug")
    team.until(lambda: [s["story_type"] for s in team.stories(1)] == ["bug"])
    team.until(lambda: "bug" in labels_of(team.world, 1))
    # The message tells who decided, and lets somebody else correct it.
    team.until(lambda: team.messages("routed it to bug"))
    time.sleep(5.1)
    team.press(message, "switchyard:other", user="robin", value="feature")
    team.until(lambda: [s["story_type"] for s in team.stories(1)] == ["feature"])
    team.until(lambda: "enhancement" in labels_of(team.world, 1) and "bug" not in labels_of(team.world, 1))
    assert len(team.messages(f"{REPO}#1")) == 1
    team.world.assert_once()


@pytest.mark.databases("sqlite", "postgresql")
def test_of_two_at_once_one_wins_and_the_other_is_told(team: Team) -> None:
    team.door.post(issue_event(2), delivery="p-2")
    message = team.case(2)
    team.press(message, "switchyard:other", user="sam", value="bug")
    team.press(message, "switchyard:other", user="robin", value="docs")
    team.until(lambda: [s["story_type"] for s in team.stories(2)] == ["bug"])
    team.until(lambda: any("decided: bug" in json.dumps(r) for r in team.world.listed("replies")))
    assert len(team.stories(2)) == 1


def test_why_snooze_and_not_for_us(team: Team) -> None:
    for number in (3, 4):
        team.door.post(issue_event(number), delivery=f"p-{number}")
    message = team.case(3)
    team.press(message, "switchyard:why")
    team.until(lambda: any(f"{REPO}#3" in json.dumps(r) for r in team.world.listed("replies")))
    team.press(message, "switchyard:snooze")
    team.until(lambda: team.messages("sam put it off"))
    team.press(team.case(4), "switchyard:ignore")
    team.until(lambda: team.messages("not for us"))
    assert team.stories(3) == team.stories(4) == []


def test_commands(team: Team) -> None:
    assert "wait for a person" in team.types("status")
    assert "queue" in team.types("queue").lower() or "wait" in team.types("queue")
    assert "not triaged here" in team.types(f"why {REPO}#39")
    team.types(f"route {REPO}#3 bug")
    team.until(lambda: [s["story_type"] for s in team.stories(3)] == ["bug"])
    team.types("route else/where#1 bug")
    team.until(lambda: any("none of the issues" in json.dumps(r) for r in team.world.listed("replies")))
    team.types("mute 2h")
    team.until(
        lambda: any("No new messages here until" in json.dumps(r) for r in team.world.listed("replies"))
    )
    team.door.post(issue_event(5), delivery="p-5")
    team.until(lambda: f"{REPO}#5" in json.dumps(team.door.http.get("/api/v1/queue").json()))
    team.types("unmute")
    team.until(lambda: any("told again" in json.dumps(r) for r in team.world.listed("replies")))
    team.case(5)


def test_the_home_tab(team: Team) -> None:
    team.world.control(home={"user": "sam"}, to=f"{team.door.http.base_url}/slack/events")
    team.until(lambda: any(h["blocks"] for h in team.world.listed("homes")))


def test_many_at_once_are_gathered(team: Team) -> None:
    before = len(team.messages())
    for number in range(10, 30):
        team.door.post(
            issue_event(number, title=f"Saving file number {number} fails"), delivery=f"g-{number}"
        )
    team.until(lambda: team.messages("need a person") and team.messages(f"{REPO}#29"))
    assert len(team.messages()) - before <= 6
    gathered = next(m for m in team.messages(f"{REPO}#29"))
    team.until(lambda: all(team.messages(f"{REPO}#{n}") for n in range(10, 30)))
    team.press(gathered, "switchyard:decide", value="route:bug", block_id=f"gathered:{REPO}#29")
    team.until(lambda: [s["story_type"] for s in team.stories(29)] == ["bug"])
    team.world.assert_once()

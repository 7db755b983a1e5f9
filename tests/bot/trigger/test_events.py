"""What else GitHub's events lead to in `serve`: configuration that changes, commands in comments, other bots."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from config.repository import FILE
from tests.bot.trigger.test_inbox import REPO, Served, issue_event, labels_of, seeds, serving
from tests.world import World


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, database_kind: str) -> Iterator[tuple[World, Served]]:
    with serving(tmp_path_factory.mktemp("events"), seeds(20), replies="4") as both:
        yield both


def send(door: Served, event: str, name: str, **payload: Any) -> None:
    body = {"repository": {"full_name": REPO, "default_branch": "main"}, "sender": {"login": "ann"}} | payload
    assert door.post(json.dumps(body).encode(), event=event, delivery=name).status_code == 202


def push(door: Served, name: str) -> None:
    commit = {"added": [], "modified": [FILE], "removed": []}
    send(door, "push", name, ref="refs/heads/main", after=name, commits=[commit], head_commit=commit)


def test_a_push_brings_the_new_configuration(served: tuple[World, Served]) -> None:
    world, door = served
    world.control(repo=REPO, files={FILE: "enabled: false\n"})
    push(door, "push-1")
    world.wait_until(lambda: REPO in str(door.http.get("/api/v1/status").json()["configurations"]))
    assert door.post(issue_event(1), delivery="e-1").status_code == 202
    # A mistake keeps what was good, and is told.
    world.control(repo=REPO, files={FILE: "enabeld: true\n"})
    push(door, "push-2")
    world.wait_until(lambda: "did you mean enabled" in str(door.http.get("/api/v1/status").json()))
    assert [s for s in world.listed("stories") if s["external_id"].endswith("#1")] == []
    world.control(repo=REPO, files={FILE: "enabled: true\n"})
    push(door, "push-3")
    world.wait_until(lambda: "did you mean enabled" not in str(door.http.get("/api/v1/status").json()))
    assert door.post(issue_event(1, "edited", at=1), delivery="e-2").status_code == 202
    world.wait_until(lambda: [s for s in world.listed("stories") if s["external_id"].endswith("#1")])


def test_a_pull_request_is_told_what_is_wrong(served: tuple[World, Served]) -> None:
    world, door = served
    found = world.control(pull={"repo": REPO, "number": 500, "files": {FILE: "rools: []\n"}})
    pull = {"number": 500, "head": {"sha": found["head"]}, "base": {"ref": "main"}}
    send(door, "pull_request", "pull-1", action="opened", number=500, pull_request=pull)
    world.wait_until(
        lambda: any(c["number"] == 500 and "rules" in c["body"] for c in world.listed("comments"))
    )


def test_a_command_in_a_comment_moves_the_story(served: tuple[World, Served]) -> None:
    world, door = served
    world.control(account={"login": "ann", "permission": "triage"})
    door.post(issue_event(2), delivery="c-1")
    world.wait_until(lambda: [s for s in world.listed("stories") if s["external_id"].endswith("#2")])
    made = world.http.post(
        f"/repos/{REPO}/issues/2/comments",
        json={"body": "/triage route feature"},
        headers={"Authorization": "token sandbox"},
    ).json()
    issue = json.loads(issue_event(2))["issue"]
    comment = {"id": made["id"], "body": made["body"], "user": {"login": "ann", "type": "User"}}
    send(door, "issue_comment", "c-2", action="created", issue=issue, comment=comment)
    world.wait_until(
        lambda: (
            "feature" in [s["story_type"] for s in world.listed("stories") if s["external_id"].endswith("#2")]
        )
    )
    world.wait_until(lambda: "enhancement" in labels_of(world, 2))
    world.assert_once()
    said = world.run("audit", "--issue", f"{REPO}#2", "--json").json
    assert any(entry["action"] == "issue.route" and entry["actor"] == "ann" for entry in said["entries"])


def test_two_bots_do_not_talk_for_ever(served: tuple[World, Served]) -> None:
    world, door = served
    bot = {"login": "helpful[bot]", "type": "Bot"}
    door.post(issue_event(3), delivery="b-0")
    world.wait_until(lambda: [s for s in world.listed("stories") if s["external_id"].endswith("#3")])

    def is_quiet() -> bool:
        return any("#3" in m["text"] and "helpful" in m["text"] for m in world.listed("messages"))

    for turn in range(1, 30):
        # Whatever the bot says, the other one says the opposite.
        label = ["documentation", "enhancement"][turn % 2]
        issue = json.loads(issue_event(3, at=turn, labels=[{"name": label}]))["issue"]
        send(door, "issues", f"b-{turn}", action="labeled", issue=issue, sender=bot)
        world.wait_until(lambda: not door.waiting())
        if is_quiet():
            break
    world.wait_until(is_quiet)
    wrote = len(world.run("audit", "--issue", f"{REPO}#3", "--json").json["entries"])
    for turn in range(30, 36):
        issue = json.loads(issue_event(3, at=turn, labels=[{"name": f"area {turn}"}]))["issue"]
        send(door, "issues", f"b-{turn}", action="labeled", issue=issue, sender=bot)
    world.wait_until(lambda: not door.waiting())
    assert len(world.run("audit", "--issue", f"{REPO}#3", "--json").json["entries"]) == wrote
    assert sum("#3" in m["text"] and "helpful" in m["text"] for m in world.listed("messages")) == 1

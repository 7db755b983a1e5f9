"""Webhooks in: what is let in, what is made of it, and that a kill loses and doubles nothing."""

import hashlib
import hmac
import json
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from bot.store import inbox
from bot.trigger.inbox import Ground, meaning
from tests.contracts.spec import contracts_dir
from tests.world import World

SECRET = "It's a Secret to Everybody"
REPO = "octo/widgets"
EXAMPLES = (contracts_dir() or Path("absent")) / "github" / "webhook-examples"


def signature(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def headers(body: bytes, event: str = "issues", delivery: str = "d-1", **more: str) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "x-github-event": event,
        "x-github-delivery": delivery,
        "x-hub-signature-256": signature(body),
    } | more


def issue_event(number: int, action: str = "opened", at: int = 0, **changes: Any) -> bytes:
    issue = {
        "number": number,
        "title": f"Saving file number {number} fails",
        "body": "It fails with an error each time.",
        "state": "open",
        "labels": [],
        "user": {"login": "ann"},
        "created_at": "2026-11-01T10:00:00Z",
        "updated_at": f"2026-11-01T10:{at:02}:00Z",
        "html_url": f"https://github.com/{REPO}/issues/{number}",
    } | changes
    return json.dumps({"action": action, "issue": issue, "repository": {"full_name": REPO}}).encode()


class Served:
    """A `serve` process and a client for it."""

    def __init__(self, world: World) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._world = world
        self.process = self.start()
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=300)
        self.ready()

    def start(self) -> "subprocess.Popen[str]":
        return self._world.start("serve", "--port", str(self.port))

    def ready(self) -> None:
        def answers() -> bool:
            try:
                return self.http.get("/healthz").status_code == 200
            except httpx.HTTPError:
                return False

        self._world.wait_until(answers)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        _, err = self.process.communicate(timeout=300)
        assert "Traceback" not in err, err

    def waiting(self) -> bool:
        """Is there a delivery of which nothing was made yet, or a command on its way?"""
        status = self.http.get("/api/v1/status").json()
        return bool(status["inbox"]["waiting"] or any(row["pending"] for row in status["queue"]))

    def post(self, body: bytes, **options: Any) -> httpx.Response:
        return self.http.post("/webhooks/github", content=body, headers=headers(body, **options))


@contextmanager
def serving(
    folder: Path, issues: list[dict[str, Any]] | None = None, route: str = "bug", replies: str = "10"
) -> Iterator[tuple[World, Served]]:
    with World(folder, issues or [], anew=True) as world:
        world.set("repositories", REPO)
        world.route_all(route)
        world.set("integrations.github.replies_per_hour", replies)
        world.environment["GITHUB_WEBHOOK_SECRET"] = SECRET
        world.environment["SHORTCUT_WEBHOOK_SECRET"] = SECRET
        for issue in issues or ():
            assert issue["repo"] == REPO
        served = Served(world)
        try:
            yield world, served
        finally:
            served.http.close()
            served.stop()


def seeds(count: int) -> list[dict[str, Any]]:
    """Issues that the sandbox knows but that were made long ago: only deliveries bring them."""
    return [
        {
            "repo": REPO,
            "number": n,
            "title": f"Saving file number {n} fails",
            "body": "It fails with an error each time.",
            "author": "ann",
        }
        for n in range(1, count + 1)
    ]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, database_kind: str) -> Iterator[tuple[World, Served]]:
    with serving(tmp_path_factory.mktemp("intake"), seeds(30)) as both:
        yield both


def test_a_signed_delivery_becomes_a_story(served: tuple[World, Served]) -> None:
    world, door = served
    body = issue_event(1)
    assert door.post(body, delivery="one").status_code == 202
    world.wait_until(lambda: [s["external_id"] for s in world.listed("stories")] == [f"story:{REPO}#1"])
    # The same delivery again, the same body under another name, and what changes nothing.
    assert door.post(body, delivery="one").status_code == 200
    assert door.post(body, delivery="two").status_code == 200
    assert door.post(issue_event(1, "assigned", at=1), delivery="three").status_code == 202
    world.wait_until(lambda: "bug" in labels_of(world, 1))
    world.assert_once()


def labels_of(world: World, number: int) -> list[str]:
    return next((i["labels"] for i in world.listed("labels") if i["number"] == number), [])


def test_one_of_many_about_one_issue_counts(served: tuple[World, Served]) -> None:
    world, door = served
    events = [issue_event(2, "edited", at=at, title=f"Version {at} of the title fails") for at in range(9)]
    order = [8, *range(8)]
    for at in order:
        assert door.post(events[at], delivery=f"edit-{at}").status_code == 202
    world.wait_until(lambda: any(s["external_id"] == f"story:{REPO}#2" for s in world.listed("stories")))
    explained = world.run("router", "explain", f"{REPO}#2", "--json")
    assert explained.code == 0
    with httpx.Client(base_url=door.http.base_url) as http:
        assert http.get("/api/v1/queue").json()["dead"] == []
    stored = [s for s in world.listed("stories") if s["external_id"] == f"story:{REPO}#2"]
    assert len(stored) == 1


def test_what_people_do_with_a_story_shows_on_its_issue(served: tuple[World, Served]) -> None:
    world, door = served
    door.post(issue_event(9), delivery="nine")
    key = f"story:{REPO}#9"
    world.wait_until(lambda: any(s["external_id"] == key for s in world.listed("stories")))
    world.wait_until(lambda: "bug" in labels_of(world, 9))
    story = next(s for s in world.listed("stories") if s["external_id"] == key)
    moved = world.http.put(
        f"/api/v3/stories/{story['id']}",
        json={"workflow_state_id": 500000002},
        headers={"Shortcut-Token": "a-person"},
    )
    assert moved.status_code == 200, moved.text
    action = {"id": story["id"], "entity_type": "story", "action": "update"}
    for delivery, actions in (("u-1", [action]), ("u-2", [{**action, "id": 999_999}]), ("u-3", [])):
        body = json.dumps({"id": delivery, "changed_at": "2026-11-21T10:00:00Z", "actions": actions}).encode()
        mac = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        sent = {"content-type": "application/json", "payload-signature": mac}
        answer = door.http.post("/webhooks/shortcut", content=body, headers=sent)
        assert answer.status_code == 202, answer.text
        assert door.http.post("/webhooks/shortcut", content=body, headers=sent).status_code == 200
        wrong = sent | {"payload-signature": "0" * 64}
        assert door.http.post("/webhooks/shortcut", content=body, headers=wrong).status_code == 401
    world.wait_until(lambda: any(name.startswith("story: ") for name in labels_of(world, 9)))


BODY = issue_event(3)


@pytest.mark.parametrize(
    ("body", "changes", "status"),
    [
        (BODY, {"x-hub-signature-256": signature(BODY, "another secret")}, 401),
        (BODY, {"x-hub-signature-256": "sha256="}, 401),
        (BODY, {"x-hub-signature-256": "sha1=" + "0" * 40}, 401),
        (BODY, {"x-hub-signature-256": ""}, 401),
        (BODY + b" ", {"x-hub-signature-256": signature(BODY)}, 401),
        (BODY, {"content-type": "application/x-www-form-urlencoded"}, 400),
        (BODY, {"x-github-event": ""}, 400),
        (BODY, {"x-github-delivery": ""}, 400),
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b"\xff\xfe", {}, 400),
        (b"[" * 100_000, {}, 400),
        (b"", {}, 400),
        (b'{"action": 7, "issue": [], "repository": null}', {"x-github-delivery": "odd"}, 202),
        (b'{"zen": "x"}', {"x-github-event": "never-heard-of", "x-github-delivery": "unknown"}, 202),
    ],
)
def test_what_is_let_in(
    served: tuple[World, Served], body: bytes, changes: Mapping[str, str], status: int
) -> None:
    _, door = served
    answer = door.http.post("/webhooks/github", content=body, headers=headers(body) | dict(changes))
    assert answer.status_code == status, answer.text
    if status >= 400:
        assert answer.json()["error"]


def test_a_body_that_is_too_large_is_refused(served: tuple[World, Served]) -> None:
    _, door = served
    big = b" " * (26 * 1024 * 1024)
    assert door.http.post("/webhooks/github", content=big, headers=headers(b"")).status_code == 413
    chunks = (b" " * 65_536 for _ in range(26 * 16))
    answer = door.http.post(
        "/webhooks/github", content=chunks, headers=headers(b"") | {"connection": "close"}
    )
    assert answer.status_code == 413
    assert door.http.get("/webhooks/github").status_code == 405
    assert door.http.post("/webhooks/elsewhere").status_code == 404


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the official examples are not beside the project")
def test_all_official_examples(served: tuple[World, Served]) -> None:
    _, door = served
    for file in sorted(EXAMPLES.glob("*.json")):
        if file.name == "index.json":
            continue
        event = file.name.split(".")[0]
        body = file.read_bytes()
        assert door.post(body, event=event, delivery=file.stem).status_code == 202, file.name
        assert door.post(body, event=event, delivery=file.stem).status_code == 200, file.name
    assert door.http.get("/readyz").status_code == 200


def test_who_knocks_without_end_is_told_to_slow_down(served: tuple[World, Served]) -> None:
    _, door = served
    codes = {door.http.post("/webhooks/github", content=b"{}").status_code for _ in range(130)}
    assert codes == {401, 429}
    # What is signed is let in all the same.
    assert door.post(issue_event(4), delivery="signed").status_code == 202


@pytest.mark.parametrize(
    ("event", "action", "changes", "expected"),
    [
        ("issues", "opened", {}, "triage"),
        ("issues", "labeled", {}, "triage"),
        ("issues", "edited", {"state": "closed"}, "remember"),
        ("issues", "closed", {"state": "closed"}, "remember"),
        ("issues", "pinned", {}, "remember"),
        ("issues", "deleted", {}, "forget"),
        ("issues", "transferred", {}, "forget"),
        ("issue_comment", "created", {}, "remember"),
        ("issues", "opened", {"pull_request": {"url": "x"}}, ""),
        ("issues", "opened", {"labels": 7}, ""),
        ("label", "created", {}, ""),
    ],
)
def test_what_is_made_of_an_event(event: str, action: str, changes: dict[str, Any], expected: str) -> None:
    payload = json.loads(issue_event(5, action, **changes))
    found = meaning(event, action, payload, Ground({REPO: REPO}))
    assert [name for name in ("triage", "remember", "forget") if getattr(found, name)] == [expected] * bool(
        expected
    )
    assert not meaning(event, action, payload, Ground({"else/where": "else/where"})).triage
    assert not meaning(event, action, payload, Ground({REPO: REPO}, off=frozenset({REPO}))).triage


@pytest.mark.slow
def test_a_day_that_is_over_has_a_report_and_one_digest(tmp_path: Path) -> None:
    with serving(tmp_path, seeds(3)) as (world, door):
        for number in (1, 2):
            assert door.post(issue_event(number), delivery=f"day-{number}").status_code == 202
        world.wait_until(lambda: len(world.listed("stories")) == 2)
        (day,) = [r for r in door.http.get("/api/v1/runs").json()["runs"] if r["trigger"] == "webhook"]
        assert (day["status"], day["fetched"], day["triaged"]) == ("running", 2, 2)
        door.stop()
        with world.writing() as connection:
            for table, name in (
                ("runs", "id"),
                ("batches", "run_id"),
                ("commands", "run_id"),
                ("cases", "run_id"),
            ):
                connection.execute(sa.text(f"UPDATE {table} SET {name} = 'webhook-20200101'"))
        door.process = door.start()
        door.ready()
        # What comes now belongs to another day.
        assert door.post(issue_event(3), delivery="day-3").status_code == 202

        def ended() -> bool:
            found = door.http.get("/api/v1/runs/webhook-20200101").json()
            return bool(found.get("status") == "completed" and found["report"])

        world.wait_until(ended)
        world.wait_until(lambda: len(world.listed("stories")) == 3)
        digests = [m for m in world.listed("messages") if "Triage: 2 issues" in m["text"]]
        assert len(digests) == 1
        world.assert_once()


def test_a_kill_in_the_middle_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Of as many as $SWITCHYARD_TEST_DELIVERIES says; `make chaos-intake` takes 2,000 and shows the figures."""
    count = int(os.environ.get("SWITCHYARD_TEST_DELIVERIES", "300"))
    chance = random.Random(5)
    wanted = [(n, d) for n in range(1, count + 1) for d in range(chance.randint(1, 3))]
    chance.shuffle(wanted)
    bodies = {n: issue_event(n) for n in range(1, count + 1)}
    with serving(tmp_path, seeds(count)) as (world, door):

        def deliver(what: tuple[int, int]) -> bool:
            number, _ = what
            # Like a sender that tries again: until the server is back.
            ends = time.monotonic() + 300
            while time.monotonic() < ends:
                try:
                    if door.post(bodies[number], delivery=f"guid-{number}").status_code in (200, 202):
                        return True
                except httpx.HTTPError:
                    pass
                time.sleep(0.2)
            return False

        with ThreadPoolExecutor(8) as pool:
            sent = [pool.submit(deliver, what) for what in wanted]
            world.wait_until(lambda: sum(s.done() for s in sent) > len(wanted) // 3)
            door.process.kill()
            door.process.communicate()
            door.process = door.start()
            door.ready()
            restarted = time.time()
            longest = 0.0
            while (oldest := _oldest_that_waits(world)) is not None or not all(s.done() for s in sent):
                longest = max(longest, time.time() - max(oldest or time.time(), restarted))
                assert time.time() - restarted < 300
                time.sleep(0.02)
            assert all(s.result() for s in sent)
        world.wait_until(lambda: world.state()["stories"] >= count, 300 + count / 20)
        print(
            f"{len(wanted)} deliveries of {count} issues: the longest wait for a turn after the restart "
            f"{longest:.2f} s, all stories {time.time() - restarted:.1f} s after it"
        )
        found = sorted(s["external_id"] for s in world.listed("stories"))
        assert found == sorted(f"story:{REPO}#{n}" for n in range(1, count + 1))
        world.assert_once()
        if "SWITCHYARD_TEST_DELIVERIES" in os.environ:
            assert longest < 5, "with the machine to itself"


def _oldest_that_waits(world: World) -> float | None:
    """When the oldest delivery came that nothing was made of yet."""
    with world.reading() as connection:
        return inbox.depth(connection)[1]

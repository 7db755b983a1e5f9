"""`serve` on the tour: webhooks and Slack come in, the API is asked for everything."""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from tests.golden import stored
from tests.golden.setting import GADGETS, OWN_FILE, SECRET, WIDGETS, bug
from tests.started import begun
from tests.world import World

if TYPE_CHECKING:
    from tests.golden.tour import Tour

_SERVING = re.compile(r"switchyard serving on (http://\S+)\n")
ADMIN = {"authorization": f"Bearer {SECRET}"}


@contextmanager
def serving(world: World) -> Iterator[Path]:
    """A `serve` process that may not have started yet, and that ends in good order; where its log is."""
    # A run is at work long enough to be seen.
    world.set("scaling.batch_size", "1")
    world.set("scaling.parallel_workers", "1")
    process, _, log = begun(("serve", "--port", "0"), world.folder, world.environment, ".serve")
    try:
        yield log
        process.terminate()
        process.join(20)
        assert process.exitcode == 0 and "Traceback" not in log.read_text(), log.read_text()
    finally:
        if process.is_alive():
            process.kill()
        process.join()
        process.close()


def visit(world: World, tour: "Tour", log: Path) -> None:
    """All that `serve` is asked and told; an alert of the runs before is still open."""
    world.wait_until(lambda: log.exists() and _SERVING.search(log.read_text()))
    found = _SERVING.search(log.read_text())
    assert found is not None
    with httpx.Client(base_url=found[1], timeout=20, headers=ADMIN) as http:
        guest = Guest(world, tour, http)
        guest.waits(lambda: len(guest.ask("GET /readyz")["integrations"]) >= 4)
        guest.look()
        guest.mend_the_queue()
        guest.send_webhooks()
        guest.use_slack()
        guest.steer_a_run()
        guest.waits(guest.is_idle)
        guest.look()


class Guest:
    """Somebody with the admin's token, and the services that call `serve`."""

    def __init__(self, world: World, tour: "Tour", http: httpx.Client) -> None:
        self.world, self.tour, self.http = world, tour, http

    def waits(self, true: Callable[[], Any]) -> None:
        self.world.wait_until(true, 30)

    def ask(self, what: str, path: str = "", *, status: int | tuple[int, ...] = 200, **options: Any) -> Any:
        """Send a request, keep its answer under method and path; `path` has the real values."""
        method, _, template = what.partition(" ")
        answer = self.http.request(method, path or template, **options)
        wanted = (status,) if isinstance(status, int) else status
        assert answer.status_code in wanted, f"{what} {path}: {answer.status_code} {answer.text[:300]}"
        name = what if answer.is_success else f"{what} {answer.status_code}"
        self.tour.answers[name].append(answer.json())
        return answer.json()

    def look(self) -> None:
        """All that is only read."""
        self.ask("GET /healthz")
        self.ask("GET /readyz")
        self.ask("GET /api/v1/status")
        self.ask("GET /api/v1/queue")
        self.ask("GET /api/v1/audit")
        latest = self.ask("GET /api/v1/runs")["runs"][0]["run_id"]
        self.ask("GET /api/v1/runs/{run_id}", f"/api/v1/runs/{latest}")
        self.ask("GET /api/v1/runs/{run_id}", "/api/v1/runs/none", status=404)
        self.ask("GET /api/v1/runs", "/api/v1/runs?limit=x", status=400)
        self.ask("POST /api/v1/queue/retry", status=401, headers={"authorization": "Bearer other"})
        self.ask("GET /nothing", status=404)
        self.tour.metrics.append(self.http.get("/metrics").text)

    def mend_the_queue(self) -> None:
        """Retry and discard what is dead; one key is of no command."""
        dead = self.ask("GET /api/v1/queue")["dead"]
        name = "/api/v1/queue/{key}/{wanted}"
        for target, wanted in (("github", "retry"), ("webhook", "discard")):
            key = next(item["key"] for item in dead if item["target"] == target)
            self.ask(f"POST {name}", f"/api/v1/queue/{quote(key, safe='')}/{wanted}")
        self.ask("POST /api/v1/queue/retry")
        self.ask(f"POST {name}", "/api/v1/queue/story:none/discard", status=404)
        self.ask("POST /webhooks/github", content=b"{}", status=401)

    def deliver(self, event: str, name: str, **payload: Any) -> None:
        """One signed delivery of GitHub's."""
        repository = {"full_name": WIDGETS, "default_branch": "main"}
        body = json.dumps({"repository": repository, "sender": {"login": "ann"}} | payload).encode()
        headers = {
            "content-type": "application/json",
            "x-github-event": event,
            "x-github-delivery": name,
            "x-hub-signature-256": f"sha256={_signature(body)}",
        }
        self.ask("POST /webhooks/github", content=body, headers=headers, status=(200, 202))

    def open_issue(self, number: int, title: str) -> dict[str, Any]:
        """Somebody opens an issue; returns it as GitHub's events have it."""
        made = bug(number, title)
        self.world.control(issue=made)
        address = f"https://github.com/{WIDGETS}/issues/{number}"
        names = ("number", "title", "body", "labels", "created_at", "updated_at")
        issue = {name: made[name] for name in names}
        issue |= {"state": "open", "user": {"login": "ann"}, "html_url": address}
        self.deliver("issues", f"opened-{number}", action="opened", issue=issue)
        return issue

    def send_webhooks(self) -> None:
        """Issues, a comment with a command, a push, a star, and a story that somebody moved."""
        self.open_issue(15, "How do I use that?")
        self.open_issue(16, "SQL injection in the list")
        issue = self.open_issue(14, "Crash in the door")
        self.deliver("star", "d-2", action="created")
        push = {"added": [], "modified": [*OWN_FILE], "removed": []}
        gadgets = {"full_name": GADGETS, "default_branch": "main"}
        self.deliver("push", "d-3", ref="refs/heads/main", commits=[push], repository=gadgets)
        self.waits(lambda: self.story(14))
        self.world.control(account={"login": "ann", "permission": "triage"})
        written = self.world.http.post(
            f"/repos/{WIDGETS}/issues/14/comments",
            json={"body": "/triage route feature"},
            headers={"authorization": "token sandbox"},
        ).json()
        comment = {"id": written["id"], "body": written["body"], "user": {"login": "ann", "type": "User"}}
        self.deliver("issue_comment", "d-4", action="created", issue=issue, comment=comment)
        self.waits(lambda: self.story(14)["story_type"] == "feature")
        self.move_a_story()

    def story(self, number: int) -> Any:
        """The story of an issue; None where there is none."""
        wanted = f"story:{WIDGETS}#{number}"
        return next((s for s in self.world.listed("stories") if s["external_id"] == wanted), None)

    def move_a_story(self) -> None:
        """Somebody finishes a story; its issue shows it."""
        story = self.story(1)
        headers = {"shortcut-token": "sandbox"}
        states = self.world.http.get("/api/v3/workflows", headers=headers).json()[0]["states"]
        done = next(state["id"] for state in states if state["type"] == "done")
        path = f"/api/v3/stories/{story['id']}"
        self.world.http.put(path, json={"workflow_state_id": done}, headers=headers)
        action = {"id": story["id"], "entity_type": "story", "action": "update"}
        body = json.dumps({"id": "sc-1", "actions": [action]}).encode()
        sent = {"content-type": "application/json", "payload-signature": _signature(body)}
        self.ask("POST /webhooks/shortcut", content=body, headers=sent, status=(200, 202))
        self.waits(lambda: "reflect:" in json.dumps(self.ask("GET /api/v1/audit")))

    def message(self, words: str) -> Any:
        """The Slack message with these words; None where there is none."""
        return next((m for m in self.world.listed("messages") if words in m["text"]), None)

    def use_slack(self) -> None:
        """Somebody types, presses and opens the home tab."""
        to = str(self.http.base_url.join("/slack/events"))
        for text in ("help", "status", f"why {WIDGETS}#1", "mute 2h", "unmute"):
            self.world.control(slash={"text": text, "channel": "#triage", "user": "sam"}, to=to)
        self.waits(lambda: self.message("#15 needs a person") and self.message("#16"))
        self.tour.messages += self.world.listed("messages")
        asked = self.message("#15 needs a person")
        where = {"channel": asked["channel"], "ts": asked["ts"], "user": "sam"}
        self.world.control(press=where | {"action_id": "switchyard:why"}, to=to)
        self.world.control(home={"user": "sam"}, to=to)
        self.waits(lambda: self.world.listed("homes"))

    def steer_a_run(self) -> None:
        """Start a run, see it at work, pause it, let it go on, cancel it."""
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        self.world.control(issues=[bug(number, updated_at=now) for number in range(20, 26)])
        self.world.control(latency_ms=300)
        run_id = self.ask("POST /api/v1/runs", status=202)["run_id"]
        self.ask("POST /api/v1/runs", status=409)
        template, path = "/api/v1/runs/{run_id}", f"/api/v1/runs/{run_id}"

        def is_shown() -> bool:
            answer = self.http.get(path).json()
            is_whole = "estimated_end" in answer.get("progress", {})
            if is_whole:
                self.tour.answers[f"GET {template}"].append(answer)
            return is_whole

        self.waits(is_shown)
        self.sees("batches.state: claimed")
        self.sees("runs.status: running")
        for wanted in ("pause", "resume", "pause", "cancel"):
            self.ask(f"POST {template}/{{wanted}}", f"{path}/{wanted}")
            if wanted == "pause":
                self.sees("runs.status: paused")
        self.ask(f"POST {template}/{{wanted}}", f"{path}/turn", status=404)
        self.world.control(latency_ms=0)

    def sees(self, word: str) -> None:
        """Wait for a word in the database that does not stay there."""
        self.waits(lambda: word in stored.words(self.tour.database))
        self.tour.words.add(word)

    def is_idle(self) -> bool:
        """Is nothing waiting that could go out?"""
        status = self.http.get("/api/v1/status").json()
        due = (row for row in status["queue"] if row["pending"] and not row["waits_because"])
        return not status["inbox"]["waiting"] and not any(due)


def _signature(body: bytes) -> str:
    return hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()

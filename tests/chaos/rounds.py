"""One round of chaos: a world, a seeded number of SIGKILLs and faults, then one run to the end."""

import random
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.world import World

ISSUES = 120
FAULTS: tuple[dict[str, Any], ...] = (
    {"service": "shortcut", "match": "POST /api/v3/stories/bulk", "fault": "drop_after", "rate": 0.3},
    {"service": "github", "match": "POST /repos/.*", "fault": "drop_after", "rate": 0.1},
    {"service": "github", "match": "POST /repos/.*", "fault": "status", "status": 502, "rate": 0.2},
    {"service": "shortcut", "fault": "status", "status": 503, "rate": 0.2},
    {"service": "github", "match": "GET /repos/.*/issues", "fault": "truncate", "rate": 0.2},
)


@dataclass(frozen=True)
class Round:
    """What one round came to."""

    kills: int
    lost: int
    doubled: int
    status: str


def play(seed: int, kills: int, *, faults: bool) -> Round:
    """Kill the program `kills` times at random moments, heal the services, and let it finish."""
    chance = random.Random(seed)
    folder = Path(tempfile.mkdtemp(prefix="switchyard-chaos-"))
    issues = [_issue(number) for number in range(1, ISSUES + 1)]
    try:
        with World(folder, issues, latency_ms=chance.choice((5, 30, 80))) as world:
            world.route_all("bug")
            world.set("scaling.batch_size", str(chance.choice((5, 20, 60))))
            world.set("integrations.github.comment", "always")
            world.set("integrations.github.timeout", "2s")
            world.set("integrations.shortcut.timeout", "2s")
            world.set("resilience.circuit_breaker.reset_timeout_seconds", "1s")
            if faults:
                for fault in chance.sample(FAULTS, 2):
                    world.control(**fault, seed=seed)
            done = sum(world.kill_after(chance.uniform(0.6, 1.8), "run") for _ in range(kills))
            world.control(reset="faults")
            world.run("run", "--json")
            world.run("queue", "drain", "--json")
            status = world.run("run", "--json").json["status"]
            return _count(world, done, status)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _count(world: World, kills: int, status: str) -> Round:
    state = world.state()
    stories = [story["external_id"] for story in world.listed("stories")]
    wanted = {f"story:octo/widgets#{number}" for number in range(1, ISSUES + 1)}
    lost = len(wanted - set(stories)) + (ISSUES - state["issues_labelled"])
    commented = ISSUES - state["comments"] + len(state["issues_with_repeated_comments"])
    doubled = len(stories) - len(set(stories)) + len(state["issues_with_repeated_comments"])
    return Round(kills, lost + max(0, commented), doubled, status)


def _issue(number: int) -> dict[str, Any]:
    return {
        "repo": "octo/widgets",
        "number": number,
        "title": f"Saving file number {number} fails",
        "body": "It fails with an error each time.",
        "author": "ann",
        "author_association": "NONE",
        "labels": [],
        "created_at": "2026-10-01T10:00:00Z",
        "updated_at": "2026-10-02T10:00:00Z",
        "comments": 0,
        "reactions": 0,
        "pull_request": False,
        "state": "open",
        "assignees": [],
    }

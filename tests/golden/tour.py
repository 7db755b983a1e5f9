"""One way through the whole program against one sandbox, and what it said on the way.

It meets what people meet: runs that end well, wait, fail in part or are refused, dead letters, an alert, people's
decisions, trainings, and `serve` with webhooks, Slack and the API.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.golden import stored
from tests.golden.setting import GADGETS, ISSUES, WIDGETS, bug, configure
from tests.golden.visit import serving, visit
from tests.smtp import post
from tests.world import World

Documents = dict[str, list[Any]]
LISTS = [
    "comments",
    "homes",
    "labels",
    "messages",
    "pages",
    "prompts",
    "replies",
    "requests",
    "stories",
    "webhooks",
]
"""What the sandbox lists, and the tour leads to."""


@dataclass
class Tour:
    """What was said: documents by command or by HTTP method and path, and what lies in the services and tables."""

    commands: Documents = field(default_factory=lambda: defaultdict(list))
    answers: Documents = field(default_factory=lambda: defaultdict(list))
    metrics: list[str] = field(default_factory=list)
    messages: list[Any] = field(default_factory=list)
    """Of Slack, as they stood at several times: they are edited."""
    words: set[str] = field(default_factory=set)
    database: Path = Path()
    listed: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)


def travel(folder: Path) -> Tour:
    """Go the whole way."""
    tour = Tour()
    with post() as mails, World(folder, ISSUES) as world:
        configure(world, mails.port)
        tour.database = folder / "var" / "switchyard.db"
        _run_well(world, tour)
        _people(world, tour)
        _run_badly(world, tour)
        with serving(world) as served:
            # It takes its time to start.
            _router(world, tour, folder)
            visit(world, tour, served)
        tour.words |= set(stored.words(tour.database))
        tour.listed = {what: world.listed(what) for what in LISTS}
        world.control(service="osv", fault="status", times=1)
        tour.state = world.state()
        world.assert_contracts()
        world.assert_once()
    return tour


def _ask(world: World, tour: Tour, command: str, *arguments: str, code: int = 0) -> Any:
    """Run a command with --json, keep its document under the command's name."""
    done = world.run(*command.split(), *arguments, "--json")
    assert done.code == code, f"{command} {arguments}: {done.code}\n{done.out}\n{done.err}"
    tour.commands[command].append(done.json)
    return done.json


def _run_well(world: World, tour: Tour) -> None:
    """Runs that do what they can, and one that waits for a budget."""
    _ask(world, tour, "doctor")
    _ask(world, tour, "run --dry-run", code=1)
    assert _ask(world, tour, "run", code=1)["status"] == "partial", "one node fails on purpose"
    tour.messages += world.listed("messages")

    world.control(service="shortcut", fault="status", status=429, retry_after=600)
    world.control(issue=bug(11))
    assert _ask(world, tour, "run", "--issue", f"{WIDGETS}#11", "--wait", "1s")["status"] == "paused"
    tour.words |= set(stored.words(tour.database))
    world.control(reset="faults")


def _run_badly(world: World, tour: Tour) -> None:
    """A run that services fail in several ways, what is left of it, and a run that is refused."""
    world.control(service="github", fault="status", status=422, match=r"POST /repos/.*/issues/12/labels")
    world.control(service="slack", fault="status", status=503)
    world.control(service="notion", fault="status", status=401)
    world.control(issues=[bug(12), bug(13, "The docs lack a page on trays")])
    refs = ("--issue", f"{WIDGETS}#12", "--issue", f"{WIDGETS}#13")
    report = _ask(world, tour, "run", *refs, "--wait", "2s", code=1)
    assert report["status"] == "partial" and report["problems"], report
    tour.words |= set(stored.words(tour.database))
    world.control(service="slack", fault="none")
    world.control(service="notion", fault="none")
    # Nobody waits for the budget's ten minutes here.
    assert world.run("queue", "retry", f"story:{WIDGETS}#11").code == 0
    _ask(world, tour, "queue drain", "--wait", "5s", code=1)
    left = _ask(world, tour, "queue list")
    assert left["pending"] and any(item["target"] == "github" for item in left["dead"]), left
    world.control(reset="faults")

    token = world.environment["GITHUB_TOKEN"]
    world.environment["GITHUB_TOKEN"] = "bad"
    assert _ask(world, tour, "run", "--wait", "1s", code=1)["status"] == "failed"
    world.environment["GITHUB_TOKEN"] = token


def _people(world: World, tour: Tour) -> None:
    """What people ask and decide from the command line."""
    _ask(world, tour, "issue why", f"{WIDGETS}#1")
    _ask(world, tour, "issue route", f"{WIDGETS}#5", "bug")
    _ask(world, tour, "issue retry", f"{WIDGETS}#2")
    _ask(world, tour, "issue ignore", f"{WIDGETS}#3")
    _ask(world, tour, "audit")
    newest = _ask(world, tour, "runs list")["runs"][0]["run_id"]
    _ask(world, tour, "runs show", newest)
    tour.words |= set(stored.words(tour.database))
    _ask(world, tour, "subflows list")
    _ask(world, tour, "subflows show", "bug")
    _ask(world, tour, "hooks", GADGETS)


def _router(world: World, tour: Tour, folder: Path) -> None:
    """A model's life, from labelled issues to the way back."""
    stored.add_a_week(tour.database)
    issues = folder / "issues.csv"
    with issues.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("repo", "created_at", "label", "title", "body"))
        writer.writerows(_labelled())
    card = _ask(world, tour, "router train", "--csv", str(issues))
    _ask(world, tour, "router evaluate", "--csv", str(issues))
    predicted = folder / "out.csv"
    _ask(world, tour, "router predict", "--csv", str(issues), "--output", str(predicted))
    columns = predicted.read_text().split("\n")[0].split(",")
    tour.commands["router predict"].append({f"(CSV) {column}": "" for column in columns})
    _ask(world, tour, "router explain", "--title", "It crashes", "--repo", WIDGETS)
    _ask(world, tour, "router list")
    _ask(world, tour, "router drift")
    _ask(world, tour, "router promote", str(card["version"]), "--force")
    _ask(world, tour, "router rollback")


def _labelled() -> Iterator[tuple[str, ...]]:
    """Labelled issues, enough for a training."""
    words = {
        "bug": "{} crashes with an error since the update",
        "feature": "please add a way to sort {}",
        "docs": "typo in the documentation of {}",
        "question": "how do I configure {}?",
        "security": "SQL injection in {}",
    }
    for number in range(120):
        label = list(words)[number % len(words)]
        title = words[label].format(f"part {number % 7} of tray {number % 11}")
        at = f"2026-0{1 + number % 9}-03T08:00:00Z"
        yield f"octo/{'ab'[number % 2]}", at, label, title, f"Seen {number} times."

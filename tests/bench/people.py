"""What people in Slack wait for: answers beside a nightly run, how much they are told, how soon a correction holds."""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.bench.intake import Row, _begin_run, _ended, _new, sandbox, serving

PEOPLE = {
    "SWITCHYARD__ROUTER__RULES": json.dumps([{"route": "needs_human", "pattern": "(?s).*", "name": "all"}])
}
PACE = 10.0
"""Interactions a second: more than a team's hands can do."""


def rows(folder: Path, *, short: bool) -> Iterator[Row]:
    """(figure, wanted, measured): one run in which every issue needs a person, with people at work beside it."""
    issues, seconds = (300, 5) if short else (2_000, 20)
    with sandbox(folder, issues) as (slack, env), serving(_new(folder), env | PEOPLE) as served:
        with httpx.Client(base_url=f"http://127.0.0.1:{served.port}", timeout=30) as door:
            begun = _begin_run(served)
            waits = _talk(slack, door, int(seconds * PACE))
            ended = _ended(served, begun)
            messages = slack.get("/_control/messages", params={"limit": 10_000}).json()
            moved = [_correct(slack, door, message) for message in _cases(messages)[:10]]
    cuts = statistics.quantiles(waits, n=100, method="inclusive")
    yield (
        f"Slack interactions at {PACE:.0f}/s beside a run, answered",
        "p99 ≤ 300 ms",
        f"p50 {cuts[49] * 1e3:.0f}, p99 {cuts[98] * 1e3:.0f} ms; run: {ended}",
    )
    yield (
        f"messages of a run of {issues:,} issues that all need a person",
        "≤ 21, 0 twice",
        f"{len(messages)}, {len(messages) - len({m['text'] for m in messages})} twice",
    )
    yield (
        "a correction is on the story",
        "≤ 5 s",
        f"{max(moved):.2f} s at most, {statistics.median(moved):.2f} s at the median",
    )


def _talk(slack: httpx.Client, door: httpx.Client, count: int) -> list[float]:
    """Seconds from when each interaction was due to its answer: commands that ask, and opened home tabs."""
    waits, begin = [], time.monotonic()
    for number in range(count):
        what: dict[str, Any] = (
            {"slash": {"text": ("status", "queue")[number % 2], "channel": "#triage", "user": "sam"}}
            if number % 3
            else {"home": {"user": "sam"}}
        )
        request = slack.post("/_control", json=what).raise_for_status().json()["request"]
        due = begin + number / PACE
        time.sleep(max(0.0, due - time.monotonic()))
        door.post("/slack/events", content=request["body"], headers=request["headers"]).raise_for_status()
        waits.append(time.monotonic() - due)
    return waits


def _cases(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [message for message in messages if "needs a person" in message["text"]]


def _correct(slack: httpx.Client, door: httpx.Client, message: dict[str, Any]) -> float:
    """Seconds from a press to the story that it asks for."""
    ref = message["text"].split(" needs a person")[0]
    press = {"channel": message["channel"], "ts": message["ts"], "user": "sam"}
    press |= {"action_id": "switchyard:other", "value": "feature"}
    request = slack.post("/_control", json={"press": press}).raise_for_status().json()["request"]
    begin = time.monotonic()
    door.post("/slack/events", content=request["body"], headers=request["headers"]).raise_for_status()
    while time.monotonic() < begin + 30:
        stories = slack.get("/_control/stories", params={"limit": 10_000}).json()
        if any(s["external_id"] == f"story:{ref}" and s["story_type"] == "feature" for s in stories):
            break
        time.sleep(0.05)
    return time.monotonic() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="fewer issues")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        for figure, wanted, measured in rows(Path(name), short=options.short):
            print(f"{figure:60}{wanted:18}{measured}", flush=True)


if __name__ == "__main__":
    main()

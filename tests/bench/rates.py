"""How near a run comes to the services' limits, and what it sends while one of them is down or fails now and then.

The sandbox enforces the real limits on a clock that runs `scale` times faster; the program's own limits are
scaled alike. `python -m tests.bench.rates --write` puts the table into docs/rates.md.
"""

import argparse
import math
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.world import World

PAGE = Path(__file__).parents[2] / "docs" / "rates.md"
START, END = "<!-- table: rates -->", "<!-- end of the table -->"
Row = tuple[str, str, str]
"""A figure, what is wanted of it, and what was measured."""

CONTENT = ((80, 60.0), (500, 3600.0))
POINTS = (900, 60.0)
PRIMARY = (5000, 3600.0)
SHORTCUT = (199, 60.0)
"""The 200th request in a minute is the one that is refused."""
SLACK = (1, 1.0)
READ, WRITE = 1, 5
HALF_HOUR = 1800.0
WINDOW = 60.0
"""Seconds after which a breaker probes, by default."""


def floor(count: int, *limits: tuple[int, float]) -> float:
    """Seconds from the first to the last of so many units, where each window takes so many of them.

    The k-th goes when the one `limit` places before it has left the window, in every window.
    """
    times: list[float] = []
    for k in range(count):
        times.append(
            max((times[k - limit] + seconds for limit, seconds in limits if k >= limit), default=0.0)
        )
    return times[-1] if times else 0.0


@dataclass(frozen=True)
class Floor:
    """The least time that each limit leaves to a run, in real seconds; the greatest of them binds."""

    parts: dict[str, float]

    @property
    def seconds(self) -> float:
        return max(self.parts.values())

    @property
    def words(self) -> str:
        return ", ".join(f"{name} {seconds:.0f} s" for name, seconds in self.parts.items())


def floor_of(state: dict[str, Any]) -> Floor:
    """From the requests that a run cannot do without: those that it made, none having been refused."""
    routes = state["requests"]["github"]["by_route"]
    reads = sum(count for route, count in routes.items() if route.startswith("GET"))
    writes = sum(routes.values()) - reads
    content = sum(count for route, count in routes.items() if route.endswith("/comments"))
    posts = max(state["messages_by_channel"].values(), default=0)
    return Floor(
        {
            "content": floor(content, *CONTENT),
            "points": floor(READ * reads + WRITE * writes, POINTS),
            "primary": floor(reads + writes, PRIMARY),
            "Shortcut": floor(state["requests"]["shortcut"]["count"], SHORTCUT),
            "Slack": floor(posts, SLACK),
        }
    )


@contextmanager
def world(count: int, comment: str, **options: Any) -> Iterator[World]:
    """So many issues, each of which becomes a bug with a label and, maybe, a comment."""
    issues = [
        {
            "repo": "octo/widgets",
            "number": number,
            "title": f"Saving file number {number} fails",
            "body": "It fails with an error each time.",
        }
        for number in range(1, count + 1)
    ]
    with tempfile.TemporaryDirectory() as folder, World(Path(folder), issues, anew=True, **options) as made:
        made.route_all("bug")
        made.set("integrations.github.comment", comment)
        yield made


def limited(count: int, comment: str, scale: float, wanted: str = "≤ 1.05 × the floor") -> Iterator[Row]:
    """A run under all limits at once."""
    with world(count, comment, enforce_rate_limits=True, time_scale=scale) as made:
        for key, (units, seconds) in {
            "github.rate_limit": PRIMARY,
            "github.content_rate_limit": CONTENT[0],
            "github.content_hour_limit": CONTENT[1],
            "github.points_rate_limit": POINTS,
            "shortcut.rate_limit": (200, 60.0),
            "slack.rate_limit": SLACK,
        }.items():
            made.set(f"integrations.{key}", f"{units}/{seconds / scale:.4f}s")
        report = made.run("run", "--json", "--wait", "1500s", timeout=1500).json
        state = made.state()
        times = [entry["time"] for entry in made.listed("requests")]
    least = floor_of(state)
    taken = (max(times) - min(times)) * scale
    what = f"{count:,} issues, {'label and comment' if comment == 'always' else 'label'} on each"
    refused = sum(state["rate_limited"].values())
    yield (
        what,
        wanted,
        f"{taken / least.seconds:.3f} × ({taken:.0f} s; the floor: {least.seconds:.0f} s)",
    )
    yield "  the floors of the limits", "", least.words
    yield "  refusals (429, secondary 403)", "0", str(refused)
    routes = state["requests"]["github"]["by_route"]
    reads = sum(found for route, found in routes.items() if route.startswith("GET"))
    writes = sum(routes.values()) - reads
    yield (
        "  requests: GitHub reads, writes; Shortcut; Slack",
        "",
        (
            f"{reads}, {writes}; {state['requests']['shortcut']['count']}; {state['requests']['slack']['count']}"
        ),
    )
    yield "  status, scale", "completed", f"{report['status']}, {scale:g} ×"


def outage(count: int, scale: float) -> Iterator[Row]:
    """Shortcut is down for half an hour under `serve`."""
    down, window, threshold, flying = HALF_HOUR / scale, WINDOW / scale, 5, 10
    with world(count, "always") as made:
        made.set("integrations.github.link_story", "true")
        made.set("resilience.circuit_breaker.reset_timeout_seconds", f"{window}s")
        made.set("resilience.circuit_breaker.failure_threshold", str(threshold))
        made.set("scaling.requests_in_flight", str(flying))
        made.set("monitoring.health_check_interval", f"{30 / scale}s")
        made.environment["SWITCHYARD_ADMIN_TOKEN"] = "bench"
        made.control(service="shortcut", fault="status", status=503)
        log = made.folder / "serve.log"
        with log.open("w") as words, serving(made, words) as address:
            answer = httpx.post(f"{address(log)}/api/v1/runs", headers={"authorization": "Bearer bench"})
            assert answer.status_code == 202, answer.text
            made.wait_until(lambda: _asked(made) >= threshold)
            time.sleep(0.3)
            tripping = _asked(made)
            time.sleep(down)
            during = _asked(made) - tripping
            labelled = made.state()["issues_labelled"]
            made.control(reset="faults")
            back = time.monotonic()
            made.wait_until(lambda: made.state()["stories"] >= count, 60 + window)
            delivered = time.monotonic() - back
            made.wait_until(lambda: made.state()["comments"] >= count, 60 + window)
        urls = {story["external_id"].split("#")[1]: story["app_url"] for story in made.listed("stories")}
        linked = sum(f"({urls[str(c['number'])]})" in c["body"] for c in made.listed("comments"))
        doubled = made.state()["duplicates"]
    allowed = math.ceil(down / window)
    yield (
        f"Shortcut down for 30 min, {count} issues: requests that trip the breaker",
        (f"≤ {threshold} + {flying - 1} in flight"),
        str(tripping),
    )
    yield "  requests during the outage", f"≤ {allowed}, one a window", str(during)
    yield "  issues labelled meanwhile", f"{count}", str(labelled)
    yield (
        "  all stories there after it is back",
        f"≤ {WINDOW:.0f} s, one window",
        (f"{delivered * scale:.0f} s ({delivered:.1f} s on this clock)"),
    )
    yield "  comments that carry their story's link", f"{count}", str(linked)
    yield "  doubled, scale", "0", f"{doubled}, {scale:g} ×"


def _asked(made: World) -> int:
    return int(made.state()["requests"]["shortcut"]["count"])


@contextmanager
def serving(made: World, words: Any) -> Iterator[Any]:
    """`serve` on a free port; its address comes with its log."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "serve", "--port", "0"],
        cwd=made.folder,
        env=made.environment | {"PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=words,
        stderr=subprocess.STDOUT,
    )

    def address(log: Path) -> str:
        found: list[str] = []
        made.wait_until(lambda: found.extend(re.findall(r"serving on (\S+)", log.read_text())) or found)
        return found[0]

    try:
        yield address
    finally:
        process.terminate()
        process.wait(20)


def faulty(count: int, rate: float = 0.2) -> Iterator[Row]:
    """A fifth of all writes fails: half with 502, half cut off after their effect."""
    with world(count, "always") as made:
        made.set("resilience.circuit_breaker.reset_timeout_seconds", "2s")
        made.set("resilience.retry.initial_delay", "1s")
        matches = {
            "github": ("POST /repos/.*", "PATCH /repos/.*"),
            "shortcut": ("POST /api/v3/stories/bulk",),
            "slack": ("POST /api/chat.postMessage",),
        }
        for service, paths in matches.items():
            for seed, match in enumerate(paths):
                # The first fault that fits a request takes it: the second one's share is of what is left.
                for fault, share in (("drop_after", rate / 2 / (1 - rate / 2)), ("status", rate / 2)):
                    made.control(
                        service=service, match=match, fault=fault, status=502, rate=share, seed=seed + 7
                    )
        report = made.run("run", "--json", "--wait", "300s", timeout=580).json
        left = {"pending": 1, "dead": 0}
        for _ in range(10):
            left = made.run("queue", "drain", "--json").json
            if not left["pending"]:
                break
        state = made.state()
        bodies = {comment["number"] for comment in made.listed("comments")}
    stories, labelled = state["stories"], state["issues_labelled"]
    commands = 3 * count + 1
    sent = {name: part["count"] for name, part in state["requests"].items()}
    statuses = state["requests"]["github"]["by_status"]
    failed = sum(found for name, found in statuses.items() if name in ("502", "drop_after"))
    writes = sum(
        found
        for route, found in state["requests"]["github"]["by_route"].items()
        if not route.startswith("GET")
    )
    arrived = min(stories, labelled, len(bodies))
    yield (
        f"{count:,} issues, every fifth write fails: arrived",
        "100 %, dead 0",
        f"{100 * arrived / count:.1f} %, dead {left['dead']}, waiting {left['pending']}",
    )
    yield "  writes to GitHub that failed", "", f"{100 * failed / writes:.1f} %"
    yield "  requests per command, all services", "≤ 1.5", f"{sum(sent.values()) / commands:.3f}"
    yield "  requests per command, GitHub alone", "≤ 1.5", f"{sent['github'] / (2 * count):.3f}"
    yield (
        "  doubled",
        "0",
        str(
            state["duplicates"]
            + len(state["issues_with_repeated_comments"])
            + max(0, state["comments"] - count)
        ),
    )
    yield "  status, duration", "", f"{report['status']}, {report['duration_seconds']:.0f} s"


def rows(*, short: bool) -> Iterator[Row]:
    """All figures; the short ones have fewer issues on a faster clock."""
    if short:
        # A second of work counts as many on a faster clock: of a short run it is too much to judge by.
        yield from limited(120, "always", 4, "1.05 × the floor, long")
        yield from limited(400, "never", 8, "1.05 × the floor, long")
        yield from outage(60, scale=90)
        yield from faulty(150)
        return
    yield from limited(1000, "always", scale=20)
    yield from limited(1000, "never", scale=3)
    yield from outage(300, scale=20)
    yield from faulty(1000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="fewer issues on a faster clock")
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE.name}")
    options = parser.parse_args()
    lines = ["| figure | wanted | measured |", "| --- | --- | --- |"]
    for figure, wanted, measured in rows(short=options.short):
        print(f"{figure:52}{wanted:26}{measured}", flush=True)
        lines.append(
            f"| {figure.replace('  ', '– ', 1) if figure.startswith('  ') else figure} | {wanted} | {measured} |"
        )
    if options.write:
        before, _, rest = PAGE.read_text().partition(START)
        text = "\n".join(lines)
        PAGE.write_text(f"{before}{START}\n{text}\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()

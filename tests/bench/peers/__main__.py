"""Switchyard's door beside Probot's: the same signed deliveries, stored before the answer, taking turns in one run."""

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.bench.intake import APART, SERVED, Served, sandbox, send, serving
from tests.bench.sender import SECRET, Plan

HERE = Path(__file__).parent
PORT = 18475
RATE = 200.0


@dataclass
class Side:
    """One server and what was measured of it, a figure for each round."""

    name: str
    server: Served
    repo: str = APART
    event: str = "issues"
    sent: int = 0
    per_cpu: list[float] = field(default_factory=list)
    """Requests a CPU second, in a burst."""
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    """Seconds, at a steady pace."""

    def send(self, count: int, rate: float = 0.0) -> dict[str, float]:
        """Deliveries that it has not seen; all must be taken."""
        # Numbers, and so names, of its own: two sides may share a server.
        first = sum(self.name.encode()) * 1_000_000 + self.sent + 1
        found = send(Plan(self.server.port, count, self.repo, first, rate, event=self.event))
        self.sent += count
        if set(found["statuses"]) - {"200", "202"}:
            raise SystemExit(f"{self.name} answered {found['statuses']}")
        return {"p50": found["p50"], "p99": found["p99"]}

    def round(self, count: int, seconds: float) -> None:
        before = self.server.cpu()
        self.send(count)
        time.sleep(1)  # what it does with them belongs to it
        self.per_cpu.append(count / (self.server.cpu() - before))
        paced = self.send(int(RATE * seconds), RATE)
        self.p50.append(paced["p50"])
        self.p99.append(paced["p99"])


@contextmanager
def probot(folder: Path) -> Iterator[Served]:
    """Probot in a process of its own, its packages installed where they are missing."""
    if not (HERE / "node_modules" / "probot").is_dir():
        subprocess.run(
            ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"],
            cwd=HERE,
            check=True,
        )
    process = subprocess.Popen(
        ["node", "probot.mjs", str(folder / "probot.db"), str(PORT), SECRET],
        cwd=HERE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise SystemExit("Probot did not start")
        yield Served(psutil.Process(process.pid), PORT)
    finally:
        process.terminate()
        process.communicate(timeout=20)


def rows(folder: Path, *, short: bool) -> Iterator[tuple[str, str, str]]:
    """(figure, wanted, measured)."""
    rounds, count, seconds = (2, 1_500, 3.0) if short else (5, 4_000, 8.0)
    with ExitStack() as stack:
        _, env = stack.enter_context(sandbox(folder, 1))
        theirs = Side("Probot", stack.enter_context(probot(folder)))
        door = stack.enter_context(serving(Path(tempfile.mkdtemp(dir=folder)), env))
        # Nothing is made of a label's events; those of an unknown repository are stored, looked at and put away.
        ours, looked = Side("Switchyard", door, event="label"), Side("looked at", door)
        sides = [theirs, ours, looked]
        for side in sides:
            side.send(1_000)  # not counted: all have something to warm up
        for _ in range(rounds):
            for side in sides:
                side.round(count, seconds)
    with ExitStack() as stack:
        # As many as there are numbers, none of which the sandbox need know: it answers 404, and that is a story.
        _, env = stack.enter_context(sandbox(folder, 1))
        served = stack.enter_context(serving(Path(tempfile.mkdtemp(dir=folder)), env))
        busy = Side("triaged too", served, SERVED)
        busy.send(100)
        busy.round(count, seconds)
    yield (
        "requests per server CPU second, against Probot",
        "≥ 1.4 ×",
        f"{_mean(ours) / _mean(theirs):.2f} × ({_mean(ours):.0f}; {_mean(theirs):.0f})",
    )
    late = statistics.median(ours.p99) / statistics.median(theirs.p99)
    yield (
        f"p99 at {RATE:.0f}/s, against Probot's",
        "≤ 1 ×",
        f"{late:.2f} × ({_times(ours)}; {_times(theirs)})",
    )
    for side in (looked, busy):
        words = f"{_mean(side) / _mean(theirs):.2f} × ({_mean(side):.0f}); {_times(side)}"
        yield f"  where they are {side.name}", "", words


def _mean(side: Side) -> float:
    return statistics.mean(side.per_cpu)


def _times(side: Side) -> str:
    p50, p99 = (statistics.median(found) * 1e3 for found in (side.p50, side.p99))
    return f"p50 {p50:.1f}, p99 {p99:.1f} ms"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="fewer deliveries")
    options = parser.parse_args()
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        print(f"bench-peers: Probot needs {' and '.join(missing)}; install Node.js 20 or newer")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        for figure, wanted, measured in rows(Path(folder), short=options.short):
            print(f"{figure:52}{wanted:26}{measured}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

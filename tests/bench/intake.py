"""The intake's figures: what the door takes a second, beside a nightly run, and how soon a story is there."""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from bot.sandbox.server import environment, start_process
from tests.bench.process import ROOT
from tests.bench.sender import SECRET, Plan

Row = tuple[str, str, str]
SERVED = "bench/served"
"""Its events become stories."""
APART = "bench/apart"
"""Not configured: its events are stored, looked at and put away, as a bot does that only stores."""
ADMIN = "bench-admin-token-of-some-length"
FREE = {
    "SWITCHYARD__INTEGRATIONS__GITHUB__RATE_LIMIT": "10000000/hour",
    "SWITCHYARD__INTEGRATIONS__GITHUB__CONTENT_RATE_LIMIT": "1000000/minute",
    "SWITCHYARD__INTEGRATIONS__GITHUB__CONTENT_HOUR_LIMIT": "10000000/hour",
    "SWITCHYARD__INTEGRATIONS__GITHUB__POINTS_RATE_LIMIT": "10000000/minute",
    "SWITCHYARD__INTEGRATIONS__SHORTCUT__RATE_LIMIT": "1000000/minute",
    "SWITCHYARD__ROUTER__RULES": json.dumps([{"route": "bug", "pattern": "(?s).*", "name": "all"}]),
    "GITHUB_WEBHOOK_SECRET": SECRET,
    "SWITCHYARD_ADMIN_TOKEN": ADMIN,
}


@dataclass(frozen=True)
class Served:
    """A server process under watch."""

    process: psutil.Process
    port: int

    def cpu(self) -> float:
        """CPU seconds of it and its children until now."""
        total = 0.0
        for part in self._tree():
            with _gone():
                times = part.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return total

    def memory(self) -> float:
        """Its own peak resident set in MB; children that think are not counted."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1000

    def _tree(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


@contextmanager
def _gone() -> Iterator[None]:
    try:
        yield
    except psutil.NoSuchProcess:
        return


@contextmanager
def sandbox(folder: Path, count: int) -> Iterator[tuple[httpx.Client, dict[str, str]]]:
    """Stand-ins of the services that know so many issues."""
    file = folder / "served.jsonl"
    lines = (
        json.dumps(
            {"repo": SERVED, "number": n, "title": f"Saving file number {n} fails", "body": "It fails."}
        )
        for n in range(1, count + 1)
    )
    file.write_text("\n".join(lines))
    process, port = start_process(["--issues", str(file)])
    base = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=base, timeout=60) as http:
            yield http, environment(base, [SERVED]) | FREE
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def serving(folder: Path, env: Mapping[str, str], port: int = 18474) -> Iterator[Served]:
    """`serve` with a database of its own."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SWITCHYARD")}
    child = subprocess.Popen(
        [sys.executable, "-m", "bot", "serve", "--port", str(port)],
        cwd=folder,
        env=clean | {"PYTHONPATH": str(ROOT)} | env,
        stdout=subprocess.DEVNULL,
        stderr=(folder / "serve.log").open("w"),
    )
    try:
        deadline = time.monotonic() + 30
        while not _is_ready(port):
            if time.monotonic() > deadline:
                raise SystemExit("serve did not become ready within 30 s")
            time.sleep(0.05)
        yield Served(psutil.Process(child.pid), port)
    finally:
        child.terminate()
        child.wait(60)


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.HTTPError:
        return False


@contextmanager
def sending(plan: Plan) -> Iterator[subprocess.Popen[str]]:
    """The sender at work; `sent` waits for its end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.sender", json.dumps(asdict(plan))],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def send(plan: Plan) -> Any:
    """Send all, and return what the sender measured."""
    with sending(plan) as process:
        out, _ = process.communicate(timeout=600)
    if process.returncode:
        raise SystemExit("the sender failed")
    return json.loads(out)


def _new(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=folder))


def burst(folder: Path, *, short: bool) -> Iterator[Row]:
    """As many as there are, as fast as the answers come; then twice as many."""
    count = 2_000 if short else 10_000
    with sandbox(folder, count * 3) as (_, env), serving(folder, env) as served:
        first = send(Plan(served.port, count, SERVED))
        before = served.memory()
        rate = count / first["wall"]
        yield (
            f"{count:,} deliveries at once, stored and answered",
            "≥ 1000/s",
            f"{rate:.0f}/s, {_codes(first)}",
        )
        send(Plan(served.port, 2 * count, SERVED, first=count + 1))
        grown = served.memory() / before
        yield "  peak memory after twice as many more", "≤ 1.2 ×", f"{grown:.2f} × ({before:.0f} MB)"


def _codes(sent: Mapping[str, Any]) -> str:
    return ", ".join(f"{count} × {code}" for code, count in sent["statuses"].items())


def beside_a_run(folder: Path, *, short: bool) -> Iterator[Row]:
    """Answers at a steady pace while all issues of the repository are triaged by a run in the same process."""
    seconds, issues = (8, 800) if short else (25, 2_000)
    for name, repo in (("not configured", APART), ("triaged too", SERVED)):
        with sandbox(folder, issues) as (_, env), serving(_new(folder), env) as served:
            begun = _begin_run(served)
            found = send(Plan(served.port, 200 * seconds, repo, first=issues + 1, rate=200))
            ran = _ended(served, begun)
        yield (
            f"answers at 200/s beside a run, {name}",
            "p99 ≤ 100 ms",
            f"p50 {found['p50'] * 1e3:.0f}, p99 {found['p99'] * 1e3:.0f} ms, {_codes(found)}; run: {ran}",
        )


def _begin_run(served: Served) -> str:
    headers = {"authorization": f"Bearer {ADMIN}"}
    answer = httpx.post(f"http://127.0.0.1:{served.port}/api/v1/runs", headers=headers, timeout=30)
    return str(answer.raise_for_status().json()["run_id"])


def _ended(served: Served, run_id: str) -> str:
    """The run's end, in words."""
    url = f"http://127.0.0.1:{served.port}/api/v1/runs/{run_id}"
    headers = {"authorization": f"Bearer {ADMIN}"}
    for _ in range(600):
        run = httpx.get(url, headers=headers, timeout=30).json()
        if run["status"] != "running":
            return f"{run['triaged'] + run['unchanged']} issues in {run['duration_seconds']:.0f} s"
        time.sleep(0.2)
    return "the run did not end"


def until_story(folder: Path, *, short: bool) -> Iterator[Row]:
    """From when a delivery was due to when its story stood in the sandbox."""
    count = 20 * (10 if short else 40)
    with sandbox(folder, count) as (http, env), serving(folder, env) as served:
        with sending(Plan(served.port, count, SERVED, rate=20)) as process:
            # The sandbox's stories tell whole seconds only: seen here, a tenth of a second late at most.
            seen: dict[str, float] = {}
            deadline = time.monotonic() + count / 20 + 60
            while len(seen) < count and time.monotonic() < deadline:
                found = http.get("/_control/stories", params={"offset": len(seen)}).json()
                for story in found:
                    seen.setdefault(story["external_id"], time.time())
                time.sleep(0.1)
            out, _ = process.communicate(timeout=60)
    due = json.loads(out)["due"]
    waits = [seen.get(f"story:{SERVED}#{n}", math.inf) - at for n, at in enumerate(due, 1)]
    cuts = statistics.quantiles(waits, n=100, method="inclusive")
    yield (
        "delivery to story at 20/s",
        "p50 ≤ 2 s, p99 ≤ 5 s",
        f"p50 {cuts[49]:.2f} s, p99 {cuts[98]:.2f} s, {len(seen)} stories of {count}",
    )


def rows(folder: Path, *, short: bool) -> Iterator[Row]:
    """(figure, wanted, measured), one after the other as they are ready."""
    for part in (burst, beside_a_run, until_story):
        yield from part(_new(folder), short=short)


def main() -> None:
    parts = {part.__name__: part for part in (burst, beside_a_run, until_story)}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="fewer deliveries")
    parser.add_argument("--only", choices=parts, help="one of the figures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        for part in [parts[options.only]] if options.only else parts.values():
            for figure, wanted, measured in part(_new(Path(name)), short=options.short):
                print(f"{figure:52}{wanted:26}{measured}", flush=True)


if __name__ == "__main__":
    main()

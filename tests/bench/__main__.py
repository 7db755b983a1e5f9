"""Measures the program as its users run it, in processes of their own, and prints a table."""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from bot.sandbox.server import environment, load_issues, start_process
from tests.bench import analyses, flows, intake, people, rates, router, similar
from tests.bench.process import DATA, ROOT, Measured, measure

FREE = {
    "SWITCHYARD__INTEGRATIONS__GITHUB__RATE_LIMIT": "10000000/hour",
    "SWITCHYARD__INTEGRATIONS__GITHUB__CONTENT_RATE_LIMIT": "1000000/minute",
    "SWITCHYARD__INTEGRATIONS__SHORTCUT__RATE_LIMIT": "1000000/minute",
    "SWITCHYARD__INTEGRATIONS__GITHUB__COMMENT": "always",
}


@contextmanager
def sandbox(issues: Path, *arguments: str) -> Iterator[tuple[httpx.Client, dict[str, str]]]:
    process, port = start_process(["--issues", str(issues), *arguments])
    base = f"http://127.0.0.1:{port}"
    repositories = list(dict.fromkeys(str(issue["repo"]) for issue in load_issues(issues)))
    try:
        with httpx.Client(base_url=base, timeout=60) as http:
            yield http, environment(base, repositories) | FREE
    finally:
        process.terminate()
        process.wait(10)


def write_issues(path: Path, count: int) -> str:
    """Real bodies where the research data lies beside the project, else the demo's, repeated."""
    rows: list[dict[str, str]] = []
    csv.field_size_limit(10**9)
    for name in ("nlbse24", "docs"):
        file = DATA / name / "issues_train.csv"
        if file.exists():
            with file.open(encoding="utf-8", errors="replace", newline="") as lines:
                rows += [
                    {k: row.get(k) or "" for k in ("repo", "title", "body")} for row in csv.DictReader(lines)
                ]
    source = "real issues"
    if not rows:
        rows = [{k: str(i[k] or "") for k in ("repo", "title", "body")} for i in load_issues(None)]
        source = "demo issues"
    with path.open("w", encoding="utf-8", newline="") as file_out:
        writer = csv.DictWriter(file_out, ["repo", "title", "body"])
        writer.writeheader()
        for index in range(count):
            writer.writerow(rows[index % len(rows)])
    return source


def rows(folder: Path, *, short: bool) -> Iterator[tuple[str, str, str]]:
    """(figure, wanted, measured), one after the other as they are ready."""
    two, twenty, few = folder / "2000.csv", folder / "20000.csv", folder / "120.csv"
    source = write_issues(two, 2_000)
    write_issues(few, 120)
    yield "issues", "", f"{source}, {os.cpu_count()} cores, sandbox on the same"

    with sandbox(two) as (http, env):
        whole = measure(["run", "--json"], _new(folder), env)
        report, state = whole.json, http.get("/_control/state").json()
    triaged = report["triaged"]
    yield "whole run, label and comment on each", "≥ 6000 issues/min", per_minute(triaged, report)
    yield "  the same, from process start to end", "", f"{triaged / whole.wall * 60:.0f} issues/min"
    yield "  CPU per issue, without the sandbox", "", f"{whole.cpu / triaged * 1000:.1f} ms"
    yield (
        "  status, stories, doubled",
        "completed, 0 doubled",
        (f"{report['status']}, {report['stories']['created']} stories, {state['duplicates']} doubled"),
    )
    routes = state["requests"]["github"]["by_route"]
    reads = sum(count for route, count in routes.items() if route.startswith("GET"))
    sent = state["requests"]["github"]["count"]
    yield "  GitHub reads per issue", "≤ 0.02", f"{reads / triaged:.4f}"
    yield "  GitHub writes per issue", "≤ 2.02", f"{(sent - reads) / triaged:.4f}"
    yield "  Shortcut requests per issue", "≤ 0.05", f"{state['requests']['shortcut']['count'] / triaged:.4f}"
    total = sum(part["count"] for part in state["requests"].values())
    yield "  connection reuse", "≥ 99 %", f"{100 * (1 - state['connections_opened'] / total):.2f} %"
    yield "  peak memory, children counted", "", f"{whole.memory:.0f} MB"

    with sandbox(two) as (_, env):
        dry = measure(["run", "--dry-run", "--json"], _new(folder), env)
    yield "thinking only (dry run)", "≥ 12000 issues/min", per_minute(dry.json["triaged"], dry.json)
    yield "  CPU per issue", "", f"{dry.cpu / dry.json['triaged'] * 1000:.1f} ms"

    with sandbox(two, "--latency-ms", "100") as (_, env):
        slow = measure(["run", "--json"], _new(folder), env)
    yield "100 ms on every call", "≥ 5000 issues/min", per_minute(slow.json["triaged"], slow.json)
    with sandbox(few, "--latency-ms", "100") as (_, env):
        one = {
            "SWITCHYARD__SCALING__REQUESTS_IN_FLIGHT": "1",
            "SWITCHYARD__INTEGRATIONS__SHORTCUT__BULK_SIZE": "1",
        }
        single = measure(["run", "--json"], _new(folder), env | one)
    rate = slow.json["triaged"] / slow.json["duration_seconds"]
    alone = single.json["triaged"] / single.json["duration_seconds"]
    yield "  against one request at a time", "≥ 20 ×", f"{rate / alone:.1f} × ({alone * 60:.0f} issues/min)"

    if not short:
        write_issues(twenty, 20_000)
        with sandbox(twenty) as (_, env):
            big = measure(["run", "--json", "--wait", "600s"], _new(folder), env)
        yield "20,000 issues", "", f"{per_minute(big.json['triaged'], big.json)}, {big.json['status']}"
        yield (
            "  peak memory against 2,000",
            "≤ 1.05 ×",
            (f"{big.memory / whole.memory:.3f} × ({big.memory:.0f} MB)"),
        )

    empty = _new(folder)
    helped = best(lambda: measure(["--help"], empty, {}))
    yield "CPU of switchyard --help", "≤ 0.3 s", f"{helped.cpu:.2f} s"
    measure(["migrate"], empty, {})
    queue = best(lambda: measure(["queue", "list", "--json"], empty, {}))
    yield "CPU of queue list", "≤ 0.6 s", f"{queue.cpu:.2f} s"
    ready, idle = serve(empty)
    yield "serve ready", "≤ 3 s", f"{ready:.2f} s"
    yield "serve idle, over 20 s", "≤ 3 % of a core", f"{idle:.1f} %"
    yield from rates.rows(short=short)
    yield from intake.rows(_new(folder), short=short)
    yield from people.rows(_new(folder), short=short)
    yield from router.rows(_new(folder), short=short)
    yield from analyses.rows(_new(folder), short=short)
    yield from flows.rows(_new(folder), short=short)
    yield from similar.rows(_new(folder), short=short)


def best(run: Callable[[], Measured]) -> Measured:
    """The cheapest of three: other work on the machine only ever adds."""
    return min((run() for _ in range(3)), key=lambda measured: measured.cpu)


def serve(folder: Path) -> tuple[float, float]:
    """Seconds until ready, and the share of a core (in %) that an idle `serve` takes."""
    process, port = start_process([])
    base = f"http://127.0.0.1:{port}"
    env = environment(base, ["harbor-tools/keel"])
    started = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, "-m", "bot", "serve", "--port", "18473"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        ready = _until_ready("http://127.0.0.1:18473/readyz", started)
        watched = psutil.Process(child.pid)
        time.sleep(3)
        before = watched.cpu_times()
        time.sleep(20)
        after = watched.cpu_times()
        return ready, (after.user + after.system - before.user - before.system) / 20 * 100
    finally:
        for running in (child, process):
            running.terminate()
            running.wait(15)


def _until_ready(url: str, started: float) -> float:
    while time.monotonic() - started < 30:
        try:
            if httpx.get(url).status_code == 200:
                return time.monotonic() - started
        except httpx.HTTPError:
            time.sleep(0.02)
    raise SystemExit("serve did not become ready within 30 s")


def per_minute(count: int, report: dict[str, Any]) -> str:
    return f"{count / report['duration_seconds'] * 60:.0f} issues/min"


def _new(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=folder))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="leave out what takes minutes")
    options = parser.parse_args()
    print(f"{'figure':52}{'wanted':26}measured")
    with tempfile.TemporaryDirectory() as folder:
        for figure, wanted, measured in rows(Path(folder), short=options.short):
            print(f"{figure:52}{wanted:26}{measured}", flush=True)


if __name__ == "__main__":
    main()

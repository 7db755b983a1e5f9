"""Runs the program in a process of its own and measures what it took."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("SWITCHYARD_ROUTER_DATA", ROOT.parent / "shared" / "router-data"))


@dataclass(frozen=True)
class Measured:
    """One process from start to end: wall and CPU seconds, peak memory of it and its children in MB."""

    wall: float
    cpu: float
    memory: float
    out: str
    code: int

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def measure(arguments: list[str], folder: Path, extra: dict[str, str], module: str = "bot") -> Measured:
    """Run `switchyard …` (or another module) and watch its process tree five times a second."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SWITCHYARD")}
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=clean | {"PYTHONPATH": str(ROOT)} | extra,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    peak = 0.0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        me = psutil.Process(process.pid)
        while not done.wait(0.2):
            total = 0
            try:
                for part in (me, *me.children(recursive=True)):
                    total += part.memory_info().rss
            except psutil.Error:
                continue
            peak = max(peak, total / 1e6)

    thread = threading.Thread(target=watch)
    thread.start()
    before = os.times()
    out, _ = process.communicate()
    after = os.times()
    done.set()
    thread.join()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Measured(time.monotonic() - started, cpu, peak, out, process.returncode)

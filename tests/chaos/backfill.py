"""A backfill of many issues that is killed again and again: pages are not read again, memory does not grow."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from bot.sandbox.server import environment, start_process
from tests.world import ROOT

ISSUES = 50_000
SMALL = 2_000
PAGE = 100
REPO = "octo/widgets"
PAGES = "GET /repos/{owner}/{repo}/issues"
KILLS = (0.02, 0.1, 0.3, 0.6, 0.9, 0.99)
"""Shares of the pages that have been read when the program is killed."""
DELIVERY_KILLS = (0.85, 0.97)
"""Shares of the labels that are there when it is killed."""


@dataclass(frozen=True)
class Found:
    """What a backfill came to."""

    issues: int
    kills: int
    pages: int
    expected_early: int | None
    lost: int
    doubled: int
    status: str
    megabytes: float
    small_megabytes: float
    log_megabytes: float
    seconds: float

    @property
    def clean(self) -> bool:
        allowed = -(-self.issues // PAGE) + self.kills
        grows = self.megabytes / self.small_megabytes
        return not (self.lost or self.doubled) and self.pages <= allowed and grows <= 1.25

    @property
    def words(self) -> str:
        return (
            f"A backfill of {self.issues:,} issues, killed {self.kills} times: {self.status}, lost {self.lost}, "
            f"doubled {self.doubled}. Pages read: {self.pages} of {-(-self.issues // PAGE)} (a kill may repeat "
            f"the one on its way). At the first look `runs show` expected {self.expected_early or 0:,} issues. "
            f"Peak memory, children counted: {self.megabytes:.0f} MB, of a run of {SMALL:,} issues "
            f"{self.small_megabytes:.0f} MB; SQLite's log grew to {self.log_megabytes:.0f} MB. "
            f"{self.seconds / 60:.1f} minutes."
        )


class _Life:
    """One `run`, watched: its peak memory and how far it is."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bot", "run", "--json", "--wait", "3000s"],
            cwd=folder,
            env=variables,
            stdout=(folder / "out.json").open("w"),
            stderr=(folder / "err.txt").open("a"),
            start_new_session=True,
        )
        self.peak = 0.0
        self.log = 0.0

    def look(self) -> None:
        total = 0
        with suppress(psutil.Error):
            me = psutil.Process(self.process.pid)
            for part in (me, *me.children(recursive=True)):
                total += part.memory_info().rss
        self.peak = max(self.peak, total / 1e6)
        with suppress(OSError):
            self.log = max(self.log, (self.folder / "var" / "switchyard.db-wal").stat().st_size / 1e6)

    def until(self, reached: Any) -> bool:
        """False where it ended before."""
        while not reached():
            self.look()
            try:
                self.process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            return False
        return True


def play(count: int) -> Found:
    """Kill a run of so many issues at each of the moments, and let the last one finish."""
    small = _play(SMALL, (), ())
    return _play(count, KILLS, DELIVERY_KILLS, small.megabytes)


def _play(
    count: int, page_kills: tuple[float, ...], label_kills: tuple[float, ...], small: float = 1.0
) -> Found:
    folder = Path(tempfile.mkdtemp(prefix="switchyard-backfill-"))
    issues = folder / "issues.jsonl"
    with issues.open("w") as lines:
        for number in range(1, count + 1):
            lines.write(
                json.dumps({"repo": REPO, "number": number, "title": f"Saving {number} fails"}) + "\n"
            )
    sandbox, port = start_process(["--issues", str(issues)])
    started = time.monotonic()
    lives: list[_Life] = []
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as http:
            variables = _variables(http)

            def state() -> dict[str, Any]:
                return dict(http.get("/_control/state").json())

            def pages() -> int:
                return int(state()["requests"]["github"]["by_route"].get(PAGES, 0))

            def live(reached: Any) -> None:
                lives.append(_Life(folder, variables))
                if lives[-1].until(reached):
                    lives[-1].process.kill()
                lives[-1].process.wait()

            expected: int | None = None
            for share in page_kills:
                live(lambda share=share: pages() >= share * count / PAGE)
                expected = expected or _expected(folder)
            for share in label_kills:
                live(lambda share=share: state()["issues_labelled"] >= share * count)
            live(lambda: False)
            report = json.loads((folder / "out.json").read_text())
            end, read = state(), pages()
            stories = end["stories"] - end["duplicates"]
            return Found(
                issues=count,
                kills=sum(life.process.returncode == -9 for life in lives),
                pages=read,
                expected_early=expected,
                lost=max(0, count - stories) + max(0, count - end["issues_labelled"]),
                doubled=end["duplicates"],
                status=report["status"],
                megabytes=max(life.peak for life in lives),
                small_megabytes=small,
                log_megabytes=max(life.log for life in lives),
                seconds=time.monotonic() - started,
            )
    finally:
        for process in (sandbox, *(life.process for life in lives)):
            if process.poll() is None:
                process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _variables(http: httpx.Client) -> dict[str, str]:
    prefix = "SWITCHYARD__INTEGRATIONS__"
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SWITCHYARD", "GITHUB_", "SLACK_"))}
    return {
        **clean,
        **environment(str(http.base_url), [REPO]),
        "PYTHONPATH": str(ROOT),
        f"{prefix}GITHUB__RATE_LIMIT": "10000000/hour",
        f"{prefix}GITHUB__CONTENT_RATE_LIMIT": "1000000/minute",
        f"{prefix}GITHUB__COMMENT": "never",
        f"{prefix}SHORTCUT__RATE_LIMIT": "1000000/minute",
        "SWITCHYARD__ROUTER__RULES": json.dumps([{"route": "bug", "pattern": "(?s).*", "name": "all"}]),
    }


def _expected(folder: Path) -> int | None:
    """How many issues the database says there will be."""
    with closing(sqlite3.connect(folder / "var" / "switchyard.db")) as connection:
        row = connection.execute("SELECT progress FROM runs ORDER BY started_at DESC LIMIT 1").fetchone()
    return json.loads(row[0]).get("expected") if row else None

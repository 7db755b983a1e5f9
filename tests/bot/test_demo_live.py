"""The live demo as a newcomer runs it: to its end, without a browser, and interrupted."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.world import ROOT


def start(folder: Path, **more: str) -> "subprocess.Popen[str]":
    """Started where a configuration and settings lie about that are none of its business."""
    (folder / "tmp").mkdir()
    (folder / "switchyard.yaml").write_text("workflow: {nonsense: true}\n")
    variables = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(folder / "tmp"),
        "SWITCHYARD_DATABASE_URL": "sqlite:////nowhere/users.db",
        "SWITCHYARD__REPOSITORIES": "[users/own]",
        "GITHUB_TOKEN": "users-own-token",
        **more,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "bot", "demo", "--live"],
        cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def children(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def left_behind(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name not in ("tmp", "switchyard.yaml"))


@pytest.mark.slow
@pytest.mark.parametrize(("columns", "browser"), [("80", False), ("120", True)])
def test_the_live_demo_tells_the_whole_way(tmp_path: Path, columns: str, browser: bool) -> None:
    more: dict[str, Any] = {} if browser else {"PATH": str(tmp_path)}
    process = start(tmp_path, COLUMNS=columns, **more)
    out, err = process.communicate(timeout=500)
    assert (process.returncode, err) == (0, ""), out
    for words in (
        "Answered 202",
        "With a forged signature: 401",
        "harbor-tools/quayside#1300 Export forgets the cents",
        "[Feature 45%]  [Bug 38%]  [Other… ▾]  [Why]  [Snooze]  [Not for us]",
        "type feature, labels: feature",
        "type bug, labels: bug",
        "sam routed it to bug",
        "sam via slack: needs_human → feature",
        "sam via slack: feature → bug",
        "54 labelled issues and 1 correction",
        "a person is asked",
        "it is routed to bug",
        "everything is stopped",
    ):
        assert words in out, words
    (story,) = set(re.findall(r"story (\d+),", out))
    assert story and max(map(len, out.splitlines())) <= max(int(columns), len(str(tmp_path)) + 60)
    (page,) = re.findall(r"^ +(/.*slack\.html)$", out, re.MULTILINE)
    assert "Export forgets the cents" in Path(page).read_text()
    picture = Path(page).with_suffix(".png")
    assert picture.is_file() == (str(picture) in out) and (browser or not picture.is_file())
    assert left_behind(tmp_path) == []
    assert [path.name for path in (tmp_path / "tmp").iterdir() if path.name.startswith("switchyard")] == [
        Path(page).parent.name
    ]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing_running(tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path)
    deadline = time.monotonic() + 300
    while not children(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.5)
    started = children(process)
    assert started
    process.send_signal(number)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 128 + number and "Traceback" not in err
    assert not [child for child in started if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    assert left_behind(tmp_path) == []
    assert not [path for path in (tmp_path / "tmp").iterdir() if (path / "serve.log").exists()]

"""The sandbox as a process of its own, as a user starts it."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from bot.sandbox import SECRETS, drafting_environment, environment, start_process
from tests.contracts.api import ISSUES


@pytest.fixture
def issues(tmp_path: Path) -> Path:
    """A file of issues."""
    path = tmp_path / "issues.jsonl"
    path.write_text("\n".join(map(json.dumps, ISSUES)), encoding="utf-8")
    return path


def test_starts_on_a_free_port_and_ends_when_asked(issues: Path) -> None:
    process, port = start_process(["--issues", str(issues), "--latency-ms", "1"])
    try:
        state = httpx.get(f"http://127.0.0.1:{port}/_control/state").json()
        assert state["repositories"] == {"octo/widgets": 4, "octo/gadgets": 1}
        assert state["latency_ms"] == 1
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(300)
    assert process.returncode == 0


def test_says_why_it_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="did not start"):
        start_process(["--issues", str(tmp_path / "absent.csv")])


def test_prints_what_to_export(issues: Path) -> None:
    command = [sys.executable, "-m", "bot", "sandbox", "--issues", str(issues)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            base = process.stdout.readline().strip().removeprefix("sandbox listening on ")
            repositories = ["octo/widgets", "octo/gadgets"]
            wanted = environment(base, repositories) | drafting_environment(base) | SECRETS
            lines = [process.stdout.readline().strip() for _ in wanted]
            process.send_signal(signal.SIGINT)
            assert process.wait(300) == 0
        finally:
            process.kill()
    assert lines == [f"export {name}='{value}'" for name, value in wanted.items()]

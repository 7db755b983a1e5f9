"""Where `demo --live` happens: `serve` in a folder of its own, the stand-ins, and the one issue."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from bot.sandbox.server import create_app, environment, load_issues, running
from config.secrets import NAMES
from models.errors import SwitchyardError

T = TypeVar("T")

REPO = "harbor-tools/quayside"
NUMBER = 1300
REF = f"{REPO}#{NUMBER}"
TITLE = "Export forgets the cents"
BODY = (
    "Our bookkeeper needs prices with cents, the export rounds them to whole euros. "
    "Is there a setting that I missed?"
)
HISTORY = {
    "bug": (
        *(77, 82, 93, 98, 104, 108, 110, 121, 405, 411, 417, 423, 436, 444, 451, 459, 466),
        *(1187, 1201, 1210, 1218, 1220, 1229, 1237, 1240, 1244, 1245),
    ),
    "enhancement": (80, 86, 101, 117, 402, 409, 419, 432, 450, 1190, 1200, 1207, 1215, 1219, 1235),
    "documentation": (95, 120, 414, 442, 1193, 1214, 1236),
    "question": (81, 127, 435, 467, 1204, 1248),
}
"""What the maintainers in this demo said of its older issues, by label; the bundled set itself has few labels."""
PATIENCE = 45.0
"""Seconds that anything here may take; it is done within one or two where nothing is wrong."""


@dataclass(frozen=True)
class Stage:
    """The stand-ins, `serve` beside them, and what both need."""

    folder: Path
    sandbox: httpx.Client
    door: httpx.Client
    environment: Mapping[str, str]
    secret: str
    log: Path

    @classmethod
    def set_up(cls, stack: ExitStack, folder: Path) -> "Stage":
        """Everything on free ports of this machine, until the stack is closed; files go into the folder."""
        box = stack.enter_context(running(create_app(_issues())))
        repositories = list(dict.fromkeys(str(issue["repo"]) for issue in _issues()))
        secret = secrets.token_hex(16)
        own = environment(box.url, repositories) | {"GITHUB_WEBHOOK_SECRET": secret}
        variables = _clean_environment() | own
        log = folder / "serve.log"
        serve = stack.enter_context(_serve(folder, variables, log))
        address = _until(lambda: _address(log), log, serve)
        clients = (httpx.Client(base_url=base, timeout=30, trust_env=False) for base in (box.url, address))
        sandbox, door = (stack.enter_context(client) for client in clients)
        return cls(folder, sandbox, door, variables, secret, log)

    def listed(self, what: str) -> list[dict[str, Any]]:
        return list(self.sandbox.get(f"/_control/{what}").json())

    def control(self, **what: Any) -> dict[str, Any]:
        response = self.sandbox.post("/_control", json=what)
        if response.status_code != 200:
            raise SwitchyardError(f"the demo's stand-in refused: {response.text[:300]}")
        return dict(response.json())

    def does(self, **deed: Any) -> str:
        """Somebody presses or types something in Slack; how its signed request was answered, in words."""
        began = time.monotonic()
        answer = self.control(**deed, to=f"{self.door.base_url}/slack/events")
        return f"Slack's signed request was answered {answer['status']} in {milliseconds(began)}, once it was stored."

    def wait(self, found: Callable[[], T | None]) -> T:
        return _until(found, self.log)

    def message(self, words: str) -> dict[str, Any] | None:
        return next((m for m in self.listed("messages") if words in json.dumps(m)), None)

    def story(self, kind: str) -> dict[str, Any] | None:
        """The issue's story, once it has this type."""
        stories = [s for s in self.listed("stories") if s.get("external_id") == f"story:{REF}"]
        return next((s for s in stories if s["story_type"] == kind), None)

    def labels(self, wanted: str) -> list[str] | None:
        """The issue's labels on GitHub, once the wanted one is among them."""
        known = (i["labels"] for i in self.listed("labels") if (i["repo"], i["number"]) == (REPO, NUMBER))
        return next((list(names) for names in known if wanted in names), None)


def _issues() -> list[dict[str, Any]]:
    """The bundled issues, with the labels that maintainers gave them."""
    labels = {number: label for label, numbers in HISTORY.items() for number in numbers}
    return [
        {**issue, "labels": [labels[issue["number"]]]} if issue["number"] in labels else issue
        for issue in load_issues(None)
    ]


def _clean_environment() -> dict[str, str]:
    """This process's environment without what the user has set up for the real services."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SWITCHYARD") and k not in NAMES}
    root = str(Path(__file__).parents[3])
    path = os.pathsep.join(filter(None, (root, kept.get("PYTHONPATH"))))
    return kept | {"PYTHONPATH": path, "NO_PROXY": "127.0.0.1"}


@contextmanager
def _serve(folder: Path, variables: Mapping[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """`serve` on a free port, in this folder, until the block ends."""
    command = [sys.executable, "-m", "bot", "serve", "--port", "0"]
    with log.open("wb") as stream:
        # In a session of its own Ctrl-C does not reach it: it is ended here, and in good order.
        process = subprocess.Popen(  # noqa: S603 - our own program
            command, cwd=folder, env=variables, stdout=stream, stderr=stream, start_new_session=True
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        finally:
            process.kill()
            process.wait()


def _address(log: Path) -> str | None:
    found = [line for line in log.read_text(errors="replace").splitlines() if "serving on http" in line]
    return found[0].split("serving on ")[1].strip() if found else None


def _until(found: Callable[[], T | None], log: Path, process: "subprocess.Popen[bytes] | None" = None) -> T:
    """Wait for what must come; SwitchyardError with the end of serve's log where it does not."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and (process is None or process.poll() is None):
        value = found()
        if value is not None:
            return value
        time.sleep(0.05)
    lines = log.read_text(errors="replace").splitlines()[-5:]
    raise SwitchyardError("\n".join(["the demo stands still; serve's last words:", *lines]))


@contextmanager
def stopping() -> Iterator[None]:
    """Being asked to end, or left by the terminal, ends it as Ctrl-C does: with everything put away."""

    def stop(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, stop) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def milliseconds(began: float) -> str:
    return f"{(time.monotonic() - began) * 1000:.0f} ms"

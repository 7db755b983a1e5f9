"""`demo --live`: an issue's way from a webhook over a person in Slack into the router's next training."""

import hashlib
import hmac
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from bot.cli.demo.stage import BODY, NUMBER, REF, REPO, TITLE, Stage, milliseconds, stopping
from bot.report.slack_preview import Shown, as_text, message_page
from models.errors import SwitchyardError

if TYPE_CHECKING:
    from bot.store.learning import StoredCorrection
    from models.case import Prediction

BROWSERS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


@dataclass
class _Show:
    """The terminal: numbered steps, each with what came of it and how long that took."""

    console: Console
    number: int = 0
    began: float = 0.0

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        self.number += 1
        self.began = time.monotonic()
        self.console.print(f"\n{self.number}. {title}", style="bold", markup=False, highlight=False)
        # On a terminal something turns; in a pipe the line above has to do.
        with self.console.status("   …", spinner="line"):
            yield

    def say(self, *lines: str) -> None:
        for line in lines:
            self.console.print(Padding(Text(line), (0, 0, 0, 3), expand=False))

    def place(self, what: str, path: Path) -> None:
        """A path in a line of its own, however long: broken up it could not be copied."""
        self.say(what)
        self.console.print(f"   {path}", markup=False, highlight=False, soft_wrap=True)

    def took(self) -> str:
        return f"{time.monotonic() - self.began:.1f} s"


def main() -> int:
    """Show the whole way on this machine and end; nothing is left running. Returns the exit code."""
    show = _Show(Console(), began=time.monotonic())
    began = time.monotonic()
    show.console.print(
        "The whole way of one issue, with a person in between. All of it happens on this machine: "
        "GitHub, Shortcut and Slack are stand-ins, the rest is real.",
        markup=False,
        highlight=False,
    )
    with stopping(), ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="switchyard-")))
        _tell(show, _start(stack, show, folder))
    show.console.print(
        f"\nDone in {time.monotonic() - began:.0f} s; everything is stopped.\n\n"
        "Try next, with your own accounts:\n"
        "  docs/connect.md            GitHub and Shortcut, step by step\n"
        "  docs/slack.md              a Slack app of your own, from a manifest\n"
        "  switchyard run --dry-run   with GITHUB_TOKEN, --repo OWNER/NAME; only thinks",
        markup=False,
        highlight=False,
    )
    return 0


def _start(stack: ExitStack, show: _Show, folder: Path) -> Stage:
    with show.step("`switchyard serve` starts, and stand-ins of GitHub, Shortcut and Slack"):
        stage = Stage.set_up(stack, folder)
    address = str(stage.door.base_url).rstrip("/")
    show.say(f"Ready after {show.took()}: {address}, with a database of its own in a temporary folder.")
    return stage


def _tell(show: _Show, stage: Stage) -> None:
    _webhook(show, stage)
    message = _ask(show, stage)
    _press(show, stage, message)
    _correct(show, stage)
    _train(show, stage)


def _webhook(show: _Show, stage: Stage) -> None:
    with show.step("Somebody opens an issue; GitHub sends its signed webhook"):
        issue = {"repo": REPO, "number": NUMBER, "title": TITLE, "body": BODY, "author": "ann", "labels": []}
        stage.control(issue=issue)
        shown = stage.sandbox.get(f"/repos/{REPO}/issues/{NUMBER}", headers={"authorization": "Bearer demo"})
        event = {"action": "opened", "issue": shown.json(), "repository": {"full_name": REPO}}
        body = json.dumps(event).encode()
        forged = _post(stage, body, "of somebody else")
        began = time.monotonic()
        taken = _post(stage, body, stage.secret)
        if (forged, taken) != (401, 202):
            raise SwitchyardError(f"the webhook was answered {taken}, a forged one {forged}")
    show.say(
        f"{REF}: {TITLE}",
        f"Answered {taken} in {milliseconds(began)}, once it was stored. With a forged signature: {forged}.",
    )


def _post(stage: Stage, body: bytes, secret: str) -> int:
    mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "content-type": "application/json",
        "x-github-event": "issues",
        "x-github-delivery": secrets.token_hex(16),
        "x-hub-signature-256": f"sha256={mac}",
    }
    return stage.door.post("/webhooks/github", content=body, headers=headers).status_code


def _ask(show: _Show, stage: Stage) -> dict[str, Any]:
    with show.step("The router is not sure, so the bot asks in Slack"):
        message = stage.wait(lambda: stage.message(f"{REF} needs a person"))
        after = show.took()
    _print_message(show, message)
    with show.console.status("   drawing it …", spinner="line"):
        # What is to be looked at later outlives the temporary folder.
        kept = Path(tempfile.mkdtemp(prefix="switchyard-demo-"))
        page = kept / "slack.html"
        page.write_text(_page(message), encoding="utf-8")
        picture = _picture(page, stage.folder)
    show.say(f"It stood there after {after}.")
    if picture:
        show.place("As a picture:", picture)
    show.place("As a page to open in a browser:", page)
    return message


def _press(show: _Show, stage: Stage, message: Mapping[str, Any]) -> None:
    with show.step("Sam presses the first button, Feature"):
        what = {"channel": message["channel"], "ts": message["ts"], "user": "sam"}
        answered = stage.does(press={**what, "action_id": "switchyard:route:feature"})
        story = stage.wait(lambda: stage.story("feature"))
        labels = stage.wait(lambda: stage.labels("enhancement"))
        took = show.took()
    show.say(answered, f"After {took} there is a story:")
    _print_story(show, story, labels)


def _correct(show: _Show, stage: Stage) -> None:
    with show.step(f"Sam corrects it, typing /triage route {REF} bug"):
        answered = stage.does(slash={"text": f"route {REF} bug", "channel": "#triage", "user": "sam"})
        story = stage.wait(lambda: stage.story("bug"))
        labels = stage.wait(lambda: stage.labels("bug"))
        moved = show.took()
        message = stage.wait(lambda: stage.message("routed it to bug"))
    show.say(answered, f"After {moved} the same story has moved; no second one was made:")
    _print_story(show, story, labels)
    show.say("The message in Slack now reads:")
    _print_message(show, message)
    show.say("Recorded, for the audit log and for the router's next training:")
    for row in _corrections(stage.folder):
        at = datetime.fromtimestamp(row.at, UTC)
        shares = ", ".join(f"{name} {share:.0%}" for name, share in _likeliest(row.shown["probabilities"]))
        show.say(f"{at:%H:%M:%S} UTC  {row.person} via {row.via}: {row.before} → {row.after}")
        show.say(f"              shown to them: {shares}")


def _corrections(folder: Path) -> "list[StoredCorrection]":
    from bot.store.database import Database
    from bot.store.learning import stored_after

    database = Database(f"sqlite:///{folder}/var/switchyard.db")
    try:
        with database.read() as connection:
            return stored_after(connection, 0)
    finally:
        database.dispose()


def _train(show: _Show, stage: Stage) -> None:
    with show.step("`switchyard router train` learns from it"):
        store = stage.folder / "models"
        command = [sys.executable, "-m", "bot", "router", "train", "--json", "--store", str(store)]
        ended = subprocess.run(  # noqa: S603 - our own program
            command, cwd=stage.folder, env=stage.environment, capture_output=True, text=True, check=False
        )
        if ended.returncode:
            raise SwitchyardError(f"the training failed: {ended.stderr.strip()[-300:]}")
        card = json.loads(ended.stdout)
        took = show.took()
        before, after = _predict(store, str(card["version"]))
    corrected = int(card["sources"]["corrections"])
    labelled = sum(card["rows"].values()) - corrected
    corrections = "1 correction" if corrected == 1 else f"{corrected} corrections"
    show.say(
        f"{labelled} labelled issues and {corrections} in {took}. The same text, asked again:",
        f"before  {_shares(before)}",
        f"after   {_shares(after)}",
    )
    if after.route != "bug":
        raise SwitchyardError(f"the new model says {after.route}, not bug as corrected")


def _predict(root: Path, version: str) -> "tuple[Prediction, Prediction]":
    """What the shipped model and the new one say of the demo's issue."""
    from models.router.inference.predict import BUILTIN
    from models.router.inference.store import Store
    from models.router.inference.text import Text as Said

    store = Store(root)
    text = Said(REPO, TITLE, BODY)
    before, after = (store.load(name).predict([text])[0] for name in (BUILTIN, version))
    return before, after


def _shares(prediction: "Prediction") -> str:
    shares = ", ".join(f"{name} {share:.0%}" for name, share in _likeliest(prediction.probabilities))
    return (
        f"{shares}: {f'it is routed to {prediction.route}' if prediction.accepted else 'a person is asked'}"
    )


def _likeliest(shares: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(shares.items(), key=lambda item: -item[1])[:2]


def _print_message(show: _Show, message: Mapping[str, Any]) -> None:
    panel = Panel(Text(as_text(message["blocks"])), title=message["channel"], title_align="left")
    show.console.print(Padding(panel, (0, 0, 0, 3)), width=min(show.console.width, 100))


def _print_story(show: _Show, story: Mapping[str, Any], labels: Sequence[str]) -> None:
    own = [str(label["name"]) for label in story["labels"]]
    show.say(
        f"Shortcut  story {story['id']}, type {story['story_type']}, labels: {', '.join(own)}",
        f"GitHub    {REF}, labels: {', '.join(labels)}",
    )


def _page(message: Mapping[str, Any]) -> str:
    return message_page(
        f"# {str(message['channel']).lstrip('#')}", [Shown(message["blocks"], f"{_now():%H:%M}")]
    )


def _now() -> datetime:
    return datetime.now().astimezone()


def _picture(page: Path, folder: Path) -> Path | None:
    """The page as a PNG beside it, drawn by a browser of this machine; None where there is none that can."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        return None
    picture = page.with_suffix(".png")
    command = [
        browser,
        *("--headless", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1.3"),
        *("--no-first-run", f"--user-data-dir={folder / 'browser'}", "--window-size=820,300"),
        # Its own jail needs another user than root; the page is ours and has no script.
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
        *(f"--screenshot={picture}", page.as_uri()),
    ]
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(command, capture_output=True, timeout=15, check=False)  # noqa: S603 - found on the path
    return picture if picture.is_file() else None

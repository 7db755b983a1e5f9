"""`demo`: one whole triage run against the sandbox; what `make demo` runs."""

import os
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from bot.sandbox.server import environment, load_issues, start_process
from models.errors import UserFacing

FOLDER = Path("var/demo")
THRESHOLD = 0.9
"""On the demo's issues the built-in model is right from here on; the default asks a person far more often."""


def main(issues: Path | None) -> int:
    """Start the sandbox, run once, say what came of it and what to try next; returns the exit code."""
    console = Console()
    repositories = list(dict.fromkeys(str(issue["repo"]) for issue in load_issues(issues)))
    if not repositories:
        raise UserFacing(f"{issues}: no issues in it")
    console.print(
        "Starting stand-ins of GitHub, Shortcut, Slack, Notion and OSV here; nothing leaves this machine.",
        highlight=False,
    )
    arguments = ["--issues", str(issues)] if issues else []
    process, port = start_process(arguments)
    try:
        base = f"http://127.0.0.1:{port}"
        FOLDER.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            code = _run(base, repositories, folder)
            _show(console, base)
    finally:
        process.terminate()
        process.wait(10)
    console.print(
        "\nTry next:\n"
        "  switchyard demo --live      one issue from its webhook over a person in Slack into the router\n"
        "  switchyard sandbox          the stand-ins, to play with; it prints what to export\n"
        "  switchyard run --dry-run    with your own GITHUB_TOKEN and --repo OWNER/NAME: thinks, writes nothing\n"
        "  switchyard doctor           checks your configuration; README.md says how to connect real services",
        highlight=False,
    )
    return code


def _run(base: str, repositories: list[str], folder: str) -> int:
    """The same `run` as everywhere, in this process, with the sandbox's addresses in its environment."""
    from bot.cli.run import run_command
    from config.load import DEFAULT, load

    # A demo must not read, or write to, what the user has set up for the real services.
    for name in [name for name in os.environ if name.startswith("SWITCHYARD")]:
        del os.environ[name]
    os.environ.update(environment(base, repositories))
    os.environ["SWITCHYARD__ROUTER__ACCEPT_THRESHOLD"] = str(THRESHOLD)
    os.environ["SWITCHYARD__STORAGE__URL"] = f"sqlite:///{folder}/demo.db"
    return run_command(
        load(DEFAULT),
        repositories=(),
        issues=(),
        since=None,
        full=False,
        dry=False,
        wait=60.0,
        as_json=False,
        shown_examples=("security",),
    )


def _show(console: Console, base: str) -> None:
    """What now stands at the three services, read back from them."""
    import httpx

    with httpx.Client(base_url=base) as http:
        stories = http.get("/_control/stories").json()
        messages = http.get("/_control/messages").json()
    console.print(f"\nIn Shortcut there are now {_count(stories)} stories; three of them:", highlight=False)
    for story in _items(stories)[:3]:
        name = str(story.get("name", ""))[:70]
        line = f"  {story.get('story_type'):8} {name}\n           ← {story.get('external_id')}"
        console.print(line, markup=False, highlight=False)
    console.print(
        f"What the router was less than {THRESHOLD:.0%} sure of was left to a person "
        "(router.accept_threshold; the default, auto, is stricter).",
        highlight=False,
    )
    console.print(f"In Slack: {_count(messages)} messages, one of them the digest.", highlight=False)
    sys.stdout.flush()


def _items(document: object) -> list[dict[str, object]]:
    if isinstance(document, dict):
        document = next((value for value in document.values() if isinstance(value, list)), [])
    return document if isinstance(document, list) else []


def _count(document: object) -> int:
    return len(_items(document))

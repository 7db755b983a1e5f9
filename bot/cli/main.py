"""The command line; each command imports what it needs only when it is called."""

import gc
import logging
import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from bot.cli import people as cli_people
from bot.cli import work as cli_work
from bot.cli.people import Config, Json, settings_of
from bot.cli.work import duration_of

app = typer.Typer(
    name="switchyard",
    help="Triage bot: GitHub issues become routed Shortcut stories, with a digest in Slack.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
app.add_typer(cli_work.runs_app, name="runs")
app.add_typer(cli_work.queue_app, name="queue")
app.add_typer(cli_work.subflows_app, name="subflows")
app.add_typer(cli_people.app, name="issue")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"switchyard {version('switchyard-bot')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    pass


@app.command()
def run(
    repo: Annotated[
        list[str] | None,
        typer.Option("--repo", metavar="OWNER/NAME", help="Only this repository; repeatable."),
    ] = None,
    issue: Annotated[
        list[str] | None,
        typer.Option("--issue", metavar="OWNER/NAME#N", help="Only this issue, changed or not; repeatable."),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="ISO8601", help="Only what changed since then.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Triage again whatever changed or not.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Think only; write nothing anywhere.")] = False,
    wait: Annotated[str, typer.Option("--wait", metavar="DURATION", help="For deliveries, at most.")] = "60s",
    config: Config = None,
    as_json: Json = False,
) -> None:
    """One triage run now."""
    from bot.cli.run import run_command

    raise typer.Exit(
        run_command(
            settings_of(config),
            repositories=tuple(repo or ()),
            issues=tuple(issue or ()),
            since=since,
            full=full,
            dry=dry_run,
            wait=duration_of(wait),
            as_json=as_json,
        )
    )


@app.command()
def serve(
    host: Annotated[str, typer.Option("--host", help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: a free one.")] = 8080,
    config: Config = None,
) -> None:
    """Web server, scheduler and worker in one process."""
    from bot.cli.run import serve_command

    serve_command(settings_of(config), host, port)


@app.command()
def worker(config: Config = None) -> None:
    """One more worker on the same database (PostgreSQL)."""
    from bot.cli.run import worker_command

    worker_command(settings_of(config))


@app.command()
def sandbox(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: a free one.")] = 0,
    issues: Annotated[
        Path | None, typer.Option("--issues", metavar="FILE", help="CSV or JSON Lines.")
    ] = None,
    latency_ms: Annotated[
        float, typer.Option("--latency-ms", min=0, help="Milliseconds before each answer.")
    ] = 0,
    enforce_rate_limits: Annotated[
        bool, typer.Option("--enforce-rate-limits", help="Refuse what the real services would refuse.")
    ] = False,
    time_scale: Annotated[
        float, typer.Option("--time-scale", min=0.001, help="Limits' clock, times faster.")
    ] = 1.0,
    config: Config = None,
) -> None:
    """Stand-ins of GitHub, Shortcut, Slack, Notion, OSV, a language model and a webhook receiver on one port."""
    from bot.sandbox.server import main as sandbox_main

    sandbox_main(port, issues, latency_ms, enforce_rate_limits, time_scale)


@app.command()
def demo(
    issues: Annotated[
        Path | None, typer.Option("--issues", metavar="FILE", help="CSV or JSON Lines.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Instead: one issue from webhook to Slack to training.")
    ] = False,
) -> None:
    """One whole triage run against the sandbox, on a free loopback port."""
    if live:
        from bot.cli.demo.live import main as live_main

        if issues:
            raise typer.BadParameter("--live brings an issue of its own; leave --issues out")
        raise typer.Exit(live_main())
    from bot.cli.demo.run import main as demo_main

    raise typer.Exit(demo_main(issues))


@app.command()
def doctor(config: Config = None, as_json: Json = False) -> None:
    """Check configuration, credentials, permissions, reachability, database and model."""
    from bot.cli.doctor import main as doctor_main

    raise typer.Exit(doctor_main(lambda: settings_of(config), as_json))


@app.command()
def migrate(config: Config = None) -> None:
    """Bring the database to the newest schema."""
    from bot.store.database import Database

    database = Database(settings_of(config).storage.url)
    try:
        before = database.version()
        database.migrate()
        after = database.version()
    finally:
        database.dispose()
    typer.echo(f"database: schema {after}" + ("" if before == after else f" (was {before or 'missing'})"))


app.command()(cli_people.hooks)
app.command()(cli_people.audit)

GROUPS = ("runs", "queue", "issue", "router", "subflows")
POOL_ENDS, THREADS_END = 3.0, 0.5
"""Seconds that the thinking processes and requests in threads are given to end."""


def hoisted(arguments: list[str]) -> list[str]:
    """`--config FILE` and `--json` may stand before a command's name; moved behind it they mean the same."""
    early: list[str] = []
    path: list[str] = []
    rest = list(arguments)
    while rest and len(path) < (2 if path[:1] and path[0] in GROUPS else 1):
        word = rest.pop(0)
        if word == "--json" or word.startswith("--config="):
            early.append(word)
        elif word == "--config" and rest:
            early += [word, rest.pop(0)]
        elif word.startswith("-"):
            return arguments
        else:
            path.append(word)
    # They go in front of the rest, which may end with `--` and positional arguments.
    return [*path, *early, *rest]


def main() -> None:
    """Entry of the console script: what users must read is one line; a traceback never reaches them."""
    from models.errors import SwitchyardError, UserFacing

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_CleanLines("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    # A line that cannot be written would be shown with all its arguments.
    logging.raiseExceptions = False
    if sys.argv[-1] == "--config":
        _end("--config needs a FILE", 2)
    if "router" in sys.argv[1:4]:
        from bot.cli import router as cli_router
        from bot.cli import router_versions as router

        cli_router.hooks = cli_router.Hooks(
            router.load_issue,
            router.default_model,
            router.rules,
            router.lesson,
            router.drift,
            router.accept_threshold,
            router.note,
        )
        app.add_typer(cli_router.app, name="router")
    else:
        app.command("router", help="Train, evaluate, ask and promote the router's model.")(lambda: None)
    try:
        try:
            app(hoisted(sys.argv[1:]), prog_name="switchyard")
        finally:
            sys.stdout.flush()
    except SystemExit as ended:
        _leave(ended)
    except UserFacing as error:
        _end(f"{error}", 2)
    except SwitchyardError as error:
        _end(f"{error}", 1)
    except KeyboardInterrupt:
        _end("interrupted; start the same command again to go on", 130)
    except BrokenPipeError:
        os._exit(1)
    except OSError as error:
        _end(f"{error.filename or 'output'}: {error.strerror or error}", 1)
    except Exception as error:
        if "-X" in sys.orig_argv:
            raise
        if type(error).__module__.startswith("sqlalchemy"):
            words = str(getattr(error, "orig", None) or error).strip().splitlines()[0][:200]
            from bot.store.database import advice

            _end(f"database: {words}; {advice(error)}", 2)
        _end(
            f"unexpected {type(error).__name__}: {str(error)[:300]}\n"
            "This is a fault of Switchyard; `python -X dev -m bot …` shows where.",
            1,
        )


class _CleanLines(logging.Formatter):
    """Other people's log lines, tracebacks included, without this process's secrets."""

    def format(self, record: logging.LogRecord) -> str:
        from config.secrets import redact

        return redact(super().format(record))


def _leave(ended: SystemExit) -> NoReturn:
    """End with the exit code, and not wait for a request that hangs in a thread: its command is looked up later."""
    started = time.monotonic()
    others = [t for t in threading.enumerate() if t is not threading.main_thread() and not t.daemon]
    for thread in others:
        # A pool of processes that is cut off leaves semaphores behind, and Python complains of them on stderr.
        is_pool = type(thread).__module__ == "concurrent.futures.process"
        thread.join(max(0.0, started + (POOL_ENDS if is_pool else THREADS_END) - time.monotonic()))
    if isinstance(ended.code, int) and any(thread.is_alive() for thread in others):
        gc.collect()
        os._exit(ended.code)
    raise ended


def _end(words: str, code: int) -> NoReturn:
    """Say one thing on stderr and leave, without the interpreter's own complaints about a full stdout."""
    from config.secrets import redact

    words = redact(words)
    sys.stderr.write(f"switchyard: {words}\n")
    sys.stderr.flush()
    with suppress(OSError):
        sys.stdout.flush()
        raise SystemExit(code)
    os._exit(code)

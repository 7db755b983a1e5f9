"""`run`, `serve` and `worker`: the commands that do the work."""

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

import structlog
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from bot.app.app import App, build, close, working
from bot.cli import audit
from bot.cli.runs import terminal_console
from bot.report import html as report_file
from bot.run import run as engine
from bot.run.aggregate import REPORTS, finish
from bot.run.dry_run import dry_run
from bot.store import owners, runs
from bot.store.database import Transaction, brief
from bot.store.repositories import NONE, served
from bot.think.pool import limit_arenas, load_model
from bot.trigger import installations
from config.secrets import redact_line
from config.settings import Settings
from models.case import Route
from models.errors import SwitchyardError, UserFacing
from models.issue import parse_ref
from models.report import RunReport
from models.run import Params


def configure_logging(level: int = logging.WARNING) -> None:
    """Logs are one line each, on stderr; processes that stay also tell what they do."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(),
            structlog.dev.ConsoleRenderer(colors=False, sort_keys=False)
            if sys.stderr.isatty()
            else structlog.processors.JSONRenderer(),
            redact_line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def run_command(
    settings: Settings,
    *,
    repositories: tuple[str, ...],
    issues: tuple[str, ...],
    since: str | None,
    full: bool,
    dry: bool,
    wait: float,
    as_json: bool,
    shown_examples: tuple[Route, ...] = (),
) -> int:
    """One run from the command line; returns the exit code."""
    params = check_params(settings, repositories, issues, since, full, wait)
    configure_logging()
    limit_arenas()
    load_model(settings.router.model)
    app = build(settings)
    app.shown_examples = shown_examples
    # A polite end is an interruption like Ctrl-C: connections and children are let go.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    console = Console(stderr=True)
    with ProgressBar(console) as watch:
        report = asyncio.run(_run(app, params, dry, watch, console))
    if as_json:
        sys.stdout.write(json.dumps(report.to_json(), indent=2) + "\n")
    else:
        report_file.terminal(report, terminal_console())
    return 0 if report.status in ("completed", "paused") else 1


def check_params(
    settings: Settings,
    repositories: tuple[str, ...],
    issues: tuple[str, ...],
    since: str | None,
    full: bool,
    wait: float,
) -> Params:
    """What was asked for, checked before anything starts."""
    for ref in issues:
        try:
            parse_ref(ref)
        except ValueError as error:
            raise UserFacing(f"--issue: {error}") from None
    for name in repositories:
        try:
            parse_ref(f"{name}#1")
        except ValueError:
            raise UserFacing(f"--repo: {name!r} is not a repository; write OWNER/NAME") from None
    if since is not None:
        try:
            datetime.fromisoformat(since)
        except ValueError:
            raise UserFacing(
                f"--since: {since!r} is not a time; write 2026-11-20 or 2026-11-20T02:00:00Z"
            ) from None
    named = {parse_ref(ref)[0] for ref in issues}
    if issues and repositories and not named <= set(repositories):
        raise UserFacing("--issue and --repo name different repositories; leave --repo out")
    names = tuple(dict.fromkeys(repositories or settings.repositories))
    return Params(
        repositories=names,
        issues=tuple(dict.fromkeys(issues)),
        since=since,
        full=full,
        named=bool(repositories or issues),
        wait=wait,
    )


async def _run(app: App, params: Params, dry: bool, watch: engine.Watch, console: Console) -> RunReport:
    try:
        params = await _with_repositories(app, params)
        if dry:
            report, lines, stories = await dry_run(app, params, watch)
            report_file.write(REPORTS / f"{report.run_id}.html", report, lines, stories)
            return report
        async with working(app):
            return await _continue_or_start(app, params, watch, console)
    finally:
        await close(app)


async def _with_repositories(app: App, params: Params) -> Params:
    """Those that were named, else all that are served; UserFacing where there are none."""
    if params.repositories or params.issues:
        return params
    await installations.look(app)
    names = tuple(await app.database.query(lambda c: served(c, app.settings)))
    if not names:
        raise UserFacing(f"{NONE}, or name one with --repo OWNER/NAME")
    return replace(params, repositories=names)


async def _continue_or_start(app: App, params: Params, watch: engine.Watch, console: Console) -> RunReport:
    """Interrupted runs are brought to their end first; one that was asked for the same is the answer."""
    asked = params.to_json()
    while True:
        orphan = await app.database.run(lambda c: runs.adopt(c, app.me, owners.alive(c)))
        if orphan is None:
            break
        console.print(f"going on with run {orphan.id}, which was interrupted", highlight=False)
        # This command's patience counts, not that of the one that was interrupted.
        report = await drive_safely(app, orphan.id, watch, wait=params.wait)
        if {**orphan.params, "wait": None} == {**asked, "wait": None}:
            return report
    run_id = runs.new_id("run")

    def begin(connection: Transaction) -> None:
        runs.create(connection, run_id, "cli", asked, app.me)
        audit.note(connection, "run.start", run_id)

    await app.database.run(begin)
    return await drive_safely(app, run_id, watch)


async def drive_safely(
    app: App, run_id: str, watch: engine.Watch = lambda progress: None, wait: float | None = None
) -> RunReport:
    """Drive a run; what nothing can be done about (a refused credential) ends it as failed, and says why."""
    try:
        return await engine.drive(app, run_id, watch, wait=wait)
    except SwitchyardError as error:
        return await finish(app, run_id, "failed", str(error))
    except Exception as error:
        # A bug of ours must not come back with every later run that takes this one over.
        return await finish(app, run_id, "failed", f"internal error: {brief(error)}")


class ProgressBar:
    """A progress bar on a terminal, nothing elsewhere."""

    def __init__(self, console: Console) -> None:
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
            # A spent budget stops deliveries for most of a minute: the pace is that of several.
            speed_estimate_period=300,
        )
        self.refresh = self._bar.refresh

    def __enter__(self) -> engine.Watch:
        self._bar.start()
        task = self._bar.add_task("fetching", total=None)
        shown = "fetching"

        def watch(progress: engine.Progress) -> None:
            nonlocal shown
            done, total = progress.triaged, progress.expected
            if progress.phase == "delivering":
                done, total = progress.delivered, progress.delivered + progress.waiting
            if progress.phase != shown and progress.phase == "delivering":
                # Other things are counted now, and the pace is another.
                self._bar.reset(task)
            shown = progress.phase
            self._bar.update(task, description=shown, completed=done, total=total or None)

        return watch

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def serve_command(settings: Settings, host: str, port: int) -> None:
    """Web server, scheduler and worker, until told to stop."""
    from bot.web.server import serve

    _until_stopped(settings, lambda app: serve(app, host, port))


def worker_command(settings: Settings) -> None:
    """One more worker, until told to stop."""
    from bot.web.server import work

    if settings.storage.url.startswith("sqlite"):
        raise UserFacing(
            "worker: several workers need PostgreSQL; set storage.url, or use `switchyard serve` alone on SQLite"
        )
    _until_stopped(settings, work)


def _until_stopped(settings: Settings, work: Callable[[App], Awaitable[None]]) -> None:
    configure_logging(logging.INFO)
    limit_arenas()
    load_model(settings.router.model)
    app = build(settings)

    async def life() -> None:
        try:
            await work(app)
        finally:
            await close(app)

    with asyncio.Runner(loop_factory=_fast_loop()) as runner:
        runner.run(life())


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it exists (not on Windows): deliveries cost a tenth less."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop

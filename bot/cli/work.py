"""The commands under `switchyard runs`, `queue` and `subflows`: done, waiting, and to be done."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.people import Config, Json, open_database, settings_of

runs_app = typer.Typer(help="Runs and what they came to.", no_args_is_help=True)
queue_app = typer.Typer(help="The retry queue and the dead letters.", no_args_is_help=True)
subflows_app = typer.Typer(help="What is done with an issue, step by step.", no_args_is_help=True)


def duration_of(text: str) -> float:
    """Seconds of `--wait`; BadParameter where it is no duration."""
    from models.units import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'--wait'") from None


@runs_app.command("list")
def runs_list(
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Runs at most.")] = 20,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """The latest runs, newest first."""
    from bot.cli.runs import list_runs

    list_runs(open_database(config), settings_of(config), limit, as_json)


@runs_app.command("show")
def runs_show(run_id: str, config: Config = None, as_json: Json = False) -> None:
    """One run, with its cases that need a look."""
    from bot.cli.runs import show_run

    show_run(open_database(config), settings_of(config), run_id, as_json)


@runs_app.command("pause")
def runs_pause(run_id: str, config: Config = None) -> None:
    """Stop a run at the next batch; what is decided is still delivered."""
    _change_run(run_id, "pause", config)


@runs_app.command("resume")
def runs_resume(run_id: str, config: Config = None) -> None:
    """Let a paused run go on."""
    _change_run(run_id, "resume", config)


@runs_app.command("cancel")
def runs_cancel(
    run_id: str,
    drop: Annotated[
        bool,
        typer.Option("--drop/--keep", help="Forget what is decided and not begun; else it is delivered."),
    ] = False,
    config: Config = None,
) -> None:
    """End a run at the next batch; what is decided stays in the queue unless it is dropped."""
    _change_run(run_id, "cancel", config, drop=drop)


def _change_run(run_id: str, wanted: str, config: Path | None, *, drop: bool = False) -> None:
    from bot.cli.runs import change_run

    change_run(open_database(config), run_id, wanted, drop=drop)


@queue_app.command("list")
def queue_list(config: Config = None, as_json: Json = False) -> None:
    """What waits, and what was given up."""
    from bot.cli.queue import list_queue

    list_queue(open_database(config), as_json)


@queue_app.command("drain")
def queue_drain(
    wait: Annotated[str, typer.Option("--wait", metavar="DURATION", help="At most.")] = "60s",
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Deliver what is due now, and wait for it."""
    from bot.cli.queue import drain_queue

    raise typer.Exit(drain_queue(settings_of(config), duration_of(wait), as_json))


@queue_app.command("retry")
def queue_retry(
    key: Annotated[str | None, typer.Argument(help="As `queue list` shows it.")] = None,
    all_dead: Annotated[bool, typer.Option("--all-dead", help="All that were given up.")] = False,
    config: Config = None,
) -> None:
    """Try a command again as soon as something delivers (serve, worker, drain or the next run)."""
    from bot.cli.queue import retry_queue

    retry_queue(open_database(config), key, all_dead)


@queue_app.command("discard")
def queue_discard(key: str, config: Config = None) -> None:
    """Give a command up for good."""
    from bot.cli.queue import discard_queue

    discard_queue(open_database(config), key)


@subflows_app.command("list")
def subflows_list(config: Config = None, as_json: Json = False) -> None:
    """All sub-flows, built in and configured."""
    from bot.cli.subflows import list_flows

    list_flows(settings_of(config), as_json)


@subflows_app.command("show")
def subflows_show(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    mermaid: Annotated[
        bool, typer.Option("--mermaid", help="As a Mermaid flowchart, and only that.")
    ] = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """One sub-flow as a tree and as a Mermaid flowchart."""
    from bot.cli.subflows import show_flow

    show_flow(settings_of(config), name, chart_only=mermaid, as_json=as_json)

"""The commands under `switchyard issue`, with `hooks` and `audit`: people's words on issues, and who did what."""

from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(help="Why an issue goes where it goes, and your word on it.", no_args_is_help=True)

Config = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Configuration file.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, logs on stderr.")]
Ref = Annotated[str, typer.Argument(metavar="OWNER/NAME#N", help="The issue, or its address on GitHub.")]


def settings_of(config: Path | None) -> Any:
    """The configuration as read and checked; UserFacing where it is unusable."""
    from config.load import load

    return load(config)


def open_database(config: Path | None) -> Any:
    """The configured database; UserFacing where its schema is not the one needed."""
    from bot.store.database import Database

    database = Database(settings_of(config).storage.url)
    database.require_schema()
    return database


@app.command("why")
def issue_why(ref: Ref, config: Config = None, as_json: Json = False) -> None:
    """Why it goes where it goes."""
    from bot.cli.issue import why_command

    why_command(open_database(config), ref, as_json)


@app.command("route")
def issue_route(
    ref: Ref,
    route: Annotated[
        str,
        typer.Argument(
            metavar="bug|feature|docs|question|security|approve",
            help="Where it goes; approve confirms where it goes already.",
        ),
    ],
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Decide where it goes; its story moves, and the router learns from it."""
    _change("route", ref, route, config, as_json)


@app.command("ignore")
def issue_ignore(ref: Ref, config: Config = None, as_json: Json = False) -> None:
    """Leave it alone until somebody routes it."""
    _change("ignore", ref, "", config, as_json)


@app.command("retry")
def issue_retry(ref: Ref, config: Config = None, as_json: Json = False) -> None:
    """Look at it again, and send again what was refused."""
    _change("retry", ref, "", config, as_json)


def _change(action: str, ref: str, route: str, config: Path | None, as_json: bool) -> None:
    from bot.cli.issue import change_command

    change_command(open_database(config), action, ref, route, as_json)


def hooks(
    repo: Annotated[str, typer.Argument(metavar="OWNER/NAME")], config: Config = None, as_json: Json = False
) -> None:
    """Addresses that a repository names for webhooks, each with its secret, to be handed to its owner."""
    from bot.cli.hooks import list_hooks

    list_hooks(open_database(config), repo, as_json)


def audit(
    issue: Annotated[
        str | None, typer.Option("--issue", metavar="OWNER/NAME#N", help="Only of this issue.")
    ] = None,
    actor: Annotated[str | None, typer.Option("--actor", metavar="NAME", help="Only of this person.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="ISO8601", help="Only from then on; UTC without a zone.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Entries at most.")] = 50,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """What people did here and what the bot wrote elsewhere, newest first."""
    from bot.cli.audit import list_audit

    list_audit(open_database(config), issue, actor, since, limit, as_json)

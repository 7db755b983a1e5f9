"""The one place here that knows in which module a thing lies; where modules move, this file alone is changed."""

import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.routing import Route
from typer.main import get_command

import nodes
from bot.app.app import build, close
from bot.cli import main as cli
from bot.cli import router as cli_router
from bot.monitor.health import Pulse
from bot.review import comment_commands as comments
from bot.sandbox.server import drafting_environment
from bot.trigger.webhooks import sources
from bot.web.app import create_app
from config.load import load
from config.repository import RepositorySettings
from config.secrets import NAMES, load_secrets
from config.settings import Settings
from config.subflows import flows_of
from integrations.github.webhook import parse as parse_github
from integrations.shortcut.webhook import parse as parse_shortcut
from integrations.slack import webhook as slack
from models import commands, messages
from models.commands import Command
from subflows.compose import data_of

SECRETS = NAMES
__all__ = ["SECRETS", "RepositorySettings", "Settings", "drafting_environment"]


def packaged_settings() -> Settings:
    """What holds where there is neither a file nor a variable."""
    return load(None, {})


def command_line() -> Any:
    """The whole command line as Click has it; `router` is mounted as the program does it."""
    whole = get_command(cli.app)
    whole.add_command(get_command(cli_router.app), "router")  # type: ignore[attr-defined]
    return whole


def node_types() -> dict[str, type]:
    """The class of each node, by the name that configuration uses."""
    found = {name: nodes.find(name) for name in nodes.names()}
    return {name: node for name, node in found.items() if node is not None}


def built_in_flows() -> dict[str, list[Any]]:
    """The steps of each flow, as the plain data that the configuration takes."""
    return {name: data_of(flow) for name, flow in flows_of(Settings()).items()}


@asynccontextmanager
async def routes(settings: Mapping[str, Any]) -> AsyncIterator[Iterator[tuple[str, str]]]:
    """Method and path of all that `serve` answers; the environment needs a credential for GitHub."""
    app = build(Settings.model_validate(settings))
    try:

        async def start(*_: Any) -> str:
            raise AssertionError("nothing is started here")

        pages = create_app(app, host="127.0.0.1", pulse=Pulse(), start=start)
        yield _routes(pages.routes, sources(load_secrets()))
    finally:
        await close(app)


def _routes(pages: Any, posted: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from (("POST", path) for path in posted)
    for route in pages:
        assert isinstance(route, Route)
        yield from ((method, route.path) for method in route.methods or () if method != "HEAD")


def github_takes(event: str, body: bytes) -> bool:
    """Is anything made of such a delivery of GitHub's?"""
    headers = {b"content-type": b"application/json", b"x-github-event": event.encode()}
    return parse_github(headers | {b"x-github-delivery": b"1"}, body).matters


def shortcut_takes(body: bytes) -> bool:
    """Is anything made of such a delivery of Shortcut's?"""
    return parse_shortcut({b"content-type": b"application/json"}, body).matters


def command_makers() -> list[Callable[..., Command]]:
    """The functions that make commands, wherever they are."""
    found = [getattr(module, name) for module in (commands, messages) for name in vars(module)]
    return [
        one
        for one in found
        if inspect.isfunction(one)
        and not one.__name__.startswith("_")
        and one.__annotations__.get("return") is Command
    ]


def spoken_words() -> Iterator[str]:
    """What people press and type: Slack's buttons and commands, and commands in comments."""
    yield from (f"Slack button {word}" for word in slack.BUTTONS)
    yield from (f"Slack command {word}" for word in slack.COMMANDS)
    yield from (f"comment command {word}" for word in comments.VERBS)
    yield from (f"route by a person {word}" for word in comments.ANSWERS)

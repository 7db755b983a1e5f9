"""A team's own services: their clients, and what their reading operations answer to a flow."""

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from bot.think.sources import Sources
from config.secrets import Secrets
from config.settings import Settings
from integrations.base import Limit
from integrations.resilience import Guard
from models.asks import CallService
from models.errors import Rejected, UserFacing

if TYPE_CHECKING:
    from integrations.rest.client import RestClient


def secret_names(settings: Settings) -> tuple[str, ...]:
    """The environment variables that services name for their secrets."""
    return tuple(s.auth.secret_env for s in settings.integrations.services.values() if s.auth is not None)


def connect(
    settings: Settings,
    secrets: Secrets,
    guard: Callable[[str, Sequence[Limit], float], Guard],
    agent: str,
) -> tuple[dict[str, "RestClient"], list[str]]:
    """A client for each service that has its secret, and a sentence on each that has not."""
    from integrations.rest.client import RestClient

    clients: dict[str, RestClient] = {}
    skipped = []
    for name, section in settings.integrations.services.items():
        secret = secrets.get(section.auth.secret_env) if section.auth else None
        if section.auth is not None and secret is None:
            skipped.append(f"{name} is off: set {section.auth.secret_env}; flows go on without it")
            continue
        try:
            clients[name] = RestClient(
                name,
                section,
                secret,
                guard(f"api:{name}", [Limit([section.rate_limit])], section.timeout),
                user_agent=agent,
                requests_in_flight=settings.scaling.requests_in_flight,
            )
        except ValueError:
            variable = section.auth.secret_env if section.auth else name
            raise UserFacing(
                f"secret {variable}: holds a character that no secret has; copy it again"
            ) from None
    return clients, skipped


async def call(sources: Sources, ask: CallService, run: str) -> Any:
    """What the service answers now; None where `answer` picks nothing of it."""
    client = sources.services.get(ask.service)
    if client is None:
        raise Rejected(f"{ask.service} is off: nothing is read from it")
    return await client.read(ask.operation, json.loads(ask.values))

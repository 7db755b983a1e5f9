"""Connects each integration to its service, or says why it is off; a new integration is one function and one entry."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from bot.store import breakers
from bot.store.database import Database
from bot.think.drafting import Drafting, require_prices
from bot.think.lookups import services as own_services
from config.secrets import Secrets
from config.settings import Settings
from integrations.base import ONLY_CONTENT, Limit, Target
from integrations.github.client.auth import Credential
from integrations.github.client.client import GithubClient
from integrations.resilience import Guard
from models.errors import UserFacing
from models.units import Rate

if TYPE_CHECKING:
    from integrations.osv.client import OsvClient
    from integrations.rest.client import RestClient

log = structlog.get_logger()

SHORTEST_SECRET = 24
"""Characters of the secret that the hooks' own are made of."""


@dataclass(slots=True)
class Clients:
    """What is connected: each function below adds its own, or a sentence to `skipped`."""

    settings: Settings
    secrets: Secrets
    database: Database
    guards: dict[str, Guard] = field(default_factory=dict)
    targets: dict[str, Target] = field(default_factory=dict)
    """Those that commands are delivered to, by the name of their lane."""
    skipped: list[str] = field(default_factory=list)
    llm: Drafting | None = None
    osv: "OsvClient | None" = None
    services: dict[str, "RestClient"] = field(default_factory=dict)

    @property
    def agent(self) -> str:
        return user_agent(self.settings)

    @property
    def flying(self) -> int:
        return self.settings.scaling.requests_in_flight

    @property
    def names(self) -> frozenset[str]:
        """What is on besides GitHub, as nodes are told."""
        reading = {name for name, client in (("llm", self.llm), ("osv", self.osv)) if client is not None}
        return frozenset({*self.targets, *reading, *self.services} - {"github"})

    def guard(self, name: str, limits: Sequence[Limit], timeout: float) -> Guard:
        self.guards[name] = Guard(
            name,
            limits=limits,
            timeout=timeout,
            breaker=self.settings.resilience.circuit_breaker,
            retry=self.settings.resilience.retry,
            on_change=_BreakerMemory(self.database),
        )
        return self.guards[name]


def user_agent(settings: Settings) -> str:
    return f"switchyard/{settings.version} ({settings.name})"


def connect(settings: Settings, secrets: Secrets, database: Database) -> Clients:
    """All that is configured; nothing is asked yet. UserFacing where a setting and a secret do not fit."""
    made = Clients(settings, secrets, database)
    for integration in INTEGRATIONS:
        integration(made)
    return made


def _github(made: Clients) -> None:
    section = made.settings.integrations.github
    credential = Credential(
        made.secrets.get("GITHUB_TOKEN"),
        made.secrets.get("GITHUB_APP_ID"),
        made.secrets.get("GITHUB_APP_PRIVATE_KEY"),
    )
    made.targets["github"] = GithubClient(
        section,
        credential,
        made.guard("github", section.limits(), section.timeout),
        user_agent=made.agent,
        requests_in_flight=made.flying,
    )


def _shortcut(made: Clients) -> None:
    section = made.settings.integrations.shortcut
    if section is None:
        made.skipped.append("shortcut is off: no section integrations.shortcut; no stories are made")
    elif not made.secrets.get("SHORTCUT_API_TOKEN"):
        made.skipped.append("shortcut is off: set SHORTCUT_API_TOKEN; no stories are made")
    else:
        from integrations.shortcut.client import ShortcutClient

        # The 200th request in a minute is the one that Shortcut refuses.
        rate = section.rate_limit
        rate = Rate(max(1, rate.count - 1), rate.seconds)
        made.targets["shortcut"] = ShortcutClient(
            section,
            str(made.secrets.get("SHORTCUT_API_TOKEN")),
            made.guard("shortcut", [Limit([rate])], section.timeout),
            user_agent=made.agent,
            requests_in_flight=made.flying,
        )


def _slack(made: Clients) -> None:
    section = made.settings.integrations.slack
    if section is None:
        made.skipped.append("slack is off: no section integrations.slack; no digest is posted")
    elif not made.secrets.get("SLACK_BOT_TOKEN"):
        made.skipped.append("slack is off: set SLACK_BOT_TOKEN; no digest is posted")
    else:
        from integrations.slack.client import SlackClient

        made.targets["slack"] = SlackClient(
            section,
            str(made.secrets.get("SLACK_BOT_TOKEN")),
            made.guard("slack", [Limit([section.rate_limit], ONLY_CONTENT)], section.timeout),
        )


def _webhooks(made: Clients) -> None:
    hooks = made.settings.integrations.webhooks
    for index, hook in enumerate(hooks):
        secret = made.secrets.get(hook.secret_env)
        if secret is None:
            made.skipped.append(f"webhook {index} is off: set {hook.secret_env}")
            continue
        from integrations.webhook.client import WebhookClient

        name = f"webhook:{index}"
        try:
            made.targets[name] = WebhookClient(
                index,
                hook,
                secret,
                made.guard(name, [Limit([Rate(60, 1)])], hook.timeout),
                user_agent=made.agent,
            )
        except ValueError:
            raise UserFacing(
                f"environment {hook.secret_env}: not a signing secret; write whsec_ and base64"
            ) from None


def _repository_hooks(made: Clients) -> None:
    hook_secret = made.secrets.get("SWITCHYARD_HOOK_SECRET")
    if hook_secret is not None:
        from integrations.webhook.client import REPOSITORIES, TIMEOUT, RepositoryHooks

        if len(hook_secret) < SHORTEST_SECRET:
            raise UserFacing(
                f"environment SWITCHYARD_HOOK_SECRET: shorter than {SHORTEST_SECRET} characters; whoever knows "
                "one hook's secret could guess it; `openssl rand -hex 32` makes a good one"
            )
        made.targets[REPOSITORIES] = RepositoryHooks(
            hook_secret, made.guard(REPOSITORIES, [Limit([Rate(120, 60)])], TIMEOUT), user_agent=made.agent
        )
    elif _repositories_have_hooks(made.database):
        made.skipped.append("webhooks of repositories are off: set SWITCHYARD_HOOK_SECRET")


def _email(made: Clients) -> None:
    section = made.settings.integrations.email
    if section is not None and not section.recipients:
        made.skipped.append("email is off: integrations.email names no recipients")
    elif section is not None and section.username and not made.secrets.get("SMTP_PASSWORD"):
        made.skipped.append("email is off: set SMTP_PASSWORD, or take username out of integrations.email")
    elif section is not None:
        from integrations.email.client import EmailClient

        made.targets["email"] = EmailClient(
            section,
            made.secrets.get("SMTP_PASSWORD"),
            made.guard("email", [Limit([section.rate_limit])], section.timeout),
            list_name=made.settings.name,
        )


def _notion(made: Clients) -> None:
    section = made.settings.integrations.notion
    if section is None:
        made.skipped.append("notion is off: no section integrations.notion; no pages are drafted there")
    elif not made.secrets.get("NOTION_TOKEN"):
        made.skipped.append("notion is off: set NOTION_TOKEN; no pages are drafted there")
    else:
        from integrations.notion.client import NotionClient

        made.targets["notion"] = NotionClient(
            section,
            str(made.secrets.get("NOTION_TOKEN")),
            made.guard("notion", [Limit([section.rate_limit])], section.timeout),
            user_agent=made.agent,
        )


def _osv(made: Clients) -> None:
    section = made.settings.integrations.osv
    if section is None:
        made.skipped.append(
            "osv is off: no section integrations.osv; known vulnerabilities are not looked up"
        )
    else:
        from integrations.osv.client import OsvClient

        limits = [Limit([section.rate_limit])]
        made.osv = OsvClient(section, made.guard("osv", limits, section.timeout), user_agent=made.agent)


def _llm(made: Clients) -> None:
    section = made.settings.integrations.llm
    if section is not None and not made.secrets.get("LLM_API_KEY"):
        made.skipped.append("llm is off: set LLM_API_KEY; nothing is drafted by a language model")
    elif section is not None:
        from integrations.llm.client import LlmClient, installed, known_prices

        if installed():
            made.llm = Drafting(
                LlmClient(
                    section,
                    str(made.secrets.get("LLM_API_KEY")),
                    made.guard("llm", [], section.timeout),
                    user_agent=made.agent,
                ),
                made.database,
                known_prices(section),
            )
            require_prices(section, made.llm.prices)
        else:
            made.skipped.append("llm is off: its extra is not installed; `pip install '.[llm]'` in the clone")


def _own_services(made: Clients) -> None:
    made.services, off = own_services.connect(made.settings, made.secrets, made.guard, made.agent)
    made.targets |= {client.name: client for client in made.services.values()}
    made.skipped += off


INTEGRATIONS: tuple[Callable[[Clients], None], ...] = (
    _github,
    _shortcut,
    _slack,
    _webhooks,
    _repository_hooks,
    _email,
    _notion,
    _osv,
    _llm,
    _own_services,
)


def _repositories_have_hooks(database: Database) -> bool:
    from bot.store.repo_configs import hooks

    with database.read() as connection:
        return bool(hooks(connection))


@dataclass(frozen=True, slots=True)
class _BreakerMemory:
    """Writes a breaker's changes to the database, off the event loop."""

    database: Database

    def __call__(self, service: str, state: str, opened_at: datetime | None) -> None:
        log.warning("breaker", service=service, state=state)
        work = asyncio.get_running_loop().run_in_executor(None, self._write, service, state, opened_at)
        work.add_done_callback(lambda done: done.exception())

    def _write(self, service: str, state: str, opened_at: datetime | None) -> None:
        with self.database.write() as connection:
            breakers.save(connection, service, state, opened_at.timestamp() if opened_at else None)

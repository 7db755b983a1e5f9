"""The composition root: from settings and secrets to a running application."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from bot.lanes import Lane
from bot.reading import Reading
from bot.store import owners, spending
from bot.store.database import Database, GroupWriter
from bot.think import Thinker, ThinkSettings
from config.secrets import Secrets, load_secrets, protect_url
from config.settings import Settings
from integrations.base import ONLY_CONTENT, Limit, Target
from integrations.github.client import GithubClient
from integrations.github.client_auth import Credential
from integrations.resilience import Guard
from models.case import Route
from models.errors import UserFacing
from models.tables import BreakerRow
from models.units import Rate
from nodes.base import Policy, Rule

log = structlog.get_logger()
_breakers: sa.Table = BreakerRow.__table__  # type: ignore[attr-defined]

SHARE = 1.0
"""Seconds between two looks at what other processes have sent with the same credentials."""
SHORTEST_SECRET = 24
"""Characters of the secret that the hooks' own are made of."""


@dataclass(slots=True)
class App:
    """Everything that a run, a lane or a page needs."""

    settings: Settings
    secrets: Secrets
    database: Database
    writer: GroupWriter
    github: GithubClient
    targets: Mapping[str, Target]
    guards: Mapping[str, Guard]
    thinker: Thinker
    policy: Policy
    me: str
    skipped: tuple[str, ...]
    """What is off, and why, as sentences for people."""
    lanes: dict[str, Lane] = field(default_factory=dict)
    reading: Reading = field(init=False)
    in_hand: set[tuple[str, int]] = field(default_factory=set)
    """Batches, by run and number, that this process is working on."""
    spending_seen: int = 0
    """The last of the other processes' notes on their spending that was read."""

    shown_examples: tuple[Route, ...] = ()
    """Routes besides examples.SHARED of which reports show an example; the demo's data are made up."""

    permissions: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict)
    """By repository and login, both in lower case: until when (monotonic time) it is believed what they may do."""

    delivered: asyncio.Event = field(default_factory=asyncio.Event)
    """A webhook delivery was stored."""
    interacted: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody did something in Slack."""
    new_batches: asyncio.Event = field(default_factory=asyncio.Event)
    """There are batches to work on."""

    def __post_init__(self) -> None:
        self.reading = Reading(self)

    def wake_lanes(self) -> None:
        for lane in self.lanes.values():
            lane.wake.set()

    def requests(self) -> dict[str, int]:
        """HTTP requests that this process sent, by service."""
        counts: dict[str, int] = {}
        for name, guard in self.guards.items():
            service = name.split(":")[0]
            counts[service] = counts.get(service, 0) + guard.requests
        return counts


def user_agent(settings: Settings) -> str:
    return f"switchyard/{settings.version} ({settings.name})"


def policy_of(settings: Settings) -> Policy:
    """What nodes are told of the configuration."""
    github = settings.integrations.github
    threshold = settings.router.accept_threshold
    return Policy(
        comment=github.comment,
        link_story=github.link_story,
        needs_human=settings.router.needs_human,
        route_labels={**Policy().route_labels, **{str(route): name for route, name in github.labels.items()}},
        assign_suspects=github.assign_suspects,
        draft_pulls=github.draft_pulls,
        draft_advisories=github.draft_advisories,
        rules=tuple(Rule(**rule.model_dump()) for rule in settings.router.rules),
        accept_threshold=None if threshold == "auto" else threshold,
        approve=frozenset(settings.router.approve),
    )


def think_settings(settings: Settings, policy: Policy) -> ThinkSettings:
    return ThinkSettings(settings.router.model, policy, settings.storage.url)


def secrets_for(settings: Settings) -> Secrets:
    protect_url("storage.url", settings.storage.url)
    return load_secrets(tuple(hook.secret_env for hook in settings.integrations.webhooks))


def require_github(secrets: Secrets) -> None:
    """GitHub is the one service that nothing goes without."""
    if not secrets.has_github:
        raise UserFacing(
            "environment: no credential for GitHub; set GITHUB_TOKEN, or GITHUB_APP_ID with "
            "GITHUB_APP_PRIVATE_KEY (or try `switchyard demo`, which needs none)"
        )


def build(settings: Settings) -> App:
    """Connect nothing yet, but make everything; UserFacing where something needed is missing."""
    secrets = secrets_for(settings)
    require_github(secrets)
    database = Database(settings.storage.url)
    database.require_schema()
    guards: dict[str, Guard] = {}
    targets: dict[str, Target] = {}
    agent = user_agent(settings)
    flying = settings.scaling.requests_in_flight
    parts = settings.integrations
    skipped: list[str] = []

    def guard(name: str, limits: Sequence[Limit], timeout: float) -> Guard:
        guards[name] = Guard(
            name,
            limits=limits,
            timeout=timeout,
            breaker=settings.resilience.circuit_breaker,
            retry=settings.resilience.retry,
            on_change=_BreakerMemory(database),
        )
        return guards[name]

    credential = Credential(
        secrets.get("GITHUB_TOKEN"), secrets.get("GITHUB_APP_ID"), secrets.get("GITHUB_APP_PRIVATE_KEY")
    )
    github = GithubClient(
        parts.github,
        credential,
        guard("github", parts.github.limits(), parts.github.timeout),
        user_agent=agent,
        requests_in_flight=flying,
    )
    targets["github"] = github
    if parts.shortcut is None:
        skipped.append("shortcut is off: no section integrations.shortcut; no stories are made")
    elif not secrets.get("SHORTCUT_API_TOKEN"):
        skipped.append("shortcut is off: set SHORTCUT_API_TOKEN; no stories are made")
    else:
        from integrations.shortcut.client import ShortcutClient

        # The 200th request in a minute is the one that Shortcut refuses.
        rate = parts.shortcut.rate_limit
        rate = Rate(max(1, rate.count - 1), rate.seconds)
        targets["shortcut"] = ShortcutClient(
            parts.shortcut,
            str(secrets.get("SHORTCUT_API_TOKEN")),
            guard("shortcut", [Limit([rate])], parts.shortcut.timeout),
            user_agent=agent,
            requests_in_flight=flying,
        )
    if parts.slack is None:
        skipped.append("slack is off: no section integrations.slack; no digest is posted")
    elif not secrets.get("SLACK_BOT_TOKEN"):
        skipped.append("slack is off: set SLACK_BOT_TOKEN; no digest is posted")
    else:
        from integrations.slack.client import SlackClient

        targets["slack"] = SlackClient(
            parts.slack,
            str(secrets.get("SLACK_BOT_TOKEN")),
            guard("slack", [Limit([parts.slack.rate_limit], ONLY_CONTENT)], parts.slack.timeout),
        )
    for index, hook in enumerate(parts.webhooks):
        secret = secrets.get(hook.secret_env)
        if secret is None:
            skipped.append(f"webhook {index} is off: set {hook.secret_env}")
            continue
        from integrations.webhook.client import WebhookClient

        name = f"webhook:{index}"
        try:
            targets[name] = WebhookClient(
                index, hook, secret, guard(name, [Limit([Rate(60, 1)])], hook.timeout), user_agent=agent
            )
        except ValueError:
            raise UserFacing(
                f"environment {hook.secret_env}: not a signing secret; write whsec_ and base64"
            ) from None
    hook_secret = secrets.get("SWITCHYARD_HOOK_SECRET")
    if hook_secret is not None:
        from integrations.webhook.client import REPOSITORIES, TIMEOUT, RepositoryHooks

        if len(hook_secret) < SHORTEST_SECRET:
            raise UserFacing(
                f"environment SWITCHYARD_HOOK_SECRET: shorter than {SHORTEST_SECRET} characters; whoever knows "
                "one hook's secret could guess it; `openssl rand -hex 32` makes a good one"
            )
        targets[REPOSITORIES] = RepositoryHooks(
            hook_secret, guard(REPOSITORIES, [Limit([Rate(120, 60)])], TIMEOUT), user_agent=agent
        )
    elif _repositories_have_hooks(database):
        skipped.append("webhooks of repositories are off: set SWITCHYARD_HOOK_SECRET")
    if parts.email is not None and not parts.email.recipients:
        skipped.append("email is off: integrations.email names no recipients")
    elif parts.email is not None and parts.email.username and not secrets.get("SMTP_PASSWORD"):
        skipped.append("email is off: set SMTP_PASSWORD, or take username out of integrations.email")
    elif parts.email is not None:
        from integrations.email.client import EmailClient

        targets["email"] = EmailClient(
            parts.email,
            secrets.get("SMTP_PASSWORD"),
            guard("email", [Limit([parts.email.rate_limit])], parts.email.timeout),
            list_name=settings.name,
        )
    for name, section in (
        ("notion", parts.notion),
        ("osv", parts.osv),
        ("llm", parts.llm),
    ):
        if section is not None:
            skipped.append(f"{name} is off: this version has no {name} integration yet")
    if settings.subflows:
        raise UserFacing("workflow.subflows: this version has only the built-in sub-flows; leave it empty")
    policy = replace(policy_of(settings), services=frozenset({*targets} - {"github"}))
    me = owners.new_id()
    app = App(
        settings=settings,
        secrets=secrets,
        database=database,
        writer=GroupWriter(database),
        github=github,
        targets=targets,
        guards=guards,
        thinker=Thinker(think_settings(settings, policy), settings.scaling.cpu_count),
        policy=policy,
        me=me,
        skipped=tuple(skipped),
    )
    app.lanes = {
        name: Lane(target, database, app.writer, settings.resilience.retry, flying, me)
        for name, target in targets.items()
    }
    return app


def _repositories_have_hooks(database: Database) -> bool:
    from bot.hooks import of_repositories

    with database.read() as connection:
        return bool(of_repositories(connection))


@dataclass(frozen=True, slots=True)
class _BreakerMemory:
    """Writes a breaker's changes to the database, off the event loop."""

    database: Database

    def __call__(self, service: str, state: str, opened_at: datetime | None) -> None:
        log.warning("breaker", service=service, state=state)
        work = asyncio.get_running_loop().run_in_executor(None, self._write, service, state, opened_at)
        work.add_done_callback(lambda done: done.exception())

    def _write(self, service: str, state: str, opened_at: datetime | None) -> None:
        values = {"state": state, "opened_at": opened_at.timestamp() if opened_at else None}
        with self.database.write() as connection:
            query = sa.update(_breakers).where(_breakers.c.service == service).values(**values)
            if connection.execute(query).rowcount == 0:
                connection.execute(sa.insert(_breakers).values(service=service, **values))


async def restore_breakers(app: App) -> None:
    """Open the breakers that were open when the last process stopped."""
    rows = await app.database.query(lambda c: c.execute(sa.select(_breakers)).all())
    for row in rows:
        if row.service in app.guards:
            opened = datetime.fromtimestamp(row.opened_at, UTC) if row.opened_at else None
            app.guards[row.service].breaker.restore(row.state, opened)


async def share_budgets(app: App) -> None:
    """Tell other processes what this one has sent, and take what they sent from its budgets."""
    mine = {name: dict(guard.spent) for name, guard in app.guards.items() if guard.spent}
    for name in mine:
        app.guards[name].spent.clear()
    seen = app.spending_seen

    def exchange(connection: Connection) -> tuple[list[Any], int]:
        spending.add(connection, app.me, mine, time.time())
        return spending.others(connection, app.me, seen)

    if mine:
        rows, app.spending_seen = await app.database.run(exchange)
    else:
        rows, app.spending_seen = await app.database.query(lambda c: spending.others(c, app.me, seen))
    for row in rows:
        if row.service in app.guards:
            app.guards[row.service].tell(row.kind, row.at, row.count)


@asynccontextmanager
async def working(app: App) -> AsyncIterator[None]:
    """While inside, this process is alive to the others and works its lanes."""
    await app.database.run(lambda c: owners.beat(c, app.me))
    await restore_breakers(app)
    await share_budgets(app)
    tasks = [asyncio.create_task(_beat(app)), asyncio.create_task(_share(app))]
    tasks += [asyncio.create_task(lane.run(app.lanes)) for lane in app.lanes.values()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(sa.exc.SQLAlchemyError):
            await share_budgets(app)
            await app.database.run(lambda c: owners.leave(c, app.me))


async def close(app: App) -> None:
    """Let go of connections, threads and children."""
    app.thinker.close()
    for target in app.targets.values():
        with suppress(Exception):
            await target.close()
    app.database.dispose()


async def _share(app: App) -> None:
    while True:
        await asyncio.sleep(SHARE)
        with suppress(sa.exc.SQLAlchemyError):
            await share_budgets(app)


async def _beat(app: App) -> None:
    while True:
        await asyncio.sleep(owners.HEARTBEAT)
        with suppress(sa.exc.SQLAlchemyError):
            await app.database.run(lambda c: owners.beat(c, app.me))

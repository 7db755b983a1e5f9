"""The composition root: from settings and secrets to a running application."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import structlog

from bot.app.clients import connect
from bot.deliver.lane import Lane
from bot.deliver.lease import Lease
from bot.deliver.reconcile import StorySync
from bot.store import breakers, owners, spending
from bot.store.database import Database, GroupWriter, StoreError, Transaction
from bot.think.drafting import Drafting
from bot.think.lookups import Reading
from bot.think.lookups import services as own_services
from bot.think.pool import Thinker, ThinkSettings
from bot.think.sources import Sources
from config.secrets import Secrets, load_secrets, protect_url
from config.settings import Settings
from config.subflows import flows_of
from integrations.base import Target
from integrations.github.client.client import GithubClient
from integrations.resilience import Guard, steady
from models.case import Route
from models.errors import UserFacing
from models.task_health import TaskHealth
from nodes.base import Policy, Rule

if TYPE_CHECKING:
    from integrations.osv.client import OsvClient
    from integrations.rest.client import RestClient
    from integrations.shortcut.client import ShortcutClient

log = structlog.get_logger()

SHARE = 1.0
"""Seconds between two looks at what other processes have sent with the same credentials."""


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
    llm: Drafting | None = None
    osv: "OsvClient | None" = None
    services: Mapping[str, "RestClient"] = field(default_factory=dict)
    """The team's own that are on, by name; each is the target of a lane of its own, too."""
    lanes: dict[str, Lane] = field(default_factory=dict)
    reading: Reading = field(init=False)
    in_hand: set[tuple[str, int]] = field(default_factory=set)
    """Batches, by run and number, that this process is working on."""
    tasks: TaskHealth = field(default_factory=TaskHealth)
    lease: Lease = field(default_factory=Lease)
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
        self.reading = Reading(self.sources)

    @property
    def sources(self) -> Sources:
        """What the questions of cases are answered from."""
        return Sources(
            self.github,
            self.database,
            self.settings.integrations.github.hosts,
            self.shortcut,
            self.osv,
            self.llm,
            self.services,
        )

    @property
    def shortcut(self) -> "ShortcutClient | None":
        """Shortcut's client; None where Shortcut is off."""
        return cast("ShortcutClient | None", self.targets.get("shortcut"))

    @property
    def stories(self) -> StorySync:
        """What the reconciliation of stories works with."""
        wanted = self.settings.integrations
        return StorySync(self.database, self.shortcut, wanted.shortcut, wanted.github, self.lanes)

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


def policy_of(settings: Settings) -> Policy:
    """What nodes are told of the configuration."""
    github, llm = settings.integrations.github, settings.integrations.llm
    threshold = settings.router.accept_threshold
    shortcut = settings.integrations.shortcut
    scale = shortcut.estimate_scale if shortcut is not None else "auto"
    return Policy(
        comment=github.comment,
        link_story=github.link_story,
        needs_human=settings.router.needs_human,
        route_labels={**Policy().route_labels, **{str(route): name for route, name in github.labels.items()}},
        assign_suspects=github.assign_suspects,
        draft_pulls=github.draft_pulls,
        draft_advisories=github.draft_advisories,
        drafts_for_security=bool(llm and llm.drafts_for_security),
        estimate_scale=None if scale == "auto" else scale,
        rules=tuple(Rule(**rule.model_dump()) for rule in settings.router.rules),
        accept_threshold=None if threshold == "auto" else threshold,
        approve=frozenset(settings.router.approve),
    )


def think_settings(settings: Settings, policy: Policy) -> ThinkSettings:
    if not settings.subflows:
        return ThinkSettings(settings.router.model, policy, settings.storage.url)
    flow = flows_of(settings)["triage"]
    return ThinkSettings(settings.router.model, policy, settings.storage.url, flow)


def secrets_for(settings: Settings) -> Secrets:
    protect_url("storage.url", settings.storage.url)
    hooks = tuple(hook.secret_env for hook in settings.integrations.webhooks)
    return load_secrets((*hooks, *own_services.secret_names(settings)))


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
    made = connect(settings, secrets, database)
    github = made.targets["github"]
    assert isinstance(github, GithubClient)
    policy = replace(policy_of(settings), services=made.names)
    app = App(
        settings=settings,
        secrets=secrets,
        database=database,
        writer=GroupWriter(database),
        github=github,
        targets=made.targets,
        guards=made.guards,
        thinker=Thinker(think_settings(settings, policy), settings.scaling.cpu_count),
        policy=policy,
        me=owners.new_id(),
        skipped=tuple(made.skipped),
        llm=made.llm,
        osv=made.osv,
        services=made.services,
    )
    app.lanes = {
        name: Lane(
            target,
            database,
            app.writer,
            settings.resilience.retry,
            made.flying,
            app.me,
            app.lease.held,
            app.tasks,
        )
        for name, target in made.targets.items()
    }
    return app


async def restore_breakers(app: App) -> None:
    """Open the breakers that were open when the last process stopped."""
    for row in await app.database.query(breakers.states):
        if row.service in app.guards:
            opened = datetime.fromtimestamp(row.opened_at, UTC) if row.opened_at else None
            app.guards[row.service].breaker.restore(row.state, opened)


async def share_budgets(app: App) -> None:
    """Tell other processes what this one has sent, and take what they sent from its budgets."""
    mine = {name: dict(guard.spent) for name, guard in app.guards.items() if guard.spent}
    for name in mine:
        app.guards[name].spent.clear()
    seen = app.spending_seen

    def exchange(connection: Transaction) -> tuple[list[Any], int]:
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
    await beat(app)
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
        with suppress(StoreError):
            await share_budgets(app)
            await app.database.run(lambda c: owners.leave(c, app.me))


async def close(app: App) -> None:
    """Let go of connections, threads and children."""
    app.thinker.close()
    await app.reading.close()
    for target in app.targets.values():
        with suppress(Exception):
            await target.close()
    if app.llm is not None:
        with suppress(Exception):
            await app.llm.client.close()
    if app.osv is not None:
        with suppress(Exception):
            await app.osv.close()
    app.database.dispose()


async def _share(app: App) -> None:
    while True:
        await asyncio.sleep(SHARE)
        with suppress(StoreError):
            await share_budgets(app)


async def _beat(app: App) -> None:
    while True:
        await asyncio.sleep(owners.HEARTBEAT)
        with suppress(StoreError):
            await beat(app)


async def beat(app: App) -> None:
    """Say to the others that this process is alive, and know for how long they believe it."""
    until = steady() + owners.LEASE
    await app.database.run(lambda c: owners.beat(c, app.me, app.tasks.failing))
    app.lease.until = until

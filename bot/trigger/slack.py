"""Slack's door in `serve`: what people press and type is stored before it is answered."""

import asyncio
import hashlib
import time
from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.app.app import App
from bot.review.slack_reads import Reads
from bot.store.database import brief
from bot.store.inbox import Received
from bot.trigger.failure_limit import Knocks, retry_after
from bot.trigger.webhooks import SLOW_DOWN, UNSIGNED_PER_MINUTE, Body, Refused, Room, Tier, Writer
from integrations.slack.webhook import READS, Interaction, may_be_signed
from integrations.slack.webhook_app import MOST, NOT_SIGNED, PATIENCE, Reader, SlackEndpoint
from models.errors import SwitchyardError

log = structlog.get_logger()

PATH = "/slack/events"
ASK_AGAIN = 60.0
"""Seconds between two tries to learn the workspace's id."""
BODY_TIMEOUT = 5.0
SMALL = 16 * 1024
"""Bytes; Slack's own requests are hardly ever more, and have room that larger ones cannot take."""
NO_SECRET = "No signing secret is configured here; set SLACK_SIGNING_SECRET and restart."  # noqa: S105
NO_TOKEN = "Slack is off here; set SLACK_BOT_TOKEN and restart."  # noqa: S105


def routes(app: App, read: Reader | None = None) -> list[Route]:
    """The one route of Slack's. `read` answers commands that change nothing; `Reads` does where none is given."""
    secret, token = app.secrets.get("SLACK_SIGNING_SECRET"), app.secrets.get("SLACK_BOT_TOKEN")
    settings = app.settings.integrations.slack
    if not secret or not token or settings is None:
        words = NO_TOKEN if secret else NO_SECRET

        async def closed(request: Request) -> Response:
            return JSONResponse({"error": words}, 401)

        return [Route(PATH, closed, methods=["POST"])]
    workspace = Workspace(app)
    endpoint = SlackEndpoint(
        secret=secret,
        token=token,
        base_url=settings.base_url,
        store=Store(app).add,
        read=read or Reads(app).answer,
        team=workspace.team,
        patience=PATIENCE,
    )

    tiers = (Tier(SMALL, Room(32 * MOST)), Tier(MOST, Room(8 * MOST), each=4, before=SMALL))
    knocks = Knocks(UNSIGNED_PER_MINUTE)

    async def events(request: Request) -> Response:
        address = request.client.host if request.client is not None else ""
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            if not may_be_signed(headers, time.time()):
                raise Refused(401, NOT_SIGNED)
            with Body(tiers, address, BODY_TIMEOUT) as reading:
                body = await reading.read(headers.get("content-length", "").encode(), request.receive)
                answer = await endpoint.answer(headers, body)
            if answer.status == 401:
                raise Refused(401, NOT_SIGNED)
        except Refused as refused:
            # What is rightly signed does not come here, however often its address was refused.
            if knocks.too_many(address):
                return JSONResponse({"error": SLOW_DOWN}, 429, {"retry-after": str(retry_after())})
            if refused.status in (401, 413):
                knocks.count(address)
            return JSONResponse({"error": str(refused)}, refused.status)
        return Response(answer.body, answer.status, {"content-type": answer.content_type})

    return [Route(PATH, events, methods=["POST"])]


async def learn_workspace(app: App) -> None:
    """Ask which workspace the token is of, so that it is known before the first person asks; raises nothing."""
    target = app.targets.get("slack")
    if target is None or getattr(target, "team", None) is not None:
        return
    try:
        await target.check()
    except SwitchyardError as error:
        log.warning("cannot tell yet which Slack workspace this is", reason=str(error))


class Store:
    """Puts interactions into the inbox, together with others that come at the same time."""

    def __init__(self, app: App) -> None:
        self._writer = Writer(app.database, app.interacted.set)

    async def add(self, interaction: Interaction) -> None:
        """Returns after the commit; a repeat of Slack's is stored once. Raises where the database does not answer."""
        # What only asks is answered at once: it is kept as having been, and nothing is made of it.
        asks = interaction.kind == "command" and interaction.action in READS
        row = Received(
            id=f"slack:{interaction.id}",
            event=interaction.kind,
            action=interaction.action,
            issue=interaction.issue or None,
            # Slack's own id tells repeats apart; two people may well do the very same.
            body_hash=hashlib.sha256(f"slack:{interaction.id}".encode()).hexdigest()[:32],
            received_at=interaction.at,
            state="ignored" if asks else "pending",
            payload="" if asks else interaction.to_json(),
            sender=interaction.person,
        )
        try:
            await self._writer.add(row)
        except Exception as error:
            log.error("an interaction could not be stored", kind=interaction.kind, error=brief(error))
            raise


@dataclass(slots=True)
class Workspace:
    """Whose requests are served: the workspace that the token is of, asked for once and in the background."""

    app: App
    _asked_at: float = float("-inf")
    _asking: "asyncio.Task[None] | None" = None

    def team(self) -> str | None:
        """The workspace's id; None while it is not known, and then it is being asked for."""
        target = self.app.targets.get("slack")
        known: str | None = getattr(target, "team", None)
        if known is None and target is not None and time.monotonic() > self._asked_at + ASK_AGAIN:
            self._asked_at = time.monotonic()
            self._asking = asyncio.ensure_future(learn_workspace(self.app))
        return known

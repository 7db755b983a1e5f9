"""Slack's requests through Bolt: checked, stored and answered in time; nothing else is done here."""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from integrations.slack.commands import answer_person
from integrations.slack.webhook import (
    MOST_COMMAND,
    READS,
    Interaction,
    interaction_of,
    is_signed,
    may_reply,
    response_url_of,
    team_of,
)

log = logging.getLogger("switchyard.slack")

MOST = 1024 * 1024
"""Bytes of a body; Slack's own are a few kilobytes."""
PATIENCE = 2.5
"""Seconds after which a person is told to try again; Slack gives up after three."""
CONTENT_TYPES = ("application/x-www-form-urlencoded", "application/json")

HELP = (
    "`/triage status` how it goes  ·  `/triage queue` what waits  ·  `/triage why owner/name#1` what spoke for it\n"
    "`/triage route owner/name#1 bug` correct it  ·  `/triage run` look now  ·  `/triage mute 2h` less noise here"
)
TRY_AGAIN = "This cannot be answered just now, and may not have been noted. Please try again in a moment."
NOT_SERVED = "This workspace is not served by this bot."
NOT_SIGNED = "The signature does not fit, or the request is more than five minutes off."
UNKNOWN = "This button is not known here any more; the newest message about the issue has one that works."
TOO_LONG = f"That is too long for a command; {MOST_COMMAND} characters are enough. `/triage help` tells what there is."
_ANY = re.compile(r"(?s).*")

Store = Callable[[Interaction], Awaitable[None]]
"""Stores an interaction, or raises; a repeat is stored once."""
Words = str | Sequence[Mapping[str, Any]]
"""What is answered: mrkdwn, or blocks."""
Reader = Callable[[Interaction], Awaitable[Words]]
"""What a command says that changes nothing."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: int
    body: str = ""
    content_type: str = "application/json;charset=utf-8"


@dataclass(slots=True)
class SlackEndpoint:
    """One workspace's door: what `store` has taken is answered, whatever else goes on."""

    secret: str
    token: str
    base_url: str
    store: Store
    read: Reader
    team: Callable[[], str | None] = lambda: None
    """The workspace's id; None while it is not known. Called for each request: it must not wait."""
    patience: float = PATIENCE
    _bolt: AsyncApp = field(init=False)
    _asides: "set[asyncio.Task[None]]" = field(default_factory=set)

    def __post_init__(self) -> None:
        self._bolt = _bolt(self)

    async def answer(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """The answer to one request. Header names are in lower case. Raises nothing that a sender could cause."""
        if len(body) > MOST:
            return _refused(413, f"A request has at most {MOST} bytes.")
        if not is_signed(body, headers, self.secret, time.time()):
            return _refused(401, NOT_SIGNED)
        if headers.get("content-type", "").split(";")[0].strip().lower() not in CONTENT_TYPES:
            return _refused(400, "Slack sends forms or JSON.")
        try:
            request = AsyncBoltRequest(body=body.decode("utf-8"), headers=dict(headers))
            if not isinstance(request.body, dict):
                return _refused(400, "The payload is not an object.")
        except (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError):
            return _refused(400, "The payload cannot be read.")
        try:
            async with asyncio.timeout(self.patience):
                answered = await self._bolt.async_dispatch(request)
        except TimeoutError:
            return self._try_again(request.body)
        except (TypeError, AttributeError, KeyError, IndexError):
            # Bolt trips over shapes that Slack never sends.
            return _refused(400, "The payload cannot be read.")
        if answered.status == 404:
            return Reply(200)
        if answered.status >= 500:
            return self._try_again(request.body)
        kind = answered.first_headers().get("content-type", "text/plain;charset=utf-8")
        return Reply(answered.status, answered.body, kind)

    def _try_again(self, payload: Mapping[str, Any]) -> Reply:
        """Say that nothing was noted, in the way that each kind of request shows it."""
        if isinstance(payload.get("command"), str):
            return Reply(200, TRY_AGAIN, "text/plain;charset=utf-8")
        # A failed press shows a warning sign beside the button; an event is sent again.
        self.say_aside(payload, TRY_AGAIN)
        return _refused(503, TRY_AGAIN)

    def say_aside(self, payload: Mapping[str, Any], text: str) -> None:
        """Tell the person alone, beside the answer and without waiting; where there is no way to, nothing."""
        url = response_url_of(payload)
        if url and may_reply(url, self.base_url):
            task = asyncio.ensure_future(answer_person(url, text))
            self._asides.add(task)
            task.add_done_callback(self._asides.discard)


def _refused(status: int, words: str) -> Reply:
    return Reply(status, f'{{"error": "{words}"}}')


def _bolt(door: SlackEndpoint) -> AsyncApp:
    """Bolt with one listener for each kind of request; it calls Slack for none of them."""
    # Bolt's own lines hold whole payloads; what a person did is in the database, and errors are raised here.
    logger = logging.getLogger("switchyard.slack.bolt")
    logger.setLevel(logging.CRITICAL + 1)

    async def authorize(**known: Any) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=known.get("team_id"), bot_token=door.token)

    app = AsyncApp(
        logger=logger,
        name="switchyard",
        signing_secret=door.secret,
        client=AsyncWebClient(base_url=door.base_url, logger=logger),
        authorize=authorize,
        # A listener ends before the answer leaves: what is answered is stored.
        process_before_response=True,
        ssl_check_enabled=False,
        attaching_function_token_enabled=False,
    )

    async def served(body: dict[str, Any], next: Callable[[], Awaitable[None]]) -> BoltResponse | None:
        ours, theirs = door.team(), team_of(body)
        if ours is not None and theirs != ours:
            door.say_aside(body, NOT_SERVED) if "command" not in body else None
            return BoltResponse(status=200, body=NOT_SERVED if "command" in body else "")
        await next()
        return None

    async def pressed(ack: Any, body: dict[str, Any]) -> None:
        interaction = interaction_of(body, time.time())
        if interaction is None:
            door.say_aside(body, UNKNOWN)
        else:
            await door.store(interaction)
        await ack()

    async def typed(ack: Any, body: dict[str, Any]) -> None:
        if len(str(body.get("text") or "")) > MOST_COMMAND:
            await ack(text=TOO_LONG, response_type="ephemeral")
            return
        interaction = interaction_of(body, time.time())
        if interaction is None or interaction.action == "help":
            await ack(text=HELP, response_type="ephemeral")
            return
        if interaction.action in READS and door.team() is None:
            # Whoever made the app can install it elsewhere too: nothing is told before it is known whom.
            await ack(text=TRY_AGAIN, response_type="ephemeral")
            return
        await door.store(interaction)
        if interaction.action not in READS:
            await ack(text="Noted.", response_type="ephemeral")
            return
        words = await door.read(interaction)
        if isinstance(words, str):
            await ack(text=words, response_type="ephemeral")
        else:
            await ack(text="", blocks=[dict(block) for block in words], response_type="ephemeral")

    async def happened(ack: Any, body: dict[str, Any]) -> None:
        interaction = interaction_of(body, time.time())
        if interaction is not None:
            await door.store(interaction)
        await ack()

    async def failed(error: Exception) -> BoltResponse:
        # By its name alone: an exception's words may hold what was typed.
        log.error("an interaction was not taken: %s", type(error).__name__)
        return BoltResponse(status=503)

    app.error(failed)
    app.middleware(served)
    app.action(_ANY)(pressed)
    app.command(_ANY)(typed)
    app.event(_ANY)(happened)
    return app

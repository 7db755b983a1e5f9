"""Slack over slack_sdk: the target of the slack lane."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from integrations.base import Answer
from integrations.resilience import Guard, retry_after
from integrations.slack.settings import SlackSettings
from models.commands import Pending
from models.errors import RateLimited, Rejected, SwitchyardError, Transient, Unauthorized

CLOCK_SKEW = timedelta(minutes=10)
MOST_PAGES = 5
"""Pages of channels, of a thousand each, that are looked through for a name."""
_CREDENTIAL = {
    "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope",
    "no_permission", "not_allowed_token_type",
}  # fmt: skip
_PASSING = {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}


class SlackClient:
    """One workspace's bot."""

    name = "slack"

    def __init__(self, settings: SlackSettings, token: str, guard: Guard) -> None:
        self._settings = settings
        self.guard = guard
        base_url = settings.base_url if settings.base_url.endswith("/") else settings.base_url + "/"
        self._web = AsyncWebClient(token=token, base_url=base_url, timeout=int(guard.timeout) or 1)
        self._web.retry_handlers.clear()
        self._session: aiohttp.ClientSession | None = None
        self._ids: dict[str, str] = {}

    def bulk_size(self, operation: str) -> int:
        return 1

    async def send(self, pendings: Sequence[Pending]) -> Sequence[Answer]:
        (pending,) = pendings
        if pending.command.operation != "post_message":
            raise Rejected(f"slack: unknown operation {pending.command.operation!r}")
        return [await self.guard.call(lambda: self._post(pending, self._channel_of(pending)))]

    def _channel_of(self, pending: Pending) -> str:
        security = pending.key.startswith("security:")
        fallback = self._settings.security_channel if security else self._settings.channel
        return str(pending.payload["channel"]) or fallback

    async def find(self, pendings: Sequence[Pending]) -> Mapping[str, Answer]:
        """Messages whose metadata names these commands.

        Reading them needs the scopes channels:read and channels:history (groups:… for private channels).
        Without them nothing is found, and a lost answer may repeat a message.
        """
        found: dict[str, Answer] = {}
        for pending in pendings:
            try:
                identifier = await self._identifier(self._channel_of(pending))
                if identifier is None:
                    continue
                since = f"{(pending.created_at - CLOCK_SKEW).timestamp():.6f}"
                answer = await self.guard.read(
                    lambda identifier=identifier, since=since: self._ask(  # type: ignore[misc]
                        "conversations.history",
                        channel=identifier,
                        oldest=since,
                        limit=200,
                        include_all_metadata="true",
                    )
                )
            except (Unauthorized, Rejected):
                continue
            for message in answer.get("messages") or ():
                payload = (message.get("metadata") or {}).get("event_payload") or {}
                if payload.get("key") == pending.key:
                    found[pending.key] = {"channel": identifier, "ts": message.get("ts")}
        return found

    async def _identifier(self, channel: str) -> str | None:
        """The id of a channel that was given by its name; None where the bot does not see it."""
        name = channel.lstrip("#")
        if not channel.startswith("#"):
            return channel
        if name not in self._ids:
            cursor = ""
            for _ in range(MOST_PAGES):
                answer = await self.guard.read(
                    lambda cursor=cursor: self._ask(  # type: ignore[misc]
                        "conversations.list", limit=1000, exclude_archived="true", cursor=cursor
                    )
                )
                self._ids |= {str(c.get("name")): str(c.get("id")) for c in answer.get("channels") or ()}
                cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
                if name in self._ids or not cursor:
                    break
        return self._ids.get(name)

    async def _ask(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        try:
            answer = await self._client().api_call(method, http_verb="GET", params=arguments)
        except Exception as error:
            raise _translate(error, "") from None
        data = answer.data
        return data if isinstance(data, dict) else {}

    async def check(self) -> str:
        async def who() -> str:
            try:
                answer = await self._client().auth_test()
            except Exception as error:
                raise _translate(error, "") from None
            return f"signed in as {answer.get('user')} of {answer.get('team')}"

        return await self.guard.call(who)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _client(self) -> AsyncWebClient:
        """With a session of our own: slack_sdk opens a connection for each request otherwise."""
        if self._session is None:
            self._session = self._web.session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self.guard.timeout)
            )
        return self._web

    async def _post(self, pending: Pending, channel: str) -> Answer:
        try:
            answer = await self._client().chat_postMessage(
                channel=channel,
                text=str(pending.payload["text"]),
                blocks=list(pending.payload["blocks"]),
                unfurl_links=False,
                unfurl_media=False,
                metadata={"event_type": "switchyard", "event_payload": {"key": pending.key}},
            )
        except Exception as error:
            raise _translate(error, channel) from None
        return {"channel": answer.get("channel"), "ts": answer.get("ts")}


def _translate(error: Exception, channel: str) -> SwitchyardError:
    if isinstance(error, SlackApiError):
        response = error.response
        status = int(getattr(response, "status_code", 0) or 0)
        code = str(response.get("error") or f"HTTP {status}") if response is not None else str(error)
        if status == 429 or code == "ratelimited":
            headers = {k.lower(): v for k, v in (response.headers or {}).items()}
            return RateLimited(
                "slack: too many requests", retry_after(headers.get("retry-after"), default=30)
            )
        if status >= 500 or code in _PASSING:
            return Transient(f"slack: {code}")
        if code in _CREDENTIAL:
            needed = response.get("needed")
            mend = f"add the scope {needed}" if needed else "renew SLACK_BOT_TOKEN"
            return Unauthorized(f"slack: {code}; {mend}")
        details = "; ".join((response.get("response_metadata") or {}).get("messages") or ())[:200]
        hint = f" (invite the bot to {channel} or correct the channel)" if "channel" in code else ""
        return Rejected(f"slack: {code}{hint}{f': {details}' if details else ''}", status=status)
    if isinstance(error, aiohttp.ClientConnectorError):
        return Transient(f"slack: cannot connect ({error.strerror or 'refused'})", maybe_sent=False)
    if isinstance(error, (aiohttp.ClientError, SlackClientError, OSError, ValueError)):
        return Transient(f"slack: {type(error).__name__} ({str(error)[:120]})")
    if isinstance(error, (TimeoutError, asyncio.TimeoutError)):
        return Transient("slack: no answer in time")
    raise error

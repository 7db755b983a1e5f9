"""Slack over slack_sdk: the target of the slack lane."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from integrations.base import Answer, Kind
from integrations.resilience import Guard, retry_after
from integrations.slack import commands
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
        self.base_url = base_url
        self._web = AsyncWebClient(token=token, base_url=base_url, timeout=int(guard.timeout) or 1)
        self._web.retry_handlers.clear()
        self._session: aiohttp.ClientSession | None = None
        self._ids: dict[str, str] = {}
        self._found: dict[str, Answer] = {}
        """Messages that a look-up met with an older payload."""
        self._team: str | None = None

    def bulk_size(self, operation: str) -> int:
        return 1

    async def send(self, pendings: Sequence[Pending]) -> Sequence[Answer]:
        (pending,) = pendings
        operation = pending.command.operation
        if operation == "post_message":
            answer = await commands.post_message(self, pending, self._channel_of(pending), self._found)
            self._found.pop(pending.key, None)
            return [answer]
        if operation not in _OPERATIONS:
            raise Rejected(f"slack: unknown operation {operation!r}")
        return [await _OPERATIONS[operation](self, pending)]

    def _channel_of(self, pending: Pending) -> str:
        security = pending.key.startswith("security:")
        fallback = self._settings.security_channel if security else self._settings.channel
        return str(pending.payload["channel"]) or fallback

    async def find(self, pendings: Sequence[Pending]) -> Mapping[str, Answer]:
        """Messages whose metadata names these commands, and charts that lie in their thread.

        What only edits or replaces is not looked for: it may be sent twice. A message that stands with an older
        payload is remembered, for it is to be edited. Reading needs the scopes channels:read and channels:history
        (groups:… for private channels). Without them nothing is found, and a lost answer may repeat a message.
        """
        found: dict[str, Answer] = {}
        for pending in pendings:
            operation = pending.command.operation
            if (
                operation not in ("post_message", "upload_chart")
                or commands.standing(pending, {}) is not None
            ):
                continue
            try:
                identifier, messages = await self._messages_about(pending)
            except (Unauthorized, Rejected):
                continue
            if operation == "upload_chart":
                file = commands.is_upload_in(messages, str(pending.payload["filename"]))
                if file is not None:
                    found[pending.key] = {"file": file, "channel": identifier}
                continue
            for message in messages:
                payload = (message.get("metadata") or {}).get("event_payload") or {}
                if payload.get("key") != pending.key:
                    continue
                answer = {"channel": identifier, "ts": message.get("ts")}
                if message.get("thread_ts"):
                    answer["thread"] = message["thread_ts"]
                if payload.get("payload") == pending.payload_hash:
                    found[pending.key] = answer
                else:
                    self._found[pending.key] = answer
        return found

    async def _messages_about(self, pending: Pending) -> tuple[str, list[Mapping[str, Any]]]:
        """The channel's id, and what was written there, or in the command's thread, since the command was stored."""
        since = f"{(pending.created_at - CLOCK_SKEW).timestamp():.6f}"
        if pending.payload.get("thread_of"):
            thread = commands.thread_of(pending)
            if thread is None:
                return "", []
            arguments = {"channel": thread["channel"], "ts": thread["ts"]}
            method, identifier = "conversations.replies", str(thread["channel"])
        else:
            known = await self._identifier(self._channel_of(pending))
            if known is None:
                return "", []
            arguments, method, identifier = {"channel": known}, "conversations.history", known
        answer = await self.guard.read(
            lambda: self._ask(method, **arguments, oldest=since, limit=200, include_all_metadata="true")
        )
        return identifier, list(answer.get("messages") or ())

    async def call(
        self, method: str, arguments: Mapping[str, Any], *, accept: tuple[str, ...] = (), kind: Kind = "write"
    ) -> Mapping[str, Any]:
        """One call that changes something; errors named in `accept` are answers."""

        async def once() -> Mapping[str, Any]:
            try:
                if method.startswith("files."):
                    # These take no JSON.
                    answer = await self._client().api_call(method, params=_flat(arguments))
                else:
                    answer = await self._client().api_call(method, json=dict(arguments))
            except SlackApiError as error:
                code = str(error.response.get("error")) if error.response is not None else ""
                if code in accept:
                    return {"ok": False, "error": code}
                raise _translate(error, str(arguments.get("channel", ""))) from None
            except AttributeError:
                # slack_sdk trips over an answer that is no JSON, as proxies give.
                raise Transient(f"slack: the answer to {method} is no JSON") from None
            except Exception as error:
                raise _translate(error, str(arguments.get("channel", ""))) from None
            return answer.data if isinstance(answer.data, dict) else {}

        return await self.guard.call(once, kind=kind)

    async def post(self, url: str, **body: Any) -> tuple[int, str]:
        """POST to an address that Slack gave; no token goes there, and no redirect is followed."""

        async def once() -> tuple[int, str]:
            self._client()
            assert self._session is not None
            try:
                async with self._session.post(url, allow_redirects=False, **body) as response:
                    return response.status, (await response.content.read(200)).decode("utf-8", "replace")
            except Exception as error:
                raise _translate(error, "") from None

        return await self.guard.call(once, kind="write")

    @property
    def team(self) -> str | None:
        """The workspace's id; None until `check` has asked for it."""
        return self._team

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
            self._team = str(answer.get("team_id") or "") or None
            return f"signed in as {answer.get('user')} of {answer.get('team')}"

        return await self.guard.call(who)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _client(self) -> AsyncWebClient:
        """With a session of our own: slack_sdk opens a connection for each request otherwise."""
        if self._session is None:
            watch = aiohttp.TraceConfig()
            watch.on_request_redirect.append(_refuse_redirect)
            self._session = self._web.session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self.guard.timeout), trace_configs=[watch]
            )
        return self._web


_OPERATIONS: Mapping[str, Callable[[commands.Web, Pending], Awaitable[Answer]]] = {
    "publish_home": commands.publish_home,
    "reply": commands.reply,
    "upload_chart": commands.upload_chart,
}


def _flat(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments for a query: what is no plain value goes as JSON."""
    return {k: json.dumps(v) if isinstance(v, list | dict) else v for k, v in arguments.items()}


async def _refuse_redirect(*_: object) -> None:
    """slack_sdk would follow one, and hand the message to whoever is named there."""
    raise Rejected("slack: redirected elsewhere, which is not followed; correct integrations.slack.base_url")


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

"""A stateful stand-in of Slack's Web API: messages with metadata, channels, users, and its pace."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any
from zlib import crc32

from integrations.sandbox_faults import REFUSED, Answer, Request, Router, json_answer
from integrations.slack.sandbox.channels import Channel, shown
from integrations.slack.sandbox.input import Refused, arguments, checked, number, true
from integrations.slack.sandbox.people import APP_ID, BOT_ID, BOT_USER_ID, PEOPLE, TEAM_ID, user
from integrations.slack.sandbox.views import Desk

MAX_TEXT = 40_000
_SCOPES = (
    b"chat:write,channels:read,channels:history,users:read,users:read.email,commands,im:write,files:write"
)


class SlackSandbox:
    """Methods by their names; any channel exists unless a control request took it away."""

    name = "slack"

    def __init__(self, *, enforce: bool, scale: float) -> None:
        self.router = Router()
        self.refused = 0
        self.base = "http://127.0.0.1"
        """Its own address, as the latest request named it."""
        self.missing: set[str] = set()
        self.channels: dict[str, Channel] = {}
        self.desk = Desk(self)
        self._enforce = enforce
        self._scale = scale
        self._last_ts = 0
        self._methods: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "api.test": lambda args: {"args": args},
            "auth.test": self._auth_test,
            "chat.delete": self._delete,
            "chat.getPermalink": self._permalink,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.postMessage": self._post,
            "chat.update": self.edit,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "conversations.info": lambda args: {"channel": shown(self.channel(args))},
            "conversations.list": self._list_channels,
            "conversations.open": self._open_conversation,
            "conversations.join": lambda args: {"channel": shown(self.channel(args))},
            "users.info": self._user_info,
            "users.list": self._list_users,
            "users.lookupByEmail": self._lookup,
            **self.desk.methods(),
        }
        for name, method in self._methods.items():
            handler = self._handler(method)
            self.router.add("POST", f"/api/{name}", handler)
            self.router.add("GET", f"/api/{name}", handler)
        self.router.add("POST", "/slack/upload/{id}", self.desk.upload)
        self.router.add("POST", "/slack/response/{id}", self.desk.respond)

    def _handler(self, method: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Request], Answer]:
        def handle(request: Request) -> Answer:
            try:
                return json_answer(200, {"ok": True, **method(arguments(request))})
            except Refused as refused:
                if refused.body["error"] == "ratelimited":
                    wait = str(refused.body.pop("wait")).encode()
                    return json_answer(429, refused.body, [(b"retry-after", wait)])
                return json_answer(200, refused.body)

        return handle

    # What the application calls.

    def begin(self, request: Request, template: str) -> Answer | None:
        """Check the token, which comes in a header, the form or the query."""
        host = request.headers.get("host")
        self.base = f"http://{host}" if host else self.base
        if template.startswith("/slack/"):
            return None
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            token = str(arguments(request, strict=False).get("token", ""))
        if not token:
            return json_answer(200, {"ok": False, "error": "not_authed"})
        if token == REFUSED:
            return json_answer(200, {"ok": False, "error": "invalid_auth"})
        return None

    def finish(self, request: Request, answer: Answer) -> Answer:
        """Say which scopes the token has, as Slack does on every answer."""
        headers = [*answer.headers, (b"x-oauth-scopes", _SCOPES)]
        return Answer(answer.status, answer.body, headers)

    def not_found(self, request: Request) -> Answer:
        """An unknown method is no 404 here."""
        return json_answer(200, {"ok": False, "error": "unknown_method"})

    def error(self, status: int) -> Answer:
        """An error for a fault."""
        names = {429: "ratelimited", 503: "service_unavailable"}
        return json_answer(status, {"ok": False, "error": names.get(status, "fatal_error")})

    def control_channel(self, name: str, exists: bool) -> None:
        """Take a channel away, or give it back."""
        key = name.lstrip("#")
        if exists:
            self.missing.discard(key)
        else:
            self.missing.add(key)

    def messages(self) -> list[dict[str, Any]]:
        """Every message that stands, with its channel, in the order of posting."""
        found = [
            {"channel": f"#{channel.name}", "channel_id": channel.id, **message}
            for channel in self.channels.values()
            for message in channel.messages.values()
        ]
        return sorted(found, key=lambda message: str(message["ts"]))

    # Messages.

    def channel(self, args: Mapping[str, Any], key: str = "channel") -> Channel:
        """The channel named, by "#name", name or number; a new one where the name is new."""
        text = str(args.get(key) or "").strip()
        known = self.channels.get(text)
        name = known.name if known else text.lstrip("#")
        if not name or name in self.missing or text in self.missing:
            raise Refused("channel_not_found")
        if known:
            return known
        kind = "D" if text in PEOPLE else "C"
        identifier = text if text.startswith(("C0", "D0", "G0")) else f"{kind}0{crc32(name.encode()):08X}"
        return self.channels.setdefault(identifier, Channel(identifier, name))

    def content(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """Text, blocks and metadata of a message, checked."""
        text, blocks = args.get("text"), args.get("blocks")
        if not text and not blocks and not args.get("attachments"):
            raise Refused("no_text")
        content: dict[str, Any] = {"text": str(text or "")[:MAX_TEXT]}
        if blocks is not None:
            content["blocks"] = checked(blocks)
        metadata = args.get("metadata")
        if metadata is not None:
            if not isinstance(metadata, dict) or set(metadata) != {"event_type", "event_payload"}:
                raise Refused("invalid_metadata_format")
            content["metadata"] = metadata
        return content

    def time_stamp(self) -> str:
        self._last_ts = max(self._last_ts + 1, time.time_ns() // 1000)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06}"

    def message(self, content: Mapping[str, Any], ts: str) -> dict[str, Any]:
        who = {"user": BOT_USER_ID, "bot_id": BOT_ID, "app_id": APP_ID, "team": TEAM_ID}
        return {"type": "message", "ts": ts, **who, **content}

    def _post(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = self.channel(args)
        if self._enforce:
            wait = channel.bucket.take(self._scale)
            if wait > 0:
                self.refused += 1
                raise Refused("ratelimited", wait=max(1, math.ceil(wait)))
        message = self.message(self.content(args), self.time_stamp())
        thread = args.get("thread_ts")
        if thread:
            if str(thread) not in channel.messages:
                raise Refused("thread_not_found")
            message["thread_ts"] = str(thread)
        channel.messages[message["ts"]] = message
        return {"channel": channel.id, "ts": message["ts"], "message": message}

    def _post_ephemeral(self, args: dict[str, Any]) -> dict[str, Any]:
        self.channel(args)
        if args.get("user") not in PEOPLE:
            raise Refused("user_not_in_channel")
        self.content(args)
        return {"message_ts": self.time_stamp()}

    def _find(self, args: Mapping[str, Any], key: str, error: str) -> tuple[Channel, dict[str, Any]]:
        channel = self.channel(args)
        message = channel.messages.get(str(args.get(key, "")))
        if message is None:
            raise Refused(error)
        return channel, message

    def edit(self, args: dict[str, Any]) -> dict[str, Any]:
        """Change a message that stands."""
        channel, message = self._find(args, "ts", "message_not_found")
        message.update(self.content(args), edited={"user": BOT_USER_ID, "ts": self.time_stamp()})
        return {"channel": channel.id, "ts": message["ts"], "text": message["text"], "message": message}

    def share(self, channel: str, files: list[dict[str, Any]], thread: Any) -> None:
        """A message that carries files."""
        found = self.channel({"channel": channel})
        message = self.message({"text": "", "files": files}, self.time_stamp())
        if thread:
            if str(thread) not in found.messages:
                raise Refused("invalid_arguments")
            message["thread_ts"] = str(thread)
        found.messages[message["ts"]] = message

    def _delete(self, args: dict[str, Any]) -> dict[str, Any]:
        channel, message = self._find(args, "ts", "message_not_found")
        del channel.messages[message["ts"]]
        return {"channel": channel.id, "ts": message["ts"]}

    def _permalink(self, args: dict[str, Any]) -> dict[str, Any]:
        channel, message = self._find(args, "message_ts", "message_not_found")
        ts = message["ts"].replace(".", "")
        return {"channel": channel.id, "permalink": f"https://sandbox.slack.com/archives/{channel.id}/p{ts}"}

    def _history(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = self.channel(args)
        return self._page(args, [m for m in reversed(channel.messages.values()) if "thread_ts" not in m])

    def _replies(self, args: dict[str, Any]) -> dict[str, Any]:
        channel, parent = self._find(args, "ts", "thread_not_found")
        ts = parent["ts"]
        return self._page(args, [m for m in channel.messages.values() if ts in (m["ts"], m.get("thread_ts"))])

    def _page(self, args: Mapping[str, Any], found: list[dict[str, Any]]) -> dict[str, Any]:
        oldest, latest = str(args.get("oldest") or "0"), str(args.get("latest") or "9999999999.999999")
        limit = min(max(number(args.get("limit"), 100), 1), 999)
        start = number(args.get("cursor"), 0)
        found = [m for m in found if oldest < m["ts"] < latest]
        if not true(args.get("include_all_metadata")):
            found = [{k: v for k, v in m.items() if k != "metadata"} for m in found]
        more = len(found) > start + limit
        cursor = str(start + limit) if more else ""
        page = {"messages": found[start : start + limit], "has_more": more, "pin_count": 0}
        return {**page, "response_metadata": {"next_cursor": cursor}}

    # Channels and people.

    def _auth_test(self, args: dict[str, Any]) -> dict[str, Any]:
        return {
            "url": "https://sandbox.slack.com/",
            "team": "Switchyard Sandbox",
            "user": "switchyard",
            "team_id": TEAM_ID,
            "user_id": BOT_USER_ID,
            "bot_id": BOT_ID,
            "is_enterprise_install": False,
        }

    def _list_channels(self, args: dict[str, Any]) -> dict[str, Any]:
        for name in ("triage", "security"):
            if name not in self.missing:
                self.channel({"channel": name})
        entries = [shown(c) for c in self.channels.values() if c.name not in self.missing]
        limit, start = min(number(args.get("limit"), 100), 1000), number(args.get("cursor"), 0)
        cursor = str(start + limit) if len(entries) > start + limit else ""
        return {"channels": entries[start : start + limit], "response_metadata": {"next_cursor": cursor}}

    def _open_conversation(self, args: dict[str, Any]) -> dict[str, Any]:
        if args.get("channel"):
            return {"channel": shown(self.channel(args))}
        people = [p for p in str(args.get("users") or "").split(",") if p]
        if not people:
            raise Refused("users_list_not_supplied")
        if not set(people) <= set(PEOPLE):
            raise Refused("user_not_found")
        channel = self.channel({"channel": people[0]})
        return {"no_op": False, "already_open": False, "channel": {"id": channel.id}}

    def _user_info(self, args: dict[str, Any]) -> dict[str, Any]:
        if args.get("user") not in PEOPLE:
            raise Refused("user_not_found")
        return {"user": user(args["user"])}

    def _list_users(self, args: dict[str, Any]) -> dict[str, Any]:
        members = [user(identifier) for identifier in PEOPLE]
        return {"members": members, "cache_ts": int(time.time()), "response_metadata": {"next_cursor": ""}}

    def _lookup(self, args: dict[str, Any]) -> dict[str, Any]:
        for identifier, (_, _, email) in PEOPLE.items():
            if email == args.get("email"):
                return {"user": user(identifier)}
        raise Refused("users_not_found")

"""A stateful stand-in of Slack's Web API: messages with metadata, channels, users, views, and its pace."""

import json
import math
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl
from zlib import crc32

from integrations.sandbox_faults import REFUSED, Answer, Request, Router, json_answer
from integrations.slack.sandbox_blocks import MAX_TOTAL_TEXT, check_blocks, total_text

TEAM_ID = "T0SANDBOX1"
BOT_USER_ID = "U0SANDBOXB"
BOT_ID = "B0SANDBOX1"
APP_ID = "A0SANDBOX1"
MAX_TEXT = 40_000
BURST = 5
"""Messages to one channel that may come at once; after them one a second."""
_SCOPES = b"chat:write,channels:read,channels:history,users:read,users:read.email,commands,im:write"
_PEOPLE = {
    "U0SANDBOX1": ("sam", "Sam Signal", "sam@example.com"),
    "U0SANDBOX2": ("robin", "Robin Router", "robin@example.com"),
}
_CHANNEL_FLAGS = (
    "is_group",
    "is_mpim",
    "is_private",
    "is_archived",
    "is_general",
    "is_shared",
    "is_ext_shared",
    "is_org_shared",
    "is_pending_ext_shared",
)
_PERSON_FLAGS = (
    "deleted",
    "is_admin",
    "is_owner",
    "is_primary_owner",
    "is_restricted",
    "is_ultra_restricted",
    "is_bot",
    "is_app_user",
)
_JSON_FIELDS = ("blocks", "attachments", "metadata", "view")


class _Refused(Exception):
    """Ends a method with `"ok": false`."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.body = {"ok": False, "error": error, **more}


class _Bucket:
    """Lets `BURST` messages through at once and then one a second."""

    def __init__(self) -> None:
        self.tokens = float(BURST)
        self.filled_at = time.monotonic()

    def take(self, per_second: float) -> float:
        """Seconds to wait; 0 where a message may go now."""
        now = time.monotonic()
        self.tokens = min(BURST, self.tokens + (now - self.filled_at) * per_second)
        self.filled_at = now
        if self.tokens < 1:
            return (1 - self.tokens) / per_second
        self.tokens -= 1
        return 0.0


class _Channel:
    """A channel and its messages by their time stamps."""

    def __init__(self, identifier: str, name: str) -> None:
        self.id = identifier
        self.name = name
        self.messages: dict[str, dict[str, Any]] = {}
        self.bucket = _Bucket()


class SlackSandbox:
    """Methods by their names; any channel exists unless a control request took it away."""

    name = "slack"

    def __init__(self, *, enforce: bool, scale: float) -> None:
        self.router = Router()
        self.refused = 0
        self.missing: set[str] = set()
        self.channels: dict[str, _Channel] = {}
        self.views: dict[str, dict[str, Any]] = {}
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
            "chat.update": self._update,
            "conversations.history": self._history,
            "conversations.info": lambda args: {"channel": self._shown(self._channel(args))},
            "conversations.list": self._list_channels,
            "conversations.open": self._open_conversation,
            "conversations.join": lambda args: {"channel": self._shown(self._channel(args))},
            "users.info": self._user_info,
            "users.list": self._list_users,
            "users.lookupByEmail": self._lookup,
            "views.open": self._open_view,
            "views.publish": self._open_view,
            "views.push": self._open_view,
            "views.update": self._update_view,
        }
        for name, method in self._methods.items():
            handler = self._handler(method)
            self.router.add("POST", f"/api/{name}", handler)
            self.router.add("GET", f"/api/{name}", handler)

    def _handler(self, method: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Request], Answer]:
        def handle(request: Request) -> Answer:
            try:
                return json_answer(200, {"ok": True, **method(_arguments(request))})
            except _Refused as refused:
                if refused.body["error"] == "ratelimited":
                    wait = str(refused.body.pop("wait")).encode()
                    return json_answer(429, refused.body, [(b"retry-after", wait)])
                return json_answer(200, refused.body)

        return handle

    # What the application calls.

    def begin(self, request: Request, template: str) -> Answer | None:
        """Check the token, which comes in a header, the form or the query."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            token = str(_arguments(request, strict=False).get("token", ""))
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

    def _channel(self, args: Mapping[str, Any], key: str = "channel") -> _Channel:
        """The channel named, by "#name", name or number; a new one where the name is new."""
        text = str(args.get(key) or "").strip()
        known = self.channels.get(text)
        name = known.name if known else text.lstrip("#")
        if not name or name in self.missing or text in self.missing:
            raise _Refused("channel_not_found")
        if known:
            return known
        kind = "D" if text in _PEOPLE else "C"
        identifier = text if text.startswith(("C0", "D0", "G0")) else f"{kind}0{crc32(name.encode()):08X}"
        return self.channels.setdefault(identifier, _Channel(identifier, name))

    def _content(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """Text, blocks and metadata of a message, checked."""
        text, blocks = args.get("text"), args.get("blocks")
        if not text and not blocks and not args.get("attachments"):
            raise _Refused("no_text")
        content: dict[str, Any] = {"text": str(text or "")[:MAX_TEXT]}
        if blocks is not None:
            content["blocks"] = _checked(blocks)
        metadata = args.get("metadata")
        if metadata is not None:
            if not isinstance(metadata, dict) or set(metadata) != {"event_type", "event_payload"}:
                raise _Refused("invalid_metadata_format")
            content["metadata"] = metadata
        return content

    def _time_stamp(self) -> str:
        self._last_ts = max(self._last_ts + 1, time.time_ns() // 1000)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06}"

    def _message(self, content: Mapping[str, Any], ts: str) -> dict[str, Any]:
        who = {"user": BOT_USER_ID, "bot_id": BOT_ID, "app_id": APP_ID, "team": TEAM_ID}
        return {"type": "message", "ts": ts, **who, **content}

    def _post(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(args)
        if self._enforce:
            wait = channel.bucket.take(self._scale)
            if wait > 0:
                self.refused += 1
                raise _Refused("ratelimited", wait=max(1, math.ceil(wait)))
        message = self._message(self._content(args), self._time_stamp())
        thread = args.get("thread_ts")
        if thread:
            if str(thread) not in channel.messages:
                raise _Refused("thread_not_found")
            message["thread_ts"] = str(thread)
        channel.messages[message["ts"]] = message
        return {"channel": channel.id, "ts": message["ts"], "message": message}

    def _post_ephemeral(self, args: dict[str, Any]) -> dict[str, Any]:
        self._channel(args)
        if args.get("user") not in _PEOPLE:
            raise _Refused("user_not_in_channel")
        self._content(args)
        return {"message_ts": self._time_stamp()}

    def _find(self, args: Mapping[str, Any], key: str, error: str) -> tuple[_Channel, dict[str, Any]]:
        channel = self._channel(args)
        message = channel.messages.get(str(args.get(key, "")))
        if message is None:
            raise _Refused(error)
        return channel, message

    def _update(self, args: dict[str, Any]) -> dict[str, Any]:
        channel, message = self._find(args, "ts", "message_not_found")
        message.update(self._content(args), edited={"user": BOT_USER_ID, "ts": self._time_stamp()})
        return {"channel": channel.id, "ts": message["ts"], "text": message["text"], "message": message}

    def _delete(self, args: dict[str, Any]) -> dict[str, Any]:
        channel, message = self._find(args, "ts", "message_not_found")
        del channel.messages[message["ts"]]
        return {"channel": channel.id, "ts": message["ts"]}

    def _permalink(self, args: dict[str, Any]) -> dict[str, Any]:
        channel, message = self._find(args, "message_ts", "message_not_found")
        ts = message["ts"].replace(".", "")
        return {"channel": channel.id, "permalink": f"https://sandbox.slack.com/archives/{channel.id}/p{ts}"}

    def _history(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(args)
        oldest, latest = str(args.get("oldest") or "0"), str(args.get("latest") or "9999999999.999999")
        limit = min(max(_number(args.get("limit"), 100), 1), 999)
        start = _number(args.get("cursor"), 0)
        found = [m for ts, m in reversed(channel.messages.items()) if oldest < ts < latest]
        if not _true(args.get("include_all_metadata")):
            found = [{k: v for k, v in m.items() if k != "metadata"} for m in found]
        more = len(found) > start + limit
        cursor = str(start + limit) if more else ""
        page = {"messages": found[start : start + limit], "has_more": more, "pin_count": 0}
        return {**page, "response_metadata": {"next_cursor": cursor}}

    # Channels, people, views.

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

    def _shown(self, channel: _Channel) -> dict[str, Any]:
        direct = channel.id.startswith("D")
        return {
            "id": channel.id,
            "name": channel.name,
            "name_normalized": channel.name,
            "is_channel": not direct,
            "is_im": direct,
            "is_member": True,
            **dict.fromkeys(_CHANNEL_FLAGS, False),
            "created": 1_704_067_200,
            "creator": "U0SANDBOX1",
            "unlinked": 0,
            "topic": {"value": "", "creator": "", "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0},
            "previous_names": [],
            "num_members": len(_PEOPLE) + 1,
        }

    def _list_channels(self, args: dict[str, Any]) -> dict[str, Any]:
        for name in ("triage", "security"):
            if name not in self.missing:
                self._channel({"channel": name})
        shown = [self._shown(c) for c in self.channels.values() if c.name not in self.missing]
        limit, start = min(_number(args.get("limit"), 100), 1000), _number(args.get("cursor"), 0)
        cursor = str(start + limit) if len(shown) > start + limit else ""
        return {"channels": shown[start : start + limit], "response_metadata": {"next_cursor": cursor}}

    def _open_conversation(self, args: dict[str, Any]) -> dict[str, Any]:
        if args.get("channel"):
            return {"channel": self._shown(self._channel(args))}
        people = [p for p in str(args.get("users") or "").split(",") if p]
        if not people:
            raise _Refused("users_list_not_supplied")
        if not set(people) <= set(_PEOPLE):
            raise _Refused("user_not_found")
        channel = self._channel({"channel": people[0]})
        return {"no_op": False, "already_open": False, "channel": {"id": channel.id}}

    def _user(self, identifier: str) -> dict[str, Any]:
        name, real_name, email = _PEOPLE[identifier]
        profile = {"real_name": real_name, "display_name": name, "email": email, "team": TEAM_ID}
        profile |= {
            "real_name_normalized": real_name,
            "display_name_normalized": name,
            "title": "",
            "phone": "",
        }
        profile |= {"avatar_hash": "0", "status_text": "", "status_emoji": "", "skype": ""}
        return {
            "id": identifier,
            "team_id": TEAM_ID,
            "name": name,
            "real_name": real_name,
            **dict.fromkeys(_PERSON_FLAGS, False),
            "tz": "Etc/UTC",
            "tz_label": "Coordinated Universal Time",
            "tz_offset": 0,
            "updated": 1_704_067_200,
            "profile": profile,
        }

    def _user_info(self, args: dict[str, Any]) -> dict[str, Any]:
        if args.get("user") not in _PEOPLE:
            raise _Refused("user_not_found")
        return {"user": self._user(args["user"])}

    def _list_users(self, args: dict[str, Any]) -> dict[str, Any]:
        members = [self._user(identifier) for identifier in _PEOPLE]
        return {"members": members, "cache_ts": int(time.time()), "response_metadata": {"next_cursor": ""}}

    def _lookup(self, args: dict[str, Any]) -> dict[str, Any]:
        for identifier, (_, _, email) in _PEOPLE.items():
            if email == args.get("email"):
                return {"user": self._user(identifier)}
        raise _Refused("users_not_found")

    def _open_view(self, args: dict[str, Any]) -> dict[str, Any]:
        if not args.get("trigger_id") and not args.get("user_id"):
            raise _Refused("invalid_arguments")
        identifier = f"V0{len(self.views):08}"
        return {"view": self._keep_view(identifier, args.get("view"))}

    def _update_view(self, args: dict[str, Any]) -> dict[str, Any]:
        identifier = str(args.get("view_id", ""))
        if identifier not in self.views:
            raise _Refused("not_found")
        return {"view": self._keep_view(identifier, args.get("view"))}

    def _keep_view(self, identifier: str, view: Any) -> dict[str, Any]:
        if not isinstance(view, dict) or view.get("type") not in ("modal", "home"):
            raise _Refused("invalid_arguments", response_metadata={"messages": ["[ERROR] invalid view"]})
        _checked(view.get("blocks"), view=True)
        mark = f"{time.time_ns()}.{crc32(identifier.encode()):08x}"
        kept = {
            **view,
            "id": identifier,
            "team_id": TEAM_ID,
            "hash": mark,
            "bot_id": BOT_ID,
            "app_id": APP_ID,
        }
        self.views[identifier] = kept
        return kept


def _checked(blocks: Any, *, view: bool = False) -> list[Any]:
    faults = check_blocks(blocks, view=view)
    if faults:
        raise _Refused("invalid_blocks", errors=faults, response_metadata={"messages": faults})
    found: list[Any] = blocks
    if not view and total_text(found) > MAX_TOTAL_TEXT:
        raise _Refused("msg_blocks_too_long")
    return found


def _arguments(request: Request, *, strict: bool = True) -> dict[str, Any]:
    """Arguments from the query and from a JSON or form body; JSON inside a form is read as well."""
    args: dict[str, Any] = dict(request.query)
    if request.body:
        if "json" in request.headers.get("content-type", ""):
            try:
                data = request.json()
            except ValueError:
                data = None
            if not isinstance(data, dict):
                if strict:
                    raise _Refused("invalid_json")
                data = {}
            args |= data
        else:
            args |= parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    for name in _JSON_FIELDS:
        if isinstance(args.get(name), str):
            try:
                args[name] = json.loads(args[name]) if args[name] else None
            except ValueError:
                if strict:
                    raise _Refused(f"invalid_{name}_format") from None
    return args


def _number(value: Any, default: int) -> int:
    text = str(value if value is not None else "")
    return int(text) if text.isdecimal() else default


def _true(value: Any) -> bool:
    return str(value).lower() in ("true", "1")

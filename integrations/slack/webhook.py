"""What Slack sends: is it signed, and what did a person press, type or open? No I/O."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal
from urllib.parse import urlsplit

SIGNATURE, TIMESTAMP = "x-slack-signature", "x-slack-request-timestamp"
MOST_SKEW = 300
"""Seconds that a request may be older, or further ahead, than our clock."""
MOST_COMMAND = 400
"""Characters of a slash command's text; a reference and a route need fewer than half of them."""

BUTTONS = ("route", "why", "snooze", "ignore", "approve", "hold")
"""What a button asks for; "other" and "decide" are menus whose choice is one of these."""
READS = ("status", "why", "queue", "help")
"""Commands that change nothing; they are answered at once."""
COMMANDS = (*READS, "run", "route", "mute", "unmute")

Kind = Literal["button", "command", "home"]
PREFIX = "switchyard:"
_LONGEST = {"value": 200, "issue": 200, "response_url": 600, "person_name": 80}
_LONGEST_FIELD = 100
_REF = re.compile(r"[A-Za-z0-9_.-]{1,64}/[A-Za-z0-9_.-]{1,100}#[0-9]{1,10}", re.ASCII)
_PAGE = re.compile(
    r"/([A-Za-z0-9_.-]{1,64})/([A-Za-z0-9_.-]{1,100})/(?:issues|pull)/([0-9]{1,10})/?", re.ASCII
)
_STAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}", re.ASCII)
_UNSEEN = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One thing that a person did in Slack. Every text is bounded and holds no control characters."""

    id: str
    """Slack's own name of it, the same in every repeat."""
    kind: Kind
    action: str
    """One of BUTTONS or COMMANDS; "open" where the home tab was opened."""
    value: str = ""
    """The route that was chosen; what followed the word of a command."""
    issue: str = ""
    """owner/name#n where one is meant; it need not be one of ours."""
    person: str
    person_name: str = ""
    team: str = ""
    channel: str = ""
    channel_name: str = ""
    message: str = ""
    """Time stamp of the message with the button."""
    thread: str = ""
    response_url: str = ""
    at: float = 0.0
    """Epoch seconds when it came."""

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Interaction":
        """What `to_json` wrote, also by another version; ValueError where it is no such thing."""
        try:
            data = json.loads(text)
        except RecursionError:
            raise ValueError("too deep for an interaction") from None
        if not isinstance(data, dict) or not all(
            _text(data.get(k)) for k in ("id", "kind", "action", "person")
        ):
            raise ValueError("not an interaction")
        kept: dict[str, Any] = {
            f.name: _bounded(f.name, data.get(f.name)) for f in fields(cls) if f.name != "at"
        }
        at = data.get("at")
        return cls(**kept, at=float(at) if isinstance(at, int | float) else 0.0)


def is_signed(body: bytes, headers: Mapping[str, str], secret: str, now: float) -> bool:
    """Is this Slack's signature of this body, made within five minutes of `now`? Never raises.

    https://docs.slack.dev/authentication/verifying-requests-from-slack/
    """
    if not may_be_signed(headers, now):
        return False
    stamp, signature = headers[TIMESTAMP], headers[SIGNATURE]
    made = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={made}".encode(), signature.encode("utf-8", "replace"))


def may_be_signed(headers: Mapping[str, str], now: float) -> bool:
    """Do the headers look like a signature of Slack's made just now? Asked before the body is read."""
    stamp, signature = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")
    if not _STAMP.fullmatch(stamp) or not _SIGNATURE.fullmatch(signature):
        return False
    return abs(now - int(stamp)) <= MOST_SKEW


def interaction_of(body: Mapping[str, Any], at: float = 0.0) -> Interaction | None:
    """What a person did, of any payload of Slack's; None where it is nothing that this bot knows. Never raises."""
    if body.get("type") == "block_actions":
        return _pressed(body, at)
    if _text(body.get("command")).startswith("/"):
        return _typed(body, at)
    event = _part(body, "event")
    if body.get("type") == "event_callback" and event.get("type") == "app_home_opened":
        return _opened(body, event, at)
    return None


def team_of(body: Mapping[str, Any]) -> str:
    """The workspace that a payload comes from; empty where it does not say."""
    for found in (_part(body, "team").get("id"), body.get("team_id"), _part(body, "user").get("team_id")):
        if _text(found):
            return _bounded("team", found)
    return ""


def response_url_of(body: Mapping[str, Any]) -> str:
    """Where an answer that only this person sees may be sent; empty where there is no such place."""
    return _bounded("response_url", body.get("response_url"))


def may_reply(url: str, base_url: str) -> bool:
    """Is this address one of Slack's for answers (or of the stand-in that `base_url` names)?"""
    try:
        to, base = urlsplit(url), urlsplit(base_url)
        if to.username is not None or to.password is not None:
            return False
        if to.scheme == "https" and to.hostname == "hooks.slack.com" and to.port in (None, 443):
            return True
        return (to.scheme, to.netloc) == (base.scheme, base.netloc)
    except ValueError:
        return False


def _pressed(body: Mapping[str, Any], at: float) -> Interaction | None:
    actions = body.get("actions")
    pressed = actions[0] if isinstance(actions, list) and actions else None
    if not isinstance(pressed, dict) or not _text(pressed.get("action_id")).startswith(PREFIX):
        return None
    person, channel, container = _part(body, "user"), _part(body, "channel"), _part(body, "container")
    action, _, value = _text(pressed["action_id"])[len(PREFIX) :].partition(":")
    chosen = _text(_part(pressed, "selected_option").get("value"))
    if action == "other":
        action, value = "route", chosen
    elif action == "decide":
        action, _, value = chosen.partition(":")
    # A menu has no value of its own to carry the issue, so its block's name does.
    ref = ref_of(_text(pressed.get("value"))) or ref_of(_text(pressed.get("block_id")).partition(":")[2])
    if action not in BUTTONS or not _text(person.get("id")) or not ref or (action == "route" and not value):
        return None
    message = _part(body, "message")
    return _made(
        body,
        at,
        kind="button",
        action=action,
        value=value,
        issue=ref,
        person=person["id"],
        person_name=person.get("name") or person.get("username"),
        channel=channel.get("id") or container.get("channel_id"),
        channel_name=channel.get("name"),
        message=container.get("message_ts") or message.get("ts"),
        thread=container.get("thread_ts") or message.get("thread_ts"),
    )


def _typed(body: Mapping[str, Any], at: float) -> Interaction | None:
    if not _text(body.get("user_id")):
        return None
    words = _clean(_text(body.get("text")), MOST_COMMAND).split()
    action = words[0].lower() if words else "help"
    rest = words[1:]
    if action not in COMMANDS:
        action, rest = "help", words
    ref = ref_of(rest[0]) if rest else ""
    return _made(
        body,
        at,
        kind="command",
        action=action,
        value=" ".join(rest[1:] if ref else rest),
        issue=ref,
        person=body["user_id"],
        person_name=body.get("user_name"),
        channel=body.get("channel_id"),
        channel_name=body.get("channel_name"),
    )


def _opened(body: Mapping[str, Any], event: Mapping[str, Any], at: float) -> Interaction | None:
    if not _text(event.get("user")) or event.get("tab", "home") != "home":
        return None
    return _made(body, at, kind="home", action="open", person=event["user"], channel=event.get("channel"))


def ref_of(text: str) -> str:
    """owner/name#n from a reference or from an issue's address, also as Slack writes links; else empty."""
    text = _clean(text, 400).strip("<>").partition("|")[0]
    if _REF.fullmatch(text):
        return text
    try:
        address = urlsplit(text)
    except ValueError:
        return ""
    page = _PAGE.fullmatch(address.path) if address.scheme in ("http", "https") else None
    return f"{page[1]}/{page[2]}#{page[3]}" if page else ""


def _made(body: Mapping[str, Any], at: float, **found: Any) -> Interaction:
    kind: Kind = found.pop("kind")
    kept = {name: _bounded(name, value) for name, value in found.items()}
    return Interaction(
        id=_id(body), kind=kind, team=team_of(body), response_url=response_url_of(body), at=at, **kept
    )


def _id(body: Mapping[str, Any]) -> str:
    for name in ("event_id", "trigger_id"):
        if _ID.fullmatch(_text(body.get(name))):
            return str(body[name])
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _bounded(name: str, value: Any) -> str:
    return _clean(_text(value), _LONGEST.get(name, _LONGEST_FIELD))


def _clean(text: str, limit: int) -> str:
    # Cut first: what is thrown away need not be cleaned.
    return " ".join(_UNSEEN.sub("", text[: 2 * limit]).split())[:limit]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = body.get(name)
    return found if isinstance(found, dict) else {}

"""People at work in the Slack stand-in: presses, commands and opened tabs, signed as Slack signs them."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from integrations.sandbox_faults import ControlError
from integrations.slack.sandbox.input import Refused
from integrations.slack.sandbox.people import APP_ID, PEOPLE, SIGNING_SECRET, TEAM_ID

if TYPE_CHECKING:
    from integrations.slack.sandbox.service import SlackSandbox

OPTIONS = ("to", "secret", "skew", "team")
"""What may stand beside each: where to send it, and what is to be wrong with it."""
_PRESS = ("channel", "ts", "home", "action_id", "value", "block_id", "user")
_SLASH = ("text", "command", "channel", "user")
_HOME = ("user", "tab")

Signed = dict[str, Any]
"""{"headers": …, "body": …} of one request."""


def press(slack: "SlackSandbox", data: Mapping[str, Any], options: Mapping[str, Any]) -> Signed:
    """Somebody presses a button, or chooses from a menu, of a message or home tab that stands."""
    _known(data, _PRESS)
    person = _person(data)
    if data.get("home") is not None:
        owner = _person({"user": data["home"]})
        view = slack.desk.homes.get(owner)
        if view is None:
            raise ControlError(f"{owner} has no home tab yet")
        element = _element(view["blocks"], data)
        where: dict[str, Any] = {"container": {"type": "view", "view_id": view["id"]}, "view": view}
        return _sign_payload(slack, person, element, where, options)
    try:
        channel = slack.channel({"channel": data.get("channel")})
    except Refused as refused:
        raise ControlError(str(refused)) from None
    message = channel.messages.get(str(data.get("ts")))
    if message is None:
        raise ControlError(f"there is no message {data.get('ts')!r} in #{channel.name}")
    element = _element(message.get("blocks") or [], data)
    ts = str(message["ts"])
    container = {"type": "message", "message_ts": ts, "channel_id": channel.id, "is_ephemeral": False}
    if "thread_ts" in message:
        container["thread_ts"] = message["thread_ts"]
    where = {
        "container": container,
        "channel": {"id": channel.id, "name": channel.name},
        "message": message,
        "response_url": slack.desk.response_url(channel.id, ts, person),
    }
    return _sign_payload(slack, person, element, where, options)


def slash(slack: "SlackSandbox", data: Mapping[str, Any], options: Mapping[str, Any]) -> Signed:
    """Somebody types a command."""
    _known(data, _SLASH)
    person = _person(data)
    try:
        channel = slack.channel({"channel": data.get("channel") or "#triage"})
    except Refused as refused:
        raise ControlError(str(refused)) from None
    form = {
        "token": "verification_token",
        "team_id": options.get("team", TEAM_ID),
        "team_domain": "sandbox",
        "channel_id": channel.id,
        "channel_name": channel.name,
        "user_id": person,
        "user_name": PEOPLE[person][0],
        "command": data.get("command", "/triage"),
        "text": str(data.get("text", "")),
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": slack.desk.response_url(channel.id, "", person),
        "trigger_id": _trigger(slack),
    }
    return _signed(urlencode(form), "application/x-www-form-urlencoded", options)


def home(slack: "SlackSandbox", data: Mapping[str, Any], options: Mapping[str, Any]) -> Signed:
    """Somebody opens the bot's home tab."""
    _known(data, _HOME)
    now = time.time()
    event = {
        "type": "app_home_opened",
        "user": _person(data),
        "channel": "D0SANDBOX1",
        "tab": data.get("tab", "home"),
        "event_ts": f"{now:.6f}",
    }
    body = {
        "token": "verification_token",
        "team_id": options.get("team", TEAM_ID),
        "api_app_id": APP_ID,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev0{slack.time_stamp().replace('.', '')}",
        "event_time": int(now),
        "is_ext_shared_channel": False,
    }
    return _signed(json.dumps(body), "application/json", options)


def _sign_payload(
    slack: "SlackSandbox",
    person: str,
    element: Mapping[str, Any],
    where: Mapping[str, Any],
    options: Mapping[str, Any],
) -> Signed:
    team = options.get("team", TEAM_ID)
    name = PEOPLE[person][0]
    payload = {
        "type": "block_actions",
        "user": {"id": person, "username": name, "name": name, "team_id": team},
        "api_app_id": APP_ID,
        "token": "verification_token",
        "trigger_id": _trigger(slack),
        "team": {"id": team, "domain": "sandbox"},
        "enterprise": None,
        "is_enterprise_install": False,
        **where,
        "actions": [{**element, "action_ts": slack.time_stamp()}],
    }
    body = urlencode({"payload": json.dumps(payload)})
    return _signed(body, "application/x-www-form-urlencoded", options)


def _element(blocks: list[Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """What Slack tells of the button or menu that is meant; ControlError names those that there are."""
    wanted, value, block_id = data.get("action_id"), data.get("value"), data.get("block_id")
    for name, element in _elements(blocks):
        if element.get("action_id") != wanted or block_id not in (None, name):
            continue
        kept = {"action_id": wanted, "block_id": name, "type": element["type"]}
        options = element.get("options")
        if options is None and value in (None, element.get("value")):
            return {**kept, "text": element["text"], "value": element.get("value")}
        for option in options or ():
            if option["value"] == value:
                return {**kept, "placeholder": element.get("placeholder"), "selected_option": option}
    there = [
        f"{element.get('action_id')}={element.get('value') or [o['value'] for o in element.get('options', ())]}"
        for _, element in _elements(blocks)
    ]
    raise ControlError(f"no button {wanted!r} with {value!r} there; there are {', '.join(there) or 'none'}")


def _elements(blocks: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for at, block in enumerate(blocks):
        name = str(block.get("block_id") or f"b{at}")
        found = [*block.get("elements", ()), *([block["accessory"]] if "accessory" in block else [])]
        yield from ((name, element) for element in found if "action_id" in element)


def _signed(body: str, content_type: str, options: Mapping[str, Any]) -> Signed:
    stamp = str(int(time.time() + float(options.get("skew", 0))))
    secret = str(options.get("secret", SIGNING_SECRET))
    made = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {
        "content-type": content_type,
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": f"v0={made}",
    }
    return {"headers": headers, "body": body}


def _trigger(slack: "SlackSandbox") -> str:
    return f"{slack.time_stamp()}.sandbox"


def _person(data: Mapping[str, Any]) -> str:
    text = str(data.get("user", "sam"))
    for identifier, (name, *_) in PEOPLE.items():
        if text in (identifier, name):
            return identifier
    raise ControlError(f"there is no person {text!r}; there are {', '.join(n for n, *_ in PEOPLE.values())}")


def _known(data: Mapping[str, Any], known: tuple[str, ...]) -> None:
    unknown = [key for key in data if key not in known]
    if unknown:
        raise ControlError(f"unknown key {unknown[0]!r}; known: {', '.join(known)}")

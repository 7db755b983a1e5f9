"""The Slack stand-in: calls, Block Kit against schema, SDK and limits, its memory."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.contracts.api import Api
from tests.contracts.spec import spec


def mrkdwn(text: str) -> dict[str, Any]:
    """A text object."""
    return {"type": "mrkdwn", "text": text}


def plain(text: str) -> dict[str, Any]:
    """The other one."""
    return {"type": "plain_text", "text": text}


def section(text: str) -> dict[str, Any]:
    """A section with a text."""
    return {"type": "section", "text": mrkdwn(text)}


def button(**more: Any) -> dict[str, Any]:
    """A button that does something."""
    return {"type": "button", "text": plain("Open"), "action_id": "open", **more}


GOOD: list[list[dict[str, Any]]] = [
    [section("x" * 3000)],
    [{"type": "header", "text": plain("x" * 150)}, {"type": "divider"}],
    [{"type": "section", "fields": [mrkdwn("x" * 2000)] * 2}],
    [{"type": "section", "text": plain("x"), "accessory": button(value="x" * 2000)}],
    [{"type": "context", "elements": [mrkdwn("a"), plain("b")]}],
    [{"type": "actions", "elements": [button(action_id=f"a{n}", style="danger") for n in range(25)]}],
    [{"type": "divider"}] * 50,
    [{"type": "markdown", "text": "# Hello"}],
]
BAD: list[list[dict[str, Any]]] = [
    [section("x" * 3001)],
    [{"type": "header", "text": plain("x" * 151)}],
    [{"type": "header", "text": mrkdwn("x")}],
    [{"type": "section"}],
    [{"type": "section", "fields": [mrkdwn("x")] * 11}],
    [{"type": "section", "fields": [mrkdwn("x" * 2001)]}],
    [{"type": "actions", "elements": [button(action_id=f"a{n}") for n in range(26)]}],
    [{"type": "actions", "elements": [button(text=plain("x" * 76))]}],
    [{"type": "actions", "elements": [button(value="x" * 2001)]}],
    [{"type": "context", "elements": [mrkdwn("x")] * 11}],
    [{"type": "surprise"}],
    [{"type": "divider"}] * 51,
    [{"type": "image", "image_url": "https://example.com/a.png"}],
]


@pytest.mark.parametrize("blocks", GOOD)
def test_good_blocks_pass_here_and_there(api: Api, blocks: list[dict[str, Any]]) -> None:
    assert spec().slack.block_problems(blocks) == []
    assert api.slack("chat.postMessage", channel="#triage", text="x", blocks=blocks).json["ok"]


@pytest.mark.parametrize("blocks", BAD)
def test_bad_blocks_are_refused_here_and_there(api: Api, blocks: list[dict[str, Any]]) -> None:
    assert spec().slack.block_problems(blocks)
    with api.app.wrong_on_purpose():
        reply = api.slack("chat.postMessage", channel="#triage", text="x", blocks=blocks).json
    assert reply["error"] == "invalid_blocks" and reply["response_metadata"]["messages"]


def test_all_blocks_together_have_a_limit(api: Api) -> None:
    reply = api.slack("chat.postMessage", channel="#triage", text="x", blocks=[section("x" * 2700)] * 5)
    assert reply.json["error"] == "msg_blocks_too_long"


def test_message_is_posted_edited_read_and_deleted(api: Api) -> None:
    metadata = {"event_type": "digest", "event_payload": {"run": "1"}}
    posted = api.slack("chat.postMessage", channel="#triage", text="one", metadata=metadata).json
    where = {"channel": posted["channel"], "ts": posted["ts"]}
    assert api.slack("chat.update", **where, text="two").json["text"] == "two"
    history = api.slack("conversations.history", channel=posted["channel"], include_all_metadata=True).json
    assert (history["messages"][0]["text"], history["messages"][0]["metadata"]) == ("two", metadata)
    assert [m["channel"] for m in api.read("messages")] == ["#triage"]
    headers = {"authorization": "Bearer x"}
    query = {"channel": posted["channel"], "message_ts": posted["ts"]}
    assert api.call("GET", "/api/chat.getPermalink", None, query, headers).json["ok"]
    assert api.slack("chat.delete", **where).json["ok"]
    assert api.slack("chat.update", **where, text="three").json["error"] == "message_not_found"


def test_form_bodies_work_too(api: Api) -> None:
    form = urlencode({"channel": "#triage", "text": "x", "blocks": json.dumps([section("x")])})
    headers = {"authorization": "Bearer x", "content-type": "application/x-www-form-urlencoded"}
    reply = api.call("POST", "/api/chat.postMessage", form.encode(), {}, headers)
    assert reply.json["message"]["blocks"] == [section("x")]


def test_channel_that_was_taken_away(api: Api) -> None:
    api.control(channel="#triage", exists=False)
    assert api.slack("chat.postMessage", channel="#triage", text="x").json["error"] == "channel_not_found"
    api.control(channel="#triage", exists=True)
    assert api.slack("chat.postMessage", channel="#triage", text="x").json["ok"]


CALLS: list[tuple[str, dict[str, Any], str | None]] = [
    ("auth.test", {}, None),
    ("conversations.list", {"limit": 1}, None),
    ("conversations.info", {"channel": "#triage"}, None),
    ("conversations.open", {"users": "U0SANDBOX1"}, None),
    ("users.info", {"user": "U0SANDBOX1"}, None),
    ("users.info", {"user": "U404"}, "user_not_found"),
    ("users.list", {}, None),
    ("users.lookupByEmail", {"email": "sam@example.com"}, None),
    ("users.lookupByEmail", {"email": "nobody@example.com"}, "users_not_found"),
    ("chat.postEphemeral", {"channel": "#triage", "user": "U0SANDBOX1", "text": "psst"}, None),
    ("chat.postMessage", {"channel": "#triage"}, "no_text"),
    ("views.open", {"trigger_id": "1", "view": {"type": "modal", "title": plain("T"), "blocks": []}}, None),
    ("surprise.method", {}, "unknown_method"),
]


@pytest.mark.parametrize(("method", "arguments", "error"), CALLS)
def test_calls(api: Api, method: str, arguments: dict[str, Any], error: str | None) -> None:
    reply = api.slack(method, **arguments)
    assert (reply.status, reply.json.get("error")) == (200, error)


@pytest.mark.parametrize(("header", "error"), [("", "not_authed"), ("Bearer bad", "invalid_auth")])
def test_credentials(api: Api, header: str, error: str) -> None:
    reply = api.call("POST", "/api/auth.test", None, {}, {"authorization": header})
    assert reply.json == {"ok": False, "error": error}

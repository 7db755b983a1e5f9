"""People in the Slack stand-in: what they press and type is what Slack would send, signed as Slack signs."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qsl

import pytest

from integrations.slack.payloads_cases import case_message, gathered
from integrations.slack.sandbox.people import SIGNING_SECRET
from integrations.slack.webhook import Interaction, interaction_of, is_signed
from models.report import CaseLine
from tests.contracts.api import Api
from tests.contracts.spec import require_contracts

REF = "octo/widgets#1"
LINE = CaseLine(
    ref=REF, title="Crash", url="https://github.com/octo/widgets/issues/1", route="needs_human", urgency=5
)


def post(api: Api, blocks: list[dict[str, Any]]) -> dict[str, Any]:
    reply = api.slack("chat.postMessage", channel="#triage", text="x", blocks=blocks).json
    assert reply["ok"], reply
    return {"channel": "#triage", "ts": reply["ts"]}


def deed(api: Api, **what: Any) -> dict[str, Any]:
    reply = api.control(**what)
    assert reply.status == 200, reply.json
    found: dict[str, Any] = reply.json["request"]
    return found


def read(request: dict[str, Any]) -> dict[str, Any]:
    """The payload, as an endpoint reads it."""
    body, headers = request["body"], request["headers"]
    assert is_signed(body.encode(), headers, SIGNING_SECRET, float(headers["x-slack-request-timestamp"]))
    if headers["content-type"] == "application/json":
        return dict(json.loads(body))
    form = dict(parse_qsl(body, keep_blank_values=True))
    return dict(json.loads(form["payload"])) if "payload" in form else form


def told(request: dict[str, Any]) -> Interaction:
    found = interaction_of(read(request))
    assert found is not None
    return found


def test_a_press_of_a_button_that_stands(api: Api) -> None:
    where = post(api, case_message(LINE)[1])
    request = deed(api, press={**where, "action_id": "switchyard:route:bug", "user": "robin"})
    found = told(request)
    assert (found.action, found.value, found.issue, found.person_name) == ("route", "bug", REF, "robin")
    assert (found.message, found.channel_name, found.team) == (where["ts"], "triage", "T0SANDBOX1")
    choice = {**where, "action_id": "switchyard:other", "value": "docs"}
    assert (told(deed(api, press=choice)).action, told(deed(api, press=choice)).value) == ("route", "docs")
    assert told(deed(api, press=choice)).id != found.id


def test_a_press_has_the_shape_of_the_published_one(api: Api) -> None:
    path = require_contracts() / "slack" / "block_actions.bolt-python.json"
    published = json.loads(path.read_text())
    where = post(api, case_message(LINE)[1])
    made = read(deed(api, press={**where, "action_id": "switchyard:why"}))
    assert set(published) <= set(made)
    for part in ("user", "container", "channel"):
        assert set(published[part]) <= set(made[part]), part
    assert set(published["actions"][0]) <= set(made["actions"][0])


def test_a_choice_in_one_of_many_lines(api: Api) -> None:
    lines = [LINE, CaseLine(ref="octo/widgets#2", title="x", url="", route="needs_human", urgency=1)]
    where = post(api, gathered(lines)[1])
    press = {
        **where,
        "action_id": "switchyard:decide",
        "value": "route:docs",
        "block_id": "gathered:octo/widgets#2",
    }
    found = told(deed(api, press=press))
    assert (found.action, found.value, found.issue) == ("route", "docs", "octo/widgets#2")


def test_a_command_and_a_home_tab(api: Api) -> None:
    found = told(deed(api, slash={"text": f"why {REF}", "user": "sam"}))
    assert (found.kind, found.action, found.issue, found.person) == ("command", "why", REF, "U0SANDBOX1")
    published = (require_contracts() / "slack" / "slash_command.bolt-python.txt").read_text().strip()
    assert set(dict(parse_qsl(published))) - {"enterprise_id", "enterprise_name"} <= set(
        read(deed(api, slash={"text": "status"}))
    )
    assert told(deed(api, home={"user": "sam"})).kind == "home"
    view = {"type": "home", "blocks": case_message(LINE)[1]}
    assert api.slack("views.publish", user_id="U0SANDBOX1", view=view).json["ok"]
    assert [home["user"] for home in api.read("homes")] == ["U0SANDBOX1"]
    assert told(deed(api, press={"home": "sam", "action_id": "switchyard:why"})).issue == REF


@pytest.mark.parametrize(
    ("wrong", "signed"),
    [({"secret": "x"}, False), ({"skew": -400}, False), ({"skew": 400}, False), ({}, True)],
)
def test_what_is_to_be_wrong_is_wrong(api: Api, wrong: dict[str, Any], signed: bool) -> None:
    import time

    request = deed(api, slash={"text": "status"}, **wrong)
    assert is_signed(request["body"].encode(), request["headers"], SIGNING_SECRET, time.time()) is signed
    assert told(deed(api, slash={"text": "status"}, team="T9")).team == "T9"


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"press": {"channel": "#triage", "ts": "1.1", "action_id": "x"}}, "there is no message"),
        ({"press": {"home": "robin", "action_id": "x"}}, "no home tab"),
        ({"press": {"home": "nobody", "action_id": "x"}}, "no person"),
        ({"press": {"dance": 1}}, "unknown key"),
        ({"press": 7}, "write"),
        ({"slash": {"text": "x"}, "skew": "soon"}, "skew"),
        ({"slash": {"text": "x"}, "dance": 1}, "unknown key"),
        ({"home": {"user": 7}}, "no person"),
    ],
)
def test_what_cannot_be_done_is_said(api: Api, what: dict[str, Any], words: str) -> None:
    reply = api.control(**what)
    assert reply.status == 400 and words in reply.json["error"]


def test_a_button_that_is_not_there_names_those_that_are(api: Api) -> None:
    where = post(api, case_message(LINE)[1])
    reply = api.control(press={**where, "action_id": "switchyard:dance"})
    assert reply.status == 400 and "switchyard:route:bug" in reply.json["error"]


def test_a_deed_can_be_sent(api: Api) -> None:
    seen: list[str] = []

    class Bot(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.rfile.read(int(self.headers["content-length"])).decode())
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"thanks")

        def log_message(self, *_: Any) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Bot) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/slack/events"
        reply = api.control(slash={"text": "status"}, to=url)
        assert reply.json == {"ok": True, "status": 200, "body": "thanks"}
    assert "text=status" in seen[0]
    assert api.control(slash={"text": "status"}, to="http://127.0.0.1:1/").status == 502


def test_replies_are_in_their_thread_and_not_in_the_channel(api: Api) -> None:
    head = api.slack("chat.postMessage", channel="#triage", text="head").json
    api.slack("chat.postMessage", channel="#triage", text="below", thread_ts=head["ts"])
    history = api.slack("conversations.history", channel=head["channel"]).json["messages"]
    replies = api.slack("conversations.replies", channel=head["channel"], ts=head["ts"]).json["messages"]
    assert [m["text"] for m in history] == ["head"]
    assert [m["text"] for m in replies] == ["head", "below"]
    missing = api.slack("conversations.replies", channel=head["channel"], ts="1.1").json
    assert missing["error"] == "thread_not_found"


def test_files_that_were_not_uploaded_cannot_be_shared(api: Api) -> None:
    begun = api.slack("files.getUploadURLExternal", filename="a.png", length=3).json
    done = {"files": [{"id": begun["file_id"]}], "channel_id": "#triage"}
    assert api.slack("files.completeUploadExternal", **done).json["error"] == "file_not_found"
    path = "/" + begun["upload_url"].split("/", 3)[3]
    assert api.call("POST", path, b"four", {}, {"content-type": "image/png"}).status == 400
    assert api.call("POST", path, b"png", {}, {"content-type": "image/png"}).status == 200
    assert api.slack("files.completeUploadExternal", **done).json["files"][0]["name"] == "a.png"
    assert [(f["name"], f["bytes"]) for f in api.read("files")] == [("a.png", 3)]
    assert api.slack("files.getUploadURLExternal", filename="a.png").json["error"] == "invalid_arguments"

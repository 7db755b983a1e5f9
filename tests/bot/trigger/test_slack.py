"""Slack's endpoint in process: who is let in, that it is stored before it is answered, and what people are told."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette

from bot.app.app import App
from bot.trigger import slack
from integrations.slack import webhook_app
from integrations.slack.webhook import Interaction
from models.tables import CaseRow, InboxRow
from tests.bot.conftest import MakeApp

SECRET = "signing-s3cret"
REF = "octo/widgets#7"
FORM = "application/x-www-form-urlencoded"
_inbox: sa.Table = InboxRow.__table__  # type: ignore[attr-defined]
_cases: sa.Table = CaseRow.__table__  # type: ignore[attr-defined]


@pytest.fixture
def app(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> App:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-test")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", SECRET)
    integrations = {
        "github": {"base_url": "http://127.0.0.1:1"},
        "slack": {"base_url": "http://127.0.0.1:1/api/"},
    }
    made = make_app(integrations=integrations)
    made.targets["slack"]._team = "T1"  # type: ignore[attr-defined]
    return made


@asynccontextmanager
async def client(app: App, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=Starlette(routes=slack.routes(app, **options)))
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as opened:
        yield opened


def sign(body: bytes, at: str | None = None, secret: str = SECRET, kind: str = FORM) -> dict[str, str]:
    stamp = str(int(time.time())) if at is None else at
    made = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"content-type": kind, "x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={made}"}


async def send(http: httpx.AsyncClient, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    return await http.post("/slack/events", content=body, headers=sign(body) if headers is None else headers)


def pressed(action_id: str = "switchyard:route:bug", team: str = "T1", **changes: Any) -> bytes:
    payload = {
        "type": "block_actions",
        "user": {"id": "U1", "name": "ann"},
        "team": {"id": team},
        "channel": {"id": "C1", "name": "triage"},
        "container": {"type": "message", "message_ts": "1.2", "channel_id": "C1"},
        "trigger_id": "12.34",
        "actions": [{"type": "button", "action_id": action_id, "block_id": f"case:{REF}", "value": REF}],
    }
    return urlencode({"payload": json.dumps(payload | changes)}).encode()


def command(text: str, **changes: str) -> bytes:
    form = {
        "command": "/triage",
        "text": text,
        "user_id": "U1",
        "team_id": "T1",
        "channel_id": "C1",
        "trigger_id": "56.78",
    }
    return urlencode(form | changes).encode()


def event(name: str = "app_home_opened", event_id: str = "Ev1") -> bytes:
    inside = {"type": name, "user": "U1", "channel": "D1", "tab": "home"}
    return json.dumps(
        {"type": "event_callback", "team_id": "T1", "event_id": event_id, "event": inside}
    ).encode()


def rows(app: App) -> list[Any]:
    with app.database.read() as connection:
        return list(connection.execute(sa.select(_inbox)))


@pytest.mark.databases("sqlite", "postgresql")
async def test_a_press_is_stored_before_it_is_answered(app: App) -> None:
    async with client(app) as http:
        reply = await send(http, pressed())
        assert (reply.status_code, reply.text) == (200, "")
        (row,) = rows(app)
        assert (row.id, row.event, row.action, row.issue, row.state) == (
            "slack:12.34", "button", "route", REF, "pending",
        )  # fmt: skip
        assert (row.sender, app.interacted.is_set()) == ("U1", True)
        told = Interaction.from_json(row.payload)
        assert (told.value, told.person_name, told.message) == ("bug", "ann", "1.2")
        # Slack's repeats, and a person's second thought.
        assert (await send(http, pressed())).status_code == 200
        assert (await send(http, pressed(trigger_id="12.35"))).status_code == 200
        assert [row.id for row in rows(app)] == ["slack:12.34", "slack:12.35"]


@pytest.mark.databases("sqlite", "postgresql")
async def test_a_repeated_event_is_stored_once(app: App) -> None:
    async with client(app) as http:
        for retry in range(3):
            headers = sign(event(), kind="application/json") | {"x-slack-retry-num": str(retry)}
            assert (await send(http, event(), headers)).status_code == 200
        other = event("message", "Ev2")
        assert (await send(http, other, sign(other, kind="application/json"))).status_code == 200
    assert [(row.id, row.event) for row in rows(app)] == [("slack:Ev1", "home")]


async def test_the_address_is_confirmed(app: App) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "c4"}).encode()
    async with client(app) as http:
        reply = await send(http, body, sign(body, kind="application/json"))
    assert reply.status_code == 200 and reply.json() == {"challenge": "c4"}


def now(skew: int) -> str:
    return str(int(time.time()) + skew)


REFUSED: list[tuple[str, Callable[[bytes], dict[str, str]]]] = [
    ("no headers", lambda b: {"content-type": FORM}),
    ("no signature", lambda b: {k: v for k, v in sign(b).items() if "signature" not in k}),
    ("no timestamp", lambda b: {k: v for k, v in sign(b).items() if "timestamp" not in k}),
    ("another secret", lambda b: sign(b, secret="x")),
    ("another body", lambda b: sign(b + b"x")),
    ("too old", lambda b: sign(b, now(-302))),
    ("too far ahead", lambda b: sign(b, now(302))),
    ("empty", lambda b: sign(b, "")),
    ("a word", lambda b: sign(b, "yesterday")),
    ("a fraction", lambda b: sign(b, now(0) + ".5")),
    ("negative", lambda b: sign(b, "-" + now(0))),
    ("endless", lambda b: sign(b, "9" * 5_000)),
    ("not v0", lambda b: sign(b) | {"x-slack-signature": "v1=" + "0" * 64}),
    ("no text", lambda b: sign(b) | {"x-slack-signature": "v0=\xff"}),
]


@pytest.mark.parametrize("headers", [make for _, make in REFUSED], ids=[name for name, _ in REFUSED])
async def test_what_is_not_signed_well_is_401(app: App, headers: Callable[[bytes], dict[str, str]]) -> None:
    body = pressed()
    async with client(app) as http:
        found = {k: v.encode("latin-1") for k, v in headers(body).items()}
        reply = await http.post("/slack/events", content=body, headers=found)
    assert reply.status_code == 401 and "error" in reply.json()
    assert rows(app) == []


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", FORM, 200),
        (b"\xff\xfe", FORM, 400),
        (b"payload=%7B", FORM, 400),
        (b"payload=[]", FORM, 400),
        (b"payload=" + b"[" * 100_000, FORM, 400),
        (b"{", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b"7", "application/json", 400),
        (b'{"type": "event_callback", "event": 7}', "application/json", None),
        (b'{"type": "block_actions", "actions": 7}', "application/json", None),
        (b'{"type": "block_actions", "actions": [{"action_id": 7}]}', "application/json", None),
        (b'{"type": "block_actions", "actions": [{}], "team": [], "user": 7}', "application/json", None),
        (b'{"authorizations": [7]}', "application/json", None),
        (b'{"command": 7, "text": []}', "application/json", None),
        (b"a=1", "text/plain", 400),
        (b"a=1", "", 400),
        (b"x" * (webhook_app.MOST + 1), FORM, 413),
    ],
)
async def test_odd_bodies_are_never_an_error_of_ours(
    app: App, body: bytes, kind: str, status: int | None
) -> None:
    async with client(app) as http:
        reply = await send(http, body, sign(body, kind=kind))
    assert reply.status_code < 500 if status is None else reply.status_code == status
    assert rows(app) == []


@pytest.mark.databases("sqlite", "postgresql")
async def test_an_unknown_button_stores_nothing_and_says_so(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, str]] = []

    async def answer_person(url: str, text: str) -> None:
        told.append((url, text))

    monkeypatch.setattr(webhook_app, "answer_person", answer_person)
    async with client(app) as http:
        here = "http://127.0.0.1:1/slack/response/1"
        for url in (here, "https://evil.example/x"):
            reply = await send(http, pressed("switchyard:dance", response_url=url))
            assert reply.status_code == 200
        await asyncio.sleep(0)
        assert told == [(here, webhook_app.UNKNOWN)]
        dialog = urlencode(
            {"payload": json.dumps({"type": "view_submission", "team": {"id": "T1"}})}
        ).encode()
        assert (await send(http, dialog)).status_code == 200
    assert rows(app) == []


async def test_another_workspace_is_not_served(app: App) -> None:
    async with client(app) as http:
        reply = await send(http, command("status", team_id="T2"))
        assert (reply.status_code, reply.text) == (200, webhook_app.NOT_SERVED)
        assert (await send(http, pressed(team="T2"))).status_code == 200
        assert (await send(http, command("status", team_id=""))).text == webhook_app.NOT_SERVED
    assert rows(app) == []


async def test_while_the_workspace_is_unknown_it_is_asked_for_beside_the_answer(app: App) -> None:
    target = app.targets["slack"]
    target._team = None  # type: ignore[attr-defined]
    asked, ended = asyncio.Event(), asyncio.Event()

    async def check() -> str:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return ""

    target.check = check  # type: ignore[method-assign]
    async with client(app) as http:
        assert (await send(http, pressed())).status_code == 200
        assert not ended.is_set()
    assert asked.is_set() and len(rows(app)) == 1


@pytest.mark.databases("sqlite", "postgresql")
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x" * 10_000, "too long"),
        ("", "/triage status"),
        ("dance", "/triage status"),
        ("status", "No run yet"),
        ("queue", "The queue is empty."),
        ("why", "Name the issue"),
        ("why octo/other#9", "octo/other#9 was not triaged here"),
        ("route octo/widgets#7 bug", "Noted."),
    ],
)
async def test_commands_are_answered_at_once(app: App, text: str, told: str) -> None:
    async with client(app) as http:
        reply = await send(http, command(text))
    assert reply.status_code == 200 and told in reply.json()["text"]
    assert reply.json()["response_type"] == "ephemeral"
    # What changes something is stored to be done; what asks is stored as done.
    word = text.split()[0] if text else ""
    states = {"status": "ignored", "queue": "ignored", "why": "ignored", "route": "pending"}
    assert [row.state for row in rows(app)] == ([states[word]] if word in states else [])


@pytest.mark.databases("sqlite", "postgresql")
async def test_why_tells_the_reasons(app: App) -> None:
    with app.database.write() as connection:
        detail = {"by": "model", "confidence": 0.6, "probabilities": {"bug": 0.6, "docs": 0.4}, "model": "m"}
        for number, route in ((7, "bug"), (8, "security")):
            connection.execute(
                sa.insert(_cases).values(
                    key=f"octo/widgets#{number}", run_id="r", status="triaged", route=route, content_hash="",
                    own_labels=[], urgency=1.0, trace_key="", title="TITLE", url="", failures=0, error="",
                    detail=detail, updated_at=1.0,
                )
            )  # fmt: skip
    async with client(app) as http:
        told = (await send(http, command("why https://github.com/Octo/widgets/issues/7"))).json()["text"]
        assert "octo/widgets#7" in told and "bug" in told
        hidden = (await send(http, command("why octo/widgets#8", trigger_id="9"))).json()["text"]
    assert "TITLE" not in hidden and "outed for review" in hidden


async def test_a_database_that_does_not_answer(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(work: Any) -> Any:
        raise OperationalError("INSERT", {}, Exception("disk full"))

    monkeypatch.setattr(type(app.database), "run", lambda self, work: fail(work))
    async with client(app) as http:
        reply = await send(http, command("route octo/widgets#7 bug"))
        assert (reply.status_code, reply.text) == (200, webhook_app.TRY_AGAIN)
        assert (await send(http, pressed())).status_code == 503


@pytest.mark.databases("sqlite", "postgresql")
async def test_a_database_that_hangs_does_not_keep_people_waiting(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read(interaction: Interaction) -> str:
        await asyncio.Event().wait()
        return ""

    monkeypatch.setattr(slack, "PATIENCE", 0.1)
    async with client(app, read=read) as http:
        reply = await send(http, command("status"))
        assert (reply.status_code, reply.text) == (200, webhook_app.TRY_AGAIN)


async def test_a_failure_in_reading_is_no_500(app: App) -> None:
    async def read(interaction: Interaction) -> str:
        raise RuntimeError("SECRET-TEXT")

    async with client(app, read=read) as http:
        reply = await send(http, command("status"))
    assert (reply.status_code, reply.text) == (200, webhook_app.TRY_AGAIN)


@pytest.mark.parametrize("missing", ["SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN"])
async def test_without_its_secrets_it_is_closed(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    for name in ("SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN"):
        monkeypatch.setenv(name, "x")
    monkeypatch.delenv(missing)
    async with client(make_app()) as http:
        reply = await send(http, pressed())
    assert reply.status_code == 401 and missing in reply.json()["error"]


@pytest.mark.databases("sqlite", "postgresql")
async def test_the_last_of_many_costs_what_the_first_did(app: App) -> None:
    statements: list[str] = []
    sa.event.listen(
        app.database.engine, "before_cursor_execute", lambda *given: statements.append(str(given[2]))
    )
    asked = []
    async with client(app) as http:
        for n in range(201):
            statements.clear()
            assert (await send(http, pressed(trigger_id=f"1.{n}"))).status_code == 200
            asked.append(len(statements))
    assert 0 < max(asked) <= asked[1] <= 4
    assert len(rows(app)) == 201


async def test_the_unsigned_are_refused_before_their_body_is_read_and_limited(app: App) -> None:
    read: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        read.append(1)
        yield b"x" * 1000

    async with client(app) as http:
        good = sign(b"x")
        for change in (
            {"x-slack-signature": ""},
            {"x-slack-signature": "v0=1"},
            {"x-slack-request-timestamp": "1"},
            {"x-slack-request-timestamp": "x"},
        ):
            answer = await http.post("/slack/events", content=body(), headers=good | change)
            assert answer.status_code == 401
        answer = await http.post("/slack/events", content=b"x", headers=good | {"content-length": "1048577"})
        assert answer.status_code == 413 and not read
        got = [(await send(http, b"x", {})) for _ in range(130)]
        assert got[0].status_code == 401 and got[-1].status_code == 429
        assert 0 < int(got[-1].headers["retry-after"]) <= 60
        forged = sign(b"x", secret="other")
        assert (await send(http, b"x", forged)).status_code == 429
        # What is rightly signed is never refused.
        assert (await send(http, pressed())).status_code == 200
    assert len(rows(app)) == 1


async def test_nothing_is_told_before_the_workspace_is_known(app: App) -> None:
    app.targets["slack"]._team = None  # type: ignore[attr-defined]
    asked: list[Interaction] = []

    async def read(interaction: Interaction) -> str:
        asked.append(interaction)
        return "secret"

    async with client(app, read=read) as http:
        reply = await send(http, command(f"why {REF}", team_id="T666"))
        assert webhook_app.TRY_AGAIN in reply.text and "secret" not in reply.text
        assert rows(app) == [] and asked == []
        app.targets["slack"]._team = "T1"  # type: ignore[attr-defined]
        assert "secret" in (await send(http, command(f"why {REF}"))).text

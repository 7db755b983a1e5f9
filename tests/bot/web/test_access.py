"""Who may do what: tokens, roles, sessions, other sites' pages, and what becomes of those who guess."""

import base64
import time
from collections.abc import Callable
from typing import Any

import pytest

from bot.app.app import App
from bot.store import outbox, runs
from bot.trigger.failure_limit import Knocks
from bot.web import access
from bot.web.access import GUESSES_PER_MINUTE, STRANGERS_PER_MINUTE, is_loopback
from bot.web.forms import local
from bot.web.session import LASTS, signing_key
from config.secrets import Secrets
from models.commands import add_labels, payload_hash
from tests.bot.browser import ADMIN, OPERATOR, SAME, VIEWER, bearer, browser, enter, noted
from tests.bot.conftest import MakeApp

KEY = "labels:octo/widgets#1"
READS = ("/", "/api/v1/runs", "/api/v1/queue", "/api/v1/status")
SECRET = ("/audit", "/api/v1/audit")


@pytest.fixture
def app(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> App:
    """With a token for each role, a run and a dead letter."""
    monkeypatch.setenv("SWITCHYARD_OPERATOR_TOKEN", OPERATOR)
    monkeypatch.setenv("SWITCHYARD_VIEWER_TOKEN", VIEWER)
    made = make_app(ADMIN)
    fill(made)
    return made


def fill(app: App) -> None:
    with app.database.write() as connection:
        runs.create(connection, "run-1", "cli", {"repositories": ["octo/widgets"]}, None)
        labels = add_labels("octo/widgets#1", ["bug"])
        outbox.store(connection, "run-1", [labels], 1.0)
        dead = outbox.Outcome(
            key=KEY,
            issue="octo/widgets#1",
            payload_hash=payload_hash(labels.payload),
            error="<script>no</script>",
        )
        outbox.save(connection, [dead], 1.0)


@pytest.mark.parametrize(
    ("token", "writes", "secret"), [(VIEWER, 403, 403), (OPERATOR, 202, 403), (ADMIN, 202, 200)]
)
async def test_each_role_may_do_what_the_one_before_may(
    app: App, token: str, writes: int, secret: int
) -> None:
    async with browser(app) as http:
        assert {(await http.get(path, headers=bearer(token))).status_code for path in READS} == {200}
        assert (await http.post("/api/v1/runs", headers=bearer(token))).status_code == writes
        assert {(await http.get(path, headers=bearer(token))).status_code for path in SECRET} == {secret}


async def test_the_queue_is_mended_by_the_api(app: App) -> None:
    path = "/api/v1/queue/labels:octo%2Fwidgets%231"
    async with browser(app) as http:
        assert (await http.post(f"{path}/retry", headers=bearer(VIEWER))).status_code == 403
        answer = await http.post(f"{path}/retry", headers=bearer(OPERATOR))
        assert (answer.status_code, answer.json()) == (200, {"key": KEY, "state": "pending"})
        assert (await http.post(f"{path}/discard", headers=bearer(OPERATOR))).json()["state"] == "dropped"
        assert (await http.post(f"{path}/discard", headers=bearer(OPERATOR))).status_code == 404
        assert (await http.post(f"{path}/explode", headers=bearer(OPERATOR))).status_code == 404
        assert (await http.post("/api/v1/queue/retry", headers=bearer(ADMIN))).json() == {"retried": 0}
        assert (await http.get(f"{path}/retry", headers=bearer(ADMIN))).status_code == 405
    assert noted(app) == [
        ("operator token", "api", "queue.retry", KEY),
        ("operator token", "api", "queue.discard", KEY),
        ("admin token", "api", "queue.retry", "dead letters"),
    ]


async def test_a_session_begins_with_a_token_and_holds_none(app: App) -> None:
    async with browser(app) as http:
        page = await http.get("/reports/x.html", headers={"accept": "text/html"})
        assert (page.status_code, page.headers["location"]) == (303, "/login?next=%2Freports%2Fx.html")
        assert "Token" in (await http.get("/login")).text
        refused = await enter(http, "guess")
        assert (refused.status_code, "not one of" in refused.text) == (401, True)
        answer = await enter(http, OPERATOR)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        for words in ("HttpOnly", "SameSite=lax", f"Max-Age={LASTS}", "Path=/"):
            assert words in cookie, words
        assert "Secure" not in cookie
        shown = base64.urlsafe_b64decode(cookie.partition("=")[2].partition(".")[0] + "==")
        assert OPERATOR.encode() not in shown
        page = await http.get("/")
        assert "<b>operator token</b>" in page.text
        assert "Log out" in page.text
        assert "&lt;script&gt;" in page.text
        assert "<script" not in page.text
        assert 'value="retry"' in page.text
        assert "form-action 'self'" in page.headers["content-security-policy"]
        assert (await http.get("/login")).status_code == 303
        assert (await http.post("/logout", headers=SAME)).headers["location"] == "/login"
        assert (await http.get("/")).status_code == 401
    assert [(actor, action) for actor, _, action, _ in noted(app)] == [
        ("unknown", "login.refused"),
        ("operator token", "login"),
        ("operator token", "logout"),
    ]


async def test_over_https_the_cookie_goes_nowhere_else(make_app: MakeApp) -> None:
    for base, settings in (
        ("https://bot.example", {}),
        ("http://inside.example", {"monitoring": {"public_url": "https://triage.example.com"}}),
    ):
        async with browser(make_app(ADMIN, **settings), base=base) as http:
            cookie = (await enter(http, ADMIN)).headers["set-cookie"]
        assert cookie.startswith("__Host-switchyard_session=")
        assert "Secure" in cookie


async def test_buttons_work_from_our_own_pages_only(app: App) -> None:
    async with browser(app) as http:
        await enter(http, OPERATOR)
        for headers in (
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"origin": "https://bot.example"},
            {"sec-fetch-site": "cross-site", "origin": "http://bot.example"},
        ):
            for path, form in (
                ("/runs", {"do": "cancel", "run": "run-1"}),
                ("/queue", {"do": "discard", "key": KEY}),
                ("/api/v1/runs/run-1/cancel", {}),
                ("/logout", {}),
                ("/login", {"token": ADMIN}),
            ):
                answer = await http.post(path, data=form, headers=headers)
                assert answer.status_code == 403, (path, headers)
                assert "another site" in answer.text
        with app.database.read() as connection:
            assert runs.status(connection, "run-1") == "running"
        for do, run in (("pause", "run-1"), ("resume", "run-1"), ("drop", "run-1"), ("start", "")):
            answer = await http.post("/runs", data={"do": do, "run": run}, headers=SAME)
            assert (answer.status_code, answer.headers["location"]) == (303, f"/?done={do}")
        origin = {"origin": "http://bot.example"}
        assert (await http.post("/queue", data={"do": "retry-all"}, headers=origin)).status_code == 303
        assert (
            await http.post("/queue", data={"do": "discard", "key": KEY}, headers=SAME)
        ).status_code == 303
        again = await http.post("/queue", data={"do": "discard", "key": KEY}, headers=SAME)
        assert (again.status_code, "no waiting or dead command" in again.text) == (409, True)
        assert (await http.post("/queue", data={"do": "x"}, headers=SAME)).status_code == 400
        assert (await http.post("/queue", json={"do": "x"}, headers=SAME)).status_code == 415
        assert (await http.post("/queue", data={"do": "x" * 20_000}, headers=SAME)).status_code == 413
        assert (await http.get("/queue", headers=SAME)).status_code == 405
    assert [entry for entry in noted(app) if not entry[2].startswith("log")] == [
        ("operator token", "page", "run.pause", "run-1"),
        ("operator token", "page", "run.resume", "run-1"),
        ("operator token", "page", "run.cancel", "run-1"),
        ("operator token", "page", "run.start", "api-1"),
        ("operator token", "page", "queue.retry", "dead letters"),
        ("operator token", "page", "queue.discard", KEY),
    ]


async def test_viewers_see_no_buttons_and_cannot_press_them(app: App) -> None:
    async with browser(app) as http:
        await enter(http, VIEWER)
        page = await http.get("/")
        assert page.status_code == 200
        assert 'action="/runs"' not in page.text
        assert 'action="/queue"' not in page.text
        answer = await http.post("/runs", data={"do": "start"}, headers=SAME)
        assert (answer.status_code, "needs the role operator" in answer.text) == (403, True)
        assert (await http.get("/audit", headers=SAME)).status_code == 403


async def test_a_forged_or_old_session_is_none(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    async with browser(app) as http:
        await enter(http, ADMIN)
        (name, value), *_ = http.cookies.items()
        head, _, tail = value.partition(".")
        for forged in (f"{head[:-2]}AA.{tail}", value[:-1], "x", "", head):
            http.cookies.clear()
            http.cookies.set(name, forged)
            assert (await http.get("/")).status_code == 401
        http.cookies.clear()
        http.cookies.set(name, value)
        assert (await http.get("/")).status_code == 200
        now = time.time()
        monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now + LASTS + 2)
        assert (await http.get("/")).status_code == 401


def test_the_key_outlives_a_restart_and_not_a_changed_token() -> None:
    values = {"GITHUB_TOKEN": "g", "SWITCHYARD_ADMIN_TOKEN": "a", "SWITCHYARD_VIEWER_TOKEN": "v"}
    key = signing_key(Secrets(values))
    assert key == signing_key(Secrets(dict(reversed(values.items()))))
    others = [signing_key(Secrets(values | {name: "other"})) for name in values]
    assert len({key, *others}) == 4
    assert len(key) == 32


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Holds the clock of the limits, and moves it."""
    now = [6000.0]
    monkeypatch.setattr("bot.trigger.failure_limit.time.monotonic", lambda: now[0])
    return lambda seconds: now.__setitem__(0, now[0] + seconds)


async def test_who_guesses_is_told_to_wait_even_with_the_right_token(
    app: App, clock: Callable[[float], None]
) -> None:
    async with browser(app) as http, browser(app) as other:
        assert (await enter(other, ADMIN)).status_code == 303
        for path in ("/", "/readyz") * (GUESSES_PER_MINUTE // 2):
            await http.get(path, headers=bearer("guess"))
        for answer in (
            await http.get("/", headers=bearer(ADMIN)),
            await http.get("/api/v1/audit", headers=bearer(ADMIN)),
            await enter(http, ADMIN),
        ):
            assert answer.status_code == 429
            assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert "checked_at" not in (await http.get("/readyz", headers=bearer(ADMIN))).text
        # Health is never limited, and who is logged in goes on.
        for path in ("/healthz", "/metrics"):
            assert (await http.get(path)).status_code == 200
        (name, value), *_ = other.cookies.items()
        http.cookies.set(name, value)
        assert (await http.get("/")).status_code == 200
        http.cookies.clear()
        clock(60)
        assert (await http.get("/", headers=bearer(ADMIN))).status_code == 200
    refused = [entry for entry in noted(app) if entry[2] == "login.refused"]
    assert refused == [("unknown", "api", "login.refused", "127.0.0.1")] * 2


async def test_strangers_are_slowed_down_and_tokens_still_work(
    app: App, clock: Callable[[float], None]
) -> None:
    async with browser(app, client=("2001:db8::1", 1)) as http:
        codes = [(await http.get("/nope" if n % 2 else "/")).status_code for n in range(STRANGERS_PER_MINUTE)]
        assert set(codes) == {401, 404}
        assert (await http.get("/")).status_code == 429
        assert (await http.get("/nope")).status_code == 429
        assert (await http.get("/login")).status_code == 429
        assert (await http.get("/", headers=bearer(VIEWER))).status_code == 200


def test_a_whole_network_of_ipv6_is_one_source() -> None:
    knocks = Knocks(2)
    for address in ("2001:db8::1", "2001:db8::ffff:2"):
        knocks.count(address)
    assert knocks.too_many("2001:db8::3")
    assert not knocks.too_many("2001:db8:0:1::3")
    for _ in range(2):
        knocks.count("::ffff:10.0.0.1")
    assert knocks.too_many("10.0.0.1")
    assert not knocks.too_many("10.0.0.2")
    assert not knocks.too_many("")


@pytest.mark.parametrize(
    "name",
    [
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-server",
        "forwarded",
        "x-real-ip",
        "cf-connecting-ip",
        "via",
    ],
)
async def test_a_proxy_on_this_machine_is_not_somebody_who_sits_here(make_app: MakeApp, name: str) -> None:
    async with browser(make_app(ADMIN), "127.0.0.1", "http://127.0.0.1:8080") as http:
        assert (await http.get("/")).status_code == 200
        assert (await http.get("/", headers={name: "1.2.3.4"})).status_code == 401


@pytest.mark.parametrize(
    "host", ["evil.example@localhost", "localhost@evil.example", "localhost/x", "localhost:x", ""]
)
async def test_an_odd_host_is_not_this_machine(make_app: MakeApp, host: str) -> None:
    async with browser(make_app(ADMIN), "127.0.0.1", "http://127.0.0.1:8080") as http:
        for good in ("localhost", "LOCALHOST.:8080", "[::1]:8080", "127.0.0.1"):
            assert (await http.get("/", headers={"host": good})).status_code == 200
        assert (await http.get("/", headers={"host": host})).status_code == 401


async def test_what_is_shown_to_others_is_free_for_nobody(make_app: MakeApp) -> None:
    for url, status in (("https://triage.example.com", 401), ("http://localhost:8080/", 200)):
        app = make_app(ADMIN, monitoring={"public_url": url})
        async with browser(app, "127.0.0.1", "http://127.0.0.1:8080") as http:
            assert (await http.get("/")).status_code == status


async def test_a_token_that_is_wrong_is_compared_with_all(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[Any] = []
    same = access._same
    monkeypatch.setattr(access, "_same", lambda *pair: compared.append(pair[1]) or same(*pair))
    async with browser(app) as http:
        assert (await http.get("/", headers=bearer(ADMIN))).status_code == 200
    assert compared == [VIEWER, OPERATOR, ADMIN]


@pytest.mark.parametrize(
    ("path", "goes"),
    [
        ("/audit?actor=ann", "/audit?actor=ann"),
        ("/reports/x.html", "/reports/x.html"),
        (None, "/"),
        ("", "/"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("evil", "/"),
        ("/login", "/"),
        ("/logout", "/"),
        ("//[", "/"),
        ("/" + "x" * 600, "/"),
    ],
)
def test_a_browser_is_sent_to_this_server_only(path: str | None, goes: str) -> None:
    assert local(path) == goes


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("[::1]", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("a.localhost", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_loopback(host: str, here: bool) -> None:
    assert is_loopback(host) is here

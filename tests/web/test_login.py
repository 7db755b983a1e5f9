"""Logging in with GitHub, against the stand-in: who comes in, as what, and who does not."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bot.sandbox import RunningSandbox, create_app, running
from bot.web import roles
from bot.web.roles import Role, Roles, Unknown
from bot.wiring import App
from integrations.github.client.login import LoginApp, web_address
from models.errors import Transient
from tests.contracts.checked import checked
from tests.web.conftest import MakeApp
from tests.web.people import SAME, browser, noted

REPOSITORIES = ("octo/widgets", "octo/gadgets")


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    issues = [{"repo": name, "title": "It fails", "body": "x"} for name in REPOSITORIES]
    app = checked(create_app(issues), required=False)
    with running(app) as served:
        yield served
    assert app.violations == []


def account(sandbox: RunningSandbox, **what: Any) -> None:
    answer = httpx.post(f"{sandbox.url}/_control", json={"account": what})
    assert answer.status_code == 200, answer.text


@pytest.fixture
def make(make_app: MakeApp, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> MakeApp:
    monkeypatch.setenv("GITHUB_CLIENT_ID", "Iv1.sandbox")
    monkeypatch.setenv("GITHUB_CLIENT_SECRET", "client-secret-1")

    def made(**settings: Any) -> App:
        github = {"integrations": {"github": {"base_url": sandbox.url}}}
        return make_app(**{"repositories": list(REPOSITORIES)} | github | settings)

    return made


@asynccontextmanager
async def at_github() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as http:
        yield http


async def log_in(http: httpx.AsyncClient, wanted: str = "/audit") -> httpx.Response:
    """Go to GitHub and come back; the answer to the way back."""
    away = await http.get("/login/github", params={"next": wanted})
    assert away.status_code == 303
    async with at_github() as github:
        back = await github.get(away.headers["location"])
    assert back.status_code == 302
    return await http.get(back.headers["location"])


async def test_an_admin_of_every_repository_is_one_here(make: MakeApp, sandbox: RunningSandbox) -> None:
    account(sandbox, login="ann", permission="admin")
    app = make()
    async with browser(app) as http:
        page = await http.get("/login")
        assert 'href="/login/github?next=%2F"' in page.text
        assert 'name="token"' not in page.text
        back = await log_in(http)
        assert (back.status_code, back.headers["location"]) == (303, "/audit")
        page = await http.get("/audit")
        assert page.status_code == 200
        assert "<b>ann</b> · admin" in page.text
        assert "client-secret-1" not in str(http.cookies)
        assert "ghu_" not in str(http.cookies)
    assert [entry[:3] for entry in noted(app)] == [("ann", "page", "login")]


@pytest.mark.parametrize(
    ("permission", "role"),
    [
        ("admin", "admin"),
        ("maintain", "operator"),
        ("write", "operator"),
        ("triage", "operator"),
        ("read", None),
        ("none", None),
    ],
)
async def test_permissions_make_roles(
    make: MakeApp, sandbox: RunningSandbox, permission: str, role: str | None
) -> None:
    account(sandbox, login="ann", permission=permission)
    app = make()
    async with browser(app) as http:
        back = await log_in(http, "/")
        assert back.status_code == (303 if role else 403)
        if role:
            assert f"<b>ann</b> · {role}" in (await http.get("/")).text
        else:
            assert "ann has no role here" in back.text
            assert (await http.get("/")).status_code == 401
            assert noted(app)[-1][:3] == ("ann", "page", "login.refused")


async def test_the_lowest_permission_counts_and_a_list_counts_more(
    make: MakeApp, sandbox: RunningSandbox
) -> None:
    account(sandbox, login="ann", permission="admin", repo="octo/widgets")
    account(sandbox, login="ann", permission="triage", repo="octo/gadgets")
    for access, role in (
        ({}, Role.OPERATOR),
        ({"viewers": ["Ann"]}, Role.VIEWER),
        ({"admins": "bob, ANN"}, Role.ADMIN),
        ({"from_permissions": False}, None),
        ({"from_permissions": False, "operators": ["ann"]}, Role.OPERATOR),
    ):
        assert await Roles(make(access=access)).of("ann") is role
    account(sandbox, login="ann", permission="read", repo="octo/gadgets")
    # The repository is public, so reading it says nothing.
    assert await Roles(make()).of("ann") is None


async def test_who_may_read_every_private_repository_is_a_viewer(
    make: MakeApp, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    account(sandbox, login="ann", permission="read")
    app = make()

    async def access(repo: str) -> Any:
        return type("Access", (), {"private": repo == "octo/widgets" or everything})

    monkeypatch.setattr(app.github, "access", access)
    for everything, role in ((False, None), (True, Role.VIEWER)):  # noqa: B007 (read in access)
        assert await Roles(app).of("ann") is role


async def test_a_role_is_looked_up_again(
    make: MakeApp, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    account(sandbox, login="ann", permission="admin")
    now = [0.0]
    monkeypatch.setattr("bot.web.roles.time.monotonic", lambda: now[0])
    app = make()
    async with browser(app) as http:
        await log_in(http)
        account(sandbox, login="ann", permission="triage")
        assert (await http.get("/audit")).status_code == 200
        now[0] += roles.KEPT + 1
        assert (await http.get("/audit")).status_code == 403
        account(sandbox, login="ann", permission="none")
        now[0] += roles.KEPT + 1
        assert (await http.get("/")).status_code == 401
        now[0] += roles.KEPT + 1

        # While GitHub cannot be asked, what it said last holds, and not what the cookie says.
        async def gone(*_: Any) -> str:
            raise Transient("github: cannot connect")

        monkeypatch.setattr(roles, "permission", gone)
        assert (await http.get("/")).status_code == 401
        with pytest.raises(Unknown):
            await Roles(app).of("ann")
        assert await Roles(app).of("ann", Role.OPERATOR) is Role.OPERATOR


async def test_a_log_in_belongs_to_the_browser_that_began_it(make: MakeApp, sandbox: RunningSandbox) -> None:
    account(sandbox, login="mallory", permission="admin")
    app = make()
    async with browser(app) as http, browser(app) as victim, at_github() as github:
        away = (await http.get("/login/github")).headers["location"]
        back = (await github.get(away)).headers["location"]
        # Mallory's way back in somebody else's browser, and with another state in hers.
        assert (await victim.get(back)).status_code == 400
        other = (await victim.get("/login/github")).headers["location"]
        assert parse_qs(urlsplit(other).query)["state"] != parse_qs(urlsplit(away).query)["state"]
        assert (await victim.get(back)).status_code == 400
        assert "switchyard_session" not in str(victim.cookies)
        assert (await http.get(back)).status_code == 303
        # It serves once.
        assert (await http.get(back)).status_code == 400


async def test_a_stolen_code_is_worth_nothing(make: MakeApp, sandbox: RunningSandbox) -> None:
    account(sandbox, login="ann", permission="admin")
    app = make()
    async with browser(app) as http, browser(app) as thief, at_github() as github:
        back = (await github.get((await http.get("/login/github")).headers["location"])).headers["location"]
        code = parse_qs(urlsplit(back).query)["code"][0]
        away = (await thief.get("/login/github")).headers["location"]
        state = parse_qs(urlsplit(away).query)["state"][0]
        answer = await thief.get("/login/github/callback", params={"code": code, "state": state})
        assert (answer.status_code, "did not confirm" in answer.text) == (502, True)


async def test_who_says_no_stays_outside(make: MakeApp, sandbox: RunningSandbox) -> None:
    account(sandbox, login="")
    app = make()
    async with browser(app) as http:
        answer = await log_in(http)
    assert (answer.status_code, "did not say who you are" in answer.text) == (403, True)


async def test_github_that_is_down_is_one_sentence(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_CLIENT_ID", "Iv1.sandbox")
    monkeypatch.setenv("GITHUB_CLIENT_SECRET", "client-secret-1")
    async with browser(make_app()) as http:
        away = (await http.get("/login/github")).headers["location"]
        state = parse_qs(urlsplit(away).query)["state"][0]
        answer = await http.get("/login/github/callback", params={"code": "x", "state": state})
    assert (answer.status_code, "try again in a moment" in answer.text) == (502, True)


async def test_without_a_client_there_is_no_button(make_app: MakeApp) -> None:
    async with browser(make_app("admin-token-1")) as http:
        assert "github" not in (await http.get("/login")).text.lower()
        assert (await http.get("/login/github")).status_code == 404
        assert (await http.get("/login/github/callback", params={"code": "x"})).status_code == 400


async def test_behind_a_proxy_github_sends_people_to_the_public_address(make: MakeApp) -> None:
    app = make(monitoring={"public_url": "https://triage.example.com/"})
    async with browser(app, base="http://10.0.0.7:8080") as http:
        away = await http.get("/login/github")
        where = parse_qs(urlsplit(away.headers["location"]).query)["redirect_uri"]
        assert where == ["https://triage.example.com/login/github/callback"]
        assert away.headers["set-cookie"].startswith("__Host-switchyard_login=")
        # Its own forms come from there, too.
        answer = await http.post("/logout", headers={**SAME, "origin": "https://triage.example.com"})
        assert answer.status_code == 303


@pytest.mark.parametrize(
    ("api", "web"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://api.github.com/", "https://github.com"),
        ("https://github.example.com/api/v3", "https://github.example.com"),
        ("https://api.octocorp.ghe.com", "https://octocorp.ghe.com"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
    ],
)
def test_where_people_reach_the_same_github(api: str, web: str) -> None:
    assert web_address(api) == web


def test_the_client_shows_no_secret() -> None:
    app = LoginApp("https://api.github.com", "Iv1.x", "client-secret-1", "test")
    address = app.address(state="s", verifier="v", redirect_uri="https://bot.example/login/github/callback")
    assert "client-secret-1" not in repr(app) + address
    assert "code_challenge_method=S256" in address
    assert "verifier" not in address

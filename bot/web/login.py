"""Logging in and out: with a token typed into a form, or with GitHub."""

import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.clients import user_agent
from bot.report import environment
from bot.store import audit
from bot.web.access import Access, Person, address_of, too_many
from bot.web.forms import local, read_form
from bot.web.roles import Unknown
from bot.web.session import Session
from bot.wiring import App
from integrations.github.client.login import LoginApp
from models.errors import SwitchyardError

log = structlog.get_logger()

CALLBACK = "/login/github/callback"


@dataclass(frozen=True)
class Login:
    """The handlers, and what they decide with."""

    app: App
    access: Access

    def routes(self) -> list[Route]:
        return [
            Route("/login", self.show, methods=["GET"]),
            Route("/login", self.by_token, methods=["POST"]),
            Route("/logout", self.leave, methods=["POST"]),
            Route("/login/github", self.to_github, methods=["GET"]),
            Route(CALLBACK, self.from_github, methods=["GET"]),
        ]

    async def show(self, request: Request) -> Response:
        """The page that asks who somebody is; who is known already goes on."""
        wanted = local(request.query_params.get("next"))
        person = await self.access.person(request)
        if person is not None and person.by == "cookie":
            return RedirectResponse(wanted, 303)
        self.access.stranger(request)
        return self._page(wanted)

    async def by_token(self, request: Request) -> Response:
        self.access.same_origin(request)
        if self.access.guesses.too_many(address_of(request)):
            raise too_many()
        form = await read_form(request)
        wanted = local(form.get("next"))
        person = self.access.holder(form.get("token", "").strip())
        if person is None:
            await self.access.wrong(address_of(request), "token", via="page")
            return self._page(wanted, "That is not one of this server's tokens.", 401)
        return await self._enter(request, person, "token", wanted)

    async def leave(self, request: Request) -> Response:
        self.access.same_origin(request)
        person = await self.access.person(request)
        response = RedirectResponse("/login", 303)
        self.access.cookies.end(request, response)
        if person is not None and person.by == "cookie":
            await self._note(person.name, "logout", request, {})
        return response

    async def to_github(self, request: Request) -> Response:
        """Send the browser to GitHub, with something that only this browser can bring back."""
        app = self._login_app()
        if app is None:
            return self._page("/", "Logging in with GitHub is not set up here.", 404)
        self.access.stranger(request)
        cookies = self.access.cookies
        state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        redirect_uri = cookies.origin(request) + CALLBACK
        response = RedirectResponse(
            app.address(state=state, verifier=verifier, redirect_uri=redirect_uri), 303
        )
        sent = {
            "state": state,
            "verifier": verifier,
            "redirect_uri": redirect_uri,
            "next": local(request.query_params.get("next")),
        }
        cookies.send_off(request, response, sent)
        return response

    async def from_github(self, request: Request) -> Response:
        """GitHub sent the browser back: ask it who that is, and look what they may do here."""
        self.access.stranger(request)
        app, sent, query = self._login_app(), self.access.cookies.login(request), request.query_params
        if app is None or sent is None or not _equal(query.get("state"), sent["state"]):
            await self.access.wrong(address_of(request), "github: not sent from here", via="page")
            return self._page(
                "/", "This log-in was not begun in this browser, or too long ago; try again.", 400
            )
        wanted = local(sent["next"])
        response = await self._known(request, app, sent, query.get("code"), wanted)
        self.access.cookies.came_back(request, response)
        return response

    async def _known(
        self, request: Request, app: LoginApp, sent: Any, code: str | None, wanted: str
    ) -> Response:
        if not code:
            await self.access.wrong(address_of(request), "github: no consent", via="page")
            return self._page(wanted, "GitHub did not say who you are; nothing was shared.", 403)
        try:
            login = await app.login_of(
                code[:200], verifier=sent["verifier"], redirect_uri=sent["redirect_uri"]
            )
        except SwitchyardError as error:
            log.warning("a log-in with GitHub did not end", reason=str(error))
            await self.access.wrong(address_of(request), "github: code not taken", via="page")
            return self._page(wanted, "GitHub did not confirm the log-in; try again in a moment.", 502)
        try:
            role = await self.access.roles.of(login)
        except Unknown:
            return self._page(wanted, "GitHub does not say just now what you may do; try again soon.", 503)
        if role is None:
            await self.access.wrong(address_of(request), "github: no role", login, "page")
            words = f"{login} has no role here; an admin can add the name under workflow.access."
            return self._page(wanted, words, 403)
        return await self._enter(request, Person(login, role, "cookie"), "github", wanted)

    async def _enter(self, request: Request, person: Person, via: str, wanted: str) -> Response:
        response = RedirectResponse(wanted, 303)
        self.access.cookies.begin(request, response, Session(person.name, person.role, via))
        await self._note(person.name, "login", request, {"role": str(person.role), "how": via})
        return response

    async def _note(self, actor: str, action: str, request: Request, detail: dict[str, str]) -> None:
        subject = address_of(request)
        await self.app.database.run(
            lambda c: audit.note(
                c, time.time(), actor=actor, via="page", action=action, subject=subject, detail=detail
            )
        )

    def _login_app(self) -> LoginApp | None:
        secrets_ = self.app.secrets
        identity, secret = secrets_.get("GITHUB_CLIENT_ID"), secrets_.get("GITHUB_CLIENT_SECRET")
        if not identity or not secret:
            return None
        settings = self.app.settings
        return LoginApp(settings.integrations.github.base_url, identity, secret, user_agent(settings))

    def _page(self, wanted: str, problem: str = "", status: int = 200) -> HTMLResponse:
        page = environment().get_template("login.html")
        return HTMLResponse(
            page.render(
                name=self.app.settings.name,
                wanted=wanted,
                problem=problem,
                github=self.access.has_github_login,
                tokens=self.access.has_tokens,
            ),
            status,
        )


def _equal(offered: str | None, expected: Any) -> bool:
    return bool(offered) and hmac.compare_digest(str(offered).encode(), str(expected).encode())

"""The web application: health, metrics, pages and API, behind one shield against surprises."""

import asyncio
from urllib.parse import urlencode

import structlog
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.app.app import App
from bot.monitor import metrics
from bot.monitor.health import Pulse, readiness
from bot.report.html import environment
from bot.store.database import StoreError
from bot.trigger import slack
from bot.web.access import READING, Access, Denied
from bot.web.actions import Actions, StartRun
from bot.web.api import Api
from bot.web.login import Login
from bot.web.pages import Pages
from bot.web.roles import Roles
from bot.web.session import Cookies, signing_key
from bot.web.snapshot import Reports

log = structlog.get_logger()

HEADERS = {
    # Pages carry their style in themselves and load nothing; the empty icon is a data: address.
    "content-security-policy": (
        "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not no-referrer: browsers would then hide the origin of our own forms from us, too.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_WORDS = {
    404: "There is nothing at this path; GET / shows the status page, /api/v1/status the same as JSON.",
    405: "This path does not take that method.",
}


def create_app(app: App, *, host: str, pulse: Pulse, start: StartRun) -> Starlette:
    """The application for one running bot; `host` is the address that the server is bound to."""
    cookies = Cookies(signing_key(app.secrets), app.settings.monitoring.public_url)
    access = Access(app, host, cookies, Roles(app))
    actions, reports = Actions(app, start), Reports(app)

    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(request: Request) -> Response:
        details = await access.person(request) is not None
        ready, document = await readiness(app, pulse, details=details)
        return JSONResponse(document, 200 if ready else 503)

    async def scrape(request: Request) -> Response:
        text = await asyncio.to_thread(metrics.render, app, pulse)
        return Response(text, headers={"content-type": metrics.CONTENT_TYPE})

    async def not_there(request: Request, error: Exception) -> Response:
        # Who looks for a way in finds paths that are none.
        if await access.person(request) is None:
            try:
                access.stranger(request)
            except Denied as denied:
                return await _denied(request, denied)
        return _http_error(error)

    return Starlette(
        routes=[
            Route("/healthz", healthz, methods=["GET"]),
            Route("/readyz", readyz, methods=["GET"]),
            *Api(app, pulse, access, reports, actions).routes(),
            *Pages(app, pulse, access, reports, actions).routes(),
            *Login(app, access).routes(),
            *slack.routes(app),
            Route(app.settings.monitoring.metrics_endpoint, scrape, methods=["GET"]),
        ],
        middleware=[Middleware(Shield)],
        exception_handlers={HTTPException: not_there, Denied: _denied},
    )


def _http_error(error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = getattr(error, "headers", None)
    words = _WORDS.get(status, "The request cannot be answered.")
    return JSONResponse({"error": words}, status, headers)


async def _denied(request: Request, error: Exception) -> Response:
    """JSON for programs; people with a browser log in, or read why not on a page."""
    assert isinstance(error, Denied)
    path = request.url.path
    if path.startswith("/api/") or "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"error": str(error)}, error.status, error.headers)
    if error.status == 401:
        wanted = f"?{urlencode({'next': path})}" if request.method in READING and path != "/" else ""
        return RedirectResponse(f"/login{wanted}", 303)
    page = environment().get_template("message.html")
    return HTMLResponse(page.render(words=str(error), login=error.status == 403), error.status, error.headers)


class Shield:
    """Adds the security headers to every answer, and makes a sentence of what nobody foresaw."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, guarded)
        except Exception as error:
            log.exception("request failed", path=scope["path"])
            if started:
                # Half an answer is out; closing the connection is the only honest sign left.
                raise
            await _surprise(error)(scope, receive, guarded)


def _surprise(error: Exception) -> JSONResponse:
    if isinstance(error, StoreError):
        return JSONResponse({"error": "The database does not answer; the log says why."}, 503)
    return JSONResponse({"error": "Something unforeseen went wrong here; the log says what."}, 500)

"""The JSON half of the pages: the same data under /api/v1, and the one request that starts a run."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.engine import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.store import runs
from bot.web import snapshot
from bot.web.access import REALM, Access, Answer
from bot.web.health import Pulse
from bot.wiring import App
from models.errors import UserFacing

DEFAULT_LIMIT, MAX_LIMIT = 20, 100
QUEUE_LIMIT = 10_000

StartRun = Callable[[], Awaitable[str]]
"""Starts a run over all configured repositories and returns its id; UserFacing says why it cannot."""

CLOSED = (
    "This server can be reached from other machines, so its pages and API are closed. Set "
    "SWITCHYARD_ADMIN_TOKEN to open them to those who know it, or bind the server to 127.0.0.1."
)
WRONG = "The admin token is missing or wrong; send it as `Authorization: Bearer TOKEN`."
UNCONFIGURED = "No admin token is configured; set SWITCHYARD_ADMIN_TOKEN and restart to start runs here."


def refusal(answer: Answer) -> JSONResponse:
    """Why a request may not read."""
    if answer is Answer.NO_TOKEN_CONFIGURED:
        return JSONResponse({"error": CLOSED}, 403)
    return JSONResponse({"error": WRONG}, 401, REALM)


@dataclass(frozen=True)
class Api:
    """The handlers and what they read from."""

    app: App
    pulse: Pulse
    access: Access
    reports: snapshot.Reports
    start: StartRun

    def routes(self) -> list[Route]:
        return [
            Route("/api/v1/runs", self.list_runs, methods=["GET"]),
            Route("/api/v1/runs", self.start_run, methods=["POST"]),
            Route("/api/v1/runs/{run_id}", self.one_run, methods=["GET"]),
            Route("/api/v1/runs/{run_id}/{wanted}", self.change_run, methods=["POST"]),
            Route("/api/v1/queue", self.list_queue, methods=["GET"]),
            Route("/api/v1/status", self.show_status, methods=["GET"]),
        ]

    async def list_runs(self, request: Request) -> Response:
        if (answer := self.access.may_read(request)) is not Answer.YES:
            return refusal(answer)
        limit = _limit(request.query_params.get("limit"))
        if limit is None:
            return JSONResponse({"error": f"limit must be a number from 1 to {MAX_LIMIT}."}, 400)
        found = await self.app.database.query(lambda c: self.reports.latest(c, limit))
        return JSONResponse({"runs": [report.to_json() for report in found]})

    async def one_run(self, request: Request) -> Response:
        if (answer := self.access.may_read(request)) is not Answer.YES:
            return refusal(answer)
        run_id = request.path_params["run_id"]
        report = await self.app.database.query(lambda c: self.reports.one(c, run_id))
        if report is None:
            return JSONResponse({"error": "There is no run of this id; GET /api/v1/runs lists them."}, 404)
        return JSONResponse(report.to_json())

    async def list_queue(self, request: Request) -> Response:
        if (answer := self.access.may_read(request)) is not Answer.YES:
            return refusal(answer)
        return JSONResponse(await self.app.database.query(lambda c: snapshot.queued(c, QUEUE_LIMIT)))

    async def show_status(self, request: Request) -> Response:
        if (answer := self.access.may_read(request)) is not Answer.YES:
            return refusal(answer)

        def read(connection: Connection) -> dict[str, object]:
            return snapshot.status(self.app, self.pulse, connection)

        return JSONResponse(await self.app.database.query(read))

    async def change_run(self, request: Request) -> Response:
        """Pause, resume or cancel a run; `?undelivered=drop` forgets what a cancelled one has not sent."""
        if (refused := self._may_write(request)) is not None:
            return refused
        run_id, wanted = request.path_params["run_id"], request.path_params["wanted"]
        undelivered = request.query_params.get("undelivered", "keep")
        if wanted not in runs.CHANGES:
            return JSONResponse({"error": f"A run can {', '.join(runs.CHANGES)}; not {wanted[:40]!r}."}, 404)
        if undelivered not in ("keep", "drop") or (undelivered == "drop" and wanted != "cancel"):
            return JSONResponse({"error": "undelivered is keep or drop, and only cancel may drop."}, 400)
        drop = undelivered == "drop"
        try:
            status, dropped = await self.app.database.run(lambda c: runs.change(c, run_id, wanted, drop=drop))
        except UserFacing as error:
            return JSONResponse({"error": str(error)}, 409)
        return JSONResponse({"run_id": run_id, "status": status, "dropped": dropped})

    def _may_write(self, request: Request) -> Response | None:
        """None where it may; else the refusal."""
        answer = self.access.may_write(request)
        if answer is Answer.NO_TOKEN_CONFIGURED:
            return JSONResponse({"error": UNCONFIGURED}, 503)
        if answer is not Answer.YES:
            return JSONResponse({"error": WRONG}, 401, {"www-authenticate": "Bearer"})
        return None

    async def start_run(self, request: Request) -> Response:
        if (refused := self._may_write(request)) is not None:
            return refused
        try:
            run_id = await self.start()
        except UserFacing as error:
            return JSONResponse({"error": str(error)}, 409)
        where = {"location": f"/api/v1/runs/{run_id}"}
        return JSONResponse({"run_id": run_id, "status": "running"}, 202, where)


def _limit(text: str | None) -> int | None:
    """How many runs were asked for; None where that is no sensible number."""
    if text is None:
        return DEFAULT_LIMIT
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        return None
    number = int(text)
    return number if 1 <= number <= MAX_LIMIT else None

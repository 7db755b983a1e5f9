"""The JSON half of the pages: the same data and the same actions under /api/v1."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.app.app import App
from bot.monitor.health import Pulse
from bot.store import audit, runs
from bot.store.database import Transaction
from bot.web import snapshot
from bot.web.access import Access
from bot.web.actions import QUEUE_CHANGES, Actions
from bot.web.roles import Role
from models.errors import UserFacing

DEFAULT_LIMIT, MAX_LIMIT = 20, 100
QUEUE_LIMIT = 10_000


@dataclass(frozen=True)
class Api:
    """The handlers and what they read from."""

    app: App
    pulse: Pulse
    access: Access
    reports: snapshot.Reports
    actions: Actions

    def routes(self) -> list[Route]:
        return [
            Route("/api/v1/runs", self.list_runs, methods=["GET"]),
            Route("/api/v1/runs", self.start_run, methods=["POST"]),
            Route("/api/v1/runs/{run_id}", self.one_run, methods=["GET"]),
            Route("/api/v1/runs/{run_id}/{wanted}", self.change_run, methods=["POST"]),
            Route("/api/v1/queue", self.list_queue, methods=["GET"]),
            Route("/api/v1/queue/retry", self.retry_dead, methods=["POST"]),
            Route("/api/v1/queue/{key:path}/{wanted}", self.change_queue, methods=["POST"]),
            Route("/api/v1/status", self.show_status, methods=["GET"]),
            Route("/api/v1/audit", self.list_audit, methods=["GET"]),
        ]

    async def list_runs(self, request: Request) -> Response:
        await self.access.need(request, Role.VIEWER)
        limit = _number(request.query_params.get("limit"), DEFAULT_LIMIT, MAX_LIMIT)
        if limit is None:
            return JSONResponse({"error": f"limit must be a number from 1 to {MAX_LIMIT}."}, 400)
        found = await self.app.database.query(lambda c: self.reports.latest(c, limit))
        return JSONResponse({"runs": [report.to_json() for report in found]})

    async def one_run(self, request: Request) -> Response:
        await self.access.need(request, Role.VIEWER)
        run_id = request.path_params["run_id"]
        report = await self.app.database.query(lambda c: self.reports.one(c, run_id))
        if report is None:
            return JSONResponse({"error": "There is no run of this id; GET /api/v1/runs lists them."}, 404)
        return JSONResponse(report.to_json())

    async def list_queue(self, request: Request) -> Response:
        await self.access.need(request, Role.VIEWER)
        return JSONResponse(await self.app.database.query(lambda c: snapshot.queued(c, QUEUE_LIMIT)))

    async def show_status(self, request: Request) -> Response:
        await self.access.need(request, Role.VIEWER)

        def read(connection: Transaction) -> dict[str, object]:
            return snapshot.status(self.app, self.pulse, connection)

        return JSONResponse(await self.app.database.query(read))

    async def list_audit(self, request: Request) -> Response:
        """The audit log, the newest first; `next` is what `before` asks for the entries before these."""
        await self.access.need(request, Role.ADMIN)
        query = request.query_params
        limit = _number(query.get("limit"), MAX_LIMIT, 10 * MAX_LIMIT)
        before = _number(query.get("before"), 0, 2**53)
        if limit is None or before is None:
            words = f"limit must be a number from 1 to {10 * MAX_LIMIT}, and before an entry's id."
            return JSONResponse({"error": words}, 400)
        found = await self.app.database.query(
            lambda c: audit.entries(
                c, limit=limit, actor=query.get("actor"), subject=query.get("subject"), before=before or None
            )
        )
        more = found[-1]["id"] if len(found) == limit else None
        return JSONResponse({"entries": found, "next": more})

    async def start_run(self, request: Request) -> Response:
        person = await self.access.need(request, Role.OPERATOR)
        try:
            run_id = await self.actions.start(person)
        except UserFacing as error:
            return JSONResponse({"error": str(error)}, 409)
        where = {"location": f"/api/v1/runs/{run_id}"}
        return JSONResponse({"run_id": run_id, "status": "running"}, 202, where)

    async def change_run(self, request: Request) -> Response:
        """Pause, resume or cancel a run; `?undelivered=drop` forgets what a cancelled one has not sent."""
        person = await self.access.need(request, Role.OPERATOR)
        run_id, wanted = request.path_params["run_id"], request.path_params["wanted"]
        undelivered = request.query_params.get("undelivered", "keep")
        if wanted not in runs.CHANGES:
            return JSONResponse({"error": f"A run can {', '.join(runs.CHANGES)}; not {wanted[:40]!r}."}, 404)
        if undelivered not in ("keep", "drop") or (undelivered == "drop" and wanted != "cancel"):
            return JSONResponse({"error": "undelivered is keep or drop, and only cancel may drop."}, 400)
        try:
            status, dropped = await self.actions.change_run(
                person, run_id, wanted, drop=undelivered == "drop"
            )
        except UserFacing as error:
            return JSONResponse({"error": str(error)}, 409)
        return JSONResponse({"run_id": run_id, "status": status, "dropped": dropped})

    async def change_queue(self, request: Request) -> Response:
        """Retry or discard one command; its key is percent-encoded in the path."""
        person = await self.access.need(request, Role.OPERATOR)
        key, wanted = request.path_params["key"], request.path_params["wanted"]
        if wanted not in QUEUE_CHANGES:
            words = f"A command can be told to {' or '.join(QUEUE_CHANGES)}; not {wanted[:40]!r}."
            return JSONResponse({"error": words}, 404)
        try:
            await self.actions.change_queue(person, key, wanted)
        except UserFacing as error:
            return JSONResponse({"error": f"{error}; GET /api/v1/queue lists them."}, 404)
        return JSONResponse({"key": key, "state": "pending" if wanted == "retry" else "dropped"})

    async def retry_dead(self, request: Request) -> Response:
        """Retry all dead letters."""
        person = await self.access.need(request, Role.OPERATOR)
        return JSONResponse({"retried": await self.actions.retry_dead(person)})


def _number(text: str | None, default: int, most: int) -> int | None:
    """The number that was asked for; None where that is no sensible one."""
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 16:
        return None
    number = int(text)
    return number if 1 <= number <= most else None

"""The pages for people: the status page and the reports of runs; they work without scripts."""

import asyncio
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.engine import Connection
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot import aggregate
from bot.report import environment
from bot.report_words import STATUS_MARKS, bars, duration, plain, verdict
from bot.web import snapshot
from bot.web.access import REALM, Access, Answer
from bot.web.api import CLOSED
from bot.web.health import Pulse, iso
from bot.wiring import App
from models.report import RunReport

RUNS_SHOWN = 15
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
"""No dot and no slash: such a name cannot leave its folder."""


def refusal(answer: Answer) -> Response:
    """Why somebody may not see a page; a browser asks for the password by itself."""
    if answer is Answer.NO_TOKEN_CONFIGURED:
        return PlainTextResponse(CLOSED + "\n", 403)
    return PlainTextResponse("The password is the admin token; any user name will do.\n", 401, REALM)


@dataclass(frozen=True)
class Pages:
    """The handlers and what they read from."""

    app: App
    pulse: Pulse
    access: Access
    reports: snapshot.Reports

    def routes(self) -> list[Route]:
        return [
            Route("/", self.status_page, methods=["GET"]),
            Route("/reports/{run_id}.html", self.report_file, methods=["GET"]),
        ]

    async def status_page(self, request: Request) -> Response:
        if (answer := self.access.may_read(request)) is not Answer.YES:
            return refusal(answer)
        return HTMLResponse(await self.app.database.query(self._render))

    def _render(self, connection: Connection) -> str:
        status = snapshot.status(self.app, self.pulse, connection)
        found = self.reports.latest(connection, RUNS_SHOWN)
        now = time.time()
        return (
            environment()
            .get_template("status.html")
            .render(
                status=status,
                runs=[_run(report) for report in found],
                integrations=_services(status),
                queue=[row | {"age": duration(row["oldest_seconds"])} for row in status["queue"]],
                now=iso(datetime.fromtimestamp(now, UTC)),
                metrics=self.app.settings.monitoring.metrics_endpoint,
            )
        )

    async def report_file(self, request: Request) -> Response:
        if (answer := self.access.may_read(request)) is not Answer.YES:
            return refusal(answer)
        run_id = request.path_params["run_id"]
        path = aggregate.REPORTS / f"{run_id}.html"
        if not _RUN_ID.fullmatch(run_id) or not await asyncio.to_thread(path.is_file):
            return JSONResponse({"error": "There is no report of this name."}, 404)
        return FileResponse(path, media_type="text/html")


def _run(report: RunReport) -> dict[str, Any]:
    mark, _ = STATUS_MARKS.get(report.status, ("·", "white"))
    return {
        "id": report.run_id,
        "status": report.status,
        "mark": mark,
        "trigger": plain(report.trigger, 20),
        "started": report.started_at,
        "seconds": duration(report.duration_seconds),
        "verdict": verdict(report),
        "bars": [bar for bar in bars(report.routes) if bar["count"]],
        "problems": [plain(problem, 300) for problem in report.problems[:5]],
        "report": bool(report.report) and (aggregate.REPORTS / f"{report.run_id}.html").is_file(),
    }


def _services(status: dict[str, Any]) -> list[dict[str, Any]]:
    """One line for each service that is on: its breaker and its last probe."""
    shown = []
    for name, breaker in status["breakers"].items():
        probe = status["integrations"].get(name)
        shown.append(
            {
                "name": name,
                "breaker": breaker["state"],
                "ok": probe["ok"] if probe else None,
                "detail": plain(probe["detail"], 200) if probe else "not asked yet",
                "checked_at": probe["checked_at"] if probe else None,
            }
        )
    return shown

"""The pages for people: status, reports of runs, audit log, and their buttons; they work without scripts."""

import asyncio
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.app.app import App
from bot.monitor.health import Pulse, iso
from bot.report.html import environment
from bot.report.wording import STATUS_MARKS, bars, duration, plain, verdict
from bot.run import aggregate
from bot.store import audit, queue, runs
from bot.store.database import Transaction
from bot.web import snapshot
from bot.web.access import Access, Denied, Person
from bot.web.actions import QUEUE_CHANGES, Actions
from bot.web.forms import read_form
from bot.web.roles import Role
from models.errors import UserFacing
from models.report import RunReport

RUNS_SHOWN = 15
DEAD_SHOWN = 20
ENTRIES_SHOWN = 50
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
"""No dot and no slash: such a name cannot leave its folder."""
_BUTTONS = {"running": ("pause", "cancel"), "paused": ("resume", "cancel")}
"""What may be done to a run, by its own status: the one that people see may say why it waits."""
DONE = {
    "start": "A run was started.",
    "pause": "The run stops after the batch it is at; what is decided is still delivered.",
    "resume": "The run goes on.",
    "cancel": "The run was cancelled; what it decided is still delivered.",
    "drop": "The run was cancelled, and what it had not sent is forgotten.",
    "retry": "It is tried again now.",
    "retry-all": "All of them are tried again now.",
    "discard": "It will not be sent.",
}


@dataclass(frozen=True)
class Pages:
    """The handlers and what they read from."""

    app: App
    pulse: Pulse
    access: Access
    reports: snapshot.Reports
    actions: Actions

    def routes(self) -> list[Route]:
        return [
            Route("/", self.status_page, methods=["GET"]),
            Route("/reports/{run_id}.html", self.report_file, methods=["GET"]),
            Route("/audit", self.audit_page, methods=["GET"]),
            Route("/runs", self.change_run, methods=["POST"]),
            Route("/queue", self.change_queue, methods=["POST"]),
        ]

    async def status_page(self, request: Request) -> Response:
        person = await self.access.need(request, Role.VIEWER)
        done = DONE.get(request.query_params.get("done", ""), "")
        return HTMLResponse(await self.app.database.query(lambda c: self._render(c, person, done)))

    def _render(self, connection: Transaction, person: Person, done: str) -> str:
        status = snapshot.status(self.app, self.pulse, connection)
        found = self.reports.latest(connection, RUNS_SHOWN)
        # A browser that shows a stored password sends no session, and without one nothing can be changed.
        may_act = person.by == "cookie" and person.may(Role.OPERATOR)
        standing = {row.id: row.status for row in runs.latest(connection, RUNS_SHOWN)} if may_act else {}
        return (
            environment()
            .get_template("status.html")
            .render(
                status=status,
                runs=[
                    _run(report) | {"buttons": _BUTTONS.get(standing.get(report.run_id, ""), ())}
                    for report in found
                ],
                integrations=_services(status),
                queue=[row | {"age": duration(row["oldest_seconds"])} for row in status["queue"]],
                dead=[_dead(item) for item in queue.items(connection, "dead", DEAD_SHOWN)],
                dead_in_all=sum(row["dead"] for row in status["queue"]),
                now=iso(datetime.fromtimestamp(time.time(), UTC)),
                metrics=self.app.settings.monitoring.metrics_endpoint,
                done=done,
                may_act=may_act,
                may_start=may_act and not any(state == "running" for state in standing.values()),
                **self._who(person),
            )
        )

    def _who(self, person: Person) -> dict[str, Any]:
        """What the head of each page says of who looks at it."""
        return {
            "who": person.name if person.by != "place" else "",
            "role": str(person.role),
            "has_session": person.by == "cookie",
            "can_login": self.access.has_tokens or self.access.has_github_login,
            "is_admin": person.may(Role.ADMIN),
        }

    async def report_file(self, request: Request) -> Response:
        await self.access.need(request, Role.VIEWER)
        run_id = request.path_params["run_id"]
        path = aggregate.REPORTS / f"{run_id}.html"
        if not _RUN_ID.fullmatch(run_id) or not await asyncio.to_thread(path.is_file):
            return JSONResponse({"error": "There is no report of this name."}, 404)
        return FileResponse(path, media_type="text/html")

    async def audit_page(self, request: Request) -> Response:
        """Who did what, the newest first, a page at a time."""
        person = await self.access.need(request, Role.ADMIN)
        query = request.query_params
        wanted = {name: query.get(name, "").strip()[:300] for name in ("actor", "subject")}
        text = query.get("before", "")
        before = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
        found = await self.app.database.query(
            lambda c: audit.entries(
                c, limit=ENTRIES_SHOWN, actor=wanted["actor"], subject=wanted["subject"], before=before
            )
        )
        given = {name: value for name, value in wanted.items() if value}
        older = urlencode({**given, "before": found[-1]["id"]}) if len(found) == ENTRIES_SHOWN else ""
        page = environment().get_template("audit.html")
        return HTMLResponse(
            page.render(
                name=self.app.settings.name,
                entries=[_entry(entry) for entry in found],
                wanted=wanted,
                older=older,
                newest=urlencode(given) if before else None,
                **self._who(person),
            )
        )

    async def change_run(self, request: Request) -> Response:
        """The buttons of a run, and the one that starts one."""
        person = await self.access.need(request, Role.OPERATOR)
        form = await read_form(request)
        wanted = form.get("do", "")
        try:
            if wanted == "start":
                await self.actions.start(person)
            elif wanted in runs.CHANGES or wanted == "drop":
                change = "cancel" if wanted == "drop" else wanted
                await self.actions.change_run(person, form.get("run", ""), change, drop=wanted == "drop")
            else:
                raise Denied(400, "The form asks for nothing that can be done to a run.")
        except UserFacing as error:
            raise Denied(409, str(error)) from None
        return RedirectResponse(f"/?done={wanted}", 303)

    async def change_queue(self, request: Request) -> Response:
        """The buttons of a dead letter, and the one for all of them."""
        person = await self.access.need(request, Role.OPERATOR)
        form = await read_form(request)
        wanted = form.get("do", "")
        try:
            if wanted == "retry-all":
                await self.actions.retry_dead(person)
            elif wanted in QUEUE_CHANGES:
                await self.actions.change_queue(person, form.get("key", ""), wanted)
            else:
                raise Denied(400, "The form asks for nothing that can be done to the queue.")
        except UserFacing as error:
            raise Denied(409, str(error)) from None
        return RedirectResponse(f"/?done={wanted}", 303)


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


def _dead(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "key": item["key"],
        "name": plain(item["key"], 160),
        "target": item["target"],
        "error": plain(item["last_error"] or "", 240),
        "since": item["created_at"],
    }


def _entry(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry as the page shows it, its details in one line."""
    told = audit.telling(entry["detail"])
    return entry | {
        "at": entry["at"].replace("T", " ").removesuffix("Z"),
        "actor": plain(entry["actor"], 80),
        "subject": plain(entry["subject"], 200),
        "detail": plain(", ".join(f"{name}: {value}" for name, value in told.items()), 200),
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

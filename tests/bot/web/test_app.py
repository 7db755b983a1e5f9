"""Pages and API over a real database: what they show, to whom, and what they never show."""

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from bot.app.app import App
from bot.monitor.health import Probe, Pulse
from bot.store import cases, outbox, runs
from bot.store.database import Database
from bot.web.app import create_app
from models.commands import add_labels, create_story
from models.errors import UserFacing
from models.tables import AlertRow, CaseRow, RunRow
from tests.bot.conftest import MakeApp

TOKEN = "s3cret-tökén"
_runs: sa.Table = RunRow.__table__  # type: ignore[attr-defined]
_cases: sa.Table = CaseRow.__table__  # type: ignore[attr-defined]
_alerts: sa.Table = AlertRow.__table__  # type: ignore[attr-defined]


class Scheduler:
    """A scheduler as far as pages look at one."""

    running = True
    due = datetime(2026, 11, 21, 2, tzinfo=UTC)

    def start(self) -> None: ...

    def shutdown(self, wait: bool = True) -> None: ...

    def get_job(self, job_id: str) -> Any:
        return type("Job", (), {"next_run_time": self.due})()


def pulse() -> Pulse:
    made = Pulse(scheduler=Scheduler(), workers={"batches": True, "runs": True})
    made.health.probes["github"] = Probe(False, "github: <b>down</b>", datetime(2026, 11, 20, 13, tzinfo=UTC))
    return made


@asynccontextmanager
async def client(
    app: App,
    host: str = "127.0.0.1",
    *,
    state: Pulse | None = None,
    start: Callable[[], Any] | None = None,
    base: str = "http://127.0.0.1:8080",
) -> AsyncIterator[httpx.AsyncClient]:
    async def begin() -> str:
        return "api-1"

    made = create_app(app, host=host, pulse=state or pulse(), start=start or begin)
    transport = httpx.ASGITransport(app=made)
    async with httpx.AsyncClient(transport=transport, base_url=base) as opened:
        yield opened


def fill(app: App) -> None:
    """One finished run with a security case, one story that waits, one dead, one open alert."""
    with app.database.write() as connection:
        runs.create(connection, "run-1", "cli", {"repositories": ["octo/widgets"]}, None)
        runs.add_batches(connection, "run-1", 0, [["octo/widgets#1"]])
        batch = runs.Batch("run-1", 0, ("octo/widgets#1",), False)
        runs.finish_batch(connection, batch, {"triaged": 2, "routes": {"bug": 1, "security": 1}})
        runs.update(
            connection, "run-1", status="done", cases_done_at=1.0, finished_at=2.0, progress={"fetched": 2}
        )
        stories = [
            create_story(
                f"octo/widgets#{n}",
                name="SECRET-TITLE",
                description="SECRET-BODY",
                story_type="bug",
                labels=(),
                external_link="https://github.com/octo/widgets/issues/1",
            )
            for n in (1, 2)
        ]
        outbox.store(connection, "run-1", stories, 1_700_000_000.0)
        dead = outbox.Outcome(
            key="story:octo/widgets#2", issue="octo/widgets#2", payload_hash="", error="refused: <i>no</i>"
        )
        outbox.save(connection, [dead], 1_700_000_000.0)
        values = {
            "key": "octo/widgets#1", "run_id": "run-1", "status": "triaged", "route": "security",
            "content_hash": "", "own_labels": [], "urgency": 9.0, "trace_key": "", "title": "SECRET-TITLE",
            "url": "", "failures": 0, "error": "", "detail": {}, "updated_at": 1.0,
        }  # fmt: skip
        connection.execute(sa.insert(_cases).values(values))
        assert next(cases.lines(connection, "run-1")).route == "security"
        alert = {"name": "error_rate:github@me", "since": 1_700_000_000.0, "detail": "github: 5 of 5 failed"}
        connection.execute(sa.insert(_alerts).values(alert))


async def test_the_status_page_shows_what_matters_and_no_titles(make_app: MakeApp) -> None:
    app = make_app()
    fill(app)
    async with client(app) as http:
        page = await http.get("/")
    assert page.status_code == 200
    for words in (
        "✔ working",
        "2026-11-21 02:00 UTC",
        "run-1",
        "! partial",
        "1 update refused for good",
        "github: &lt;b&gt;down&lt;/b&gt;",
        "shortcut is off",
        "github: 5 of 5 failed",
    ):
        assert words in page.text, words
    assert "SECRET" not in page.text
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"


async def test_the_api_gives_the_same_as_json(make_app: MakeApp) -> None:
    app = make_app()
    fill(app)
    async with client(app) as http:
        listed = (await http.get("/api/v1/runs")).json()
        one = (await http.get("/api/v1/runs/run-1")).json()
        queue = (await http.get("/api/v1/queue")).json()
        status = (await http.get("/api/v1/status")).json()
        missing = await http.get("/api/v1/runs/nope")
        wrong = [await http.get("/api/v1/runs", params={"limit": limit}) for limit in ("0", "x", "101", "²")]
    assert listed == {"runs": [one]}
    assert one["run_id"] == "run-1"
    assert one["status"] == "partial"
    assert one["stories"] == {"created": 0, "existing": 0, "queued": 1, "dead": 1}
    assert sorted(queue) == ["dead", "pending"]
    assert sorted(queue["dead"][0]) == [
        "attempts", "created_at", "issue", "key", "last_error", "next_attempt_at", "operation", "target",
    ]  # fmt: skip
    assert [item["key"] for item in queue["pending"]] == ["story:octo/widgets#1"]
    assert status["next_run_at"] == "2026-11-21T02:00:00Z"
    assert status["queue"][0] | {"oldest_seconds": 0} == {
        "target": "shortcut", "pending": 1, "dead": 1, "oldest_seconds": 0,
        "waits_because": None, "waits_until": None,
    }  # fmt: skip
    assert status["alerts"][0]["name"] == "error_rate:github"
    assert "SECRET" not in str((listed, one, queue, status))
    assert missing.status_code == 404
    assert [answer.status_code for answer in wrong] == [400] * 4


async def test_a_run_is_paused_resumed_and_cancelled(make_app: MakeApp) -> None:
    app = make_app(token="let-me")
    fill(app)
    with app.database.write() as connection:
        runs.create(connection, "run-2", "api", {}, None)
        outbox.store(connection, "run-2", [add_labels("octo/widgets#9", ["bug"])], 0.0)
    key = {"authorization": "Bearer let-me"}
    async with client(app) as http:

        async def change(wanted: str, **options: str) -> tuple[int, dict[str, object]]:
            answer = await http.post(f"/api/v1/runs/run-2/{wanted}", params=options, headers=key)
            return answer.status_code, answer.json()

        assert (await http.post("/api/v1/runs/run-2/pause")).status_code == 401
        assert await change("pause") == (200, {"run_id": "run-2", "status": "paused", "dropped": 0})
        assert (await change("pause"))[0] == 409
        assert (await change("resume"))[1]["status"] == "running"
        assert (await change("explode"))[0] == 404
        assert (await change("pause", undelivered="drop"))[0] == 400
        assert await change("cancel", undelivered="drop") == (
            200,
            {"run_id": "run-2", "status": "cancelled", "dropped": 1},
        )
        assert (await http.get("/api/v1/queue")).json()["pending"][0]["key"] == "story:octo/widgets#1"


async def test_health_and_readiness(make_app: MakeApp) -> None:
    app = make_app()
    fill(app)
    state = pulse()
    async with client(app, state=state) as http:
        assert (await http.get("/healthz")).json() == {"status": "ok"}
        ready = await http.get("/readyz")
        # A service that is down is reported, and the bot stays ready: commands wait for it.
        assert ready.status_code == 200
        document = ready.json()
        assert document["integrations"]["github"]["ok"] is False
        assert document["integrations"]["github"]["checked_at"] == "2026-11-20T13:00:00Z"
        assert document["breakers"]["github"]["state"] == "closed"
        assert document["queue"] == {"pending": 1, "dead": 1}
        state.workers["runs"] = False
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.json()["worker"]["ok"]) == (503, False)
        state.workers["runs"] = True
        for _ in range(2):
            app.tasks.failed("people", "ProgrammingError: no such column")
        assert (await http.get("/readyz")).status_code == 200, "twice may be a restart of the database"
        app.tasks.failed("people", "ProgrammingError: no such column")
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.json()["worker"]["tasks"]["people"]) == (503, False)
        assert "people failed three times in a row: ProgrammingError" in (await http.get("/")).text
        assert 'switchyard_task_up{task="people"} 0.0' in (await http.get("/metrics")).text
        app.tasks.worked("people")
        assert (await http.get("/readyz")).status_code == 200
        assert 'switchyard_task_up{task="runs"} 1.0' in (await http.get("/metrics")).text
        state.scheduler = None
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.json()["scheduler"]["ok"]) == (503, False)


async def test_without_a_database_it_says_so(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app()
    app.database.dispose()
    if app.database.is_sqlite:
        for file in tmp_path.glob("t.db*"):
            file.unlink()
    else:
        app.database = Database("postgresql://root@127.0.0.1:1/nowhere")
    async with client(app) as http:
        ready = await http.get("/readyz")
        page = await http.get("/api/v1/runs")
        scraped = await http.get("/metrics")
    assert ready.status_code == 503
    assert "does not answer" in ready.json()["database"]["detail"]
    assert page.status_code == 503
    assert page.json() == {"error": "The database does not answer; the log says why."}
    assert page.headers["x-frame-options"] == "DENY"
    assert "switchyard_database_up 0.0" in scraped.text


async def test_metrics(make_app: MakeApp) -> None:
    app = make_app(name='a"b', monitoring={"metrics_endpoint": "/internal/figures"})
    fill(app)
    async with client(app, "0.0.0.0", base="http://bot.example") as http:
        answer = await http.get("/internal/figures")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    for line in (
        'switchyard_outbox_commands{state="pending",target="shortcut"} 1.0',
        'switchyard_outbox_commands{state="dead",target="shortcut"} 1.0',
        'switchyard_outbox_commands{state="dead",target="github"} 0.0',
        'switchyard_breaker_state{service="github",state="closed"} 1.0',
        'switchyard_integration_up{integration="github"} 0.0',
        'switchyard_runs{status="done"} 1.0',
        "switchyard_database_up 1.0",
    ):
        assert line in answer.text.splitlines(), line
    assert 'workflow="a\\"b"' in answer.text
    assert "switchyard_requests" in answer.text
    oldest = next(x for x in answer.text.splitlines() if x.startswith("switchyard_outbox_oldest_seconds{"))
    assert "target=" in oldest


async def test_reports_are_served_from_their_folder_alone(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app()
    folder = tmp_path / "var" / "reports"
    folder.mkdir(parents=True)
    (folder / "run-1.html").write_text("<p>hello</p>")
    (tmp_path / "var" / "secret.html").write_text("no")
    async with client(app) as http:
        good = await http.get("/reports/run-1.html")
        bad = [
            await http.get(path)
            for path in (
                "/reports/none.html",
                "/reports/../secret.html",
                "/reports/..%2Fsecret.html",
                "/reports/%2e%2e%2fsecret.html",
                "/reports/..%5csecret.html",
                "/reports/.html",
                "/reports/%00.html",
                "/reports/" + "x" * 300 + ".html",
            )
        ]
    assert good.text == "<p>hello</p>"
    assert good.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in good.headers["content-security-policy"]
    assert {answer.status_code for answer in bad} == {404}


PROTECTED = ("/", "/api/v1/runs", "/api/v1/runs/x", "/api/v1/queue", "/api/v1/status", "/reports/x.html")


def basic(password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"me:{password}".encode()).decode()}


@pytest.mark.parametrize("path", PROTECTED)
async def test_elsewhere_pages_are_closed_until_a_token_is_set(make_app: MakeApp, path: str) -> None:
    async with client(make_app(), "0.0.0.0", base="http://10.0.0.5:8080") as http:
        answer = await http.get(path)
        assert answer.status_code == 403
        assert "SWITCHYARD_ADMIN_TOKEN" in answer.text
        assert (await http.get("/readyz")).json()["integrations"]["github"].keys() == {"ok", "checked_at"}


@pytest.mark.parametrize("path", PROTECTED)
async def test_elsewhere_the_token_opens_them(make_app: MakeApp, path: str) -> None:
    async with client(make_app("plain-token"), "0.0.0.0", base="http://10.0.0.5:8080") as http:
        refused = await http.get(path)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Basic")
        for headers in (basic("plain-token"), {"authorization": "bearer plain-token"}):
            assert (await http.get(path, headers=headers)).status_code in (200, 404)
        for headers in (
            basic("wrong"),
            basic(""),
            {"authorization": "Basic ???"},
            {"authorization": "Bearer"},
            {"authorization": "Bearer plain-toke"},
        ):
            assert (await http.get(path, headers=headers)).status_code == 401


async def test_a_foreign_name_for_this_machine_opens_nothing(make_app: MakeApp) -> None:
    app = make_app()
    for base, status in (
        ("http://rebound.example", 403),
        ("http://localhost:8080", 200),
        ("http://[::1]:8080", 200),
    ):
        async with client(app, base=base) as http:
            assert (await http.get("/")).status_code == status


async def test_runs_are_started_with_the_token_only(make_app: MakeApp) -> None:
    async with client(make_app()) as http:
        answer = await http.post("/api/v1/runs", headers={"authorization": "Bearer x"})
        assert answer.status_code == 503
        assert "SWITCHYARD_ADMIN_TOKEN" in answer.json()["error"]
    app = make_app(TOKEN)
    async with client(app) as http:
        assert (await http.post("/api/v1/runs")).status_code == 401
        # A browser would add a stored password to any site's request.
        assert (await http.post("/api/v1/runs", headers=basic(TOKEN))).status_code == 401
        answer = await http.post("/api/v1/runs", headers={"authorization": "Bearer wrong"})
        assert answer.status_code == 401


async def test_a_started_run_is_named(make_app: MakeApp) -> None:
    good = {"authorization": "Bearer plain-token"}
    async with client(make_app("plain-token")) as http:
        answer = await http.post("/api/v1/runs", headers=good)
        assert (answer.status_code, answer.json()["run_id"]) == (202, "api-1")
        assert answer.headers["location"] == "/api/v1/runs/api-1"

    async def busy() -> str:
        raise UserFacing("run run-1 is at work already; wait for its end")

    async with client(make_app("plain-token"), start=busy) as http:
        answer = await http.post("/api/v1/runs", headers=good)
        assert (answer.status_code, answer.json()) == (
            409,
            {"error": "run run-1 is at work already; wait for its end"},
        )


async def test_unknown_paths_and_methods_and_surprises(make_app: MakeApp, capsys: Any) -> None:
    async def broken() -> str:
        raise RuntimeError("internal detail")

    async with client(make_app("plain-token"), start=broken) as http:
        for answer, status in (
            (await http.get("/nope"), 404),
            (await http.get("/reports/"), 404),
            (await http.delete("/healthz"), 405),
            (await http.post("/api/v1/runs", headers={"authorization": "Bearer plain-token"}), 500),
        ):
            assert answer.status_code == status
            assert list(answer.json()) == ["error"]
            assert "internal detail" not in answer.text
            assert answer.headers["x-content-type-options"] == "nosniff"
        assert (await http.head("/healthz")).status_code == 200

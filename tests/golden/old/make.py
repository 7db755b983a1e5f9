"""Makes the old database: `python -m tests.golden.old.make`. It was run once and is not run again.

That was in December 2026, on schema 0004 and with the commit that added this file: what it leaves is what a program
of that day left. A later program would leave something else, and the test would show nothing. So it imports modules
from where they were then; to run it, check that commit out.

It leads a run into every kind of unfinished work, kills it, and writes down three things: the SQLite database, the
same content in PostgreSQL, and the requests by which the services came to stand as they did. What is this machine's
(host, account, ports) is replaced.
"""

import getpass
import json
import os
import re
import socket
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.store import outbox
from bot.store.database import Database
from models import commands, messages
from models.tables import METADATA
from tests.golden.old.ground import GADGETS, WIDGETS, configure, issues
from tests.golden.old.load import AUTHORISED, FOLDER, GIVEN, SOMEWHERE
from tests.postgres import fresh_database
from tests.world import World

CARRIED_OUT = ("drop_after", "hang_after", "truncate")
"""Faults that come after the effect."""
UNKEPT = ("/search", "/query", "/querybatch", "/completions", "/hooks/team")
"""Ends of paths of which nothing is left behind, or which may be called again."""
KEPT = ("content-type", "idempotency-key", "notion-version")


class Recorder:
    """The sandbox, writing down the requests that changed something in it."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.requests: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body, answered, status = bytearray(), bytearray(), 0

        async def receive_copy() -> Any:
            message = await receive()
            body.extend(message.get("body", b""))
            return message

        async def send_copy(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)
            answered.extend(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive_copy, send_copy)
        finally:
            path = scope["raw_path"].decode()
            is_write = (
                scope["method"] != "GET" and not path.startswith("/_control") and not path.endswith(UNKEPT)
            )
            if is_write and (200 <= status < 300 or scope.get("switchyard.fault") in CARRIED_OUT):
                headers = {name.decode(): value.decode() for name, value in scope["headers"]}
                request = {
                    "method": scope["method"],
                    "path": path,
                    "headers": {name: headers[name] for name in KEPT if name in headers},
                    "body": body.decode(),
                    "answer": _names(json.loads(answered)) if 200 <= status < 300 and answered else None,
                }
                self.requests.append(request)


def _names(answer: Any) -> Any:
    """What an answer named, in its place."""
    if isinstance(answer, list):
        return [_names(one) for one in answer]
    if isinstance(answer, dict):
        parts = {
            key: _names(one) for key, one in answer.items() if key in GIVEN or isinstance(one, dict | list)
        }
        return {key: one for key, one in parts.items() if one not in ({}, [])}
    return answer


def main() -> None:
    """Make the database and write the three files."""
    folder = Path(tempfile.mkdtemp())
    with World(folder, issues(), anew=True) as world:
        world.app.sandbox = recorder = Recorder(world.app.sandbox)
        configure(world, mail_port=1)
        world.set("scaling.cpu_workers", "0")
        database = folder / "var" / "switchyard.db"
        _well(world)
        troubled_run = _with_trouble(world)
        _killed(world, database)
        _more(world, database, troubled_run)
        _neutral(database)
        with closing(sqlite3.connect(database)) as connection:
            text = "\n".join(connection.iterdump()) + "\n"
        (FOLDER / "sqlite.sql").write_text(_clean(text, world), "utf-8")
        (FOLDER / "postgres.sql").write_text(_clean(_in_postgres(database), world), "utf-8")
        lines = (json.dumps(request, ensure_ascii=False) for request in recorder.requests)
        (FOLDER / "services.jsonl").write_text(_clean("\n".join(lines) + "\n", world), "utf-8")


def _well(world: World) -> None:
    """A run that ends well, and what a person says of it."""
    done = world.run("run", "--repo", GADGETS, "--json", "--wait", "5s")
    assert done.json["stories"]["created"] == 2, done.out
    assert world.run("issue", "route", f"{GADGETS}#2", "docs").code == 0


def _with_trouble(world: World) -> str:
    """A run whose services fail, some of them after they did what was asked; its id."""
    for service in ("shortcut", "slack", "webhook", "notion", "api"):
        world.control(service=service, fault="status", status=503)
    world.control(service="api", match="GET .*", fault="status", status=404)
    once = {"fault": "drop_after", "times": 1}
    world.control(service="shortcut", match="POST /api/v3/stories/bulk", **once)
    world.control(service="shortcut", match="GET .*", fault="none")
    world.control(service="notion", match="POST /v1/pages", **once)
    world.control(service="api", match="POST .*/pages", **once)
    comments = f"/repos/{WIDGETS}/issues/5/comments"
    world.control(service="github", match=comments, fault="status", status=503)
    world.control(service="github", match=f"POST {comments}", **once)
    world.control(
        service="github", match=f"POST /repos/{WIDGETS}/issues/2/labels", fault="status", status=422
    )
    refs = [part for number in range(1, 6) for part in ("--issue", f"{WIDGETS}#{number}")]
    report = world.run("run", *refs, "--json", "--wait", "2s").json
    dead = [item["key"] for item in world.run("queue", "list", "--json").json["dead"]]
    assert report["status"] == "partial" and dead == [f"labels:{WIDGETS}#2"], (report, dead)
    return str(report["run_id"])


def _killed(world: World, database: Path) -> None:
    """A run that dies while it thinks about one batch, with another waiting and a repository to be read."""
    world.control(service="api", match="GET .*", fault="hang")
    world.control(service="github", match=f"GET /repos/{GADGETS}/issues", fault="hang")
    world.set("integrations.services", json.dumps(_patient(world)))
    world.set("resilience.circuit_breaker.reset_timeout_seconds", "1s")
    process = world.start("run", "--json")
    running = "JOIN runs ON id = run_id WHERE status = 'running'"
    batches = f"SELECT batches.state, count(*) FROM batches {running} GROUP BY batches.state"
    stories = f"SELECT count(*) FROM commands {running} AND operation = 'create_story'"

    def is_there() -> bool:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            states = dict(connection.execute(batches).fetchall())
            (decided,) = connection.execute(stories).fetchone()
            row = connection.execute("SELECT progress FROM runs WHERE status = 'running'").fetchone()
        progress = json.loads(row[0]) if row else {}
        is_read = WIDGETS in progress.get("cursors", {})
        return bool(states.get("claimed") == 1 and "pending" in states and is_read and decided)

    world.wait_until(is_there)
    time.sleep(1)
    assert is_there()
    process.kill()
    process.communicate()


def _patient(world: World) -> dict[str, Any]:
    services: dict[str, Any] = json.loads(world.environment["SWITCHYARD__INTEGRATIONS__SERVICES"])
    services["pager"]["timeout"] = "60s"
    return services


def _more(world: World, path: Path, run_id: str) -> None:
    """Commands of kinds that no run here led to, stored as a run stores them."""
    world.control(reset="faults")
    first = next(s for s in world.listed("stories") if s["external_id"] == f"story:{GADGETS}#1")
    story = world.http.post(
        "/api/v3/stories",
        json={"name": "Made twice", "workflow_state_id": first["workflow_state_id"]},
        headers=AUTHORISED,
    ).json()
    said = world.http.post(
        f"/repos/{GADGETS}/issues/3/comments", json={"body": "/triage why"}, headers=AUTHORISED
    ).json()
    made = [
        commands.assign(f"{GADGETS}#1", "ann"),
        commands.reflect_story(f"{GADGETS}#1", ["In Progress"]),
        commands.react(f"{GADGETS}#3", said["id"], "eyes"),
        commands.archive_story(f"{GADGETS}#1", story["id"], keep_id=first["id"], keep_url=first["app_url"]),
        commands.draft_advisory(
            f"{WIDGETS}#4", summary="Injection", description="As reported.", severity="high"
        ),
        messages.publish_home("U0SANDBOX1", [{"type": "divider"}]),
        messages.upload_chart(run_id, b"\x89PNG\r\n\x1a\n", title="Routes", alt="A chart"),
    ]
    database = Database(f"sqlite:///{path}")
    with database.write() as connection:
        outbox.store(connection, run_id, made, time.time())
    database.dispose()


def _neutral(path: Path) -> None:
    """Processes and accounts get names of no machine; mails, which are long, a short form."""
    host, account = socket.gethostname(), getpass.getuser()
    places = "alerts.name batches.owner lanes.holder owners.executor_id runs.owner spending.owner"
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, column in (place.split(".") for place in places.split()):
            query = f"UPDATE {table} SET {column} = replace({column}, ?, 'elsewhere')"
            connection.execute(query, (host,))
        connection.execute("UPDATE owners SET host = 'elsewhere', pid = 7")
        connection.execute("UPDATE audit SET actor = 'somebody' WHERE actor = ?", (account,))
        short = "json_set(payload, '$.html', '<p>As text.</p>')"
        connection.execute(f"UPDATE commands SET payload = {short} WHERE operation = 'send_mail'")
        connection.execute("UPDATE corrections SET person = 'somebody' WHERE person = ?", (account,))


def _in_postgres(path: Path) -> str:
    """The same content in PostgreSQL, as pg_dump writes it."""
    with fresh_database() as url:
        database = Database(url)
        database.migrate()
        source = sa.create_engine(f"sqlite:///{path}")
        with source.connect() as read, database.write() as write:
            for table in METADATA.sorted_tables:
                rows = [dict(row._mapping) for row in read.execute(sa.select(table))]
                if rows:
                    write.execute(sa.insert(table), rows)
            for table in METADATA.sorted_tables:
                for column in table.primary_key:
                    if column.autoincrement is True or column is table.autoincrement_column:
                        name = f"pg_get_serial_sequence('{table.name}', '{column.name}')"
                        write.execute(
                            sa.text(
                                f"SELECT setval({name}, (SELECT coalesce(max({column.name}), 0) + 1 FROM {table.name}))"
                            )
                        )
        source.dispose()
        database.dispose()
        dump = ["pg_dump", "--column-inserts", "--no-owner", "--no-privileges", url]
        text = subprocess.run(dump, capture_output=True, text=True, check=True, env=os.environ).stdout
    return "\n".join(_statements(text.splitlines())) + "\n"


def _statements(lines: Iterable[str]) -> Iterable[str]:
    """Without comments, which name versions, psql's own commands, and empty lines."""
    return (line for line in lines if line and not line.startswith(("--", "\\")))


def _clean(text: str, world: World) -> str:
    """Without this machine's addresses; what is left of it is a mistake."""
    text = re.sub(r"elsewhere:\d+:\d+:", "elsewhere:7:700:", text.replace(world.base, SOMEWHERE))
    left = re.findall(rf"{re.escape(socket.gethostname())}|127\.0\.0\.1:\d\d+|/tmp/|/work/|/root", text)
    assert not left, left
    return text


if __name__ == "__main__":
    main()

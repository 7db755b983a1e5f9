"""Whole runs in which every secret is one that can be recognised, and services quote what they are sent.

Afterwards nothing that was printed, stored, posted or shown may hold any of them, not even a piece.
"""

import base64
import hashlib
import hmac
import json
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.sandbox import asgi as sandbox_app
from integrations.sandbox_faults import Request
from tests.bot.trigger.test_inbox import Served, headers, issue_event
from tests.world import World

PIECE = 16
"""So much of a secret, or more, is a leak; an error text may end within one."""
LOUD = """
import logging, structlog
quiet = logging.basicConfig
logging.basicConfig = lambda **options: quiet(**{**options, "level": 1})
filtering = structlog.make_filtering_bound_logger
structlog.make_filtering_bound_logger = lambda level, *rest: filtering(0, *rest)
"""
"""Python runs this before the program: everybody logs everything."""


def canary(name: str, length: int = 40) -> str:
    """A value that occurs nowhere else."""
    return hashlib.sha256(f"canary {name}".encode()).hexdigest()[:length]


SECRETS = {
    name: canary(name)
    for name in (
        "GITHUB_TOKEN", "GITHUB_WEBHOOK_SECRET", "GITHUB_CLIENT_SECRET", "SHORTCUT_API_TOKEN",
        "SHORTCUT_WEBHOOK_SECRET", "SLACK_SIGNING_SECRET", "NOTION_TOKEN", "SMTP_PASSWORD", "LLM_API_KEY",
        "SWITCHYARD_ADMIN_TOKEN",
        "SWITCHYARD_OPERATOR_TOKEN", "SWITCHYARD_VIEWER_TOKEN", "SWITCHYARD_HOOK_SECRET",
    )
} | {
    "SLACK_BOT_TOKEN": f"xoxb-{canary('slack')}",
    "TRIAGE_HOOK": "whsec_" + base64.b64encode(canary("hook", 32).encode()).decode(),
}  # fmt: skip
OWN_HEADERS = {
    "github": {"GITHUB_TOKEN", "GITHUB_APP_PRIVATE_KEY"},
    "shortcut": {"SHORTCUT_API_TOKEN"},
    "slack": {"SLACK_BOT_TOKEN"},
    "notion": {"NOTION_TOKEN"},
    "osv": set(),
    "webhook": set(),
}
WRITTEN = {
    "ghp": f"ghp_{canary('ghp', 36)}",
    "pat": f"github_pat_11{canary('pat', 20)}_{canary('pat two', 40)}",
    "aws": f"AKIA{canary('aws', 16).upper()}",
    "slack": f"xoxb-{canary('their slack', 30)}",
    "stripe": f"sk_live_{canary('stripe', 24)}",
    "key": base64.b64encode(canary("key", 40).encode()).decode(),
    "password": canary("password", 24),
    "assigned": canary("assigned", 32),
}
"""What people paste into issues."""


def text_with_secrets() -> str:
    found = WRITTEN
    return (
        f"It crashes with an error and loses data when I log in with {found['ghp']} every time.\n\n"
        f"### Steps\n1. export AWS_KEY={found['aws']}\n2. run `curl https://bot:{found['password']}@example.com/x`\n"
        f"3. password={found['assigned']}\n\n### Expected\nIt works with {found['pat']}.\n\n"
        f"```\n-----BEGIN RSA PRIVATE KEY-----\n{found['key']}\n-----END RSA PRIVATE KEY-----\n```\n\n"
        f'```python\nTraceback (most recent call last):\n  File "app/login.py", line 3, in login\n'
        f"    client.login('{found['slack']}')\nValueError: invalid token {found['stripe']}\n```\n"
        f"<!-- {found['ghp']} --> [link](https://me:{found['password']}@example.com)"
    )


def issues() -> list[dict[str, Any]]:
    titles = {
        1: f"Crash when I log in with {WRITTEN['ghp']} every time",
        2: f"Please add an option to rotate {WRITTEN['aws']} automatically",
        3: f"Docs: the README shows https://me:{WRITTEN['password']}@example.com",
        4: f"Security vulnerability: remote code execution with {WRITTEN['slack']}",
        5: f"How do I use {WRITTEN['pat']}?",
    }
    return [
        {
            "repo": "octo/widgets",
            "number": number,
            "title": title,
            "body": text_with_secrets(),
            "author": "ann",
            "created_at": f"2026-11-0{number}T10:00:00Z",
            "updated_at": f"2026-11-0{number}T10:00:00Z",
        }
        for number, title in titles.items()
    ]


def spellings(value: str) -> set[str]:
    """All pieces of a secret, and of what base64 makes of it."""
    forms = {value}
    for before in (b"", b"x", b"xx"):
        forms.add(base64.b64encode(before + value.encode())[4:-4].decode())
    return {form[i : i + PIECE] for form in forms for i in range(max(1, len(form) - PIECE + 1))}


class Watch:
    """Where secrets were looked for, and where they were found."""

    def __init__(self, own: Mapping[str, str], written: Mapping[str, str]) -> None:
        self._own = {name: spellings(value) for name, value in own.items()}
        self._written = {name: spellings(value) for name, value in written.items()}
        self.leaks: list[str] = []
        self.seen = 0

    def look(
        self, place: str, text: str | bytes, *, written: bool = True, except_for: set[str] = frozenset()
    ) -> None:  # type: ignore[assignment]
        """`written` is False where an issue's text may stand as its author wrote it."""
        text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        self.seen += len(text)
        known = {name: pieces for name, pieces in self._own.items() if name not in except_for}
        for name, pieces in (known | (self._written if written else {})).items():
            for piece in pieces:
                at = text.find(piece)
                if at >= 0:
                    self.leaks.append(f"{place}: {name}: …{text[max(0, at - 120) : at + 60]}…")
                    break


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Every request that reached the sandbox."""
    found: list[Request] = []
    read = sandbox_app._read

    async def reading(scope: Any, receive: Any) -> Request:
        request = await read(scope, receive)
        found.append(request)
        return request

    monkeypatch.setattr(sandbox_app, "_read", reading)
    return found


@pytest.fixture
def world(tmp_path: Path, sent: list[Request]) -> Iterator[World]:
    with World(tmp_path, issues()) as made:
        made.environment |= SECRETS
        loud = tmp_path / "loud"
        loud.mkdir()
        (loud / "sitecustomize.py").write_text(LOUD)
        made.set(
            "integrations.webhooks",
            json.dumps([{"url": f"{made.base}/hooks/t", "secret_env": "TRIAGE_HOOK"}]),
        )
        made.set("integrations.github.comment", "always")
        made.set("monitoring.health_check_interval", "1s")
        made.set("router.needs_human", "story")
        yield made


def python_path(world: World) -> str:
    return f"{world.folder / 'loud'}:{Path(__file__).parents[2]}"


def service_of(path: str) -> str:
    if path.startswith("/api/v3/"):
        return "shortcut"
    if path.startswith("/v1/"):
        return "osv" if path.startswith(("/v1/vulns/", "/v1/querybatch")) else "notion"
    return "slack" if path.startswith("/api/") else "webhook" if path.startswith("/hooks/") else "github"


def echo(world: World, service: str, match: str = "", **options: Any) -> None:
    world.control(service=service, fault="echo", match=match, **options)


def look_at_everything(world: World, watch: Watch, sent: list[Request]) -> None:
    """Files, services and requests."""
    for path in sorted(world.folder.rglob("*")):
        if path.is_file():
            watch.look(path.name, path.read_bytes(), written=".db" not in path.name)
    with world.reading() as connection:
        for table in sa.inspect(connection).get_table_names():
            if table in ("issues", "inbox", "examples"):
                # The copy of the issue itself, and the delivery that brings it.
                continue
            rows = connection.execute(sa.text(f"SELECT * FROM {table}"))
            watch.look(f"table {table}", str([tuple(row) for row in rows]))
    for what in ("stories", "comments", "labels", "messages", "webhooks"):
        watch.look(f"sandbox {what}", json.dumps(world.listed(what)))
    for request in sent:
        if request.path.startswith("/_control"):
            continue
        service = service_of(request.path)
        where = f"{request.method} {request.path}"
        watch.look(f"headers of {where}", str(dict(request.headers)), except_for=OWN_HEADERS[service])
        watch.look(where, request.path + "?" + request.query_string)
        watch.look(f"body of {where}", request.body)


@pytest.mark.slow
def test_no_secret_shows_anywhere(world: World, sent: list[Request]) -> None:
    watch = Watch(SECRETS, WRITTEN)
    path = python_path(world)

    def run(*arguments: str) -> None:
        result = world.run(*arguments, python_path=path)
        watch.look(f"{arguments} stdout", result.out)
        watch.look(f"{arguments} stderr", result.err)

    echo(world, "github", "GET /repos/.*/issues", status=500, times=1)
    echo(world, "github", "POST .*/labels", status=422, times=1)
    echo(world, "github", "POST .*/comments", status=403, times=1)
    echo(world, "shortcut", "POST .*/stories/bulk", status=400, times=2)
    echo(world, "slack", "POST .*", status=400, times=1)
    echo(world, "webhook", "POST .*", status=410, times=1)
    run("run", "--json", "--wait", "4s")
    run("runs", "list", "--json")
    run("queue", "list")
    run("queue", "list", "--json")
    for service, status in (("github", 401), ("shortcut", 403), ("slack", 500), ("webhook", 500)):
        world.control(service=service, fault="none")
        echo(world, service, status=status)
    run("doctor")
    run("doctor", "--json")
    run("run", "--full", "--wait", "1s")
    run("run", "--dry-run")
    for service in ("github", "shortcut", "slack", "webhook"):
        world.control(service=service, fault="none")
        echo(world, service, status=404, times=2, rate=0.5)
    run("run", "--full", "--json", "--wait", "4s")
    assert "[redacted" in json.dumps(world.run("queue", "list", "--json").json), "services were quoted"
    look_at_everything(world, watch, sent)
    assert watch.seen > 100_000
    assert not watch.leaks, "\n".join(watch.leaks)


def test_no_secret_shows_on_pages_and_in_logs_of_serve(world: World, sent: list[Request]) -> None:
    watch = Watch(SECRETS, WRITTEN)
    world.environment["PYTHONPATH"] = python_path(world)
    for service, status in (("shortcut", 403), ("slack", 401), ("webhook", 500)):
        echo(world, service, status=status)
    echo(world, "github", "POST .*", status=422, rate=0.5)
    start, out, err = world.start, list[str](), list[str]()
    readers: list[threading.Thread] = []

    def read(pipe: IO[str], lines: list[str]) -> None:
        with pipe:
            lines.extend(pipe)

    def start_loud(*arguments: str, **_: str) -> "subprocess.Popen[str]":
        process = start(*arguments, python_path=python_path(world))
        # Somebody has to read along: a full pipe would stop the server.
        for pipe, lines in ((process.stdout, out), (process.stderr, err)):
            assert pipe is not None
            readers.append(threading.Thread(target=read, args=(pipe, lines), daemon=True))
            readers[-1].start()
        return process

    world.start = start_loud  # type: ignore[method-assign]
    served = Served(world)
    admin = {"authorization": f"Bearer {SECRETS['SWITCHYARD_ADMIN_TOKEN']}"}
    try:
        body = issue_event(6, title=issues()[0]["title"], body=text_with_secrets())
        event = headers(body)
        key = SECRETS["GITHUB_WEBHOOK_SECRET"].encode()
        event["x-hub-signature-256"] = "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()
        assert served.http.post("/webhooks/github", content=body, headers=event).status_code == 202
        assert served.http.post("/webhooks/github", content=body, headers=headers(body)).status_code == 401
        served.http.post("/api/v1/runs", headers=admin)
        world.wait_until(lambda: served.http.get("/api/v1/queue", headers=admin).json()["pending"])
        world.wait_until(lambda: "[redacted" in served.http.get("/readyz", headers=admin).text)
        pages = ["/", "/readyz", "/healthz", "/metrics", "/api/v1/runs", "/api/v1/queue", "/api/v1/status"]
        runs = served.http.get("/api/v1/runs", headers=admin).json()["runs"]
        for page in [
            *pages,
            *(f"/api/v1/runs/{run['run_id']}" for run in runs),
            "/nothing",
            "/api/v1/runs/x",
        ]:
            for sender in ({}, admin, {"authorization": "Bearer wrong"}):
                answer = served.http.get(page, headers=sender)
                watch.look(f"GET {page}", answer.text + str(answer.headers))
    finally:
        served.process.terminate()
        served.process.wait(300)
        for reader in readers:
            reader.join(300)
        served.http.close()
    watch.look("serve stdout", "".join(out))
    watch.look("serve stderr", "".join(err))
    assert "Traceback" not in "".join(err)
    assert len("".join(err)) > 10_000, "the logs were to be loud"
    look_at_everything(world, watch, sent)
    assert not watch.leaks, "\n".join(watch.leaks)


@pytest.mark.slow
def test_an_app_tells_neither_its_key_nor_its_tokens(world: World, sent: list[Request]) -> None:
    key = rsa.generate_private_key(65_537, 2_048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    lines = key.decode().splitlines()[1:-1]
    del world.environment["GITHUB_TOKEN"]
    world.environment |= {"GITHUB_APP_ID": "12345", "GITHUB_APP_PRIVATE_KEY": key.decode()}
    path = python_path(world)
    echo(world, "github", "POST .*/labels", status=422, times=2)
    echo(world, "github", "POST .*/comments", status=403, times=1)
    echo(world, "github", "GET /app", status=401, times=1)
    results = [
        world.run(*arguments, python_path=path)
        for arguments in (
            ("doctor", "--json"),
            ("run", "--json", "--wait", "10s"),
            ("queue", "list", "--json"),
        )
    ]
    offered = {
        request.headers["authorization"].split()[-1]
        for request in sent
        if "authorization" in request.headers and service_of(request.path) == "github"
    }
    assert len(offered) >= 2, "the App's own, and an installation's"
    secrets = SECRETS | {f"line {i}": line for i, line in enumerate(lines)}
    secrets |= {f"offered {i}": token for i, token in enumerate(sorted(offered))}
    watch = Watch(secrets, WRITTEN)
    for result in results:
        watch.look("stdout", result.out)
        watch.look("stderr", result.err)
    allowed = {name for name in secrets if name.startswith("offered")}
    OWN_HEADERS["github"] |= allowed
    look_at_everything(world, watch, sent)
    assert not watch.leaks, "\n".join(watch.leaks)

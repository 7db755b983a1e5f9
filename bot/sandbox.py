"""Runs the stand-ins of all services and a webhook receiver on one loopback port."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bot.sandbox_app import ABORT_KEY, CONNECTION_KEY, SandboxApp
from bot.sandbox_issues import load_files, load_issues
from integrations.llm.sandbox.service import MODEL
from integrations.notion.sandbox.service import PARENT
from integrations.slack.sandbox.people import SIGNING_SECRET
from models.errors import UserFacing

__all__ = ["create_app", "load_issues", "main", "running", "serve", "start_process"]

HOST = "127.0.0.1"
LISTENING = "sandbox listening on "


SECRETS = {
    "GITHUB_WEBHOOK_SECRET": "sandbox-github-webhook-secret",
    "SHORTCUT_WEBHOOK_SECRET": "sandbox-shortcut-webhook-secret",
    "SWITCHYARD_ADMIN_TOKEN": "sandbox-switchyard-admin-token",
}
"""What a user may try `serve` with; known to everybody, and no part of what a run needs."""


def create_app(
    issues: Iterable[Mapping[str, Any]],
    *,
    latency_ms: float = 0,
    enforce_rate_limits: bool = False,
    time_scale: float = 1.0,
    files: Mapping[str, Mapping[str, str]] | None = None,
) -> SandboxApp:
    """The stand-ins with these issues, and these files by repository and path.

    With `time_scale` S a minute of their limits lasts 60/S seconds.
    """
    app = SandboxApp(latency_ms=latency_ms, enforce_rate_limits=enforce_rate_limits, time_scale=time_scale)
    app.seed(issues)
    app.seed_files(files or {})
    return app


def _protocol(counter: Any) -> type[HttpToolsProtocol]:
    """A protocol that counts connections and lets the application cut them."""

    class Protocol(HttpToolsProtocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            counter.connections_opened = number = getattr(counter, "connections_opened", 0) + 1
            self.number = number

        def on_message_begin(self) -> None:
            super().on_message_begin()
            scope = cast(dict[str, Any], self.scope)
            scope[CONNECTION_KEY] = self.number
            scope[ABORT_KEY] = self.transport.abort

    return Protocol


def _server(app: Any) -> uvicorn.Server:
    counter = getattr(app, "sandbox", app)
    config = uvicorn.Config(
        app,
        http=_protocol(counter),
        loop="auto",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="error",
        timeout_keep_alive=3600,
        # Requests that hang on purpose must not hold up the end.
        timeout_graceful_shutdown=1,
        backlog=2048,
    )
    return uvicorn.Server(config)


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UserFacing(f"cannot listen on {host}:{port}: {error.strerror}") from error
    listener.listen(2048)
    return listener


def serve(app: Any, host: str = HOST, port: int = 0) -> None:
    """Serve until interrupted."""
    listener = _listen(host, port)
    _stoppable_server(app).run(sockets=[listener])


def _stoppable_server(app: Any) -> uvicorn.Server:
    """A server that ends well on the usual signals, also on one that comes before it has started."""
    server = _server(app)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, server.handle_exit)
    return server


@dataclass(frozen=True)
class RunningSandbox:
    """A sandbox in a thread of this process; `app` may be read (and, between requests, changed)."""

    app: Any
    port: int

    @property
    def url(self) -> str:
        """Base address of GitHub and Shortcut; Slack's is this and `/api/`."""
        return f"http://{HOST}:{self.port}"


@contextmanager
def running(app: Any, port: int = 0) -> Iterator[RunningSandbox]:
    """Serve `app` from a thread until the block ends."""
    listener = _listen(HOST, port)
    server = _server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        yield RunningSandbox(app, listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def start_process(args: Sequence[str] = (), *, timeout: float = 60) -> tuple[subprocess.Popen[str], int]:
    """Start `python -m bot sandbox` on a free port with further arguments; the caller ends it.

    Raises RuntimeError with what it wrote where it does not come up.
    """
    command = [sys.executable, "-m", "bot", "sandbox", "--port", "0", *args]
    process = subprocess.Popen(  # noqa: S603 - our own program
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    killer = threading.Timer(timeout, process.kill)
    killer.start()
    try:
        for line in _stdout(process):
            if line.startswith(LISTENING):
                _drain(process)
                return process, int(line.rsplit(":", 1)[1])
    finally:
        killer.cancel()
    _, errors = process.communicate()
    raise RuntimeError(f"the sandbox did not start: {errors.strip()}")


def _stdout(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout is not None
    return process.stdout


def _drain(process: subprocess.Popen[str]) -> None:
    """Read on in the background: a full pipe would stop the child."""
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            threading.Thread(target=_discard, args=(stream,), daemon=True).start()


def _discard(stream: IO[str]) -> None:
    with stream:
        for _ in stream:
            pass


def environment(base: str, repositories: Sequence[str]) -> dict[str, str]:
    """What points Switchyard at a sandbox."""
    prefix = "SWITCHYARD__INTEGRATIONS__"
    return {
        "GITHUB_TOKEN": "sandbox",
        "SHORTCUT_API_TOKEN": "sandbox",
        "SLACK_BOT_TOKEN": "xoxb-sandbox",
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "NOTION_TOKEN": "ntn_sandbox",
        f"{prefix}GITHUB__BASE_URL": base,
        f"{prefix}SHORTCUT__BASE_URL": base,
        f"{prefix}SLACK__BASE_URL": f"{base}/api/",
        f"{prefix}OSV__BASE_URL": base,
        f"{prefix}NOTION__BASE_URL": base,
        f"{prefix}NOTION__PARENT_PAGE_ID": PARENT,
        "SWITCHYARD__REPOSITORIES": json.dumps(list(repositories)),
    }


def drafting_environment(base: str) -> dict[str, str]:
    """What turns drafts on, written by the sandbox's language model."""
    prefix = "SWITCHYARD__INTEGRATIONS__LLM__"
    return {"LLM_API_KEY": "sandbox", f"{prefix}MODEL": f"openai:{MODEL}", f"{prefix}BASE_URL": f"{base}/v1"}


def main(
    port: int = 0,
    issues: Path | None = None,
    latency_ms: float = 0,
    enforce_rate_limits: bool = False,
    time_scale: float = 1.0,
) -> None:
    """Serve until interrupted; prints the address and the variables that a user exports."""
    if time_scale <= 0:
        raise UserFacing(f"the time scale must be greater than 0, not {time_scale}")
    app = create_app(
        load_issues(issues),
        latency_ms=latency_ms,
        enforce_rate_limits=enforce_rate_limits,
        time_scale=time_scale,
        files=load_files() if issues is None else None,
    )
    server, listener = _stoppable_server(app), _listen(HOST, port)
    base = f"http://{HOST}:{listener.getsockname()[1]}"
    print(f"{LISTENING}{base}", flush=True)
    exports = environment(base, app.repositories()) | drafting_environment(base) | SECRETS
    for name, value in exports.items():
        print(f"export {name}='{value}'", flush=True)
    server.run(sockets=[listener])


if __name__ == "__main__":
    main(port=int(sys.argv[1]), issues=Path(sys.argv[2]) if len(sys.argv) > 2 else None)

"""The program as its users run it, in a process of its own, against a checked sandbox in this process."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.sandbox.server import create_app, environment, load_issues, running
from bot.store.database import Database
from models.tables import METADATA
from tests.contracts.checked import checked
from tests.databases import CURRENT
from tests.started import forked

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.dispose()


class World:
    """A sandbox, a folder, an environment; `run` starts the program in it.

    `anew`: by an interpreter of its own that thinks in processes, as users do. Else the program is forked from a
    process that has imported it, and thinks in a thread: the same in a third of the time. `start` is always anew."""

    def __init__(
        self,
        folder: Path,
        issues: Iterable[Mapping[str, Any]] | None = None,
        *,
        anew: bool = False,
        **options: Any,
    ) -> None:
        self.folder = folder
        self._anew = anew
        self._issues = list(load_issues(None) if issues is None else issues)
        self._options = options
        self._stack = ExitStack()
        self.environment: dict[str, str] = {}

    def __enter__(self) -> Self:
        # First in, last out: what runs here is ended before its database is taken away.
        postgres = CURRENT.postgres
        url = self._stack.enter_context(postgres.migrated()) if postgres else None
        self.app = checked(create_app(self._issues, **self._options), required=False)
        self.sandbox = self._stack.enter_context(running(self.app))
        self.http = self._stack.enter_context(httpx.Client(base_url=self.base, timeout=300))
        repositories = list(dict.fromkeys(str(issue["repo"]) for issue in self._issues))
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("SWITCHYARD", "GITHUB_", "SLACK_"))},
            **environment(self.base, repositories),
            "SWITCHYARD__RESILIENCE__RETRY__INITIAL_DELAY": "200ms",
            "SWITCHYARD__INTEGRATIONS__GITHUB__CONTENT_RATE_LIMIT": "10000/minute",
            "SWITCHYARD__INTEGRATIONS__GITHUB__RATE_LIMIT": "100000/hour",
            "SWITCHYARD__INTEGRATIONS__GITHUB__POINTS_RATE_LIMIT": "100000/minute",
            "SWITCHYARD__INTEGRATIONS__NOTION__RATE_LIMIT": "100/s",
            "SWITCHYARD__INTEGRATIONS__OSV__RATE_LIMIT": "1000/s",
            "SWITCHYARD__INTEGRATIONS__SHORTCUT__RATE_LIMIT": "10000/minute",
            "SWITCHYARD__INTEGRATIONS__SLACK__RATE_LIMIT": "100/s",
            "SWITCHYARD__INTEGRATIONS__SLACK__CHART": "false",
            "PYTHONWARNINGS": "default",
            "COLUMNS": "120",
        }
        if url is not None:
            self.environment["SWITCHYARD_DATABASE_URL"] = url
        if not self._anew:
            self.set("scaling.cpu_workers", "0")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.sandbox.port}"

    @property
    def database_url(self) -> str:
        """Where the program keeps what it knows."""
        default = f"sqlite:///{self.folder}/var/switchyard.db"
        return self.environment.get("SWITCHYARD_DATABASE_URL", default)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Look at rows of that database."""
        with _opened(self.database_url) as database, database.read() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Change rows of that database, as time or another program might."""
        with _opened(self.database_url) as database, database.write() as connection:
            yield connection

    def lose_database(self) -> None:
        """Nothing is known any more."""
        for file in (self.folder / "var").glob("switchyard.db*"):
            file.unlink()
        if CURRENT.postgres is not None:
            with self.writing() as connection:
                for table in METADATA.sorted_tables:
                    connection.execute(sa.delete(table))

    def set(self, path: str, value: str) -> None:
        """Override one key of the configuration, as `integrations.github.comment`."""
        self.environment["SWITCHYARD__" + path.upper().replace(".", "__")] = value

    def route_all(self, route: str) -> None:
        """Whatever the model thinks, every issue takes this route."""
        rules = [{"route": route, "pattern": "(?s).*", "name": "all"}]
        self.set("router.rules", json.dumps(rules))

    def start(self, *arguments: str, python_path: str = str(ROOT)) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "bot", *arguments],
            cwd=self.folder,
            env=self.environment | {"PYTHONPATH": python_path},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, timeout: float = 600, **options: str) -> Result:
        """Run a command to its end. No traceback may ever show."""
        code: int | None
        if self._anew or options:
            process = self.start(*arguments, **options)
            try:
                out, err = process.communicate(timeout=timeout)
                code = process.returncode
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                code = None
                out, err = process.communicate()
        else:
            code, out, err = forked(arguments, self.folder, self.environment, timeout)
        assert code is not None, f"{arguments} did not end:\n{out}\n{err}"
        assert "Traceback" not in out + err, err
        return Result(code, out, err)

    def kill_after(self, requests: int, *arguments: str) -> bool:
        """Start a command and SIGKILL it when it has sent so many requests; False where it had ended before."""
        before = self.requests()
        process = self.start(*arguments)
        while self.requests() - before < requests and process.poll() is None:
            time.sleep(0.005)
        was_at_work = process.poll() is None
        process.kill()
        process.communicate()
        return was_at_work

    def control(self, **what: Any) -> Any:
        response = self.http.post("/_control", json=what)
        assert response.status_code == 200, response.text
        return response.json()

    def state(self) -> dict[str, Any]:
        return dict(self.http.get("/_control/state").json())

    def listed(self, what: str) -> list[dict[str, Any]]:
        """All stories, comments, labels, messages or webhooks that stand in the sandbox."""
        return list(self.http.get(f"/_control/{what}", params={"offset": 0, "limit": 100_000}).json())

    def requests(self) -> int:
        """How many requests the services have got."""
        return sum(service["count"] for service in self.state()["requests"].values())

    def writes(self) -> int:
        """How many requests could have changed something at a service."""
        services = self.state()["requests"]
        return sum(
            count
            for service in services.values()
            for route, count in service["by_route"].items()
            if not route.startswith("GET") and not route.endswith("/search")
        )

    def wait_until(self, true: Any, seconds: float = 300) -> None:
        """Ends with what it waits for; the limit only keeps a test from hanging."""
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, "did not happen in time"
            time.sleep(0.05)

    def assert_contracts(self) -> None:
        assert self.app.violations == []

    def assert_once(self) -> None:
        """Each story, comment and message stands once."""
        state = self.state()
        assert state["duplicates"] == 0, state["duplicate_external_ids"]
        assert state["issues_with_repeated_comments"] == []

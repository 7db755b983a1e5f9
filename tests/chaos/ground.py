"""Where chaos happens: a world, a program that is killed and started again, and the count of what came of it."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa

from models.tables import CommandRow, RunRow
from tests.chaos.traps import Trap
from tests.world import ROOT, World

REPO = "octo/widgets"
_commands: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]
_runs: sa.Table = RunRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Verdict:
    """What a round came to."""

    kills: int = 0
    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    repeats: int = 0
    """Digests and webhooks that came twice, which is allowed."""
    wrong: tuple[str, ...] = ()
    """Anything else that should not be: a traceback, a broken contract, a process left behind."""
    seconds: float = 0.0

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.wrong)


@dataclass
class Life:
    """One process of the program, in a session of its own."""

    process: "subprocess.Popen[bytes]"
    out: Path
    err: Path
    killed: bool = False

    def kill(self, *, whole: bool = True) -> None:
        """SIGKILL to it, with its children or alone."""
        if self.process.poll() is None:
            self.killed = True
            with suppress(ProcessLookupError):
                (os.killpg if whole else os.kill)(self.process.pid, signal.SIGKILL)

    def stop(self) -> None:
        """SIGSTOP to it and its children, as a suspended machine does; `go_on` wakes them."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGCONT)

    def wait(self, seconds: float) -> bool:
        """Has it ended within so many seconds?"""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    @property
    def words(self) -> str:
        return self.out.read_text(errors="replace") + self.err.read_text(errors="replace")

    @property
    def json(self) -> Any:
        return json.loads(self.out.read_text())


@dataclass
class Ground:
    """One round's world and what was asked of it."""

    world: World
    chance: random.Random
    trap: Trap
    issues: int = 0
    kills: int = 0
    started: float = field(default_factory=time.monotonic)
    wrong: list[str] = field(default_factory=list)
    python_path: str = str(ROOT)
    finished: Verdict | None = None
    _lives: int = 0

    @property
    def database(self) -> Path:
        return self.world.folder / "var" / "switchyard.db"

    @property
    def url(self) -> str:
        return self.world.environment.get("SWITCHYARD_DATABASE_URL", f"sqlite:///{self.database}")

    def made(self, number: int, now: str) -> dict[str, Any]:
        """An issue as it is filed."""
        return issue(number, now)

    def refs(self) -> list[str]:
        """The issues of which each has a story, a label and a comment that links to the story in the end."""
        return [f"{REPO}#{number}" for number in range(1, self.issues + 1)]

    def grow(self, count: int) -> None:
        """More issues; they are newer than all that was read before."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        new = [self.made(self.issues + n, now) for n in range(1, count + 1)]
        self.world.control(issues=new)
        self.issues += count

    def change(self, number: int) -> None:
        """An issue gets another text, so that its comment will say something else."""
        other = title(self.chance.randrange(1, number))
        self.world.control(issue={"repo": REPO, "number": number, "title": other})

    def start(self, *arguments: str) -> Life:
        self._lives += 1
        out, err = (self.world.folder / f"life{self._lives}.{name}" for name in ("out", "err"))
        with out.open("wb") as to, err.open("wb") as also:
            process = subprocess.Popen(
                [sys.executable, "-m", "bot", *arguments],
                cwd=self.world.folder,
                env=self.world.environment | {"PYTHONPATH": self.python_path},
                stdout=to,
                stderr=also,
                start_new_session=True,
            )
        return Life(process, out, err)

    def end(self, life: Life, seconds: float = 600, codes: tuple[int, ...] = (0, 1)) -> Life:
        """Wait for its end, which must come, with one of these exit codes; look at what it said."""
        if not life.wait(seconds):
            life.kill()
            life.process.wait()
            life.killed = False
            self.wrong.append(f"{life.out.name}: did not end within {seconds:g} s")
        self.kills += life.killed
        words = life.words
        if "Traceback" in words or life.process.returncode not in (*codes, -signal.SIGKILL):
            self.wrong.append(f"{life.out.stem}: exit code {life.process.returncode}: {words[-600:]}")
        return life

    @property
    def hopeless(self) -> bool:
        return len(self.wrong) > 3

    def live(self, *arguments: str, until: Callable[[Life], None], seconds: float = 600) -> Life:
        """Start the program and let `until` end it when it likes; it may end by itself before."""
        life = self.start(*arguments)
        until(life)
        life = self.end(life, seconds)
        self.trap.disarm()
        return life

    def finish(self) -> Verdict:
        """Heal the services, let the program finish, and count."""
        self.trap.disarm()
        self.world.control(reset="faults")
        for _ in range(5):
            life = self.start("run", "--json", "--wait", "30s")
            report = self._json(life)
            waiting = [row for row in self.rows(_commands) if row.state == "pending"]
            if waiting:
                self._json(self.start("queue", "drain", "--json", "--wait", "30s"))
            # Where it only ended an interrupted run, nobody has looked for newer issues since.
            elif report.get("status") == "completed" and "going on with run" not in life.words:
                break
        else:
            stuck = [(row.key, row.last_error) for row in waiting][:3]
            self.wrong.append(f"the last run: {report.get('status')}, {report.get('problems')}, {stuck}")
        return self.count()

    def _json(self, life: Life) -> dict[str, Any]:
        """What a command printed; nothing where it failed, which is noted."""
        try:
            return dict(self.end(life).json)
        except ValueError:
            self.wrong.append(f"{life.out.stem} printed no JSON: {life.words[-400:]}")
            return {}

    def count(self) -> Verdict:
        """What is lost, what is there twice, and what else should not be."""
        refs = self.refs()
        stories = Counter(str(story["external_id"]) for story in self.world.listed("stories"))
        labelled = {f"{entry['repo']}#{entry['number']}" for entry in self.world.listed("labels")}
        comments: Counter[str] = Counter()
        linked: set[str] = set()
        for comment in self.world.listed("comments"):
            ref = f"{comment['repo']}#{comment['number']}"
            comments[ref] += 1
            if "Tracked in [Shortcut](" in comment["body"]:
                linked.add(ref)
        lost = [f"story:{ref}" for ref in refs if not stories[f"story:{ref}"]]
        lost += [f"label:{ref}" for ref in refs if ref not in labelled]
        lost += [f"comment:{ref}" for ref in refs if not comments[ref]]
        lost += [f"link:{ref}" for ref in refs if comments[ref] and ref not in linked]
        doubled = [key for key, count in stories.items() if count > 1]
        doubled += [f"comment:{ref}" for ref, count in comments.items() if count > 1]
        marked = self.world.state()["duplicate_comments"]
        doubled += [f"{marked} comments by their marker"] if marked else []
        told = Counter(
            str(message.get("metadata", {}).get("event_payload", {}).get("key"))
            for message in self.world.listed("messages")
        )
        told.update(str(hook["id"]) for hook in self.world.listed("webhooks"))
        lost += self._unsent(told)
        wrong = [*self.wrong, *map(str, self.world.app.violations[:3]), *self._left_behind()]
        return Verdict(
            self.kills,
            tuple(lost),
            tuple(doubled),
            sum(count - 1 for count in told.values()),
            tuple(wrong),
            time.monotonic() - self.started,
        )

    def _unsent(self, told: Counter[str]) -> list[str]:
        """Messages that the database holds for sent, or never asked for, and that nobody got."""
        commands = self.rows(_commands)
        messages = [row.key for row in commands if row.target in ("slack", "webhook")]
        lost = [key for key in messages if not told[key]]
        lost += [f"{row.key} is {row.state}" for row in commands if row.state != "sent"]
        lost += [f"run {row.id} never ended" for row in self.rows(_runs) if row.status == "running"]
        return lost if any(key.startswith("digest:") for key in messages) else [*lost, "no digest at all"]

    def rows(self, table: sa.Table) -> list[Any]:
        """All that a table holds."""
        url = sa.make_url(self.url)
        if url.get_backend_name() == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        engine = sa.create_engine(url)
        try:
            with engine.connect() as connection:
                return list(connection.execute(sa.select(table)))
        except sa.exc.OperationalError as error:
            self.wrong.append(f"the database cannot be read: {error.orig}")
            return []
        finally:
            engine.dispose()

    def _left_behind(self) -> list[str]:
        """Processes of this round that still run; a thinking child has a second to see that it is alone."""
        deadline = time.monotonic() + 3
        while True:
            left = [
                f"left behind: {process.info['pid']} {' '.join(process.info['cmdline'] or ())[:90]}"
                for process in psutil.process_iter(["pid", "cwd", "cmdline"])
                if process.info["cwd"] == str(self.world.folder.resolve())
            ]
            if not left or time.monotonic() > deadline:
                return left
            time.sleep(0.1)


@contextmanager
def ground(
    seed: int,
    issues: int = 24,
    kind: "type[Ground] | None" = None,
    prepare: Callable[[Ground], None] = lambda made: None,
    **options: Any,
) -> Iterator[Ground]:
    """A world of small steps: few issues on a page, in a batch, in a bulk and under way at a time."""
    chance = random.Random(seed)
    folder = Path(tempfile.mkdtemp(prefix="switchyard-chaos-"))
    try:
        with World(folder, [], anew=True, latency_ms=chance.choice((0, 5, 20)), **options) as world:
            trap = Trap(world.app.sandbox)
            world.app.sandbox = trap  # type: ignore[assignment]
            world.route_all("bug")
            world.environment["HOOK"] = "whsec_" + "QUJD" * 8
            for key, value in {
                "repositories": json.dumps([REPO]),
                "scaling.batch_size": str(chance.choice((3, 8, 20))),
                "scaling.requests_in_flight": str(chance.choice((1, 2, 5))),
                "scaling.cpu_workers": str(chance.choice((0, 0, 1))),
                "integrations.shortcut.bulk_size": str(chance.choice((2, 5))),
                "integrations.github.comment": "always",
                "integrations.github.link_story": "true",
                "integrations.github.timeout": "2s",
                "integrations.shortcut.timeout": "2s",
                "integrations.slack.timeout": "2s",
                "integrations.webhooks": json.dumps(
                    [{"url": f"{world.base}/hooks/t", "secret_env": "HOOK", "timeout": "2s"}]
                ),
                "resilience.circuit_breaker.reset_timeout_seconds": "1s",
            }.items():
                world.set(key, value)
            made = (kind or Ground)(world, chance, trap)
            prepare(made)
            made.grow(issues)
            yield made
    finally:
        _end_all(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _end_all(folder: Path) -> None:
    """No process of a round outlives it, whatever went wrong."""
    for process in psutil.process_iter(["cwd"]):
        if process.info["cwd"] and Path(process.info["cwd"]) == folder.resolve():
            with suppress(psutil.Error):
                process.kill()


def title(number: int) -> str:
    """No two are alike; a number alone makes no difference, so it is spelt."""
    names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    return f"Saving the {' '.join(names[int(digit)] for digit in str(number))} file fails"


def issue(number: int, now: str) -> dict[str, Any]:
    return {
        "repo": REPO,
        "number": number,
        "title": title(number),
        "body": "It fails with an error each time.",
        "author": "ann",
        "updated_at": now,
    }

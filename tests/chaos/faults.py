"""Rounds in which something beneath or beside the program breaks for a while: services, database, disk, clock."""

import os
import resource
import sqlite3
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil
import sqlalchemy as sa

from tests import databases
from tests.chaos.ground import Ground, Life, Verdict, ground
from tests.world import ROOT

CLOCK = Path(__file__).parent / "clock"
HOUR = 3600.0
STOPPED = 15.0
"""Seconds; more than the silence after which a process counts as dead."""


class Unable(Exception):
    """This machine cannot break that; says why."""


def play(kind: str, seed: int) -> Verdict:
    """One round of one kind of fault; Unable where it cannot be made here."""
    with ground(seed, issues=40) as made:
        FAULTS[kind](made)
        return made.finished or made.finish()


def _run(made: Ground, until: Callable[[Life], None] = lambda life: None, seconds: float = 600) -> Life:
    return made.live("run", "--json", "--wait", "15s", until=until, seconds=seconds)


# Services.


def lost_answers(made: Ground) -> None:
    """Half of all writes take effect and are then cut off."""
    for service in ("github", "shortcut", "slack", "webhook"):
        match = "POST /(?!api/v3/stories/search).*"
        made.world.control(service=service, match=match, fault="drop_after", rate=0.5)
    _run(made)


def bursts(made: Ground) -> None:
    """Every service answers 5xx for a while, several times, and sometimes with a proxy's page."""

    def until(life: Life) -> None:
        while life.process.poll() is None:
            for service in ("github", "shortcut", "slack", "webhook"):
                kind = made.chance.choice(("status", "html"))
                status = made.chance.choice((500, 502, 503, 504))
                made.world.control(service=service, fault=kind, status=status)
            life.wait(made.chance.uniform(0.1, 0.8))
            made.world.control(reset="faults")
            life.wait(made.chance.uniform(0.3, 1.0))

    _run(made, until)


def hangs(made: Ground) -> None:
    """Requests are never answered, some after their effect; the time-out is one second."""
    for service in ("github", "shortcut", "slack"):
        made.world.set(f"integrations.{service}.timeout", "1s")
        made.world.control(service=service, match="POST /.*", fault="hang_after", times=2)
        made.world.control(service=service, fault="hang", times=2)
    _run(made)


def garbled(made: Ground) -> None:
    """Answers come halved, or as something else than JSON."""
    for service in ("github", "shortcut", "slack"):
        made.world.control(service=service, fault="truncate", rate=0.3)
        made.world.control(service=service, fault="status", status=200, body="<html>", rate=0.1)
    _run(made)


def refusals(made: Ground) -> None:
    """Storms of 429 and of GitHub's secondary 403, each with Retry-After."""
    words = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}

    def until(life: Life) -> None:
        while life.process.poll() is None:
            made.world.control(service="shortcut", fault="status", status=429, retry_after=1)
            made.world.control(service="slack", fault="status", status=429, retry_after=1)
            made.world.control(service="github", fault="status", status=403, retry_after=1, body=words)
            life.wait(made.chance.uniform(0.2, 1.2))
            made.world.control(reset="faults")
            life.wait(made.chance.uniform(0.3, 1.0))

    _run(made, until)


# The database and what it lies on.


def locked(made: Ground, seconds: float = 4.0) -> None:
    """Another program holds the write lock for seconds, several times."""

    def until(life: Life) -> None:
        _at(made, "page", 1, life)
        for _ in range(3):
            if life.wait(made.chance.uniform(0.1, 1.0)):
                return
            with closing(sqlite3.connect(made.database, isolation_level=None, timeout=10)) as other:
                other.execute("BEGIN IMMEDIATE")
                life.wait(seconds)
                other.execute("ROLLBACK")

    _run(made, until)


def locked_long(made: Ground) -> None:
    """Longer than the 30 s that the program waits for it."""
    locked(made, 33.0)


def read_only(made: Ground) -> None:
    """The database may not be written: from the start, and later in the middle of a run."""
    folder = made.database.parent
    _run(made, _killed_at(made, "label", 3))
    with _protected(folder):
        before = made.world.writes()
        made.end(made.start("run", "--json"), codes=(2,))
        if made.world.writes() != before:
            made.wrong.append("it wrote to services without a database to note it in")

    def until(life: Life) -> None:
        _at(made, "label", made.chance.randint(2, 8), life)
        with _protected(folder):
            life.wait(3)

    _run(made, until)


@contextmanager
def _protected(folder: Path) -> Iterator[None]:
    """Files and folder may not be written; root is stopped only by the attribute `immutable`."""
    root = os.geteuid() == 0
    # The index of the log is shared memory: where that may not be written, the kernel ends the process.
    files = [path for path in folder.iterdir() if path.is_file() and not path.name.endswith("-shm")]
    modes = {path: path.stat().st_mode for path in (*files, folder)}

    def attribute(sign: str) -> None:
        done = subprocess.run(["chattr", f"{sign}i", *map(str, modes)], capture_output=True, text=True)
        if done.returncode and sign == "+":
            raise Unable(f"root writes to anything, and chattr: {done.stderr.strip()[:80]}")

    try:
        if root:
            attribute("+")
        else:
            for path, mode in modes.items():
                path.chmod(mode & ~0o222)
        yield
    finally:
        if root:
            attribute("-")
        else:
            for path, mode in modes.items():
                path.chmod(mode)


def disk_full(made: Ground) -> None:
    """The disk fills up in the middle of a run, and is full when the next one starts."""
    folder = made.database.parent
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if done.returncode:
        raise Unable(f"no disk of its own: {done.stderr.strip()[:80]}")
    ballast = folder / "ballast"

    def fill() -> None:
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)

    def until(life: Life) -> None:
        _at(made, "label", made.chance.randint(2, 8), life)
        fill()
        life.wait(3)
        ballast.unlink()

    try:
        _run(made, until)
        fill()
        made.end(made.start("run", "--json"), codes=(1, 2))
        ballast.unlink()
        made.finished = made.finish()
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def file_limit(made: Ground) -> None:
    """No file may grow any more, for some seconds: writes fail in the middle."""

    def until(life: Life) -> None:
        _at(made, "label", made.chance.randint(2, 8), life)
        with suppress(ProcessLookupError):
            resource.prlimit(life.process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
            life.wait(3)
            resource.prlimit(
                life.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            )

    _run(made, until)


# The clock.


def clock_forward(made: Ground) -> None:
    """The clock jumps an hour ahead, the program is killed, and the clock is right again."""
    _clock(made, HOUR)


def clock_back(made: Ground) -> None:
    """The clock jumps an hour back, the program is killed, and the clock is right again."""
    _clock(made, -HOUR)


def _clock(made: Ground, shift: float) -> None:
    hands = made.world.folder / "clock"
    hands.write_bytes(struct.pack("d", 0.0))
    made.world.environment["SWITCHYARD_CLOCK"] = str(hands)
    made.python_path = f"{CLOCK}{os.pathsep}{ROOT}"

    def turn(by: float) -> None:
        with hands.open("r+b") as file:
            file.write(struct.pack("d", by))

    def jumping(kind: str, moment: str) -> Callable[[Life], None]:
        def until(life: Life) -> None:
            life.wait(made.chance.uniform(0.6, 1.6))
            turn(shift)
            _killed_at(made, kind, made.chance.randint(1, 4), moment)(life)
            turn(0.0)

        return until

    for kind in ("story bulk", "comment", "label"):
        for moment in ("after", "answered"):
            _run(made, jumping(kind, moment))
            made.grow(4)
    # A whole life with a wrong clock, killed, then one with a right one.
    for kind in ("story bulk", "comment"):
        turn(shift)
        made.grow(4)
        _run(made, _killed_at(made, kind, 1, "after"))
        turn(0.0)
        _run(made)

    def there_and_back(life: Life) -> None:
        while not life.wait(made.chance.uniform(0.3, 1.0)):
            turn(made.chance.choice((0.0, shift)))

    made.grow(8)
    _run(made, there_and_back)
    turn(0.0)


# Several processes.


def two_runs(made: Ground) -> None:
    """Two runs on one database at once; one of them is killed, and begins again."""
    for _ in range(3):
        made.grow(8)
        first, second = (made.start("run", "--json", "--wait", "15s") for _ in range(2))
        first.wait(made.chance.uniform(1.0, 2.5))
        made.chance.choice((first, second)).kill(whole=made.chance.random() < 0.5)
        made.end(first)
        made.end(second)


def serve_and_run(made: Ground) -> None:
    """A server and a run on one database; each is killed in turn, and the other one goes on."""
    made.world.environment["SWITCHYARD_ADMIN_TOKEN"] = "t"
    for victim in (0, 1, 0):
        made.grow(8)
        lives = [made.start("serve", "--port", "0"), made.start("run", "--json", "--wait", "15s")]
        lives[1].wait(made.chance.uniform(1.2, 2.5))
        lives[victim].kill()
        if victim == 0:
            made.end(lives[1])
            made.end(lives[0])
        else:
            made.end(lives[1])
            lives[0].wait(3)
            lives[0].process.terminate()
            made.end(lives[0])


def thinking_child(made: Ground) -> None:
    """The children that think are killed under the program, again and again for a while."""
    made.world.set("scaling.cpu_workers", "1")
    made.world.set("scaling.batch_size", "4")

    def until(life: Life) -> None:
        for _ in range(3):
            child = None
            while child is None and life.process.poll() is None:
                child = _child(life)
                time.sleep(0.01)
            life.wait(made.chance.uniform(0.0, 1.2))
            if child is not None:
                with suppress(psutil.Error):
                    child.kill()
                    made.kills += 1

    _run(made, until)


def _child(life: Life) -> psutil.Process | None:
    with suppress(psutil.Error):
        for child in psutil.Process(life.process.pid).children():
            if "spawn_main" in " ".join(child.cmdline()):
                return child
    return None


def postgres_restarted(made: Ground) -> None:
    """Every connection to PostgreSQL is ended under load, as a restart does."""
    with postgres() as url:
        made.world.environment["SWITCHYARD_DATABASE_URL"] = url
        made.world.run("migrate")
        engine = sa.create_engine(databases.SERVER, isolation_level="AUTOCOMMIT")
        name = sa.make_url(url).database

        def until(life: Life) -> None:
            _at(made, "page", 1, life)
            for _ in range(8):
                if life.wait(made.chance.uniform(0.1, 0.8)):
                    return
                with engine.connect() as connection:
                    connection.execute(
                        sa.text(
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
                        ),
                        {"name": name},
                    )

        for _ in range(3):
            _run(made, until)
            made.grow(6)
        engine.dispose()
        made.finished = made.finish()


@contextmanager
def postgres() -> Iterator[str]:
    """A database of its own; Unable where no server answers."""
    server = databases.Postgres(databases.SERVER)
    try:
        if not server.answers():
            raise Unable(databases.NO_SERVER)
        with server.bare() as url:
            yield url
    finally:
        server.close()


def stopped(made: Ground) -> None:
    """The process that delivers is stopped for 15 s; another one takes its lanes over, then it comes back."""
    for kind in ("comment", "story bulk", "label", "slack"):
        _run(made, _stopped_at(made, kind))
        made.grow(8)
    made.finished = made.finish()


def stopped_on_postgres(made: Ground) -> None:
    """The same, where heartbeats go by the server's clock."""
    with postgres() as url:
        made.world.environment["SWITCHYARD_DATABASE_URL"] = url
        made.world.run("migrate")
        stopped(made)


def _stopped_at(made: Ground, kind: str) -> Callable[[Life], None]:
    """Stop it at one of its first requests of a kind; another one delivers what it left, then both go on."""

    def until(life: Life) -> None:
        there = threading.Event()

        def stop() -> None:
            life.stop()
            there.set()

        made.trap.arm(kind, made.chance.randint(1, 2), "answered", stop)
        while not there.wait(0.01) and life.process.poll() is None:
            pass
        if life.process.poll() is not None:
            return
        other = made.start("run", "--json", "--wait", "30s")
        time.sleep(STOPPED)
        life.go_on()
        made.end(other)

    return until


def _at(made: Ground, kind: str, n: int, life: Life, seconds: float = 300) -> None:
    """Wait for the n-th request of a kind, or for the program's end."""
    there = threading.Event()
    made.trap.arm(kind, n, "answered", there.set)
    deadline = time.monotonic() + seconds
    while not there.wait(0.01) and life.process.poll() is None and time.monotonic() < deadline:
        pass


def _killed_at(made: Ground, kind: str, n: int, moment: str = "answered") -> Callable[[Life], None]:
    return lambda life: made.trap.arm(kind, n, moment, life.kill)


FAULTS: dict[str, Callable[[Ground], None]] = {
    "half of the answers lost": lost_answers,
    "bursts of 5xx": bursts,
    "hangs beyond the time-out": hangs,
    "halved and foreign answers": garbled,
    "storms of 429 and 403": refusals,
    "database locked for 4 s": locked,
    "database locked for 33 s": locked_long,
    "database read-only": read_only,
    "disk full": disk_full,
    "files may not grow": file_limit,
    "clock an hour ahead": clock_forward,
    "clock an hour back": clock_back,
    "two runs at once": two_runs,
    "serve and run at once": serve_and_run,
    "thinking child killed": thinking_child,
    "holder stopped for 15 s": stopped,
    "PostgreSQL, holder stopped for 15 s": stopped_on_postgres,
    "PostgreSQL's connections ended": postgres_restarted,
}

"""Rounds of SIGKILLs: at random moments, around every call, and between and inside commits."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from typing import Any

import httpx

from tests.chaos.everything import everything
from tests.chaos.faults import postgres
from tests.chaos.ground import Ground, Life, Verdict, ground
from tests.chaos.traps import DRAFTING, KINDS, MOMENTS

POLL = 0.0003
UNCERTAIN = {"find comment": "comment", "find stories": "story bulk"}
"""A call that is made only where an earlier one was cut off: which one."""
CALLS = tuple(KINDS)
MOST = {"access": 1, "workflows": 1, "slack": 1, "webhook": 1, "page": 3, "story bulk": 2} | dict.fromkeys(
    (*UNCERTAIN, *DRAFTING), 1
)
"""How many such calls every run makes, where that is not four or more."""
STEPS = ("any moment", "between commits", "inside a write")
SHAKEN = "any moment, services failing"
SERVE = "serve, any call"
POSTGRES = ("PostgreSQL, any moment", "PostgreSQL, any call")
ALL_ON = ("all on, any moment", "all on, any call", "all on, PostgreSQL, any call")
KILLS = (*STEPS, SHAKEN, *CALLS, SERVE, *POSTGRES, *ALL_ON)
FAULTS: tuple[dict[str, Any], ...] = (
    {"service": "shortcut", "match": "POST /api/v3/stories/bulk", "fault": "drop_after", "rate": 0.3},
    {"service": "github", "match": "POST /repos/.*", "fault": "drop_after", "rate": 0.1},
    {"service": "github", "match": "POST /repos/.*", "fault": "status", "status": 502, "rate": 0.2},
    {"service": "shortcut", "fault": "status", "status": 503, "rate": 0.2},
    {"service": "github", "match": "GET /repos/.*/issues", "fault": "truncate", "rate": 0.2},
)


def play(kind: str, seed: int, kills: int) -> Verdict:
    """So many kills of one kind in a world of its own, then one run to the end."""
    with ExitStack() as stack:
        made = stack.enter_context(everything(seed) if kind in ALL_ON else ground(seed))
        if "PostgreSQL" in kind:
            made.world.environment["SWITCHYARD_DATABASE_URL"] = stack.enter_context(postgres())
            made.world.run("migrate")
        if kind == SHAKEN:
            for fault in made.chance.sample(FAULTS, 2):
                made.world.control(**fault, seed=seed)
        made.world.environment["SWITCHYARD_ADMIN_TOKEN"] = "t"
        for attempt in range(kills * 3):
            if made.kills >= kills or made.hopeless:
                break
            _feed(made, kind, attempt)
            if kind in UNCERTAIN and attempt % 2 == 0:
                made.live(*_command(made, kind), until=_trapped(made, UNCERTAIN[kind]))
            made.live(*_command(made, kind), until=_way(made, kind))
        return made.finish()


def _way(made: Ground, kind: str) -> Callable[[Life], None]:
    """How a life of this kind ends."""
    if kind in CALLS:
        return _trapped(made, kind)
    if kind.endswith("any call"):
        calls = DRAFTING if kind in ALL_ON else [call for call in CALLS if call not in UNCERTAIN]
        trapped = _trapped(made, made.chance.choice(list(calls)))
        return (lambda life: _serving(made, life, trapped)) if kind == SERVE else trapped
    if kind == "between commits":
        return lambda life: _after_commits(made, life, made.chance.randint(1, 60))
    if kind == "inside a write":
        return lambda life: _in_a_write(made, life, made.chance.randint(1, 40))
    return lambda life: None if life.wait(made.chance.uniform(0.4, 2.5)) else _kill(made, life)


def _serving(made: Ground, life: Life, trapped: Callable[[Life], None]) -> None:
    """Ask a server for a run, and let the trap end it; a server whose trap is not met is ended after a while."""
    trapped(life)
    deadline = time.monotonic() + 300
    while "serving on" not in life.words and not life.wait(0.02) and time.monotonic() < deadline:
        pass
    address = life.words.partition("serving on ")[2].split()
    if address:
        with suppress(httpx.HTTPError):
            httpx.post(f"{address[0]}/api/v1/runs", headers={"authorization": "Bearer t"})
    if not life.wait(4):
        life.process.terminate()


def _command(made: Ground, kind: str) -> list[str]:
    """A run that is not the interrupted one's like, so that it reads on after having ended that one."""
    if kind == SERVE:
        return ["serve", "--port", "0"]
    day = made.chance.randint(1, 28)
    return ["run", "--json", "--wait", "20s", "--since", f"2026-01-{day:02}"]


def _feed(made: Ground, kind: str, attempt: int) -> None:
    """There must be something left to do when the kill is to come."""
    if kind in ALL_ON:
        made.grow(3 if attempt else 0)
    elif kind == "edit" or (kind.endswith("any call") and attempt % 3 == 2):
        for number in made.chance.sample(range(2, made.issues + 1), 4):
            made.change(number)
    elif attempt:
        made.grow(made.chance.randint(6, 9) if kind == "story bulk" else made.chance.randint(2, 5))


def _kill(made: Ground, life: Life) -> None:
    life.kill(whole=made.chance.random() < 0.5)


def _trapped(made: Ground, kind: str) -> Callable[[Life], None]:
    def until(life: Life) -> None:
        most = MOST.get(kind, 4)
        made.trap.arm(
            kind,
            made.chance.randint(1, most),
            made.chance.choice(MOMENTS),
            lambda: _kill(made, life),
            made.chance.choice((0, 0, 0.001, 0.005, 0.02)),
        )

    return until


def _after_commits(made: Ground, life: Life, count: int) -> None:
    """Kill as soon as another connection sees the n-th commit (several may look like one)."""
    while not made.database.exists():
        if life.wait(0.001):
            return
    with closing(sqlite3.connect(f"file:{made.database}?mode=ro", uri=True, isolation_level=None)) as looking:
        before, seen = None, 0
        while seen < count and life.process.poll() is None:
            with suppress(sqlite3.OperationalError):
                (now,) = looking.execute("PRAGMA data_version").fetchone()
                seen += before is not None and now != before
                before = now
            time.sleep(POLL)
    _kill(made, life)


def _in_a_write(made: Ground, life: Life, count: int) -> None:
    """Kill as soon as the n-th growth or change of the write-ahead log is seen."""
    log = made.database.with_name(made.database.name + "-wal")
    before, seen = None, 0
    while seen < count and life.process.poll() is None:
        with suppress(OSError):
            found = log.stat()
            now = (found.st_size, found.st_mtime_ns)
            seen += before is not None and now != before
            before = now
        time.sleep(POLL)
    _kill(made, life)

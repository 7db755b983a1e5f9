"""Which processes are alive, so that what a dead one held can be taken over."""

import os
import socket
import time
from collections.abc import Mapping

import psutil
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.store import lane_states
from models.tables import OwnerRow

HEARTBEAT = 2.0
SILENT = 10.0
"""Seconds of silence after which a process counts as dead: it may be stopped, or its machine suspended."""
LEASE = SILENT - 2.0
"""Seconds after a heartbeat in which a process knows that nobody takes it for dead."""

_table: sa.Table = OwnerRow.__table__  # type: ignore[attr-defined]


SET_BACK = 5.0
"""Seconds by which a stamp must lie ahead of the clock before we believe that it was set back."""


def new_id() -> str:
    """A name for this process that no other, earlier or later, has: host, number, start and chance."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(psutil.Process())}:{os.urandom(4).hex()}"


def beat(connection: Connection, me: str, failing: Mapping[str, str] | None = None) -> None:
    """Say that this process is alive and which of its tasks fail; see whether the clock was set back meanwhile."""
    now, clock = _now(connection), time.time()
    here = _table.c.host == socket.gethostname()
    latest = connection.execute(sa.select(sa.func.max(_table.c.clock_at)).where(here)).scalar() or 0.0
    values = {"heartbeat_at": now, "clock_at": clock, "failing": dict(failing or {})}
    updated = connection.execute(sa.update(_table).where(_table.c.executor_id == me).values(**values))
    if updated.rowcount == 0:
        # The others may have left in good order since, and their beats with them.
        latest = max(latest, lane_states.latest_stamp(connection))
        connection.execute(
            sa.insert(_table).values(
                executor_id=me,
                host=socket.gethostname(),
                pid=os.getpid(),
                process_started=psutil.Process().create_time(),
                **values,
            )
        )
    if latest > clock + SET_BACK:
        # The clock of this host gave every time but the heartbeats of a server.
        connection.execute(sa.update(_table).where(here, _table.c.clock_at > clock).values(clock_at=clock))
        lane_states.set_back(connection, latest - clock, clock)
    ahead = _table.c.heartbeat_at > now + SET_BACK
    connection.execute(sa.update(_table).where(here, ahead).values(heartbeat_at=now))


def _now(connection: Connection) -> float:
    """Epoch seconds; the server's where there is one, for the clocks of several hosts differ."""
    if connection.dialect.name == "postgresql":
        return float(
            connection.execute(sa.select(sa.extract("epoch", sa.func.clock_timestamp()))).scalar_one()
        )
    return time.time()


def leave(connection: Connection, me: str) -> None:
    connection.execute(sa.delete(_table).where(_table.c.executor_id == me))


def alive(connection: Connection) -> list[str]:
    """The live ones, by their heartbeat; one of this host that has ended is known to be dead at once."""
    here, now = socket.gethostname(), _now(connection)
    return [
        row.executor_id
        for row in connection.execute(sa.select(_table))
        if now - row.heartbeat_at < SILENT and (row.host != here or _running(row.pid, row.executor_id))
    ]


def any_before(connection: Connection, at: float) -> bool:
    """Did any process that is still stored start before then (epoch seconds)?"""
    query = sa.select(_table.c.executor_id).where(_table.c.process_started < at).limit(1)
    return connection.execute(query).first() is not None


def failing(connection: Connection) -> dict[str, str]:
    """The last error of each task that fails again and again in a live process, by the task's name."""
    living = alive(connection)
    rows = connection.execute(sa.select(_table.c.failing).where(_table.c.executor_id.in_(living)))
    return {name: error for tasks in rows.scalars() for name, error in (tasks or {}).items()}


def _running(pid: int, executor_id: str) -> bool:
    try:
        process = psutil.Process(pid)
        same = [str(_started(process))] == executor_id.split(":")[-2:-1]
        # A zombie holds its number but does nothing any more.
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _started(process: psutil.Process) -> int:
    """When a process began, in hundredths of a second since the machine did: no clock that is set changes it."""
    while True:
        booted = psutil.boot_time()
        since = process.create_time() - booted
        if booted == psutil.boot_time():
            return round(since * 100)

"""Which processes are alive, so that what a dead one held can be taken over."""

import os
import socket
import time

import psutil
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.tables import OwnerRow

HEARTBEAT = 2.0
SILENT = 10.0
"""Seconds of silence after which a process on another host counts as dead."""

_table: sa.Table = OwnerRow.__table__  # type: ignore[attr-defined]


def new_id() -> str:
    """A name for this process that no other, earlier or later, has."""
    return f"{socket.gethostname()}:{os.getpid()}:{os.urandom(4).hex()}"


def beat(connection: Connection, me: str) -> None:
    """Say that this process is alive."""
    now = time.time()
    updated = connection.execute(sa.update(_table).where(_table.c.executor_id == me).values(heartbeat_at=now))
    if updated.rowcount == 0:
        connection.execute(
            sa.insert(_table).values(
                executor_id=me,
                host=socket.gethostname(),
                pid=os.getpid(),
                process_started=psutil.Process().create_time(),
                heartbeat_at=now,
            )
        )


def leave(connection: Connection, me: str) -> None:
    connection.execute(sa.delete(_table).where(_table.c.executor_id == me))


def alive(connection: Connection) -> list[str]:
    """The live ones: on this host by their process, elsewhere by their heartbeat."""
    here, now = socket.gethostname(), time.time()
    living = []
    for row in connection.execute(sa.select(_table)):
        if row.host == here:
            if _running(row.pid, row.process_started):
                living.append(row.executor_id)
        elif now - row.heartbeat_at < SILENT:
            living.append(row.executor_id)
    return living


def _running(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        # A zombie holds its number but does nothing any more.
        return abs(process.create_time() - started) < 2 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False

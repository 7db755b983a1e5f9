"""What operators do to runs and to the queue, from a page or by the API, each noted in the audit log."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bot.app.app import App
from bot.store import audit, queue, runs
from bot.store.database import Transaction
from bot.web.access import Person
from models.errors import UserFacing

StartRun = Callable[[], Awaitable[str]]
"""Starts a run over all configured repositories and returns its id; UserFacing says why it cannot."""

QUEUE_CHANGES = ("retry", "discard")


@dataclass(frozen=True)
class Actions:
    """One method for each; UserFacing says why something cannot be done."""

    app: App
    start_run: StartRun

    async def start(self, person: Person) -> str:
        """Start a run; its id."""
        run_id = await self.start_run()
        await self.app.database.run(lambda c: _note(c, person, "run.start", run_id))
        return run_id

    async def change_run(self, person: Person, run_id: str, wanted: str, *, drop: bool) -> tuple[str, int]:
        """Pause, resume or cancel; the new status, and how many commands were forgotten."""

        def work(connection: Transaction) -> tuple[str, int]:
            status, dropped = runs.change(connection, run_id, wanted, drop=drop)
            detail = {"dropped": dropped} if drop else {}
            _note(connection, person, f"run.{wanted}", run_id, **detail)
            return status, dropped

        return await self.app.database.run(work)

    async def change_queue(self, person: Person, key: str, wanted: str) -> None:
        """Retry or discard one command that waits or is dead."""

        def work(connection: Transaction) -> None:
            change = queue.retry if wanted == "retry" else queue.discard
            if not change(connection, key):
                raise UserFacing(f"no waiting or dead command {key[:200]!r}")
            _note(connection, person, f"queue.{wanted}", key)

        await self.app.database.run(work)
        self.app.wake_lanes()

    async def retry_dead(self, person: Person) -> int:
        """Retry all dead letters; how many."""

        def work(connection: Transaction) -> int:
            count = queue.retry(connection, None)
            _note(connection, person, "queue.retry", "dead letters", count=count)
            return count

        count = await self.app.database.run(work)
        self.app.wake_lanes()
        return count


def _note(connection: Transaction, person: Person, action: str, subject: str, **detail: Any) -> None:
    audit.note(
        connection,
        time.time(),
        actor=person.name,
        via=person.via,
        action=action,
        subject=subject,
        detail=detail,
    )

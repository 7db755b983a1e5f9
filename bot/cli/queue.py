"""`queue list`, `drain`, `retry`, `discard`."""

import json
import sys
import time

from bot.cli import audit
from bot.report.wording import count_of
from bot.store import queue
from bot.store.database import Database, Transaction
from config.settings import Settings
from models.errors import UserFacing


def list_queue(database: Database, as_json: bool) -> None:
    with database.read() as connection:
        lists = {state: queue.items(connection, state) for state in ("pending", "dead")}
    if as_json:
        sys.stdout.write(json.dumps(lists, indent=2) + "\n")
        return
    for state, title in (("pending", "waiting"), ("dead", "given up (retry or discard)")):
        print(f"{title}: {len(lists[state])}")
        for item in lists[state][:50]:
            when = f"  next {item['next_attempt_at']}" if item["next_attempt_at"] else ""
            words = "".join(ch for ch in (item["last_error"] or "") if ch.isprintable())[:120]
            print(f"  {item['key']}  {item['target']}  attempts {item['attempts']}{when}  {words}")
        if len(lists[state]) > 50:
            print(f"  … and {len(lists[state]) - 50} more; --json shows all")


def drain_queue(settings: Settings, wait: float, as_json: bool) -> int:
    """Deliver what is due; 0 where nothing is left."""
    import asyncio

    from bot.app.app import build
    from bot.cli.run import configure_logging

    configure_logging()
    result = asyncio.run(_drain(build(settings), wait))
    if as_json:
        sys.stdout.write(json.dumps(result, indent=2) + "\n")
    else:
        print(f"delivered {result['delivered']}, waiting {result['pending']}, dead {result['dead']}")
    return 0 if result["pending"] == 0 and result["dead"] == 0 else 1


async def _drain(app: "object", wait: float) -> dict[str, int]:
    from bot.app.app import App, close, working
    from bot.run.run import settle

    assert isinstance(app, App)
    try:
        started = time.time()

        def begin(connection: Transaction) -> None:
            queue.unblock(connection)
            audit.note(connection, "queue.drain", "queue")

        await app.database.run(begin)
        async with working(app):
            for guard in app.guards.values():
                guard.breaker.probe_now()
            await settle(app, None, started + wait)
        return await app.database.query(lambda c: queue.drained(c, started))
    finally:
        await close(app)


def retry_queue(database: Database, key: str | None, all_dead: bool) -> None:
    if (key is None) == (not all_dead):
        raise UserFacing("queue retry: name one KEY, or say --all-dead")
    with database.write() as connection:
        count = queue.retry(connection, key)
        if count:
            audit.note(connection, "queue.retry", key or "dead letters", count=count)
    if key is not None and count == 0:
        raise UserFacing(
            f"queue retry: no waiting or dead command {key!r}; `switchyard queue list` shows them"
        )
    print(f"{count_of(count, 'command')} will be tried again now by serve, worker, drain or the next run")


def discard_queue(database: Database, key: str) -> None:
    with database.write() as connection:
        found = queue.discard(connection, key)
        if found:
            audit.note(connection, "queue.discard", key)
    if not found:
        raise UserFacing(
            f"queue discard: no waiting or dead command {key!r}; `switchyard queue list` shows them"
        )
    print(f"{key}: discarded; it will not be sent")

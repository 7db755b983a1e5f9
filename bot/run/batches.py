"""Batches: claim one, think about its issues in a child, store cases and commands in one transaction."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import structlog

from bot.app.app import App
from bot.notify import escalation
from bot.review.decisions import REVIEW
from bot.store import cases, outbox, owners, queue, runs
from bot.store.database import StoreError, Transaction, brief
from bot.store.repo_configs import policies
from bot.store.runs import Batch
from models.case import Case
from models.commands import Command, write_comment
from nodes.base import Policy
from subflows.triage import Failure

log = structlog.get_logger()
BUSY_PAUSE = 0.05
"""Seconds between two looks for a batch while a run is fetching."""
IDLE_PAUSE = 1.0


async def work_batches(app: App, pause: float = BUSY_PAUSE) -> None:
    """Claim batches and work on them, several at a time, until cancelled."""
    free = asyncio.Semaphore(app.settings.scaling.parallel_workers)
    async with asyncio.TaskGroup() as group:
        while True:
            await free.acquire()
            batch = await _claim(app)
            if batch is None:
                free.release()
                app.new_batches.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await app.new_batches.wait()
                continue
            task = group.create_task(_attempt(app, batch))
            task.add_done_callback(lambda _: free.release())


async def _claim(app: App) -> Batch | None:
    try:
        batch = None
        if await app.database.query(runs.has_open):
            batch = await app.database.run(
                lambda c: runs.claim(c, app.me, owners.alive(c), list(app.in_hand))
            )
        app.tasks.worked("batches")
        return batch
    except StoreError as error:
        log.error("cannot claim a batch, trying again", error=brief(error))
        app.tasks.failed("batches", brief(error))
        return None


async def _attempt(app: App, batch: Batch) -> None:
    """A batch that fails as a whole (a full disk, a locked database) is tried again, not lost."""
    app.in_hand.add((batch.run_id, batch.number))
    try:
        await work_batch(app, batch)
        app.tasks.worked("thinking")
    except Exception as error:
        log.error("batch failed, trying again", run=batch.run_id, batch=batch.number, error=brief(error))
        app.tasks.failed("thinking", brief(error))
        await asyncio.sleep(1)
        with suppress(StoreError):
            await app.database.run(lambda c: runs.give_back(c, batch))
    finally:
        app.in_hand.discard((batch.run_id, batch.number))


async def work_batch(app: App, batch: Batch) -> None:
    """From keys to stored cases and commands."""

    def load(connection: Transaction) -> tuple[int, list[Case], Mapping[str, Policy]]:
        issues = cases.load_issues(connection, batch.keys)
        todo = cases.due(connection, issues, full=batch.full)
        return len(issues), todo, policies(connection, {case.issue.repo for case in todo}, app.policy)

    total, todo, own = await app.database.query(load)
    results = await app.thinker.think(todo, own, partial(app.reading.answer, run=batch.run_id))
    results = [_only_for(app, result) if isinstance(result, Case) else result for result in results]
    commands = [command for result in results if isinstance(result, Case) for command in result.commands]

    def store(connection: Transaction) -> None:
        if runs.is_done(connection, batch) or runs.status(connection, batch.run_id) == "cancelled":
            # Another process took us for dead and was faster; or nobody wants it any more.
            return
        now = time.time()
        verdicts = outbox.store(connection, batch.run_id, commands, now)
        cases.store_cases(connection, batch.run_id, results, now)
        private = [r.issue.ref for r in results if isinstance(r, Case) and r.route == "security"]
        if private:
            keys = {command.key for command in commands}
            told = queue.replies(connection, private)
            queue.withdraw(connection, private, keys)
            # Whoever said so is still answered, in words that say nothing of the issue.
            answers = [
                write_comment(ref, "", reply=words)
                for ref, words in told.items()
                if words.endswith(f"{REVIEW.capitalize()}.") and f"comment:{ref}" not in keys
            ]
            outbox.store(connection, batch.run_id, answers, now)
            escalation.at_once(connection, app, batch.run_id, now)
        counts = tally(results, unchanged=total - len(todo), verdicts=verdicts)
        runs.finish_batch(connection, batch, counts)

    await app.database.run(store)
    for failure in (result for result in results if isinstance(result, Failure)):
        log.warning("case failed", issue=failure.ref, node=failure.node, error=failure.error_text[:200])
    app.wake_lanes()


def _only_for(app: App, case: Case) -> Case:
    """Leave out commands for services that are off, and waiting for what will never come."""
    lanes = app.targets
    kept = [command for command in case.commands if command.lane in lanes]
    keys = {command.key for command in kept}
    return replace(case, commands=tuple(_unbound(command, keys) for command in kept))


def _unbound(command: Command, keys: set[str]) -> Command:
    # The story to be moved was wished for by an earlier run.
    after = tuple(key for key in command.after if key in keys or command.operation == "move_story")
    return command if after == command.after else replace(command, after=after)


def tally(
    results: Sequence[Case | Failure], *, unchanged: int, verdicts: Mapping[str, str]
) -> dict[str, Any]:
    """What a batch came to, in numbers."""
    triaged = [result for result in results if isinstance(result, Case)]
    verdict_of_story = Counter(
        verdicts.get(command.key, "new")
        for case in triaged
        for command in case.commands
        if command.operation == "create_story"
    )
    updates = sum(
        any(c.target == "github" and verdicts.get(c.key, "new") in ("new", "changed") for c in case.commands)
        for case in triaged
    )
    return {
        "unchanged": unchanged,
        "triaged": len(triaged),
        "failed": len(results) - len(triaged),
        "routes": dict(Counter(case.route for case in triaged)),
        "needs_person": sum(case.needs_person for case in triaged),
        "stories_existing": verdict_of_story["existing"],
        "stories_new": verdict_of_story["new"] + verdict_of_story["changed"],
        "github_updates": updates,
        "pages_new": sum(
            command.operation == "publish_page" and verdicts.get(command.key, "new") == "new"
            for case in triaged
            for command in case.commands
        ),
    }

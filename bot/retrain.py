"""The scheduled training: tells of a better model, and promotes none."""

import asyncio
import multiprocessing
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from typing import Any

import structlog

from bot.lessons import prepare
from bot.store import outbox
from bot.training import Lesson, train_version
from bot.wiring import App
from integrations.slack.payloads import escape
from models.messages import post_message

log = structlog.get_logger()

NEW_ROWS = 20
"""Fewer new rows than this, and no new correction, are no reason to train again by ourselves."""


async def retrain(app: App, now: datetime) -> str | None:
    """What the schedule does: train where there is something new to learn from, and tell of a better model.

    Nothing is promoted. Returns the version that is proposed, None where there is none.
    """
    from models.router.inference.store import Store, objection

    store = Store()
    lesson = await prepare(app, lambda text: log.info("reading labelled issues", at=text))
    for line in lesson.notes:
        log.info("training", note=line)
    trained = [version.card for version in store.versions() if version.card.get("base")]
    if trained and not _news(lesson, trained[-1]):
        log.info("training left out", reason="nothing new to learn from since the last model")
        return None
    pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
    try:
        card, notes = await asyncio.get_running_loop().run_in_executor(pool, train_version, lesson, store)
    finally:
        pool.shutdown(wait=False)
    active = store.active()
    reason = objection(card, active, next((v.card for v in store.versions() if v.name == active), None))
    log.info("model trained", version=card["version"], objection=reason, notes=notes)
    if reason is not None:
        return None
    if "slack" in app.targets:
        text = proposal(card, active)
        block = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
        message = post_message(f"model:{now:%Y-%m-%d}", channel="", text=text, blocks=[block])
        await app.database.run(lambda c: outbox.store_once(c, "training", [message], time.time()))
        app.wake_lanes()
    return str(card["version"])


def _news(lesson: Lesson, last: Mapping[str, Any]) -> bool:
    before = sum((last.get("rows") or {}).values())
    corrections = (last.get("sources") or {}).get("corrections", 0)
    return len(lesson.rows) >= before + NEW_ROWS or bool(lesson.sources["corrections"] != corrections)


def proposal(card: Mapping[str, Any], active: str) -> str:
    """The message that a better model is ready, and what to do with it."""
    held = card.get("held_out") or {}
    ours, theirs = held.get("challenger") or {}, held.get("champion") or {}
    measured = ""
    if ours and theirs:
        measured = (
            f" On the latest {held['rows']} issues its macro-F1 is {ours['macro_f1']:.2f}, "
            f"that of `{escape(active, 40)}`, which is active, {theirs['macro_f1']:.2f}."
        )
    learnt = (card.get("sources") or {}).get("corrections", 0)
    version = escape(str(card["version"]), 40)
    return (
        f":mortar_board: A better router is ready: `{version}`, trained on {sum(card['rows'].values())} issues "
        f"and {learnt} corrections.{measured} Nothing changes until a person says "
        f"`switchyard router promote {version}`."
    )

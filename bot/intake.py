"""Intake: makes batches of the deliveries in the inbox, in one transaction with their end."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from bot.reconcile import observe, reconcile, shortcut_of
from bot.store import cases, inbox, runs
from bot.store.database import brief
from bot.wiring import App
from integrations.github.payloads import is_pull_request, parse_issue
from models.errors import SwitchyardError
from models.issue import Issue

log = structlog.get_logger()

TRIAGED = frozenset({"opened", "edited", "reopened", "labeled", "unlabeled", "assigned", "unassigned"})
"""What people do to an issue that may change where it goes; an unchanged one costs no thought."""
KNOWN = frozenset({"closed", "locked", "unlocked", "milestoned", "demilestoned", "pinned", "unpinned"})
"""Of these only the stored copy takes note."""
GONE = frozenset({"deleted", "transferred"})
TAKEN = 500
"""Deliveries that are taken at once."""
ONE_BY_ONE = 20
"""Stories that are asked for one by one; of more, what changed is asked for in one request."""
STORY_PAUSE = 30.0
"""Seconds until Shortcut is asked again after it did not answer."""
LOOK = 1.0
"""Seconds between two looks for deliveries that another process stored."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a delivery asks for: an issue to triage, to remember or to forget; else only a note."""

    note: str
    triage: Issue | None = None
    remember: Issue | None = None
    forget: str | None = None


def meaning(event: str, action: str, payload: Mapping[str, Any], repositories: frozenset[str]) -> Meaning:
    """What to make of one of GitHub's events; `repositories` are the configured ones, in lower case."""
    repository = payload.get("repository")
    name = repository.get("full_name") if isinstance(repository, Mapping) else None
    if event not in ("issues", "issue_comment"):
        return Meaning(f"{event} {action}: nothing to do")
    if not isinstance(name, str) or name.lower() not in repositories:
        return Meaning("its repository is not configured")
    item = payload.get("issue")
    if not isinstance(item, Mapping) or is_pull_request(item):
        return Meaning("no issue")
    try:
        issue = parse_issue(item, name)
    except (ValueError, TypeError, AttributeError) as error:
        return Meaning(f"the issue could not be read: {error}")
    if event == "issue_comment":
        return Meaning("noted", remember=issue)
    if action in GONE:
        return Meaning(f"issue {action}", forget=issue.ref)
    if action in TRIAGED and issue.state == "open":
        return Meaning("to triage", triage=issue)
    return Meaning("noted" if action in TRIAGED | KNOWN else f"{action}: nothing to do", remember=issue)


async def work_inbox(app: App) -> None:
    """Turn deliveries into batches, for ever; woken when one is stored."""
    names = frozenset(name.lower() for name in app.settings.repositories)
    size = app.settings.scaling.batch_size
    pruned = rest = 0.0
    while True:
        try:
            app.delivered.clear()
            while await app.database.query(lambda c: inbox.is_waiting(c, "github")):
                if await app.database.run(lambda c: take(c, names, size)):
                    app.new_batches.set()
            if time.time() > rest and await app.database.query(lambda c: inbox.is_waiting(c, "shortcut")):
                rest = await _look_at_stories(app)
            if time.time() - pruned > 3600:
                pruned = time.time()
                await app.database.run(lambda c: inbox.prune(c, time.time()))
        except SQLAlchemyError as error:
            log.error("deliveries wait, trying again", error=brief(error))
            await asyncio.sleep(LOOK)
        try:
            async with asyncio.timeout(LOOK):
                await app.delivered.wait()
        except TimeoutError:
            pass


async def _look_at_stories(app: App) -> float:
    """Bring the stories that Shortcut told of together with their issues, many changes of one in one look.

    Returns the time before which there is no use in trying again (epoch seconds); 0 where all went well.
    """
    rows = await app.database.query(lambda c: inbox.waiting(c, "shortcut", TAKEN))
    numbers = list(dict.fromkeys(number for row in rows for number in stories_of(row.payload)))
    client = shortcut_of(app)
    note = "its story was looked at"
    try:
        if client is None:
            note = "shortcut is off"
        elif len(numbers) > ONE_BY_ONE:
            await reconcile(app)
        else:
            found = [await client.story(number) for number in numbers]
            await observe(app, [story for story in found if story is not None])
    except SwitchyardError as error:
        log.warning("stories could not be looked at, trying again", reason=str(error))
        return time.time() + STORY_PAUSE
    await app.database.run(lambda c: inbox.settle(c, dict.fromkeys((row.id for row in rows), note)))
    return 0.0


def stories_of(text: str) -> list[int]:
    """The stories that one of Shortcut's deliveries is about."""
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        return []
    actions = payload.get("actions") if isinstance(payload, Mapping) else None
    return [
        action["id"]
        for action in (actions if isinstance(actions, list) else ())
        if isinstance(action, Mapping)
        and action.get("entity_type") == "story"
        and isinstance(action.get("id"), int)
        and not isinstance(action["id"], bool)
        and 0 < action["id"] < 2**53
    ][:100]


def take(connection: Connection, repositories: frozenset[str], size: int) -> int:
    """Hand deliveries over to batches, those of one issue together; returns how many issues that were.

    The run they belong to is the day's; nobody drives it, for it has nothing to fetch.
    """
    rows = inbox.waiting(connection, "github", TAKEN)
    if not rows:
        return 0
    notes: dict[str, str] = {}
    triage: dict[str, Issue] = {}
    remember: dict[str, Issue] = {}
    forget: list[str] = []
    for row in rows:
        found = _read(row, repositories)
        notes[row.id] = found.note
        for issue, held in ((found.triage, triage), (found.remember, remember)):
            if issue is not None and (
                issue.ref not in held or held[issue.ref].updated_at <= issue.updated_at
            ):
                held[issue.ref] = issue
        if found.forget:
            forget.append(found.forget)
    run_id = _run_of_the_day(connection)
    # Deliveries overtake each other: what is older than the stored copy changes nothing.
    newer = cases.newer(connection, [*remember.values(), *triage.values()])
    if newer:
        cases.store_copies(connection, run_id, newer)
    keys = [ref for ref in triage if ref not in forget and (ref not in remember or _is_open(ref, newer))]
    number = runs.next_batch(connection, run_id)
    groups = [keys[i : i + size] for i in range(0, len(keys), size)]
    runs.add_batches(connection, run_id, number, groups)
    cases.forget(connection, forget)
    inbox.settle(connection, notes)
    return len(keys)


def _is_open(ref: str, issues: Sequence[Issue]) -> bool:
    """Is the newest copy of this issue an open one? It may have been closed in the same breath."""
    latest = max((i for i in issues if i.ref == ref), key=lambda i: i.updated_at, default=None)
    return latest is None or latest.state == "open"


def _read(row: Any, repositories: frozenset[str]) -> Meaning:
    try:
        payload = json.loads(row.payload)
    except (ValueError, RecursionError):
        return Meaning("not readable")
    return meaning(row.event, row.action, payload, repositories)


def _run_of_the_day(connection: Connection) -> str:
    run_id = f"webhook-{datetime.now(UTC):%Y%m%d}"
    runs.create(connection, run_id, "webhook", {}, None, status=runs.OPEN)
    return run_id

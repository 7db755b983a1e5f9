"""Reconciliation: what became of the stories in Shortcut, brought together with what the bot believes.

A story that somebody made or linked is adopted, one that arrived late beside another is put away, and what people
do with a story is shown on its issue.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import cast
from urllib.parse import urlsplit

import structlog

from bot.app.app import App
from bot.deliver.mirror import reflect
from bot.store import adoption, documents, outbox, stories
from bot.store.database import StoreError, Transaction, brief
from bot.think.similar.fill import fill
from config.schedule import RECONCILE
from integrations.shortcut.client import ShortcutClient
from models.commands import archive_story
from models.errors import SwitchyardError
from models.story import Story, ref_of

log = structlog.get_logger()

OVERLAP = timedelta(minutes=2)
"""Each reading begins so much before the last one's end: a search index may lag behind."""
LOOK_BACK = timedelta(days=365)
BY_ITSELF = "reconcile"
"""Stands for the run of commands that no run asked for."""
PATIENCE = 10.0
"""Seconds that a run waits for its look at the stories."""
_PART = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What a look at the stories came to."""

    read: int = 0
    changed: int = 0
    """Stories of issues that were new or had changed."""
    adopted: int = 0
    merged: int = 0
    """Stories that are put away because their issue has another."""
    reflected: int = 0
    """Issues that are told of their story."""
    problems: tuple[str, ...] = ()


async def reconcile(app: App, run_id: str = BY_ITSELF) -> Reconciled:
    """Read what changed in Shortcut since the last time, and act on it; raises what Shortcut's client raises."""
    client = shortcut_of(app)
    if client is None:
        return Reconciled()
    row = await app.database.query(stories.reading)
    began = time.time()
    since = datetime.fromtimestamp(row.since, UTC) - OVERLAP if row else datetime.now(UTC) - LOOK_BACK
    # A first look is at a whole year: names will do.
    found = await client.changed_since(since, with_text=row is not None)
    # Shortcut's own clock, as far as it tells: ours may be wrong.
    until = client.server_time.timestamp() if client.server_time else began
    result = await observe(app, found, run_id)
    await app.database.run(lambda c: stories.save_reading(c, until, began))
    return result


async def look(app: App) -> None:
    """What the scheduler calls: reconcile, unless another process just did; a failure waits for the next time."""
    await _fill(app)
    row = await app.database.query(stories.reading)
    if row is not None and time.time() - row.at < 0.8 * RECONCILE.total_seconds():
        return
    try:
        _say(await reconcile(app))
    except SwitchyardError as error:
        log.warning("stories could not be reconciled", reason=str(error))


async def forget(app: App, numbers: Sequence[int]) -> None:
    """These stories are not there any more: nobody is told of them as similar."""
    if numbers:
        await app.database.run(lambda c: documents.remove_stories(c, numbers, time.time()))


async def _fill(app: App) -> None:
    try:
        count = await fill(app.database)
    except StoreError as error:
        log.warning("issues of before could not be added to the index", reason=brief(error))
        return
    if count:
        log.info("issues of before are in the index of similar ones now", issues=count)


async def observe(app: App, seen: Sequence[Story], run_id: str = BY_ITSELF) -> Reconciled:
    """Act on these stories, however they became known."""
    client = shortcut_of(app)
    hosts = github_hosts(app.settings.integrations.github.base_url)
    pairs = [(story, ref) for story in seen if (ref := ref_of(story, hosts)) is not None]
    await _remember(app, seen, hosts)
    result = Reconciled(read=len(seen))
    for start in range(0, len(pairs), _PART):
        part = pairs[start : start + _PART]
        first = await _first_state(app, client, part)
        taken = await app.database.run(lambda c, part=part, first=first: _take_in(c, part, first, run_id))  # type: ignore[misc]
        result = replace(
            result,
            changed=result.changed + taken.changed,
            adopted=result.adopted + taken.adopted,
            merged=result.merged + taken.merged,
            problems=result.problems + taken.problems,
        )
        # What is adopted need not wait for the rest.
        app.wake_lanes()
    if client is not None:
        result = replace(result, reflected=await reflect(app, client, run_id))
    app.wake_lanes()
    return result


async def _remember(app: App, seen: Sequence[Story], hosts: frozenset[str]) -> None:
    """Stories are found as similar to later issues."""
    for start in range(0, len(seen), _PART):
        found = await asyncio.to_thread(documents.read_stories, seen[start : start + _PART], hosts)
        await app.database.run(lambda c, found=found: documents.add_stories(c, found, time.time()))  # type: ignore[misc]


async def _first_state(
    app: App, client: ShortcutClient | None, part: Sequence[tuple[Story, str]]
) -> int | None:
    """The state in which the bot's own stories begin, where some of these need it."""
    section = app.settings.integrations.shortcut
    if client is None or not await app.database.query(lambda c: stories.unexplained(c, part)):
        return None
    if section is not None and section.workflow_state_id is not None:
        return section.workflow_state_id
    return (await client.names()).default_state


def _take_in(
    connection: Transaction, part: Sequence[tuple[Story, str]], first: int | None, run_id: str
) -> Reconciled:
    """One transaction: keep the stories, settle what wanted them made, put away what is there twice."""
    now = time.time()
    changed = stories.take_in(connection, part, first)
    refs = {ref for _, ref in part}
    adopted, _ = adoption.adopt(connection, refs, now)
    merged, problems = 0, []
    for double in stories.doubled(connection, refs):
        if not double.untouched:
            problems.append(
                f"{double.issue} has two stories, {double.keep_url} and {double.url}, and a person works on the "
                "second one: archive one of them"
            )
            continue
        wish = archive_story(double.issue, double.id, keep_id=double.keep_id, keep_url=double.keep_url)
        verdicts = outbox.store(connection, run_id, [wish], now)
        merged += verdicts[wish.key] == "new"
    return Reconciled(changed=changed, adopted=adopted, merged=merged, problems=tuple(problems))


def github_hosts(base_url: str) -> frozenset[str]:
    """The names under which people see GitHub: the public one, and that of the configured server."""
    host = urlsplit(base_url).hostname or ""
    return frozenset({"github.com", host.removeprefix("api.")})


def shortcut_of(app: App) -> ShortcutClient | None:
    """Shortcut's client; None where Shortcut is off."""
    return cast("ShortcutClient | None", app.targets.get("shortcut"))


def _say(result: Reconciled) -> None:
    for problem in result.problems:
        log.warning("stories", problem=problem)
    if result.adopted or result.merged or result.reflected:
        log.info("stories", adopted=result.adopted, merged=result.merged, reflected=result.reflected)


def begin_look(app: App, run_id: str) -> "asyncio.Task[tuple[str, ...]]":
    """A run's own look at the stories, beside its fetching; the task's result are problems for its report.

    It fails nothing, and holds up nothing but stories: none is made while it lasts, `PATIENCE` seconds at most,
    because it may stand already.
    """
    lane = app.lanes.get("shortcut")
    if lane is not None:
        lane.held_until = time.time() + PATIENCE

    async def work() -> tuple[str, ...]:
        try:
            # Before the stories: an issue's own words tell more than its story's name.
            await _fill(app)
            result = await reconcile(app, run_id)
        except SwitchyardError as error:
            log.warning("stories could not be reconciled", run=run_id, reason=str(error))
            return ()
        except Exception as error:
            # A bug of ours must not cost the run.
            log.error("reconciliation failed", run=run_id, error=brief(error))
            return ()
        finally:
            if lane is not None:
                lane.held_until = 0.0
                lane.wake.set()
        _say(result)
        return result.problems

    return asyncio.create_task(work())

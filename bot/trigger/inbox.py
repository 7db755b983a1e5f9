"""Intake: makes batches of the deliveries in the inbox, in one transaction with their end."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from bot.app.app import App
from bot.deliver.reconcile import forget, observe, reconcile
from bot.review import comment_commands as comments
from bot.store import audit, cases, inbox, repo_configs, runs
from bot.store import loop_guard as suppressed
from bot.store.daily import hand_over, run_of, run_of_the_day
from bot.store.database import StoreError, Transaction, brief
from bot.store.repositories import served
from bot.trigger import installations
from bot.trigger import loop_guard as quiet
from bot.trigger import repo_config as repository_config
from integrations.github.commands import MARKER
from integrations.github.payloads import is_pull_request, parse_issue
from integrations.github.webhook import sender as sender_of
from models.errors import BreakerOpen, RateLimited, SwitchyardError, Transient
from models.issue import Issue

log = structlog.get_logger()

TRIAGED = frozenset({"opened", "edited", "reopened", "labeled", "unlabeled", "assigned", "unassigned"})
"""What people do to an issue that may change where it goes; an unchanged one costs no thought."""
KNOWN = frozenset({"closed", "locked", "unlocked", "milestoned", "demilestoned", "pinned", "unpinned"})
"""Of these only the stored copy takes note."""
GONE = frozenset({"deleted", "transferred"})
INSTALLED = frozenset({"installation", "installation_repositories", "repository"})
"""Events that say which repositories there are."""
TAKEN = 100
"""Deliveries that are taken at once; they are read while nobody else may write."""
GATHER = 0.02
"""Seconds in which deliveries may join those that just came."""
ONE_BY_ONE = 20
"""Stories that are asked for one by one; of more, what changed is asked for in one request."""
PAUSE = 30.0
"""Seconds until a service is asked again after it did not answer."""
GIVEN_UP = 3600.0
"""Seconds after which nothing more is asked about a delivery for which GitHub only has errors."""
PRUNE = 600.0
"""Seconds between two clearings of what is not needed any more."""
LOOK = 1.0
"""Seconds between two looks for deliveries that another process stored."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a delivery is judged by."""

    repositories: Mapping[str, str]
    """Those that are served: in lower case, and as they are called here. People and services spell as they like."""
    off: frozenset[str] = frozenset()
    """Those of them that switched the bot off in their own configuration."""
    me: str = ""
    """The account of the bot's own App; empty for a token, which acts as a person does."""
    replies: int = 10
    """Writes to one issue in an hour after which no bot is answered there."""
    tell: bool = False
    """Whether there is a Slack channel to say so."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a delivery asks for: an issue to triage, to remember or to forget; else only a note."""

    note: str
    triage: Issue | None = None
    remember: Issue | None = None
    forget: str | None = None
    sender: str = ""
    by_bot: bool = False
    is_command: bool = False
    """A person's comment with a command in it, which is carried out once GitHub told what the person may."""


def meaning(event: str, action: str, payload: Mapping[str, Any], ground: Ground) -> Meaning:
    """What to make of one of GitHub's events about an issue."""
    if event not in ("issues", "issue_comment"):
        return Meaning(f"{event} {action}: nothing to do")
    name = ground.repositories.get(_repository_of(payload).lower())
    if name is None:
        return Meaning("its repository is not configured")
    if name.lower() in ground.off:
        return Meaning("its repository has switched the bot off")
    item = payload.get("issue")
    if not isinstance(item, Mapping) or is_pull_request(item):
        return Meaning("no issue")
    try:
        issue = parse_issue(item, name)
    except (ValueError, TypeError, AttributeError) as error:
        return Meaning(f"the issue could not be read: {error}")
    sender, by_bot = sender_of(payload)
    if action in GONE and event == "issues":
        return Meaning(f"issue {action}", forget=issue.ref)
    if (ground.me and sender.casefold() == ground.me.casefold()) or _is_own_comment(payload):
        return Meaning("the bot's own doing", remember=issue)
    if event == "issue_comment":
        return Meaning("noted", remember=issue, is_command=comments.is_command(payload))
    if action in TRIAGED and issue.state == "open":
        return Meaning("to triage", triage=issue, sender=sender, by_bot=by_bot)
    return Meaning("noted" if action in TRIAGED | KNOWN else f"{action}: nothing to do", remember=issue)


def _is_own_comment(payload: Mapping[str, Any]) -> bool:
    comment = payload.get("comment")
    body = comment.get("body") if isinstance(comment, Mapping) else None
    return isinstance(body, str) and body.startswith(MARKER)


async def work_inbox(app: App) -> None:
    """Turn deliveries into batches, for ever; woken when one is stored."""
    size = app.settings.scaling.batch_size
    me, pruned = None, 0.0
    pauses = {_look_at_stories: 0.0, _ask_github: 0.0}
    while True:
        try:
            app.delivered.clear()
            while await app.database.query(lambda c: inbox.is_waiting(c, "github")):
                if me is None:
                    me = await _own_account(app)
                ground = await app.database.query(lambda c, me=me: ground_of(app, c, me or ""))  # type: ignore[misc]
                if await _take(app, ground, size):
                    app.new_batches.set()
            for work, until in pauses.items():
                if time.time() >= until:
                    pauses[work] = await work(app)
            if time.time() - pruned > PRUNE:
                pruned = time.time()
                await app.database.run(_prune)
                app.wake_lanes()
            app.tasks.worked("inbox")
        except StoreError as error:
            log.error("deliveries wait, trying again", error=brief(error))
            app.tasks.failed("inbox", brief(error))
            await asyncio.sleep(LOOK)
        try:
            async with asyncio.timeout(LOOK):
                await app.delivered.wait()
            # Deliveries seldom come alone, and together they cost less.
            await asyncio.sleep(GATHER)
        except TimeoutError:
            pass


async def _take(app: App, ground: Ground, size: int) -> int:
    """Take what waits; where something about one delivery is a surprise, that one alone is put away."""
    try:
        return await app.database.run(lambda c: take(c, ground, size))
    except StoreError:
        raise
    except Exception as error:
        log.error("deliveries could not be taken together, trying one by one", error=brief(error))
    number = 0
    for row in await app.database.query(lambda c: inbox.waiting(c, "github", TAKEN)):
        try:
            number += await app.database.run(lambda c, row=row: take(c, ground, size, only=row.id))  # type: ignore[misc]
        except StoreError:
            raise
        except Exception as error:
            log.error("a delivery could not be taken", delivery=row.id, error=brief(error))
            note = {row.id: f"a fault of Switchyard: {type(error).__name__}"}
            await app.database.run(lambda c, note=note: inbox.settle(c, note))  # type: ignore[misc]
    return number


def _prune(connection: Transaction) -> None:
    now = time.time()
    inbox.prune(connection, now)
    audit.prune(connection, now)
    suppressed.prune(connection, now)
    runs.close_days(connection, "webhook", run_of(datetime.now(UTC)))


async def _own_account(app: App) -> str | None:
    """The App's own account; None where GitHub does not answer, which is asked again with the next delivery."""
    try:
        return await app.github.own_account() or ""
    except SwitchyardError as error:
        log.warning("cannot tell the bot's own events by their sender yet", reason=str(error))
        return None


def ground_of(app: App, connection: Transaction, me: str) -> Ground:
    """What deliveries are judged by, as of now."""
    return Ground(
        repositories={name.lower(): name for name in served(connection, app.settings)},
        off=repo_configs.off(connection),
        me=me,
        replies=app.settings.integrations.github.replies_per_hour,
        tell="slack" in app.targets,
    )


async def _ask_github(app: App) -> float:
    """Carry out people's commands, and read what a push or a pull request did to a repository's own configuration.

    Returns the time before which there is no use in trying again, as `_look_at_stories` does.
    """
    if not await app.database.query(lambda c: inbox.is_waiting(c, "github", slow=True)):
        return 0.0
    rows = await app.database.query(lambda c: inbox.waiting(c, "github", TAKEN, slow=True))
    ground = await app.database.query(lambda c: ground_of(app, c, ""))
    again = 0.0
    for row in rows:
        try:
            note = await _ask_about(app, row, ground)
        except (RateLimited, BreakerOpen) as error:
            log.warning("deliveries wait for GitHub", reason=str(error))
            return time.time() + PAUSE
        except Transient as error:
            if time.time() - row.received_at < GIVEN_UP:
                # The others need not wait for the one that GitHub has trouble with.
                log.warning("a delivery waits for GitHub", delivery=row.id, reason=str(error))
                again = time.time() + PAUSE
                continue
            note = f"GitHub did not answer: {error}"
        except SwitchyardError as error:
            note = str(error)
        except StoreError:
            raise
        except Exception as error:
            log.error("nothing could be made of a delivery", delivery=row.id, error=brief(error))
            note = f"a fault of Switchyard: {type(error).__name__}"
        notes = {row.id: note}
        await app.database.run(lambda c, notes=notes: inbox.settle(c, notes))  # type: ignore[misc]
    app.wake_lanes()
    return again


async def _ask_about(app: App, row: Any, ground: Ground) -> str:
    """What came of one delivery that GitHub must be asked about, as a short note."""
    payload = _payload(row.payload)
    name = ground.repositories.get(_repository_of(payload).lower())
    if name is None:
        return "its repository is not configured"
    if row.event == inbox.COMMAND:
        return await comments.answer(app, payload)
    if row.event == "pull_request":
        return await repository_config.check_pull(app, payload)
    if repository_config.changed_by_push(payload):
        return await repository_config.load(app, name, force=True)
    return "the push changes no configuration"


def _repository_of(payload: Mapping[str, Any]) -> str:
    repository = payload.get("repository")
    name = repository.get("full_name") if isinstance(repository, Mapping) else None
    return name if isinstance(name, str) else ""


async def _look_at_stories(app: App) -> float:
    """Bring the stories that Shortcut told of together with their issues, many changes of one in one look.

    Returns the time before which there is no use in trying again (epoch seconds); 0 where all went well.
    """
    if not await app.database.query(lambda c: inbox.is_waiting(c, "shortcut")):
        return 0.0
    rows = await app.database.query(lambda c: inbox.waiting(c, "shortcut", TAKEN))
    numbers = list(dict.fromkeys(number for row in rows for number in stories_of(row.payload)))
    client = app.shortcut
    note = "its story was looked at"
    try:
        if client is None:
            note = "shortcut is off"
        elif len(numbers) > ONE_BY_ONE:
            await reconcile(app.stories)
        else:
            found = [(number, await client.story(number)) for number in numbers]
            await forget(app.stories, [number for number, story in found if story is None])
            await observe(app.stories, [story for _, story in found if story is not None])
    except SwitchyardError as error:
        log.warning("stories could not be looked at, trying again", reason=str(error))
        return time.time() + PAUSE
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


def take(connection: Transaction, ground: Ground, size: int, *, only: str | None = None) -> int:
    """Hand deliveries over to batches, those of one issue together; returns how many issues that were.

    The run they belong to is the day's; nobody drives it until the day is over, for it has nothing to fetch.
    """
    rows = inbox.waiting(connection, "github", TAKEN if only is None else 1, only=only)
    if not rows:
        return 0
    now = time.time()
    installed = [row for row in rows if row.event in INSTALLED]
    if installed:
        # They change by what the others are judged, so those come with the next look.
        notes = {
            row.id: installations.apply(connection, row.event, row.action, _payload(row.payload), now)
            for row in installed
        }
        inbox.settle(connection, notes)
        return 0
    run_id = run_of_the_day(connection)
    notes = {}
    latest: dict[str, Issue] = {}
    senders: dict[str, tuple[str, bool]] = {}
    keys: dict[str, list[str]] = {}
    forget: list[str] = []
    orders: list[str] = []
    for row in rows:
        payload = _payload(row.payload)
        found = meaning(row.event, row.action, payload, ground)
        if found.is_command:
            orders.append(row.id)
        else:
            notes[row.id] = found.note
        issue = found.triage or found.remember
        if issue is not None and (
            issue.ref not in latest or latest[issue.ref].updated_at <= issue.updated_at
        ):
            latest[issue.ref] = issue
        if found.triage is not None:
            ref = found.triage.ref
            keys.setdefault(ref, []).append(row.id)
            if ref not in senders or not found.by_bot:
                senders[ref] = (found.sender, found.by_bot)
        if found.forget:
            forget.append(found.forget)
    hushed = quiet.hush(connection, senders, ground.replies, run_id, now, tell=ground.tell)
    for ref in hushed:
        notes |= dict.fromkeys(keys[ref], "quiet: bots answer each other there")
    # Deliveries overtake each other: what is older than the stored copy changes nothing.
    newer = cases.newer(connection, list(latest.values()))
    if newer:
        cases.store_copies(connection, run_id, newer)
    refs = [ref for ref in senders if ref not in forget and ref not in hushed and latest[ref].state == "open"]
    hand_over(connection, run_id, refs, size)
    cases.forget(connection, forget)
    inbox.settle(connection, notes)
    inbox.defer(connection, orders)
    said = dict(Counter(notes.values()).most_common(5))
    log.info("deliveries taken", issues=len(refs), commands=len(orders), notes=said)
    return len(refs)


def _payload(text: str) -> Mapping[str, Any]:
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}

"""The sweep: finds what GitHub told while nobody listened, and treats it as if it had come through the door.

An App may read the list of its deliveries; those that are not in the inbox are fetched. Where that list cannot be
read, each repository is asked for the issues that changed since the last sweep.
"""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from bot.app.app import App
from bot.store import cases, inbox, repo_configs, runs, sweeps
from bot.store.daily import hand_over, run_of_the_day
from bot.store.database import Transaction
from bot.store.inbox import Received
from bot.store.repositories import served
from integrations.github import webhook
from integrations.github.client import apps as client_apps
from integrations.github.client.apps import Sent
from integrations.github.client.client import PER_PAGE
from integrations.github.payloads import parse_time, read_issues
from models.errors import (
    BreakerOpen,
    RateLimited,
    Rejected,
    SwitchyardError,
    Transient,
    Unauthorized,
    UserFacing,
)
from models.issue import Issue

log = structlog.get_logger()

DELIVERIES = "deliveries"
"""The name under which it is noted how far the App's own list was read; repositories have a slash in theirs."""
FIRST = timedelta(days=3)
"""How far back the first reading of that list goes; GitHub keeps little more."""
OVERLAP = timedelta(minutes=10)
"""Each reading begins so much before the last one's start: a delivery is listed when it has ended."""
MOST = 2_000
"""Deliveries that one sweep fetches; it goes on next time."""
LAG = timedelta(seconds=60)
"""How much before the last change that was seen a repository's list is read again."""
FAILURES = 3
"""Deliveries that fail before a sweep gives up; one that always fails must not hold up the others."""
GROUP = 50
"""Deliveries that are stored together."""
PAGES = 20
"""Pages of changed issues that one sweep reads of a repository."""
WORTH = webhook.HANDLED | {"push"}
"""Events of which something may be made; others are not fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep came to."""

    found: int = 0
    """Deliveries stored, or issues handed over, that nobody had told of."""
    read: int = 0
    """Deliveries fetched, or issues listed."""
    problems: tuple[str, ...] = ()


async def look(app: App) -> None:
    """What the scheduler calls; a failure waits for the next time."""
    if not app.secrets.get("GITHUB_WEBHOOK_SECRET"):
        # Who takes no webhooks misses none: there the schedule says when issues are read.
        return
    try:
        swept = await sweep(app)
    except SwitchyardError as error:
        log.warning("missed deliveries could not be looked for", reason=str(error))
    else:
        for problem in swept.problems:
            log.warning("the sweep is incomplete", reason=problem)
        if swept.found:
            log.warning("found what was missed while nobody listened", found=swept.found, read=swept.read)


async def sweep(app: App) -> Swept:
    """Find what was missed; raises what GitHub's client raises where it does not answer at all."""
    if app.github.connections.is_app:
        try:
            return await _deliveries(app)
        except (Rejected, Unauthorized) as error:
            log.info("the App's deliveries cannot be listed; asking each repository", reason=str(error))
    return await _repositories(app)


async def _deliveries(app: App) -> Swept:
    """Fetch the deliveries that are not in the inbox, the oldest first."""
    before = await app.database.query(lambda c: sweeps.since(c, DELIVERIES))
    missing: dict[str, Sent] = {}
    started, cut = await _list_missing(app, before, missing)
    found = read = 0
    rows: list[Received] = []
    reached: float | None = None
    problems: list[str] = []
    for sent in reversed(missing.values()):
        try:
            row = await _fetch(app, sent)
        except (RateLimited, Transient) as error:
            problems.append(f"{error}; the next sweep goes on")
            reached = reached or sent.at.timestamp()
            if isinstance(error, (RateLimited, BreakerOpen)) or len(problems) >= FAILURES:
                break
            continue
        except (Rejected, UserFacing) as error:
            log.warning("a missed delivery cannot be read", delivery=sent.id, reason=str(error))
            continue
        read += 1
        rows.append(row)
        if len(rows) >= GROUP:
            found += await _store(app, rows)
            rows = []
    found += await _store(app, rows)
    if reached is None and cut:
        # There are newer ones than could be fetched this time.
        reached = max(sent.at.timestamp() for sent in missing.values())
    since = started.timestamp() if reached is None else reached
    await app.database.run(lambda c: sweeps.save(c, DELIVERIES, since))
    return Swept(found=found, read=read, problems=tuple(problems))


async def _list_missing(app: App, before: float | None, missing: dict[str, Sent]) -> tuple[datetime, bool]:
    """Collect deliveries that are not in the inbox, the newest first, back to where the last sweep began.

    Only the oldest are kept where there are too many. Returns GitHub's time at the start, and whether there
    were too many.
    """
    started, cut, until = datetime.now(UTC), False, None
    async for page in client_apps.deliveries(app.github):
        if until is None:
            started = app.github.server_time or started
            until = datetime.fromtimestamp(before, UTC) - OVERLAP if before is not None else started - FIRST
        wanted = [sent for sent in page if sent.event in WORTH and sent.at >= until]
        known = await app.database.query(lambda c, wanted=wanted: _known(c, wanted))  # type: ignore[misc]
        for sent in wanted:
            if sent.guid not in known:
                missing.setdefault(sent.guid, sent)
        while len(missing) > MOST:
            del missing[next(iter(missing))]
            cut = True
        if any(sent.at < until for sent in page):
            break
    return started, cut


def _known(connection: Transaction, sent: Sequence[Sent]) -> set[str]:
    """Which of these deliveries the inbox has."""
    keys = [f"github:{one.guid}" for one in sent]
    return {key.partition(":")[2] for key in inbox.known(connection, keys)}


async def _fetch(app: App, sent: Sent) -> Received:
    """One delivery as the door would have stored it; UserFacing where it is none."""
    _, payload = await client_apps.delivery(app.github, sent.id)
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    body = text.encode("utf-8", "replace")
    # GitHub may have sent it as a form; it is told here as an object, whatever its headers say.
    headers = {
        b"content-type": b"application/json",
        webhook.EVENT: sent.event.encode(),
        webhook.DELIVERY: sent.guid.encode(),
    }
    delivery = webhook.parse(headers, body)
    return Received(
        id=f"github:{delivery.id}",
        event=delivery.event,
        action=delivery.action,
        issue=delivery.issue,
        body_hash=hashlib.sha256(body).hexdigest()[:32],
        received_at=time.time(),
        state="pending" if delivery.matters else "ignored",
        payload=body.decode() if delivery.matters else "",
        sender=delivery.sender,
    )


async def _store(app: App, rows: Sequence[Received]) -> int:
    """Put them into the inbox and wake who works on it; returns how many were new there and matter."""
    if not rows:
        return 0
    new = await app.database.run(lambda c: inbox.store(c, rows))
    app.delivered.set()
    return sum(row.id in new and row.state == "pending" for row in rows)


async def _repositories(app: App) -> Swept:
    """Ask each repository for the issues that changed since the last time."""

    def wanted(connection: Transaction) -> list[str]:
        off = repo_configs.off(connection)
        return [name for name in served(connection, app.settings) if name.lower() not in off]

    found = read = 0
    problems: list[str] = []
    for repo in await app.database.query(wanted):
        try:
            part = await _changed(app, repo)
        except (Unauthorized, Rejected) as error:
            problems.append(f"{repo}: {error}")
            continue
        except (RateLimited, Transient) as error:
            problems.append(f"{repo}: {error}; the next sweep goes on")
            break
        found, read = found + part.found, read + part.read
    return Swept(found=found, read=read, problems=tuple(problems))


async def _changed(app: App, repo: str) -> Swept:
    """Hand over the open issues of a repository that changed and were not told of; remember the closed ones."""
    now = app.github.server_time or datetime.now(UTC)
    mark = await app.database.run(lambda c: _begin(c, repo, now))
    if mark is None:
        return Swept()
    since = mark - LAG
    found = read = 0
    page = await app.github.list_changed(repo, since)
    for _ in range(PAGES):
        issues, wrong = read_issues(page.items, repo)
        for reason in wrong:
            log.warning("an issue could not be read", repo=repo, error=reason)
        last = max([mark, *(parse_time(item.get("updated_at")) for item in page.items)])
        found += await app.database.run(lambda c, i=issues, at=last: _take(app, c, repo, i, at))  # type: ignore[misc]
        read += len(issues)
        if len(page.items) < PER_PAGE:
            break
        if last > since:
            since = mark = last
            page = await app.github.list_changed(repo, since)
        elif page.next_url is not None:
            # A hundred issues of one second: only the numbered page leads on.
            page = await app.github.follow(repo, page.next_url)
        else:
            break
    if found:
        app.new_batches.set()
    return Swept(found=found, read=read)


def _begin(connection: Transaction, repo: str, now: datetime) -> datetime | None:
    """From when on a repository is read; None where that is now, because nothing of it is known yet."""
    since = sweeps.since(connection, repo.lower())
    if since is None:
        row = runs.repository(connection, repo)
        since = row.cursor if row is not None else None
        if since is None:
            sweeps.save(connection, repo.lower(), now.timestamp())
            return None
    return datetime.fromtimestamp(since, UTC)


def _take(app: App, connection: Transaction, repo: str, issues: Sequence[Issue], last: datetime) -> int:
    """Store what is newer than the stored copies, and make batches of what must be thought about."""
    stored = {i.ref: i for i in cases.load_issues(connection, [i.ref for i in issues])}
    # Times have whole seconds: a copy of the same second may be another.
    newer = [i for i in issues if i.ref not in stored or stored[i.ref].updated_at <= i.updated_at]
    newer = [i for i in newer if stored.get(i.ref) != i]
    refs: list[str] = []
    if newer:
        todo = cases.changed(connection, [i for i in newer if i.state == "open"], full=False)
        refs = [issue.ref for issue in todo]
        run_id = run_of_the_day(connection)
        cases.store_copies(connection, run_id, newer)
        hand_over(connection, run_id, refs, app.settings.scaling.batch_size)
    sweeps.save(connection, repo.lower(), last.timestamp())
    return len(refs)

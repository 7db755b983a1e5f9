"""Fetching: issues page by page through the breaker, with the stored copies as the fallback; resumable at the page."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
import structlog

from bot.app.app import App
from bot.store import cases, runs
from bot.store.repo_configs import off, off_words
from bot.trigger.repo_config import refresh
from integrations.github.payloads import is_pull_request, parse_issue, parse_time
from models.errors import BadCredential, RateLimited, Rejected, SwitchyardError, Transient, Unauthorized
from models.issue import Issue, parse_ref

log = structlog.get_logger()

OVERLAP = timedelta(seconds=60)
"""A run reads from a little before the last one's start: GitHub's clock and its index may differ a little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """What a run was asked to do."""

    repositories: tuple[str, ...] = ()
    issues: tuple[str, ...] = ()
    since: str | None = None
    full: bool = False
    named: bool = False
    """Somebody asked for just these: what cannot be done for one of them is a failure."""
    wait: float = 60.0

    def to_json(self) -> dict[str, Any]:
        return {
            "repositories": list(self.repositories),
            "issues": list(self.issues),
            "since": self.since,
            "full": self.full or bool(self.issues),
            "named": self.named,
            "wait": self.wait,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Params":
        return Params(
            repositories=tuple(data.get("repositories", ())),
            issues=tuple(data.get("issues", ())),
            since=data.get("since"),
            full=bool(data.get("full")),
            named=bool(data.get("named")),
            wait=float(data.get("wait", 60.0)),
        )


@dataclass(slots=True)
class Fetching:
    """Where fetching stands; stored with each page."""

    repository: int = 0
    url: str | None = None
    started: str | None = None
    """GitHub's own time when the repository's first page was read: the next run's cursor."""
    buffer: list[str] = field(default_factory=list)
    batches: int = 0
    fetched: int = 0
    expected: int | None = None
    """Issues and pull requests up to the end of this repository, as its first page told; None before it."""
    pulls: int = 0
    bad: int = 0
    from_cache: bool = False
    failed: bool = False
    """The credential was refused: what was read is still brought to its end."""
    incomplete: bool = False
    """Something that should have been read could not be."""
    finished: bool = False
    relisted: bool = False
    pages: int = 0
    pull_numbers: list[int] = field(default_factory=list)
    """Pull requests of the repository that is being read; a list that is read again shows them again."""
    waited: float = 0.0
    """Seconds spent on GitHub's refusals for its rate."""
    cursors: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    """What was left alone, and why: repositories that switched the bot off."""
    resumes_at: float | None = None
    reconciled: bool = False
    """The run has looked at what became of the stories, or tried to."""

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @property
    def expected_issues(self) -> int | None:
        """Issues that there will be: pull requests are expected to be as many as among those that were read."""
        issues = self.fetched - self.pulls
        if self.finished:
            return issues
        return (
            max(issues, round(self.expected * issues / self.fetched))
            if self.expected and self.fetched
            else None
        )


class Stopped(Exception):
    """A person paused or cancelled the run."""


async def stop_where_asked(app: App, run_id: str) -> None:
    if await app.database.query(lambda c: runs.status(c, run_id)) != "running":
        raise Stopped


async def fetch_all(
    app: App, run_id: str, params: Params, state: Fetching, told: Callable[[Fetching], None]
) -> None:
    """Read everything that the run asks for, and store it in batches, from where `state` stands."""
    closed = frozenset[str]()
    if not state.finished:
        closed = await read_configurations(app, params, state)
    while not state.finished:
        await _back_pressure(app, run_id)
        names = params.repositories
        if params.issues:
            await _fetch_named(app, run_id, params, state, closed)
        elif state.repository < len(names) and names[state.repository].lower() in closed:
            leave_out(state, params, names[state.repository])
            await _next_repository(app, run_id, state, [])
        elif state.repository >= len(names):
            await _store_page(app, run_id, state, [], last=True)
        else:
            await _fetch_page(app, run_id, params, state, names[state.repository])
        told(state)


async def read_configurations(app: App, params: Params, state: Fetching) -> frozenset[str]:
    """Read the repositories' own configurations where that is due; returns those that are off, in lower case."""
    names = params.repositories or tuple(dict.fromkeys(parse_ref(ref)[0] for ref in params.issues))
    found = await refresh(app, names, recheck_off=params.named)
    state.problems += [problem for problem in found if problem not in state.problems]
    return await app.database.query(off)


def leave_out(state: Fetching, params: Params, repo: str) -> None:
    """Note that a repository is off."""
    words = off_words(repo)
    if words not in state.skipped:
        state.skipped.append(words)
    if params.named:
        state.incomplete = True
        state.problems.append(f"{words}; leave it out, or have it switched on there")


async def _back_pressure(app: App, run_id: str) -> None:
    """Fetch no further ahead than the workers can take, nor beyond the memory that may be used."""
    limit = app.settings.scaling.parallel_workers + 2
    while True:
        await stop_where_asked(app, run_id)
        waiting = await app.database.query(lambda c: runs.open_batches(c, run_id))
        if waiting == 0 or (waiting < limit and memory_mb() < app.settings.scaling.max_memory_mb):
            return
        await asyncio.sleep(0.02)


def memory_mb() -> float:
    """Resident memory of this process and its children, in MB."""
    total = 0
    me = psutil.Process()
    for process in (me, *me.children(recursive=True)):
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total / 1e6


async def _fetch_named(
    app: App, run_id: str, params: Params, state: Fetching, closed: frozenset[str]
) -> None:
    """The issues that were asked for by name."""
    found: list[Issue] = []
    pulls = 0
    for ref in params.issues:
        repo, number = parse_ref(ref)
        if repo.lower() in closed:
            leave_out(state, params, repo)
            continue
        try:
            item = await app.github.issue(repo, number)
        except SwitchyardError as error:
            state.problems.append(f"{ref}: {error}")
            state.incomplete = True
            state.failed = state.failed or isinstance(error, BadCredential)
            stored = await app.database.query(lambda c, ref=ref: cases.load_issues(c, [ref]))  # type: ignore[misc]
            if stored and isinstance(error, Transient):
                state.from_cache = True
                found += stored
            continue
        if is_pull_request(item):
            pulls += 1
        else:
            found += issues_of([item], repo, state)
    await _store_page(app, run_id, state, found, pulls, last=True)


async def _fetch_page(app: App, run_id: str, params: Params, state: Fetching, repo: str) -> None:
    """One page of one repository; where GitHub fails, the stored copies instead."""
    row = await app.database.query(lambda c: runs.repository(c, repo))
    since = since_of(params, row)
    first = state.url is None
    etag = row.etag if first and row and row.etag_url == app.github.first_page(repo, since) else None
    try:
        if first:
            state.started = None
            if not await _may_write(app, repo):
                state.problems.append(
                    f"{repo}: the credential may not label issues; give it write access to issues"
                )
            state.started = (app.github.server_time or datetime.now(UTC)).isoformat()
        page = await app.github.list_issues(repo, since=since, url=state.url, etag=etag)
    except RateLimited as error:
        wait = max((error.until - datetime.now(UTC)).total_seconds(), 0.05)
        if state.waited + wait <= params.wait:
            state.waited += wait
            await asyncio.sleep(wait)
            return
        state.problems.append(f"{repo}: {error}; the next run reads on")
        state.resumes_at = error.until.timestamp()
        await _next_repository(app, run_id, state, [])
        return
    except Transient as error:
        await _fall_back(app, run_id, state, repo, error)
        return
    except (Unauthorized, Rejected) as error:
        state.incomplete = True
        state.problems.append(f"{repo}: {error}")
        if isinstance(error, BadCredential):
            state.failed = True
            state.repository = len(params.repositories)
        await _next_repository(app, run_id, state, [])
        return
    state.pages += 1
    if first:
        rest = (page.pages or 1) - 1 if page.next_url is not None else 0
        known = page.pages is not None or page.next_url is None
        state.expected = state.fetched + len(page.items) * (1 + rest) if known else None
    seen = set(state.pull_numbers)
    pulls = [item for item in page.items if is_pull_request(item) and item.get("number") not in seen]
    state.pull_numbers += [item["number"] for item in pulls if isinstance(item.get("number"), int)]
    issues = issues_of(page.items, repo, state)
    if page.next_url is not None:
        state.url = page.next_url
        await _store_page(app, run_id, state, issues, len(pulls))
        return
    if state.pages > 1 and not state.relisted and await _may_have_moved(app, repo, state):
        # Something was closed meanwhile: later pages moved forward by one, so look once more.
        state.relisted = True
        state.url = app.github.first_page(repo, since)
        await _store_page(app, run_id, state, issues, len(pulls))
        return
    covers = not params.since or (row is not None and row.cursor is not None and since is not None
                                  and since.timestamp() <= row.cursor)  # fmt: skip
    if covers and not page.unchanged and page.items and state.started:
        cursor = {"cursor": parse_time(state.started).timestamp(), "etag": None, "etag_url": None}
        state.cursors[repo] = cursor
    elif covers and first and page.etag and not page.unchanged:
        state.cursors[repo] = {"etag": page.etag, "etag_url": app.github.first_page(repo, since)}
    given_up = [] if params.full else await app.database.query(lambda c: cases.given_up(c, repo))
    if given_up:
        state.problems.append(
            f"{repo}: {', '.join(given_up)} failed {cases.MAX_FAILURES} times and "
            "will be tried again when changed, or with --full"
        )
    again = await app.database.query(lambda c: cases.failed_keys(c, repo, run_id))
    stored = await app.database.query(lambda c: cases.load_issues(c, again))
    await _next_repository(app, run_id, state, [*issues, *stored], len(pulls))


def since_of(params: Params, row: Any) -> datetime | None:
    if params.since:
        return parse_time(params.since)
    if params.full or row is None or row.cursor is None:
        return None
    return datetime.fromtimestamp(row.cursor, UTC) - OVERLAP


async def _may_write(app: App, repo: str) -> bool:
    """Where even this cannot be asked, the list of issues tells what is wrong."""
    try:
        return (await app.github.access(repo)).can_write
    except BadCredential:
        raise
    except (Rejected, Unauthorized):
        return True


async def _may_have_moved(app: App, repo: str, state: Fetching) -> bool:
    try:
        return await app.github.closed_since(repo, parse_time(state.started))
    except SwitchyardError as error:
        # Reading once more costs a little; believing that nothing moved could cost an issue.
        log.warning("cannot tell whether pages moved, reading again", repo=repo, error=str(error))
        return True


async def _fall_back(app: App, run_id: str, state: Fetching, repo: str, error: Transient) -> None:
    """GitHub does not answer: go on with the stored copies that this run has not fetched itself."""
    keys = await app.database.query(lambda c: cases.cached_keys(c, repo, run_id))
    state.problems.append(
        f"{repo}: {error}; "
        + (f"went on with {len(keys)} stored issues" if keys else "no stored copy to go on with")
    )
    state.incomplete = state.incomplete or not keys
    size = app.settings.scaling.batch_size
    for start in range(0, len(keys), size):
        part = keys[start : start + size]
        issues = await app.database.query(lambda c, part=part: cases.load_issues(c, part))  # type: ignore[misc]
        state.from_cache = True
        await _store_page(app, run_id, state, issues)
    await _next_repository(app, run_id, state, [])


async def _next_repository(
    app: App, run_id: str, state: Fetching, issues: Sequence[Issue], pulls: int = 0
) -> None:
    state.repository += 1
    state.url, state.started, state.pages, state.relisted = None, None, 0, False
    state.pull_numbers = []
    await _store_page(app, run_id, state, issues, pulls)


def issues_of(items: Sequence[Mapping[str, Any]], repo: str, state: Fetching | None = None) -> list[Issue]:
    """The issues among these, without pull requests; `state` counts those that cannot be read."""
    found = []
    for item in items:
        if is_pull_request(item):
            continue
        try:
            found.append(parse_issue(item, repo))
        except (ValueError, TypeError, AttributeError) as error:
            if state is None:
                log.warning("an issue could not be read", repo=repo, error=str(error)[:200])
                continue
            state.bad += 1
            state.fetched += 1
            state.problems.append(f"{repo}: an issue could not be read ({error})")
            state.incomplete = True
    return found


async def _store_page(
    app: App,
    run_id: str,
    state: Fetching,
    issues: Sequence[Issue],
    pulls: int = 0,
    *,
    last: bool = False,
) -> None:
    """Store a page's issues, the batches that are full, and where fetching stands, in one transaction."""
    size = app.settings.scaling.batch_size

    def work(connection: Any) -> None:
        fresh = cases.store_issues(connection, run_id, issues)
        # Counted are distinct issues: a page that moved shows some twice.
        state.fetched += len(fresh) + pulls
        state.pulls += pulls
        keys = state.buffer + fresh
        full = len(keys) - len(keys) % size
        groups = [keys[i : i + size] for i in range(0, full, size)]
        state.buffer = keys[full:]
        if last:
            state.finished = True
            if state.buffer:
                groups.append(state.buffer)
                state.buffer = []
        runs.add_batches(connection, run_id, state.batches, groups)
        state.batches += len(groups)
        runs.update(connection, run_id, progress=state.to_json(), problems=state.problems)

    await app.database.run(work)


async def save_cursors(app: App, state: Fetching) -> None:
    """Only a run that handled all its cases moves the cursors."""

    def work(connection: Any) -> None:
        for repo, values in state.cursors.items():
            runs.save_repository(connection, repo, **values)

    await app.database.run(work)

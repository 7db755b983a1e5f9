"""One triage run: fetch page by page, think in batches, deliver, tell, report; resumable at any point."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
import structlog

from bot import aggregate
from bot.alerts import check_alerts
from bot.batches import tally, work_batches
from bot.store import cases, outbox, owners, runs
from bot.wiring import App
from integrations.github.payloads import is_pull_request, parse_issue, parse_time
from models.case import Case
from models.errors import BadCredential, RateLimited, Rejected, SwitchyardError, Transient, Unauthorized
from models.issue import Issue, parse_ref
from models.report import CaseLine, RunReport
from subflows.triage import Failure

log = structlog.get_logger()

OVERLAP = timedelta(seconds=60)
PROBE_WAIT = 10.0
"""Seconds that a run waits for an open breaker's probe, and only for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """What a run was asked to do."""

    repositories: tuple[str, ...] = ()
    issues: tuple[str, ...] = ()
    since: str | None = None
    full: bool = False
    wait: float = 60.0

    def to_json(self) -> dict[str, Any]:
        return {
            "repositories": list(self.repositories),
            "issues": list(self.issues),
            "since": self.since,
            "full": self.full or bool(self.issues),
            "wait": self.wait,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Params":
        return Params(
            repositories=tuple(data.get("repositories", ())),
            issues=tuple(data.get("issues", ())),
            since=data.get("since"),
            full=bool(data.get("full")),
            wait=float(data.get("wait", 60.0)),
        )


@dataclass(slots=True)
class Progress:
    """How far a run is, for the progress bar."""

    fetched: int = 0
    """Issues; pull requests are left out."""
    triaged: int = 0
    phase: str = "fetching"


Watch = Callable[[Progress], None]


@dataclass(slots=True)
class _Fetching:
    """Where fetching stands; stored with each page."""

    repository: int = 0
    url: str | None = None
    started: str | None = None
    """GitHub's own time when the repository's first page was read: the next run's cursor."""
    buffer: list[str] = field(default_factory=list)
    batches: int = 0
    fetched: int = 0
    pulls: int = 0
    bad: int = 0
    from_cache: bool = False
    incomplete: bool = False
    """Something that should have been read could not be."""
    finished: bool = False
    relisted: bool = False
    pages: int = 0
    cursors: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    resumes_at: float | None = None

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def new_id(trigger: str) -> str:
    return f"{trigger}-{datetime.now(UTC):%Y%m%dT%H%M%S}-{owners.new_id().rsplit(':', 1)[1][:6]}"


async def drive(
    app: App, run_id: str, watch: Watch = lambda progress: None, *, wait: float | None = None
) -> RunReport:
    """Bring a run to its end from wherever it stands. This process must be its owner and be `working`.

    `wait` overrides how long, in seconds, the run was told to wait for deliveries.
    """
    row = await app.database.query(lambda c: runs.get(c, run_id))
    assert row is not None
    params = Params.from_json(row.params)
    if wait is not None:
        params = replace(params, wait=wait)
    state = _Fetching(**row.progress)
    before = app.requests()
    progress = Progress(fetched=state.fetched - state.pulls)
    pump = asyncio.create_task(_report_progress(app, run_id, progress, watch))
    workers = asyncio.create_task(work_batches(app))
    try:
        await _fetch_all(app, run_id, params, state, progress)
        progress.phase = "triaging"
        await _until_batches_done(app, run_id, workers)
        now = time.time()
        if row.cases_done_at is None:
            await app.database.run(lambda c: runs.update(c, run_id, cases_done_at=now))
        deadline = time.time() + params.wait
        progress.phase = "delivering"
        await settle(app, run_id, deadline)
        await _save_cursors(app, run_id, state)
        requests = _sum(row.requests, before, app.requests())
        await app.database.run(lambda c: runs.update(c, run_id, requests=requests))
        await aggregate.announce(app, run_id)
        await check_alerts(app)
        await settle(app, run_id, max(deadline, time.time() + 5), lanes=("slack", "webhook"))
        requests = _sum(row.requests, before, app.requests())
        await app.database.run(lambda c: runs.update(c, run_id, requests=requests))
        return await aggregate.finish(app, run_id)
    except Stopped:
        await app.database.run(lambda c: runs.update(c, run_id, owner=None))
        return await aggregate.current(app, run_id)
    finally:
        for task in (pump, workers):
            task.cancel()
        await asyncio.gather(pump, workers, return_exceptions=True)


def _sum(stored: Mapping[str, int], before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    """Requests of this run: those of an interrupted life and those of this one."""
    return {name: stored.get(name, 0) + count - before.get(name, 0) for name, count in now.items()}


async def _report_progress(app: App, run_id: str, progress: Progress, watch: Watch) -> None:
    while True:
        totals = await app.database.query(lambda c: runs.totals(c, run_id))
        progress.triaged = totals.get("triaged", 0) + totals.get("unchanged", 0) + totals.get("failed", 0)
        watch(progress)
        await asyncio.sleep(0.5)


# --- fetching ---------------------------------------------------------------------------------------


async def _fetch_all(app: App, run_id: str, params: Params, state: _Fetching, progress: Progress) -> None:
    while not state.finished:
        await _back_pressure(app, run_id)
        names = params.repositories
        if params.issues:
            await _fetch_named(app, run_id, params, state)
        elif state.repository >= len(names):
            await _store_page(app, run_id, state, [], last=True)
        else:
            await _fetch_page(app, run_id, params, state, names[state.repository])
        progress.fetched = state.fetched - state.pulls


async def _back_pressure(app: App, run_id: str) -> None:
    """Fetch no further ahead than the workers can take, nor beyond the memory that may be used."""
    limit = app.settings.scaling.parallel_workers + 2
    while True:
        await _stopped(app, run_id)
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


async def _fetch_named(app: App, run_id: str, params: Params, state: _Fetching) -> None:
    """The issues that were asked for by name."""
    found: list[Issue] = []
    pulls = 0
    for ref in params.issues:
        repo, number = parse_ref(ref)
        try:
            item = await app.github.issue(repo, number)
        except SwitchyardError as error:
            state.problems.append(f"{ref}: {error}")
            state.incomplete = True
            stored = await app.database.query(lambda c, ref=ref: cases.load_issues(c, [ref]))  # type: ignore[misc]
            if stored and isinstance(error, Transient):
                state.from_cache = True
                found += stored
            continue
        if is_pull_request(item):
            pulls += 1
        else:
            found += _parse([item], repo, state)
    await _store_page(app, run_id, state, found, pulls, last=True)


async def _fetch_page(app: App, run_id: str, params: Params, state: _Fetching, repo: str) -> None:
    """One page of one repository; where GitHub fails, the stored copies instead."""
    row = await app.database.query(lambda c: runs.repository(c, repo))
    since = _since(params, row)
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
        wait = (error.until - datetime.now(UTC)).total_seconds()
        if wait <= params.wait:
            await asyncio.sleep(max(wait, 0.05))
            return
        state.problems.append(f"{repo}: {error}; the next run reads on")
        state.resumes_at = error.until.timestamp()
        await _next_repository(app, run_id, state, [])
        return
    except Transient as error:
        await _fall_back(app, run_id, params, state, repo, error)
        return
    except (Unauthorized, Rejected) as error:
        if isinstance(error, BadCredential):
            raise
        state.incomplete = True
        state.problems.append(f"{repo}: {error}")
        await _next_repository(app, run_id, state, [])
        return
    state.pages += 1
    pulls = [item for item in page.items if is_pull_request(item)]
    issues = _parse([item for item in page.items if not is_pull_request(item)], repo, state)
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
    again = await app.database.query(lambda c: cases.failed_keys(c, repo, run_id))
    stored = await app.database.query(lambda c: cases.load_issues(c, again))
    await _next_repository(app, run_id, state, [*issues, *stored], len(pulls))


def _since(params: Params, row: Any) -> datetime | None:
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


async def _may_have_moved(app: App, repo: str, state: _Fetching) -> bool:
    try:
        return await app.github.closed_since(repo, parse_time(state.started))
    except SwitchyardError as error:
        log.warning("cannot tell whether pages moved", repo=repo, error=str(error))
        return False


async def _fall_back(
    app: App, run_id: str, params: Params, state: _Fetching, repo: str, error: Transient
) -> None:
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
    app: App, run_id: str, state: _Fetching, issues: Sequence[Issue], pulls: int = 0
) -> None:
    state.repository += 1
    state.url, state.started, state.pages, state.relisted = None, None, 0, False
    await _store_page(app, run_id, state, issues, pulls)


def _parse(items: Sequence[Mapping[str, Any]], repo: str, state: _Fetching) -> list[Issue]:
    issues = []
    for item in items:
        try:
            issues.append(parse_issue(item, repo))
        except (ValueError, TypeError, AttributeError) as error:
            state.bad += 1
            state.fetched += 1
            state.problems.append(f"{repo}: an issue could not be read ({error})")
            state.incomplete = True
    return issues


async def _store_page(
    app: App,
    run_id: str,
    state: _Fetching,
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


async def _save_cursors(app: App, run_id: str, state: _Fetching) -> None:
    """Only a run that handled all its cases moves the cursors."""

    def work(connection: Any) -> None:
        for repo, values in state.cursors.items():
            runs.save_repository(connection, repo, **values)

    await app.database.run(work)


# --- waiting ----------------------------------------------------------------------------------------


class Stopped(Exception):
    """A person paused or cancelled the run."""


async def _stopped(app: App, run_id: str) -> None:
    if await app.database.query(lambda c: runs.status(c, run_id)) != "running":
        raise Stopped


async def _until_batches_done(app: App, run_id: str, workers: "asyncio.Task[None]") -> None:
    while await app.database.query(lambda c: runs.open_batches(c, run_id)):
        if workers.done():
            workers.result()
        await _stopped(app, run_id)
        await asyncio.sleep(0.05)


async def settle(app: App, run_id: str | None, deadline: float, lanes: tuple[str, ...] | None = None) -> None:
    """Wait while anything of this run can be delivered before the deadline."""
    app.wake_lanes()
    probed: set[str] = set()
    while True:
        states = await app.database.query(lambda c: outbox.lanes(c, run_id))
        if lanes is not None:
            states = [s for s in states if s.name.split(":")[0] in lanes]
        now = time.time()
        if now >= deadline or not any(_deliverable(app, s, now, deadline, probed) for s in states):
            return
        await asyncio.sleep(0.05)


def _deliverable(app: App, state: outbox.LaneState, now: float, deadline: float, probed: set[str]) -> bool:
    """Will this lane deliver something before the deadline?"""
    if state.name not in app.lanes:
        return False
    if app.lanes[state.name].active:
        return True
    if state.next_at >= outbox.WAITING:
        # It waits for another lane's answer; that lane decides.
        return False
    if state.blocked_kind == "credential" and state.ready_at > now:
        return False
    if state.blocked_kind == "breaker" and state.ready_at > now:
        return state.ready_at <= min(deadline, now + PROBE_WAIT)
    return state.ready_at <= deadline


# --- dry run ----------------------------------------------------------------------------------------


async def dry_run(
    app: App, params: Params, watch: Watch = lambda progress: None
) -> tuple[RunReport, list[CaseLine]]:
    """Fetch and think as a run does, but store no command, move no cursor, write to no service."""
    started = time.time()
    run_id = new_id("dry")
    sums: dict[str, Any] = {"routes": {}}
    lines: list[CaseLine] = []
    progress = Progress()
    state = _Fetching()
    gate = asyncio.Semaphore(app.settings.scaling.parallel_workers)

    async def batch(issues: list[Issue]) -> None:
        try:
            full = params.full or bool(params.issues)
            todo = await app.database.query(lambda c: cases.changed(c, issues, full=full))
            results = await app.thinker.think(todo)
            known = await app.database.query(lambda c: _existing(c, results))
            counts = tally(results, unchanged=len(issues) - len(todo), verdicts=known)
            for key, value in counts.items():
                if key == "routes":
                    for route, count in value.items():
                        sums["routes"][route] = sums["routes"].get(route, 0) + count
                else:
                    sums[key] = sums.get(key, 0) + value
            lines.extend(aggregate.lines_of(results)[: max(0, aggregate.DRY_LINES - len(lines))])
            progress.triaged += len(issues)
            watch(progress)
        finally:
            gate.release()

    async with asyncio.TaskGroup() as group:
        async for issues in _pages(app, params, state):
            progress.fetched = state.fetched - state.pulls
            watch(progress)
            for start in range(0, len(issues), app.settings.scaling.batch_size):
                await gate.acquire()
                group.create_task(batch(issues[start : start + app.settings.scaling.batch_size]))
    report = aggregate.dry_report(
        app,
        run_id,
        sums,
        fetched=state.fetched,
        pulls=state.pulls,
        bad=state.bad,
        incomplete=state.incomplete,
        from_cache=state.from_cache,
        problems=tuple(state.problems),
        started=started,
    )
    return report, lines


def _existing(connection: Any, results: Sequence[Case | Failure]) -> dict[str, str]:
    return outbox.preview(connection, [c for r in results if isinstance(r, Case) for c in r.commands])


async def _pages(app: App, params: Params, state: _Fetching) -> Any:
    """The pages of all repositories (or the named issues), one after the other, in memory only."""
    if params.issues:
        for ref in params.issues:
            repo, number = parse_ref(ref)
            try:
                item = await app.github.issue(repo, number)
            except SwitchyardError as error:
                state.problems.append(f"{ref}: {error}")
                state.incomplete = True
                continue
            state.fetched += 1
            if is_pull_request(item):
                state.pulls += 1
            else:
                yield _parse([item], repo, state)
        return
    for repo in params.repositories:
        row = await app.database.query(lambda c, repo=repo: runs.repository(c, repo))  # type: ignore[misc]
        since = _since(params, row)
        url: str | None = None
        seen: set[int] = set()
        while True:
            try:
                page = await app.github.list_issues(repo, since=since, url=url)
            except SwitchyardError as error:
                if isinstance(error, BadCredential):
                    raise
                state.problems.append(f"{repo}: {error}")
                state.incomplete = True
                break
            pulls = [item for item in page.items if is_pull_request(item)]
            issues = _parse([item for item in page.items if not is_pull_request(item)], repo, state)
            issues = [issue for issue in issues if issue.number not in seen]
            seen.update(issue.number for issue in issues)
            state.fetched += len(pulls) + len(issues)
            state.pulls += len(pulls)
            yield issues
            url = page.next_url
            if url is None:
                break

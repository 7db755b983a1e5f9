"""A dry run: fetch and think as a run does, but store no command, move no cursor, write to no service."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any

from bot.app.app import App
from bot.notify import case_messages as news
from bot.report import examples
from bot.report.examples import Example
from bot.run import aggregate
from bot.run.batches import tally
from bot.run.fetch import Fetching, Params, issues_of, leave_out, read_configurations, since_of
from bot.run.run import Progress, Watch, new_id
from bot.store import cases, outbox, runs
from bot.store.repo_configs import policies
from integrations.github.payloads import is_pull_request
from models.case import Case
from models.errors import BadCredential, SwitchyardError
from models.issue import Issue, parse_ref
from models.report import CaseLine, RunReport
from subflows.triage import Failure


async def dry_run(
    app: App, params: Params, watch: Watch = lambda progress: None
) -> tuple[RunReport, list[CaseLine], list[Example]]:
    """Fetch and think as a run does, but store no command, move no cursor, write to no service.

    Gives the report, its cases, and a story of each flow as it would be.
    """
    started = time.time()
    run_id = new_id("dry")
    batches: list[dict[str, Any]] = []
    lines: list[CaseLine] = []
    richest: list[Case] = []
    progress = Progress()
    state = Fetching()
    gate = asyncio.Semaphore(app.settings.scaling.parallel_workers)

    async def batch(issues: list[Issue]) -> None:
        try:
            full = params.full or bool(params.issues)
            todo = await app.database.query(lambda c: cases.due(c, issues, full=full))
            repos = {case.issue.repo for case in todo}
            own = await app.database.query(lambda c: policies(c, repos, app.policy))
            results = await app.thinker.think(todo, own, partial(app.reading.answer, run=run_id, dry=True))
            known = await app.database.query(lambda c: _existing(c, results))
            counts = tally(results, unchanged=len(issues) - len(todo), verdicts=known)
            people = [r.issue.ref for r in results if isinstance(r, Case) and r.needs_person]
            told = await app.database.query(lambda c: news.told(c, people))
            batches.append(counts | {"to_tell": len(people) - len(told)})
            lines.extend(aggregate.lines_of(results)[: max(0, aggregate.DRY_LINES - len(lines))])
            triaged = (r for r in results if isinstance(r, Case))
            richest[:] = examples.richest((*richest, *triaged))
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
        runs.sum_counts(batches),
        fetched=state.fetched,
        pulls=state.pulls,
        bad=state.bad,
        incomplete=state.incomplete,
        refused=state.failed,
        from_cache=state.from_cache,
        problems=tuple(state.problems),
        skipped=tuple(state.skipped),
        started=started,
    )
    return report, lines, examples.of_cases(richest)


def _existing(connection: Any, results: Sequence[Case | Failure]) -> dict[str, str]:
    return outbox.preview(connection, [c for r in results if isinstance(r, Case) for c in r.commands])


async def _pages(app: App, params: Params, state: Fetching) -> AsyncIterator[list[Issue]]:
    """The pages of all repositories (or the named issues), one after the other, in memory only."""
    closed = await read_configurations(app, params, state)
    if params.issues:
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
                continue
            state.fetched += 1
            if is_pull_request(item):
                state.pulls += 1
            else:
                yield issues_of([item], repo, state)
        return
    for repo in params.repositories:
        if repo.lower() in closed:
            leave_out(state, params, repo)
            continue
        row = await app.database.query(lambda c, repo=repo: runs.repository(c, repo))  # type: ignore[misc]
        since = since_of(params, row)
        url: str | None = None
        seen: set[int] = set()
        if state.failed:
            return
        while True:
            try:
                page = await app.github.list_issues(repo, since=since, url=url)
            except SwitchyardError as error:
                state.problems.append(f"{repo}: {error}")
                state.incomplete = True
                state.failed = isinstance(error, BadCredential)
                break
            pulls = [item for item in page.items if is_pull_request(item)]
            issues = issues_of(page.items, repo, state)
            issues = [issue for issue in issues if issue.number not in seen]
            seen.update(issue.number for issue in issues)
            state.fetched += len(pulls) + len(issues)
            state.pulls += len(pulls)
            yield issues
            url = page.next_url
            if url is None:
                break

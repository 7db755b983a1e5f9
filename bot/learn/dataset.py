"""Lessons for the router from the team's own issues: who labelled what, and who corrected what."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from bot.app.app import App
from bot.learn.training import Lesson
from bot.store import cases, issue_texts, learning
from bot.store.database import Transaction
from bot.store.learning import Correction, LabelEvent
from bot.store.repositories import served
from integrations.github.client.client import PER_PAGE, Page
from integrations.github.payloads import parse_label_event, parse_time, read_issues
from models.errors import Rejected, SwitchyardError
from nodes.text.extract.labels import route_of_labels

if TYPE_CHECKING:
    from models.router.training.data import Row

log = structlog.get_logger()

MOST_ROWS = 10_000
"""Labelled issues that a training takes, the newest; more would cost minutes and tell little of today."""
NEW_ROWS = 20
"""Fewer new rows than this, and no new correction, are no reason to train again by ourselves."""
OVERLAP = timedelta(seconds=60)

Told = Callable[[str], None]


async def prepare(app: App, told: Told, label_map: Mapping[str, str] | None = None) -> Lesson:
    """Read what is new on GitHub, and make the rows; where GitHub fails, of what was read before."""
    problems: list[str] = []
    login: str | None = None
    try:
        login = await app.github.login()
    except SwitchyardError as error:
        problems.append(f"{error}; whose labels are the bot's own is taken from the database alone")
    repos = await app.database.query(lambda c: served(c, app.settings))
    for repo in repos:
        try:
            await _read_issues(app, repo, told)
            problems += await _read_events(app, repo, told)
        except SwitchyardError as error:
            problems.append(f"{repo}: {error}; went on with what was read before")
    lesson = await app.database.query(lambda c: lesson_of(c, repos, login, label_map))
    return Lesson(lesson.rows, lesson.sources, (*problems, *lesson.notes))


async def _read_issues(app: App, repo: str, told: Told) -> None:
    """Keep all issues that changed since the last reading; each page moves the mark."""
    row = await app.database.query(lambda c: learning.reading(c, repo))
    since = None
    if row is not None and row.issues_since is not None:
        since = datetime.fromtimestamp(row.issues_since, UTC) - OVERLAP
    seen = 0
    page = await app.github.list_changed(repo, since)
    while page.items:
        last = max(parse_time(item.get("updated_at")) for item in page.items)
        issues, wrong = read_issues(page.items, repo)
        for reason in wrong:
            log.warning("an issue could not be read", repo=repo, error=reason)
        mark = last.timestamp()
        await app.database.run(lambda c, i=issues, m=mark: learning.store_examples(c, repo, i, m))  # type: ignore[misc]
        seen += len(page.items)
        told(f"{repo}: {seen} changed issues read, up to {last:%Y-%m-%d}")
        if page.next_url is None and len(page.items) < PER_PAGE:
            return
        if since is None or last > since:
            since = last
            following = await app.github.list_changed(repo, since)
            if following.items == page.items:
                return
            page = following
        elif page.next_url is not None:
            # A hundred issues of one second: only the numbered page leads on.
            page = await app.github.follow(repo, page.next_url)
        else:
            return


async def _read_events(app: App, repo: str, told: Told) -> list[str]:
    """Keep who put labels on, from the newest event back to the last one known; resumed at the page."""
    if not await app.database.query(lambda c: learning.examples(c, [repo], 1)):
        return []
    while True:
        row = await app.database.query(lambda c: learning.reading(c, repo))
        resumed = row is not None and row.events_next is not None
        done, top = (row.events_done, row.events_top) if row is not None else (0, 0)
        page = await (app.github.follow(repo, row.events_next) if resumed else app.github.list_events(repo))  # type: ignore[union-attr]
        if not resumed:
            top = max((_number(item) for item in page.items), default=done)
        problems = await _walk_events(app, repo, page, done, top, told)
        if problems or not resumed:
            return problems


async def _walk_events(app: App, repo: str, page: Page, done: int, top: int, told: Told) -> list[str]:
    while True:
        events = [LabelEvent(**found) for item in page.items if (found := parse_label_event(item))]
        known = any(_number(item) <= done for item in page.items)
        finished = known or page.next_url is None
        progress: dict[str, Any] = (
            {"events_done": max(top, done), "events_next": None}
            if finished
            else {"events_top": top, "events_next": page.next_url}
        )
        await app.database.run(
            lambda c, e=events, p=progress: learning.store_events(c, repo, e, **p)  # type: ignore[misc]
        )
        if finished:
            return []
        oldest = min(parse_time(item.get("created_at")) for item in page.items)
        told(f"{repo}: who labelled what, back to {oldest:%Y-%m-%d}")
        try:
            page = await app.github.follow(repo, str(page.next_url))
        except Rejected as error:
            # GitHub ends long lists with a refusal; what lies further back stays unknown.
            await app.database.run(
                lambda c: learning.store_events(c, repo, [], events_done=max(top, done), events_next=None)
            )
            return [f"{repo}: who set labels before {oldest:%Y-%m-%d} cannot be read ({error})"]


def _number(item: Mapping[str, Any]) -> int:
    number = item.get("id")
    return number if isinstance(number, int) else 0


def lesson_of(
    connection: Transaction, repos: Sequence[str], login: str | None, label_map: Mapping[str, str] | None
) -> Lesson:
    """Rows of all that people said: labels they set, and corrections, of which the latest counts."""
    from models.router.inference.text import Text
    from models.router.training.data import Row

    rows: dict[str, Row] = {}
    unknown = by_bots = unmapped = 0
    kept = learning.examples(connection, repos, MOST_ROWS)
    own = cases.own_labels(connection, [row.key for row in kept])
    for row in kept:
        known = [name for name in row.labels if name.lower() in row.labelled_by]
        people = [
            name
            for name in known
            if not _is_own(row.labelled_by[name.lower()], name, login, own.get(row.key, ()))
        ]
        route = label_of(tuple(people), label_map)
        if route is None:
            every = label_of(tuple(row.labels), label_map)
            by_bots += every is not None and label_of(tuple(known), label_map) is not None
            unknown += every is not None and label_of(tuple(known), label_map) is None
            unmapped += every is None
            continue
        rows[row.key] = Row(Text(row.repo, row.title, row.body), route, _iso(row.created_at))
    sources = {repo: sum(r.text.repo.lower() == repo.lower() for r in rows.values()) for repo in repos}
    said = learning.corrections(connection)
    corrected, disagreements = _corrected(connection, said, repos)
    sources |= {"corrections": len(corrected), "disagreements": disagreements}
    notes = [
        f"{count} issues left out: {why}"
        for count, why in (
            (by_bots, "only a bot set their label"),
            (unknown, "GitHub does not tell who set their label"),
            (unmapped, "none of their labels names a route; --label-map FILE maps labels to routes"),
        )
        if count
    ]
    return Lesson(tuple((rows | corrected).values()), sources, tuple(notes))


def _is_own(by: Mapping[str, Any], label: str, login: str | None, own: Sequence[str]) -> bool:
    """Did a bot set the label: one that says so, or this one under the account of its token?"""
    if by["bot"]:
        return True
    mine = label.casefold() in {name.casefold() for name in own}
    return mine and (login is None or by["login"] is None or by["login"].casefold() == login.casefold())


def label_of(labels: tuple[str, ...], label_map: Mapping[str, str] | None) -> str | None:
    """What labels teach: one of the router's labels or "security"; None where they name no route."""
    if label_map is not None:
        known = {name.casefold(): route for name, route in label_map.items()}
        named = next((known[name.casefold()] for name in labels if name.casefold() in known), None)
        if named is not None:
            return named
    found = route_of_labels(labels)
    if found is None:
        return None
    return "question" if found[0] == "needs_human" else found[0]


def _corrected(
    connection: Transaction, said: Sequence[Correction], repos: Sequence[str]
) -> "tuple[dict[str, Row], int]":
    """The row of each corrected issue as its last corrector left it, and on how many people disagreed."""
    from models.router.inference.text import Text
    from models.router.training.data import CORRECTED, Row

    names = {repo.casefold() for repo in repos}
    last = {c.issue: c for c in said if c.issue.partition("#")[0].casefold() in names}
    answers: dict[str, set[str]] = {}
    for correction in said:
        answers.setdefault(correction.issue, set()).add(correction.after)
    found = issue_texts.texts(connection, list(last))
    rows = {
        ref: Row(Text(repo, title, body), last[ref].after, _iso(created), weight=CORRECTED)
        for ref, (repo, title, body, created) in found.items()
    }
    return rows, sum(len(answers[ref]) > 1 for ref in rows)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")

"""What people teach the router: their corrections, the issues they labelled, and how often it was wrong."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from models.case import Case, Told
from models.issue import Issue, content_hash
from models.tables import CorrectionRow, ExampleRow, ReadingRow, RouterDayRow

_corrections: sa.Table = CorrectionRow.__table__  # type: ignore[attr-defined]
_examples: sa.Table = ExampleRow.__table__  # type: ignore[attr-defined]
_readings: sa.Table = ReadingRow.__table__  # type: ignore[attr-defined]
_days: sa.Table = RouterDayRow.__table__  # type: ignore[attr-defined]

MAX_BODY = 8_000
"""Characters of a body that training keeps: the router looks at no more."""
_ROUTED = ("model", "screen")
"""Deciders that can be wrong in a way that matters here; labels and rules are people's own words."""
_LABEL = "label"
"""The way of corrections that are read off an issue's labels; the others were said to the bot."""
_SHOWN = ("model", "confidence", "probabilities", "reasons", "security_score")


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person said of an issue's route; `after` is one of LABELS or "security"."""

    issue: str
    before: str
    after: str
    person: str | None
    via: str
    at: float


@dataclass(frozen=True, slots=True)
class StoredCorrection(Correction):
    """A correction with its number, and what the bot had said: model, confidence, probabilities, reasons."""

    id: int
    shown: Mapping[str, Any]


def note(connection: Connection, decided: Iterable[tuple[Case, Any]], now: float) -> None:
    """Count the decisions of a batch, and keep what a person's new label says of an earlier one.

    Each case comes with the row of its issue's earlier case, or None.
    """
    tally: dict[str, Counter[str]] = defaultdict(Counter)
    for case, row in decided:
        decision = case.decision
        if decision is None or decision.prediction is None:
            continue
        before = row if row is not None and row.status == "triaged" else None
        if decision.by in _ROUTED:
            if before is None or before.content_hash != content_hash(case.issue):
                counts = tally[decision.prediction.model]
                counts["decided"] += 1
                counts["abstained"] += case.route == "needs_human"
        elif decision.by == "label" and before is not None:
            by = before.detail.get("by")
            is_open = before.route == "needs_human" and by in _ROUTED
            # Labels teach by themselves, until somebody has said something else about this very issue.
            spoken = by == "person" or (by == _LABEL and last(connection, case.issue.ref) is not None)
            if is_open or (before.route != case.route and (by in _ROUTED or spoken)):
                said = Correction(case.issue.ref, before.route, answer_of(case.route), None, _LABEL, now)
                record(connection, said, before.detail, case.issue.labels)
    day = _day(now)
    for model, counts in tally.items():
        _count(connection, day, model, counts)


def answer_of(route: str) -> str:
    """What a person says who sends a case there: nobody answers that somebody should answer."""
    return "question" if route == "needs_human" else route


def record(
    connection: Connection, said: Correction, shown: Mapping[str, Any], labels: Sequence[str] = ()
) -> int:
    """Keep a correction, with what was shown and the labels that people had set; returns its number.

    It counts against the model that was wrong: neither an open question nor what was confirmed was a wrong answer,
    nor what a person had said before.
    """
    kept = connection.execute(
        sa.insert(_corrections)
        .values(
            issue=said.issue,
            before=said.before,
            after=said.after,
            person=said.person,
            via=said.via,
            at=said.at,
            shown={key: shown[key] for key in _SHOWN if shown.get(key) is not None}
            | {"labels": list(labels)},
        )
        .returning(_corrections.c.id)
    )
    wrong = said.before not in ("needs_human", said.after) and shown.get("by") not in ("person", "label")
    if wrong and shown.get("model"):
        _count(connection, _day(said.at), str(shown["model"]), {"corrected": 1})
    return int(kept.scalar_one())


def last(connection: Connection, issue: str) -> StoredCorrection | None:
    """The latest correction of an issue, whichever way it came."""
    return latest(connection, [issue]).get(issue)


def latest(connection: Connection, issues: Sequence[str]) -> dict[str, StoredCorrection]:
    """By issue its latest correction, whichever way it came."""
    found: dict[str, StoredCorrection] = {}
    for start in range(0, len(issues), 500):
        query = sa.select(_corrections).where(_corrections.c.issue.in_(issues[start : start + 500]))
        rows = connection.execute(query.order_by(_corrections.c.at, _corrections.c.id))
        found |= {row.issue: StoredCorrection(**row._mapping) for row in rows}
    return found


def last_stored(connection: Connection, issue: str) -> StoredCorrection | None:
    """The correction of an issue with the highest number; the issue may be written in any case."""
    query = sa.select(_corrections).where(sa.func.lower(_corrections.c.issue) == issue.lower())
    row = connection.execute(query.order_by(_corrections.c.id.desc()).limit(1)).one_or_none()
    return StoredCorrection(**row._mapping) if row is not None else None


def last_number(connection: Connection) -> int:
    """The highest number of a correction; 0 where there is none."""
    return int(connection.execute(sa.select(sa.func.max(_corrections.c.id))).scalar() or 0)


def stored_after(connection: Connection, number: int) -> list[StoredCorrection]:
    """The corrections with higher numbers, in their order."""
    query = sa.select(_corrections).where(_corrections.c.id > number).order_by(_corrections.c.id)
    return [StoredCorrection(**row._mapping) for row in connection.execute(query)]


def told(connection: Connection, refs: Sequence[str]) -> dict[str, Told]:
    """By issue what a person last said of it to the bot; labels speak for themselves."""
    found: dict[str, Told] = {}
    for start in range(0, len(refs), 500):
        rows = connection.execute(
            sa.select(_corrections)
            .where(_corrections.c.issue.in_(refs[start : start + 500]), _corrections.c.via != _LABEL)
            .order_by(_corrections.c.at, _corrections.c.id)
        )
        for row in rows:
            found[row.issue] = Told(
                route=row.after,
                person=row.person or "",
                via=row.via,
                at=row.at,
                number=row.id,
                labels=tuple(row.shown.get("labels", ())),
            )
    return found


def corrections(connection: Connection) -> list[Correction]:
    """All corrections, the oldest first."""
    columns = [_corrections.c[name] for name in Correction.__dataclass_fields__]
    rows = connection.execute(sa.select(*columns).order_by(_corrections.c.at, _corrections.c.id))
    return [Correction(*row) for row in rows]


def reading(connection: Connection, repo: str) -> Any | None:
    """How far a repository was read."""
    query = sa.select(_readings).where(_readings.c.repo == repo.lower())
    return connection.execute(query).one_or_none()


def store_examples(connection: Connection, repo: str, issues: Sequence[Issue], since: float) -> None:
    """Keep a page of issues that carry labels, forget those that carry none any more, and how far that is."""
    bare = [issue.ref for issue in issues if not issue.labels]
    if bare:
        connection.execute(sa.delete(_examples).where(_examples.c.key.in_(bare)))
    rows = [
        {
            "key": issue.ref,
            "repo": issue.repo,
            "created_at": issue.created_at.timestamp(),
            "title": issue.title,
            "body": issue.body[:MAX_BODY],
            "labels": list(issue.labels),
            "labelled_by": {},
        }
        for issue in issues
        if issue.labels
    ]
    changing = ("repo", "created_at", "title", "body", "labels")
    _upsert(connection, _examples, ("key",), rows, changing)
    _save_reading(connection, repo, issues_since=since)


def store_events(connection: Connection, repo: str, events: Iterable["LabelEvent"], **progress: Any) -> None:
    """Keep who put which label on, where that is later than what is known, and how far the reading is."""
    by_issue: dict[str, list[LabelEvent]] = defaultdict(list)
    for event in events:
        by_issue[f"{repo}#{event.number}".lower()].append(event)
    refs = list(by_issue)
    query = sa.select(_examples.c.key, _examples.c.labelled_by).where(
        sa.func.lower(_examples.c.key).in_(refs)
    )
    for row in connection.execute(query).all():
        known = dict(row.labelled_by)
        for event in by_issue[row.key.lower()]:
            name = event.label.lower()
            if name not in known or known[name]["at"] < event.at:
                known[name] = {"login": event.login, "bot": event.bot, "at": event.at}
        if known != row.labelled_by:
            connection.execute(
                sa.update(_examples).where(_examples.c.key == row.key).values(labelled_by=known)
            )
    _save_reading(connection, repo, **progress)


@dataclass(frozen=True, slots=True)
class LabelEvent:
    """Somebody put a label on an issue; `at` in seconds since the epoch."""

    number: int
    label: str
    login: str | None
    bot: bool
    at: float


def examples(connection: Connection, repos: Sequence[str], limit: int) -> list[Any]:
    """The newest labelled issues of these repositories, the oldest of them first."""
    names = [name.lower() for name in repos]
    query = (
        sa.select(_examples)
        .where(sa.func.lower(_examples.c.repo).in_(names))
        .order_by(_examples.c.created_at.desc(), _examples.c.key)
        .limit(limit)
    )
    return list(reversed(connection.execute(query).all()))


def days(connection: Connection, since: float) -> list[Any]:
    """Decisions by day and model from `since` (seconds since the epoch), the oldest day first."""
    query = sa.select(_days).where(_days.c.day >= _day(since)).order_by(_days.c.day, _days.c.model)
    return list(connection.execute(query).all())


def _day(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"


def _count(connection: Connection, day: str, model: str, counts: Mapping[str, int]) -> None:
    names = ("decided", "abstained", "corrected")
    row = {"day": day, "model": model, **{name: counts.get(name, 0) for name in names}}
    _upsert(connection, _days, ("day", "model"), [row], names, add=True)


def _save_reading(connection: Connection, repo: str, **values: Any) -> None:
    row = {"repo": repo.lower(), "events_done": 0, "events_top": 0, **values}
    _upsert(connection, _readings, ("repo",), [row], tuple(values))


def _upsert(
    connection: Connection,
    table: sa.Table,
    key: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    changing: Sequence[str],
    *,
    add: bool = False,
) -> None:
    """Insert rows, or change these columns of those that are there: to the new value, or by it with `add`."""
    if not rows:
        return
    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
    changed = {
        name: table.c[name] + insert.excluded[name] if add else insert.excluded[name] for name in changing
    }
    connection.execute(insert.on_conflict_do_update(index_elements=list(key), set_=changed), list(rows))

"""Issues as fetched, and the cases made of them."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.store import documents, learning, pauses
from models.case import Case, Failure
from models.issue import Issue, content_hash, title_key
from models.report import CaseLine
from models.tables import CaseRow, CommandRow, DocumentRow, IssueRow
from models.text.secrets import redact
from nodes.text.search.similar import ranked

_issues: sa.Table = IssueRow.__table__  # type: ignore[attr-defined]
_cases: sa.Table = CaseRow.__table__  # type: ignore[attr-defined]
_commands: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]
_documents: sa.Table = DocumentRow.__table__  # type: ignore[attr-defined]

MAX_FAILURES = 3
"""A case that failed so often is left alone until its issue changes."""


def encode(issue: Issue) -> str:
    document = asdict(issue)
    document["created_at"] = issue.created_at.isoformat()
    document["updated_at"] = issue.updated_at.isoformat()
    return json.dumps(document, ensure_ascii=False)


def decode(data: str) -> Issue:
    document = json.loads(data)
    for key in ("created_at", "updated_at"):
        document[key] = datetime.fromisoformat(document[key])
    for key in ("labels", "assignees"):
        document[key] = tuple(document[key])
    return Issue(**document)


def store_issues(connection: Connection, run_id: str, issues: Sequence[Issue]) -> list[str]:
    """Keep the fetched copies; returns the keys that this run had not seen yet, in order."""
    by_key = {issue.ref: issue for issue in issues}
    seen = {
        row.key: row.run_id
        for row in connection.execute(
            sa.select(_issues.c.key, _issues.c.run_id).where(_issues.c.key.in_(by_key))
        )
    }
    fresh = [key for key in by_key if seen.get(key) != run_id]
    rows = [
        {
            "key": key,
            "repo": by_key[key].repo,
            "number": by_key[key].number,
            "updated_at": by_key[key].updated_at.timestamp(),
            "run_id": run_id,
            "title_key": title_key(by_key[key].title),
            "data": encode(by_key[key]),
        }
        for key in fresh
    ]
    known = [row for row in rows if row["key"] in seen]
    new = [row for row in rows if row["key"] not in seen]
    if new:
        connection.execute(sa.insert(_issues), new)
    for row in known:
        connection.execute(sa.update(_issues).where(_issues.c.key == row["key"]).values(**row))
    return fresh


def newer(connection: Connection, issues: Sequence[Issue]) -> list[Issue]:
    """The latest copy of each issue, where the stored one is not later still."""
    latest: dict[str, Issue] = {}
    for issue in issues:
        if issue.ref not in latest or latest[issue.ref].updated_at <= issue.updated_at:
            latest[issue.ref] = issue
    query = sa.select(_issues.c.key, _issues.c.updated_at).where(_issues.c.key.in_(latest))
    stored = {row.key: row.updated_at for row in connection.execute(query)}
    return [issue for ref, issue in latest.items() if stored.get(ref, 0.0) <= issue.updated_at.timestamp()]


def store_copies(connection: Connection, run_id: str, issues: Sequence[Issue]) -> None:
    """Keep these copies, whatever was stored before."""
    refs = [issue.ref for issue in issues]
    connection.execute(sa.delete(_issues).where(_issues.c.key.in_(refs)))
    store_issues(connection, run_id, issues)


def forget(connection: Connection, refs: Sequence[str]) -> None:
    """An issue was deleted, or went elsewhere: its copy must not come back when GitHub is down."""
    if refs:
        connection.execute(sa.delete(_issues).where(_issues.c.key.in_(refs)))
        documents.remove(connection, refs)


def load_issues(connection: Connection, keys: Sequence[str]) -> list[Issue]:
    """The stored copies, in the order of the keys; those that are gone are left out."""
    rows = connection.execute(sa.select(_issues.c.key, _issues.c.data).where(_issues.c.key.in_(keys)))
    found = {row.key: decode(row.data) for row in rows}
    return [found[key] for key in keys if key in found]


def without_document(connection: Connection, limit: int) -> list[tuple[Issue, str]]:
    """Triaged issues that have no document, with the fingerprints of their traces; none that are security's."""
    query = (
        sa.select(_issues.c.data, _cases.c.trace_key)
        .join(_cases, _cases.c.key == _issues.c.key)
        .outerjoin(_documents, _documents.c.key == _issues.c.key)
        .where(_cases.c.status == "triaged", _cases.c.route != "security", _documents.c.key.is_(None))
        .limit(limit)
    )
    return [(decode(row.data), row.trace_key) for row in connection.execute(query)]


def cached_keys(connection: Connection, repo: str, run_id: str) -> list[str]:
    """Stored issues of a repository that this run has not fetched."""
    rows = connection.execute(
        sa.select(_issues.c.key)
        .where(sa.func.lower(_issues.c.repo) == repo.lower(), _issues.c.run_id != run_id)
        .order_by(_issues.c.number)
    )
    return [row.key for row in rows]


def failed_keys(connection: Connection, repo: str, run_id: str) -> list[str]:
    """Cases that failed in an earlier run and deserve another try."""
    rows = connection.execute(
        sa.select(_cases.c.key)
        .join(_issues, _issues.c.key == _cases.c.key)
        .where(
            sa.func.lower(_issues.c.repo) == repo.lower(),
            _issues.c.run_id != run_id,
            _cases.c.status == "failed",
            _cases.c.failures < MAX_FAILURES,
        )
    )
    return [row.key for row in rows]


def given_up(connection: Connection, repo: str) -> list[str]:
    """Cases that failed so often that they wait for a change of their issue, or for --full."""
    rows = connection.execute(
        sa.select(_cases.c.key)
        .where(
            sa.func.lower(_cases.c.key).startswith(f"{repo.lower()}#", autoescape=True),
            _cases.c.status == "failed",
            _cases.c.failures >= MAX_FAILURES,
        )
        .limit(20)
    )
    return [row.key for row in rows]


def changed(connection: Connection, issues: Sequence[Issue], *, full: bool) -> list[Issue]:
    """Those that must be thought about: new, changed, corrected, or failed before; all where `full`.

    An issue that people told the bot to leave alone is none of them. What the bot itself did to an issue is taken
    off: its labels, which no node may mistake for a person's, and its comment, which is no sign of interest.
    """
    refs = [issue.ref for issue in issues]
    names = ("key", "content_hash", "own_labels", "status")
    columns = (*(_cases.c[name] for name in names), _cases.c.detail["told"].as_integer().label("told"))
    rows = {row.key: row for row in connection.execute(sa.select(*columns).where(_cases.c.key.in_(refs)))}
    written = sa.select(_commands.c.issue).where(
        _commands.c.key.in_([f"comment:{ref}" for ref in refs]), _commands.c.state == "sent"
    )
    commented = set(connection.execute(written).scalars())
    taken_off = _taken_off(connection, refs)
    told = {ref: said.number for ref, said in learning.told(connection, refs).items()}
    ignored = pauses.active(connection, pauses.IGNORE, refs, time.time())
    todo = []
    for issue in issues:
        if issue.ref in ignored:
            continue
        row = rows.get(issue.ref)
        own = {name.casefold() for name in row.own_labels} if row else set()
        # What the bot took off and the issue has nevertheless, a person put there since.
        off = taken_off.get(issue.ref, {})
        own -= {name for name, at in off.items() if issue.updated_at.timestamp() > at}
        labels = tuple(name for name in issue.labels if name.casefold() not in own)
        issue = replace(issue, labels=labels, comments=max(0, issue.comments - (issue.ref in commented)))
        is_known = row is not None and row.status != "failed" and row.content_hash == content_hash(issue)
        if full or row is None or not is_known or row.told != told.get(issue.ref):
            todo.append(issue)
    return todo


def due(connection: Connection, issues: Sequence[Issue], *, full: bool) -> list[Case]:
    """Cases to think about: the changed issues, with what people said of them."""
    todo = changed(connection, issues, full=full)
    told = learning.told(connection, [issue.ref for issue in todo])
    return [Case(issue=issue, told=told.get(issue.ref)) for issue in todo]


def _taken_off(connection: Connection, refs: Sequence[str]) -> dict[str, dict[str, float]]:
    """By issue which labels the bot took off again, in lower case, and when by GitHub's clock (epoch seconds)."""
    query = sa.select(_commands.c.issue, _commands.c.answer["off"].label("off")).where(
        _commands.c.key.in_([f"labels:{ref}" for ref in refs]), _commands.c.answer.is_not(None)
    )
    return {row.issue: row.off for row in connection.execute(query) if row.off}


def own_labels(connection: Connection, keys: Sequence[str]) -> dict[str, list[str]]:
    """The labels that the bot itself put on issues."""
    found: dict[str, list[str]] = {}
    for start in range(0, len(keys), 500):
        query = sa.select(_cases.c.key, _cases.c.own_labels).where(
            _cases.c.key.in_(keys[start : start + 500])
        )
        found |= {row.key: row.own_labels for row in connection.execute(query)}
    return found


GONE = "the issue is not on GitHub any more: deleted, moved out of reach or made a discussion"


def note_gone(connection: Connection, keys: Sequence[str]) -> None:
    """Say in these cases' notes that nothing can be written to their issues any more."""
    for key in keys:
        detail = connection.execute(sa.select(_cases.c.detail).where(_cases.c.key == key)).scalar()
        if detail is not None and GONE not in detail.get("notes", ()):
            notes = [*detail.get("notes", ()), GONE]
            connection.execute(
                sa.update(_cases).where(_cases.c.key == key).values(detail=detail | {"notes": notes})
            )


def add_own_labels(connection: Connection, key: str, own: Sequence[str], labels: Sequence[str]) -> None:
    """Count labels as the bot's, beside its `own` of this issue: no node takes them for a person's."""
    known = {name.casefold() for name in own}
    more = [name for name in labels if name.casefold() not in known]
    if more:
        connection.execute(sa.update(_cases).where(_cases.c.key == key).values(own_labels=[*own, *more]))


def store_cases(connection: Connection, run_id: str, results: Sequence[Case | Failure], now: float) -> None:
    """Keep what was decided, or that it failed."""
    keys = [_ref(result) for result in results]
    known = {row.key: row for row in connection.execute(sa.select(*_KNOWN).where(_cases.c.key.in_(keys)))}
    learning.note(connection, [(c, known.get(c.issue.ref)) for c in results if isinstance(c, Case)], now)
    inserts = []
    for key, result in zip(keys, results, strict=True):
        row = known.get(key)
        values = _failed(result, row) if isinstance(result, Failure) else _triaged(result, row)
        values |= {"run_id": run_id, "updated_at": now}
        if row is None:
            inserts.append({"key": key, **values})
        else:
            connection.execute(sa.update(_cases).where(_cases.c.key == key).values(**values))
    if inserts:
        connection.execute(sa.insert(_cases), inserts)
    documents.add_cases(connection, results, now)


_KNOWN = tuple(
    _cases.c[name]
    for name in ("key", "own_labels", "failures", "url", "status", "route", "content_hash", "detail")
)


def _ref(result: Case | Failure) -> str:
    return result.ref if isinstance(result, Failure) else result.issue.ref


def _failed(failure: Failure, row: Any) -> dict[str, Any]:
    return {
        "status": "failed",
        "route": "needs_human",
        "urgency": 0.0,
        "trace_key": "",
        "url": row.url if row else "",
        "content_hash": "",
        "own_labels": row.own_labels if row else [],
        "failures": (row.failures if row else 0) + 1,
        # An earlier run may have screened the issue as security: its title is not shown.
        "title": "",
        "error": f"{failure.node}: {failure.error_text}"[:500],
        "detail": {},
    }


def _triaged(case: Case, row: Any) -> dict[str, Any]:
    asked = [name for c in case.commands if c.operation == "add_labels" for name in c.payload["labels"]]
    # What it takes off again stays the bot's for as long as copies from before then come.
    own = list(dict.fromkeys([*(row.own_labels if row else ()), *asked]))
    return {
        "status": "triaged",
        "route": case.route,
        "content_hash": content_hash(case.issue),
        "own_labels": own,
        "urgency": case.urgency,
        "trace_key": case.trace.fingerprint if case.trace else "",
        # Reports, pages and Slack show it.
        "title": redact(case.issue.title[:2_000])[0][:300],
        "url": case.issue.html_url,
        "failures": 0,
        "error": "",
        "detail": describe(case),
    }


def describe(case: Case) -> dict[str, Any]:
    """What the report and `why` show of a case: the decision with its reasons, and the evidence."""
    decision = case.decision
    prediction = decision.prediction if decision else None
    return {
        "confidence": round(decision.confidence, 4) if decision else 0.0,
        "accepted": bool(decision and decision.accepted),
        "by": decision.by if decision else None,
        "held": bool(decision and decision.held),
        "told": case.told.number if case.told else None,
        "rules": list(decision.rules) if decision else [],
        "model": prediction.model if prediction else None,
        "probabilities": {k: round(v, 4) for k, v in prediction.probabilities.items()} if prediction else {},
        "security_score": round(prediction.security_score, 4) if prediction else None,
        "security_flag": bool(prediction and prediction.security_flag),
        "reasons": [[sign, round(weight, 3)] for sign, weight in (prediction.reasons if prediction else ())][:8],
        "severity": case.impact.severity if case.impact else "low",
        "evidence": list(case.impact.evidence)[:6] if case.impact else [],
        "similar": [[s.ref, s.url, s.reason] for s in ranked(case.similar)[:3]],
        "estimate": case.estimate,
        "sections": [section.title for section in case.sections],
        "questions": list(case.questions),
        "notes": list(case.notes),
        "suspicions": list(case.suspicions),
        "escalation": list(case.escalation),
    }  # fmt: skip


def make_due(connection: Connection, refs: Sequence[str]) -> None:
    """These cases are thought about again, whatever was thought of them."""
    for start in range(0, len(refs), 500):
        part = _cases.c.key.in_(refs[start : start + 500])
        connection.execute(sa.update(_cases).where(part).values(content_hash=""))


def needs_person() -> sa.ColumnElement[bool]:
    """The condition that a case waits for somebody's decision or approval."""
    by = sa.func.coalesce(_cases.c.detail["by"].as_string(), "")
    held = sa.func.coalesce(_cases.c.detail["held"].as_boolean(), sa.false())
    is_open = sa.and_(_cases.c.route == "needs_human", by.not_in(("person", "label")))
    return sa.and_(_cases.c.status == "triaged", sa.or_(is_open, held))


def people_waiting(connection: Connection) -> int:
    """Cases that wait for a person, less those that somebody put off."""
    quiet = pauses.is_quiet(_cases.c.key, time.time())
    query = sa.select(sa.func.count()).select_from(_cases).where(needs_person(), sa.not_(quiet))
    return int(connection.execute(query).scalar_one())


def lines_of(connection: Connection, refs: Sequence[str]) -> dict[str, CaseLine]:
    """The cases of these issues as the report shows them, by issue."""
    found: dict[str, CaseLine] = {}
    for start in range(0, len(refs), 500):
        part = _cases.c.key.in_(refs[start : start + 500])
        found |= {line.ref: line for line in lines(connection, None, only=part)}
    return found


def lines(
    connection: Connection,
    run_id: str | None,
    *,
    only: sa.ColumnElement[bool] | None = None,
    limit: int | None = None,
    ok_only: bool = False,
    route: str | None = None,
    people_only: bool = False,
) -> Iterator[CaseLine]:
    """The run's cases (or all) as the report shows them, failed ones first, then the most urgent; with their story.

    `people_only` takes those that wait for a person's decision or approval, less what somebody snoozed or told the
    bot to leave alone. `only` is a further condition, of other modules of the store.
    """
    story = sa.alias(_commands)
    query = (
        sa.select(_cases, story.c.answer)
        .outerjoin(story, story.c.key == sa.literal("story:") + _cases.c.key)
        .order_by(_cases.c.status, _cases.c.urgency.desc(), _cases.c.key)
    )
    if run_id is not None:
        query = query.where(_cases.c.run_id == run_id)
    if only is not None:
        query = query.where(only)
    if ok_only:
        query = query.where(_cases.c.status == "triaged")
    if route is not None:
        query = query.where(_cases.c.route == route)
    if people_only:
        query = query.where(needs_person(), sa.not_(pauses.is_quiet(_cases.c.key, time.time())))
    if limit is not None:
        query = query.limit(limit)
    # On the statement: an option of the connection would change every later statement of its transaction.
    with connection.execute(query.execution_options(yield_per=200)) as rows:
        for row in rows:
            yield CaseLine(
                ref=row.key,
                title=row.title,
                url=row.url,
                route=row.route,
                urgency=row.urgency,
                status=row.status,
                error=row.error,
                story_url=(row.answer or {}).get("url"),
                detail=row.detail,
            )

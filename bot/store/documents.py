"""Documents: what the bot has seen, as the index of similar issues takes it.

Each change gets the next number, so that an index need only read on. A document that must not be found stays as a
row without words, until it is the oldest.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.case import Case, Failure
from models.issue import Issue
from models.story import Story, ref_of
from models.tables import CaseRow, DocumentRow, StoryRow
from models.text.secrets import redact
from nodes.text.search.terms import count_words, marks, pack

_documents: sa.Table = DocumentRow.__table__  # type: ignore[attr-defined]
_cases: sa.Table = CaseRow.__table__  # type: ignore[attr-defined]
_stories: sa.Table = StoryRow.__table__  # type: ignore[attr-defined]

KEPT = 200_000
"""Documents beyond which the oldest go."""
_TRIM_EVERY = 2_000
_PART = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An issue or a story. A story that belongs to an issue stands under the issue's key: they are one thing."""

    key: str
    repo: str = ""
    title: str = ""
    url: str = ""
    done: bool = False
    estimate: int | None = None
    terms: bytes = b""
    seq: int = 0


def of_issue(issue: Issue, terms: bytes) -> Document:
    """An issue with its words."""
    return Document(
        key=issue.ref,
        repo=issue.repo,
        title=redact(issue.title[:1_000])[0][:200],
        url=issue.html_url,
        done=issue.state == "closed",
        terms=terms,
    )


def add_cases(connection: Connection, results: Sequence[Case | Failure], now: float) -> None:
    """What a batch came to. Security reports go, and come back once they are none; a failure changes nothing."""
    cases = [result for result in results if isinstance(result, Case)]
    known = _known(connection, [case.issue.ref for case in cases])
    found = []
    for case in cases:
        issue, before = case.issue, known.get(case.issue.ref)
        if case.route == "security":
            found.append(Document(key=issue.ref, repo=issue.repo))
        elif case.terms:
            # What Shortcut said of its story, or else what the story is wished to have.
            estimate = before.estimate if before and before.estimate is not None else case.estimate
            found.append(replace(of_issue(issue, case.terms), estimate=estimate))
    _store(connection, found, known, now)


def read_stories(stories: Sequence[Story], hosts: frozenset[str]) -> list[tuple[Story, Document]]:
    """Stories with what they are as documents; CPU work without the database."""
    found = []
    for story in stories:
        ref = ref_of(story, hosts)
        # What the bot itself wrote into a story would be taken for the reporter's words.
        words = count_words(story.name, "" if story.made_by_bot else story.description)
        document = Document(
            key=ref or f"shortcut:{story.id}",
            repo=ref.partition("#")[0] if ref else "",
            title=redact(story.name)[0][:200],
            url=story.url,
            done=story.done,
            estimate=story.estimate,
            terms=b"" if story.hidden else pack(words, marks(story.name, "")),
        )
        found.append((story, document))
    return found


def add_stories(connection: Connection, seen: Sequence[tuple[Story, Document]], now: float) -> None:
    """A story lends its issue's document estimate and end; it is a document of its own where that one is not there."""
    for start in range(0, len(seen), _PART):
        part = seen[start : start + _PART]
        names, private = issues_of(connection, [document.key for _, document in part])
        part = [(story, _named(document, names)) for story, document in part]
        known = _known(connection, [document.key for _, document in part])
        found: dict[str, Document] = {}
        for story, document in part:
            before = known.get(document.key)
            if document.key in private:
                found[document.key] = Document(key=document.key, repo=document.repo)
            elif before is None or before.url == document.url or document.key.startswith("shortcut:"):
                if before is not None or document.terms:
                    found[document.key] = document
            elif before.terms and not story.archived:
                found[document.key] = replace(before, done=document.done, estimate=document.estimate)
        _store(connection, list(found.values()), known, now)


def _named(document: Document, names: Mapping[str, str]) -> Document:
    key = names.get(document.key.lower(), document.key)
    return document if key == document.key else replace(document, key=key, repo=key.partition("#")[0])


def remove(connection: Connection, keys: Sequence[str], now: float | None = None) -> None:
    """These are gone: nobody is to be told of them."""
    known = _known(connection, keys)
    gone = [Document(key=key, repo=document.repo) for key, document in known.items() if document.terms]
    _store(connection, gone, known, time.time() if now is None else now)


def remove_stories(connection: Connection, ids: Sequence[int], now: float) -> None:
    """These stories were deleted. The document of an issue that was seen itself stays."""
    query = sa.select(_stories.c.ref, _stories.c.url).where(_stories.c.id.in_(ids))
    rows = list(connection.execute(query))
    query = sa.select(_documents.c.key).where(
        sa.func.lower(_documents.c.key).in_([row.ref for row in rows]),
        _documents.c.url.in_([row.url for row in rows if row.url]),
    )
    lent = connection.execute(query).scalars().all() if rows else ()
    remove(connection, [*(f"shortcut:{number}" for number in ids), *lent], now)


def read_issue(issue: Issue, fingerprint: str) -> Document:
    """What an issue is as a document; CPU work without the database."""
    return of_issue(issue, pack(count_words(issue.title, issue.body), marks(issue.title, fingerprint)))


def add_issues(connection: Connection, found: Sequence[Document], now: float) -> int:
    """Those that nobody added, or screened as security's, meanwhile; says how many."""
    keys = [document.key for document in found]
    known = _known(connection, keys)
    _, private = issues_of(connection, keys)
    new = [document for document in found if document.key not in known and document.key not in private]
    _store(connection, new, known, now)
    return len(new)


def extent(connection: Connection) -> tuple[int, int]:
    """(lowest, highest) number; (0, 0) where there is none."""
    query = sa.select(
        sa.select(sa.func.min(_documents.c.seq)).scalar_subquery(),
        sa.select(sa.func.max(_documents.c.seq)).scalar_subquery(),
    )
    low, high = connection.execute(query).one()
    return low or 0, high or 0


def count(connection: Connection) -> int:
    """How many documents there are."""
    return int(connection.execute(sa.select(sa.func.count()).select_from(_documents)).scalar_one())


def table_id(connection: Connection) -> int | None:
    """PostgreSQL's number of the table: another database's, or one made anew, has another."""
    found: int | None = connection.execute(sa.text("SELECT to_regclass('documents')::oid")).scalar()
    return found


def after(connection: Connection, seq: int, limit: int) -> list[Document]:
    """The documents with higher numbers, in their order."""
    query = sa.select(*_COLUMNS).where(_documents.c.seq > seq).order_by(_documents.c.seq).limit(limit)
    return [_document(row) for row in connection.execute(query)]


def keys_of(connection: Connection, seqs: Sequence[int]) -> Mapping[int, str]:
    """The keys of those of these numbers that are still there."""
    query = sa.select(_documents.c.seq, _documents.c.key).where(_documents.c.seq.in_(seqs))
    return {row.seq: row.key for row in connection.execute(query)}


_COLUMNS = tuple(
    _documents.c[name] for name in ("key", "repo", "title", "url", "done", "estimate", "terms", "seq")
)


def _document(row: Any) -> Document:
    return Document(**{**row._mapping, "terms": bytes(row.terms)})


def _known(connection: Connection, keys: Sequence[str]) -> dict[str, Document]:
    found: dict[str, Document] = {}
    for start in range(0, len(keys), _PART):
        query = sa.select(*_COLUMNS).where(_documents.c.key.in_(keys[start : start + _PART]))
        found |= {row.key: _document(row) for row in connection.execute(query)}
    return found


def issues_of(connection: Connection, keys: Sequence[str]) -> tuple[dict[str, str], set[str]]:
    """By lower case how GitHub writes these issues, of which people type links as they like; and those of them that
    are security's, or may be: a case that failed was not screened."""
    lowered = [key.lower() for key in keys if "#" in key]
    columns = (_cases.c.key, _cases.c.route, _cases.c.status)
    rows = list(connection.execute(sa.select(*columns).where(sa.func.lower(_cases.c.key).in_(lowered))))
    private = {row.key for row in rows if row.route == "security" or row.status == "failed"}
    return {row.key.lower(): row.key for row in rows}, private


def _store(
    connection: Connection, documents: Sequence[Document], known: Mapping[str, Document], now: float
) -> None:
    """Those that differ from what is known get new numbers, higher than any before."""
    changed = [d for d in documents if _differs(d, known.get(d.key))]
    if not changed:
        return
    # Asked before anything goes: the highest number is never given twice.
    _, top = extent(connection)
    old = [document.key for document in changed if document.key in known]
    for start in range(0, len(old), _PART):
        connection.execute(sa.delete(_documents).where(_documents.c.key.in_(old[start : start + _PART])))
    rows = [
        {
            "seq": top + at,
            "key": document.key,
            "repo": document.repo,
            "title": document.title,
            "url": document.url,
            "done": document.done,
            "estimate": document.estimate,
            "terms": document.terms,
            "updated_at": now,
        }
        for at, document in enumerate(changed, start=1)
    ]
    connection.execute(sa.insert(_documents), rows)
    if top // _TRIM_EVERY != (top + len(rows)) // _TRIM_EVERY:
        _trim(connection)


def _differs(document: Document, before: Document | None) -> bool:
    if before is None:
        # Even of what never was here: an index may have been told of it by another key's case.
        return True
    return replace(document, seq=before.seq) != before


def _trim(connection: Connection) -> None:
    """The oldest go where there are too many."""
    newest_first = sa.select(_documents.c.seq).order_by(_documents.c.seq.desc())
    last = connection.execute(newest_first.offset(KEPT).limit(1)).scalar()
    if last is not None:
        connection.execute(sa.delete(_documents).where(_documents.c.seq <= last))

"""Documents of issues that were triaged by a version that kept none."""

import asyncio
import time
from collections.abc import Sequence

import sqlalchemy as sa

from bot.store import cases, documents
from bot.store.database import Database, Transaction
from bot.store.documents import Document
from models.issue import Issue
from models.tables import CaseRow, DocumentRow, IssueRow

_issues: sa.Table = IssueRow.__table__  # type: ignore[attr-defined]
_cases: sa.Table = CaseRow.__table__  # type: ignore[attr-defined]
_documents: sa.Table = DocumentRow.__table__  # type: ignore[attr-defined]

PART = 100
SECONDS = 5.0
"""For which a run does it; the next one goes on."""


async def fill(database: Database, seconds: float = SECONDS) -> int:
    """Add what is missing, from the stored copies; says how many. Many are done over several runs."""
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        found = await database.query(_missing)
        made = await asyncio.to_thread(_read, found)
        added = await database.run(lambda c, made=made: documents.add_issues(c, made, time.time()))  # type: ignore[misc]
        count += added
        if not added:
            break
    return count


def _missing(connection: Transaction) -> list[tuple[Issue, str]]:
    """Issues with the fingerprints of their traces; none where the oldest documents go already."""
    if (
        connection.execute(sa.select(sa.func.count()).select_from(_documents)).scalar_one()
        > documents.KEPT // 2
    ):
        return []
    query = (
        sa.select(_issues.c.data, _cases.c.trace_key)
        .join(_cases, _cases.c.key == _issues.c.key)
        .outerjoin(_documents, _documents.c.key == _issues.c.key)
        .where(_cases.c.status == "triaged", _cases.c.route != "security", _documents.c.key.is_(None))
        .limit(PART)
    )
    return [(cases.decode(row.data), row.trace_key) for row in connection.execute(query)]


def _read(found: Sequence[tuple[Issue, str]]) -> list[Document]:
    return [documents.read_issue(issue, fingerprint) for issue, fingerprint in found]

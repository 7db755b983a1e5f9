"""Documents of issues that were triaged by a version that kept none."""

import asyncio
import time
from collections.abc import Sequence

from bot.store import cases, documents
from bot.store.database import Database, Transaction
from bot.store.documents import Document
from models.issue import Issue

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
    if documents.count(connection) > documents.KEPT // 2:
        return []
    return cases.without_document(connection, PART)


def _read(found: Sequence[tuple[Issue, str]]) -> list[Document]:
    return [documents.read_issue(issue, fingerprint) for issue, fingerprint in found]

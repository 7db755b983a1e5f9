"""What issues say, as they were seen last: from the stored copies, else from the examples for training."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.store.cases import decode
from bot.store.learning import MAX_BODY
from models.tables import ExampleRow, IssueRow

_issues: sa.Table = IssueRow.__table__  # type: ignore[attr-defined]
_examples: sa.Table = ExampleRow.__table__  # type: ignore[attr-defined]


def texts(connection: Connection, refs: Sequence[str]) -> dict[str, tuple[str, str, str, float]]:
    """Issue to (repository, title, body, when it was made), as they were seen last."""
    found = {}
    for start in range(0, len(refs), 500):
        part = refs[start : start + 500]
        for row in connection.execute(
            sa.select(_issues.c.key, _issues.c.data).where(_issues.c.key.in_(part))
        ):
            issue = decode(row.data)
            found[row.key] = (issue.repo, issue.title, issue.body[:MAX_BODY], issue.created_at.timestamp())
        for kept in connection.execute(sa.select(_examples).where(_examples.c.key.in_(part))):
            found.setdefault(kept.key, (kept.repo, kept.title, kept.body, kept.created_at))
    return found

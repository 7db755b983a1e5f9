"""Adoption: a command that would make a story is settled where the story stands already."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.store import lane_states, outbox, stories
from models.tables import CommandRow

_table: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]
_OPEN = sa.and_(
    _table.c.state.in_(("pending", "dead")),
    _table.c.lane == "shortcut",
    _table.c.operation == "create_story",
)


def adopt(connection: Connection, issues: Collection[str], now: float) -> tuple[int, set[str]]:
    """Settle what would make stories of these issues; says how many were settled, and which lanes to wake.

    The issues may be written in another case than GitHub's.
    """
    wanted = {issue.lower() for issue in issues}
    rows = connection.execute(sa.select(_table.c.issue, _table.c.maybe_sent_at).where(_OPEN))
    asked = {row.issue: row.maybe_sent_at for row in rows if row.issue.lower() in wanted}
    found = stories.standing(connection, asked)
    stories.name_issues(connection, found)
    for issue, story in found.items():
        # One that a request of ours may have made is no find.
        answer = story.answer(existing=not (story.ours and asked[issue]))
        connection.execute(
            sa.update(_table)
            .where(_table.c.key == f"story:{issue}", _OPEN)
            .values(state="sent", answer=answer, last_error=None, maybe_sent_at=None, sent_at=now)
        )
    return len(found), outbox.release_waiting(connection, list(found), now)


def leaving(
    connection: Connection, lane: str, token: int, keys: Sequence[str], now: float
) -> set[str] | None:
    """Of commands that are about to be sent those that may leave: the last look before a story is made.

    None where another process has taken the lane since it was acquired with this token.
    """
    if not lane_states.holds(connection, lane, token):
        return None
    issues = [key.removeprefix("story:") for key in keys if key.startswith("story:")]
    if issues and stories.standing(connection, issues):
        adopt(connection, issues, now)
    return outbox.mark(connection, keys, now)

"""Slack messages: which are stored about cases, and which cases have none yet."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.store import cases
from bot.store.outbox import WAITING
from models.report import CaseLine
from models.tables import CaseRow, CommandRow, RunRow

_cases: sa.Table = CaseRow.__table__  # type: ignore[attr-defined]
_commands: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]
_runs: sa.Table = RunRow.__table__  # type: ignore[attr-defined]

CASE, SECRET, SEVERAL = "case:", "secret:", "cases:"
"""What begins the keys of messages: about a case, about one for the security team, about several."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was stored last."""

    key: str
    target: str
    operation: str
    issue: str | None
    payload: Mapping[str, Any]


class Untold(NamedTuple):
    """Cases that have no message: security reports, and those that wait for a person (of any route)."""

    secret: list[CaseLine]
    waiting: list[CaseLine]


class Refusal(NamedTuple):
    """A message that a channel did not take, with Slack's last error."""

    channel: str
    error: str | None


def about(connection: Connection, refs: Collection[str]) -> list[Message]:
    """The messages about single ones of these issues."""
    return _messages(connection, sa.select(_commands).where(_commands.c.key.in_(_keys(refs))))


def about_several(connection: Connection, since: float) -> list[Message]:
    """Messages about several cases that began after then (epoch seconds), the latest first."""
    query = sa.select(_commands).where(_commands.c.key.startswith(SEVERAL), _commands.c.created_at > since)
    return _messages(connection, query.order_by(_commands.c.created_at.desc()))


def told(connection: Connection, refs: Sequence[str]) -> set[str]:
    """Those of these issues that have a message."""
    query = sa.select(_commands.c.issue).where(_commands.c.key.in_(_keys(refs)))
    inside = {ref for message in about_several(connection, 0.0) for ref in message.payload["refs"]}
    return set(connection.execute(query).scalars()) | (inside & set(refs))


def untold(connection: Connection, run_id: str, *, since: float, limit: int) -> list[CaseLine]:
    """The run's cases that wait for a person and have no message, the most urgent first.

    Of messages about several cases only those count that began after `since` (epoch seconds).
    """
    only = _untold(connection, since)
    return list(cases.lines(connection, run_id, people_only=True, only=only, limit=limit))


def untold_of_webhooks(connection: Connection, *, since: float, limit: int) -> Untold:
    """Cases without a message of webhooks' runs that began after `since`, at most `limit` of each kind."""
    days = sa.select(_runs.c.id).where(_runs.c.trigger == "webhook", _runs.c.started_at > since)
    only = sa.and_(_cases.c.run_id.in_(days), _untold(connection, since))
    secret = cases.lines(connection, None, ok_only=True, route="security", only=only, limit=limit)
    waiting = cases.lines(connection, None, people_only=True, only=only, limit=limit)
    return Untold(list(secret), list(waiting))


def count(connection: Connection, kind: str, since: float) -> int:
    """How many messages of a kind (CASE or SECRET) were stored after then that are in no thread."""
    query = sa.select(sa.func.count()).where(
        _commands.c.key.startswith(kind),
        _commands.c.operation == "post_message",
        _commands.c.created_at > since,
        _commands.c.payload["thread_of"].as_string().is_(None),
    )
    return int(connection.execute(query).scalar() or 0)


def refused(connection: Connection, run_id: str) -> list[Refusal]:
    """The run's messages that are dead; `channel` is empty for the operator's."""
    query = (
        sa.select(_commands.c.payload["channel"].as_string(), _commands.c.last_error)
        .where(_commands.c.run_id == run_id, _commands.c.operation == "post_message")
        .where(_commands.c.state == "dead")
    )
    return [Refusal(channel or "", error) for channel, error in connection.execute(query)]


def bring_forward(connection: Connection, channels: Collection[str], at: float) -> None:
    """Messages to these channels that were never tried and are meant for later are due at `at` (epoch seconds)."""
    untried = sa.and_(
        _commands.c.state == "pending", _commands.c.operation == "post_message", _commands.c.attempts == 0
    )
    later = sa.and_(_commands.c.next_attempt_at > at, _commands.c.next_attempt_at != WAITING)
    there = _commands.c.payload["channel"].as_string().in_(channels)
    connection.execute(sa.update(_commands).where(untried, later, there).values(next_attempt_at=at))


def _keys(refs: Collection[str]) -> list[str]:
    return [f"{kind}{ref}" for ref in refs for kind in (CASE, SECRET)]


def _messages(connection: Connection, query: "sa.Select[Any]") -> list[Message]:
    return [
        Message(row.key, row.target, row.operation, row.issue, row.payload)
        for row in connection.execute(query)
    ]


def _untold(connection: Connection, since: float) -> sa.ColumnElement[bool]:
    """The condition that no message was ever posted about a case."""
    said = sa.alias(_commands)
    # A case that became one for the security team is news there, whatever another channel was told of it before.
    kind = sa.case((_cases.c.route == "security", SECRET), else_=CASE)
    single = sa.select(said.c.key).where(said.c.key == kind + _cases.c.key)
    both: dict[bool, list[str]] = {True: [], False: []}
    for message in about_several(connection, since):
        both[bool(message.payload.get("secret"))] += message.payload["refs"]
    inside = sa.case(
        (_cases.c.route == "security", _cases.c.key.in_(both[True])), else_=_cases.c.key.in_(both[False])
    )
    return sa.and_(sa.not_(single.exists()), sa.not_(inside))

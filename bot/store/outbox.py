"""The outbox: commands on their way, the dead letters, and what the services answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.store import audit, stories
from bot.store.stories import Standing
from config.secrets import redact
from models.commands import Command, Pending, payload_hash
from models.tables import CommandRow

WAITING = 4e9
"""next_attempt_at of a command whose predecessors are not finished; the year 2096."""
ONCE = ("create_story", "publish_page")
"""What people work on once it exists: it is never written again."""
ADOPTED = "adopted"
"""Stands for the run of a command whose story was there before any run asked for it."""

_table: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one command: exactly one of sent, again (at `again_at`) or dead."""

    key: str
    issue: str | None
    payload_hash: str
    """Of the payload that was sent: a newer one may have been stored meanwhile."""
    answer: Mapping[str, Any] | None = None
    again_at: float | None = None
    error: str | None = None
    tried: bool = False
    """A request was made and failed."""
    counted: bool = False
    """The failure counts towards max_attempts."""
    uncertain: bool = False
    """The request may have reached the service: look before repeating it."""
    target: str = ""
    operation: str = ""

    @property
    def state(self) -> str:
        return "sent" if self.answer is not None else "pending" if self.again_at is not None else "dead"


def store(connection: Connection, run_id: str, commands: Sequence[Command], now: float) -> dict[str, str]:
    """Store commands; says for each key what that means: new, changed, waiting, dead, existing or adopted.

    A command that was delivered with the same payload is existing: nothing is sent again. A story and a page are
    never changed once they exist, for people work on them: a story moves where a person decided so and there is
    something to move; labels are exchanged for those of before; the comment is edited in place. Where a story is
    known to stand in Shortcut, one that a person linked is adopted, and one that the bot made before this database
    began is existing.
    """
    stored = {
        row.key: row
        for row in connection.execute(sa.select(_table).where(_table.c.key.in_([c.key for c in commands])))
    }
    verdicts: dict[str, str] = {}
    inserts: list[dict[str, Any]] = []
    adopted: list[dict[str, Any]] = []
    standing = _standing(connection, [c for c in commands if c.key not in stored])
    idle = _idle(connection, [c for c in commands if c.key not in stored])
    for command in commands:
        row = stored.get(command.key)
        if row is not None:
            verdicts[command.key] = _renew(connection, row, command, run_id, now)
        elif command.key in idle:
            verdicts[command.key] = "existing"
        elif command.key not in verdicts:
            story = standing.get(command.issue or "")
            new = _new(command, run_id, now)
            if story is not None and command.operation == "create_story":
                # The bot's own is as if an earlier run had asked for it; a person's is this run's find.
                run = {"run_id": ADOPTED} if story.ours else {}
                adopted.append(
                    new | run | {"state": "sent", "answer": story.answer(existing=True), "sent_at": now}
                )
                verdicts[command.key] = "existing" if story.ours else "adopted"
            else:
                if story is not None and story.ours and command.operation == "write_comment":
                    # The database was lost: the comment of that time may stand, too.
                    new["maybe_sent_at"] = story.created_at
                inserts.append(new)
                verdicts[command.key] = "new"
    for rows in (inserts, adopted):
        if rows:
            connection.execute(sa.insert(_table), rows)
    alone = [key for c in commands if not c.issue for key in c.after]
    release_waiting(connection, [c.issue for c in commands if c.after and c.issue], now, alone)
    return verdicts


def _idle(connection: Connection, commands: Sequence[Command]) -> set[str]:
    """Keys of new commands that would do nothing.

    No labels, where the issue was given none before; and the move of a story that is not made yet, or was made
    with just what the move is about.
    """
    idle = {c.key for c in commands if c.operation == "add_labels" and not c.payload["labels"]}
    moves = {c.issue: c for c in commands if c.operation == "move_story"}
    if not moves:
        return idle
    columns = [_table.c[name] for name in ("issue", "state", "payload", "maybe_sent_at")]
    stands = sa.or_(_table.c.state == "sent", _table.c.maybe_sent_at.is_not(None))
    made = sa.select(*columns).where(_table.c.key.in_([f"story:{issue}" for issue in moves]), stands)
    for row in connection.execute(made).all():
        wanted = moves[row.issue].payload
        if wanted["label"] not in row.payload["labels"] or wanted["story_type"] not in (
            None,
            row.payload["story_type"],
        ):
            moves.pop(row.issue)
    return idle | {command.key for command in moves.values()}


def _standing(connection: Connection, commands: Sequence[Command]) -> dict[str, Standing]:
    """The stories that stand already, by the issues of commands that would make one."""
    issues = [c.issue for c in commands if c.operation == "create_story" and c.issue]
    found = stories.standing(connection, issues) if issues else {}
    stories.name_issues(connection, found)
    return found


def release_waiting(
    connection: Connection, issues: Sequence[str], now: float, finished: Sequence[str] = ()
) -> set[str]:
    """Make due what waits for commands that are finished, one way or another; returns the lanes to wake.

    What waits is about the same issue; or, for `finished` commands that are about none, about anything in their lane.
    """
    if not issues and not finished:
        return set()
    related: sa.ColumnElement[bool] = _table.c.issue.in_(issues)
    if finished:
        lanes = sa.select(_table.c.lane).where(_table.c.key.in_(finished))
        related = sa.or_(related, _table.c.lane.in_(lanes))
    waiting = connection.execute(
        sa.select(_table.c.key, _table.c.lane, _table.c.after).where(
            related, _table.c.state == "pending", _table.c.next_attempt_at == WAITING
        )
    ).all()
    wanted = {key for row in waiting for key in row.after}
    if not waiting:
        return set()
    unfinished = set(
        connection.execute(
            sa.select(_table.c.key).where(_table.c.key.in_(wanted), _table.c.state == "pending")
        ).scalars()
    )
    ready = [row for row in waiting if unfinished.isdisjoint(row.after)]
    connection.execute(
        sa.update(_table).where(_table.c.key.in_([row.key for row in ready])).values(next_attempt_at=now)
    )
    return {row.lane for row in ready}


def known(connection: Connection, keys: Sequence[str]) -> set[str]:
    """Those of these keys that are stored, whatever became of their commands."""
    return set(connection.execute(sa.select(_table.c.key).where(_table.c.key.in_(keys))).scalars())


def store_once(connection: Connection, run_id: str, commands: Sequence[Command], now: float) -> None:
    """Store commands whose keys are not there yet, and leave the others as they are."""
    there = known(connection, [command.key for command in commands])
    store(connection, run_id, [command for command in commands if command.key not in there], now)


def is_known(connection: Connection, key: str) -> bool:
    """Was a command with this key ever stored?"""
    return bool(known(connection, [key]))


def preview(connection: Connection, commands: Sequence[Command]) -> dict[str, str]:
    """What `store` would say, without storing; for a dry run."""
    stored = {
        row.key: row
        for row in connection.execute(
            sa.select(
                *(_table.c[name] for name in ("key", "state", "operation", "payload_hash")),
                *(_table.c.payload[name].as_string().label(name) for name in _KEPT),
            ).where(_table.c.key.in_([c.key for c in commands]))
        )
    }
    issues = [c.issue for c in commands if c.operation == "create_story" and c.issue and c.key not in stored]
    standing = stories.standing(connection, issues) if issues else {}
    idle = _idle(connection, [c for c in commands if c.key not in stored])
    verdicts = {}
    for command in commands:
        row = stored.get(command.key)
        if command.key in idle:
            verdicts[command.key] = "existing"
        elif row is None:
            is_made = command.operation == "create_story" and command.issue in standing
            verdicts[command.key] = "existing" if is_made else "new"
        elif (
            payload_hash(_with_lines(command, {name: getattr(row, name) for name in _KEPT}))
            == row.payload_hash
            or row.operation in ONCE
        ):
            verdicts[command.key] = "existing" if row.state in ("sent", "dropped") else "waiting"
        else:
            verdicts[command.key] = "changed"
    return verdicts


def _new(command: Command, run_id: str, now: float) -> dict[str, Any]:
    return {
        "key": command.key,
        "target": command.target,
        "lane": command.lane,
        "operation": command.operation,
        "issue": command.issue,
        "run_id": run_id,
        "state": "pending",
        "payload": dict(command.payload),
        "payload_hash": payload_hash(command.payload),
        "after": list(command.after),
        "attempts": 0,
        "failures": 0,
        "created_at": now,
        "next_attempt_at": WAITING if command.after else max(now, command.not_before or now),
        "maybe_sent_at": None,
    }


_KEPT = ("status", "reply")


def _with_lines(command: Command, before: Mapping[str, Any]) -> dict[str, Any]:
    """The payload; a comment keeps the line on its story and the answer that stand, where no others are given."""
    payload = dict(command.payload)
    if command.operation == "write_comment":
        for name in _KEPT:
            if before.get(name):
                payload.setdefault(name, before[name])
    return payload


def _renew(connection: Connection, row: Any, command: Command, run_id: str, now: float) -> str:
    payload = _with_lines(command, row.payload)
    digest = payload_hash(payload)
    # Where its issue was not there when it was sent, it was seen again since.
    gone = row.state == "sent" and row.target == "github" and (row.answer or {}).get("gone")
    same = digest == row.payload_hash and not gone
    if row.state == "dropped" or (row.state == "sent" and (same or command.operation in ONCE)):
        return "existing"
    if row.state == "sent" and (row.answer or {}).get("removed"):
        return "existing"
    # A message stays its run's, which counts it; what comes later only edits it.
    values: dict[str, Any] = {} if row.operation == "post_message" else {"run_id": run_id}
    if not same:
        values |= {"payload": payload, "payload_hash": digest, "after": list(command.after)}
        if row.state != "pending":
            due = WAITING if command.after else now
            values |= {"state": "pending", "attempts": 0, "failures": 0, "next_attempt_at": due}
    if values:
        connection.execute(sa.update(_table).where(_table.c.key == command.key).values(**values))
    return "dead" if row.state == "dead" and same else "waiting" if same else "changed"


def due(connection: Connection, lane: str, now: float, limit: int) -> list[Pending]:
    """Commands of a lane whose time has come, oldest first, with their predecessors' answers."""
    rows = connection.execute(
        sa.select(_table)
        .where(_table.c.state == "pending", _table.c.lane == lane, _table.c.next_attempt_at <= now)
        .order_by(_table.c.next_attempt_at, _table.c.created_at)
        .limit(limit)
    ).all()
    wanted = {key for row in rows for key in row.after}
    answers: dict[str, Mapping[str, Any]] = {}
    if wanted:
        found = connection.execute(
            sa.select(_table.c.key, _table.c.answer).where(_table.c.key.in_(wanted), _table.c.state == "sent")
        )
        answers = {row.key: row.answer or {} for row in found}
    return [_pending(row, answers) for row in rows]


def _pending(row: Any, answers: Mapping[str, Mapping[str, Any]]) -> Pending:
    return Pending(
        command=Command(
            key=row.key,
            target=row.target,
            operation=row.operation,
            payload=row.payload,
            issue=row.issue,
            after=tuple(row.after),
            lane=row.lane,
        ),
        created_at=datetime.fromtimestamp(row.created_at, UTC),
        payload_hash=row.payload_hash,
        attempts=row.attempts,
        failures=row.failures,
        maybe_sent_at=datetime.fromtimestamp(row.maybe_sent_at, UTC) if row.maybe_sent_at else None,
        last_answer=row.answer,
        answers={key: answers[key] for key in row.after if key in answers},
    )


def mark(connection: Connection, keys: Sequence[str], now: float) -> set[str]:
    """Note that a request with these commands is about to leave; only a look-up can tell what became of it.

    Returns those that may leave: a person may have given up some of them meanwhile.
    """
    marked = (
        sa.update(_table)
        .where(_table.c.key.in_(keys), _table.c.state == "pending")
        .values(maybe_sent_at=now)
        .returning(_table.c.key)
    )
    return set(connection.execute(marked).scalars())


_SAVE = (
    sa.update(_table)
    .where(_table.c.key == sa.bindparam("k"))
    .values(
        # A payload that changed while the old one was on its way is sent too, unless it is written only once.
        state=sa.case(
            (
                sa.or_(
                    _table.c.payload_hash == sa.bindparam("h"),
                    # An `in` with several values cannot be sent for many rows at once.
                    *(_table.c.operation == name for name in ONCE),
                ),
                sa.bindparam("s"),
            ),
            else_="pending",
        ),
        answer=sa.bindparam("a", type_=sa.JSON),
        last_error=sa.bindparam("e"),
        attempts=_table.c.attempts + sa.bindparam("n"),
        failures=_table.c.failures + sa.bindparam("f"),
        next_attempt_at=sa.bindparam("t"),
        maybe_sent_at=sa.case(
            # The grace before a look-up counts from the failure: a late request lands after its time-out.
            (sa.and_(sa.bindparam("u"), sa.bindparam("n") > 0), sa.bindparam("w")),
            (sa.bindparam("u"), _table.c.maybe_sent_at),
            else_=sa.null(),
        ),
        sent_at=sa.bindparam("d"),
    )
)


def save(connection: Connection, outcomes: Sequence[Outcome], now: float) -> set[str]:
    """Store what became of commands and release those that waited for them; returns the lanes to wake.

    What was written to a service is noted in the audit log, too.
    """
    sent = [outcome for outcome in outcomes if outcome.state == "sent"]
    others = [outcome for outcome in outcomes if outcome.state != "sent"]
    if sent:
        connection.execute(_SAVE, [_row(outcome, now) for outcome in sent])
        audit.note_writes(connection, sent, now)
    if others:
        # The answer of an earlier delivery stays: it says which comment to edit. So does what became of the command
        # by other means while its request was under way: the story was found, or a person gave it up.
        keep = _SAVE.values(answer=_table.c.answer).where(_table.c.state == "pending")
        rows = [{k: v for k, v in _row(outcome, now).items() if k != "a"} for outcome in others]
        connection.execute(keep, rows)
    finished = [outcome for outcome in outcomes if outcome.state != "pending"]
    alone = [outcome.key for outcome in finished if outcome.issue is None]
    return release_waiting(connection, [o.issue for o in finished if o.issue], now, alone)


def _row(outcome: Outcome, now: float) -> dict[str, Any]:
    return {
        "k": outcome.key,
        "h": outcome.payload_hash,
        "w": now,
        "s": outcome.state,
        "a": dict(outcome.answer) if outcome.answer is not None else None,
        "e": redact(outcome.error) if outcome.error else None,
        "n": int(outcome.tried),
        "f": int(outcome.counted),
        "t": outcome.again_at if outcome.again_at is not None else now,
        "u": outcome.uncertain,
        "d": now if outcome.state == "sent" else None,
    }

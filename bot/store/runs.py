"""Runs and their batches: where each stands, who works on it, and what it came to."""

import os
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.store import queue
from models.errors import UserFacing
from models.report import GITHUB_KEYS, NOTIFICATION_KEYS, STORY_KEYS
from models.tables import BatchRow, CaseRow, CommandRow, RepositoryRow, RunRow

_runs: sa.Table = RunRow.__table__  # type: ignore[attr-defined]
_batches: sa.Table = BatchRow.__table__  # type: ignore[attr-defined]
_cases: sa.Table = CaseRow.__table__  # type: ignore[attr-defined]
_commands: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]
_repositories: sa.Table = RepositoryRow.__table__  # type: ignore[attr-defined]


OPEN = "open"
"""The status of a day's run of webhooks: batches come to it, and nobody drives it."""
AT_WORK = ("running", OPEN)
STRANGERS = "webhook:repositories"
"""The lane of receivers that repositories name."""


def new_id(trigger: str) -> str:
    """A name for a run that was asked for now; no other has it."""
    return f"{trigger}-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.urandom(3).hex()}"


def create(
    connection: Connection,
    run_id: str,
    trigger: str,
    params: Mapping[str, Any],
    owner: str | None,
    *,
    status: str = "running",
) -> bool:
    """Start a run; False where it exists already (two schedulers may try to start the same one)."""
    if connection.execute(sa.select(_runs.c.id).where(_runs.c.id == run_id)).first() is not None:
        return False
    connection.execute(
        sa.insert(_runs).values(
            id=run_id,
            trigger=trigger,
            params=dict(params),
            status=status,
            owner=owner,
            progress={},
            started_at=time.time(),
            requests={},
            problems=[],
        )
    )
    return True


def count_fetched(connection: Connection, run_id: str, more: int) -> None:
    """Count what came to a run from elsewhere than its own fetching."""
    row = get(connection, run_id)
    if row is not None:
        progress = {**row.progress, "fetched": row.progress.get("fetched", 0) + more}
        update(connection, run_id, progress=progress)


def close_days(connection: Connection, trigger: str, today: str) -> int:
    """Let the open runs of earlier days be driven to their end, now that nothing comes to them any more."""
    over = sa.and_(_runs.c.status == OPEN, _runs.c.trigger == trigger, _runs.c.id != today)
    return int(connection.execute(sa.update(_runs).where(over).values(status="running")).rowcount)


def get(connection: Connection, run_id: str) -> Any | None:
    return connection.execute(sa.select(_runs).where(_runs.c.id == run_id)).one_or_none()


def running(connection: Connection) -> str | None:
    """The run that is at work, the oldest of them; None where there is none."""
    query = sa.select(_runs.c.id).where(_runs.c.status == "running").order_by(_runs.c.started_at).limit(1)
    found: str | None = connection.execute(query).scalar()
    return found


def any_before(connection: Connection, at: float) -> bool:
    """Did any run start before then (epoch seconds)?"""
    query = sa.select(_runs.c.id).where(_runs.c.started_at < at).limit(1)
    return connection.execute(query).first() is not None


def latest(connection: Connection, limit: int) -> Sequence[Any]:
    return connection.execute(sa.select(_runs).order_by(_runs.c.started_at.desc()).limit(limit)).all()


class Begun(NamedTuple):
    """A run and when it began (epoch seconds)."""

    id: str
    started_at: float


def alike(connection: Connection, run_id: str, trigger: str, limit: int) -> list[Begun]:
    """This run and the others of its trigger that are done, the latest first."""
    is_done = sa.and_(_runs.c.trigger == trigger, _runs.c.status == "done")
    query = sa.select(_runs.c.id, _runs.c.started_at).where(sa.or_(is_done, _runs.c.id == run_id))
    rows = connection.execute(query.order_by(_runs.c.started_at.desc()).limit(limit))
    return [Begun(*row) for row in rows]


def count_by_status(connection: Connection) -> dict[str, int]:
    """How many runs have each status."""
    query = sa.select(_runs.c.status, sa.func.count()).group_by(_runs.c.status)
    return {status: int(count) for status, count in connection.execute(query)}


def update(connection: Connection, run_id: str, **values: Any) -> None:
    connection.execute(sa.update(_runs).where(_runs.c.id == run_id).values(**values))


def close(connection: Connection, run_id: str, **values: Any) -> bool:
    """End a run, unless it is not running any more."""
    ended = connection.execute(
        sa.update(_runs).where(_runs.c.id == run_id, _runs.c.status == "running").values(**values)
    )
    return ended.rowcount == 1


def adopt(connection: Connection, me: str, alive: Iterable[str]) -> Any | None:
    """Take over the oldest run whose process is gone; None where there is none."""
    living = list(alive)
    orphan = connection.execute(
        sa.select(_runs.c.id)
        .where(_runs.c.status == "running", sa.or_(_runs.c.owner.is_(None), _runs.c.owner.not_in(living)))
        .order_by(_runs.c.started_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if orphan is None:
        return None
    connection.execute(sa.update(_runs).where(_runs.c.id == orphan.id).values(owner=me))
    return get(connection, orphan.id)


CHANGES = ("pause", "resume", "cancel")


def change(connection: Connection, run_id: str, wanted: str, *, drop: bool = False) -> tuple[str, int]:
    """Pause, resume or cancel a run; takes effect at the next batch.

    `drop` forgets what a cancelled run decided and nobody has begun to send. Returns the new status and how
    many commands were forgotten; UserFacing where there is nothing to change.
    """
    row = get(connection, run_id)
    if row is None:
        raise UserFacing(f"no run {run_id!r}; `switchyard runs list` shows them")
    before = {"pause": ("running",), "resume": ("paused",), "cancel": ("running", "paused")}[wanted]
    if row.status not in before:
        raise UserFacing(f"run {run_id} is {row.status}; there is nothing to {wanted}")
    status = {"pause": "paused", "resume": "running", "cancel": "cancelled"}[wanted]
    update(connection, run_id, status=status)
    return status, queue.drop_run(connection, run_id) if drop and wanted == "cancel" else 0


def status(connection: Connection, run_id: str) -> str | None:
    return connection.execute(sa.select(_runs.c.status).where(_runs.c.id == run_id)).scalar()


def add_batches(connection: Connection, run_id: str, start: int, groups: Sequence[Sequence[str]]) -> None:
    if groups:
        rows = [
            {"run_id": run_id, "number": start + index, "state": "pending", "refs": list(keys)}
            for index, keys in enumerate(groups)
        ]
        connection.execute(sa.insert(_batches), rows)


def next_batch(connection: Connection, run_id: str) -> int:
    """The number of a run's next batch."""
    query = sa.select(sa.func.max(_batches.c.number)).where(_batches.c.run_id == run_id)
    last = connection.execute(query).scalar()
    return 0 if last is None else int(last) + 1


@dataclass(frozen=True, slots=True)
class Batch:
    run_id: str
    number: int
    keys: tuple[str, ...]
    full: bool


def claim(
    connection: Connection, me: str, alive: Iterable[str], in_hand: Collection[tuple[str, int]] = ()
) -> Batch | None:
    """Take one batch of any running run: a pending one, or one whose owner does not work on it any more.

    That is a dead process, or this one where it is not among those it has `in_hand`: a run that ended
    took its workers along.
    """
    forgotten = sa.and_(
        _batches.c.owner == me,
        *(
            sa.not_(sa.and_(_batches.c.run_id == run_id, _batches.c.number == number))
            for run_id, number in in_hand
        ),
    )
    row = connection.execute(
        sa.select(_batches.c.run_id, _batches.c.number, _batches.c.refs, _runs.c.params)
        .join(_runs, _runs.c.id == _batches.c.run_id)
        .where(
            _runs.c.status.in_(AT_WORK),
            sa.or_(
                _batches.c.state == "pending",
                sa.and_(
                    _batches.c.state == "claimed",
                    sa.or_(_batches.c.owner.not_in(list(alive)), forgotten),
                ),
            ),
        )
        .order_by(_runs.c.started_at, _batches.c.number)
        .limit(1)
        .with_for_update(skip_locked=True, of=_batches)
    ).one_or_none()
    if row is None:
        return None
    _set_batch(connection, row.run_id, row.number, state="claimed", owner=me)
    return Batch(row.run_id, row.number, tuple(row.refs), bool(row.params.get("full")))


def has_open(connection: Connection) -> bool:
    """Is there any batch of a running run that is not done? Cheaper than trying to claim one."""
    query = (
        sa.select(_batches.c.number)
        .join(_runs, _runs.c.id == _batches.c.run_id)
        .where(_batches.c.state != "done", _runs.c.status.in_(AT_WORK))
        .limit(1)
    )
    return connection.execute(query).first() is not None


def give_back(connection: Connection, batch: "Batch") -> None:
    """Let somebody try a claimed batch again."""
    _set_batch(connection, batch.run_id, batch.number, state="pending", owner=None)


def is_done(connection: Connection, batch: "Batch") -> bool:
    """Did another process finish this batch meanwhile? The row stays locked until the transaction ends."""
    state = connection.execute(
        sa.select(_batches.c.state)
        .where(_batches.c.run_id == batch.run_id, _batches.c.number == batch.number)
        .with_for_update()
    ).scalar()
    return state == "done"


def finish_batch(connection: Connection, batch: Batch, counts: Mapping[str, Any]) -> None:
    """Note what a batch came to."""
    _set_batch(connection, batch.run_id, batch.number, state="done", counts=dict(counts))


def _set_batch(connection: Connection, run_id: str, number: int, **values: Any) -> None:
    connection.execute(
        sa.update(_batches).where(_batches.c.run_id == run_id, _batches.c.number == number).values(**values)
    )


def open_batches(connection: Connection, run_id: str) -> int:
    """How many batches are not done."""
    query = sa.select(sa.func.count()).where(_batches.c.run_id == run_id, _batches.c.state != "done")
    return int(connection.execute(query).scalar() or 0)


def steps(connection: Connection, run_id: str) -> list[dict[str, Any]]:
    """The run's batches, in order, as `runs show` lists them."""
    rows = connection.execute(
        sa.select(_batches).where(_batches.c.run_id == run_id).order_by(_batches.c.number)
    )
    return [{"name": f"batch {row.number}", "state": row.state, "issues": len(row.refs)} for row in rows]


def totals(connection: Connection, run_id: str) -> dict[str, Any]:
    """The sum of the batches' counts."""
    done = sa.select(_batches.c.counts).where(_batches.c.run_id == run_id, _batches.c.state == "done")
    return sum_counts(connection.execute(done).scalars())


def sum_counts(batches: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What several batches came to, together; `routes` is a mapping of its own."""
    sums: Counter[str] = Counter()
    routes: Counter[str] = Counter()
    for counts in batches:
        routes.update(counts.get("routes", {}))
        sums.update({key: value for key, value in counts.items() if isinstance(value, int)})
    return {**sums, "routes": dict(routes)}


def delivered(connection: Connection, run_id: str) -> dict[str, dict[str, int]]:
    """stories, github and notifications as the report counts them, read from the outbox as it is now."""
    stories = dict.fromkeys(STORY_KEYS, 0)
    notifications = dict.fromkeys(NOTIFICATION_KEYS, 0)
    existing = sa.func.coalesce(_commands.c.answer["existing"].as_boolean(), sa.false())
    rows = connection.execute(
        sa.select(_commands.c.target, _commands.c.operation, _commands.c.state, existing, sa.func.count())
        .where(_commands.c.run_id == run_id, _commands.c.target != "github", _commands.c.state != "dropped")
        # What a repository's own receiver does not take is no failure of the run.
        .where(sa.or_(_commands.c.lane != STRANGERS, _commands.c.state == "sent"))
        # Answers to people, their home tabs and the chart are no messages.
        .where(sa.or_(_commands.c.target != "slack", _commands.c.operation == "post_message"))
        .group_by(_commands.c.target, _commands.c.operation, _commands.c.state, existing)
    )
    names = {"pending": "queued", "dead": "dead"}
    for target, operation, state, stood, count in rows:
        if target == "shortcut":
            # A story that was put away is none that was made.
            if state != "sent" or operation == "create_story":
                stories[names.get(state, "existing" if stood else "created")] += count
        else:
            notifications[names.get(state, target)] += count
    github = dict.fromkeys(GITHUB_KEYS, 0)
    # An issue is updated when all that was asked for it is delivered; one that is gone is nothing of all this.
    gone = sa.func.coalesce(_commands.c.answer["gone"].as_boolean(), sa.false())
    worst = sa.func.max(
        sa.case((_commands.c.state == "pending", 2), (_commands.c.state == "dead", 1), (gone, -1), else_=0)
    )
    grouped = (
        sa.select(worst.label("worst"))
        .where(_commands.c.run_id == run_id, _commands.c.target == "github", _commands.c.state != "dropped")
        .group_by(_commands.c.issue)
        .subquery()
    )
    for level, count in connection.execute(
        sa.select(grouped.c.worst, sa.func.count()).where(grouped.c.worst >= 0).group_by(grouped.c.worst)
    ):
        github[("updated", "dead", "queued")[level]] = count
    return {"stories": stories, "github": github, "notifications": notifications}


def deliveries(connection: Connection, run_id: str) -> tuple[int, int]:
    """How many of a run's commands were delivered, and how many wait."""
    query = sa.select(_commands.c.state, sa.func.count().label("n")).where(_commands.c.run_id == run_id)
    counts = {row.state: int(row.n) for row in connection.execute(query.group_by(_commands.c.state))}
    return counts.get("sent", 0), counts.get("pending", 0)


def has_commands(connection: Connection, run_id: str) -> bool:
    """Did this run ask for anything outside, for an issue that it handled?

    That an older issue is told of its story is no news to anybody.
    """
    query = (
        sa.select(_commands.c.key)
        .join(_cases, _cases.c.key == _commands.c.issue)
        .where(_commands.c.run_id == run_id, _cases.c.run_id == run_id)
        .limit(1)
    )
    return connection.execute(query).first() is not None


def repository(connection: Connection, name: str) -> Any | None:
    return connection.execute(sa.select(_repositories).where(_repositories.c.name == name)).one_or_none()


def save_repository(connection: Connection, name: str, **values: Any) -> None:
    updated = connection.execute(
        sa.update(_repositories).where(_repositories.c.name == name).values(**values)
    )
    if updated.rowcount == 0:
        connection.execute(sa.insert(_repositories).values(name=name, **values))

"""Answers that were dear or slow, kept by what they depend on, and what they cost."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.tables import AnswerRow

_answers: sa.Table = AnswerRow.__table__  # type: ignore[attr-defined]


def keep(connection: Connection, **values: Any) -> int:
    """Note an answer, and tell its number; the names are those of models.tables.AnswerRow."""
    if values.get("data") is None:
        values["data"] = sa.null()  # JSON's own null would be an answer
    made = connection.execute(sa.insert(_answers).values(**values).returning(_answers.c.id))
    return int(made.scalar_one())


def settle(connection: Connection, number: int, data: Any, tokens: int, cost: float) -> None:
    """What came of a question that was noted before it was asked; nothing is left of one that cost nothing."""
    if data is None and not tokens:
        connection.execute(sa.delete(_answers).where(_answers.c.id == number))
        return
    values = {"data": sa.null() if data is None else data, "tokens": tokens, "cost": cost}
    connection.execute(sa.update(_answers).where(_answers.c.id == number).values(**values))


def find(connection: Connection, key: str, *, since: float = 0.0) -> dict[str, Any] | None:
    """The latest useful answer that was kept under this key at or after `since`."""
    query = (
        sa.select(_answers.c.data)
        .where(_answers.c.key == key, _answers.c.at >= since, _answers.c.data.is_not(None))
        .order_by(_answers.c.id.desc())
        .limit(1)
    )
    found: dict[str, Any] | None = connection.execute(query).scalar()
    return found


def spent(
    connection: Connection, kind: str, *, since: float = 0.0, run: str | None = None
) -> tuple[int, float]:
    """(tokens, cost) of answers of this kind since then, or those of one run."""
    query = sa.select(
        sa.func.coalesce(sa.func.sum(_answers.c.tokens), 0),
        sa.func.coalesce(sa.func.sum(_answers.c.cost), 0.0),
    ).where(_answers.c.kind == kind, _answers.c.at >= since)
    if run is not None:
        query = query.where(_answers.c.run_id == run)
    tokens, cost = connection.execute(query).one()
    return int(tokens), float(cost)


def asked(connection: Connection, kind: str, subject: str, *, since: float) -> int:
    """How many questions of this kind were asked for this issue since then."""
    query = (
        sa.select(sa.func.count())
        .select_from(_answers)
        .where(_answers.c.kind == kind, _answers.c.at >= since, _answers.c.subject == subject)
    )
    return int(connection.execute(query).scalar_one())


def prune(connection: Connection, before: float) -> None:
    """Forget what is older."""
    connection.execute(sa.delete(_answers).where(_answers.c.at < before))

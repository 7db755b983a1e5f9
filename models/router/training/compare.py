"""Champion, challenger and the shipped model on the same later rows, which the challenger has not seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.router.inference.predict import Model
from models.router.training import evaluate
from models.router.training.clean import key_of
from models.router.training.data import Row, parse_time

LEAST_HELD_OUT = 20


@dataclass(frozen=True, slots=True)
class Later:
    """Which rows the challenger is fitted on, and which it is measured on."""

    rest: NDArray[np.int64]
    held: NDArray[np.int64]
    how: str


def later(rows: Sequence[Row]) -> Later | None:
    """The latest fifth of each repository against the rest; None where that is too little to say anything.

    Where fewer than 80 % of the rows have a date, every fifth row.
    """
    times = [parse_time(row.created_at) for row in rows]
    dated = sum(t is not None for t in times) >= 0.8 * len(rows)
    late = np.zeros(len(rows), dtype=bool)
    repos = [row.text.repo.lower() for row in rows]
    for repo in sorted(set(repos)):
        own = [i for i, name in enumerate(repos) if name == repo and (times[i] is not None or not dated)]
        if dated:
            own.sort(key=lambda i: times[i] or datetime.min.replace(tzinfo=UTC))
        late[own[len(own) - len(own) // 5 :] if dated else own[::5]] = True
    said_later = {key_of(rows[i].text) for i in np.flatnonzero(late).tolist()}
    rest = [i for i in np.flatnonzero(~late).tolist() if key_of(rows[i].text) not in said_later]
    if late.sum() < LEAST_HELD_OUT or len({rows[i].label for i in rest}) < 2:
        return None
    how = "latest fifth of each repository" if dated else "every fifth row (rows without dates)"
    return Later(np.array(rest), np.flatnonzero(late), how)


def measured(
    rows: Sequence[Row], said: Sequence[str], base_said: Sequence[str], base: Model, champion: Model | None
) -> dict[str, Any]:
    """What the card says under `held_out`, of held-out rows and what challenger and base answered.

    The base's answers are those of its parts, so it has not seen a row's repository either. Another
    champion is measured only on rows that it cannot have seen, and the challenger with it; without
    enough of those its place is None. `champion` None means the base.
    """
    truth = [row.label for row in rows]
    result: dict[str, Any] = {
        "rows": len(rows),
        "challenger": brief(truth, said),
        "champion": None,
        "champion_version": (champion or base).version,
        "base": None,
        "beats_base": None,
        "by_repository": {},
    }
    if base_said:
        result["base"] = brief(truth, base_said)
        result["beats_base"] = better(result["challenger"], result["base"])
        result["by_repository"] = _by_repository(rows, said, base_said)
    if champion is None:
        result["champion"] = result["base"]
        return result
    fresh = [n for n, row in enumerate(rows) if not may_have_seen(champion, row)]
    if len(fresh) >= LEAST_HELD_OUT:
        answers = [p.route for p in champion.predict([rows[n].text for n in fresh])]
        result["rows"] = len(fresh)
        result["champion"] = brief([truth[n] for n in fresh], answers)
        result["challenger"] = brief([truth[n] for n in fresh], [said[n] for n in fresh])
    return result


def _by_repository(
    rows: Sequence[Row], said: Sequence[str], base_said: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Challenger and base on each repository with enough rows to tell them apart."""
    found = {}
    for repo in sorted({row.text.repo.lower() for row in rows}):
        own = [n for n, row in enumerate(rows) if row.text.repo.lower() == repo]
        if len(own) >= LEAST_HELD_OUT:
            truth = [rows[n].label for n in own]
            found[repo] = {
                "rows": len(own),
                "challenger": brief(truth, [said[n] for n in own]),
                "base": brief(truth, [base_said[n] for n in own]),
            }
    return found


def better(ours: dict[str, float], theirs: dict[str, float]) -> bool:
    """Whether a macro-F1 is above another; two without a fault are both good enough."""
    return ours["macro_f1"] > theirs["macro_f1"] or ours["macro_f1"] == 1.0


def notes_on(held_out: dict[str, Any] | None) -> list[str]:
    """What whoever trained a model has to know of its comparison with the shipped one."""
    if held_out is None:
        return [f"fewer than {LEAST_HELD_OUT} later rows: not compared with the model that is active"]
    if held_out["beats_base"] is None:
        return []
    found = []
    if not held_out["beats_base"]:
        found.append(
            f"on later issues it does not beat the shipped model: macro-F1 "
            f"{held_out['challenger']['macro_f1']:.3f} against {held_out['base']['macro_f1']:.3f}"
        )
    found += [
        f"on {line['rows']} later issues of {repo} the shipped model is better: macro-F1 "
        f"{line['base']['macro_f1']:.3f} against {line['challenger']['macro_f1']:.3f}"
        for repo, line in held_out["by_repository"].items()
        if line["base"]["macro_f1"] > line["challenger"]["macro_f1"]
    ]
    return found


def brief(truth: Sequence[str], said: Sequence[str]) -> dict[str, float]:
    """Accuracy and macro-F1 alone."""
    figures = evaluate.measure(list(truth), list(said), [False] * len(truth), [""] * len(truth))
    return {"accuracy": figures["accuracy"], "macro_f1": figures["macro_f1"]}


def may_have_seen(model: Model, row: Row) -> bool:
    """Whether a row may have been among the training data of a model, by its repository and time."""
    known, dates = model.card.get("by_repository"), model.card.get("dates")
    if isinstance(known, dict) and row.text.repo.lower() not in {name.lower() for name in known}:
        return False
    newest = parse_time(dates[1]) if isinstance(dates, list) and len(dates) == 2 else None
    time = parse_time(row.created_at)
    return time is None or newest is None or time <= newest

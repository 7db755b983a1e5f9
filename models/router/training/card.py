"""Writes the card of a model: what it was trained on, how good it is, which version it is."""

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from models.router.inference import features, files
from models.router.inference.features import SIZE
from models.router.training import evaluate
from models.router.training.data import Row, parse_time, rows_per_route
from models.router.training.fit import Problem


def describe(
    problem: Problem,
    probabilities: NDArray[np.float64],
    rows: Sequence[Row],
    sources: Mapping[str, int],
    limits: Mapping[str, float | None],
) -> files.Card:
    """The card: what the model was trained on, how good it is on rows it has not seen, its thresholds."""
    said = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    limit = np.array([np.inf if limits[label] is None else limits[label] for label in problem.labels])
    figures = evaluate.measure(
        [problem.labels[i] for i in problem.truth],
        [problem.labels[i] for i in said],
        (confidence >= limit[said]).tolist(),
        [row.text.repo for row in rows],
    )
    dates = sorted(time for row in rows if (time := parse_time(row.created_at)))
    return {
        "labels": list(problem.labels),
        "repositories": list(problem.copies),
        "rows": rows_per_route(rows),
        "sources": dict(sources),
        "dates": [dates[0].isoformat(), dates[-1].isoformat()] if dates else None,
        "features": {
            "views": {view.name: view.weight for view in features.VIEWS},
            "signs": len(features.SIGNS),
            "columns": SIZE,
            "copies": len(problem.copies),
            "characters": features.MAX_BODY,
        },
        "libraries": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": version("scipy"),
            "scikit-learn": version("scikit-learn"),
        },
        "macro_f1": figures["macro_f1"],
        "mean_repository_macro_f1": evaluate.mean_macro_f1(figures),
        "accuracy": figures["accuracy"],
        "coverage": figures["coverage"],
        "accepted_accuracy": figures["accepted_accuracy"],
        "routes": figures["routes"],
        "confusion": figures["confusion"],
        "by_repository": {
            name: {
                key: repo[key] for key in ("rows", "accuracy", "macro_f1", "coverage", "accepted_accuracy")
            }
            for name, repo in figures["repositories"].items()
        },
        "thresholds": dict(limits),
    }


def stamp(card: files.Card, arrays: files.Arrays, now: datetime | None = None) -> files.Card:
    """The card with a version and a time; the version ends in a hash of what the model is."""
    now = now or datetime.now(UTC)
    digest = hashlib.sha256(json.dumps(card, sort_keys=True).encode())
    for name in sorted(arrays):
        digest.update(arrays[name].tobytes())
    version = f"{now:%Y%m%d-%H%M}-{digest.hexdigest()[:6]}"
    return {"version": version, "created_at": now.isoformat(timespec="seconds"), **card}

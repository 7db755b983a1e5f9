"""Adapts the shipped security screen to a team's own security reports, where they make it better."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.router.inference.features import SIZE
from models.router.training import evaluate
from models.router.training.fit import Matrix, machine_of, sp

LEAST_REPORTS = 20
LOOKED_AT = 0.10
"""Share of issues that the threshold sends to a person, as for the shipped screen."""
STRENGTH = 1.0
FOLDS = 5
SEED = 20261120


@dataclass(frozen=True, slots=True)
class Adapted:
    """A screen with what the card says of it; `kept` says whether it is better than the shipped one."""

    weights: NDArray[np.float64]
    intercept: float
    threshold: float
    kept: bool
    figures: dict[str, Any]


def adapt(
    matrix: Matrix, positive: NDArray[np.bool_], shipped: NDArray[np.float32], shipped_intercept: float
) -> Adapted | None:
    """The shipped screen plus what these rows teach; None with fewer than LEAST_REPORTS of either kind.

    `matrix` has a row per issue, `shipped` a weight per column. Better means: of the security reports,
    more are in the likeliest tenth by models that have not seen them.
    """
    if min(positive.sum(), (~positive).sum()) < LEAST_REPORTS:
        return None
    used = np.flatnonzero(np.bincount(matrix.indices, minlength=SIZE))
    known = np.asarray(matrix @ shipped + shipped_intercept, np.float64)
    # The shipped score is one strong column: what it says costs next to nothing to keep, so that the
    # words' own weights only learn what it gets wrong here.
    design = sp.hstack((matrix[:, used], sp.csr_matrix(known[:, None]))).tocsr().astype(np.float64)
    parts = _parts(positive)
    scores = np.zeros(len(positive))
    for part in range(FOLDS):
        held = parts == part
        coefficients, bias = _fit(design[~held], positive[~held])
        scores[held] = design[held] @ coefficients + bias
    ours = evaluate.recall_at(LOOKED_AT, scores, positive)
    theirs = evaluate.recall_at(LOOKED_AT, known, positive)
    coefficients, bias = _fit(design, positive)
    weights = coefficients[-1] * shipped.astype(np.float64)
    weights[used] += coefficients[:-1]
    kept = ours > theirs
    return Adapted(
        weights,
        bias + coefficients[-1] * shipped_intercept,
        round(float(1 / (1 + np.exp(-np.quantile(scores, 1 - LOOKED_AT)))), 4),
        kept,
        {
            "rows": len(positive),
            "positive": int(positive.sum()),
            "recall_top_10_percent": round(ours, 4),
            "shipped_recall_top_10_percent": round(theirs, 4),
            "kept": "adapted" if kept else "shipped",
        },
    )


def _parts(positive: NDArray[np.bool_]) -> NDArray[np.int64]:
    """A part for each row with reports spread evenly; the same each time."""
    random = np.random.default_rng(SEED)
    parts = np.zeros(len(positive), np.int64)
    for kind in (positive, ~positive):
        rows = random.permutation(np.flatnonzero(kind))
        parts[rows] = np.arange(len(rows)) % FOLDS
    return parts


def _fit(design: Matrix, positive: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    machine = machine_of(
        C=STRENGTH,
        class_weight="balanced",
        solver="liblinear",
        dual=True,
        tol=0.1,
        max_iter=1_000,
        random_state=0,
    )
    machine.fit(design, positive)
    return np.asarray(machine.coef_[0], np.float64), float(machine.intercept_[0])

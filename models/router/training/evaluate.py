"""Figures of a router: precision, recall, F1, coverage, confusion, and thresholds that keep a promise."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.case import LABELS


def measure(
    truth: Sequence[str], predicted: Sequence[str], accepted: Sequence[bool], repos: Sequence[str]
) -> dict[str, Any]:
    """What `router evaluate` reports, over all rows and for each repository."""
    result = _figures(truth, predicted, accepted)
    repositories = {}
    own: dict[str, list[int]] = {}
    for index, name in enumerate(repos):
        own.setdefault(name, []).append(index)
    for repo, rows in sorted(own.items()):
        repositories[repo] = _figures(
            [truth[i] for i in rows], [predicted[i] for i in rows], [accepted[i] for i in rows]
        )
    result["repositories"] = repositories
    return result


def _figures(truth: Sequence[str], predicted: Sequence[str], accepted: Sequence[bool]) -> dict[str, Any]:
    rows = len(truth)
    right = sum(t == p for t, p in zip(truth, predicted, strict=True))
    taken = [t == p for t, p, a in zip(truth, predicted, accepted, strict=True) if a]
    routes = {}
    for route in LABELS:
        real, said = truth.count(route), predicted.count(route)
        if not real and not said:
            continue
        hit = sum(t == p == route for t, p in zip(truth, predicted, strict=True))
        precision = hit / said if said else 0.0
        recall = hit / real if real else 0.0
        f1 = 2 * hit / (real + said)
        routes[route] = {
            "precision": _round(precision),
            "recall": _round(recall),
            "f1": _round(f1),
            "rows": real,
        }
    present = [figures["f1"] for figures in routes.values() if figures["rows"]]
    confusion = {
        t: {p: sum(a == t and b == p for a, b in zip(truth, predicted, strict=True)) for p in LABELS}
        for t in LABELS
        if t in truth
    }
    return {
        "rows": rows,
        "accuracy": _round(right / rows) if rows else 0.0,
        "macro_f1": _round(sum(present) / len(present)) if present else 0.0,
        "coverage": _round(len(taken) / rows) if rows else 0.0,
        "accepted_accuracy": _round(sum(taken) / len(taken)) if taken else None,
        "routes": routes,
        "confusion": confusion,
    }


def _round(value: float) -> float:
    return round(float(value), 4)


def thresholds(
    probabilities: NDArray[np.float64],
    truth: NDArray[np.int64],
    labels: Sequence[str],
    target: float = 0.95,
    at_least: int = 15,
    trust: NDArray[np.float64] | None = None,
) -> dict[str, float | None]:
    """For each route the lowest confidence above which `target` of the out-of-fold answers were right.

    None where no confidence of that route keeps the promise over `at_least` answers; `trust` weighs rows.
    """
    said = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    result: dict[str, float | None] = {}
    for index, label in enumerate(labels):
        rows = np.flatnonzero(said == index)
        rows = rows[np.argsort(-confidence[rows], kind="stable")]
        weight = np.ones(len(rows)) if trust is None else trust[rows]
        share = np.cumsum((truth[rows] == index) * weight) / np.cumsum(weight)
        good = np.flatnonzero((share >= target) & (np.arange(1, len(rows) + 1) >= at_least))
        result[label] = float(np.round(confidence[rows[good[-1]]], 4)) if len(good) else None
    return result


def common_thresholds(
    probabilities: NDArray[np.float64],
    truth: NDArray[np.int64],
    labels: Sequence[str],
    target: float = 0.96,
    floor: float = 0.93,
    at_least: int = 15,
) -> dict[str, float | None]:
    """One confidence for all routes above which `target` of the answers were right, higher where it must be.

    A route whose own answers above it were right less often than `floor` gets the lowest confidence of
    its own that keeps the floor, and None where none does. One number found on all rows is steadier than
    one found for each route on its share of them (docs/router-log.md).
    """
    own = thresholds(probabilities, truth, labels, floor, at_least)
    least = np.array([np.inf if own[label] is None else own[label] for label in labels])
    said = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    rows = np.flatnonzero(confidence >= least[said])
    rows = rows[np.argsort(-confidence[rows], kind="stable")]
    share = np.cumsum(truth[rows] == said[rows]) / np.arange(1, len(rows) + 1)
    good = np.flatnonzero((share >= target) & (np.arange(1, len(rows) + 1) >= at_least))
    if not len(good):
        return dict.fromkeys(labels)
    common = float(np.round(confidence[rows[good[-1]]], 4))
    return {label: None if (limit := own[label]) is None else max(limit, common) for label in labels}


def recall_at(share: float, scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Share of the positive rows that are among the `share` of rows with the highest scores."""
    if not positive.any():
        return 0.0
    top = np.argsort(-scores, kind="stable")[: max(1, round(share * len(scores)))]
    return float(positive[top].sum() / positive.sum())


def reliability(confidence: Sequence[float], right: Sequence[bool], bins: int = 10) -> list[dict[str, float]]:
    """Per band of confidence its bounds, its rows, the mean confidence and the share that was right."""
    found = []
    for index in range(bins):
        low, high = index / bins, (index + 1) / bins
        inside = [
            (c, r)
            for c, r in zip(confidence, right, strict=True)
            if low <= c < high or (c == 1.0 and high == 1.0)
        ]
        if inside:
            found.append(
                {
                    "from": low,
                    "to": high,
                    "rows": len(inside),
                    "confidence": _round(sum(c for c, _ in inside) / len(inside)),
                    "accuracy": _round(sum(r for _, r in inside) / len(inside)),
                }
            )
    return found


def mean_macro_f1(figures: Mapping[str, Any]) -> float:
    """Mean over repositories of their macro-F1, as the NLBSE tool competition counts."""
    values = [repo["macro_f1"] for repo in figures["repositories"].values()]
    return _round(sum(values) / len(values)) if values else 0.0

"""Predicts routes with a linear model over hashed features, and explains them in the issue's own words."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.case import LABELS, Prediction
from models.router import features, files, words
from models.router.features import Features
from models.router.text import Text

__all__ = ["BUILTIN", "Explanation", "Model", "Sign", "Text", "load", "model_directory"]

BUILTIN = "builtin"
BATCH = 256
"""Issues whose features are in memory at a time."""
REASONS = 6


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing in the text that spoke for (positive) or against (negative) the route, in words."""

    feature: str
    weight: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """A prediction with its strongest signs for and against, strongest first."""

    prediction: Prediction
    for_: tuple[Sign, ...]
    against: tuple[Sign, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A loaded router. `idf` and the columns of `weights` follow `features`; routes follow `labels`."""

    version: str
    labels: tuple[str, ...]
    thresholds: tuple[float | None, ...]
    security_threshold: float | None
    card: files.Card = field(repr=False)
    idf: NDArray[np.float32] = field(repr=False)
    weights: NDArray[np.float32] = field(repr=False)
    """Shape (columns, routes + 1); the last one is the security screen."""
    intercept: NDArray[np.float32] = field(repr=False)
    repositories: dict[str, tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]] = field(
        repr=False
    )
    """Lower-case name to (columns, what they add to the weights, what is added to the intercept)."""

    def with_threshold(self, threshold: float | None) -> "Model":
        """The same model with one threshold for all routes; None keeps its own (`accept_threshold: auto`)."""
        if threshold is None:
            return self
        return replace(self, thresholds=(threshold,) * len(self.labels))

    def predict(self, issues: Sequence[Text], *, explain: bool = False) -> list[Prediction]:
        """One prediction per text, in their order; `explain` fills `reasons`, at about twice the cost."""
        found: list[Prediction] = []
        for start in range(0, len(issues), BATCH):
            batch = issues[start : start + BATCH]
            weighed = self.features(batch)
            scores = self.scores(weighed, [text.repo for text in batch])
            found.extend(self._predictions(scores))
        if explain:
            return [replace(p, reasons=self._reasons(t, p)) for t, p in zip(issues, found, strict=True)]
        return found

    def features(self, issues: Sequence[Text]) -> Features:
        """The weighed features of a batch."""
        return features.weigh(features.counts(issues), self.idf)

    def scores(self, weighed: Features, repos: Sequence[str]) -> NDArray[np.float64]:
        """Linear scores, shape (texts, routes + 1); the last column is the security screen."""
        result = row_sums(weighed, self.weights[weighed.columns]) + self.intercept
        for index, repo in enumerate(repos):
            own = self.repositories.get(repo.lower())
            if own is not None:
                first, last = weighed.indptr[index], weighed.indptr[index + 1]
                columns, added, intercept = own
                where, known = _find(columns, weighed.columns[first:last])
                result[index, :-1] += weighed.values[first:last][known] @ added[where] + intercept
        return result

    def _predictions(self, scores: NDArray[np.float64]) -> list[Prediction]:
        routes = softmax(scores[:, :-1])
        best = routes.argmax(axis=1).tolist()
        screen = (1.0 / (1.0 + np.exp(-np.clip(scores[:, -1], -50, 50)))).tolist()
        order = [self.labels.index(label) if label in self.labels else -1 for label in LABELS]
        found = []
        for row, index, security in zip(routes.tolist(), best, screen, strict=True):
            threshold = self.thresholds[index]
            found.append(
                Prediction(
                    route=self.labels[index],
                    confidence=round(row[index], 6),
                    accepted=threshold is not None and row[index] >= threshold,
                    probabilities={
                        label: round(row[i], 6) if i >= 0 else 0.0
                        for label, i in zip(LABELS, order, strict=True)
                    },
                    security_score=round(security, 6),
                    security_flag=self.security_threshold is not None and security >= self.security_threshold,
                    model=self.version,
                )
            )
        return found

    def explain(self, text: Text, limit: int = 10) -> Explanation:
        """The prediction for one text and the words and signs that mattered most to it."""
        prediction = self.predict([text])[0]
        signs = self._signs(text, prediction.route)
        return Explanation(
            prediction,
            tuple(s for s in signs if s.weight > 0)[:limit],
            tuple(s for s in signs if s.weight < 0)[:limit],
        )

    def _reasons(self, text: Text, prediction: Prediction) -> tuple[tuple[str, float], ...]:
        return tuple((s.feature, s.weight) for s in self._signs(text, prediction.route)[:REASONS])

    def _signs(self, text: Text, route: str) -> list[Sign]:
        """All named signs of a text by the strength of their effect on `route` against the others' mean."""
        weighed = self.features([text])
        table = self.weights[weighed.columns][:, :-1]
        own = self.repositories.get(text.repo.lower())
        if own is not None:
            where, known = _find(own[0], weighed.columns)
            table[known] += own[1][where]
        index = self.labels.index(route)
        others = max(1, len(self.labels) - 1)
        effect = weighed.values * (table[:, index] - (table.sum(axis=1) - table[:, index]) / others)
        if len(self.labels) == 1:
            effect = weighed.values * table[:, 0]
        named = words.name_columns(text)
        totals: dict[str, float] = {}
        for column, weight in zip(weighed.columns.tolist(), effect.tolist(), strict=True):
            name = named.get(column)
            if name is not None:
                totals[name] = totals.get(name, 0.0) + weight
        strongest = sorted(totals.items(), key=lambda item: (-abs(item[1]), item[0]))
        return [Sign(name, round(weight, 4)) for name, weight in strongest if abs(weight) >= 5e-5]


def _find(
    known: NDArray[np.int32], columns: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Which of `columns` are in the sorted `known`, and where those are."""
    where = np.searchsorted(known, columns)
    inside = where < len(known)
    inside[inside] = known[where[inside]] == columns[inside]
    return where[inside], inside


def row_sums(weighed: Features, table: NDArray[np.float32]) -> NDArray[np.float64]:
    """Sums over each row of value times weight; `table` has one line per stored value."""
    products = np.zeros((len(weighed.values) + 1, table.shape[1]))
    np.multiply(weighed.values[:, None], table, out=products[:-1])
    sums: NDArray[np.float64] = np.add.reduceat(products, weighed.indptr[:-1], axis=0)
    sums[np.diff(weighed.indptr) == 0] = 0.0
    return sums


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores to probabilities, row by row."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return result


def fold_of(text: Text, folds: int) -> int:
    """The part of the training data that a text belongs to: all of a repository's to one, the same each time."""
    key = text.repo.strip().lower() or f"{text.title[:500]}\n{text.body[:500]}"
    return zlib.crc32(" ".join(key.split()).encode("utf-8", "replace")) % folds


def model_directory(path: str | Path) -> Path:
    """Where a model lies: the shipped one for "builtin", else the path itself."""
    if str(path) == BUILTIN:
        return Path(str(package_files("models.router") / "artifacts" / BUILTIN))
    return Path(path)


def load(path: str | Path = BUILTIN) -> Model:
    """Load "builtin" or a model directory; UserFacing where it is missing, damaged or foreign."""
    card, arrays = files.read(model_directory(path))
    return from_arrays(card, arrays)


def from_arrays(card: files.Card, arrays: files.Arrays) -> Model:
    """A model of a checked card and checked arrays."""
    labels = tuple(card["labels"])
    single = {name: arrays[name].astype(np.float32) for name in ("weights", "screen", "repo_weights")}
    start = arrays["repo_start"]
    repositories: dict[str, Any] = {}
    for index, name in enumerate(card["repositories"]):
        part = slice(int(start[index]), int(start[index + 1]))
        repositories[name.lower()] = (
            arrays["repo_columns"][part],
            single["repo_weights"][part],
            arrays["repo_intercept"][index],
        )
    return Model(
        version=card["version"],
        labels=labels,
        thresholds=tuple(card["thresholds"][label] for label in labels),
        security_threshold=card["security_threshold"],
        card=card,
        idf=arrays["idf"].astype(np.float32),
        weights=np.column_stack((single["weights"], single["screen"])),
        intercept=np.concatenate((arrays["intercept"], arrays["screen_intercept"])),
        repositories=repositories,
    )

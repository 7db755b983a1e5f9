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
from models.router.inference import features, files, words
from models.router.inference.features import Features
from models.router.inference.text import Text

__all__ = ["BUILTIN", "Explanation", "Model", "Sign", "Text", "load", "model_directory"]

BUILTIN = "builtin"
BATCH = 256
"""Issues whose features are in memory at a time."""
REASONS = 4
"""What a prediction names in each direction, at most."""


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
        """One prediction per text, in their order; `explain` fills `reasons`, at a third more of the cost."""
        found: list[Prediction] = []
        for start in range(0, len(issues), BATCH):
            found += self._answer(issues[start : start + BATCH], REASONS if explain else 0)
        return found

    def explain(self, text: Text, limit: int = 10) -> Explanation:
        """The prediction for one text with the words and signs that mattered most to it."""
        prediction = self._answer([text], limit)[0]
        signs = [Sign(name, weight) for name, weight in prediction.reasons]
        return Explanation(
            replace(prediction, reasons=()),
            tuple(s for s in signs if s.weight > 0),
            tuple(s for s in signs if s.weight < 0),
        )

    def _answer(self, issues: Sequence[Text], reasons: int) -> list[Prediction]:
        """Predictions for one batch, with up to so many reasons for and as many against."""
        prepared = [features.prepare(text) for text in issues]
        hashed = features.look_up([p.raw for p in prepared])
        weighed = features.weigh(features.counts_of(prepared, hashed), self.idf)
        table, intercept = self._rows(weighed, [text.repo for text in issues])
        scores = row_sums(weighed, table) + intercept
        told: list[tuple[words.Reason, ...]] = [()] * len(issues)
        if reasons:
            effects = self._effects(weighed, table, scores[:, :-1].argmax(axis=1))
            told = words.reasons(prepared, hashed, weighed, effects, reasons)
        return self._predictions(scores, told)

    def features(self, issues: Sequence[Text]) -> Features:
        """The weighed features of a batch."""
        return features.weigh(features.counts(issues), self.idf)

    def _rows(
        self, weighed: Features, repos: Sequence[str]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The weights that belong to each value, and the intercepts of each text, its repository's included."""
        table = self.weights[weighed.columns]
        intercept = np.tile(self.intercept, (weighed.rows, 1))
        for index, repo in enumerate(repos):
            own = self.repositories.get(repo.lower())
            if own is not None:
                first, last = weighed.indptr[index], weighed.indptr[index + 1]
                columns, added, offset = own
                where, known = _find(columns, weighed.columns[first:last])
                table[first:last, :-1][known] += added[where]
                intercept[index, :-1] += offset
        return table, intercept

    def _effects(
        self, weighed: Features, table: NDArray[np.float32], best: NDArray[np.intp]
    ) -> NDArray[np.float32]:
        """What each value adds to the score of its text's route, less what it adds to the others on average."""
        routes = len(self.labels)
        contrasts = np.full((routes, routes + 1), -1.0 / max(1, routes - 1), dtype=np.float32)
        contrasts[range(routes), range(routes)] = 1.0
        contrasts[:, -1] = 0.0
        effects = np.empty(len(weighed.values), dtype=np.float32)
        for index, route in enumerate(best.tolist()):
            part = slice(weighed.indptr[index], weighed.indptr[index + 1])
            effects[part] = table[part] @ contrasts[route]
        effects *= weighed.values
        return effects

    def _predictions(
        self, scores: NDArray[np.float64], told: Sequence[tuple[words.Reason, ...]]
    ) -> list[Prediction]:
        routes = softmax(scores[:, :-1])
        best = routes.argmax(axis=1).tolist()
        screen = (1.0 / (1.0 + np.exp(-np.clip(scores[:, -1], -50, 50)))).tolist()
        order = [self.labels.index(label) if label in self.labels else -1 for label in LABELS]
        thresholds = dict(zip(self.labels, self.thresholds, strict=True))
        found = []
        for row, index, security, reasons in zip(routes.tolist(), best, screen, told, strict=True):
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
                    reasons=reasons,
                    thresholds=thresholds,
                    security_threshold=self.security_threshold,
                )
            )
        return found


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

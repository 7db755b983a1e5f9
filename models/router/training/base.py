"""The shipped model as training sees it: what it says of rows without having seen their repositories."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.router.inference import files
from models.router.inference.features import SIZE, VIEWS, Features
from models.router.inference.predict import BUILTIN, Model, fold_of, from_arrays, model_directory
from models.router.inference.text import Text
from models.router.training.fit import as_matrix

_starts = (0, *(view.end for view in VIEWS))
_ends = (*(view.end for view in VIEWS), SIZE)


@dataclass(frozen=True, slots=True)
class Folds:
    """The base model without each part of its data in turn, so that it can score its own rows honestly."""

    weights: tuple[NDArray[np.float32], ...]
    intercepts: tuple[NDArray[np.float32], ...]

    def scores(self, weighed: Features, texts: Sequence[Text]) -> NDArray[np.float64]:
        """Centred scores of each text by the model that was trained without its part, (texts, routes)."""
        return self._each(weighed, texts, self.weights, self.intercepts)

    def view_scores(self, weighed: Features, texts: Sequence[Text]) -> NDArray[np.float64]:
        """What each view adds to those scores, shape (texts, views × routes), the views one after another."""
        tables = [spread(centred(weights)) for weights in self.weights]
        return self._each(
            weighed, texts, tables, [np.zeros(table.shape[1]) for table in tables], centre=False
        )

    def without(self, repo: str) -> NDArray[np.float32]:
        """The weights, spread over views, of the part that has not seen a repository."""
        return spread(centred(self.weights[fold_of(Text(repo, "", ""), len(self.weights))]))

    def _each(
        self,
        weighed: Features,
        texts: Sequence[Text],
        tables: Sequence[NDArray[Any]],
        intercepts: Sequence[NDArray[Any]],
        *,
        centre: bool = True,
    ) -> NDArray[np.float64]:
        if not tables:
            return np.zeros((len(texts), 0))
        matrix = as_matrix(weighed)
        part = np.array([fold_of(text, len(tables)) for text in texts])
        result = np.zeros((len(texts), tables[0].shape[1]))
        for index, (table, intercept) in enumerate(zip(tables, intercepts, strict=True)):
            rows = np.flatnonzero(part == index)
            result[rows] = matrix[rows] @ table + intercept
        return np.asarray(centred(result) if centre else result)


def centred(table: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """The table with the mean over routes (its last axis) taken away, which changes no probability."""
    return np.asarray(table - table.mean(axis=-1, keepdims=True, dtype=np.float64))


def spread(weights: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Weights of shape (SIZE, routes) with columns of its own for each view and the signs: (SIZE, views × routes).

    A model above may then believe the base's word about titles more than its word about bodies; one
    factor for all views was .004 macro-F1 worse.
    """
    routes = weights.shape[1]
    wide = np.zeros((SIZE, routes * len(_starts)), np.float32)
    for index, (start, end) in enumerate(zip(_starts, _ends, strict=True)):
        wide[start:end, index * routes : (index + 1) * routes] = weights[start:end]
    return wide


def folds_of(arrays: files.Arrays) -> Folds:
    """The parts' models out of a model's arrays; none where it holds none."""
    weights = []
    for table, scale in zip(arrays["fold_weights"], arrays["fold_scale"], strict=True):
        wide = np.zeros((SIZE, table.shape[1]), dtype=np.float32)
        wide[arrays["fold_columns"]] = table * scale
        weights.append(wide)
    return Folds(tuple(weights), tuple(arrays["fold_intercept"]))


def load_base() -> tuple[Model, Folds]:
    """The shipped model and its parts, which every training builds on."""
    card, arrays = files.read(model_directory(BUILTIN))
    return from_arrays(card, arrays), folds_of(arrays)

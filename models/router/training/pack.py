"""Turns fitted models into the arrays of a model on disk."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.router.inference import files
from models.router.inference.predict import Model
from models.router.training.base import Folds, centred, spread
from models.router.training.fit import Linear, Matrix, Problem, sp

SHARED_PRUNE, PRUNE, FOLD_PRUNE = 0.005, 0.01, 0.08
"""Weights below this are left out: of the shared ones, of a repository's copy, of the models of the parts."""
BASE_PRUNE = 0.08
"""The same of what a copy takes back of the base."""


def pack(problem: Problem, linear: Linear, base: Model, base_folds: Folds) -> files.Arrays:
    """The arrays of a model that needs no other at prediction: the base's share is added to its weights.

    A repository's copy also takes the base back to what it was without that repository. Training saw
    only such scores; of a repository that the base knows, its own are surer than it is right
    (docs/router-log.md).
    """
    weights, added = linear.weights, linear.added
    if problem.base.shape[1]:
        whole = spread(centred(base.weights[:, :-1]))
        if len(set(problem.repos)) == 1:
            whole = base_folds.without(problem.repos[0])
        weights = weights + whole @ linear.mix
        added = tuple(
            own + _strong((base_folds.without(name) - whole) @ linear.mix)
            for name, own in zip(problem.copies, added, strict=True)
        )
    arrays = pack_linear(problem, replace(linear, added=added), weights, linear.intercept)
    arrays["idf"] = base.idf.astype("<f2")
    arrays |= pack_screen(base.weights[:, -1], float(base.intercept[-1]))
    routes = len(problem.labels)
    arrays["fold_columns"] = np.zeros(0, "<i4")
    arrays["fold_weights"] = np.zeros((0, 0, routes), "|i1")
    arrays["fold_scale"] = np.zeros((0, routes), "<f4")
    arrays["fold_intercept"] = np.zeros((0, routes), "<f4")
    return arrays


def _strong(table: NDArray[np.float64]) -> Matrix:
    """The rows of a table with a weight that counts, as a sparse matrix."""
    return sp.csr_matrix(np.where(np.abs(table).max(axis=1, keepdims=True) >= BASE_PRUNE, table, 0))


def pack_screen(weights: NDArray[np.floating[Any]], intercept: float) -> files.Arrays:
    """The arrays of the security screen."""
    return {"screen": weights.astype("<f2"), "screen_intercept": np.array([intercept], "<f4")}


def pack_linear(
    problem: Problem, linear: Linear, weights: NDArray[np.float64], intercept: NDArray[np.float64]
) -> files.Arrays:
    """The arrays of the routes and of the repositories' copies."""
    starts, columns, tables = [0], [], []
    for added in linear.added:
        rows = np.flatnonzero(np.abs(added).max(axis=1).toarray().ravel() >= PRUNE)
        columns.append(rows)
        tables.append(added[rows].toarray())
        starts.append(starts[-1] + len(rows))
    routes = len(problem.labels)
    return {
        "weights": np.where(np.abs(weights) < SHARED_PRUNE, 0, weights).astype("<f2"),
        "intercept": intercept.astype("<f4"),
        "repo_start": np.array(starts, "<i8"),
        "repo_columns": np.concatenate([np.zeros(0, np.int64), *columns]).astype("<i4"),
        "repo_weights": np.concatenate([np.zeros((0, routes)), *tables]).astype("<f2"),
        "repo_intercept": linear.added_intercept.reshape(len(linear.added), routes).astype("<f4"),
    }


def pack_folds(models: Sequence[Linear]) -> files.Arrays:
    """The parts' shared weights in one byte each, for the columns where any of them says something."""
    tables = [(centred(model.weights), centred(model.intercept)) for model in models]
    strength = np.max([np.abs(weights).max(axis=1) for weights, _ in tables], axis=0)
    columns = np.flatnonzero(strength >= FOLD_PRUNE)
    scales = np.array([np.abs(weights).max(axis=0) / 127 for weights, _ in tables])
    packed = [
        np.rint(weights[columns] / np.maximum(scale, 1e-12))
        for (weights, _), scale in zip(tables, scales, strict=True)
    ]
    return {
        "fold_columns": columns.astype("<i4"),
        "fold_weights": np.array(packed).astype("|i1"),
        "fold_scale": scales.astype("<f4"),
        "fold_intercept": np.array([intercept for _, intercept in tables]).astype("<f4"),
    }

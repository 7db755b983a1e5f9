"""Fits linear models on hashed features, with a copy of the features per repository.

The copies are Daumé's "frustratingly easy" domain adaptation (https://aclanthology.org/P07-1033):
what all repositories share is learnt once, what one does differently in its copy.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.optimize
import scipy.sparse
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models.router.inference.features import SIGNS_START, SIZE, VIEWS, Features
from models.router.inference.predict import softmax

STRENGTH = 3.0
"""Inverse regularisation (scikit-learn's C) of `multinomial`."""
MARGIN_STRENGTH = 0.2
"""The same of `margins`."""
TRUST = 0.5
"""How much more a column counts per standard deviation by which it parts the routes."""
QUIET_SIGNS = 0.25
"""What the signs count for in a team's model: the base has learnt what they mean, on many more issues."""
BASE_SCALE = 0.6
"""How loudly the base model's scores speak beside the features."""
COPY_ROWS = 60
"""A repository with at least so many rows gets its copy of the features."""
IMPOSSIBLE = -30.0
"""Intercept of a route that the rows did not hold."""

Matrix = Any
sp: Any = scipy.sparse
optimize: Any = scipy.optimize
machine_of: Any = LogisticRegression  # none of these libraries carries types
margin_machine_of: Any = LinearSVC

_ends = np.array([*(view.end for view in VIEWS), SIZE])


@dataclass(frozen=True, slots=True)
class Problem:
    """What a fit needs: weighed features, base scores, labels as numbers, repositories, weights of rows."""

    matrix: Matrix
    """Shape (rows, SIZE)."""
    base: NDArray[np.float64]
    """Scores of the model that training builds on, shape (rows, its scores); no columns without one."""
    truth: NDArray[np.int64]
    labels: tuple[str, ...]
    repos: tuple[str, ...]
    copies: tuple[str, ...]
    weight: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Linear:
    """A fitted model: shared weights, and what each repository with a copy adds."""

    weights: NDArray[np.float64]
    """Shape (SIZE, routes)."""
    intercept: NDArray[np.float64]
    added: tuple[Matrix, ...]
    """Sparse, shape (SIZE, routes) each, in the order of the problem's copies."""
    added_intercept: NDArray[np.float64]
    mix: NDArray[np.float64]
    """How the base model's scores enter, shape (its scores, routes)."""


Fit = Callable[[Problem, NDArray[np.int64]], Linear]
"""Fits on the given rows of a problem."""
Machine = Callable[[Matrix, NDArray[np.int64], NDArray[np.float64]], Any]
"""Fits scikit-learn's machine on design, truth and weights of rows."""


def as_matrix(weighed: Features) -> Matrix:
    """Features as a scipy matrix."""
    return sp.csr_matrix((weighed.values, weighed.columns, weighed.indptr), shape=(weighed.rows, SIZE))


def subset(problem: Problem, rows: NDArray[np.int64]) -> Problem:
    """The problem of some rows only."""
    return replace(
        problem,
        matrix=problem.matrix[rows],
        base=problem.base[rows],
        truth=problem.truth[rows],
        repos=tuple(problem.repos[i] for i in rows.tolist()),
        weight=problem.weight[rows],
    )


def copies(repos: Sequence[str]) -> tuple[str, ...]:
    """Repositories with enough rows for features of their own; none where there is only one."""
    count = Counter(repos)
    return (
        tuple(sorted(name for name, n in count.items() if name and n >= COPY_ROWS)) if len(count) > 1 else ()
    )


def multinomial(problem: Problem, rows: NDArray[np.int64], strength: float = STRENGTH) -> Linear:
    """Logistic regression over all routes at once, every column alike; what the shipped model is fitted by."""

    def logistic(design: Matrix, truth: NDArray[np.int64], weight: NDArray[np.float64]) -> Any:
        machine = machine_of(C=strength, max_iter=300, tol=1e-3)
        return machine.fit(design, truth, sample_weight=weight)

    return _solve(problem, rows, np.ones(SIZE, np.float32), logistic)


def margins(problem: Problem, rows: NDArray[np.int64]) -> Linear:
    """A linear support vector machine per route on columns that count by how well they part the routes.

    Coordinate descent goes over the stored values some ten times, whatever the number of columns, so
    that a row costs the same in small and in large data. Its scores are no log-odds before `heat`.
    """
    return _solve(problem, rows, trust(problem, rows), _margin)


def trust(problem: Problem, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """A factor per column: 1 and TRUST per standard deviation by which it parts any route from the others.

    What would be expected of a column is counted within each repository: a word that only occurs where
    most issues are bugs says nothing about bugs. Each view keeps its weight against the others.
    """
    routes = len(problem.labels)
    matrix = problem.matrix[rows]
    truth = np.eye(routes)[problem.truth[rows]]
    weight = problem.weight[rows, None]
    known = {name: number for number, name in enumerate(problem.copies)}
    group = np.array([known.get(problem.repos[i], -1) for i in rows.tolist()])
    expected = np.zeros_like(truth)
    for number in np.unique(group):
        own = group == number
        expected[own] = (truth[own] * weight[own]).sum(axis=0) / weight[own].sum()
    seen = sp.csr_matrix((np.ones(len(matrix.data), np.float32), matrix.indices, matrix.indptr), matrix.shape)
    surplus = np.abs(seen.T @ ((truth - expected) * weight))
    spread = np.sqrt(seen.T @ (expected * (1 - expected) * weight**2) + 1)
    factor = 1 + TRUST * (surplus / spread).max(axis=1)
    energy = np.bincount(matrix.indices, weights=matrix.data.astype(np.float64) ** 2, minlength=SIZE)
    for start, end in zip((0, *_ends[:-1].tolist()), _ends.tolist(), strict=True):
        part = slice(start, end)
        raised = (energy[part] * factor[part] ** 2).sum()
        if raised > 0:
            factor[part] *= np.sqrt(energy[part].sum() / raised)
    factor[SIGNS_START:] *= QUIET_SIGNS
    return np.asarray(factor, np.float32)


def _margin(design: Matrix, truth: NDArray[np.int64], weight: NDArray[np.float64]) -> Any:
    # One seed for every fit: liblinear draws from a generator that a process has once, which is why
    # parts are fitted in processes and not in threads.
    machine = margin_machine_of(C=MARGIN_STRENGTH, dual=True, tol=0.1, max_iter=1_000, random_state=0)
    return machine.fit(design, truth, sample_weight=weight)


def _solve(
    problem: Problem, rows: NDArray[np.int64], factor: NDArray[np.float32], machine: Machine
) -> Linear:
    """Fit over the columns that occur, each repository's copies beside them, and take the result apart."""
    matrix = problem.matrix[rows].astype(np.float32)
    used = np.flatnonzero(np.bincount(matrix.indices, minlength=SIZE))
    matrix = matrix[:, used]
    matrix.data *= factor[used][matrix.indices]
    repos = np.array(problem.repos)[rows]
    blocks = [matrix, sp.csr_matrix((problem.base[rows] * BASE_SCALE).astype(np.float32))]
    columns_of = []
    for name in problem.copies:
        chosen = (sp.diags((repos == name).astype(np.float32)) @ matrix).tocsr()
        chosen.eliminate_zeros()
        own = np.flatnonzero(np.bincount(chosen.indices, minlength=len(used)))
        columns_of.append(own)
        blocks.append(chosen[:, own])
    design = sp.hstack(blocks).tocsr()
    classes, found, bias = _coefficients(machine(design, problem.truth[rows], problem.weight[rows]))
    routes = len(problem.labels)
    coefficients = np.zeros((len(found), routes))
    coefficients[:, classes] = found
    weights = np.zeros((SIZE, routes))
    weights[used] = coefficients[: len(used)] * factor[used, None]
    at = len(used) + problem.base.shape[1]
    mix = coefficients[len(used) : at] * BASE_SCALE
    added = []
    for own in columns_of:
        wide = sp.csr_matrix((factor[used[own]], (used[own], np.arange(len(own)))), shape=(SIZE, len(own)))
        added.append(sp.csr_matrix(wide @ sp.csr_matrix(coefficients[at : at + len(own)])))
        at += len(own)
    intercept = np.full(routes, IMPOSSIBLE)
    intercept[classes] = bias
    return Linear(weights, intercept, tuple(added), np.zeros((len(problem.copies), routes)), mix)


def _coefficients(machine: Any) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Classes, coefficients of shape (columns, classes) and intercepts, centred over the classes.

    Without the centring a route that the rows did not hold would be compared with scores of any size.
    """
    coefficients, bias = machine.coef_, np.asarray(machine.intercept_)
    if len(coefficients) == 1:
        coefficients, bias = np.vstack((-coefficients, coefficients)) / 2, np.array([-0.5, 0.5]) * bias
    return (
        machine.classes_,
        coefficients.T - coefficients.mean(axis=0)[:, None],
        bias - bias.mean(),
    )


def score(problem: Problem, linear: Linear, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Linear scores of the given rows, shape (rows, routes)."""
    matrix = problem.matrix[rows]
    result = matrix @ linear.weights + problem.base[rows] @ linear.mix + linear.intercept
    repos = np.array(problem.repos)[rows]
    for index, name in enumerate(problem.copies):
        chosen = np.flatnonzero(repos == name)
        if len(chosen):
            result[chosen] += matrix[chosen] @ linear.added[index] + linear.added_intercept[index]
    return np.asarray(result)


def judge(
    problem: Problem, train: NDArray[np.int64], held: NDArray[np.int64], fit: Fit = margins
) -> tuple[Linear, NDArray[np.float64]]:
    """A model of some rows, and its scores for others; what one process does of a cross-validation."""
    with threadpool_limits(1):  # more threads cost CPU here and save no time
        linear = fit(problem, train)
        return linear, score(problem, linear, held)


def heat(scores: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """The factor on scores that makes their softmax the likeliest explanation of rows not trained on."""

    def surprise(log_factor: float) -> float:
        said = softmax(scores * np.exp(log_factor))[np.arange(len(truth)), truth]
        return float(-np.log(said + 1e-12).mean())

    return float(np.exp(optimize.minimize_scalar(surprise, bounds=(-3.0, 3.0), method="bounded").x))


def scaled(linear: Linear, factor: float) -> Linear:
    """The same answers with scores `factor` times as large; what is impossible stays so."""
    return Linear(
        linear.weights * factor,
        np.where(linear.intercept <= IMPOSSIBLE, linear.intercept, linear.intercept * factor),
        tuple(added * factor for added in linear.added),
        linear.added_intercept * factor,
        linear.mix * factor,
    )

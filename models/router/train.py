"""Trains a router: logistic regression on hashed features, with a copy of the features per repository.

The copies are Daumé's "frustratingly easy" domain adaptation (https://aclanthology.org/P07-1033):
what all repositories share is learnt once, what one does differently in its copy.
"""

import hashlib
import json
import platform
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models.case import LABELS
from models.errors import UserFacing
from models.router import evaluate, features, files
from models.router.data import Row, rows_per_route
from models.router.features import SIZE, Features
from models.router.predict import BUILTIN, Model, fold_of, from_arrays, model_directory, softmax
from models.router.text import Text

STRENGTH = 3.0
"""Inverse regularisation (scikit-learn's C)."""
COPY_ROWS = 60
"""A repository with at least so many rows gets its copy of the features."""
FEW_ROWS = 3_000
"""Up to so many rows their products are cheaper to fit than their columns."""
BASE_SCALE = 0.6
"""How loudly the base model's scores speak beside the features."""
LEAST_ROWS, LEAST_PER_ROUTE, LEAST_HELD_OUT = 20, 5, 20
FOLDS, FOLDS_MANY = 5, 3
"""Parts of the cross-validation, up to FEW_ROWS rows and above."""
SEED = 20261120

SHARED_PRUNE, PRUNE, FOLD_PRUNE = 0.005, 0.01, 0.08
"""Weights below this are left out: of the shared ones, of a repository's copy, of the models of the parts."""

Matrix = Any
sp: Any = scipy.sparse
machine_of: Any = LogisticRegression  # neither library carries types
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Folds:
    """The base model without each part of its data in turn, so that it can score its own rows honestly."""

    weights: tuple[NDArray[np.float32], ...]
    intercepts: tuple[NDArray[np.float32], ...]

    def scores(self, weighed: Features, texts: Sequence[Text]) -> NDArray[np.float64]:
        """Centred scores of each text by the model that was trained without its part."""
        if not self.weights:
            return np.zeros((len(texts), 0))
        matrix = as_matrix(weighed)
        part = np.array([fold_of(text, len(self.weights)) for text in texts])
        result = np.zeros((len(texts), self.weights[0].shape[1]))
        for index, (weights, intercept) in enumerate(zip(self.weights, self.intercepts, strict=True)):
            rows = np.flatnonzero(part == index)
            result[rows] = matrix[rows] @ weights + intercept
        return np.asarray(result - result.mean(axis=1, keepdims=True))


def folds_of(arrays: files.Arrays) -> Folds:
    """The parts' models out of a model's arrays; none where it holds none."""
    weights = []
    for table, scale in zip(arrays["fold_weights"], arrays["fold_scale"], strict=True):
        wide = np.zeros((SIZE, table.shape[1]), dtype=np.float32)
        wide[arrays["fold_columns"]] = table * scale
        weights.append(wide)
    return Folds(tuple(weights), tuple(arrays["fold_intercept"]))


@dataclass(frozen=True, slots=True)
class Problem:
    """What a fit needs: weighed features, base scores, labels as numbers, repositories, weights of rows."""

    matrix: Matrix
    base: NDArray[np.float64]
    """Scores of the model that training builds on, shape (rows, its routes); no columns without one."""
    truth: NDArray[np.int64]
    labels: tuple[str, ...]
    repos: tuple[str, ...]
    copies: tuple[str, ...]
    weight: NDArray[np.float64]
    kernel: NDArray[np.float64] | None = None
    """What `kernel` gives, where the rows are few enough."""


@dataclass(frozen=True, slots=True)
class Linear:
    """A fitted model: shared weights, and what each repository with a copy adds."""

    weights: NDArray[np.float64]
    intercept: NDArray[np.float64]
    added: tuple[Matrix, ...]
    added_intercept: NDArray[np.float64]
    mix: NDArray[np.float64]
    """How the base model's scores enter, shape (its routes, routes)."""


def as_matrix(weighed: Features) -> Matrix:
    """Features as a scipy matrix."""
    return sp.csr_matrix((weighed.values, weighed.columns, weighed.indptr), shape=(weighed.rows, SIZE))


def kernel(
    matrix: Matrix, base: NDArray[np.float64], repos: Sequence[str], copies: Sequence[str]
) -> NDArray[Any]:
    """Products of all rows with one another, copies of repositories and base scores included, shape (rows, rows)."""
    plain = matrix.astype(np.float32)
    products: NDArray[np.float64] = (plain @ plain.T).toarray().astype(np.float64)
    number = np.array([copies.index(repo) if repo in copies else -1 for repo in repos])
    products += products * ((number[:, None] == number) & (number[:, None] >= 0))
    return products + (base @ base.T) * BASE_SCALE**2


def fit(problem: Problem, rows: NDArray[np.int64], strength: float = STRENGTH) -> Linear:
    """Fit on the given rows of a problem, in whichever form is the cheaper one; both have the same solution."""
    if problem.kernel is not None:
        return _fit_few(problem, problem.kernel, rows, strength)
    return _fit_many(problem, rows, strength)


def _fit_few(
    problem: Problem, products: NDArray[np.float64], rows: NDArray[np.int64], strength: float
) -> Linear:
    """Over the rows' products: with 1,500 rows and half a million columns some ten times faster.

    The weights of a linear model are a sum of its training rows; fitting that sum's factors is a
    problem of as many columns as there are rows.
    """
    values, vectors = np.linalg.eigh(products[np.ix_(rows, rows)])
    kept = values > 1e-6 * values[-1]
    root, vectors = np.sqrt(values[kept]), vectors[:, kept]
    classes, coefficients, bias = _regress(
        vectors * root, problem.truth[rows], problem.weight[rows], strength
    )
    routes = len(problem.labels)
    factors = np.zeros((len(rows), routes))
    factors[:, classes] = (vectors / root) @ coefficients
    matrix = problem.matrix[rows]
    repos = np.array(problem.repos)[rows]
    added = []
    for name in problem.copies:
        own = np.flatnonzero(repos == name)
        added.append(sp.csr_matrix(matrix[own].T @ sp.csr_matrix(factors[own])))
    return Linear(
        weights=np.asarray(matrix.T @ factors),
        intercept=_intercept(routes, classes, bias),
        added=tuple(added),
        added_intercept=np.zeros((len(problem.copies), routes)),
        mix=problem.base[rows].T @ factors * BASE_SCALE**2,
    )


def _fit_many(problem: Problem, rows: NDArray[np.int64], strength: float) -> Linear:
    """Over the columns that occur, each repository's copies beside them."""
    matrix = problem.matrix[rows].astype(np.float32)
    used = np.flatnonzero(np.bincount(matrix.indices, minlength=SIZE))
    matrix = matrix[:, used]
    repos = np.array(problem.repos)[rows]
    blocks = [matrix, sp.csr_matrix((problem.base[rows] * BASE_SCALE).astype(np.float32))]
    columns_of = []
    for name in problem.copies:
        inside = sp.diags((repos == name).astype(np.float32))
        chosen = (inside @ matrix).tocsr()
        chosen.eliminate_zeros()
        own = np.flatnonzero(np.bincount(chosen.indices, minlength=len(used)))
        columns_of.append(own)
        blocks.append(chosen[:, own])
    design = sp.hstack(blocks).tocsr()
    classes, found, bias = _regress(design, problem.truth[rows], problem.weight[rows], strength)
    routes = len(problem.labels)
    coefficients = np.zeros((len(found), routes))
    coefficients[:, classes] = found
    weights = np.zeros((SIZE, routes))
    weights[used] = coefficients[: len(used)]
    at = len(used) + problem.base.shape[1]
    mix = coefficients[len(used) : at] * BASE_SCALE
    added = []
    for own in columns_of:
        wide = sp.csr_matrix((np.ones(len(own)), (used[own], np.arange(len(own)))), shape=(SIZE, len(own)))
        added.append(sp.csr_matrix(wide @ sp.csr_matrix(coefficients[at : at + len(own)])))
        at += len(own)
    return Linear(
        weights, _intercept(routes, classes, bias), tuple(added), np.zeros((len(problem.copies), routes)), mix
    )


def _regress(
    design: Matrix, truth: NDArray[np.int64], weight: NDArray[np.float64], strength: float
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Classes, coefficients of shape (columns, classes) and intercepts of a logistic regression."""
    machine = machine_of(C=strength, max_iter=300, tol=1e-3)
    machine.fit(design, truth, sample_weight=weight)
    coefficients, bias = machine.coef_, machine.intercept_
    if len(coefficients) == 1:
        coefficients, bias = np.vstack((-coefficients, coefficients)) / 2, np.array([-0.5, 0.5]) * bias
    return machine.classes_, coefficients.T, bias


def _intercept(routes: int, classes: NDArray[np.int64], bias: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intercepts of all routes; one that the rows did not hold is as good as impossible."""
    found = np.full(routes, -30.0)
    found[classes] = bias
    return found


def score(problem: Problem, linear: Linear, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Linear scores of the given rows."""
    matrix = problem.matrix[rows]
    result = matrix @ linear.weights + problem.base[rows] @ linear.mix + linear.intercept
    repos = np.array(problem.repos)[rows]
    for index, name in enumerate(problem.copies):
        chosen = np.flatnonzero(repos == name)
        if len(chosen):
            result[chosen] += matrix[chosen] @ linear.added[index] + linear.added_intercept[index]
    return np.asarray(result)


def out_of_fold(
    problem: Problem, parts: NDArray[np.int64], progress: Progress | None = None
) -> tuple[NDArray[np.float64], list[Linear]]:
    """Probabilities of each row by a model that has not seen its part, and those models."""
    found = np.zeros((len(problem.truth), len(problem.labels)))
    models = []
    folds = int(parts.max()) + 1
    for fold in range(folds):
        held = parts == fold
        linear = fit(problem, np.flatnonzero(~held))
        models.append(linear)
        if held.any():
            found[held] = softmax(score(problem, linear, np.flatnonzero(held)))
        if progress:
            progress(fold + 1, folds + 1)
    return found, models


def split(problem: Problem, folds: int = FOLDS) -> NDArray[np.int64]:
    """A part for each row, so that routes and repositories are spread evenly; the same each time."""
    random = np.random.default_rng(SEED)
    parts = np.zeros(len(problem.truth), dtype=np.int64)
    groups: dict[tuple[str, int], list[int]] = {}
    for index, (repo, truth) in enumerate(zip(problem.repos, problem.truth.tolist(), strict=True)):
        groups.setdefault((repo, truth), []).append(index)
    offset = 0
    for key in sorted(groups):
        rows = random.permutation(groups[key])
        parts[rows] = (np.arange(len(rows)) + offset) % folds
        offset += len(rows)
    return parts


@dataclass(frozen=True, slots=True)
class Trained:
    """A new model, not yet written: its arrays, and its card without the checksum."""

    arrays: files.Arrays
    card: files.Card
    notes: tuple[str, ...] = ()


def train(
    rows: Sequence[Row],
    base: Model,
    base_folds: Folds,
    sources: Mapping[str, int],
    *,
    champion: Model | None = None,
    progress: Progress | None = None,
) -> Trained:
    """A model from labelled rows, built on `base`: its scores are features, its rarities and screen are kept.

    `champion` is the model that the new one is to replace, None where that is the base itself.
    """
    usable, notes = check(rows)
    with threadpool_limits(1):  # more threads cost CPU here and save no time
        return _train(usable, notes, base, base_folds, sources, champion, progress)


def _train(
    usable: list[Row],
    notes: list[str],
    base: Model,
    base_folds: Folds,
    sources: Mapping[str, int],
    champion: Model | None,
    progress: Progress | None,
) -> Trained:
    problem = make_problem(usable, base, base_folds)
    folds = FOLDS if problem.kernel is not None else FOLDS_MANY
    parts = split(problem, min(folds, min(Counter(problem.truth.tolist()).values())))
    probabilities, _ = out_of_fold(problem, parts, progress)
    linear = fit(problem, np.arange(len(usable)))
    held_out = hold_out(problem, usable, base, champion)
    if progress:
        progress(FOLDS + 1, FOLDS + 1)
    arrays = pack(problem, linear, base)
    card = describe(problem, probabilities, usable, sources)
    card["base"] = base.version
    card["held_out"] = held_out
    card["security_threshold"] = base.security_threshold
    card["security"] = base.card.get("security")
    return Trained(arrays, stamp(card, arrays), tuple(notes))


def check(rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
    """Rows that can train a route; UserFacing where they are too few for a model worth having."""
    count = Counter(row.label for row in rows)
    routes = [label for label in LABELS if count[label] >= LEAST_PER_ROUTE]
    notes = [
        f"{count[label]} rows of {label} left out: fewer than {LEAST_PER_ROUTE} teach nothing"
        for label in LABELS
        if 0 < count[label] < LEAST_PER_ROUTE
    ]
    usable = [row for row in rows if row.label in routes]
    if len(usable) < LEAST_ROWS or len(routes) < 2:
        found = ", ".join(f"{n} {label}" for label, n in rows_per_route(rows).items()) or "none"
        raise UserFacing(
            f"too little to train on: at least {LEAST_ROWS} rows of two routes, {LEAST_PER_ROUTE} of each, "
            f"are needed; found are {found}"
        )
    return usable, notes


def make_problem(rows: Sequence[Row], base: Model, base_folds: Folds) -> Problem:
    """The problem of training on `rows` above `base`."""
    texts = [row.text for row in rows]
    weighed = base.features(texts)
    labels = tuple(label for label in LABELS if any(row.label == label for row in rows))
    matrix, scores = as_matrix(weighed), base_folds.scores(weighed, texts)
    repos = tuple(text.repo.lower() for text in texts)
    own = copies(repos)
    return Problem(
        matrix=matrix,
        base=scores,
        truth=np.array([labels.index(row.label) for row in rows]),
        labels=labels,
        repos=repos,
        copies=own,
        weight=np.ones(len(rows)),
        kernel=kernel(matrix, scores, repos, own) if len(rows) <= FEW_ROWS else None,
    )


def subset(problem: Problem, rows: NDArray[np.int64]) -> Problem:
    """The problem of some rows only."""
    return replace(
        problem,
        matrix=problem.matrix[rows],
        base=problem.base[rows],
        truth=problem.truth[rows],
        repos=tuple(problem.repos[i] for i in rows.tolist()),
        weight=problem.weight[rows],
        kernel=None,
    )


def load_base() -> tuple[Model, Folds]:
    """The shipped model and its parts, which every training builds on."""
    card, arrays = files.read(model_directory(BUILTIN))
    return from_arrays(card, arrays), folds_of(arrays)


def copies(repos: Sequence[str]) -> tuple[str, ...]:
    """Repositories with enough rows for features of their own; none where there is only one."""
    count = Counter(repos)
    return (
        tuple(sorted(name for name, n in count.items() if name and n >= COPY_ROWS)) if len(count) > 1 else ()
    )


def hold_out(
    problem: Problem, rows: Sequence[Row], base: Model, champion: Model | None
) -> dict[str, Any] | None:
    """Champion and challenger on the latest fifth of each repository's rows, unseen by the challenger.

    The champion is measured only on rows that it cannot have seen either; without enough of those its
    place is None. `champion` None means the base model, whose parts make that possible for every row.
    """
    times = [parse_time(row.created_at) for row in rows]
    dated = sum(t is not None for t in times) >= 0.8 * len(rows)
    late = np.zeros(len(rows), dtype=bool)
    for repo in sorted(set(problem.repos)):
        own = [
            i for i, name in enumerate(problem.repos) if name == repo and (times[i] is not None or not dated)
        ]
        if dated:
            own.sort(key=lambda i: times[i] or datetime.min.replace(tzinfo=UTC))
        late[own[len(own) - len(own) // 5 :] if dated else own[::5]] = True
    held, rest = np.flatnonzero(late), np.flatnonzero(~late)
    if len(held) < LEAST_HELD_OUT or len(set(problem.truth[rest].tolist())) < 2:
        return None
    truth = [rows[i].label for i in held.tolist()]
    said = score(problem, fit(problem, rest), held).argmax(axis=1)
    result: dict[str, Any] = {
        "rows": len(held),
        "split": "latest fifth of each repository" if dated else "every fifth row (rows without dates)",
        "challenger": brief(truth, [problem.labels[i] for i in said]),
        "champion": None,
        "champion_version": (champion or base).version,
    }
    if champion is None:
        answers = [base.labels[i] for i in problem.base[held].argmax(axis=1)] if problem.base.shape[1] else []
        result["champion"] = brief(truth, answers) if answers else None
        return result
    fresh = [
        n for n, i in enumerate(held.tolist()) if not may_have_seen(champion, problem.repos[i], times[i])
    ]
    if len(fresh) >= LEAST_HELD_OUT:
        answers = [p.route for p in champion.predict([rows[held[n]].text for n in fresh])]
        result["rows"] = len(fresh)
        result["champion"] = brief([truth[n] for n in fresh], answers)
        result["challenger"] = brief([truth[n] for n in fresh], [problem.labels[said[n]] for n in fresh])
    return result


def brief(truth: Sequence[str], said: Sequence[str]) -> dict[str, float]:
    """Accuracy and macro-F1 alone."""
    figures = evaluate.measure(list(truth), list(said), [False] * len(truth), [""] * len(truth))
    return {"accuracy": figures["accuracy"], "macro_f1": figures["macro_f1"]}


def parse_time(text: str) -> datetime | None:
    """An ISO 8601 time, taken as UTC where it names no zone; None for anything else."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def may_have_seen(model: Model, repo: str, time: datetime | None) -> bool:
    """Whether a row may have been among the training data of a model, by its repository and time."""
    known, dates = model.card.get("by_repository"), model.card.get("dates")
    if isinstance(known, dict) and repo not in {name.lower() for name in known}:
        return False
    newest = parse_time(dates[1]) if isinstance(dates, list) and len(dates) == 2 else None
    return time is None or newest is None or time <= newest


def pack(problem: Problem, linear: Linear, base: Model) -> files.Arrays:
    """The arrays of a model that needs no other at prediction: the base's share is added to its weights."""
    base_weights, base_intercept = centred(base.weights[:, :-1], base.intercept[:-1])
    weights, intercept = linear.weights, linear.intercept
    if problem.base.shape[1]:
        weights = weights + base_weights @ linear.mix
        intercept = intercept + base_intercept @ linear.mix
    arrays = pack_linear(problem, linear, weights, intercept)
    arrays["idf"] = base.idf.astype("<f2")
    arrays["screen"] = base.weights[:, -1].astype("<f2")
    arrays["screen_intercept"] = base.intercept[-1:].astype("<f4")
    routes = len(problem.labels)
    arrays["fold_columns"] = np.zeros(0, "<i4")
    arrays["fold_weights"] = np.zeros((0, 0, routes), "|i1")
    arrays["fold_scale"] = np.zeros((0, routes), "<f4")
    arrays["fold_intercept"] = np.zeros((0, routes), "<f4")
    return arrays


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
    tables = [centred(model.weights, model.intercept) for model in models]
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


def centred(
    weights: NDArray[np.floating[Any]], intercept: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same model with the mean over routes taken away, which changes no probability."""
    return (
        weights - weights.mean(axis=1, keepdims=True, dtype=np.float64),
        intercept - intercept.mean(dtype=np.float64),
    )


def describe(
    problem: Problem,
    probabilities: NDArray[np.float64],
    rows: Sequence[Row],
    sources: Mapping[str, int],
    limits: dict[str, float | None] | None = None,
) -> files.Card:
    """The card: what the model was trained on, how good it is on rows it has not seen, its thresholds."""
    limits = limits or evaluate.thresholds(probabilities, problem.truth, problem.labels)
    said = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    limit = np.array([1.1 if limits[label] is None else limits[label] for label in problem.labels])
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
        "thresholds": limits,
    }


def stamp(card: files.Card, arrays: files.Arrays, now: datetime | None = None) -> files.Card:
    """The card with a version and a time; the version ends in a hash of what the model is."""
    now = now or datetime.now(UTC)
    digest = hashlib.sha256(json.dumps(card, sort_keys=True).encode())
    for name in sorted(arrays):
        digest.update(arrays[name].tobytes())
    version = f"{now:%Y%m%d-%H%M}-{digest.hexdigest()[:6]}"
    return {"version": version, "created_at": now.isoformat(timespec="seconds"), **card}

"""Trains a team's own router on labelled rows, above the shipped one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models.case import LABELS
from models.errors import UserFacing
from models.router.inference import files
from models.router.inference.predict import Model, softmax
from models.router.training import evaluate, folds
from models.router.training import fit as fitting
from models.router.training.adapt import Adapted, adapt
from models.router.training.base import Folds, load_base
from models.router.training.card import describe, stamp
from models.router.training.clean import Cleaned, key_of, once
from models.router.training.compare import later, measured, notes_on
from models.router.training.data import SECURITY, Row, rows_per_route
from models.router.training.fit import Linear, Problem
from models.router.training.folds import FEW_ROWS, SEED, Progress, Task
from models.router.training.pack import pack, pack_screen

__all__ = ["Folds", "Trained", "load_base", "train"]

LEAST_ROWS, LEAST_PER_ROUTE = 20, 5
FOLDS = 5
PARTITIONS = 4
"""Cross-validations of up to FEW_ROWS rows; more rows need no second one for steady thresholds."""
AT_LEAST = 15
"""Answers that a threshold has to rest on."""
CLEARLY = 0.2
"""Score by which a corrected row's route has to lead; the packed weights are rounded."""
INSIST, ATTEMPTS = 5.0, 5
"""A correction that a fit does not follow counts so many times more in the next, so many times over."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A new model, not yet written: its arrays, and its card without the checksum."""

    arrays: files.Arrays
    card: files.Card
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Material:
    """The rows that can be trained on, and what is known of them."""

    rows: tuple[Row, ...]
    """Those with a route; security reports are apart."""
    problem: Problem
    keys: tuple[bytes, ...]
    base_said: tuple[str, ...]
    """What the base answers without having seen a row's repository; empty for a base without parts."""
    screen: Adapted | None


def train(
    rows: Sequence[Row],
    base: Model,
    base_folds: Folds,
    sources: Mapping[str, int],
    *,
    champion: Model | None = None,
    progress: Progress | None = None,
) -> Trained:
    """A model from labelled rows, built on `base`: its scores are features, its rarities are kept.

    A row with `weight` above 1 is a person's correction, and the model answers its text as corrected.
    `champion` is the model that the new one is to replace, None where that is the base itself.
    """
    cleaned = once(rows)
    usable, notes = check(cleaned.rows)
    notes = cleaned.notes + notes
    with threadpool_limits(1):  # more threads cost CPU here and save no time
        return _train(cleaned, usable, notes, base, base_folds, sources, champion, progress)


def _train(
    cleaned: Cleaned,
    usable: list[Row],
    notes: list[str],
    base: Model,
    base_folds: Folds,
    sources: Mapping[str, int],
    champion: Model | None,
    progress: Progress | None,
) -> Trained:
    material = prepare(usable, base, base_folds)
    problem, routed = material.problem, material.rows
    partitions = _partitions(material)
    everything = np.arange(len(routed))
    compared = later(routed)
    tasks = [task for parts in partitions for task in folds.tasks_of(parts)]
    tasks.append(Task(everything, everything[:0], keep=True))
    if compared:
        tasks.append(Task(compared.rest, compared.held))
    judged = folds.run(problem, tasks, fitting.margins, progress)

    scores, at = [], 0
    for parts in partitions:
        number = int(parts.max()) + 1
        scores.append(folds.gather(parts, judged[at : at + number]))
        at += number
    linear = judged[at].linear
    assert linear is not None
    truth = np.tile(problem.truth, len(partitions))
    heat = fitting.heat(np.concatenate(scores), truth)
    linear, followed = insist(problem, fitting.scaled(linear, heat), heat)
    probabilities = softmax(np.concatenate(scores) * heat)
    limits = evaluate.common_thresholds(
        probabilities, truth, problem.labels, at_least=AT_LEAST * len(partitions)
    )
    held_out = None
    if compared:
        said = judged[at + 1].scores.argmax(axis=1).tolist()
        held = compared.held.tolist()
        held_out = measured(
            [routed[i] for i in held],
            [problem.labels[i] for i in said],
            [material.base_said[i] for i in held] if material.base_said else [],
            base,
            champion,
        )
        held_out["split"] = compared.how

    card = describe(problem, probabilities[: len(routed)], routed, sources, limits)
    card["rows"] = rows_per_route(usable)
    card["repeated"] = cleaned.repeated
    card["relabelled"] = cleaned.relabelled
    card["corrections"] = sum(row.corrected for row in usable)
    card["disagreements"] = cleaned.disagreements
    card["fit"] = {
        "strength": fitting.MARGIN_STRENGTH,
        "trust": fitting.TRUST,
        "base_scale": fitting.BASE_SCALE,
        "heat": round(heat, 4),
        "folds": int(partitions[0].max()) + 1,
        "partitions": len(partitions),
    }
    card["base"] = base.version
    card["held_out"] = held_out
    arrays = pack(problem, linear, base, base_folds)
    card["security"] = base.card.get("security")
    card["security_threshold"] = base.security_threshold
    screen = material.screen
    card["screen"] = screen.figures if screen else None
    if screen and screen.kept:
        arrays |= pack_screen(screen.weights, screen.intercept)
        card["security_threshold"] = screen.threshold
    notes = notes + notes_on(held_out)
    if not followed.all():
        notes.append(
            f"{int((~followed).sum())} corrections could not be followed: other rows contradict them"
        )
    return Trained(arrays, stamp(card, arrays), tuple(notes))


def check(rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
    """Rows that can be used; UserFacing where they are too few for a model worth having."""
    count = Counter(row.label for row in rows)
    routes = [label for label in LABELS if count[label] >= LEAST_PER_ROUTE]
    notes = [
        f"{count[label]} rows of {label} left out: fewer than {LEAST_PER_ROUTE} teach nothing"
        for label in LABELS
        if 0 < count[label] < LEAST_PER_ROUTE
    ]
    usable = [row for row in rows if row.label in routes or row.label == SECURITY]
    if sum(count[label] for label in routes) < LEAST_ROWS or len(routes) < 2:
        found = ", ".join(f"{n} {label}" for label, n in rows_per_route(rows).items()) or "none"
        raise UserFacing(
            f"too little to train on: at least {LEAST_ROWS} rows of two routes, {LEAST_PER_ROUTE} of each, "
            f"are needed; found are {found}"
        )
    return usable, notes


def prepare(rows: Sequence[Row], base: Model, base_folds: Folds) -> Material:
    """The problem of training on `rows` above `base`, and the screen that their security reports make."""
    texts = [row.text for row in rows]
    weighed = base.features(texts)
    matrix = fitting.as_matrix(weighed)
    reports = np.array([row.label == SECURITY for row in rows])
    screen = adapt(matrix, reports, base.weights[:, -1], float(base.intercept[-1]))
    chosen = np.flatnonzero(~reports)
    routed = tuple(rows[i] for i in chosen.tolist())
    labels = tuple(label for label in LABELS if any(row.label == label for row in routed))
    repos = tuple(row.text.repo.lower() for row in routed)
    problem = Problem(
        matrix=matrix[chosen],
        base=base_folds.view_scores(weighed, texts)[chosen],
        truth=np.array([labels.index(row.label) for row in routed]),
        labels=labels,
        repos=repos,
        copies=fitting.copies(repos),
        weight=np.array([row.weight for row in routed]),
    )
    answers = base_folds.scores(weighed, texts)[chosen]
    said = tuple(base.labels[i] for i in answers.argmax(axis=1).tolist()) if answers.shape[1] else ()
    return Material(routed, problem, tuple(key_of(row.text) for row in routed), said, screen)


def _partitions(material: Material) -> list[NDArray[np.int64]]:
    """The parts of each cross-validation."""
    problem = material.problem
    number = min(FOLDS, min(Counter(problem.truth.tolist()).values()))
    repeats = PARTITIONS if len(problem.truth) <= FEW_ROWS else 1
    return [folds.split(problem, material.keys, number, SEED + n) for n in range(repeats)]


def insist(problem: Problem, linear: Linear, heat: float) -> tuple[Linear, NDArray[np.bool_]]:
    """A model that answers corrected rows as corrected, and for which of them it does.

    A weight that is enough for one correction is too little for another, against a base that is sure of
    the opposite; so those that are not followed count more until they are.
    """
    corrected = np.flatnonzero(problem.weight > 1)
    everything = np.arange(len(problem.truth))
    for attempt in range(ATTEMPTS + 1):
        scores = fitting.score(problem, linear, corrected)
        rows = np.arange(len(corrected))
        right = scores[rows, problem.truth[corrected]].copy()
        scores[rows, problem.truth[corrected]] = -np.inf
        followed = right > scores.max(axis=1, initial=-np.inf) + CLEARLY
        if followed.all() or attempt == ATTEMPTS:
            break
        weight = problem.weight.copy()
        weight[corrected[~followed]] *= INSIST
        problem = replace(problem, weight=weight)
        linear = fitting.scaled(fitting.margins(problem, everything), heat)
    return linear, followed

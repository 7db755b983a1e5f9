"""Cross-validation: who is judged by whom, and the fits of it side by side."""

from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from typing import Any

import joblib
import joblib.externals.loky
import numpy as np
from numpy.typing import NDArray

from models.router.inference.predict import softmax
from models.router.training.fit import Fit, Linear, Problem, judge, margins

FEW_ROWS = 3_000
"""Up to so many rows a fit takes less time than a second process needs to start."""
SEED = 20261120

parallel_of: Any = joblib  # carries no types
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Task:
    """A model of the rows `train` that scores the rows `held`."""

    train: NDArray[np.int64]
    held: NDArray[np.int64]
    keep: bool = False
    """Whether the model itself is wanted too."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Scores of the rows of a task, shape (rows, routes), and the model where it was to be kept."""

    scores: NDArray[np.float64]
    linear: Linear | None


def run(
    problem: Problem, tasks: Sequence[Task], fit: Fit = margins, progress: Progress | None = None
) -> list[Judged]:
    """All tasks in their order; in processes where there is enough to do, with the same result.

    Processes and not threads: liblinear has one random generator for all threads of a process, with
    which the result would depend on who comes first.
    """
    jobs = 1 if len(problem.truth) <= FEW_ROWS else min(parallel_of.cpu_count(), len(tasks))
    try:
        return _run(problem, tasks, fit, progress, jobs)
    except (OSError, BrokenExecutor):
        if jobs == 1:
            raise
        return _run(problem, tasks, fit, progress, 1)  # no shared memory here, or too little of it
    finally:
        if jobs > 1:
            parallel_of.externals.loky.get_reusable_executor().shutdown(wait=True)


def _run(
    problem: Problem, tasks: Sequence[Task], fit: Fit, progress: Progress | None, jobs: int
) -> list[Judged]:
    parallel = parallel_of.Parallel(n_jobs=jobs, return_as="generator")
    found = []
    for done, judged in enumerate(
        parallel(parallel_of.delayed(_do)(problem, task, fit) for task in tasks), 1
    ):
        found.append(judged)
        if progress:
            progress(done, len(tasks))
    return found


def _do(problem: Problem, task: Task, fit: Fit) -> Judged:
    linear, scores = judge(problem, task.train, task.held, fit)
    return Judged(scores, linear if task.keep else None)


def tasks_of(parts: NDArray[np.int64], *, keep: bool = False) -> list[Task]:
    """A task for each part: the rest judges it."""
    return [
        Task(np.flatnonzero(parts != part), np.flatnonzero(parts == part), keep)
        for part in range(int(parts.max()) + 1)
    ]


def gather(parts: NDArray[np.int64], judged: Sequence[Judged]) -> NDArray[np.float64]:
    """The scores of all rows out of those of the parts."""
    found = np.zeros((len(parts), judged[0].scores.shape[1]))
    for part, result in enumerate(judged):
        found[parts == part] = result.scores
    return found


def out_of_fold(
    problem: Problem, parts: NDArray[np.int64], fit: Fit
) -> tuple[NDArray[np.float64], list[Linear]]:
    """Probabilities of each row by a model that has not seen its part, and those models."""
    judged = run(problem, tasks_of(parts, keep=True), fit)
    return softmax(gather(parts, judged)), [result.linear for result in judged if result.linear]


def split(problem: Problem, keys: Sequence[bytes], folds: int, seed: int = SEED) -> NDArray[np.int64]:
    """A part for each row, so that routes and repositories are spread evenly; the same each time.

    Rows of the same key (the same text in two repositories) are in the same part.
    """
    random = np.random.default_rng(seed)
    parts = np.zeros(len(problem.truth), dtype=np.int64)
    groups: dict[tuple[str, int], list[int]] = {}
    for index, (repo, truth) in enumerate(zip(problem.repos, problem.truth.tolist(), strict=True)):
        groups.setdefault((repo, truth), []).append(index)
    offset = 0
    for key in sorted(groups):
        rows = random.permutation(groups[key])
        parts[rows] = (np.arange(len(rows)) + offset) % folds
        offset += len(rows)
    first: dict[bytes, int] = {}
    for index, text in enumerate(keys):
        parts[index] = parts[first.setdefault(text, index)]
    return parts

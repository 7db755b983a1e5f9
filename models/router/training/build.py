"""Rebuilds the shipped model: `python -m models.router.training.build ../shared/router-data`."""

import csv
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.case import LABELS
from models.errors import UserFacing
from models.router.inference import features, files
from models.router.inference.predict import fold_of, model_directory
from models.router.inference.signs import DANGERS
from models.router.inference.text import Text
from models.router.training import card as cards
from models.router.training import evaluate, fit, folds, screen
from models.router.training.data import Row, read_rows, rows_per_route
from models.router.training.fit import COPY_ROWS
from models.router.training.pack import pack_folds, pack_linear

FOLDS = 7
"""Whole repositories are left out together; seven spread the largest ones over different parts."""
BUILT = datetime(2026, 11, 20, tzinfo=UTC)
"""Written into the card, so that the same data gives the same files."""

RUST = {
    "C-bug": "bug",
    "I-ICE": "bug",
    "I-crash": "bug",
    "I-wrong": "bug",
    "A-docs": "docs",
    "C-enhancement": "feature",
    "C-feature-request": "feature",
    "C-feature-accepted": "feature",
}
JIRA = {"Bug": "bug", "Improvement": "feature", "New Feature": "feature"}
LABEL_WORDS = (
    ("bug", frozenset({"bug", "defect", "regression"})),
    ("feature", frozenset({"enhancement", "feature", "improvement", "rfe"})),
    ("docs", frozenset({"docs", "documentation", "doc"})),
    ("question", frozenset({"question", "support"})),
)
WEIGHTS = {
    "nlbse24": 1.0,
    "docs": 1.0,
    "matomo": 0.7,
    "rust": 0.7,
    "farsec": 1.0,
    "security_gh": 1.0,
    "nlbse23": 0.03,
}
"""Weight of a row by its source; the text of nlbse23 is mangled and teaches a model for real text little."""
QUESTION_WEIGHT = 0.3
ACCEPT_RIGHT = 0.96
"""A point above the promise of 95 %: thresholds do a little worse on a repository that chose none of them."""
JIRA_OWNER = "apache/"
SHIFT = {"bug": 0.0, "feature": 0.1, "docs": 1.75, "question": -0.5}
"""Added to the intercepts: questions are a third of nlbse24 and a tenth of real trackers."""
STRENGTH = 1.5
REPOSITORY_SCALE = 5.0
"""How freely a repository's own intercepts move while the shared weights are learnt."""
DANGER_SIGNS = tuple(
    f"{group} in the {place}" for group in DANGERS for place in ("title", "beginning", "body")
) + tuple(f"share of {group}" for group in DANGERS)
LEAST_REPOSITORIES = 5
"""A column that occurs in fewer repositories says what these write, not what an issue is."""


def read_sources(data: Path) -> Iterator[tuple[str, list[Row]]]:
    """Name and rows of each source of labelled issues."""
    yield "nlbse24", list(read_rows(data / "nlbse24" / "issues_train.csv").rows)
    yield "docs", list(read_rows(data / "docs" / "issues_train.csv").rows)
    yield "matomo", list(read_rows(data / "matomo" / "matomo_4class_old70.csv").rows)
    yield "rust", list(read_rows(data / "rust" / "issues.csv.gz", RUST).rows)
    jira = []
    for name in screen.JIRA_PROJECTS:
        for record in screen.read_jira(data, name):
            label = JIRA.get(record["type"].strip())
            if label:
                jira.append(Row(screen.jira_text(name, record), label))
    yield "farsec", jira
    tagged = []
    for record in screen.read_collection(data):
        label = _label_of(record["labels"])
        if label:
            tagged.append(Row(Text(record["repository"], record["title"], record["description"]), label))
    yield "security_gh", tagged
    partial = []
    for label in ("feature", "question"):
        with (data / "nlbse23_partial" / f"{label}_training.csv").open(encoding="utf-8", newline="") as file:
            partial += [Row(Text("", r["title"], r["body"]), label) for r in csv.DictReader(file)]
    yield "nlbse23", partial


def _label_of(labels: str) -> str | None:
    """The route that a project's own labels name, by the words in the first one that names any."""
    for label in re.split("[,|;]", labels.lower()):
        words = set(re.findall("[a-z]+", label))
        for route, known in LABEL_WORDS:
            if words & known:
                return route
    return None


def weights_of(rows: Sequence[Row], source: Sequence[float]) -> NDArray[np.float64]:
    """Weight of each row: that of its source, less for questions, more for the rarer routes."""
    count = Counter(row.label for row in rows)
    total = sum(count[label] for label in LABELS)
    by_route = {label: (total / (4 * max(1, count[label]))) ** 0.5 for label in LABELS}
    by_route["question"] *= QUESTION_WEIGHT
    return np.array([weight * by_route[row.label] for row, weight in zip(rows, source, strict=True)])


def shared_columns(matrix: fit.Matrix, repos: Sequence[str]) -> fit.Matrix:
    """The matrix without columns of few repositories, and without the signs of danger: those are the screen's."""
    names = sorted(set(repos))
    number = np.array([names.index(repo) for repo in repos])
    by_repo = fit.sp.csr_matrix((np.ones(len(repos)), (number, np.arange(len(repos)))))
    seen = np.bincount((by_repo @ (matrix != 0)).indices, minlength=features.SIZE)
    kept = seen >= LEAST_REPOSITORIES
    kept[features.SIGNS_START :] = [name not in DANGER_SIGNS for name in features.SIGNS]
    chosen = (matrix @ fit.sp.diags(kept.astype(np.float32))).tocsr()
    chosen.eliminate_zeros()
    return chosen


def fit_shared(problem: fit.Problem, rows: NDArray[np.int64]) -> fit.Linear:
    """The mean of two linear models, which is one: without and with an intercept per repository.

    The intercepts take up that one project's tracker holds mostly bugs and another's many docs, and are
    then forgotten. So docs are told by what is written, which finds more of them in new projects; bugs and
    features are told apart a little better without.
    """
    names = sorted(set(problem.repos))
    own: NDArray[np.float64] = np.zeros((len(problem.repos), len(names)))
    own[np.arange(len(own)), [names.index(repo) for repo in problem.repos]] = REPOSITORY_SCALE
    plain = fit.multinomial(problem, rows, STRENGTH)
    within = fit.multinomial(replace(problem, base=own), rows, STRENGTH)
    shift = np.array([SHIFT[label] for label in LABELS])
    return replace(
        plain,
        weights=(plain.weights + within.weights) / 2,
        intercept=(plain.intercept + within.intercept) / 2 + shift,
    )


def build(data: Path, output: Path) -> files.Card:
    """Train the shipped model and its security screen, and write both to `output`.

    It has no copies for repositories: with them, half of what holds everywhere was learnt as a
    peculiarity of the few repositories here, and unseen ones were served worse (docs/router-log.md).
    """
    csv.field_size_limit(10**8)
    rows: list[Row] = []
    source_weights: list[float] = []
    sources: dict[str, int] = {}
    for name, found in read_sources(data):
        rows += found
        source_weights += [WEIGHTS[name]] * len(found)
        sources[name] = len(found)
    counted = features.counts([row.text for row in rows])
    idf = features.rarity(counted).astype(np.float16).astype(np.float32)
    chosen = np.array([i for i, row in enumerate(rows) if row.label in LABELS])
    routed = [rows[i] for i in chosen.tolist()]
    repos = tuple(row.text.repo.lower() for row in routed)
    problem = fit.Problem(
        matrix=shared_columns(fit.as_matrix(features.weigh(counted, idf))[chosen], repos),
        base=np.zeros((len(routed), 0)),
        truth=np.array([LABELS.index(row.label) for row in routed]),
        labels=LABELS,
        repos=repos,
        copies=(),
        weight=weights_of(routed, [source_weights[i] for i in chosen.tolist()]),
    )
    parts = np.array([fold_of(row.text, FOLDS) for row in routed])
    probabilities, models = folds.out_of_fold(problem, parts, fit_shared)
    linear = fit_shared(problem, np.arange(len(routed)))
    arrays = pack_linear(problem, linear, linear.weights, linear.intercept)
    arrays |= pack_folds(models)
    arrays["idf"] = idf.astype("<f2")
    screened = screen.train(data, idf)
    arrays["screen"] = screened.weights.astype("<f2")
    arrays["screen_intercept"] = np.array([screened.intercept], "<f4")
    named = np.array([i for i, row in enumerate(routed) if row.text.repo])
    routed = [routed[i] for i in named.tolist()]
    card = cards.describe(
        fit.subset(problem, named),
        probabilities[named],
        routed,
        sources,
        accept(probabilities[named], routed),
    )
    card["note"] = "all figures and thresholds: on repositories that were left out of training"
    card["rows"] = rows_per_route(rows)
    card["base"] = None
    card["held_out"] = None
    card["accepted_elsewhere"] = accepted_elsewhere(probabilities[named], routed)
    card["security_threshold"] = screened.threshold
    card["security"] = screened.figures
    del card["by_repository"]
    return files.save(output, arrays, cards.stamp(card, arrays, BUILT))


def accept(probabilities: NDArray[np.float64], rows: Sequence[Row]) -> dict[str, float | None]:
    """Thresholds on repositories that were left out, each of which counts the same.

    Jira's projects are set apart: their types are chosen otherwise than GitHub's labels.
    """
    repos = [row.text.repo.lower() for row in rows]
    count = Counter(repos)
    share = [
        1 / count[repo] if count[repo] >= COPY_ROWS and not repo.startswith(JIRA_OWNER) else 1e-12
        for repo in repos
    ]
    truth = np.array([LABELS.index(row.label) for row in rows])
    return evaluate.thresholds(
        probabilities, truth, LABELS, target=ACCEPT_RIGHT, trust=np.array(share) * prevalence(rows)
    )


def prevalence(rows: Sequence[Row]) -> NDArray[np.float64]:
    """What a row counts for so that questions are as rare as they are in most trackers."""
    return np.array([QUESTION_WEIGHT if row.label == "question" else 1.0 for row in rows])


def accepted_elsewhere(probabilities: NDArray[np.float64], rows: Sequence[Row]) -> dict[str, float | int]:
    """What thresholds chosen without a repository do there: means over repositories, each counting the same.

    Repositories where fewer than five issues are accepted count for the coverage only.
    """
    repos = np.array([row.text.repo.lower() for row in rows])
    said, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right = said == np.array([LABELS.index(row.label) for row in rows])
    weight = prevalence(rows)
    shares, coverage = [], []
    for repo, number in sorted(Counter(repos.tolist()).items()):
        if number < COPY_ROWS or repo.startswith(JIRA_OWNER):
            continue
        rest = np.flatnonzero(repos != repo)
        limits = accept(probabilities[rest], [rows[i] for i in rest.tolist()])
        limit = np.array([limits[label] or np.inf for label in LABELS])
        taken = (repos == repo) & (confidence >= limit[said])
        coverage.append(weight[taken].sum() / weight[repos == repo].sum())
        if taken.sum() >= 5:
            shares.append(np.average(right[taken], weights=weight[taken]))
    return {
        "repositories": len(coverage),
        "accuracy": round(float(np.mean(shares)), 4) if shares else 0.0,
        "coverage": round(float(np.mean(coverage)), 4) if coverage else 0.0,
    }


def main(arguments: Sequence[str]) -> int:
    """Build from the data folder named first into the folder named second, by default the shipped one."""
    if not 1 <= len(arguments) <= 2:
        print("usage: python -m models.router.training.build DATA [OUTPUT]", file=sys.stderr)
        return 2
    output = Path(arguments[1]) if len(arguments) == 2 else model_directory("builtin")
    try:
        card = build(Path(arguments[0]), output)
    except (UserFacing, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    size = sum(path.stat().st_size for path in output.iterdir())
    print(f"{card['version']}: macro-F1 {card['macro_f1']}, {size:,} bytes in {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

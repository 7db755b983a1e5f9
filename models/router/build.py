"""Rebuilds the shipped model: `python -m models.router.build ../shared/router-data`."""

import csv
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.case import LABELS
from models.errors import UserFacing
from models.router import features, files, screen
from models.router import train as training
from models.router.data import Row, read_rows, rows_per_route
from models.router.predict import fold_of, model_directory
from models.router.text import Text

FOLDS = 5
VERSION_DATE = datetime(2026, 11, 20, tzinfo=UTC)

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
SOURCES: tuple[tuple[str, str, float], ...] = (
    ("nlbse24", "nlbse24/issues_train.csv", 1.0),
    ("docs", "docs/issues_train.csv", 1.0),
    ("matomo", "matomo/matomo_4class_old70.csv", 0.5),
    ("rust", "rust/issues.csv.gz", 0.5),
)
PARTIAL = (("feature", "feature_training"), ("question", "question_training"))
PARTIAL_WEIGHT = 0.1
QUESTION_WEIGHT = 0.6


def read_sources(data: Path) -> Iterator[tuple[str, float, list[Row]]]:
    """Name, weight and rows of each source of labelled issues."""
    for name, path, weight in SOURCES:
        table = read_rows(data / path, RUST if name == "rust" else None)
        yield name, weight, list(table.rows)
    for label, stem in PARTIAL:
        with (data / "nlbse23_partial" / f"{stem}.csv").open(encoding="utf-8", newline="") as file:
            rows = [Row(Text("", r["title"] or "", r["body"] or ""), label) for r in csv.DictReader(file)]
        yield f"nlbse23_{label}", PARTIAL_WEIGHT, rows


def weights_of(rows: Sequence[Row], source: Sequence[float]) -> NDArray[np.float64]:
    """Weight of each row: that of its source, less for questions, more for the rare documentation."""
    count = Counter(row.label for row in rows)
    total = sum(count[label] for label in LABELS)
    by_route = {label: (total / (4 * max(1, count[label]))) ** 0.5 for label in LABELS}
    by_route["question"] *= QUESTION_WEIGHT
    return np.array([weight * by_route[row.label] for row, weight in zip(rows, source, strict=True)])


def build(data: Path, output: Path) -> files.Card:
    """Train the shipped model and its security screen, and write both to `output`."""
    rows: list[Row] = []
    source_weights: list[float] = []
    sources: dict[str, int] = {}
    for name, weight, found in read_sources(data):
        rows += found
        source_weights += [weight] * len(found)
        sources[name] = len(found)
    texts = [row.text for row in rows]
    counted = features.counts(texts)
    idf = features.rarity(counted).astype(np.float16).astype(np.float32)
    weighed = features.weigh(counted, idf)
    chosen = np.array([i for i, row in enumerate(rows) if row.label in LABELS])
    routed = [rows[i] for i in chosen]
    repos = [row.text.repo.lower() for row in routed]
    problem = training.Problem(
        matrix=training.as_matrix(weighed)[chosen],
        base=np.zeros((len(routed), 0)),
        truth=np.array([LABELS.index(row.label) for row in routed]),
        labels=LABELS,
        repos=tuple(repos),
        copies=training.copies(repos),
        weight=weights_of(routed, [source_weights[i] for i in chosen]),
    )
    parts = np.array([fold_of(row.text, FOLDS) for row in routed])
    probabilities, models = training.out_of_fold(problem, parts)
    linear = training.fit(problem, np.arange(len(routed)))
    named = [i for i, row in enumerate(routed) if row.text.repo]
    arrays = training.pack_linear(problem, linear, linear.weights, linear.intercept)
    arrays |= training.pack_folds(models)
    arrays["idf"] = idf.astype("<f2")
    screened = screen.train(data, idf)
    arrays["screen"] = screened.weights.astype("<f2")
    arrays["screen_intercept"] = np.array([screened.intercept], "<f4")
    part = training.Problem(
        problem.matrix[named],
        problem.base[named],
        problem.truth[named],
        LABELS,
        tuple(repos[i] for i in named),
        problem.copies,
        problem.weight[named],
    )
    card = training.describe(part, probabilities[named], [routed[i] for i in named], sources)
    card["rows"] = rows_per_route(rows)
    card["base"] = None
    card["held_out"] = None
    card["security_threshold"] = screened.threshold
    card["security"] = screened.figures
    return files.save(output, arrays, training.stamp(card, arrays, VERSION_DATE))


def main(arguments: Sequence[str]) -> int:
    """Build from the data folder named first into the folder named second, by default the shipped one."""
    if not 1 <= len(arguments) <= 2:
        print("usage: python -m models.router.build DATA [OUTPUT]", file=sys.stderr)
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

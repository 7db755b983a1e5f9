"""Trains the security screen: a model of its own that finds reports a person should look at first."""

import csv
import gzip
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.router.inference import features
from models.router.inference.features import SIZE
from models.router.inference.text import Text
from models.router.training import evaluate
from models.router.training.data import SECURITY, read_rows
from models.router.training.fit import as_matrix, machine_of

STRENGTH = 0.6
NATURAL = ("ambari", "camel", "wicket", "matomo", "rust")
"""Projects with all their issues, so that the share of security reports among them is as it comes."""
JIRA_PROJECTS = ("Ambari", "Camel", "Wicket")
MOST_POSITIVE, MOST_NEGATIVE = 30, 600
"""Rows for which a repository counts at most; one of the collection holds almost half of its reports."""
LOOKED_AT = 0.10
"""Share of issues that the threshold sends to a person."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A fitted screen with its threshold and its figures on projects it was not trained on."""

    weights: NDArray[np.float64]
    intercept: float
    threshold: float
    figures: dict[str, Any]


def read_jira(data: Path, project: str) -> list[dict[str, str]]:
    """The records of one Jira project of FARSEC."""
    with (data / "farsec" / f"{project}.csv").open(encoding="latin-1", newline="") as file:
        return list(csv.DictReader(file))


def jira_text(project: str, record: dict[str, str]) -> Text:
    """The text of one Jira record."""
    return Text(f"apache/{project.lower()}", record["summary"], record["description"])


def read_collection(data: Path) -> list[dict[str, str]]:
    """GitHub issues (no pull requests) that carry a security label."""
    with (data / "security_gh" / "security_issues.csv").open(encoding="utf-8", newline="") as file:
        return [record for record in csv.DictReader(file) if record["is_pr"] == "no"]


def read_rust(data: Path) -> tuple[list[Text], list[bool]]:
    """Issues of one large repository, and whether each carries its security label."""
    with gzip.open(data / "rust" / "issues.csv.gz", "rt", encoding="utf-8", newline="") as file:
        records = list(csv.DictReader(file))
    texts = [Text(r["repo"], r["title"], r["body"]) for r in records]
    return texts, ["A-security" in r["labels"].split("|") for r in records]


def read_projects(data: Path) -> Iterator[tuple[str, list[Text], list[bool]]]:
    """Name, texts and whether each is about security, of every project and collection."""
    for name in JIRA_PROJECTS:
        records = read_jira(data, name)
        yield name.lower(), [jira_text(name, r) for r in records], [r["Security"] == "1" for r in records]
    matomo = read_rows(data / "matomo" / "matomo_4class_old70.csv").rows
    yield "matomo", [row.text for row in matomo], [row.label == SECURITY for row in matomo]
    yield "rust", *read_rust(data)
    collected = read_collection(data)
    texts = [Text(r["repository"], r["title"], r["description"]) for r in collected]
    yield "security_gh", texts, [True] * len(collected)
    for name in ("nlbse24", "docs"):
        rows = read_rows(data / name / "issues_train.csv").rows
        yield name, [row.text for row in rows], [False] * len(rows)


def train(data: Path, idf: NDArray[np.float32]) -> Screen:
    """Fit on everything; measure on each project with natural prevalence by leaving it out."""
    names, texts, truth = [], [], []
    for name, some, about in read_projects(data):
        names += [name] * len(some)
        texts += some
        truth += about
    matrix = as_matrix(features.weigh(features.counts(texts), idf))
    project, positive = np.array(names), np.array(truth)
    weight = weights_of([text.repo.lower() for text in texts], positive)
    figures: dict[str, Any] = {}
    limits = []
    for held in NATURAL:
        inside = project == held
        weights, _ = _fit(matrix[~inside], positive[~inside], weight[~inside])
        scores = matrix[inside] @ weights
        limits.append(np.quantile(scores, 1 - LOOKED_AT))
        figures[held] = {
            "rows": int(inside.sum()),
            "positive": int(positive[inside].sum()),
            "recall_top_10_percent": round(evaluate.recall_at(LOOKED_AT, scores, positive[inside]), 4),
        }
    weights, intercept = _fit(matrix, positive, weight)
    threshold = float(1 / (1 + np.exp(-(np.mean(limits) + intercept))))
    return Screen(weights, intercept, round(threshold, 4), figures)


def weights_of(repos: Sequence[str], positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weight of each row: no repository's rows drown the others', and both sides weigh the same."""
    count = Counter(zip(repos, positive.tolist(), strict=True))
    weight = np.array(
        [
            min(1.0, (MOST_POSITIVE if about else MOST_NEGATIVE) / count[repo, about])
            for repo, about in zip(repos, positive.tolist(), strict=True)
        ]
    )
    for side in (positive, ~positive):
        weight[side] *= len(weight) / 2 / weight[side].sum()
    return weight


def _fit(
    matrix: Any, positive: NDArray[np.bool_], weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    used = np.flatnonzero(np.bincount(matrix.indices, minlength=SIZE))
    machine = machine_of(C=STRENGTH, max_iter=300, tol=1e-3)
    machine.fit(matrix[:, used], positive, sample_weight=weight)
    weights = np.zeros(SIZE)
    weights[used] = machine.coef_[0]
    return weights, float(machine.intercept_[0])

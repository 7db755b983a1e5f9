"""Trains the security screen: a model of its own that finds reports a person should look at first."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.router import evaluate, features
from models.router.data import SECURITY, read_rows
from models.router.features import SIZE
from models.router.fit import as_matrix, machine_of
from models.router.text import Text

STRENGTH = 1.0
JIRA_PROJECTS = ("Ambari", "Camel", "Wicket")
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


def read_projects(data: Path) -> Iterator[tuple[str, list[Text], list[bool]]]:
    """Name, texts and whether each is about security, of every project and collection."""
    for name in JIRA_PROJECTS:
        records = read_jira(data, name)
        yield name.lower(), [jira_text(name, r) for r in records], [r["Security"] == "1" for r in records]
    matomo = read_rows(data / "matomo" / "matomo_4class_old70.csv").rows
    yield "matomo", [row.text for row in matomo], [row.label == SECURITY for row in matomo]
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
    figures: dict[str, Any] = {}
    scores = np.zeros(len(texts))
    for held in ("ambari", "camel", "wicket", "matomo"):
        inside = project == held
        weights, intercept = _fit(matrix[~inside], positive[~inside], project[~inside])
        scores[inside] = matrix[inside] @ weights + intercept
        figures[held] = {
            "rows": int(inside.sum()),
            "positive": int(positive[inside].sum()),
            "recall_top_10_percent": round(
                evaluate.recall_at(LOOKED_AT, scores[inside], positive[inside]), 4
            ),
        }
    natural = np.isin(project, ("ambari", "camel", "wicket", "matomo"))
    threshold = float(1 / (1 + np.exp(-np.quantile(scores[natural], 1 - LOOKED_AT))))
    weights, intercept = _fit(matrix, positive, project)
    return Screen(weights, intercept, round(threshold, 4), figures)


def _fit(
    matrix: Any, positive: NDArray[np.bool_], project: NDArray[np.str_]
) -> tuple[NDArray[np.float64], float]:
    """A balanced fit in which no project's positives drown the others'."""
    used = np.flatnonzero(np.bincount(matrix.indices, minlength=SIZE))
    machine = machine_of(C=STRENGTH, max_iter=300, tol=1e-3, class_weight="balanced")
    machine.fit(matrix[:, used], positive)
    weights = np.zeros(SIZE)
    weights[used] = machine.coef_[0]
    return weights, float(machine.intercept_[0])

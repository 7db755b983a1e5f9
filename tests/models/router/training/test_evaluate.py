"""Figures and thresholds on cases small enough to do by hand."""

import numpy as np
import pytest

from models.router.training.evaluate import (
    common_thresholds,
    mean_macro_f1,
    measure,
    recall_at,
    reliability,
    thresholds,
)


def test_figures() -> None:
    found = measure(
        ["bug", "bug", "feature", "docs"],
        ["bug", "feature", "feature", "bug"],
        [True, False, True, True],
        ["a", "a", "b", "b"],
    )
    assert (found["rows"], found["accuracy"], found["coverage"]) == (4, 0.5, 0.75)
    assert found["accepted_accuracy"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["routes"]["bug"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "rows": 2}
    assert found["macro_f1"] == pytest.approx((0.5 + 2 / 3 + 0) / 3, abs=1e-4)
    assert found["confusion"]["docs"] == {"bug": 1, "feature": 0, "docs": 0, "question": 0}
    assert found["repositories"]["b"]["accuracy"] == 0.5
    assert mean_macro_f1(found) == pytest.approx((2 / 3 + 0.5) / 2, abs=1e-4)


def test_figures_of_nothing() -> None:
    assert measure([], [], [], [])["accuracy"] == 0.0


def test_thresholds_keep_their_promise() -> None:
    confidence = np.linspace(0.99, 0.51, 50)
    truth = np.array([0] * 30 + [0, 1] * 10)
    limit = thresholds(np.column_stack((confidence, 1 - confidence)), truth, ["bug", "feature"])
    assert limit["bug"] is not None
    accepted = confidence >= limit["bug"]
    assert (truth[accepted] == 0).mean() >= 0.95
    assert limit["feature"] is None


def test_recall_at_and_reliability() -> None:
    scores = np.arange(20.0)
    assert recall_at(0.1, scores, scores >= 18) == 1.0
    assert recall_at(0.1, scores, np.zeros(20, bool)) == 0.0
    bands = reliability([0.95, 1.0, 0.41], [True, False, True])
    assert [(b["from"], b["rows"], b["accuracy"]) for b in bands] == [(0.4, 1, 1.0), (0.9, 2, 0.5)]


def test_one_confidence_for_all_routes() -> None:
    """Bugs are always right above .7, features in nine of ten cases, docs never."""
    confidence = np.tile(np.linspace(0.99, 0.5, 100), 3)
    said = np.repeat([0, 1, 2], 100)
    truth = said.copy()
    truth[100:200][9::10] = 0
    truth[200:] = 0
    truth[:100][confidence[:100] < 0.7] = 1
    probabilities = np.zeros((300, 3))
    probabilities[np.arange(300), said] = confidence
    limit = common_thresholds(probabilities, truth, ["bug", "feature", "docs"], target=0.95, floor=0.89)
    assert limit["bug"] is not None
    assert limit["feature"] is not None
    assert limit["docs"] is None
    accepted = ((said == 0) & (confidence >= limit["bug"])) | ((said == 1) & (confidence >= limit["feature"]))
    assert (truth == said)[accepted].mean() >= 0.95
    strict = common_thresholds(probabilities, truth, ["bug", "feature", "docs"], target=0.95, floor=0.95)
    assert strict["feature"] is None
    assert strict["bug"] is not None
    never = common_thresholds(probabilities, np.full(300, 3), ["bug", "feature", "docs"])
    assert never == {"bug": None, "feature": None, "docs": None}

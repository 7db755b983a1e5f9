"""Figures and thresholds on cases small enough to do by hand."""

import numpy as np
import pytest

from models.router.evaluate import mean_macro_f1, measure, recall_at, reliability, thresholds


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

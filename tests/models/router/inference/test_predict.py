"""Predictions and explanations of the shipped model and of one trained above it."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.case import LABELS, Prediction
from models.router.inference.predict import Model, from_arrays
from models.router.inference.text import Text
from models.router.training import train
from models.router.training.data import Row
from tests.models.router import corpus


def test_predictions_are_complete(builtin: Model) -> None:
    texts = [Text("a/b", f"Crash number {n}", "It fails with an error.") for n in range(700)]
    found = builtin.predict(texts)
    assert len(found) == 700
    for prediction in found:
        assert isinstance(prediction, Prediction)
        assert prediction.route in LABELS
        assert set(prediction.probabilities) == set(LABELS)
        assert sum(prediction.probabilities.values()) == pytest.approx(1, abs=1e-4)
        assert prediction.confidence == max(prediction.probabilities.values())
        assert 0 <= prediction.security_score <= 1
        assert prediction.model == builtin.version
    assert builtin.predict([]) == []


@pytest.mark.parametrize(
    ("title", "body", "route"),
    [
        (
            "Crash when saving a file",
            "```\nTraceback (most recent call last):\n  boom\n```\nIt should not crash.",
            "bug",
        ),
        (
            "Feature request: dark theme",
            "It would be nice to have a dark theme. Please add an option.",
            "feature",
        ),
        ("Typo in the documentation", "The README has a typo, see the docs page about install.", "docs"),
    ],
)
def test_plain_cases(builtin: Model, title: str, body: str, route: str) -> None:
    assert builtin.predict([Text("new/project", title, body)])[0].route == route


def test_security_screen_prefers_security(builtin: Model) -> None:
    attack, tea = builtin.predict(
        [
            Text(
                "",
                "XSS vulnerability in login form",
                "An attacker can inject script and steal the session cookie.",
            ),
            Text("", "Button is green", "The button should be blue."),
        ]
    )
    assert attack.security_flag
    assert not tea.security_flag
    assert attack.security_score > tea.security_score


def test_threshold_can_be_set(builtin: Model) -> None:
    text = [Text("", "Crash", "error")]
    assert not builtin.with_threshold(1.0).predict(text)[0].accepted
    assert builtin.with_threshold(0.0).predict(text)[0].accepted
    assert builtin.with_threshold(None) is builtin


@settings(derandomize=True, max_examples=100, deadline=None)
@given(
    st.lists(st.builds(Text, st.text(max_size=20), st.text(max_size=200), st.text(max_size=400)), max_size=5)
)
def test_any_batch_is_answered(builtin: Model, texts: list[Text]) -> None:
    together = builtin.predict(texts, explain=True)
    assert [p.route for p in together] == [builtin.predict([t])[0].route for t in texts]


def test_explanation_uses_the_words_of_the_issue(builtin: Model) -> None:
    text = Text("", "Crash with segfault", "Segfault on start. I expected a window.")
    explained = builtin.explain(text)
    assert explained.prediction == builtin.predict([text])[0]
    assert any("segfault" in sign.feature or "crash" in sign.feature for sign in explained.for_)
    assert [s.weight for s in explained.for_] == sorted((s.weight for s in explained.for_), reverse=True)
    assert all(s.weight < 0 for s in explained.against)
    assert builtin.predict([text], explain=True)[0].reasons


def test_a_trained_model_fits_its_data(trained: train.Trained) -> None:
    model = from_arrays({**trained.card, "sha256": ""}, trained.arrays)
    fresh = [row for row in corpus.rows(80, seed=5) if "About" in row.text.body]
    right = sum(
        p.route == row.label for p, row in zip(model.predict([r.text for r in fresh]), fresh, strict=True)
    )
    assert right / len(fresh) > 0.7
    assert trained.card["macro_f1"] > 0.7
    assert set(trained.card["thresholds"]) == set(LABELS)


def test_repositories_may_differ() -> None:
    """What one repository calls a bug, another calls a feature: the copies tell them apart."""
    rows = []
    for number, row in enumerate(corpus.rows(800, ("bug", "feature"))):
        if number % 8 != 7:
            repo = "up/side" if number % 4 < 2 else "down/side"
            flipped = {"bug": "feature", "feature": "bug"}[row.label] if repo == "down/side" else row.label
            rows.append(Row(Text(repo, row.text.title, row.text.body), flipped, ""))
    trained = train.train(rows, *train.load_base(), {})
    model = from_arrays(trained.card, trained.arrays)
    assert trained.card["repositories"] == ["down/side", "up/side"]
    title, body = "the kettle crashes when I open it", "About the lamp panel, seen 3 times."
    found = model.predict([Text("up/side", title, body), Text("Down/Side", title, body)])
    assert [p.route for p in found] == ["bug", "feature"]


def test_prediction_imports_no_scikit_learn() -> None:
    code = (
        "import sys, models.router.inference.predict; print('sklearn' in sys.modules, 'scipy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]

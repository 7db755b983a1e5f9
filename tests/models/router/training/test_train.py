"""Training: corrections are followed, repeated rows flatter nobody, size and order change no promise."""

import dataclasses
from typing import Any

import joblib
import numpy as np
import pytest

from models.router.inference.features import SIGNS_START
from models.router.inference.predict import Model, from_arrays
from models.router.inference.text import Text
from models.router.training import adapt, compare, fit, folds, train
from models.router.training.base import load_base
from models.router.training.clean import key_of
from models.router.training.data import CORRECTED, Row
from tests.models.router import corpus


def model_of(trained: train.Trained) -> Model:
    return from_arrays(trained.card, trained.arrays)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (Text("harbour/kettle", "the kettle crashes when I open it", "Traceback, error, crash."), "docs"),
        (Text("harbour/kettle", "how do I configure the lamp panel?", "Any hint? Why?"), "bug"),
        (Text("new/repo", "", ""), "docs"),
    ],
    ids=["against every word", "question", "empty"],
)
def test_a_single_correction_is_followed(text: Text, label: str) -> None:
    base, base_folds = load_base()
    rows = corpus.rows(200)
    assert base.predict([text])[0].route != label
    plain = train.train(rows, base, base_folds, {})
    assert model_of(plain).predict([text])[0].route != label
    assert plain.card["corrections"] == 0
    trained = train.train([*rows, Row(text, label, "", CORRECTED)], base, base_folds, {})
    assert model_of(trained).predict([text])[0].route == label
    assert (trained.card["corrections"], trained.card["disagreements"]) == (1, 0)
    fresh = corpus.rows(80, seed=5)
    said = model_of(trained).predict([row.text for row in fresh])
    assert sum(p.route == row.label for p, row in zip(said, fresh, strict=True)) > 0.7 * len(fresh)


def test_the_last_of_differing_corrections_is_followed() -> None:
    text = Text("harbour/kettle", "a tray is odd", "Nothing more.")
    corrections = [
        Row(text, "docs", "2025-06-02T00:00:00Z", CORRECTED),
        Row(text, "feature", "2025-06-01T00:00:00Z", CORRECTED),
    ]
    trained = train.train([*corpus.rows(200), *corrections], *load_base(), {})
    assert model_of(trained).predict([text])[0].route == "docs"
    assert trained.card["disagreements"] == 1
    assert any("corrected differently" in note for note in trained.notes)


def test_repeated_rows_change_nothing_but_their_count() -> None:
    rows = corpus.many(200)
    base = load_base()
    one, three = train.train(rows, *base, {}), train.train(rows * 3, *base, {})
    assert three.card["repeated"] == 400
    assert "400 repeated rows counted once" in three.notes
    for key in ("rows", "macro_f1", "coverage", "thresholds", "held_out"):
        assert one.card[key] == three.card[key]
    assert all(np.array_equal(one.arrays[name], three.arrays[name]) for name in one.arrays)


def test_the_same_text_in_two_repositories_is_in_one_part() -> None:
    rows = corpus.many(120)
    twins = [Row(Text("twin/repo", r.text.title, r.text.body), r.label, r.created_at) for r in rows]
    material = train.prepare([*rows, *twins], *load_base())
    parts = folds.split(material.problem, material.keys, 5)
    assert parts[:120].tolist() == parts[120:].tolist()
    assert len(set(parts.tolist())) == 5
    cut = compare.later([*rows, *twins])
    assert cut is not None
    held = {key_of(material.rows[i].text) for i in cut.held.tolist()}
    assert not held & {key_of(material.rows[i].text) for i in cut.rest.tolist()}


def test_a_model_that_does_not_beat_the_shipped_one_says_so() -> None:
    """Labels thrown like dice teach nothing; the shipped model's answers are measured on the same rows."""
    rows = [
        dataclasses.replace(row, label=("bug", "feature")[index * 7919 % 13 % 2])
        for index, row in enumerate(corpus.many(300))
    ]
    base, base_folds = load_base()
    trained = train.train(rows, base, base_folds, {})
    figures = trained.card["held_out"]
    beaten = figures["challenger"]["macro_f1"] > figures["base"]["macro_f1"]
    assert figures["beats_base"] is beaten
    assert set(figures["by_repository"]) == {"harbour/kettle", "harbour/lamp", "quay/tide"}
    worse = {"rows": 30, "challenger": {"macro_f1": 0.5}, "base": {"macro_f1": 0.7}}
    notes = compare.notes_on({**worse, "beats_base": False, "by_repository": {"a/b": worse}})
    assert "does not beat the shipped model: macro-F1 0.500 against 0.700" in notes[0]
    assert "later issues of a/b" in notes[1]


@pytest.mark.slow
def test_more_rows_than_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above FEW_ROWS the parts are fitted in other processes."""
    rows = corpus.many(folds.FEW_ROWS + 100)
    monkeypatch.setattr(joblib, "cpu_count", lambda: 2)
    seen: list[tuple[int, int]] = []
    trained = train.train(rows, *load_base(), {}, progress=lambda done, of: seen.append((done, of)))
    assert seen == [(n, 7) for n in range(1, 8)]
    assert trained.card["fit"]["partitions"] == 1
    assert trained.card["macro_f1"] > 0.8
    fresh = corpus.rows(80, seed=5)
    said = model_of(trained).predict([row.text for row in fresh])
    assert sum(p.route == row.label for p, row in zip(said, fresh, strict=True)) > 0.8 * len(fresh)


@pytest.mark.slow
def test_processes_give_the_result_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = train.prepare(corpus.many(240), *load_base()).problem
    tasks = folds.tasks_of(np.arange(240) % 3, keep=True)
    alone = folds.run(problem, tasks)
    monkeypatch.setattr(folds, "FEW_ROWS", 10)
    monkeypatch.setattr(joblib, "cpu_count", lambda: 2)
    together = folds.run(problem, tasks)
    for one, two in zip(alone, together, strict=True):
        assert np.array_equal(one.scores, two.scores)
        assert one.linear is not None
        assert two.linear is not None
        assert np.array_equal(one.linear.weights, two.linear.weights)


def test_no_shared_memory_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def broken(problem: Any, tasks: Any, way: Any, progress: Any, jobs: int) -> list[folds.Judged]:
        asked.append(jobs)
        if jobs > 1:
            raise OSError("no room for semaphores")
        return []

    monkeypatch.setattr(folds, "_run", broken)
    monkeypatch.setattr(folds, "FEW_ROWS", 10)
    monkeypatch.setattr(joblib, "cpu_count", lambda: 2)
    problem = train.prepare(corpus.rows(40), *load_base()).problem
    assert folds.run(problem, folds.tasks_of(np.arange(40) % 5)) == []
    assert asked == [2, 1]


def test_columns_that_part_the_routes_count_more() -> None:
    problem = train.prepare(corpus.many(240), *load_base()).problem
    factor = fit.trust(problem, np.arange(240))
    used = np.bincount(problem.matrix.indices, minlength=len(factor)) > 0
    assert (factor[used] > 0).all()
    assert factor[used].max() > 2 * np.median(factor[used])
    before = np.asarray(problem.matrix.multiply(problem.matrix).sum(axis=0)).ravel()
    # Views keep their weight against each other; only the signs speak more quietly.
    after, signs = before * factor**2, slice(SIGNS_START, None)
    assert after[:SIGNS_START].sum() == pytest.approx(before[:SIGNS_START].sum(), rel=1e-3)
    assert after[signs].sum() == pytest.approx(before[signs].sum() * fit.QUIET_SIGNS**2, rel=1e-3)


def test_a_route_that_rows_do_not_hold_is_never_said() -> None:
    problem = train.prepare(corpus.rows(120), *load_base()).problem
    rows = np.flatnonzero(problem.truth != 2)
    for way in (fit.margins, fit.multinomial):
        scores = fit.score(problem, fit.scaled(way(problem, rows), 0.5), np.arange(120))
        assert (scores.argmax(axis=1) != 2).all()


def test_own_security_reports_adapt_the_screen() -> None:
    base, base_folds = load_base()
    rows = corpus.many(240)
    few = train.train([*rows, *corpus.reports(adapt.LEAST_REPORTS - 1)], base, base_folds, {})
    assert few.card["screen"] is None
    assert few.card["rows"]["security"] == 19
    trained = train.train([*rows, *corpus.reports(30)], base, base_folds, {})
    figures = trained.card["screen"]
    assert (figures["rows"], figures["positive"]) == (270, 30)
    better = figures["recall_top_10_percent"] > figures["shipped_recall_top_10_percent"]
    assert figures["kept"] == ("adapted" if better else "shipped")
    assert "security" not in trained.card["labels"]
    if better:
        model = model_of(trained)
        found = model.predict([row.text for row in corpus.reports(20, seed=9)])
        assert np.mean([p.security_flag for p in found]) > 0.8
        assert trained.card["security_threshold"] != base.security_threshold
    else:
        assert trained.card["security_threshold"] == base.security_threshold


def test_a_screen_that_is_no_better_is_not_kept() -> None:
    """Nothing beats a shipped screen that is right about every report."""
    rows = corpus.many(240)
    positive = np.arange(240) % 12 == 0
    matrix = fit.as_matrix(load_base()[0].features([row.text for row in rows])).tolil()
    matrix[:, 0] = positive[:, None]
    shipped = np.zeros(matrix.shape[1], np.float32)
    shipped[0] = 9
    found = adapt.adapt(matrix.tocsr(), positive, shipped, -4.0)
    assert found is not None
    assert found.figures["shipped_recall_top_10_percent"] == 1.0
    assert not found.kept
    assert found.figures["kept"] == "shipped"

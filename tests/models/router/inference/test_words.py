"""Reasons: the same in a batch and alone, true to the model's arithmetic, and of use to people."""

import re
from itertools import pairwise

import numpy as np
import pytest

from models.case import Prediction
from models.router.inference import features
from models.router.inference.predict import REASONS, Model
from models.router.inference.text import Text
from tests.models.router import corpus

TEXTS = [row.text for row in corpus.rows(120)]
CRASH = Text(
    "",
    "Crash when saving",
    "It doesn't save.\n\n```\nTraceback (most recent call last):\n  boom\n```\nIt should not crash.",
)


def sides(prediction: Prediction) -> tuple[list[str], list[str]]:
    """What speaks for and what against."""
    return (
        [name for name, weight in prediction.reasons if weight > 0],
        [name for name, weight in prediction.reasons if weight < 0],
    )


def test_reasons_are_the_same_alone_in_a_batch_and_explained(builtin: Model) -> None:
    together = builtin.predict(TEXTS, explain=True)
    for text, found in zip(TEXTS, together, strict=True):
        assert builtin.predict([text], explain=True) == [found]
        explained = builtin.explain(text)
        shown = {(s.feature, s.weight) for s in (*explained.for_[:REASONS], *explained.against[:REASONS])}
        assert shown == set(found.reasons)
        assert explained.prediction.route == found.route
        assert explained.prediction.confidence == found.confidence
    for plain, found in zip(builtin.predict(TEXTS), together, strict=True):
        assert (plain.route, plain.probabilities, plain.reasons) == (found.route, found.probabilities, ())


def test_both_directions_are_told_and_the_strongest_first(builtin: Model) -> None:
    for found in builtin.predict(TEXTS, explain=True):
        speaks_for, against = sides(found)
        assert 1 <= len(speaks_for) <= REASONS
        assert 1 <= len(against) <= REASONS
        strengths = [abs(weight) for _, weight in found.reasons]
        assert strengths == sorted(strengths, reverse=True)
        assert len(set(speaks_for)) == len(speaks_for)


def test_a_words_weight_is_its_effect_in_all_views(builtin: Model) -> None:
    """Counted again the slow way: a dictionary of all columns of one text."""
    checked = 0
    for text in TEXTS[:20]:
        found = builtin.predict([text], explain=True)[0]
        weighed = builtin.features([text])
        value = dict(zip(weighed.columns.tolist(), weighed.values.tolist(), strict=True))
        route = builtin.labels.index(found.route)
        weights = builtin.weights[:, :-1]
        others = (weights.sum(axis=1) - weights[:, route]) / (len(builtin.labels) - 1)
        contrast = weights[:, route] - others
        for name, weight in found.reasons:
            named = re.fullmatch(r"“([a-z]+)(?: ([a-z]+))?”(?: in the title)?", name)
            if not named:
                continue
            hashes = features.hashes([word for word in named.groups() if word])
            total = 0.0
            for view in (features.TEXT, features.MEANING, features.TITLE, features.BEGINNING):
                find = features.single_columns if len(hashes) == 1 else features.pair_columns
                column = int(find(hashes, view)[0]) + view.start
                total += value.get(column, 0.0) * float(contrast[column])
            assert weight == pytest.approx(total, abs=1e-4)
            checked += 1
    assert checked > 30


def test_reasons_are_plain_language(builtin: Model) -> None:
    speaks_for, _ = sides(builtin.predict([CRASH], explain=True)[0])
    assert "a stack trace" in speaks_for
    assert any("“crash”" in name and "title" in name for name in speaks_for)
    explained = builtin.explain(Text("", "It doesn't print", "The printer does nothing."), 20)
    assert any("doesn't" in sign.feature for sign in explained.for_)
    wish = Text("", "Add a theme", "Please support a dark one, or implement a way to choose colours.")
    speaks_for, _ = sides(builtin.predict([wish], explain=True)[0])
    assert "a wish in the title (“add”)" in speaks_for
    assert "wishes in the body (“implement”, “support”)" in speaks_for


def test_every_named_word_stands_in_the_text(builtin: Model) -> None:
    for text, found in zip(TEXTS, builtin.predict(TEXTS, explain=True), strict=True):
        words = features.prepare(text).raw
        neighbours = {*words, *(f"{one} {two}" for one, two in pairwise(words))}
        for name, _ in found.reasons:
            for quoted in re.findall(r"“([^”]+)”", name):
                assert quoted.replace("'t", "") in neighbours


def test_numbers_keys_and_passwords_are_no_reasons(builtin: Model) -> None:
    key = "ghp_" + "0123456789abcdefghijABCDEFGHIJ012345"
    body = f"token {key} and user:hunter2@example.invalid, AKIA{'Q' * 40}, 404 500 0xdeadbeef1 ____ " * 3
    explained = builtin.explain(Text("", f"{key} crash", body), 20)
    told = " ".join(sign.feature for sign in (*explained.for_, *explained.against))
    assert not re.search(r"\d|ghp|akia|__", told)


def test_stop_words_are_told_only_where_there_is_nothing_better(builtin: Model) -> None:
    assert any(name == "“it is”" or name.startswith("“it") for name, _ in _only("It is", builtin))
    for found in builtin.predict(TEXTS, explain=True):
        for names in sides(found):
            if len(names) > 2:
                assert not {"“the”", "“to”", "“of”", "“the length of the body”"} & set(names)


def _only(title: str, model: Model) -> tuple[tuple[str, float], ...]:
    return model.predict([Text("", title, "")], explain=True)[0].reasons


@pytest.mark.parametrize("body", ["", " ", "x", "日本語 の 問題", "\ud800", "🚀", "_" * 9_000, "a" * 9_000])
def test_odd_texts_are_explained(builtin: Model, body: str) -> None:
    found = builtin.predict([Text("", body, body), CRASH, Text("", "", body)], explain=True)
    assert found[1].reasons == builtin.predict([CRASH], explain=True)[0].reasons
    assert all(np.isfinite(weight) for p in found for _, weight in p.reasons)


def test_words_of_one_text_never_explain_another(builtin: Model) -> None:
    """The last word of one text and the first of the next are neighbours in memory only."""
    texts = [Text("", "crash", "please add"), Text("", "option to", "error"), Text("", "", "")]
    for text, found in zip(texts, builtin.predict(texts, explain=True), strict=True):
        assert found.reasons == builtin.predict([text], explain=True)[0].reasons

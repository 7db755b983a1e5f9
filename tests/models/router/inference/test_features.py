"""Features: the same text gives the same columns, and structure is seen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.router.inference import features
from models.router.inference.text import Text
from tests.growth import text_grows_linearly


def signs(title: str, body: str) -> dict[str, float]:
    found = features.counts([Text("", title, body)])
    return {
        features.SIGNS[column - features.SIGNS_START]: value
        for column, value in zip(found.columns.tolist(), found.values.tolist(), strict=True)
        if column >= features.SIGNS_START
    }


@pytest.mark.parametrize(
    ("title", "body", "sign"),
    [
        ("x", "```\ncode\n```", "code blocks"),
        ("x", "![shot](a.png)", "images"),
        ("x", "see https://example.invalid/a", "links"),
        ("x", "- [x] read\n- [ ] tried", "check boxes"),
        ("x", "## Expected\nmore", "headings"),
        ("x", "### Expected\nmore", "expected behaviour"),
        ("x", "Traceback (most recent call last):\n", "a stack trace"),
        ("x", "    at app.Main(Main.java:3)\n", "a stack trace"),
        ("x", "thread 'main' panicked at src/main.rs", "a stack trace"),
        ("why?", "", "a question mark in the title"),
        ("x", "really? sure?", "question marks in the body"),
        ("How to sail", "", "the title starts like a question"),
        ("add a mast", "", "a wish in the title"),
        ("crash at sea", "", "a fault in the title"),
        ("typo in the readme", "", "documentation in the title"),
        ("xss in the log book", "", "security in the title"),
        ("x", "please add it", "wishes in the body"),
        ("x", "it crashes", "faults in the body"),
        ("x", "the documentation says", "documentation in the body"),
        ("x", "an attacker can", "security in the body"),
        ("x", "Steps to reproduce: sail", "steps to reproduce"),
        ("x", "an alternative is", "alternatives considered"),
        ("x", "  \n", "an empty body"),
        ("[Bug] x", "", "the title is marked as a bug"),
        ("feat(sails): x", "", "the title is marked as a feature"),
        ("docs: x", "", "the title is marked as documentation"),
        ("[Question] x", "", "the title is marked as a question"),
        ("x", "### Issue type\n\nBug", "the form says bug"),
        ("x", "- [x] feature request", "the form says feature"),
        ("x", "<!-- documentation_template -->", "the form says documentation"),
        ("x", "I'm submitting a support request", "the form says question"),
        ("allow two masts", "", "a request, and no failure, in the title"),
        ("x", "### Actual behavior\nIt sinks.", "headings of bug forms"),
        ("x", "**Describe the solution you'd like**\nTwo masts.", "headings of feature forms"),
        ("x", "### Documentation link\nThe second page.", "headings of documentation forms"),
        ("x", "It would be nice to sail.", "wishing phrases in the beginning"),
        ("Path traversal in x", "", "attacks in the title"),
        ("x", "the passphrase is kept in plain text", "phrases about security in the body"),
    ],
)
def test_sign(title: str, body: str, sign: str) -> None:
    assert signs(title, body).get(sign, 0) > 0
    assert sign not in signs("x", "nothing of note here")


def test_there_are_93_signs_between_0_and_1() -> None:
    assert len(features.SIGNS) == len(set(features.SIGNS)) == 93
    text = "? ``` a ``` ![](x) https://a.b - [x] # h\nerror crash bug docs security add please\n" * 400
    assert all(0 <= value <= 1 for value in signs(text, text).values())


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("a line\nand another", "a line\r\nand another"),
        ("a line\nand another", "a line\nand another\n\n"),
        ("Some Text", "some text"),
    ],
)
def test_the_same_text_from_a_file_or_a_csv(one: str, two: str) -> None:
    first, second = (features.counts([Text("", "Title", body)]) for body in (one, two))
    assert first.columns.tolist() == second.columns.tolist()
    assert first.values.tolist() == second.values.tolist()


def test_a_batch_is_its_texts_one_by_one() -> None:
    texts = [Text("", "Crash on start", "It fails.\n"), Text("", "", ""), Text("", "Add tea", "please " * 50)]
    together = features.counts(texts)
    for index, text in enumerate(texts):
        alone = features.counts([text])
        part = slice(together.indptr[index], together.indptr[index + 1])
        assert together.columns[part].tolist() == alone.columns.tolist()
        assert together.values[part].tolist() == alone.values.tolist()


def test_views_are_scaled_to_their_weights() -> None:
    weighed = features.weigh(
        features.counts([Text("", "Crash on start", "It fails often.")]), np.ones(features.SIZE, np.float32)
    )
    for view in features.VIEWS:
        inside = weighed.values[(weighed.columns >= view.start) & (weighed.columns < view.end)]
        assert np.linalg.norm(inside) == pytest.approx(view.weight, rel=1e-5)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.text(max_size=300), st.text(max_size=600))
def test_any_text_has_features(title: str, body: str) -> None:
    found = features.counts([Text("", title, body)])
    assert found.columns.min(initial=0) >= 0
    assert found.columns.max(initial=0) < features.SIZE
    assert np.isfinite(found.values).all()


@pytest.mark.parametrize(
    "body",
    [
        "a" * 1_000_000,
        "word " * 200_000,
        "`" * 100_000,
        "<!--" * 50_000,
        "[" * 100_000,
        "![" * 50_000,
        "**" * 50_000,
        "#" * 100_000,
        "- [ ] " * 20_000,
        "0x" * 50_000,
        "1." * 50_000,
        "abcdef" * 20_000,
        "\x00\x01\x02" * 30_000,
        "\r\n" * 100_000,
        " " * 1_000_000,
        "\ud800 lone surrogate",
        "مرحبا " * 1_000 + "你好" * 1_000,
    ],
    ids=lambda body: repr(body[:6]),
)
def test_hostile_text_takes_linear_time(body: str) -> None:
    assert text_grows_linearly(lambda part: features.counts([Text("", part, part)]), body)
    assert features.counts([Text("", body, body)]).rows == 1

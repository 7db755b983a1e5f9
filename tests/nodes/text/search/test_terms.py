"""Words as numbers: what counts as the same, what tells nothing, what a text may cost."""

import struct

import pytest

from nodes.text.search.terms import IN_TITLE, MOST, count_words, marks, pack, spell, stem
from tests.growth import text_grows_linearly


@pytest.mark.parametrize(
    "forms",
    [
        ("crash", "crashes", "crashed", "crashing"),
        ("import", "imports", "imported", "importing"),
        ("query", "queries"),
        ("class", "classes"),
        ("stop", "stops", "stopped", "stopping"),
        ("cache", "caches", "cached", "caching"),
    ],
)
def test_forms_of_a_word_are_one(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1
    assert len({tuple(count_words(form, "")) for form in forms}) == 1


@pytest.mark.parametrize("pair", [("status", "state"), ("this", "thing"), ("node", "nodes2"), ("bus", "bu")])
def test_other_words_are_not(pair: tuple[str, str]) -> None:
    assert stem(pair[0]) != stem(pair[1])


@pytest.mark.parametrize(
    "text",
    [
        "the and with your",
        "12 4711 2026",
        "0xdeadbeef 3fa85f64",
        "a1b2c3d4e5f60718",
        "<!-- please fill in the form -->",
        "<!-- never closed",
        "https://example.org/some/long/path?with=words",
        "",
        "\x00 ... !!!",
    ],
)
def test_what_tells_nothing(text: str) -> None:
    assert count_words("", text) == {}


def test_titles_are_known() -> None:
    found = count_words("Parser crashes", "The parser, the parser and its lexer")
    assert sorted(found.values()) == [1, IN_TITLE + 1, IN_TITLE + 3]


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (("Saving a file fails", ""), ("saving a FILE: fails!", ""), 1),
        (("Saving a file fails", ""), ("Loading a file fails", ""), 0),
        (("Bug", ""), ("Bug", ""), 0),
        (("Bug", "f1"), ("Other", "f1"), 2),
        (("Bug", "f1"), ("Other", "f2"), 0),
    ],
)
def test_marks(one: tuple[str, str], other: tuple[str, str], shared: int) -> None:
    assert len(set(marks(*one)) & set(marks(*other))) == shared


def test_packed() -> None:
    data = pack({7: 2, 3: IN_TITLE + 1}, (5,))
    assert struct.unpack("<3I3B", data) == (3, 5, 7, IN_TITLE + 1, 0, 2)


def test_spelt_again() -> None:
    found = count_words("Parser crashes", "lexer")
    assert set(spell("Parser crashes", "lexer", found).values()) == {"parser", "crashes", "lexer"}


@pytest.mark.parametrize(
    "text", ["<!--" * 50_000, "http://" * 50_000, "ab " * 100_000, "漢" * 200_000, "a" * 200_000]
)
def test_no_text_is_dear(text: str) -> None:
    assert text_grows_linearly(lambda part: count_words(part[:1_000], part), text)
    found = count_words(text[:1_000], text)
    assert len(found) <= MOST


def test_many_words_are_cut() -> None:
    assert (
        len(count_words("title", " ".join(f"word{chr(97 + n % 26)}{chr(97 + n // 26)}q" for n in range(600))))
        == MOST
    )

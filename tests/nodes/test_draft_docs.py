"""Concrete replacements, or an outline of the reporter's questions."""

import pytest

from nodes.draft_docs import DraftDocs, replacements
from tests.nodes.build import case, run, text_of


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ('"recieve" should be "receive"', [("recieve", "receive")]),
        ("`--colour` should read `--color`", [("--colour", "--color")]),
        ("Please replace `foo()` with `bar()`.", [("foo()", "bar()")]),
        ("`teh` -> `the`", [("teh", "the")]),
        ("The page says `pip install x` instead of `pip install y`.", [("pip install x", "pip install y")]),
        ("It should be `max` instead of `min`.", [("min", "max")]),
        ("Use `new` rather than `old`", [("old", "new")]),
        ("typo: seperate -> separate", [("seperate", "separate")]),
        ("misspelled: it should be this", []),
        ("`a` is nice and `b` too", []),
        ("`same` should be `same`", []),
    ],
)
def test_replacements(text: str, pairs: list[tuple[str, str]]) -> None:
    assert replacements(text) == pairs


def test_a_replacement_is_a_diff() -> None:
    done = run(DraftDocs(), case("Typo", '"recieve" should be "receive"', "docs"))
    assert text_of(done, "Proposed change") == "```diff\n- recieve\n+ receive\n```"


def test_missing_pages_get_the_questions_as_outline() -> None:
    body = "There is no documentation of sorting. How do I sort by key? What is the default order?"
    done = run(DraftDocs(), case("Sorting is undocumented", body, "docs"))
    assert text_of(done, "Outline of the page") == (
        "The page should answer:\n\n- How do I sort by key?\n- What is the default order?"
    )


@pytest.mark.parametrize("body", ["", "It is missing.", "Broken?", "A wrong word. Why is it so?"])
def test_nothing_concrete_adds_nothing(body: str) -> None:
    given = case("Guide", body, "docs")
    assert run(DraftDocs(), given) is given

"""Where to start, only from evidence."""

from dataclasses import replace

import pytest

from models.case import CodeSigns
from nodes.parse_stack_trace import ParseStackTrace
from nodes.suggest_fix import SuggestFix
from nodes.text.causes import CAUSES, advice_for
from tests.nodes.build import case, run, text_of
from tests.nodes.test_parse_stack_trace import GO, JAVA, NODE, PYTHON, RUST


@pytest.mark.parametrize(
    ("trace", "place", "advice"),
    [
        (PYTHON, "`/home/ada/widgets/store.py:88` in `load`", "A key is taken for granted"),
        (JAVA, "`com/octo/widgets/Shelf.java:41`", "A value is missing"),
        (NODE, "`/srv/widgets/lib/shelf.js:17`", "A value is missing"),
        (GO, "`/home/ada/widgets/shelf/shelf.go:23`", "A value is missing"),
        (RUST, "`src/shelf.rs:42`", "A value is missing"),
    ],
)
def test_the_trace_says_where(trace: str, place: str, advice: str) -> None:
    given = run(ParseStackTrace(), case("It fell", trace, "bug"))
    text = text_of(run(SuggestFix(), given), "Where to start")
    assert f"Start at {place}" in text
    assert advice in text


@pytest.mark.parametrize(
    ("line", "start"),
    [
        ("Error: connect ECONNREFUSED 127.0.0.1:5432", "Nothing listens"),
        ("ModuleNotFoundError: No module named 'x'", "Something is missing"),
        ("thread 'main' panicked at 'already borrowed: BorrowMutError'", "A RefCell"),
        ("java.lang.OutOfMemoryError: Java heap space", "Memory runs out"),
        ("EACCES: permission denied, open '/x'", "A right is missing"),
        ("my own words", ""),
    ],
)
def test_well_known_errors(line: str, start: str) -> None:
    assert advice_for(line).startswith(start)
    given = replace(case("It fell", route="bug"), code=CodeSigns(errors=(line,)))
    assert bool(text_of(run(SuggestFix(), given), "Where to start")) == bool(start)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("It worked in 1.4.2 and fails since 1.5.0.", ""),
        ("It worked fine in version 1.4.2. Broken since 1.5.0.", "Worked in 1.4.2, fails since 1.5.0"),
        ("Works with 2.1, after upgrading to 2.2 it is empty.", "Worked in 2.1, fails since 2.2"),
        ("No problem in 3.0.1 on the same machine.", "Worked in 3.0.1: look at what changed after it"),
        ("I work with 3 people.", None),
    ],
)
def test_the_range_of_a_regression(body: str, text: str | None) -> None:
    given = case("It fell", body, "bug")
    done = run(SuggestFix(), given)
    if text is None:
        assert done is given
    else:
        assert text in text_of(done, "Where to start")


def test_nothing_to_go_on_adds_nothing() -> None:
    given = case("It fell", "It just fell.", "bug")
    assert run(SuggestFix(), given) is given


def test_advice_is_a_sentence() -> None:
    assert all(cause.advice.endswith(".") and 40 < len(cause.advice) < 240 for cause in CAUSES)

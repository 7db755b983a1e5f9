"""Suspects for the reviewer, and questions only where something is really missing."""

from dataclasses import replace
from typing import Any

import pytest

from models.case import Case
from nodes.analyze_code import AnalyzeCode
from nodes.parse_stack_trace import ParseStackTrace
from nodes.request_review import ASK_EXPECTED, ASK_STEPS, ASK_VERSION, RequestReview
from tests.nodes.build import case, run, text_of
from tests.nodes.test_parse_stack_trace import PYTHON

FULL = "### Version\n\n1.4.2\n\n### Steps\n\n1. open it\n2. close it\n\n### Expected\n\nIt stays."


def review(body: str, **changes: Any) -> Case:
    given = run(AnalyzeCode(), case("It fell", body, "bug", **changes))
    return run(RequestReview(), run(ParseStackTrace(), given))


@pytest.mark.parametrize(
    ("body", "questions"),
    [
        ("It fell.", (ASK_STEPS, ASK_VERSION, ASK_EXPECTED)),
        ("It fell on Linux.", (ASK_STEPS, ASK_EXPECTED)),
        ("It fell, I expected it to stand. Version 1.2.3.", (ASK_STEPS,)),
        ("It fell in React 18, with `x`. I expected it to stand.", (ASK_STEPS,)),
        ("It fell on master at 0123abc.", (ASK_STEPS, ASK_EXPECTED)),
        ("```\nfall()\n```\nOn 1.2.3.", ()),
        ("```\nfall()\n```\nThe result should be 3, on 1.2.3 I get 4.", ()),
        (FULL, ()),
        (f"With 1.2.3:\n```\n{PYTHON}```", ()),
        (f"```\n{PYTHON}```", (ASK_VERSION,)),
        ("https://codesandbox.io/s/abc shows it, on Windows 11. It should stand.", ()),
    ],
)
def test_questions(body: str, questions: tuple[str, ...]) -> None:
    assert review(body).questions == questions


@pytest.mark.parametrize("changes", [{"author_association": "OWNER"}, {"author": "renovate[bot]"}])
def test_insiders_and_bots_are_not_asked(changes: dict[str, Any]) -> None:
    assert review("It fell.", **changes).questions == ()


def test_files_of_the_trace_come_first() -> None:
    text = text_of(review(f"See lib/other.py and widgets/store.py.\n```\n{PYTHON}```"), "For the review")
    assert text.split("\n") == [
        "- [ ] `/home/ada/widgets/store.py`, in the trace in `load`",
        "- [ ] `/home/ada/widgets/cli.py`, in the trace in `main`",
        "- [ ] `lib/other.py`, named in the text",
    ]


def test_no_files_no_section() -> None:
    assert review("It fell with a.py in /usr/lib/x/b.py").sections == ()


def test_the_knob_bounds_the_questions() -> None:
    given = run(AnalyzeCode(), case("It fell", "It fell.", "bug"))
    assert len(run(replace(RequestReview(), questions=1), given).questions) == 1

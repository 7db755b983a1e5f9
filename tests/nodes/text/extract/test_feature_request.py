"""A wish taken apart: what is a problem, a proposal, a criterion, a question, and what is none."""

import pytest

from nodes.text.extract.feature_request import MAX_CRITERIA, MAX_CRITERION, read_wish
from tests.growth import text_grows_linearly


@pytest.mark.parametrize(
    ("body", "problem", "proposal"),
    [
        (
            "Currently I cannot find a widget. I would like a search box.",
            ("Currently I cannot find a widget.",),
            ("I would like a search box.",),
        ),
        ("Please add a clock. It must show seconds.", (), ("Please add a clock.",)),
        ("Make the colour of the shelf customizable.", (), ("Make the colour of the shelf customizable.",)),
        ("It is not possible to sort widgets.", ("It is not possible to sort widgets.",), ()),
        (
            "There is no way to sort, e.g. Magento can do it.",
            ("There is no way to sort, e.g. Magento can do it.",),
            (),
        ),
        (
            "This line was broken\nfor its width, currently I have to sort\nby hand.",
            ("This line was broken for its width, currently I have to sort by hand.",),
            (),
        ),
        ("Hi there, thanks for the tool.", (), ()),
        ("x = currently(unable_to); y = 3", (), ()),
        ("A clear and concise description of what the problem is currently.", (), ()),
        ("### Steps to reproduce\n\nCurrently I cannot sort the shelf.", (), ()),
        ("### Motivation\n\nSlow work.\n\n### Proposed solution\n\nA box.", ("Slow work.",), ("A box.",)),
    ],
)
def test_problem_and_proposal(body: str, problem: tuple[str, ...], proposal: tuple[str, ...]) -> None:
    wish = read_wish(body)
    assert (wish.problem, wish.proposal) == (problem, proposal)


@pytest.mark.parametrize(
    ("body", "criteria"),
    [
        (
            "- [ ] filters within 100 ms\n- [ ] works without a mouse",
            ("filters within 100 ms", "works without a mouse"),
        ),
        ("- [x] done already\n- [ ] still to do", ("still to do",)),
        (
            "### Acceptance criteria\n\n- It sorts by name\n- It sorts by date",
            ("It sorts by name", "It sorts by date"),
        ),
        (
            "The search should:\n\n- ignore case\n- find parts of words",
            ("ignore case", "find parts of words"),
        ),
        (
            "An optional endpoint with at least:\n\n- runs started, per job\n- age of the oldest run",
            ("runs started, per job", "age of the oldest run"),
        ),
        (
            "What we'd need:\n\n- the code flow with PKCE\n- an option to disable local logins",
            ("the code flow with PKCE", "an option to disable local logins"),
        ),
        ("Users should be able to pick a colour.", ("Users should be able to pick a colour.",)),
        (
            "When it is closed, the panel must keep its size.",
            ("When it is closed, the panel must keep its size.",),
        ),
        # not these
        ("### Checklist\n\n- [ ] I have read the rules\n- [ ] I agree", ()),
        ("I think this should be easy.", ()),
        ("You should close the window first.", ()),
        ("We should discuss it.", ()),
        ("Should it also sort the labels?", ()),
        ("But it should work in theory.", ()),
        ("Using a pipe should fix this.", ()),
        ("The developer does not need to know.", ()),
        ("A bug report must include:\n\n- the version of it\n- the system it runs on", ()),
        ("The old one was removed, which is fine.", ()),
        ("```\nIt should not be read here.\n```", ()),
        ("> It should not be read here.", ()),
    ],
)
def test_criteria(body: str, criteria: tuple[str, ...]) -> None:
    assert read_wish(body).criteria == criteria


@pytest.mark.parametrize(
    ("body", "questions"),
    [
        ("Should it also sort the labels?", ("Should it also sort the labels?",)),
        ("What happens to labels without a name?", ("What happens to labels without a name?",)),
        ("Could you add a clock, please?", ()),
        ("Thoughts, or any ideas on this?", ()),
        ("What do you think about it?", ()),
        ("Is there a way to sort them?", ()),
    ],
)
def test_open_questions(body: str, questions: tuple[str, ...]) -> None:
    assert read_wish(body).questions == questions


def test_what_is_left_out() -> None:
    assert read_wish("### Out of scope\n\nSearching in labels.").outside == ("Searching in labels.",)
    assert read_wish("I am not asking for a new theme here.").outside == (
        "I am not asking for a new theme here.",
    )


def test_fields_that_were_left_empty() -> None:
    body = "### Proposed solution\n\n_No response_\n\n### Motivation\n\nSlow work.\n\n### Version\n\n_No response_"
    assert read_wish(body).unanswered == ("Proposed solution",)


def test_bounds_and_harmless_words() -> None:
    body = "".join(f"- [ ] ask @ada about item {n} {'x' * 400}\n" for n in range(50))
    criteria = read_wish(body).criteria
    assert len(criteria) == MAX_CRITERIA
    assert all(len(text) <= MAX_CRITERION and "@ada" not in text for text in criteria)


@pytest.mark.parametrize(
    "body",
    [
        "should " * 20_000,
        "a " * 30_000 + "must",
        "If " + "a," * 20_000,
        "When a, " * 8_000,
        "- [ ] " * 10_000,
        "\n- x:" * 4_500,
    ],
)
def test_time_stays_linear(body: str) -> None:
    assert text_grows_linearly(read_wish, body)

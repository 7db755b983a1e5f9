"""The two likeliest routes and why; a story only where the policy says so."""

from dataclasses import replace

import pytest

from models.case import Decision
from nodes.ask_human import ASK_FOR_CONTENT, AskHuman
from tests.nodes.build import case, command, context, decided, prediction, run, text_of

LONG = "I wonder whether this is right."


def test_the_two_likeliest_and_their_signs() -> None:
    answer = prediction(
        "feature", 0.5, probabilities={"bug": 0.4, "feature": 0.5, "docs": 0.05, "question": 0.05}
    )
    given = replace(case("Hm", LONG), decision=decided("needs_human", prediction=answer))
    done = run(AskHuman(), given)
    assert text_of(done, "Which route?").split("\n") == [
        "Most likely **a feature request** (50%) or **a bug** (40%).",
        "",
        "- Speaks for a feature request: “crash” in the title, a stack trace",
        "- Speaks against: “please add”",
    ]
    assert done.commands == () and done.questions == ()


@pytest.mark.parametrize(("body", "asked"), [("", True), ("<!-- form -->", True), ("?", True), (LONG, False)])
def test_an_empty_issue_is_asked_for_content(body: str, asked: bool) -> None:
    done = run(AskHuman(), replace(case("Hm", body), decision=decided("needs_human")))
    assert done.questions == ((ASK_FOR_CONTENT,) if asked else ())


@pytest.mark.parametrize(
    ("route", "kind"), [("bug", "bug"), ("feature", "feature"), ("docs", "chore"), ("question", "chore")]
)
def test_a_story_where_the_policy_wants_one(route: str, kind: str) -> None:
    given = replace(case("Hm", LONG), decision=decided("needs_human", prediction=prediction(route, 0.4)))
    payload = command(run(AskHuman(), given, context(needs_human="story")), "create_story")
    assert payload["story_type"] == kind
    assert payload["labels"] == ["needs triage"]
    assert "## Which route?" in payload["description"]


def test_without_a_prediction() -> None:
    nobody = Decision(route="needs_human", confidence=0.0, accepted=False)
    done = run(AskHuman(), replace(case("Hm", LONG), decision=nobody), context(needs_human="story"))
    assert "no rule and no model" in text_of(done, "Which route?")
    assert command(done, "create_story")["story_type"] == "chore"


@pytest.mark.parametrize(
    ("by", "policy", "expected"),
    [
        ("model", "ask", []),
        ("model", "story", ["create_story"]),
        ("label", "ask", ["move_story"]),
        ("label", "story", ["create_story", "move_story"]),
        ("person", "ask", ["move_story"]),
        ("person", "story", ["move_story"]),
    ],
)
def test_a_question_that_a_person_found_gets_no_story_but_its_story_says_so(
    by: str, policy: str, expected: list[str]
) -> None:
    given = replace(case("Hm"), decision=decided("needs_human", by=by))
    done = run(AskHuman(), given, context(needs_human=policy))
    assert [wish.operation for wish in done.commands] == expected
    if by == "person":
        move = command(done, "move_story")
        assert (move["label"], move["story_type"]) == ("question", None)
        assert done.questions == () and done.sections == ()

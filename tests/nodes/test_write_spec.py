"""The specification is the reporter's own words in order; what must hold becomes tasks."""

from dataclasses import replace
from typing import Any

import pytest

from models.asks import Drafted, WriteDraft
from nodes.base import Context
from nodes.create_story import CreateStory
from nodes.write_spec import WriteSpec
from tests.nodes.build import case, command, context, run, text_of

FORM = """\
**Is your feature request related to a problem? Please describe.**
Finding a widget takes long.

**Describe the solution you'd like**
A search box above the shelf. It should filter while typing.

**Describe alternatives you've considered**
Sorting by hand.

### Acceptance criteria

- [ ] filters within 100 ms
- [ ] works without a mouse

### Out of scope

Searching in labels.
"""


def test_a_form_is_taken_field_by_field() -> None:
    done = run(WriteSpec(), case("Search", FORM, "feature"))
    assert text_of(done, "Specification") == "\n\n".join(
        [
            "**Problem**",
            "Finding a widget takes long.",
            "**Proposal**",
            "A search box above the shelf.\nIt should filter while typing.",
            "**Alternatives considered**",
            "Sorting by hand.",
            "**Out of scope**",
            "Searching in labels.",
        ]
    )
    assert done.tasks == ("filters within 100 ms", "works without a mouse")


def test_what_becomes_a_task_is_not_told_twice() -> None:
    done = run(WriteSpec(), case("Wish", "Please add a clock. It must show seconds.", "feature"))
    assert text_of(done, "Specification") == "**Proposal**\n\nPlease add a clock."
    assert done.tasks == ("It must show seconds.",)


def test_tasks_reach_the_story_and_only_when_it_is_made() -> None:
    done = run(CreateStory(story_type="feature"), run(WriteSpec(), case("Search", FORM, "feature")))
    assert command(done, "create_story")["tasks"] == ["filters within 100 ms", "works without a mouse"]
    plain = run(CreateStory(story_type="feature"), case("Search", "Please.", "feature"))
    assert "tasks" not in command(plain, "create_story")


@pytest.mark.parametrize("body", ["", "Hm.", "### Solution\n\n_No response_", "<!-- I would like more -->"])
def test_nothing_said_adds_nothing(body: str) -> None:
    given = case("Wish", body, "feature")
    assert run(WriteSpec(), given) is given


def test_promises_of_the_form_are_no_criteria() -> None:
    body = "Please add a clock.\n\n### Checklist\n\n- [ ] I have read the rules\n- [ ] I searched"
    done = run(WriteSpec(), case("Wish", body, "feature"))
    assert done.tasks == () and "I have read" not in text_of(done, "Specification")


def with_model(answer: Drafted | None, asked: list[WriteDraft]) -> Context:
    """A context with a language model that answers so."""

    async def ask(question: Any, /) -> Any:
        asked.append(question)
        return answer

    return replace(context(services=frozenset({"llm"})), ask=ask)


DATA = {
    "problem": "Finding takes long.",
    "proposal": "A box. See @ada and https://evil.example/x",
    "criteria": ["It filters.", "## It\nsorts"],
    "out_of_scope": ["Labels"],
}


def test_a_draft_is_marked_and_its_criteria_are_no_tasks() -> None:
    asked: list[WriteDraft] = []
    done = run(
        WriteSpec(), case("Search", "Please.", "feature"), with_model(Drafted(data=DATA, model="stub"), asked)
    )
    text = text_of(done, "Specification, drafted")
    assert text.startswith("*Draft by `stub`; nobody has checked it.*")
    assert "- It filters.\n" in text and "**Out of scope**\n\n- Labels" in text
    assert "@ada" not in text and "`https://evil.example/x`" in text and "\n## " not in text
    assert done.tasks == ()
    assert [question.kind for question in asked] == ["spec"]


@pytest.mark.parametrize(
    "data", [{}, {"problem": None, "criteria": "none", "out_of_scope": [None, ""]}, {"x": 1}]
)
def test_a_strange_draft_does_no_harm(data: dict[str, Any]) -> None:
    done = run(
        WriteSpec(), case("Search", "Please.", "feature"), with_model(Drafted(data=data, model="stub"), [])
    )
    assert done.tasks == ()


def test_a_suspicious_text_is_not_drafted() -> None:
    asked: list[WriteDraft] = []
    given = replace(case("Search", "Please.", "feature"), suspicions=("instructions in an HTML comment",))
    run(WriteSpec(), given, with_model(Drafted(data=DATA, model="stub"), asked))
    assert asked == []

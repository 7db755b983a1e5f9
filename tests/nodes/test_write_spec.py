"""The specification is the reporter's own words in order."""

import pytest

from nodes.write_spec import WriteSpec
from tests.nodes.build import case, run, text_of

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
    text = text_of(run(WriteSpec(), case("Search", FORM, "feature")), "Specification")
    assert text == "\n\n".join(
        [
            "**Problem**",
            "Finding a widget takes long.",
            "**Proposal**",
            "A search box above the shelf.\nIt should filter while typing.",
            "**Acceptance criteria**",
            "- [ ] filters within 100 ms\n- [ ] works without a mouse",
            "**Alternatives considered**",
            "Sorting by hand.",
            "**Out of scope**",
            "Searching in labels.",
        ]
    )


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        (
            "Currently I cannot find a widget. I would like a search box.",
            [
                "**Problem**",
                "Currently I cannot find a widget.",
                "**Proposal**",
                "I would like a search box.",
            ],
        ),
        (
            "Please add a clock. It must show seconds.",
            ["**Proposal**", "Please add a clock.", "**Acceptance criteria**", "- [ ] It must show seconds."],
        ),
    ],
)
def test_sentences_are_sorted_by_their_cues(body: str, parts: list[str]) -> None:
    assert text_of(run(WriteSpec(), case("Wish", body, "feature")), "Specification") == "\n\n".join(parts)


@pytest.mark.parametrize("body", ["", "Hm.", "### Solution\n\n_No response_", "<!-- I would like more -->"])
def test_nothing_said_adds_nothing(body: str) -> None:
    given = case("Wish", body, "feature")
    assert run(WriteSpec(), given) is given


def test_promises_of_the_form_are_no_criteria() -> None:
    body = "Please add a clock.\n\n### Checklist\n\n- [ ] I have read the rules\n- [ ] I searched"
    assert "I have read" not in text_of(run(WriteSpec(), case("Wish", body, "feature")), "Specification")

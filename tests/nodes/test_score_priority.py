"""The priority and its parts."""

from dataclasses import replace

import pytest

from models.case import Case, Impact
from nodes.score_priority import ScorePriority
from tests.nodes.build import alike, case, run, text_of


def wish(body: str = "Please.", **changes: object) -> Case:
    return run(ScorePriority(), replace(case("Add it", body, "feature", **changes), estimate=3))


def test_the_parts_are_shown() -> None:
    text = text_of(wish("This is essential for our workflow.", reactions=3, comments=1), "Priority")
    assert text.split("\n") == [
        "**32 of 100** = reach 4.7 x impact 2 x confidence 40% / effort 3",
        "",
        "- Reach: 3 reactions, 1 comment",
        "- Impact: the text calls it necessary (“is essential”)",
        "- Confidence: hardly described",
    ]


def test_nobody_has_spoken_and_nothing_is_said() -> None:
    lines = text_of(wish("Please."), "Priority").split("\n")
    assert lines[2:4] == ["- Reach: nobody else has spoken yet", "- Impact: useful, no more is said"]


@pytest.mark.parametrize(
    ("body", "impact"),
    [
        ("It is a must-have for us.", 2.0),
        ("Screen readers skip the menu.", 2.0),
        ("This is not critical.", 1.0),
        ("The wording should be easily accessible.", 1.0),
        ("I have to do it manually every time.", 1.5),
        ("It would be nice to have.", 0.5),
        ("A minor thing.", 0.5),
        ("A clock shows the time.", 1.0),
    ],
)
def test_impact_by_the_texts_own_words(body: str, impact: float) -> None:
    assert f"x impact {impact:g} x" in text_of(wish(body), "Priority")


def test_more_of_each_part_scores_higher() -> None:
    plain = wish().priority or 0
    assert (wish(reactions=40).priority or 0) > plain
    assert (wish("It is a must-have.").priority or 0) > plain
    assert (wish("It would be nice to have.").priority or 0) < plain
    assert (wish("See `this` and `that`. " * 40).priority or 0) > plain
    cheap = run(ScorePriority(), replace(case("Add it", "Please.", "feature"), estimate=1))
    assert (cheap.priority or 0) > plain


def test_who_asked_for_the_same_adds_to_the_reach() -> None:
    twins = (alike(0.9), alike(0.8, "octo/widgets#4"), alike(0.5, "octo/widgets#5"))
    done = run(ScorePriority(), replace(case("Add it", "Please.", "feature"), estimate=3, similar=twins))
    assert (done.priority or 0) > (wish().priority or 0)
    assert "2 issues very much like it" in text_of(done, "Priority")


def test_the_score_stays_in_its_bounds() -> None:
    loud = wish("essential " * 100 + "`x`", reactions=10**9, comments=10**9).priority
    assert loud is not None and 0 <= loud <= 100


def test_other_routes_take_the_impact_and_a_little_for_duplicates() -> None:
    given = replace(case("It fell", route="bug"), impact=Impact(score=42.5))
    done = run(ScorePriority(), given)
    assert (done.priority, done.sections) == (42.5, ())
    assert run(ScorePriority(), replace(given, similar=(alike(0.9), alike(0.5)))).priority == 46.5
    full = replace(given, impact=Impact(score=99.0), similar=(alike(0.9),))
    assert run(ScorePriority(), full).priority == 100.0
    assert run(ScorePriority(), case("It fell", route="bug")).priority is None

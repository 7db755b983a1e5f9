"""The priority and its parts."""

from dataclasses import replace

from models.case import Case, Impact
from nodes.score_priority import ScorePriority
from tests.nodes.build import case, run, text_of


def wish(body: str = "Please.", **changes: object) -> Case:
    return run(ScorePriority(), replace(case("Add it", body, "feature", **changes), estimate=3))


def test_the_parts_are_shown() -> None:
    text = text_of(wish("This is essential for our workflow.", reactions=3, comments=1), "Priority")
    assert text.split("\n") == [
        "**32 of 100** = reach 4.7 x impact 2 x confidence 40% / effort 3",
        "",
        "- Reach: 3 reactions, 1 comment",
        "- Impact: the text calls it necessary",
        "- Confidence: hardly described",
    ]


def test_more_of_each_part_scores_higher() -> None:
    plain = wish().priority or 0
    assert (wish(reactions=40).priority or 0) > plain
    assert (wish("It is a must-have.").priority or 0) > plain
    assert (wish("It would be nice to have.").priority or 0) < plain
    assert (wish("See `this` and `that`. " * 40).priority or 0) > plain
    cheap = run(ScorePriority(), replace(case("Add it", "Please.", "feature"), estimate=1))
    assert (cheap.priority or 0) > plain


def test_the_score_stays_in_its_bounds() -> None:
    loud = wish("essential " * 100 + "`x`", reactions=10**9, comments=10**9).priority
    assert loud is not None and 0 <= loud <= 100


def test_other_routes_take_the_impact() -> None:
    given = replace(case("It fell", route="bug"), impact=Impact(score=42.5))
    done = run(ScorePriority(), given)
    assert (done.priority, done.sections) == (42.5, ())
    assert run(ScorePriority(), case("It fell", route="bug")).priority is None

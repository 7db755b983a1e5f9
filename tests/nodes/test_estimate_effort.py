"""Points, range and reasons."""

from dataclasses import replace

import pytest

from models.asks import Ask, EstimateScale
from models.case import Case, CodeSigns, Route, Similar
from nodes.analyze_code import AnalyzeCode
from nodes.assess_impact import AssessImpact
from nodes.base import Context
from nodes.estimate_effort import SCALE, EstimateEffort, nearest
from nodes.parse_stack_trace import ParseStackTrace
from tests.nodes.build import case, context, decided, run, text_of
from tests.nodes.test_parse_stack_trace import PYTHON


@pytest.mark.parametrize(
    ("route", "title", "body", "points"),
    [
        ("feature", "Change the tooltip and rename the menu", "", 2),
        ("feature", "An option to hide the clock", "", 3),
        ("feature", "Make it better", "", 3),
        ("feature", "Rewrite the plugin system", "A redesign with a database migration.", 8),
        ("feature", "Support for Windows", "Cross-platform, with a new REST API.", 8),
        ("feature", "Add a calendar widget", "", 5),
        ("feature", "List of improvements to the calendar", "", 8),
        ("feature", "Typo detection in the address field", "We could migrate to version 3.", 2),
        ("docs", "Typo in the readme", "", 1),
        ("bug", "It fell", "It fell.", 3),
        ("bug", "It fell", f"1. open\n2. close\n```\n{PYTHON}```", 1),
        ("bug", "It hangs", "It hangs forever, a deadlock.", 5),
    ],
)
def test_points(route: Route, title: str, body: str, points: int) -> None:
    given = case(title, body, route)
    for node in (AnalyzeCode(), AssessImpact(), ParseStackTrace()):
        given = run(node, given)
    done = run(EstimateEffort(), given)
    assert done.estimate == points
    assert done.estimate in SCALE


def test_the_reasons_are_told() -> None:
    text = text_of(run(EstimateEffort(), case("Rewrite it", "With a migration.", "feature")), "Effort")
    assert text == "**8 points** (between 5 and 8): stored data or a migration; a redesign."


def test_what_is_mentioned_late_is_no_sign() -> None:
    late = case("A clock", "Words. " * 300 + "Not a rewrite.", "feature")
    assert run(EstimateEffort(), late).estimate == 3


def test_a_wish_without_a_sign_is_said_to_be_a_usual_one() -> None:
    done = run(EstimateEffort(), case("Make it better", "", "feature"))
    assert text_of(done, "Effort") == "**3 points** (between 2 and 5): the usual size of a wish."


def test_signs_that_outweigh_each_other_are_told_alone() -> None:
    given = case("Log in with OAuth", "With an option to turn it off, behind a flag.", "feature")
    text = text_of(run(EstimateEffort(), given), "Effort")
    assert text.endswith(": a new option or setting; security or permissions.")


def test_what_a_report_lacks_is_no_sign_of_how_long_a_hole_takes() -> None:
    given = replace(case("Raise glimmer-yaml", "", "security"), code=CodeSigns())
    assert run(EstimateEffort(), given).sections == ()
    assert run(EstimateEffort(), replace(given, decision=decided("bug"))).sections


def test_elsewhere_no_sign_makes_no_section() -> None:
    done = run(EstimateEffort(), case("Some words are missing", "", "docs"))
    assert (done.estimate, done.sections) == (1, ())


def test_a_team_that_knows_its_code_is_faster() -> None:
    given = case("Rewrite it", "With a migration.", "feature")
    assert run(replace(EstimateEffort(), weight=0.2), given).estimate == 3


def story(number: int, points: int | None, score: float, *, done: bool = True) -> Similar:
    """A story that is like the wish at hand."""
    return Similar(
        ref=f"shortcut:{number}",
        title=f"Story {number}",
        url=f"https://app.shortcut.com/x/story/{number}",
        score=score,
        reason="words",
        done=done,
        estimate=points,
    )


@pytest.mark.parametrize(
    ("similar", "points", "told"),
    [
        ((story(1, 5, 0.6),), 5, "**5 points**: finished like it: [Story 1]"),
        ((story(1, 1, 0.5), story(2, 2, 0.9), story(3, 8, 0.5)), 2, "**2 points** (between 1 and 8)"),
        ((story(1, 1, 0.9), story(2, 8, 0.45), story(3, 8, 0.45)), 8, "**8 points** (between 1 and 8)"),
        # not finished, not estimated, not alike: the signs decide
        ((story(1, 8, 0.9, done=False), story(2, None, 0.9), story(3, 8, 0.39)), 3, "the usual size"),
        ((story(1, 0, 0.9),), 3, "the usual size"),
    ],
)
def test_finished_stories_count_more_than_signs(similar: tuple[Similar, ...], points: int, told: str) -> None:
    done = run(EstimateEffort(), replace(case("A clock", "", "feature"), similar=similar))
    assert done.estimate == points
    assert told in text_of(done, "Effort")


def test_a_story_is_named_with_its_points_and_harmless() -> None:
    odd = replace(story(7, 1, 0.9), title="a] (b) @ada", url="javascript:x")
    text = text_of(
        run(EstimateEffort(), replace(case("A", "", "feature"), similar=(story(1, 2, 0.8), odd))), "Effort"
    )
    assert "[Story 1](https://app.shortcut.com/x/story/1) (2 points)" in text
    assert "javascript" not in text and "@ada" not in text


@pytest.mark.parametrize(
    ("points", "scale", "expected"),
    [
        (3, (1, 2, 4, 8), 4),
        (5, (1, 2, 4, 8), 4),
        (2, (1, 2, 3), 2),
        (8, (1, 2, 3), 3),
        (1, (4, 16), 4),
        (2, (1, 4), 4),
        (13, (5,), 5),
    ],
)
def test_the_nearest_value_by_ratio(points: int, scale: tuple[int, ...], expected: int) -> None:
    assert nearest(points, scale) == expected


@pytest.mark.parametrize(
    ("configured", "answer", "services", "asked", "estimate"),
    [
        (None, (0, 1, 2, 4, 8), {"shortcut"}, 1, 4),
        (None, None, {"shortcut"}, 1, 3),
        (None, (), {"shortcut"}, 1, None),
        (None, (0,), {"shortcut"}, 1, None),
        (None, (1, 2, 4), set(), 0, 3),
        ((1, 10, 20), (1, 2, 4), {"shortcut"}, 0, 1),
        ((), (1, 2, 4), {"shortcut"}, 0, None),
    ],
)
def test_the_teams_scale(
    configured: tuple[int, ...] | None,
    answer: tuple[int, ...] | None,
    services: set[str],
    asked: int,
    estimate: int | None,
) -> None:
    done, asks = on_scale(
        case("Make it better", "", "feature"), configured=configured, answer=answer, services=services
    )
    assert (done.estimate, len(asks)) == (estimate, asked)
    assert bool(done.sections) == (estimate is not None)


def on_scale(
    given: Case, *, configured: tuple[int, ...] | None, answer: tuple[int, ...] | None, services: set[str]
) -> tuple[Case, list[EstimateScale]]:
    """What the node makes of a case where the service's scale is `answer`, and what it asked."""
    asks: list[EstimateScale] = []

    async def ask(question: Ask[object], /) -> object:
        assert isinstance(question, EstimateScale)
        asks.append(question)
        return answer

    ctx: Context = replace(
        context(services=frozenset(services), estimate_scale=configured),
        ask=ask,  # type: ignore[arg-type]
    )
    return run(EstimateEffort(), given, ctx), asks

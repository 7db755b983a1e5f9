"""Points, range and reasons."""

from dataclasses import replace

import pytest

from models.case import Route
from nodes.analyze_code import AnalyzeCode
from nodes.assess_impact import AssessImpact
from nodes.estimate_effort import SCALE, EstimateEffort
from nodes.parse_stack_trace import ParseStackTrace
from tests.nodes.build import case, run, text_of
from tests.nodes.test_parse_stack_trace import PYTHON


@pytest.mark.parametrize(
    ("route", "title", "body", "points"),
    [
        ("feature", "Add a tooltip and rename the label", "", 2),
        ("feature", "An option to hide the clock", "", 3),
        ("feature", "Make it better", "", 3),
        ("feature", "Rewrite the plugin system", "A redesign with a database migration.", 8),
        ("feature", "Support for Windows", "Cross-platform, with a new REST API.", 8),
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


def test_no_sign_no_section() -> None:
    done = run(EstimateEffort(), case("Make it better", "", "feature"))
    assert (done.estimate, done.sections) == (3, ())


def test_a_team_that_knows_its_code_is_faster() -> None:
    given = case("Rewrite it", "With a migration.", "feature")
    assert run(replace(EstimateEffort(), weight=0.2), given).estimate == 3

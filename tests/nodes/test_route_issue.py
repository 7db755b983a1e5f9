"""Who decides the route, in which order, and what is told about it."""

from dataclasses import replace
from typing import Any

import pytest

from models.case import Case, CodeSigns, Decision, Prediction, Route, Told
from nodes.base import Rule
from nodes.route_issue import RouteIssue
from nodes.text.extract.labels import is_priority, route_of_label
from tests.nodes.build import NOW, StubRouter, case, context, prediction, run


def decide(
    answer: Prediction, paths: tuple[str, ...] = (), rules: tuple[Rule, ...] = (), **changes: Any
) -> Decision:
    policy: dict[str, Any] = {"rules": rules}
    if "threshold" in changes:
        policy["accept_threshold"] = changes.pop("threshold")
    given = replace(case(**changes), code=CodeSigns(paths=paths))
    found = run(RouteIssue(), given, context(StubRouter(answer), **policy)).decision
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("label", "route"),
    [
        ("bug", "bug"),
        ("Bug :bug:", "bug"),
        ("🐛 bug", "bug"),
        ("kind/bug", "bug"),
        ("type: bug", "bug"),
        ("[Type] Bug", "bug"),
        ("C-bug", "bug"),
        ("T:defect", "bug"),
        ("regression", "bug"),
        ("crash", "bug"),
        ("enhancement", "feature"),
        ("Feature Request", "feature"),
        ("kind/feature", "feature"),
        ("C-enhancement", "feature"),
        ("new-feature", "feature"),
        ("type:feature", "feature"),
        ("docs", "docs"),
        ("Documentation", "docs"),
        ("type/documentation", "docs"),
        ("security", "security"),
        ("vulnerability", "security"),
        ("question", "needs_human"),
        ("type: question", "needs_human"),
        ("support", "needs_human"),
        ("help wanted", None),
        ("good first issue", None),
        ("wontfix", None),
        ("debug", None),
        ("area/bugs-bunny", None),
        ("", None),
        ("🐛", None),
        ("x" * 5000, None),
    ],
)
def test_labels_name_routes(label: str, route: str | None) -> None:
    assert route_of_label(label) == route


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("priority: low", True),
        ("P1", True),
        ("severity/critical", True),
        ("s2", True),
        ("p10", False),
        ("bug", False),
    ],
)
def test_labels_of_rank(label: str, expected: bool) -> None:
    assert is_priority(label) is expected


@pytest.mark.parametrize(
    ("labels", "route"),
    [
        (("bug",), "bug"),
        (("enhancement", "good first issue"), "feature"),
        (("bug", "documentation"), "docs"),
        (("documentation", "security", "bug"), "security"),
        (("question", "bug"), "bug"),
    ],
)
def test_a_persons_label_wins_over_rules_model_and_screen(labels: tuple[str, ...], route: str) -> None:
    rules = (Rule(route="feature", author="*"),)
    answer = prediction("question", security_flag=True, security_score=0.9)
    found = decide(answer, rules=rules, labels=labels)
    assert found.route == route
    assert found.accepted and found.prediction is answer
    assert found.rules[0].startswith('label "')


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (Rule(route="docs", name="docs folder", path="docs/*"), 'rule "docs folder": path docs/* → docs'),
        (Rule(route="docs", path="DOCS/*.md"), "rule 1: path DOCS/*.md → docs"),
        (Rule(route="docs", author="a*"), "rule 1: author a* → docs"),
        (Rule(route="docs", label="area/*"), "rule 1: label area/* → docs"),
        (Rule(route="docs", repository="octo/*"), "rule 1: repository octo/* → docs"),
        (Rule(route="docs", pattern=r"widgets\s+fall"), r"rule 1: pattern widgets\s+fall → docs"),
    ],
)
def test_a_rule_forces(rule: Rule, told: str) -> None:
    found = decide(prediction("bug"), paths=("/home/x/docs/guide.md",), rules=(rule,), labels=("area/ui",))
    assert (found.route, found.confidence, found.rules) == ("docs", 1.0, (told,))


@pytest.mark.parametrize(
    "rule",
    [
        Rule(route="docs"),
        Rule(route="docs", author="bob"),
        Rule(route="docs", path="docs/*", author="bob"),
        Rule(route="docs", pattern="not in the text"),
        Rule(route="docs", pattern="(broken"),
        Rule(route="docs", label="x"),
        Rule(route="docs", repository="octo/gadgets"),
    ],
)
def test_a_rule_needs_every_condition(rule: Rule) -> None:
    assert decide(prediction("bug"), paths=("docs/a.md",), rules=(rule,)).route == "bug"


def test_a_pattern_looks_only_so_far() -> None:
    rule = Rule(route="docs", pattern="needle")
    assert decide(prediction("bug"), rules=(rule,), body="x" * 30_000 + "needle").route == "bug"
    assert decide(prediction("bug"), rules=(rule,), body="x" * 10_000 + "needle").route == "docs"


def test_the_first_force_counts_and_an_earlier_forbid_stops_it() -> None:
    rules: tuple[Rule, ...] = (Rule(route="docs", author="*"), Rule(route="feature", author="*"))
    assert decide(prediction("bug"), rules=rules).route == "docs"
    rules = (Rule(route="docs", action="forbid", author="*"), *rules)
    assert decide(prediction("bug"), rules=rules).route == "feature"


def test_a_forbidden_route_gives_way_to_the_next_likely_one() -> None:
    forbid = (Rule(route="bug", action="forbid", repository="octo/*"),)
    clear = prediction(
        "bug", 0.55, probabilities={"bug": 0.55, "feature": 0.4, "docs": 0.03, "question": 0.02}
    )
    found = decide(clear, rules=forbid)
    assert found.route == "feature"
    assert found.confidence == pytest.approx(0.4 / 0.45)
    assert found.rules == ("rule 1: repository octo/* → not bug",)
    assert decide(prediction("bug"), rules=forbid).route == "needs_human"


@pytest.mark.parametrize(
    ("answer", "threshold", "route"),
    [
        (prediction("bug"), None, "bug"),
        (prediction("feature"), None, "feature"),
        (prediction("docs"), None, "docs"),
        (prediction("question"), None, "needs_human"),
        (prediction("bug", 0.4), None, "needs_human"),
        (prediction("bug", 0.4), 0.3, "bug"),
        (prediction("bug", 0.8), 0.9, "needs_human"),
        (prediction("bug", security_flag=True, security_score=0.7), None, "security"),
        (prediction("question", security_flag=True, security_score=0.7), 0.99, "security"),
    ],
)
def test_the_model_decides_where_nobody_else_does(
    answer: Prediction, threshold: float | None, route: str
) -> None:
    found = decide(answer, threshold=threshold)
    assert found.route == route
    assert found.prediction is answer


SHARES = {"bug": 0.5, "feature": 0.3, "docs": 0.2, "question": 0.0}
BARS = {"bug": 0.7, "feature": 0.6, "docs": None, "question": None}


def unsure(**changes: Any) -> Prediction:
    """Nearer to a bug than to anything, and not sure enough."""
    given = {"probabilities": SHARES, "thresholds": BARS, "accepted": False, "security_threshold": 0.4}
    return prediction("bug", 0.5, **given | changes)


def boost(route: Any, weight: float = 1.0) -> Rule:
    return Rule(route=route, action="boost", weight=weight, author="*")


@pytest.mark.parametrize(
    ("rules", "route", "confidence"),
    [
        # Odds times e^weight, then shares of one: 0.5 e / (0.5 e + 0.5).
        ((boost("bug"),), "bug", 0.7311),
        ((boost("bug", 0.5),), "needs_human", 0.6225),
        ((boost("feature"),), "needs_human", 0.5381),
        ((boost("feature", 2.0),), "feature", 0.7600),
        # Two that hold add up.
        ((boost("feature"), boost("feature")), "feature", 0.7600),
        # Both sides raised alike leave the third behind.
        ((boost("bug", 3.0), boost("feature", 3.0)), "needs_human", 0.6173),
        # No confidence is enough where the model has no threshold.
        ((boost("docs", 10.0),), "needs_human", 0.9998),
        # What has no share at all cannot be raised.
        ((Rule(route="bug", action="boost", author="nobody"),), "needs_human", 0.5),
        # A forbidden route gains nothing, in either order.
        ((boost("bug", 5.0), Rule(route="bug", action="forbid", author="*")), "feature", 0.6),
        ((Rule(route="docs", action="forbid", author="*"), boost("docs", 5.0)), "needs_human", 0.5),
        # A forced route needs no odds.
        ((boost("feature", 9.0), Rule(route="docs", author="*")), "docs", 1.0),
    ],
)
def test_a_boost_raises_a_routes_odds(rules: tuple[Rule, ...], route: str, confidence: float) -> None:
    answer = unsure()
    found = decide(answer, rules=rules)
    assert found.route == route
    assert found.confidence == pytest.approx(confidence, abs=5e-5)
    assert found.prediction is answer


def test_a_boost_is_told() -> None:
    rule = Rule(route="feature", action="boost", weight=2, author="*", name="ideas")
    assert decide(unsure(), rules=(rule,)).rules == (
        'rule "ideas": author * → feature more likely (+2)',
        "boosted, feature is at 76% instead of 30%",
    )


@pytest.mark.parametrize(("threshold", "route"), [(0.75, "feature"), (0.77, "needs_human"), (0.0, "feature")])
def test_a_configured_threshold_counts_for_boosted_routes_too(threshold: float, route: str) -> None:
    assert decide(unsure(), rules=(boost("feature", 2.0),), threshold=threshold).route == route


def test_a_model_without_thresholds_takes_the_nodes_own() -> None:
    answer = unsure(thresholds={})
    assert decide(answer, rules=(boost("docs", 3.0),)).route == "docs"
    assert decide(answer, rules=(boost("feature"),)).route == "needs_human"


@pytest.mark.parametrize(
    ("score", "weight", "bar", "route"),
    [
        (0.3, 1.0, 0.4, "security"),
        (0.3, 0.3, 0.4, "needs_human"),
        (0.3, 10.0, None, "needs_human"),
        (0.0, 10.0, 0.4, "needs_human"),
        (1.0, 10.0, 0.4, "security"),
    ],
)
def test_a_boost_of_security_is_held_against_the_screens_threshold(
    score: float, weight: float, bar: float | None, route: str
) -> None:
    found = decide(unsure(security_score=score, security_threshold=bar), rules=(boost("security", weight),))
    assert found.route == route
    if route == "security" and score < 1:
        assert found.by == "screen"
        assert found.confidence == pytest.approx(0.5381, abs=5e-5)
        assert found.rules[1:] == (
            "boosted, security is at 54% instead of 30%",
            "the security screen flagged the text (54%)",
        )


def test_a_boost_of_security_leaves_the_routes_alone() -> None:
    answer = prediction("bug", 0.7, thresholds=BARS, security_threshold=0.9)
    found = decide(answer, rules=(boost("security"),))
    assert (found.route, found.confidence) == ("bug", 0.7)


def test_a_rule_may_forbid_security() -> None:
    rules = (Rule(route="security", action="forbid", repository="*"),)
    assert decide(prediction("bug", security_flag=True, security_score=0.7), rules=rules).route == "bug"


def said(route: str, labels: tuple[str, ...] = (), **more: Any) -> Told:
    return Told(route=route, person="ann", via="slack", at=NOW.timestamp(), labels=labels, **more)


@pytest.mark.parametrize(
    ("then", "now", "word", "expected", "by"),
    [
        # A person's word goes before what the model and the labels of that time say.
        ((), (), "feature", "feature", "person"),
        (("bug",), ("bug",), "feature", "feature", "person"),
        (("bug",), ("kind/bug",), "feature", "feature", "person"),
        (("bug",), ("bug", "good first issue"), "docs", "docs", "person"),
        ((), (), "security", "security", "person"),
        ((), (), "question", "needs_human", "person"),
        # A label that was set since is the later word.
        ((), ("bug",), "feature", "bug", "label"),
        (("bug",), ("docs",), "feature", "docs", "label"),
        ((), ("question",), "feature", "needs_human", "label"),
        # One that was taken off says nothing.
        (("bug",), (), "feature", "feature", "person"),
        ((), ("good first issue",), "feature", "feature", "person"),
    ],
)
def test_the_last_person_wins(
    then: tuple[str, ...], now: tuple[str, ...], word: str, expected: Route, by: str
) -> None:
    given = replace(case(labels=now), told=said(word, then))
    decision = run(RouteIssue(), given, context(StubRouter(prediction("bug", security_flag=True)))).decision
    assert decision is not None
    assert (decision.route, decision.by, decision.by_people) == (expected, by, True)
    assert decision.prediction is not None, "people see what the model would have said"


def test_a_persons_word_goes_before_the_operators_rules_and_closed_routes() -> None:
    rules = (Rule(route="docs", pattern=".*"),)
    ctx = context(rules=rules, closed_routes=frozenset({"feature"}))
    decision = run(RouteIssue(), replace(case(), told=said("feature")), ctx).decision
    assert decision is not None
    assert (decision.route, decision.by) == ("feature", "person")
    assert decision.rules == ("ann said feature (slack, 2026-11-20)",)


@pytest.mark.parametrize(
    ("given", "held"),
    [
        (case(), True),
        (case(labels=("enhancement",)), False),
        (replace(case(), told=said("feature")), False),
        (replace(case(), told=said("bug")), False),
    ],
)
def test_a_route_that_needs_approval_is_held_until_a_person_speaks(given: Case, held: bool) -> None:
    ctx = context(StubRouter(prediction("feature")), approve=frozenset({"feature"}))
    done = run(RouteIssue(), given, ctx)
    assert done.decision is not None
    assert (done.decision.held, done.needs_person) == (held, held)


@pytest.mark.parametrize(
    ("given", "waits"),
    [
        (case(), True),
        (case(labels=("question",)), False),
        (replace(case(), told=said("question")), False),
    ],
)
def test_a_question_that_a_person_found_waits_for_nobody(given: Case, waits: bool) -> None:
    done = run(RouteIssue(), given, context(StubRouter(prediction("bug", 0.3))))
    assert (done.route, done.needs_person) == ("needs_human", waits)

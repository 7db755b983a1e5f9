"""Decides where an issue goes: a person's word or label, the operator's rules, the repository's, then the model."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Literal, NamedTuple

from models.case import LABELS, Case, Decision, Prediction, Route, Told
from models.text.escape import one_line
from nodes.base import Context, Rule
from nodes.text.extract.labels import route_of_labels
from nodes.text.safety import linear

_PATTERN_LIMIT = 20_000
_TOLD = 80
"""Characters of a repository's own words in a sentence about its rule."""


class Applied(NamedTuple):
    """What the rules say of a case."""

    forced: Rule | None
    forbidden: set[str]
    told: list[str]
    """The rules that held, as sentences."""
    boosts: dict[str, float]
    """Route to the log-odds that are added to it."""


@dataclass(frozen=True)
class RouteIssue:
    """`fallback_threshold` is what a route must reach that has none of its own: the next likeliest one
    where a rule forbids the likeliest, or any boosted one of a model that names no thresholds."""

    fallback_threshold: float = 0.6

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        # The prediction is kept whoever decides: people see what the model would have said.
        prediction = await ctx.router.predict(case)
        decision = _within(self.decide(case, prediction, ctx), ctx.policy.closed_routes)
        held = decision.route in ctx.policy.approve and not decision.by_people
        return replace(case, decision=replace(decision, held=True) if held else decision)

    def decide(self, case: Case, prediction: Prediction, ctx: Context) -> Decision:
        """The decision for one case, whichever routes its repository uses."""
        named = route_of_labels(case.issue.labels)
        if case.told and not _is_later(named, case.told):
            return _said(case.told, prediction)
        if named:
            route, label = named
            return _settled("label", route, (f'label "{one_line(label, 80)}" on the issue',), prediction)
        applied = apply_rules(case, ctx.policy.rules)
        told = applied.told
        boosts = {route: by for route, by in applied.boosts.items() if route not in applied.forbidden}
        lifted = self._lifted(prediction, boosts)
        screened = lifted.security_flag and "security" not in applied.forbidden
        forced = applied.forced
        # What a repository forces does not hide a likely vulnerability from the people who look after them.
        if forced and (forced.by == "operator" or not screened):
            return _settled("rule", forced.route, tuple(told), prediction)
        told += _changes(prediction, lifted, boosts)
        if screened:
            told.append(f"the security screen flagged the text ({lifted.security_score:.0%})")
            return Decision(
                route="security",
                confidence=lifted.security_score,
                accepted=True,
                by="screen",
                rules=tuple(told),
                prediction=prediction,
            )
        decision = self._by_model(lifted, applied.forbidden, ctx.policy.accept_threshold)
        return replace(decision, rules=tuple(told), prediction=prediction)

    def _lifted(self, prediction: Prediction, boosts: Mapping[str, float]) -> Prediction:
        """What the model would say with the boosted routes' odds multiplied; its thresholds stay."""
        if "security" in boosts:
            score, bar = _raised(prediction.security_score, boosts["security"]), prediction.security_threshold
            flag = prediction.security_flag or (bar is not None and score >= bar)
            prediction = replace(prediction, security_score=score, security_flag=flag)
        odds = {
            label: share * math.exp(boosts.get(label, 0.0))
            for label, share in prediction.probabilities.items()
        }
        total = sum(odds.values())
        if total == 0 or not boosts.keys() & odds.keys():
            return prediction
        shares = {label: share / total for label, share in odds.items()}
        route = max(shares, key=lambda label: shares[label])
        threshold = prediction.thresholds.get(route) if prediction.thresholds else self.fallback_threshold
        return replace(
            prediction,
            route=route,
            confidence=shares[route],
            accepted=threshold is not None and shares[route] >= threshold,
            probabilities=shares,
        )

    def _by_model(self, prediction: Prediction, forbidden: set[str], threshold: float | None) -> Decision:
        label, confidence, accepted = prediction.route, prediction.confidence, prediction.accepted
        if threshold is not None:
            accepted = confidence >= threshold
        if label in forbidden:
            label, confidence = _likeliest(prediction, forbidden)
            accepted = confidence >= (self.fallback_threshold if threshold is None else threshold)
        route: Route = "needs_human"
        if accepted and label in ("bug", "feature", "docs"):
            route = label  # type: ignore[assignment]
        return Decision(route=route, confidence=confidence, accepted=accepted)


def _is_later(named: tuple[Route, str] | None, told: Told) -> bool:
    """Do people's labels name another route than when this was said? Then the label is the last word."""
    then = route_of_labels(told.labels)
    return named is not None and named[0] != (then[0] if then else None)


def _said(told: Told, prediction: Prediction) -> Decision:
    """As a person said it. A question is for people, and has been seen by one."""
    route: Route = "needs_human" if told.route == "question" else told.route  # type: ignore[assignment]
    when = f"{datetime.fromtimestamp(told.at, UTC):%Y-%m-%d}"
    words = f"{one_line(told.person, 60)} said {told.route} ({told.via}, {when})"
    return _settled("person", route, (words,), prediction)


def _within(decision: Decision, closed: frozenset[Route]) -> Decision:
    """The same, but left to a person where it is a route that the repository does not use."""
    if decision.route not in closed or decision.by == "person":
        return decision
    why = f"this repository does not use the route {decision.route}: a person decides"
    return replace(decision, route="needs_human", by="rule", rules=(*decision.rules, why))


def _settled(
    by: Literal["person", "label", "rule"], route: Route, rules: tuple[str, ...], prediction: Prediction
) -> Decision:
    return Decision(route=route, confidence=1.0, accepted=True, by=by, rules=rules, prediction=prediction)


def _raised(score: float, log_odds: float) -> float:
    odds = score * math.exp(log_odds)
    return odds / (odds + 1.0 - score) if odds else 0.0


def _changes(before: Prediction, after: Prediction, boosts: Mapping[str, float]) -> list[str]:
    """What the boosts did, one sentence for each boosted route."""
    shares = [{**p.probabilities, "security": p.security_score} for p in (before, after)]
    return [
        f"boosted, {route} is at {shares[1].get(route, 0.0):.0%} instead of {shares[0].get(route, 0.0):.0%}"
        for route in boosts
    ]


def _likeliest(prediction: Prediction, forbidden: set[str]) -> tuple[str, float]:
    """The likeliest label that is allowed, with its share among the allowed ones."""
    allowed = {label: prediction.probabilities.get(label, 0.0) for label in LABELS if label not in forbidden}
    total = sum(allowed.values())
    label = max(allowed, key=lambda name: allowed[name])
    return label, allowed[label] / total if total > 0 else 0.0


def apply_rules(case: Case, rules: Iterable[Rule]) -> Applied:
    """What the rules say, tried in order; the first that forces a route ends it."""
    applied = Applied(None, set(), [], {})
    numbers = {"operator": 0, "repository": 0}
    for rule in rules:
        numbers[rule.by] += 1
        matched = _matches(case, rule)
        if not matched:
            continue
        name = f'rule "{rule.name}"' if rule.name else f"rule {numbers[rule.by]}"
        if rule.by == "repository":
            name = f"the repository's {name}"
        if rule.action == "forbid" and rule.by == "repository" and rule.route == "security":
            continue
        if rule.action == "forbid":
            applied.forbidden.add(rule.route)
            applied.told.append(f"{name}: {matched} → not {rule.route}")
        elif rule.action == "boost":
            applied.boosts[rule.route] = applied.boosts.get(rule.route, 0.0) + rule.weight
            applied.told.append(f"{name}: {matched} → {rule.route} more likely (+{rule.weight:g})")
        elif rule.route not in applied.forbidden:
            applied.told.append(f"{name}: {matched} → {rule.route}")
            return applied._replace(forced=rule)
    return applied


def _matches(case: Case, rule: Rule) -> str:
    """The conditions that hold, in words; empty where one does not (or the rule has none)."""
    issue = case.issue
    reasons: list[str] = []
    conditions = (
        ("repository", rule.repository, (issue.repo,)),
        ("label", rule.label, issue.labels),
        ("author", rule.author, (issue.author or "",)),
        ("path", rule.path, case.code.paths if case.code else ()),
    )
    for name, glob, values in conditions:
        if glob is None:
            continue
        if not any(_like(value, glob, is_path=name == "path") for value in values):
            return ""
        reasons.append(f"{name} {glob}")
    if rule.pattern is not None:
        text = f"{issue.title}\n{issue.body[:_PATTERN_LIMIT]}"[:_PATTERN_LIMIT]
        if not _occurs(rule, rule.pattern, text):
            return ""
        reasons.append(f"pattern {rule.pattern}")
    told = ", ".join(reasons)
    return one_line(told, _TOLD) if rule.by == "repository" else told


def _occurs(rule: Rule, expression: str, text: str) -> bool:
    if rule.by == "repository":
        return linear.occurs(expression, text)
    pattern = compiled(expression)
    return pattern is not None and pattern.search(text) is not None


def _like(value: str, glob: str, *, is_path: bool) -> bool:
    value, glob = value.casefold(), glob.casefold()
    if fnmatchcase(value, glob):
        return True
    # People write paths from anywhere: "./docs/x.md", "/home/me/widgets/docs/x.md".
    return is_path and fnmatchcase(value, f"*/{glob.lstrip('/')}")


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str] | None:
    """The pattern; None where it is none (the configuration refuses those, so this is a second line)."""
    try:
        return re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    except re.error:
        return None

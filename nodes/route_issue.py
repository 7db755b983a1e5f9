"""Decides where an issue goes: a person's label first, then the operator's rules, then the model."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Literal

from models.case import LABELS, Case, Decision, Prediction, Route
from nodes.base import Context, Rule
from nodes.text.escape import one_line
from nodes.text.labels import route_of_labels

_PATTERN_LIMIT = 20_000


@dataclass(frozen=True)
class RouteIssue:
    """`fallback_threshold` is what the next likeliest route must reach where a rule forbids one."""

    fallback_threshold: float = 0.6

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        # The prediction is kept whoever decides: people see what the model would have said.
        prediction = await ctx.router.predict(case)
        return replace(case, decision=self.decide(case, prediction, ctx))

    def decide(self, case: Case, prediction: Prediction, ctx: Context) -> Decision:
        """The decision for one case."""
        if named := route_of_labels(case.issue.labels):
            route, label = named
            return _settled("label", route, (f'label "{one_line(label, 80)}" on the issue',), prediction)
        forced, forbidden, told = apply_rules(case, ctx.policy.rules)
        if forced:
            return _settled("rule", forced, tuple(told), prediction)
        if prediction.security_flag and "security" not in forbidden:
            told.append(f"the security screen flagged the text ({prediction.security_score:.0%})")
            return Decision(
                route="security",
                confidence=prediction.security_score,
                accepted=True,
                by="screen",
                rules=tuple(told),
                prediction=prediction,
            )
        return self._by_model(prediction, forbidden, told, ctx.policy.accept_threshold)

    def _by_model(
        self, prediction: Prediction, forbidden: set[str], told: list[str], threshold: float | None
    ) -> Decision:
        label, confidence, accepted = prediction.route, prediction.confidence, prediction.accepted
        if threshold is not None:
            accepted = confidence >= threshold
        if label in forbidden:
            label, confidence = _likeliest(prediction, forbidden)
            accepted = confidence >= (self.fallback_threshold if threshold is None else threshold)
        route: Route = "needs_human"
        if accepted and label in ("bug", "feature", "docs"):
            route = label  # type: ignore[assignment]
        return Decision(
            route=route,
            confidence=confidence,
            accepted=accepted,
            rules=tuple(told),
            prediction=prediction,
        )


def _settled(
    by: Literal["label", "rule"], route: Route, rules: tuple[str, ...], prediction: Prediction
) -> Decision:
    return Decision(route=route, confidence=1.0, accepted=True, by=by, rules=rules, prediction=prediction)


def _likeliest(prediction: Prediction, forbidden: set[str]) -> tuple[str, float]:
    """The likeliest label that is allowed, with its share among the allowed ones."""
    allowed = {label: prediction.probabilities.get(label, 0.0) for label in LABELS if label not in forbidden}
    total = sum(allowed.values())
    label = max(allowed, key=lambda name: allowed[name])
    return label, allowed[label] / total if total > 0 else 0.0


def apply_rules(case: Case, rules: Iterable[Rule]) -> tuple[Route | None, set[str], list[str]]:
    """The forced route if any, the forbidden ones, and which rules held; rules are tried in order."""
    forbidden: set[str] = set()
    told: list[str] = []
    for number, rule in enumerate(rules, 1):
        matched = _matches(case, rule)
        if not matched:
            continue
        name = f'rule "{rule.name}"' if rule.name else f"rule {number}"
        if rule.action == "forbid":
            forbidden.add(rule.route)
            told.append(f"{name}: {matched} → not {rule.route}")
        elif rule.route not in forbidden:
            told.append(f"{name}: {matched} → {rule.route}")
            return rule.route, forbidden, told
    return None, forbidden, told


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
        pattern = compiled(rule.pattern)
        text = f"{issue.title}\n{issue.body[:_PATTERN_LIMIT]}"[:_PATTERN_LIMIT]
        if pattern is None or not pattern.search(text):
            return ""
        reasons.append(f"pattern {rule.pattern}")
    return ", ".join(reasons)


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

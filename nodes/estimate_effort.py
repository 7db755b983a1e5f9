"""Estimates the effort in points from signs of scope, with a range and the reasons."""

import re
from dataclasses import dataclass, replace

from models.case import Case
from nodes.base import Context
from nodes.text.escape import section
from nodes.text.markdown import Scan, open_boxes, scan

SCALE = (1, 2, 3, 5, 8)


@dataclass(frozen=True, slots=True)
class _Sign:
    reason: str
    weight: float
    pattern: re.Pattern[str]


def _sign(reason: str, weight: float, words: str) -> _Sign:
    return _Sign(reason, weight, re.compile(words))


# Weights are steps on the scale, from experience with such wishes: what needs a design or touches many
# parts costs more, what is one switch or one text costs less.
_SIGNS = (
    _sign(
        "a new option or setting",
        -0.4,
        r"\b(?:option|flag|setting|parameter|argument|toggle|config(?:uration)? (?:key|value))\b",
    ),
    _sign("a text or a colour", -0.8, r"\b(?:wording|label|tooltip|colou?r|icon|typo|spelling|rename)\b"),
    _sign(
        "a shortcut or a default",
        -0.4,
        r"\b(?:keyboard shortcut|keybinding|by default|default value|alias)\b",
    ),
    _sign(
        "a public interface",
        0.5,
        r"\b(?:public api|new api|rest api|graphql|endpoint|sdk|protocol|breaking change"
        r"|backwards?.compat\w{1,8})\b",
    ),
    _sign(
        "stored data or a migration",
        0.8,
        r"\b(?:migrat\w{1,6}|database|schema|storage format|file format)\b",
    ),
    _sign(
        "several platforms",
        0.6,
        r"\b(?:cross.platform|all platforms|windows,? (?:linux|mac)\w{0,4}|android and ios"
        r"|ios and android)\b",
    ),
    _sign(
        "a new platform or language",
        1.0,
        r"\b(?:port to|support for (?:windows|macos|linux|arm\d{0,2}|wasm|android|ios|python|rust|swift"
        r"|kotlin)|bindings? for)\b",
    ),
    _sign(
        "security or permissions",
        0.6,
        r"\b(?:authenticat\w{1,4}|authori[sz]ation|oauth|sso|permissions?|encrypt\w{1,5})\b",
    ),
    _sign(
        "concurrency or real time",
        0.8,
        r"\b(?:concurren\w{1,4}|multi.?thread\w{0,4}|async(?:hronous)?|real.?time|parallel\w{0,6}"
        r"|race condition|deadlock)\b",
    ),
    _sign(
        "a redesign",
        1.2,
        r"\b(?:rewrite|redesign|refactor\w{0,4}|overhaul|architecture|from scratch|plugin system"
        r"|framework)\b",
    ),
    _sign(
        "a new screen or editor",
        0.6,
        r"\b(?:dashboard|wizard|new (?:page|screen|view|panel|editor|ui)|drag.and.drop)\b",
    ),
)
_BASE = {"bug": 1.4, "feature": 2.0, "docs": 0.4, "security": 2.2, "needs_human": 2.0}
_LIMIT = 12_000
_TELLING = 0.35


@dataclass(frozen=True)
class EstimateEffort:
    """`weight` scales all signs: below 1 for a team that knows its code well."""

    weight: float = 1.0

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        step, reasons = self._step(case)
        at = min(len(SCALE) - 1, max(0, round(step)))
        low, high = SCALE[max(0, at - 1)], SCALE[min(len(SCALE) - 1, at + 1)]
        case = replace(case, estimate=SCALE[at])
        # Without a telling sign the figure is only the route's usual one: no text is made of that.
        if abs(step - _BASE[case.route]) < _TELLING:
            return case
        text = f"**{SCALE[at]} points** (between {low} and {high}): " + "; ".join(reasons) + "."
        return replace(case, sections=(*case.sections, section("Effort", text)))

    def _step(self, case: Case) -> tuple[float, list[str]]:
        """The place on the scale and what led there."""
        found = scan(case.issue.body)
        text = f"{case.issue.title[:300].lower()}\n{found.lowered[:_LIMIT]}"
        step = _BASE[case.route]
        reasons: list[str] = []
        signs = _bug_signs(case) if case.route in ("bug", "security") else _wish_signs(found, text)
        if case.route == "docs":
            signs = [sign for sign in signs if sign[1] > 0.5]
        for reason, weight in signs:
            step += weight * self.weight
            reasons.append(reason)
        return step, reasons


def _wish_signs(found: Scan, text: str) -> list[tuple[str, float]]:
    signs = [(sign.reason, sign.weight) for sign in _SIGNS if sign.pattern.search(text)]
    wishes = len(open_boxes(found))
    if wishes >= 3:
        signs.append((f"{wishes} tasks listed", 0.3 * min(5, wishes)))
    return signs


def _bug_signs(case: Case) -> list[tuple[str, float]]:
    signs: list[tuple[str, float]] = []
    trace, code = case.trace, case.code
    if trace and any(frame.own and frame.line for frame in trace.frames):
        signs.append(("the trace names the place", -0.6))
    elif code and not code.has_steps and not code.blocks:
        signs.append(("no steps and no trace to start from", 0.7))
    if code and code.has_steps:
        signs.append(("steps are given", -0.3))
    evidence = " ".join(case.impact.evidence) if case.impact else ""
    if "hang" in evidence or (trace and trace.exception in ("data race", "deadlock")):
        signs.append(("hangs and races are hard to pin down", 1.0))
    if "memory or speed" in evidence:
        signs.append(("it must be measured first", 0.8))
    if trace and trace.language == "C/C++":
        signs.append(("a crash in native code", 0.7))
    if "regression" in evidence:
        signs.append(("it worked before, so the change can be found", -0.2))
    return signs

"""Estimates the effort in points, from finished stories like it or from signs of scope, with range and reasons."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from models.asks import EstimateScale
from models.case import Case, Similar
from models.text.escape import counted, inline, one_line, section
from nodes.base import Context
from nodes.text.markdown.markdown import Scan, open_boxes, scan

SCALE = (1, 2, 3, 5, 8)
"""What signs of scope are counted in, and the scale of who has no other."""


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
    _sign(
        "a text or a colour",
        -0.8,
        r"\b(?:wording|rename|typos?|spelling|(?:change|update|new|other|better|add an?|missing) "
        r"(?:the )?(?:\w{1,20} )?(?:labels?|tooltips?|colou?rs?|icons?|text|titles?|translations?))\b",
    ),
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
        r"\b(?:(?:data|database|schema|settings|an?|the) migrations?"
        r"|migrat\w{1,4} (?:the |all |existing |old )?(?:data|database|tables?|settings|users|files)"
        r"|(?:database|schema|table) (?:change|structure|column)|new (?:table|column)"
        r"|(?:storage|file|disk|serialization) format)\b",
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
        r"|race conditions?|deadlocks?)\b",
    ),
    _sign(
        "a redesign",
        1.2,
        r"\b(?:rewrite|redesign\w{0,3}|refactor\w{0,4}|overhaul|new architecture|from scratch|plugin system)\b",
    ),
    _sign(
        "a new screen or editor",
        0.6,
        r"\b(?:wizard|new (?:page|screen|view|panel|editor|ui)|drag.and.drop)\b",
    ),
)
_TITLE_SIGNS = (
    _sign(
        "a collection of several pieces of work",
        1.6,
        r"\b(?:tracking issue|meta.?(?:issue|bug|ticket)|umbrella|roadmap|epic|master ticket"
        r"|(?:list|collection) of (?:\w{1,20} ){0,2}(?:improvements|ideas|features|tasks))\b",
    ),
    _sign(
        "something new of its own",
        0.6,
        r"\b(?:new|(?:create|add|build|implement|provide|write) an?) (?:[\w-]{1,25} ){0,2}(?:plug.?in|widget|module"
        r"|service|component|editor|installer|dashboard|backend|app|client|driver|parser|theme|language)\b",
    ),
    _sign(
        "it shows in every part of the interface",
        1.0,
        r"\b(?:dark (?:mode|theme)|right.to.left|rtl|theming|i18n"
        r"|internationali[sz]ation|locali[sz]ation)\b",
    ),
)
"""Told only by the title."""
_BASE = {"bug": 1.4, "feature": 2.0, "docs": 0.4, "security": 2.2, "needs_human": 2.0}
_OPENING = 1_500
"""Characters in which the wish itself is told; what comes later mentions many things."""
_TELLING = 0.35


@dataclass(frozen=True)
class EstimateEffort:
    """`weight` scales all signs of scope: below 1 for a team that knows its code well. Finished stories that are at
    least `alike` (0…1) count more than any sign; at most `stories` of them are asked."""

    weight: float = 1.0
    alike: float = 0.4
    stories: int = 5

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        scale = [points for points in await _scale(ctx) if points > 0]
        if not scale:
            return case
        done = self._finished(case)
        if done:
            points, low, high = median(done), min(_points(done)), max(_points(done))
            reasons = [f"finished like it: {', '.join(_told(one) for one in done)}"]
        else:
            step, reasons = self._step(case)
            at = min(len(SCALE) - 1, max(0, round(step)))
            points, low, high = SCALE[at], SCALE[max(0, at - 1)], SCALE[min(len(SCALE) - 1, at + 1)]
            if abs(step - _BASE[case.route]) < _TELLING:
                # Without a telling sign the figure is only the usual one, which is worth a line only where it
                # goes into the priority.
                reasons = (reasons or ["the usual size of a wish"]) if case.route == "feature" else []
        points, low, high = (nearest(value, scale) for value in (points, low, high))
        case = replace(case, estimate=points)
        if not reasons:
            return case
        span = f" (between {low} and {high})" if low < high else ""
        text = f"**{counted(points, 'point')}**{span}: " + "; ".join(reasons) + "."
        return replace(case, sections=(*case.sections, section("Effort", text)))

    def _finished(self, case: Case) -> list[Similar]:
        """The finished stories with an estimate that are most like it."""
        done = [one for one in case.similar if one.done and one.estimate and one.score >= self.alike]
        return sorted(done, key=lambda one: (-one.score, one.ref))[: self.stories]

    def _step(self, case: Case) -> tuple[float, list[str]]:
        """The place on the scale and what led there."""
        found = scan(case.issue.body)
        text = f"{' '.join(case.issue.title[:300].lower().split())}\n{found.lowered[:_OPENING]}"
        step = _BASE[case.route]
        reasons: list[str] = []
        signs = _bug_signs(case) if case.route in ("bug", "security") else _wish_signs(found, text)
        if case.route == "docs":
            signs = [sign for sign in signs if sign[1] > 0.5]
        for reason, weight in signs:
            step += weight * self.weight
            reasons.append(reason)
        return step, reasons


async def _scale(ctx: Context) -> Sequence[int]:
    """The configured points, else the workspace's own; where nobody knows them, the usual ones."""
    if ctx.policy.estimate_scale is not None:
        return ctx.policy.estimate_scale
    if "shortcut" not in ctx.policy.services:
        return SCALE
    asked = await ctx.ask(EstimateScale())
    return SCALE if asked is None else asked


def nearest(points: int, scale: Sequence[int]) -> int:
    """The value of the scale that is nearest by ratio, the greater of two: 3 is 4 on 1, 2, 4, 8."""
    return min(scale, key=lambda value: (max(value, points) / min(value, points), -value))


def median(done: Sequence[Similar]) -> int:
    """The points in the middle, each story with the weight of how alike it is; the greater where it lies between."""
    half, total = sum(one.score for one in done) / 2, 0.0
    for one in sorted(done, key=lambda one: one.estimate or 0):
        total += one.score
        if total > half:
            break
    return one.estimate or 0


def _points(done: Sequence[Similar]) -> list[int]:
    return [one.estimate for one in done if one.estimate]


def _told(one: Similar) -> str:
    name, url = inline(one.title, 80), one_line(one.url, 500)
    bare = url.startswith(("https://", "http://")) and not set(url) & set(" ()<>")
    return f"[{name}]({url}) ({counted(one.estimate or 0, 'point')})" if bare else f"{name} ({one.estimate})"


def _wish_signs(found: Scan, text: str) -> list[tuple[str, float]]:
    title = text[: text.find("\n")]
    signs = [(sign.reason, sign.weight) for sign in _SIGNS if sign.pattern.search(text)]
    signs += [(sign.reason, sign.weight) for sign in _TITLE_SIGNS if sign.pattern.search(title)]
    points = sum(kind == "prose" and row.lstrip()[:2] in ("- ", "* ") for kind, row in found.lines)
    if points >= 8:
        signs.append((f"a list of {points} points", 0.4 if points < 16 else 0.8))
    wishes = len(open_boxes(found))
    if wishes >= 3:
        signs.append((f"{wishes} tasks listed", 0.3 * min(5, wishes)))
    return signs


def _bug_signs(case: Case) -> list[tuple[str, float]]:
    signs: list[tuple[str, float]] = []
    trace, code = case.trace, case.code
    if trace and any(frame.own and frame.line for frame in trace.frames):
        signs.append(("the trace names the place", -0.6))
    elif case.route == "bug" and code and not code.has_steps and not code.blocks:
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

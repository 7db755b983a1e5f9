"""Scores the priority: reach x impact x confidence / effort for wishes, the impact for everything else."""

import math
import re
from dataclasses import dataclass, replace

from models.case import Case
from models.text.escape import counted, inline, section
from nodes.base import Context
from nodes.text.markdown.markdown import Scan, scan

_STRONG = re.compile(
    r"(?<!not )\b(?:(?:is|are|be|would be|feels?|seems?) (?:absolutely |really )?"
    r"(?:essential|critical|crucial|necessary)"
    r"|must.have|blocker|cannot use|can't use|impossible to|deal.?breaker|show.?stopper|legally required|compliance"
    r"|accessibility|screen readers?|colou?r.?blind)\b"
)
_USEFUL = re.compile(
    r"\b(?:my workflow|our workflow|productiv\w{1,6}|every (?:day|time)|each time"
    r"|(?:always|constantly) (?:have|need) to"
    r"|annoying|tedious|cumbersome|manually|time.consuming|many (?:users|people)|(?:very|quite) often|frequently)\b"
)
_SMALL = re.compile(
    r"(?<!not )\b(?:nice to have|nice.to.have|minor|small (?:improvement|thing|request)|cosmetic|nit|nitpick"
    r"|low priority|not (?:a )?(?:big deal|important|urgent)|would be (?:nice|neat|cool))\b"
)
_LIMIT = 12_000
_TOP = 12.0
"""The product at which the score nears 100; the curve is logarithmic below it."""


@dataclass(frozen=True)
class ScorePriority:
    """`default_effort` is taken where nothing was estimated; what is `same` alike (0…1) was asked for there too."""

    default_effort: int = 3
    same: float = 0.75

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        twins = sum(one.score >= self.same for one in case.similar)
        if case.route != "feature":
            return replace(case, priority=_of_fault(case, twins))
        found = scan(case.issue.body)
        (impact, why), reach, confidence = _impact(case, found), _reach(case, twins), _confidence(found)
        effort = case.estimate or self.default_effort
        product = reach * impact * confidence / effort
        score = round(min(100.0, 100.0 * math.log1p(product) / math.log1p(_TOP)), 1)
        parts = f"reach {reach:g} x impact {impact:g} x confidence {confidence:.0%} / effort {effort}"
        lines = (
            f"**{score:.0f} of 100** = {parts}",
            "",
            f"- Reach: {_counted(case, twins)}",
            f"- Impact: {_IMPACT_WORDS[impact]}" + (f" (“{inline(why, 60)}”)" if why else ""),
            f"- Confidence: {_confidence_words(confidence)}",
        )
        return replace(case, priority=score, sections=(*case.sections, section("Priority", *lines)))


_IMPACT_WORDS = {
    2.0: "the text calls it necessary",
    1.5: "it costs people time again and again",
    1.0: "useful, no more is said",
    0.5: "the text calls it nice to have",
}


def _of_fault(case: Case, twins: int) -> float | None:
    """The impact, and a little for everybody who seems to have met the same."""
    if case.impact is None:
        return None
    return round(min(100.0, case.impact.score + 4.0 * math.log2(1 + twins)), 1)


def _reach(case: Case, twins: int) -> float:
    """1…10 on a logarithmic scale of those who asked for the same, reacted or spoke."""
    issue = case.issue
    spoken = 1.0 + 1.6 * math.log2(1 + max(0, issue.reactions)) + 0.5 * math.log2(1 + max(0, issue.comments))
    spoken += 2.0 * math.log2(1 + twins)
    return round(min(10.0, spoken + (1.0 if issue.by_insider else 0.0)), 1)


def _counted(case: Case, twins: int) -> str:
    issue = case.issue
    heard = [(issue.reactions, "reaction"), (issue.comments, "comment")]
    words = (
        ", ".join(counted(count, name) for count, name in heard if count > 0) or "nobody else has spoken yet"
    )
    words += f", {counted(twins, 'issue')} very much like it" if twins else ""
    return words + (", asked by the project itself" if issue.by_insider else "")


def _impact(case: Case, found: Scan) -> tuple[float, str]:
    """How much it matters to who wants it, and the words that say so."""
    text = f"{case.issue.title[:300].lower()}\n{found.lowered[:_LIMIT]}"
    for impact, pattern in ((2.0, _STRONG), (1.5, _USEFUL), (0.5, _SMALL)):
        if told := pattern.search(text):
            return impact, told[0]
    return 1.0, ""


def _confidence(found: Scan) -> float:
    """How well the wish is described: by length, an example, a filled form."""
    signs = (
        len(found.prose) >= 300,
        bool(found.blocks or found.inline or found.links),
        len(found.parts) >= 3,
    )
    return 0.4 + 0.2 * sum(signs)


def _confidence_words(confidence: float) -> str:
    if confidence >= 0.9:
        return "described in full, with examples"
    return "described in part" if confidence >= 0.6 else "hardly described"

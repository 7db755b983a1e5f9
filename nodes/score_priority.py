"""Scores the priority: reach x impact x confidence / effort for wishes, the impact for everything else."""

import math
import re
from dataclasses import dataclass, replace

from models.case import Case
from nodes.base import Context
from nodes.text.escape import counted, section
from nodes.text.markdown import Scan, scan

_STRONG = re.compile(
    r"\b(?:essential|critical|blocker|must.have|cannot use|can't use|impossible to|deal.?breaker"
    r"|required for|accessib\w{1,6}|screen reader)\b"
)
_USEFUL = re.compile(
    r"\b(?:workflow|productiv\w{1,6}|every (?:day|time)|always have to|annoying|tedious|manually"
    r"|time.consuming|many users|often)\b"
)
_SMALL = re.compile(
    r"\b(?:nice to have|minor|small improvement|would be nice|cosmetic|nit|convenien\w{1,3})\b"
)
_LIMIT = 12_000
_INSIDERS = ("OWNER", "MEMBER", "COLLABORATOR")
_TOP = 12.0
"""The product at which the score nears 100; the curve is logarithmic below it."""


@dataclass(frozen=True)
class ScorePriority:
    """`default_effort` is taken where nothing was estimated."""

    default_effort: int = 3

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        if case.route != "feature":
            return replace(case, priority=case.impact.score if case.impact else None)
        found = scan(case.issue.body)
        reach, impact, confidence = _reach(case), _impact(found), _confidence(found)
        effort = case.estimate or self.default_effort
        product = reach * impact * confidence / effort
        score = round(min(100.0, 100.0 * math.log1p(product) / math.log1p(_TOP)), 1)
        parts = f"reach {reach:.1f} x impact {impact:g} x confidence {confidence:.0%} / effort {effort}"
        lines = (
            f"**{score:.0f} of 100** = {parts}",
            "",
            f"- Reach: {_counted(case)}",
            f"- Impact: {_IMPACT_WORDS[impact]}",
            f"- Confidence: {_confidence_words(confidence)}",
        )
        return replace(case, priority=score, sections=(*case.sections, section("Priority", *lines)))


_IMPACT_WORDS = {
    2.0: "the text calls it necessary",
    1.5: "it costs people time again and again",
    1.0: "useful, no more is said",
    0.5: "the text calls it nice to have",
}


def _reach(case: Case) -> float:
    """1…10 on a logarithmic scale of those who reacted or spoke."""
    issue = case.issue
    spoken = 1.0 + 1.6 * math.log2(1 + max(0, issue.reactions)) + 0.5 * math.log2(1 + max(0, issue.comments))
    return round(min(10.0, spoken + (1.0 if issue.author_association in _INSIDERS else 0.0)), 1)


def _counted(case: Case) -> str:
    issue = case.issue
    words = f"{counted(issue.reactions, 'reaction')}, {counted(issue.comments, 'comment')}"
    return words + (", asked by the project itself" if issue.author_association in _INSIDERS else "")


def _impact(found: Scan) -> float:
    text = found.lowered[:_LIMIT]
    if _STRONG.search(text):
        return 2.0
    if _USEFUL.search(text):
        return 1.5
    return 0.5 if _SMALL.search(text) else 1.0


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

"""Reads the reporter's tone and urgency from their own sentences; code, logs and quotes do not count."""

import math
import re
from dataclasses import dataclass, replace

from models.case import Case, Sentiment
from nodes.base import Context
from nodes.text.extract.lexicon import (
    INTENSIFIERS,
    NEGATIONS,
    NEUTRAL_PAIRS,
    PHRASES,
    SHOUTED,
    TONE,
    URGENCY,
    WISHING,
)
from nodes.text.markdown.markdown import scan

_WORD = re.compile(r"\b[a-z]+(?:['’][a-z]{1,3})?\b|[!?]{2,}|[.;:!?()]")
_SHOUT = re.compile(r"\b[A-Z]{4,}(?:[ ,]{1,2}[A-Z]{2,}){2,}")
_WORD_CHARACTERS = 40


@dataclass(frozen=True)
class AnalyzeSentiment:
    """`limit` characters of prose are read; people say how they feel early."""

    limit: int = 12_000

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        found = scan(case.issue.body)
        prose = f"{case.issue.title[:300]}\n{found.prose[: self.limit]}"
        return replace(case, sentiment=read_tone(prose))


def read_tone(text: str) -> Sentiment:
    """Tone and urgency of plain sentences."""
    tone: dict[str, float] = {}
    urgency: dict[str, float] = {}
    lowered = text.lower()
    _phrases(lowered, tone, urgency)
    words = _WORD.findall(lowered)
    for at, word in enumerate(words):
        if word in TONE:
            _weigh(words, at, TONE[word], tone)
        if word in URGENCY and not _negated(words, at) and not _technical(words, at):
            urgency.setdefault(word, URGENCY[word])
        elif word[0] == "!" and len(word) >= 3:
            tone.setdefault("!!!", -0.5)
            urgency.setdefault("!!!", 0.15)
    shout = _SHOUT.search(text)
    if shout and not SHOUTED.isdisjoint(shout[0].lower().split()):
        tone[shout[0][:_WORD_CHARACTERS]] = -1.0
    total = sum(tone.values())
    # A saturating curve: the third angry word says less than the first.
    score = total / math.sqrt(total * total + 4.0)
    evidence = sorted({**urgency, **tone}.items(), key=lambda item: -abs(item[1]))
    return Sentiment(
        score=round(score, 2),
        urgency=round(min(1.0, sum(urgency.values())), 2),
        evidence=tuple(word for word, _ in evidence[:6]),
    )


def _phrases(lowered: str, tone: dict[str, float], urgency: dict[str, float]) -> None:
    for phrase, feeling, pressing in PHRASES:
        if phrase in lowered:
            if feeling:
                tone[phrase] = feeling
            if pressing:
                urgency[phrase] = pressing


def _weigh(words: list[str], at: int, weight: float, tone: dict[str, float]) -> None:
    if _technical(words, at):
        return
    word = words[at]
    if weight > 0 and not WISHING.isdisjoint(words[max(0, at - 3) : at]):
        # "It would be great" asks, and praises nothing.
        weight *= 0.2
    elif _negated(words, at):
        # "not good" complains, "not terrible" hardly praises.
        word, weight = f"not {word}", weight * (-0.8 if weight > 0 else -0.3)
    elif at and words[at - 1] in INTENSIFIERS:
        weight *= 1.4
    tone.setdefault(word, weight)


def _negated(words: list[str], at: int) -> bool:
    """Is there a "not" shortly before, in the same clause?"""
    for word in reversed(words[max(0, at - 3) : at]):
        if word in NEGATIONS:
            return True
        if not word[0].isalpha():
            return False
    return False


def _technical(words: list[str], at: int) -> bool:
    """ "bad request", "critical section", "love2d": the neighbour makes the word an engineering term."""
    neighbours = NEUTRAL_PAIRS.get(words[at])
    if neighbours is None:
        return False
    near = words[at + 1 : at + 2] + words[max(0, at - 1) : at]
    return any(word in neighbours for word in near)

"""Weighs how much an issue matters: what it says happened, how many it reaches, how fresh it is."""

import math
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from models.case import Case, Impact
from models.issue import Issue
from models.text.escape import headline
from nodes.base import Context
from nodes.text.markdown.markdown import scan

Severity = Literal["low", "medium", "high", "critical"]


@dataclass(frozen=True)
class Sign:
    """One kind of evidence: its name, its weight, and the words that show it."""

    name: str
    weight: float
    pattern: re.Pattern[str]


def _sign(name: str, weight: float, words: str) -> Sign:
    return Sign(name, weight, re.compile(words))


# Tried on lower-cased prose. Words begin at a word's start by the check in `_evidence`, not by \b: without an
# assertion in front the engine can skip to the letters a match may begin with.
SIGNS = (
    _sign(
        "data loss",
        42,
        r"data ?loss|lo(?:st|ses|sing) (?:all |my |our |user )?(?:data|work|files|changes|funds)"
        r"|corrupt(?:s|ed|ion|ing)?\b|delete[sd] (?:all|my|our|user)|(?:is|are|was|were|been|gets?|got) wiped"
        r"|overwr(?:ites|ote|itten) (?:my|our|user|existing|all) ",
    ),
    _sign(
        "security",
        40,
        r"vulnerabilit|cve-\d{4}-\d{4,7}|security (?:hole|issue|bug|flaw|advisory)|remote code execution"
        r"|arbitrary code|sql injection|cross-site|xss\b|csrf\b|ssrf\b|path traversal|privilege escalation"
        r"|auth(?:entication|orization)? bypass|leak(?:s|ed|ing)? (?:\w{1,20} ){0,2}(?:credential|password"
        r"|secret|token)",
    ),
    _sign(
        "crash",
        26,
        r"crash(?:es|ed|ing)?\b|segfault|segmentation fault|sigsegv|sigabrt|core dump"
        r"|panick?(?:s|ed|ing)?\b"
        r"|(?:heap|memory|stack) corrupt(?:ed|ion)|stack overflow|out of memory|oom\b|use.after.free"
        r"|double free|unhandled exception|fatal error",
    ),
    _sign(
        "hang",
        20,
        r"deadlock|freez(?:es|ing)|(?:is|was|gets?|stays|becomes|completely) frozen|hangs?\b|infinite loop"
        r"|never (?:returns|finishes|completes)"
        r"|not respond|unresponsive|stuck\b",
    ),
    _sign(
        "regression",
        18,
        r"regression|used to work|worked (?:fine |well |correctly )?(?:in|with|on|before|until)"
        r"|no longer works?|stopped working"
        r"|since (?:upgrading|updating|the update|version|v?\d+\.[\dx][\d.]{0,12})"
        r"|after (?:upgrading|updating|the (?:update|upgrade))|broke(?:n)? (?:in|since|by|after) ",
    ),
    _sign(
        "memory or speed",
        17,
        r"memory leak|leaks memory|(?:high|100 ?%) cpu|very slow|extremely slow"
        r"|much slower"
        r"|performance (?:regression|degrad|issue|problem|drop)|slows? down",
    ),
    _sign(
        "blocked",
        20,
        r"release block(?:ed|ers?|ing)?\b"
        r"|block(?:s|ing|ed) (?:our |the |my |us )?(?:release|deploy|upgrade|work|us\b|build)"
        r"|showstopper|unusable|cannot (?:start|install|build|boot|log ?in|launch|compile)"
        r"|can'?t (?:start|install|build|boot|log ?in|launch|compile)"
        r"|(?:does ?n[o']t|fails? to|won'?t) (?:start|install|build|boot|launch|compile)",
    ),
    _sign(
        "wrong result",
        14,
        r"wrong (?:result|output|value|answer|order)|incorrect(?:ly)? "
        r"|inconsistent result|returns? (?:nan|garbage|null instead)",
    ),
    _sign(
        "many users",
        14,
        r"(?:all|every|many|most)(?: of)? (?:our|my) (?:users|customers|clients)|in production(?! (?:mode|build)|-)"
        r"|(?:all|many|most) (?:users|customers|people) (?:are|can ?not|can't|complain|report|rely|see)\b"
        r"|(?:affect|hit|report|impact|break)(?:s|ed|ing)? (?:(?:for|by) )?"
        r"(?:everyone|everybody|(?:all|every|many|most) (?:users|customers|people|clients))",
    ),
)
_MILD = re.compile(
    r"typo|cosmetic|minor\b|nitpick|small (?:issue|bug|thing|typo)|misspell|low priority|trivial"
)
_NOT = re.compile(
    r"(?:\bno|\bnot|\bnon|\bnever|n't|\bwithout|\bavoid(?:s|ing)?|\bprevents?|\bif it|\binstead of|\brather than"
    r"|\bagainst)(?: \w{1,12}){0,2}[ -]$|(?:heap|memory|stack)[ _-]$"
)
_ONLY_NAMED = re.compile(
    r"[- ](?:free|safe|reporter|reports?|reporting|handlers?|handling|tokens?|protection|filters?|headers?"
    r"|disclosure|scann\w{1,5}|database|polic\w{1,4})\b"
    r"|(?:y|ies|s|es|ed)? (?:was|were|is|are|has been|have been|got) (?:already )?(?:fixed|solved|resolved|gone)\b"
    r"|y (?:disclosure|reports?|reporting|scann\w{1,5}|database|polic\w{1,4})\b"
)
"""What follows where a fault is only part of a name ("crash reporter"), or is over."""
_LIMIT = 20_000


@dataclass(frozen=True)
class AssessImpact:
    """`fresh_days` is how long an issue counts as fresh."""

    fresh_days: float = 14.0

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        issue = case.issue
        found = scan(issue.body)
        names, words = _evidence(headline(issue.title, 500).lower(), found.lowered[:_LIMIT])
        parts = {
            "evidence": _evidence_score(names, mild=_is_mild(issue.title, found.lowered)),
            "reach": _reach(issue),
            "recency": self._recency(issue, ctx.now),
        }
        score = round(sum(parts.values()), 1)
        severity = _severity(names, parts["evidence"] + parts["reach"])
        impact = Impact(score=score, severity=severity, parts=parts, evidence=words)
        return replace(case, impact=impact)

    def _recency(self, issue: Issue, now: datetime) -> float:
        # By creation: the bot's own label is an update too, and would make the issue more urgent.
        days = max(0.0, (now - issue.created_at).total_seconds() / 86_400)
        return round(10.0 * math.exp(-days / self.fresh_days), 1)


def _evidence(title: str, prose: str) -> tuple[dict[str, float], tuple[str, ...]]:
    """Signs found with their weight (more where the title says it), and how the text puts them."""
    names: dict[str, float] = {}
    words: list[str] = []
    for sign in SIGNS:
        factor = 1.2
        told = _first(sign.pattern, title)
        if told is None:
            factor, told = 1.0, _first(sign.pattern, prose)
        if told is not None:
            names[sign.name] = sign.weight * factor
            words.append(f"{sign.name}: “{told}”")
    return names, tuple(words)


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    """The first mention that begins a word, is not denied ("no crash") and is no part of another name."""
    for tries, match in enumerate(pattern.finditer(text)):
        start = match.start()
        if tries >= 8:
            break
        if start and (text[start - 1].isalnum() or text[start - 1] in "_.-/"):
            continue
        if _NOT.search(text[max(0, start - 40) : start]) or _ONLY_NAMED.match(text, match.end()):
            continue
        return " ".join(match[0].split())
    return None


def _evidence_score(names: dict[str, float], *, mild: bool) -> float:
    """The strongest sign whole, the others by half; at most 65."""
    weights = sorted(names.values(), reverse=True)
    total = sum(weights[:1]) + 0.5 * sum(weights[1:])
    return round(min(65.0, total * (0.5 if mild else 1.0)), 1)


def _is_mild(title: str, lowered: str) -> bool:
    return _MILD.search(title.lower()) is not None or _MILD.search(lowered, 0, 1_000) is not None


def _reach(issue: Issue) -> float:
    """Reactions and comments on a logarithmic scale, more where the project itself wrote it; at most 25."""
    spoken = 4.0 * math.log2(1 + max(0, issue.reactions)) + 1.5 * math.log2(1 + max(0, issue.comments))
    insider = 3.0 if issue.by_insider else 0.0
    return round(min(25.0, spoken + insider), 1)


def _severity(names: dict[str, float], score: float) -> Severity:
    """Evidence sets it, reach may raise it; `score` is of these two, for a fault is no graver while it is fresh."""
    grave = "data loss" in names or "security" in names
    wide = "many users" in names or "blocked" in names
    broken = "crash" in names or "blocked" in names or "hang" in names
    if score >= 70 or (grave and (wide or score >= 58)):
        return "critical"
    if grave or score >= 42 or ("crash" in names and "regression" in names):
        return "high"
    if broken or wide or "regression" in names or (names and score >= 20) or score >= 30:
        return "medium"
    return "low"

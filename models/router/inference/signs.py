"""Signs of what an issue is: its structure, how its title and form are marked, and groups of words.

Some are read off each text (`own_signs`); the others count groups of `lexicon` in the hashed words of
whole batches (`all_signs`), which costs no work per issue in Python.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.router.inference import lexicon

_GROUPS, _PHRASES = lexicon.WORD_GROUPS, lexicon.PHRASE_GROUPS
OLDEST = ("wishes", "faults", "documentation", "security")
WORDING = ("requests", "failures", "documents", "pages")
FORM_SIGNS = _GROUPS[_GROUPS.index("headings of bug forms") :]
PHRASING = _PHRASES[:4]
DANGERS = ("attacks", "cryptography", "access", "exposure", "weaknesses")

SIGNS = (
    "length of the title",
    "length of the body",
    "code blocks",
    "images",
    "links",
    "check boxes",
    "headings",
    "a stack trace",
    "a question mark in the title",
    "question marks in the body",
    "the title starts like a question",
    "a wish in the title",
    "a fault in the title",
    "documentation in the title",
    "security in the title",
    "wishes in the body",
    "faults in the body",
    "documentation in the body",
    "security in the body",
    "steps to reproduce",
    "expected behaviour",
    "alternatives considered",
    "an empty body",
    "the title is marked as a bug",
    "the title is marked as a feature",
    "the title is marked as documentation",
    "the title is marked as a question",
    "the form says bug",
    "the form says feature",
    "the form says documentation",
    "the form says question",
    "code or an error in the title",
    "the title starts like a request",
    "the title starts like a correction of documentation",
    "number of words in the title",
    "share of code",
    "a short body",
    "documents, and no failure, in the title",
    "documents in title and beginning",
    "a request, and no failure, in the title",
    *(f"{group} in the {place}" for place in ("title", "beginning") for group in WORDING),
    *FORM_SIGNS,
    *(f"{group} in the {place}" for place in ("title", "beginning", "body") for group in PHRASING),
    *(f"share of {group}" for group in PHRASING),
    *(f"{group} in the {place}" for place in ("title", "beginning", "body") for group in DANGERS),
    *(f"share of {group}" for group in DANGERS),
    "phrases about security in the title",
    "phrases about security in the body",
)

_QUESTION_START = """
how what why when where which who is are can could does do did should would has any
"""

_CORRECTION_START = """
document clarify explain typo docs doc documentation readme fix update improve missing broken
"""

_question_starts = frozenset(_QUESTION_START.split())
_request_starts = lexicon.words_of("requests")
_correction_starts = frozenset(_CORRECTION_START.split())
_MARKS = re.compile(
    r"^\W{0,3}(?:"
    r"((?:bug ?fix|hot ?fix|bugs?|fix(?:e[sd])?|regression|crash|defect)(?: report)?)"
    r"|((?:feat(?:ures?)?|enhancements?|rf[ec]|proposal|idea|improvements?|suggestions?|wish(?: ?list)?|perf"
    r"|refactor|fr|request)(?:[ /-]?(?:request|idea|proposal|suggestion))?)"
    r"|((?:docs?|documentation|readme|wiki|website|site|tutorial|typo)(?: ?(?:bug|issue|request|fix|improvement))?)"
    r"|((?:question|help(?: wanted| needed)?|support|q|how[- ]?to|ask)s?)"
    r") ?(?:\([^)\n]{0,40}\))? ?[\]:)|]"
)
"""A prefix such as `[Bug]` or `docs:`, one group for each route."""
_STATED = (
    (
        ("type",),
        re.compile(
            r"\btype(?: of (?:issue|report|request))?\b\W{1,12}(?:b\W{1,3})?"
            r"(?:(bug|performance)|(feature|enhancement|improvement)|(doc)|(question|support))"
        ),
    ),
    (
        ("[x]",),
        re.compile(
            r"\[x\]\W{0,6}(?:i'?m submitting an? |this is an? |an? )?\W{0,3}"
            r"(?:(bug)|(feature|enhancement)|(doc)|(question|support))"
        ),
    ),
    (
        tuple(f"{mark}{word}" for mark in "_-" for word in ("report", "request", "issue", "template")),
        re.compile(
            r"(?:(bug)|(feature)|(doc)|(question|support))[a-z]{0,12}[_-](?:report|request|issue|template)"
        ),
    ),
    (
        ("submitting a", "this is a", "report a"),
        re.compile(
            r"(?:submitting|this is|report) an?\W{1,8}"
            r"(?:(bug)|(feature request)|(documentation issue)|(question|support))"
        ),
    ),
)
"""What an issue form, or its author, says that the issue is: what such a text contains, one group for each route."""
_STATED_WITHIN = 2_500
_IDENTIFIER = re.compile(r"(?:error|exception): ?\w|`|\w\(\)|\w::\w|\w_\w")
SHORT = 200
"""Characters below which a body is short."""
_STEPS = re.compile(r"steps? to reproduce|how to reproduce|reproduction|repro steps")
OWN = 29
"""Number of signs that `own_signs` gives."""


@dataclass(frozen=True, slots=True)
class Found:
    """How many of each a body had before it was cleaned; `trace` is 0 or 1, `code` counts characters."""

    fences: int
    images: int
    links: int
    checks: int
    headings: int
    trace: int
    code: int


def own_signs(title: str, body: str, title_words: Sequence[str], found: Found) -> tuple[float, ...]:
    """The signs that are read off one text, each 0…1."""
    first = title_words[0] if title_words else ""
    return (
        min(1.0, len(title) / 120),
        min(1.0, math.log1p(len(body)) / 9),
        min(1.0, found.fences / 3),
        min(1.0, found.images / 2),
        min(1.0, found.links / 5),
        min(1.0, found.checks / 5),
        min(1.0, found.headings / 6),
        float(found.trace),
        float("?" in title),
        min(1.0, body.count("?") / 4),
        float(first in _question_starts),
        float(_STEPS.search(body) is not None),
        float("expected" in body),
        float("alternative" in body),
        float(not body),
        *_marks(title),
        *_stated(body[:_STATED_WITHIN]),
        float(_IDENTIFIER.search(title) is not None),
        float(first in _request_starts),
        float(first in _correction_starts),
        min(1.0, len(title_words) / 15),
        found.code / max(1, len(body)),
        float(len(body) < SHORT),
    )


def _marks(title: str) -> list[float]:
    """Whether the title is marked as a bug, a feature, documentation, a question."""
    found = _MARKS.search(title)
    which = found.lastindex if found else None
    return [
        float(which == 1),
        float(which == 2 or "feature request" in title),
        float(which == 3),
        float(which == 4 or title.endswith("?")),
    ]


def _stated(body: str) -> list[float]:
    """Which of the four routes the form names first."""
    found = [
        match
        for hints, pattern in _STATED
        if any(hint in body for hint in hints) and (match := pattern.search(body))
    ]
    which = min(found, key=lambda match: match.start()).lastindex if found else None
    return [float(which == route) for route in range(1, 5)]


Words = tuple[NDArray[np.uint64], NDArray[np.int64]]
"""Hashes of the words of all texts, and the number of words of each."""


def _columns(names: Sequence[str], among: Sequence[str]) -> list[int]:
    return [among.index(name) for name in names]


_oldest, _wording, _forms, _dangers = (
    _columns(names, lexicon.WORD_GROUPS) for names in (OLDEST, WORDING, FORM_SIGNS, DANGERS)
)
_FORM_SCALE = np.array([2, 2, 2, 2, 2, 6, 6], dtype=np.float32)


def all_signs(
    own_signs: Sequence[tuple[float, ...]], raw: Words, title: Words, head: Words, clean: Words
) -> NDArray[np.float32]:
    """The signs in the order of SIGNS, each 0…1; shape (texts, signs).

    `own_signs` are those of `own_signs` for each text; the rest is counted from the words of its views.
    """
    own = np.array(own_signs, dtype=np.float32).reshape(len(own_signs), OWN)
    in_title, everywhere = lexicon.count_words(*title), lexicon.count_words(*raw)
    in_head = np.maximum(lexicon.count_words(*head) - in_title, 0)
    forms = lexicon.count_words(*clean)[:, _forms]
    title_phrases, body_phrases = lexicon.count_phrases(*title), lexicon.count_phrases(*clean)
    head_phrases = np.maximum(lexicon.count_phrases(*head) - title_phrases, 0)
    length, cleaned = (np.maximum(20, words[1])[:, None] for words in (raw, clean))
    asks, fails, documents = (np.minimum(in_title[:, _wording[i]], 1)[:, None] for i in range(3))
    parts = (
        own[:, :11],
        in_title[:, _oldest],
        (everywhere - in_title)[:, _oldest] / 5,
        own[:, 11:],
        documents * (1 - fails),
        documents * in_head[:, _wording[2:3]],
        asks * (1 - fails),
        in_title[:, _wording],
        in_head[:, _wording] / 4,
        forms / _FORM_SCALE,
        title_phrases[:, :4],
        head_phrases[:, :4] / 2,
        body_phrases[:, :4] / 6,
        10 * body_phrases[:, :4] / cleaned,
        in_title[:, _dangers] / 2,
        in_head[:, _dangers] / 3,
        everywhere[:, _dangers] / 8,
        10 * everywhere[:, _dangers] / length,
        title_phrases[:, 4:],
        lexicon.count_phrases(*raw)[:, 4:] / 2,
    )
    signs: NDArray[np.float32] = np.clip(np.hstack(parts), 0, 1).astype(np.float32)
    return signs

"""Drafts what a documentation issue asks for: the replacement it spells out, or an outline."""

import re
from dataclasses import dataclass, replace

from models.case import Case
from nodes.base import Context
from nodes.check_docs import slip
from nodes.text.escape import fenced, headline, section
from nodes.text.excerpt import tame
from nodes.text.markdown import Scan, scan, sentences

_QUOTE = r"[`\"“'‘]{1,2}([^`\"”'’\n]{1,160})[`\"”'’]{1,2}"
_SHOULD = r"(?:should (?:be|read|say|have been)|must be|needs to be|has to be)"
_TOLD = r"(?:says?|reads?|shows?|uses|has|states?|mentions?|written(?: as)?|(?:mis)?spelled(?: as)?)"
_OLD_NEW = (
    re.compile(rf"{_QUOTE}\s{{0,3}}{_SHOULD}\s(?:changed to |replaced (?:by|with) |written as )?{_QUOTE}"),
    re.compile(
        rf"(?:[Rr]eplace|[Cc]hange|[Rr]ename|[Cc]orrect|[Ff]ix)\s{_QUOTE}\s(?:with|to|by|into)\s{_QUOTE}"
    ),
    re.compile(rf"{_QUOTE}\s{{0,3}}(?:->|=>|→|-->)\s{{0,3}}{_QUOTE}"),
    re.compile(rf"{_TOLD}\s{_QUOTE},?\s(?:(?:but |and )?(?:it )?{_SHOULD}|instead of|rather than)\s{_QUOTE}"),
)
_NEW_OLD = (
    re.compile(rf"(?:{_SHOULD}|\b[Uu]se)\s{_QUOTE},?\s(?:instead of|rather than|and not|not)\s{_QUOTE}"),
)
_BARE = re.compile(
    r"(?<!\w)([A-Za-z][\w-]{1,40}) (?:->|=>|→|should be(?: spelled)?|instead of) ([A-Za-z][\w-]{1,40})(?!\w)"
)
_ASKS = re.compile(r"(?i)^(?:how|what|which|where|when|why)\b|\b(?:how to|what|which|whether) ")
_LIMIT = 20_000
_SMALL_WORDS = frozenset(
    ("it", "this", "that", "there", "which", "they", "a", "an", "the", "docs", "fixed", "updated")
)


@dataclass(frozen=True)
class DraftDocs:
    """At most `changes` replacements and `topics` points of an outline are drafted."""

    changes: int = 5
    topics: int = 8

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        found = scan(case.issue.body)
        pairs = replacements(f"{headline(case.issue.title, 300)}\n{found.text[:_LIMIT]}")[: self.changes]
        if pairs:
            body = "\n\n".join(fenced(f"- {old}\n+ {new}", "diff") for old, new in pairs)
            return replace(case, sections=(*case.sections, section("Proposed change", body)))
        if slip(case.issue.title, found) not in ("missing", "unclear", "outdated"):
            return case
        topics = self._topics(found)
        if not topics:
            return case
        body = "The page should answer:\n\n" + "\n".join(f"- {topic}" for topic in topics)
        return replace(case, sections=(*case.sections, section("Outline of the page", body)))

    def _topics(self, found: Scan) -> list[str]:
        """The reporter's own questions."""
        said = [text for part in found.parts for text in sentences(part.prose, 60)]
        asked = [text for text in said if text.endswith("?") and len(text) > 12 and _ASKS.search(text)]
        return [tame(text) for text in dict.fromkeys(asked)][: self.topics]


def replacements(text: str) -> list[tuple[str, str]]:
    """(old, new) pairs that the text spells out."""
    found: dict[tuple[str, str], None] = {}
    for pattern in _OLD_NEW:
        found.update(dict.fromkeys((old.strip(), new.strip()) for old, new in pattern.findall(text)[:10]))
    for pattern in _NEW_OLD:
        found.update(dict.fromkeys((old.strip(), new.strip()) for new, old in pattern.findall(text)[:10]))
    if not found and re.search(r"(?i)\btypo|spell|spelling", text):
        for match in list(_BARE.finditer(text))[:5]:
            old, new = (match[2], match[1]) if "instead of" in match[0] else (match[1], match[2])
            if not {old.lower(), new.lower()} & _SMALL_WORDS:
                found[(old, new)] = None
    return [(old, new) for old, new in found if old and new and old != new]

"""Outlines the design of a wish: what it touches, what is at risk, what is open; all from its own text."""

import re
from dataclasses import dataclass, replace

from models.case import Case
from nodes.base import Context
from nodes.text.escape import code, section
from nodes.text.excerpt import tame
from nodes.text.markdown import Scan, scan, sentences

_RISKS = (
    (
        "Compatibility",
        re.compile(
            r"(?i)breaking change|backwards?.compat|existing (?:users|code|behaviou?r)"
            r"|deprecat"
        ),
    ),
    (
        "Speed or memory",
        re.compile(
            r"(?i)performance|slow(?:er|s)?\b|memory (?:use|usage|footprint)"
            r"|overhead|latency|bundle size"
        ),
    ),
    ("Security", re.compile(r"(?i)\b(?:security|permissions?|untrusted|sandboxed|credentials?|privacy)\b")),
    ("Data", re.compile(r"(?i)migrat|data loss|file format|schema change|existing data")),
)
_NAME = re.compile(r"[A-Za-z_][\w.:]{2,60}(?:\(\))?$")
_QUESTION_WORD = re.compile(
    r"(?i)\b(?:how|what|which|where|should|could|can|is|are|does|do|would|why|will|when|who)\b"
)


@dataclass(frozen=True)
class OutlineDesign:
    """At most `items` of a kind are listed."""

    items: int = 6

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        found = scan(case.issue.body)
        said = [sentence for part in found.parts for sentence in sentences(part.prose, 80)]
        parts = [
            ("Touches", self._touches(case, found)),
            ("Risks that the text names", self._risks(said)),
            ("Open questions", self._questions(said)),
        ]
        lines = [
            f"**{name}**\n\n" + "\n".join(f"- {item}" for item in items) for name, items in parts if items
        ]
        if not lines:
            return case
        return replace(case, sections=(*case.sections, section("Design outline", "\n\n".join(lines))))

    def _touches(self, case: Case, found: Scan) -> list[str]:
        """Files, then names in code spans."""
        paths = case.code.paths if case.code else ()
        names = [name for name in found.inline if _NAME.fullmatch(name)]
        return [code(name, 100) for name in dict.fromkeys((*paths, *names))][: self.items]

    def _risks(self, said: list[str]) -> list[str]:
        """Each kind of risk with the sentence that names it."""
        risks = []
        for name, pattern in _RISKS:
            sentence = next((text for text in said if pattern.search(text)), None)
            if sentence:
                risks.append(f"{name}: “{tame(sentence)}”")
        return risks[: self.items]

    def _questions(self, said: list[str]) -> list[str]:
        asked = [
            text for text in said if text.endswith("?") and len(text) >= 15 and _QUESTION_WORD.search(text)
        ]
        return [tame(text) for text in dict.fromkeys(asked)][: self.items]

"""Pulls a specification out of the wish's own words: problem, proposal, acceptance, what is left out."""

import re
from dataclasses import dataclass, replace

from models.case import Case
from nodes.base import Context
from nodes.text.escape import bounded, section
from nodes.text.excerpt import tame
from nodes.text.markdown import Part, Scan, open_boxes, scan, sentences

_PROBLEM = re.compile(
    r"(?i)problem|motivation|use.?case|current behaviou?r|background|why|context|current(?:ly)?|rationale"
    r"|is your feature request|what is it that"
)
_PROPOSAL = re.compile(
    r"(?i)solution|proposal|proposed|feature description|describe the feature"
    r"|what (?:would|do) you (?:like|want)|desired|suggest|wish|enhancement|expected"
)
_ALTERNATIVES = re.compile(r"(?i)alternative|workaround|considered")
_ACCEPTANCE = re.compile(r"(?i)acceptance|criteria|definition of done|requirements|tasks|to.?do")
_OUTSIDE = re.compile(r"(?i)out of scope|non.?goals?|not in scope")

_SAYS_PROBLEM = re.compile(
    r"(?i)\b(?:currently|at the moment|right now|problem is|can ?not|can't|unable to|no way to"
    r"|there is no|have to|hard to|difficult|annoying|whenever|every time)\b"
)
_SAYS_PROPOSAL = re.compile(
    r"(?i)\b(?:would like|would love|would be (?:nice|great|good|useful|helpful|cool)"
    r"|please (?:add|support|allow|make|provide|consider)|i (?:propose|suggest|want|wish)"
    r"|feature request|add (?:a|an|support|the)|allow|support for|it should|could (?:we|you)"
    r"|can (?:we|you)|how about|proposal|want)\b"
)
_SAYS_MUST = re.compile(r"(?i)\b(?:should|must|needs? to|shall|has to)\b")
_SAYS_OUTSIDE = re.compile(
    r"(?i)\b(?:out of scope|not asking|not (?:suggesting|proposing)|non.goal|does(?:n't| not) need to"
    r"|no need to)\b"
)


@dataclass(frozen=True)
class WriteSpec:
    """At most `sentences` go into a part, and `criteria` into the acceptance list."""

    sentences: int = 4
    criteria: int = 8

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        found = scan(case.issue.body)
        said = [
            text
            for part in found.parts
            if part.prose and not part.empty
            for text in sentences(part.prose, 60)
        ]
        problem = self._text(found, _PROBLEM, said, _SAYS_PROBLEM, ())
        proposal = self._text(found, _PROPOSAL, said, _SAYS_PROPOSAL, problem)
        parts = [
            ("Problem", "\n".join(problem)),
            ("Proposal", "\n".join(proposal)),
            ("Acceptance criteria", _listed(self._criteria(found, said, problem), "- [ ] ")),
            (
                "Alternatives considered",
                "\n".join(self._text(found, _ALTERNATIVES, (), None, (*problem, *proposal))),
            ),
            ("Out of scope", "\n".join(self._text(found, _OUTSIDE, said, _SAYS_OUTSIDE, ()))),
        ]
        lines = [f"**{name}**\n\n{bounded(text, 900)}" for name, text in parts if text]
        if not lines:
            return case
        return replace(case, sections=(*case.sections, section("Specification", "\n\n".join(lines))))

    def _text(
        self,
        found: Scan,
        heading: re.Pattern[str],
        said: list[str] | tuple[()],
        cue: re.Pattern[str] | None,
        taken: tuple[str, ...] | list[str],
    ) -> list[str]:
        """The form's own field, else the sentences with a cue; nothing that another part has."""
        part = _first_part(found, heading)
        if part:
            texts = sentences(part.prose, self.sentences)
            if cue is _SAYS_PROBLEM and _PROPOSAL.search(part.heading):
                # One field for both: what is asked for goes to the proposal.
                texts = [text for text in texts if not _SAYS_PROPOSAL.search(text)]
        else:
            texts = [text for text in said if cue and cue.search(text) and not text.endswith(":")]
        return [text for text in map(tame, texts) if text not in taken][: self.sentences]

    def _criteria(self, found: Scan, said: list[str], problem: list[str]) -> list[str]:
        """Open boxes and lists under such a heading, else sentences that say what must be."""
        boxes = open_boxes(found)
        part = _first_part(found, _ACCEPTANCE)
        if part:
            boxes += sentences(part.prose, self.criteria)
        if not boxes:
            boxes = [text for text in said if _SAYS_MUST.search(text) and not text.endswith("?")]
        return [text for text in dict.fromkeys(map(tame, boxes)) if text and text not in problem][
            : self.criteria
        ]


def _first_part(found: Scan, heading: re.Pattern[str]) -> Part | None:
    return next(
        (
            part
            for part in found.parts
            if part.heading and part.prose and not part.empty and heading.search(part.heading)
        ),
        None,
    )


def _listed(items: list[str], mark: str) -> str:
    return "\n".join(f"{mark}{item}" for item in items)

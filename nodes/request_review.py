"""Lists the files a reviewer should look at, and asks the reporter for what a bug report lacks."""

import re
from dataclasses import dataclass, replace

from models.case import Case
from nodes.base import Context
from nodes.text.escape import code, section
from nodes.text.markdown import Scan, part_like, scan

_EXPECTED = re.compile(r"(?i)\b(?:expect\w{0,4}|should|supposed to|actual(?:ly)?|instead of)\b")
_EXPECTED_HEADING = re.compile(r"(?i)expected|actual|should happen|happened instead")
_VERSION_HEADING = re.compile(r"(?i)\bversions?\b|environment|system info|release|platform")
_LOOSE_VERSION = re.compile(
    r"\b(?:[Vv]ersion \d|v\d|master|main branch|trunk|nightly"
    r"|(?:latest|newest|current) (?:version|release|commit)"
    r"|[A-Z][A-Za-z.]{2,20} \d{1,3}\b|[0-9a-f]{7,40}\b)"
)
_LONG = 1_000
_INSIDERS = ("OWNER", "MEMBER", "COLLABORATOR")

ASK_STEPS = "Which steps, or which smallest piece of code, make it happen?"
ASK_VERSION = "Which version do you use, and on which operating system or browser?"
ASK_EXPECTED = "What did you expect, and what happened instead?"


@dataclass(frozen=True)
class RequestReview:
    """At most `files` suspects are listed, and `questions` asked."""

    files: int = 8
    questions: int = 3

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        questions = tuple(self.missing(case)[: self.questions])
        suspects = self.suspects(case)
        if suspects:
            body = "\n".join(f"- [ ] {code(path, 160)}, {reason}" for path, reason in suspects)
            case = replace(case, sections=(*case.sections, section("For the review", body)))
        return replace(case, questions=(*case.questions, *questions)) if questions else case

    def suspects(self, case: Case) -> list[tuple[str, str]]:
        """(path, reason) of the project's files in the trace, then of those that the text names."""
        found: dict[str, str] = {}
        for frame in case.trace.frames if case.trace else ():
            if frame.own and "." in frame.file and not frame.file.startswith("<"):
                function = f" in {code(frame.function, 80)}" if frame.function else ""
                found.setdefault(frame.file, f"in the trace{function}")
        names = {path.rpartition("/")[2] for path in found}
        for path in case.code.paths if case.code else ():
            if path.rpartition("/")[2] not in names and "/" in path and not _foreign(path):
                found.setdefault(path, "named in the text")
        return list(found.items())[: self.files]

    def missing(self, case: Case) -> list[str]:
        """What a report of a bug needs and this one lacks."""
        signs = case.code
        # The project's own people and other bots know what they leave out.
        if (
            signs is None
            or case.issue.author_association in _INSIDERS
            or (case.issue.author or "").endswith("[bot]")
        ):
            return []
        found = scan(case.issue.body)
        versioned = bool(signs.versions) or _answered(found, _VERSION_HEADING)
        versioned = (
            versioned
            or _LOOSE_VERSION.search(f"{case.issue.title[:300]}\n{found.prose[:20_000]}") is not None
        )
        if case.trace is not None and (versioned or signs.has_steps):
            return []
        questions = []
        if not signs.has_steps and not signs.blocks and case.trace is None:
            questions.append(ASK_STEPS)
        if not versioned and not signs.systems:
            questions.append(ASK_VERSION)
        told = signs.errors or (case.impact and case.impact.evidence) or len(found.prose) > _LONG
        # Who gives steps or code has shown the fault; asking on would only be noise.
        if questions[:1] == [ASK_STEPS] and not told and not _tells_expected(case.issue.title, found):
            questions.append(ASK_EXPECTED)
        return questions


def _answered(found: Scan, heading: re.Pattern[str]) -> bool:
    return part_like(found, heading) is not None


def _tells_expected(title: str, found: Scan) -> bool:
    if _answered(found, _EXPECTED_HEADING) or _EXPECTED.search(title[:300]):
        return True
    return _EXPECTED.search(found.prose, 0, 20_000) is not None


def _foreign(path: str) -> bool:
    lowered = path.lower()
    return lowered.startswith(("/usr/", "/etc/", "/var/", "/home/", "/users/", "c:/", "~")) or any(
        folder in lowered for folder in ("node_modules/", "site-packages/", "/gems/", ".cargo/")
    )

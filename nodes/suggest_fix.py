"""Says where to start on a bug, from its trace, its error and the versions it names; else nothing."""

import re
from dataclasses import dataclass, replace

from models.case import Case, Frame
from nodes.base import Context
from nodes.parse_stack_trace import describe_frame
from nodes.text.causes import advice_for
from nodes.text.escape import code, inline, section
from nodes.text.markdown import Scan, scan

_NUMBER = r"v?(\d{1,4}(?:\.\d{1,6}){1,3}[\w-]{0,12})"
_GOOD = re.compile(
    r"(?:work(?:s|ed|ing)|fine|ok|no (?:problem|issue)s?|not (?:happen|occur|present|reproducible)\w{0,5})"
    rf" (?:\w{{1,12}} ){{0,3}}(?:in|with|on|using|until|before) (?:[a-z][\w.+-]{{0,20}} ){{0,3}}{_NUMBER}"
)
_BAD = re.compile(
    r"(?:since|after (?:upgrading|updating|the (?:update|upgrade))|starting (?:with|from|in)"
    r"|broke(?:n)? (?:in|since|with)|introduced in|regress\w{1,5} (?:in|since)"
    r"|(?:upgraded?|updated?|updating|upgrading))"
    rf" (?:\w{{1,12}} ){{0,3}}?(?:to |from )?(?:[a-z][\w.+-]{{0,20}} ){{0,2}}{_NUMBER}"
)
_LIMIT = 20_000


@dataclass(frozen=True)
class SuggestFix:
    """`errors` is how many error lines are tried where there is no trace."""

    errors: int = 5

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        lines = [*self._from_error(case), *_from_versions(scan(case.issue.body))]
        if not lines:
            return case
        body = "\n".join(f"- {line}" for line in lines)
        return replace(case, sections=(*case.sections, section("Where to start", body)))

    def _from_error(self, case: Case) -> list[str]:
        trace = case.trace
        if trace is None:
            return self._from_error_lines(case)
        lines = []
        advice = advice_for(f"{trace.exception}: {trace.message}")
        own = first_own(trace.frames)
        if own and (own.file or own.function):
            lines.append(f"Start at {describe_frame(own)}, the first frame of the project's own code.")
        if advice:
            lines.append(f"{code(trace.exception, 80)}: {advice}")
        return lines

    def _from_error_lines(self, case: Case) -> list[str]:
        for line in (case.code.errors if case.code else ())[: self.errors]:
            if advice := advice_for(line):
                return [f"{code(line, 160)}: {advice}"]
        return []


def first_own(frames: tuple[Frame, ...]) -> Frame | None:
    """The failing frame of the project's own code."""
    return next((frame for frame in frames if frame.own), None)


def _from_versions(found: Scan) -> list[str]:
    """The range in which it broke, where the text names its ends."""
    text = found.lowered[:_LIMIT]
    good, bad = _GOOD.search(text), _BAD.search(text)
    good_version = good[1].rstrip(".-") if good else ""
    bad_version = bad[1].rstrip(".-") if bad else ""
    if not good_version:
        return []
    worked = f"Worked in {inline(good_version, 30)}"
    if not bad_version or bad_version == good_version:
        return [f"{worked}: look at what changed after it."]
    fails = f"fails since {inline(bad_version, 30)}"
    return [f"{worked}, {fails}: a change between the two is the suspect, and `git bisect` will find it."]

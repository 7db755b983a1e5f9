"""Says where to start on a bug, from its trace, error, versions and what was mended before, and drafts a fix."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.asks import Drafted, File, ReadFile
from models.case import Case, Frame, Section
from models.text.escape import clean, code, fenced, inline, section
from models.text.secrets import redact
from nodes.base import Context, ask_all
from nodes.parse_stack_trace import describe_frame
from nodes.text.drafting.drafts import (
    draft,
    drafted_section,
    mark,
    material_of,
    may_draft,
    tame_draft,
    tame_line,
)
from nodes.text.drafting.patch import Patch, apply_edits
from nodes.text.markdown.markdown import Scan, scan
from nodes.text.search.similar import describe_similar, is_near, ranked
from nodes.text.traces.causes import advice_for

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
MATERIAL = 16_000
"""Characters that a language model is told for a fix."""


FIX = "fix"
"""Where in a case's data a draft that applies is kept for the steps after this one."""


@dataclass(frozen=True)
class SuggestFix:
    """`errors` is how many error lines are tried where there is no trace; `before` how many that were mended before
    are named. For a draft at most `files` suspects are read, `around` lines before and after the suspicious one.
    """

    errors: int = 5
    before: int = 3
    before_score: float = 0.5
    files: int = 3
    around: int = 60

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        lines = [*self._from_error(case), *_from_versions(scan(case.issue.body)), *self._mended(case)]
        if lines:
            body = "\n".join(f"- {line}" for line in lines)
            case = replace(case, sections=(*case.sections, section("Where to start", body)))
        return await self._drafted(case, ctx) if case.trace or case.suspects else case

    def _mended(self, case: Case) -> list[str]:
        """Issues and stories like it that are done: what mended them may mend this."""
        near = [one for one in ranked(case.similar) if one.done and is_near(one, case)]
        done = [one for one in near if one.score >= self.before_score]
        return [f"Fixed before: {describe_similar(one)}" for one in done[: self.before]]

    async def _drafted(self, case: Case, ctx: Context) -> Case:
        """The case with a language model's draft, and its edits where they apply."""
        if not may_draft(case, ctx):
            return case
        files = await self._read(case, ctx)
        material = material_of(case, self._material(case, files), limit=MATERIAL)
        drafted = await draft(case, ctx, "fix", material)
        patch = _patch(drafted, files)
        if drafted is not None and patch is not None and patch.problem:
            complaint = f"The edits do not apply: {patch.problem}."
            again = await draft(case, ctx, "fix", material, complaint)
            better = _patch(again, files)
            if again is not None and (better is None or not better.problem):
                drafted, patch = again, better
        if drafted is None:
            return case
        shown = _shown(drafted, patch)
        case = replace(case, sections=(*case.sections, shown)) if shown else case
        if patch is None or patch.problem:
            return case
        changed = [{"path": p, "text": text, "sha": files[p].sha} for p, text in patch.files.items()]
        told = {"cause": _cause(drafted), "mark": mark(drafted), "files": changed}
        return replace(case, data={**case.data, FIX: told})

    async def _read(self, case: Case, ctx: Context) -> dict[str, File]:
        """The first suspects, by path, as far as they can be read."""
        asks = [ReadFile(case.issue.repo, suspect.path) for suspect in case.suspects[: self.files]]
        answers = await ask_all(ctx, asks)
        return {file.path: file for file in answers if isinstance(file, File)}

    def _material(self, case: Case, files: Mapping[str, File]) -> list[tuple[str, str]]:
        """The trace as it was understood, and the suspects' lines around the suspicious ones."""
        parts = []
        if case.trace is not None:
            frames = [f"{f.file}:{f.line or '?'} {f.function}" for f in case.trace.frames if f.own][:12]
            error = f"{case.trace.exception}: {case.trace.message}"
            parts.append(("stack trace", "\n".join([error, *frames])))
        seen = [suspect for suspect in case.suspects if suspect.path in files]
        return [*parts, *(_excerpt(files[one.path], one.line, self.around) for one in seen)]

    def _from_error(self, case: Case) -> list[str]:
        trace = case.trace
        if trace is None:
            return self._from_error_lines(case)
        lines = []
        advice = advice_for(f"{trace.exception}: {trace.message}")
        own = first_own(trace.frames)
        if own and (own.file or own.function):
            found = _in_repository(own, case)
            # A caller of the project has frames of its own, which are no library's either.
            whose = "of the project's own code" if found else "that is not a library's"
            lines.append(f"Start at {describe_frame(found or own)}, the first frame {whose}.")
        if advice:
            lines.append(f"{code(trace.exception, 80)}: {advice}")
        return lines

    def _from_error_lines(self, case: Case) -> list[str]:
        for line in (case.code.errors if case.code else ())[: self.errors]:
            if advice := advice_for(line):
                is_title = " ".join(line.split()) == " ".join(case.issue.title.split())
                return [advice if is_title else f"{code(line, 160)}: {advice}"]
        return []


def first_own(frames: tuple[Frame, ...]) -> Frame | None:
    """The failing frame of the project's own code; one that says in which file, where there is one."""
    own = [frame for frame in frames if frame.own]
    return next((frame for frame in own if frame.file), own[0] if own else None)


def _in_repository(frame: Frame, case: Case) -> Frame | None:
    """The frame with its file's name in the repository; None where it is not known to be there."""
    last = frame.file.replace("\\", "/").rpartition("/")[2]
    known = (
        one.path for one in case.suspects if (one.path.rpartition("/")[2], one.line) == (last, frame.line)
    )
    path = next(known, None)
    return replace(frame, file=path) if path else None


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


def _excerpt(file: File, line: int | None, around: int) -> tuple[str, str]:
    """(name, text) of the lines around one; from the top where there is none."""
    rows = file.text.splitlines()
    middle = min(line or 1, len(rows))
    first = max(0, middle - 1 - around)
    return f"file {file.path}, from line {first + 1}", "\n".join(rows[first : middle + around])


def _patch(drafted: Drafted | None, files: Mapping[str, File]) -> Patch | None:
    """The draft's edits, applied; None where there are none."""
    edits = drafted.data.get("edits") if drafted is not None else None
    usable = [edit for edit in edits if isinstance(edit, Mapping)] if isinstance(edits, list) else []
    return apply_edits(usable, files) if usable else None


def _cause(drafted: Drafted) -> str:
    return tame_draft(str(drafted.data.get("cause") or ""))


def _shown(drafted: Drafted, patch: Patch | None) -> Section | None:
    """The draft for people to judge; None where it says nothing."""
    steps = drafted.data.get("steps")
    parts = [_cause(drafted), _steps(steps if isinstance(steps, list) else [])]
    if patch is not None and patch.problem:
        parts.append("The change that it proposed does not apply to the files as they are, and is left out.")
    elif patch is not None:
        parts.append(fenced(redact(clean(patch.diff))[0], "diff"))
    body = "\n\n".join(part for part in parts if part)
    return drafted_section("Draft of a fix", body, drafted) if body else None


def _steps(steps: Sequence[Any]) -> str:
    lines = [tame_line(str(step)) for step in steps[:10]]
    return "\n".join(f"{number}. {line}" for number, line in enumerate((x for x in lines if x), 1))

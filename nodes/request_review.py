"""Finds the files that a bug may lie in and who knows them, and asks the reporter for what the report lacks."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any
from urllib.parse import quote

from models.asks import Ask, File, FileAuthors, Files, ListFiles, ReadFile
from models.case import Case, Frame, Suspect
from models.commands import assign
from models.text.escape import code, section
from nodes.base import Context, ask_all
from nodes.text.extract.owners import PLACES, owners_of, parse_owners
from nodes.text.extract.paths import index_of, matching
from nodes.text.markdown.markdown import Scan, part_like, scan

_EXPECTED = re.compile(r"(?i)\b(?:expect\w{0,4}|should|supposed to|actual(?:ly)?|instead of)\b")
_EXPECTED_HEADING = re.compile(r"(?i)expected|actual|should happen|happened instead")
_VERSION_HEADING = re.compile(r"(?i)\bversions?\b|environment|system info|release|platform")
_LOOSE_VERSION = re.compile(
    r"\b(?:[Vv]ersion \d|v\d|master|main branch|trunk|nightly"
    r"|(?:latest|newest|current) (?:version|release|commit)"
    r"|[A-Z][A-Za-z.]{2,20} \d{1,3}\b|[0-9a-f]{7,40}\b)"
)
_LONG = 1_000
IN_TRACE = "in the trace"

ASK_STEPS = "Which steps, or which smallest piece of code, make it happen?"
ASK_VERSION = "Which version do you use, and on which operating system or browser?"
ASK_EXPECTED = "What did you expect, and what happened instead?"


@dataclass(frozen=True, slots=True)
class _Named:
    """A file as the trace or the text names it."""

    file: str
    line: int | None = None
    function: str = ""
    own: bool = True
    in_trace: bool = True

    @property
    def reason(self) -> str:
        if not self.in_trace:
            return "named in the text"
        return IN_TRACE + (f" in {code(self.function, 80)}" if self.function else "")


@dataclass(frozen=True)
class RequestReview:
    """At most `files` suspects are listed, for the first `people` of them its authors, and `questions` asked."""

    files: int = 8
    people: int = 3
    questions: int = 3

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        questions = tuple(self.missing(case)[: self.questions])
        if questions:
            case = replace(case, questions=(*case.questions, *questions))
        named = self.named(case)
        if not named:
            return case
        files = await ctx.ask(ListFiles(case.issue.repo))
        if files is None or not files.blobs:
            return self._unchecked(case, named)
        suspects = await self._with_people(case, ctx, self.suspects(named, files), files)
        if not suspects:
            return case
        body = "\n".join(_line(suspect, _link(case, files, suspect)) for suspect in suspects)
        case = replace(
            case,
            suspects=(*case.suspects, *suspects),
            sections=(*case.sections, section("For the review", body)),
        )
        person = best_person(case) if ctx.policy.assign_suspects and not case.issue.assignees else ""
        return replace(case, commands=(*case.commands, assign(case.issue.ref, person))) if person else case

    def named(self, case: Case) -> list[_Named]:
        """Files that the trace and the text name: own frames first, then the text's, then libraries' frames."""
        frames = case.trace.frames if case.trace else ()
        found = [_of_frame(frame, case.issue.repo) for frame in frames if _is_file(frame.file)]
        texts = [
            _Named(path, in_trace=False)
            for path in (case.code.paths if case.code else ())
            if not _foreign(path)
        ]
        first = [one for one in found if one.own]
        return [*first, *texts, *(one for one in found if not one.own)]

    def suspects(self, named: Sequence[_Named], files: Files) -> list[Suspect]:
        """The files of the repository that are meant, each once."""
        index = index_of(files)
        found: dict[str, Suspect] = {}
        for one in named:
            for path in matching(one.file, index, foreign=not one.own):
                found.setdefault(path, Suspect(path=path, reason=one.reason, line=one.line))
            if len(found) >= self.files:
                break
        return list(found.values())[: self.files]

    async def _with_people(
        self, case: Case, ctx: Context, suspects: list[Suspect], files: Files
    ) -> list[Suspect]:
        if not suspects:
            return []
        repo, index = case.issue.repo, index_of(files)
        place = next((place for place in PLACES if place in index.get("CODEOWNERS", ())), None)
        asks: list[Ask[Any]] = [FileAuthors(repo, suspect.path) for suspect in suspects[: self.people]]
        if place:
            asks.append(ReadFile(repo, place))
        answers = await ask_all(ctx, asks)
        owners = answers.pop() if place else None
        rules = parse_owners(owners.text) if isinstance(owners, File) else ()
        authors = [tuple(answer or ()) for answer in answers]
        return [
            replace(suspect, owners=owners_of(suspect.path, rules), authors=logins)
            for suspect, logins in zip_longest(suspects, authors, fillvalue=())
            if isinstance(suspect, Suspect)
        ]

    def _unchecked(self, case: Case, named: Sequence[_Named]) -> Case:
        """Where the repository cannot be read: what was named, as it was."""
        found: dict[str, str] = {}
        for one in named:
            known = one.file.rpartition("/")[2] in {path.rpartition("/")[2] for path in found}
            if one.own and (one.in_trace or ("/" in one.file and not known)):
                found.setdefault(one.file, one.reason)
        if not found:
            return case
        lines = [f"- [ ] {code(path, 160)}, {why}" for path, why in list(found.items())[: self.files]]
        lines += [
            "",
            "The repository could not be read, so nobody has checked whether these files are there.",
        ]
        return replace(case, sections=(*case.sections, section("For the review", *lines)))

    def missing(self, case: Case) -> list[str]:
        """What a report of a bug needs and this one lacks."""
        signs = case.code
        # The project's own people and other bots know what they leave out.
        if signs is None or case.issue.by_insider or (case.issue.author or "").endswith("[bot]"):
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


def best_person(case: Case) -> str:
    """Who of those behind the trace's files can be assigned: an owner, else who changed it last; never the reporter."""
    reporter = (case.issue.author or "").casefold()
    for suspect in case.suspects:
        people = [*(login for login in suspect.owners if "/" not in login), *suspect.authors]
        able = [login for login in people if login.casefold() != reporter]
        if able and suspect.reason.startswith(IN_TRACE):
            return able[0]
    return ""


def _line(suspect: Suspect, link: str) -> str:
    words = [f"- [ ] {link}, {suspect.reason}"]
    if suspect.owners:
        words.append(f"owned by {_people(suspect.owners)}")
    if suspect.authors:
        words.append(f"last changed by {_people(suspect.authors[:3])}")
    return "; ".join(words)


def _people(logins: Iterable[str]) -> str:
    """Names that notify nobody."""
    return ", ".join(code(login, 100) for login in logins)


def _link(case: Case, files: Files, suspect: Suspect) -> str:
    """The file's place at the commit that was looked at."""
    place = suspect.path if suspect.line is None else f"{suspect.path}:{suspect.line}"
    base, found, _ = case.issue.html_url.rpartition("/issues/")
    if not found or not files.commit or not base.startswith(("https://", "http://")):
        return code(place, 160)
    line = "" if suspect.line is None else f"#L{suspect.line}"
    return f"[{code(place, 160)}]({base}/blob/{files.commit}/{quote(suspect.path)}{line})"


def _of_frame(frame: Frame, repo: str) -> _Named:
    """What a frame names; a Go module that is named by the repository's address is the project's own."""
    _, found, inside = frame.file.partition(f"github.com/{repo}")
    own = bool(found) and inside[:1] in ("/", "@")
    return _Named(inside if own else frame.file, frame.line, frame.function, own=own or frame.own)


def _is_file(name: str) -> bool:
    return "." in name and not name.startswith("<")


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

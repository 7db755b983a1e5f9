"""Reads the stack trace in an issue: error, message, frames, which of them are the project's own."""

from dataclasses import dataclass, replace

from models.case import Case, Frame, StackTrace
from models.text.escape import code, section
from nodes.base import Context
from nodes.text.markdown.markdown import scan
from nodes.text.traces import parse, project_name


@dataclass(frozen=True)
class ParseStackTrace:
    """At most `shown` frames go into the story; the issue itself has the rest."""

    shown: int = 6

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        trace = parse(scan(case.issue.body).text, project_name(case.issue.repo))
        if trace is None:
            return case
        return replace(
            case, trace=trace, sections=(*case.sections, section("Stack trace", *self._lines(trace)))
        )

    def _lines(self, trace: StackTrace) -> list[str]:
        own = [frame for frame in trace.frames if frame.own]
        chosen = (own or list(trace.frames))[: self.shown]
        error = f"**{code(trace.exception or 'no error named', 120)}**"
        lines = [
            f"{error} ({trace.language})" + (f": {code(trace.message, 300)}" if trace.message else ""),
            "",
        ]
        lines += [f"- {describe_frame(frame)}" for frame in chosen]
        lines += ["", self._rest(trace, len(own), len(chosen))]
        return lines

    def _rest(self, trace: StackTrace, own: int, shown: int) -> str:
        library = len(trace.frames) - own
        words = [] if own else ["no frame is the project's own"]
        if own > shown:
            words.append(f"{own - shown} more own frames")
        if own and library:
            words.append(f"{library} library frame{'s' if library > 1 else ''} left out")
        words.append(f"fingerprint `{trace.fingerprint}`")
        return ", ".join(words)


def describe_frame(frame: Frame) -> str:
    """A frame as one markdown line: place first, then the function."""
    place = frame.file or "unknown file"
    if frame.line is not None:
        place = f"{place}:{frame.line}"
    return code(place, 160) + (f" in {code(frame.function, 120)}" if frame.function else "")

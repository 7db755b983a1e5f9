"""A hundred traces written for these tests, each with what has to be found in it, and twenty more of later."""

from dataclasses import dataclass
from pathlib import Path

from models.case import StackTrace

FOLDER = Path(__file__).parent
_MARK = "=== "


@dataclass(frozen=True)
class Sample:
    """A text and what stands in it: `wanted` is (language, exception, frames, own file, own function).

    The own file and function are those of the first own frame, "-" where there is none; `wanted` is None for a
    text without a trace.
    """

    name: str
    wanted: tuple[str, str, int, str, str] | None
    text: str


def load(name: str = "traces.txt") -> tuple[Sample, ...]:
    """The samples in the order of the file: a line "=== name | what is wanted", then the text."""
    found: list[Sample] = []
    for piece in f"\n{(FOLDER / name).read_text(encoding='utf-8')}".split(f"\n{_MARK}")[1:]:
        head, _, text = piece.partition("\n")
        name, *wanted = (cell.strip() for cell in head.split(" | "))
        if wanted == ["none"]:
            found.append(Sample(name, None, text))
        else:
            language, exception, frames, file, function = wanted
            found.append(Sample(name, (language, exception, int(frames), file, function), text))
    return tuple(found)


def told(trace: StackTrace | None) -> tuple[str, str, int, str, str] | None:
    """What was found, in the shape of `Sample.wanted`."""
    if trace is None:
        return None
    own = next((frame for frame in trace.frames if frame.own), None)
    file, function = (own.file or "-", own.function or "-") if own else ("-", "-")
    return trace.language, trace.exception or "-", len(trace.frames), file, function

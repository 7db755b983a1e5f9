"""Rust panics, with a backtrace or without."""

import re
from dataclasses import replace

from models.case import Frame
from nodes.text.traces.base import Found, Reader, number

_OLD = re.compile(r".{0,160}?panicked at '(.{0,400}?)', ([^\s:]{1,250}):(\d{1,7})")
_OPEN = re.compile(r".{0,160}?panicked at '(.{0,400})$")
_CLOSE = re.compile(r"(.{0,400}?)', ([^\s:]{1,250}):(\d{1,7})(?::\d{1,7})?\s*$")
_NEW = re.compile(r".{0,160}?panicked at ([^\s:]{1,250}):(\d{1,7})(?::\d{1,7})?:?\s*(.{0,400})$")
_BARE = re.compile(r".{0,160}?panicked at (.{1,400})$")
_NUMBERED = re.compile(r"\s{0,20}\d{1,4}:\s{1,8}(?:0x[0-9a-f]{1,16} - )?(\S.{0,250})$")
_PLACE = re.compile(r"\s{0,40}at ((?:[A-Za-z]:)?[^:\n]{1,300}\.rs):(\d{1,7})(?::\d{1,7})?\s*$")
_HASH = re.compile(r"::h[0-9a-f]{16}$")
_MESSAGE_LINES = 12


def read(lines: list[str], start: int) -> tuple[Found | None, int]:
    """The next panic; where there is no backtrace, the place it names is the only frame."""
    for at in range(start, len(lines)):
        line = lines[at]
        if "panicked at" not in line:
            continue
        if match := _OLD.match(line):
            message, place = match[1], Frame(file=match[2], line=number(match[3]))
        elif (match := _OPEN.match(line)) and (rest := _closing(lines, at)):
            message, place = match[1], Frame(file=rest[2], line=number(rest[3]))
        elif match := _NEW.match(line):
            following = lines[at + 1].strip() if at + 1 < len(lines) else ""
            message, place = match[3] or following, Frame(file=match[1], line=number(match[2]))
        elif match := _BARE.match(line):
            message, place = match[1], Frame(file="")
        else:
            continue
        frames, end = _backtrace(lines, at + 1)
        return Found("Rust", "panic", message, tuple(_with_place(frames, place))), end
    return None, len(lines)


def _closing(lines: list[str], at: int) -> re.Match[str] | None:
    """Where the quote of a message of several lines closes."""
    for line in lines[at + 1 : at + _MESSAGE_LINES]:
        if "', " in line and (match := _CLOSE.match(line)):
            return match
    return None


def _with_place(frames: list[Frame], place: Frame) -> list[Frame]:
    """The frames with the place that the panic itself names, where no frame has it."""
    if not place.file or any(frame.file and _same(frame.file, place.file) for frame in frames):
        return frames
    if not READER.library.search(f"{place.file} "):
        for at, frame in enumerate(frames):
            if not READER.library.search(f"{frame.file} {frame.function}"):
                if frame.file:
                    break
                frames[at] = replace(frame, file=place.file, line=place.line)
                return frames
    return [place, *frames]


def _same(one: str, other: str) -> bool:
    return one.endswith(other) or other.endswith(one)


def _backtrace(lines: list[str], start: int) -> tuple[list[Frame], int]:
    frames: list[Frame] = []
    function = ""
    end, gap = len(lines), 0
    for at in range(start, len(lines)):
        line = lines[at]
        if "panicked at" in line:
            end = at
            break
        gap += 1
        if match := _PLACE.match(line):
            frames.append(Frame(file=match[1].removeprefix("./"), line=number(match[2]), function=function))
            function, gap = "", 0
        elif match := _NUMBERED.match(line):
            if function:
                frames.append(Frame(file="", function=function))
            function, gap = _HASH.sub("", match[1].strip()), 0
        elif gap > 40:
            end = at
            break
    if function:
        frames.append(Frame(file="", function=function))
    return frames, end


READER = Reader(
    marks=("panicked at",),
    read=read,
    library=re.compile(
        r"/rustc/|^compiler/rustc_|/lib(?:std|core|alloc|collections)/"
        r"| (?:sys|sys_common)::backtrace|rt::unwind|rt::lang_start"
        r"|\.cargo[/\\]registry|^library/|/library/(?:std|core|alloc)/"
        r"|(?:^| <?)(?:core|std|alloc|tokio|rayon|backtrace|rust_begin_unwind|__rust\w{0,40}|rust_panic"
        r"|_start|start_thread|clone\d?|__libc\w{0,30}|main)(?:::|$|@| )"
    ),
)

"""Rust panics, with a backtrace or without."""

import re

from models.case import Frame
from nodes.text.traces.base import Found, Reader, number

_OLD = re.compile(r".{0,160}?panicked at '(.{0,400}?)', ([^\s:]{1,250}):(\d{1,7})")
_NEW = re.compile(r".{0,160}?panicked at ([^\s:]{1,250}):(\d{1,7})(?::\d{1,7})?:?\s*(.{0,400})$")
_BARE = re.compile(r".{0,160}?panicked at (.{1,400})$")
_NUMBERED = re.compile(r"\s{0,20}\d{1,4}:\s{1,8}(?:0x[0-9a-f]{1,16} - )?(\S.{0,250})$")
_PLACE = re.compile(r"\s{0,40}at ((?:[A-Za-z]:)?[^:\n]{1,300}\.rs):(\d{1,7})(?::\d{1,7})?\s*$")
_HASH = re.compile(r"::h[0-9a-f]{16}$")


def read(lines: list[str]) -> Found | None:
    """The first panic; where there is no backtrace, the place it names is the only frame."""
    for at, line in enumerate(lines):
        if "panicked at" not in line:
            continue
        if match := _OLD.match(line):
            message, place = match[1], Frame(file=match[2], line=number(match[3]))
        elif match := _NEW.match(line):
            following = lines[at + 1].strip() if at + 1 < len(lines) else ""
            message, place = match[3] or following, Frame(file=match[1], line=number(match[2]))
        elif match := _BARE.match(line):
            message, place = match[1], Frame(file="")
        else:
            continue
        frames = _backtrace(lines[at + 1 : at + 400])
        if place.file and not any(_same(frame.file, place.file) for frame in frames):
            frames.insert(0, place)
        return Found("Rust", "panic", message, tuple(frames))
    return None


def _same(one: str, other: str) -> bool:
    return one.endswith(other) or other.endswith(one)


def _backtrace(lines: list[str]) -> list[Frame]:
    frames: list[Frame] = []
    function = ""
    for line in lines:
        if "panicked at" in line:
            break
        if match := _PLACE.match(line):
            frames.append(Frame(file=match[1].removeprefix("./"), line=number(match[2]), function=function))
            function = ""
        elif match := _NUMBERED.match(line):
            if function:
                frames.append(Frame(file="", function=function))
            function = _HASH.sub("", match[1].strip())
    if function:
        frames.append(Frame(file="", function=function))
    return frames


READER = Reader(
    marks=("panicked at",),
    read=read,
    library=re.compile(
        r"/rustc/|\.cargo[/\\]registry|^library/|/library/(?:std|core|alloc)/"
        r"|(?:^| <?)(?:core|std|alloc|tokio|rayon|backtrace|rust_begin_unwind|__rust\w{0,40}|rust_panic"
        r"|_start|start_thread|clone\d?|__libc\w{0,30}|main)(?:::|$|@| )"
    ),
)

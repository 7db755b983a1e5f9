"""Ruby's backtraces, as the interpreter, Rails and Bundler print them."""

import re

from models.case import Frame
from nodes.text.traces.base import Found, Reader, number

_FRAME = re.compile(
    r"(?:\s|\d{1,3}: |from |\[\d{1,3}\] |# ){0,30}([^\s:'\"]{1,300}\.(?:rb|rake|erb|ru|haml|slim)):(\d{1,7})"
    r"(?::in [`']([^'\n]{1,150})')?"
)
_AT_FRAME = re.compile(r": (.{1,400}?) \(([A-Z][\w:]{1,100})\)\s*$")
_BEFORE = re.compile(
    r"(?:.{0,60}\s)?([A-Z]\w{0,60}(?:::\w{1,60}){0,6}(?:Error|Exception|NotFound|Invalid|Missing"
    r"|Timeout|Interrupt))(?: \((.{0,400})\):?|: (.{0,400}))?\s*$"
)
_MESSAGE_LINES = 5


def read(lines: list[str]) -> Found | None:
    """The first backtrace with the error beside or above it."""
    kind, message, age = "", "", 99
    frames: list[Frame] = []
    gap = 0
    for line in lines:
        if (".r" in line or ".erb" in line or ".haml" in line) and (match := _FRAME.match(line)):
            frames.append(Frame(file=match[1], line=number(match[2]), function=match[3] or ""))
            gap = 0
            if not kind and (told := _AT_FRAME.search(line, match.end())):
                kind, message, age = told[2], told[1], 0
            continue
        if frames:
            gap += 1
            if gap > 2:
                break
        elif match := _BEFORE.match(line.strip()):
            kind, message, age = match[1], match[2] or match[3] or "", 0
        else:
            age += 1
            if age > _MESSAGE_LINES:
                kind, message = "", ""
    if not frames or (not kind and not any(frame.function for frame in frames)):
        return None
    if (
        frames[-1].file.endswith(".rb")
        and len(frames) > 2
        and lines
        and "most recent call last" in " ".join(lines[:3])
    ):
        frames.reverse()
    return Found("Ruby", kind, message, tuple(frames))


READER = Reader(
    marks=(".rb:", ".rake:", ".erb:", ".haml:", ".ru:"),
    read=read,
    library=re.compile(r"/gems/|/lib/ruby/|^<internal:|/rubygems/|/bundler/|/rbenv/versions/"),
)

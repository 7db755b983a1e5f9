"""Ruby's backtraces, as the interpreter, Rails, RSpec and Bundler print them."""

import re

from models.case import Frame
from nodes.text.traces.base import Found, Reader, number

_FRAME = re.compile(
    r"(?:\s|\d{1,3}: |from |\[\d{1,3}\] |# ){0,30}"
    r"(?:(<internal:[^<>\s]{1,200}>|[^\s:'\"]{1,300}\.(?:rb|rake|erb|ru|haml|slim)):(\d{1,7})"
    r"(?::in [`']([^'\n]{1,150})')?"
    r"|([\w./+-]{1,300}):(\d{1,7}):in [`']([^'\n]{1,150})')"
)
_HINTS = (".r", ".erb", ".haml", ".slim", ":in `", ":in '", "<internal:")
_AT_FRAME = re.compile(r": (.{1,400}?) \(([A-Z][\w:]{1,100})\)\s*$")
_BEFORE = re.compile(
    r"(?:.{0,60}\s)?([A-Z]\w{0,60}(?:::[A-Z]\w{0,60}){0,6})(?: \((.{0,400})\):?|:\s{0,4}(.{0,400}))?$"
)
_ERROR_NAME = re.compile(r"(?:Error|Exception|NotFound|Invalid|Missing|Timeout|Interrupt)$")
_MESSAGE_LINES = 5


def read(lines: list[str], start: int) -> tuple[Found | None, int]:
    """The next backtrace with the error beside or above it."""
    kind, message, age = "", "", 99
    frames: list[Frame] = []
    upside_down = False
    gap, end = 0, len(lines)
    for at in range(start, len(lines)):
        line = lines[at]
        if any(hint in line for hint in _HINTS) and (match := _FRAME.match(line)):
            file, place, function = match[1] or match[4], match[2] or match[5], match[3] or match[6]
            frames.append(Frame(file=file, line=number(place), function=function or ""))
            gap = 0
            if not kind and (told := _AT_FRAME.search(line, match.end())):
                kind, message, age = told[2], told[1], 0
            continue
        bare = line.strip()
        if frames:
            gap += 1
            if gap > 2 or (kind and _named(bare)):
                end = at
                break
        elif "most recent call last" in line:
            upside_down = True
        elif named := _named(bare):
            kind, message, age = *named, 0
        else:
            if kind and not message:
                message = bare
            age += 1
            if age > _MESSAGE_LINES:
                kind, message = "", ""
    if not frames or (not kind and not any(frame.function for frame in frames)):
        return None, end
    if upside_down:
        frames.reverse()
    return Found("Ruby", kind, message, tuple(frames)), end


def _named(bare: str) -> tuple[str, str] | None:
    match = _BEFORE.match(bare)
    if match is None or not _ERROR_NAME.search(match[1]):
        return None
    return match[1], match[2] or match[3] or ""


READER = Reader(
    marks=(".rb:", ".rake:", ".erb:", ".haml:", ".ru:", ":in `", ":in '"),
    read=read,
    library=re.compile(r"/gems/|/lib/ruby/|^<internal:|/rubygems/|/bundler/|/rbenv/versions/"),
)

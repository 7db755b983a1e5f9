"""PHP's fatal errors and uncaught exceptions, plain and as Xdebug prints them."""

import re

from models.case import Frame
from nodes.text.traces.base import Found, Reader, number

_FRAME = re.compile(
    r"\s{0,40}(?:PHP\s{1,4})?#?\d{1,4}\.?\s{1,8}(?:\[internal function\]"
    r"|((?:[A-Za-z]:)?[^\s(:]{1,300}\.php)[(:](\d{1,7})\)?)(?:: ([\w\\>:{}-]{1,200}?)\()?"
)
_XDEBUG = re.compile(
    r"\s{0,40}(?:PHP\s{1,4})?\d{1,4}\. ([\w\\>:{}-]{1,200})\(.{0,300}\) "
    r"((?:[A-Za-z]:)?[^\s:]{1,300}\.php):(\d{1,7})"
)
_THROWN = re.compile(
    r".{0,160}?(?:Uncaught (?:exception ')?|Fatal error: |\]: "
    r"|(?<=\s))?([A-Z][\w\\]{0,120}(?:Error|Exception))(?:'? with message '"
    r"|: )(.{0,500}?)(?: in ((?:[A-Za-z]:)?[^\s:]{1,300}\.php)(?::| on line )(\d{1,7}))?\s*$"
)
_FATAL = re.compile(
    r".{0,120}?((?:Fatal|Parse) error|Warning):\s{1,4}(.{0,500}?) in ((?:[A-Za-z]:)?[^\s:]{1,300}\.php)"
    r"(?::| on line )(\d{1,7})"
)


def read(lines: list[str]) -> Found | None:
    """The first error that PHP itself reports, with the frames under it."""
    kind, message = "", ""
    frames: list[Frame] = []
    for line in lines:
        if frames and kind and not line.strip():
            break
        if frame := _frame(line):
            frames.append(frame)
        elif not kind and _tells(line) and (match := _THROWN.match(line) or _FATAL.match(line)):
            kind, message = match[1].strip("\\"), match[2]
            if match[3]:
                frames.append(Frame(file=match[3], line=number(match[4])))
    if not frames or not any(frame.file for frame in frames):
        return None
    return Found("PHP", kind, message, tuple(frames))


def _tells(line: str) -> bool:
    return "rror" in line or "Exception" in line or "Warning" in line


def _frame(line: str) -> Frame | None:
    if match := _FRAME.match(line):
        return Frame(file=match[1] or "", line=number(match[2]), function=match[3] or "")
    if match := _XDEBUG.match(line):
        return Frame(file=match[2], line=number(match[3]), function=match[1])
    return None


READER = Reader(marks=(".php",), read=read, library=re.compile(r"/vendor/|^ "))

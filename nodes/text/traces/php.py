"""PHP's fatal errors and uncaught exceptions, as PHP, Xdebug, Laravel, Symfony and PHPUnit print them.

In PHP a frame's function is the one that was called at that place.
"""

import re

from models.case import Frame
from nodes.text.traces.base import Found, Reader, number

_FILE = r"(?:[A-Za-z]:)?[^\s(:]{1,300}\.php"
_NAME = r"[\w\\>:{}-]{1,200}"
_FRAME = re.compile(
    r"\s{0,40}(?:PHP\s{1,4})?#\d{1,4}\.?\s{1,8}(?:\[internal function\]"
    rf"|({_FILE})[(:](\d{{1,7}})\)?)(?:: ({_NAME}?)\()?"
)
_XDEBUG = re.compile(
    r"\s{0,40}(?:PHP\s{1,4})?(?:\d{1,5}\.\d{1,6}\s{1,12}\d{1,12}\s{1,6})?\d{1,4}\. "
    rf"({_NAME})\(.{{0,300}}\) ({_FILE}):(\d{{1,7}})"
)
_PLACE = re.compile(rf"\s{{0,8}}(?:({_NAME})\(\) )?(?:at )?({_FILE}):(\d{{1,7}})\s*$")
_THROWN = re.compile(
    r".{0,160}?(?:Uncaught (?:exception ')?|Fatal error: |\]: "
    r"|(?<=\s))?([A-Z][\w\\]{0,120}(?:Error|Exception)|Error|Exception)(?:'? with message '"
    rf"|: )(.{{0,500}}?)(?: in ({_FILE})(?::| on line )(\d{{1,7}}))?\s*$"
)
_FATAL = re.compile(
    rf".{{0,120}}?((?:Fatal|Parse) error|Warning|Deprecated|Notice):\s{{1,4}}(.{{0,500}}?) in ({_FILE})"
    r"(?::| on line )(\d{1,7})"
)
_OBJECT = re.compile(
    rf".{{0,800}}?\[object\] \(([\w\\]{{1,200}})\(code: .{{0,20}}?\): (.{{0,500}}?) at ({_FILE}):(\d{{1,7}})"
)
_BRACKETED = re.compile(r"\s{1,8}\[([A-Z][\w\\]{0,120}(?:Error|Exception))\s{0,80}\]\s*$")
_MESSAGE_LINES = 6


def read(lines: list[str], start: int) -> tuple[Found | None, int]:
    """The next error that PHP itself reports, with the frames under it."""
    kind, message = "", ""
    frames: list[Frame] = []
    stack: list[Frame] = []
    age, end = 0, len(lines)
    for at in range(start, len(lines)):
        line = lines[at]
        bare = line.strip()
        if frames and kind and (bare.startswith("Next ") or (not bare and len(frames) > 1)):
            end = at
            break
        if ".php" in line or "#" in line:
            if match := _XDEBUG.match(line):
                stack.append(Frame(file=match[2], line=number(match[3]), function=match[1]))
                continue
            if frame := _frame(line, bool(kind)):
                frames.append(frame)
                continue
        if not kind:
            if _tells(line) and (match := _OBJECT.match(line) or _THROWN.match(line) or _FATAL.match(line)):
                kind, message, age = _name(match[1]), match[2], 0
                if match[3]:
                    frames.append(Frame(file=match[3], line=number(match[4])))
            elif match := _BRACKETED.match(line):
                kind, age = match[1], 0
        elif not message:
            message = bare
        elif not frames:
            age += 1
            if age > _MESSAGE_LINES:
                kind, message = "", ""
    frames += reversed(stack)
    if not any(frame.file for frame in frames) or not (kind or any(frame.function for frame in frames)):
        return None, end
    return Found("PHP", kind, message, tuple(frames)), end


def _tells(line: str) -> bool:
    return any(word in line for word in ("rror", "Exception", "Warning", "Deprecated", "Notice"))


def _name(text: str) -> str:
    return text.replace("\\\\", "\\").strip("\\")


def _frame(line: str, named: bool) -> Frame | None:
    """A numbered frame; under an error's name also a bare place."""
    if match := _FRAME.match(line):
        return Frame(file=match[1] or "", line=number(match[2]), function=_name(match[3] or ""))
    if named and (match := _PLACE.match(line)):
        return Frame(file=match[2], line=number(match[3]), function=_name(match[1] or ""))
    return None


READER = Reader(marks=(".php",), read=read, library=re.compile(r"/vendor/|^ "))

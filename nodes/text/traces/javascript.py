"""Stack traces of JavaScript and TypeScript: V8's ("at f (file:1:2)") and Firefox's ("f@file:1:2")."""

import re

from models.case import Frame
from nodes.text.traces.base import Found, Reader, number

_FRAME = re.compile(
    r"\s{0,40}at (?:async )?(?:([^()\n]{1,150}?) (?:\[as [^\]\n]{1,80}\] )?\()?"
    r"((?:[A-Za-z][\w+.-]{0,30}:)?[^():\n]{1,300}(?::\d{2,5}/[^():\s]{0,300})?):(\d{1,7})(?::\d{1,7})?\)?\s*$"
)
_NOWHERE = re.compile(r"\s{0,40}at ([^()\n]{1,150}) \((?:<anonymous>|native|index \d{1,4})\)\s*$")
_FIREFOX = re.compile(
    r"\s{0,40}([\w$.<>/*]{0,100})@((?:https?|file|webpack|resource"
    r"|chrome)[^\s]{1,300}?):(\d{1,7}):\d{1,7}\s*$"
)
_KIND = re.compile(
    r"(?:Uncaught |Unhandled |\(in promise\) |\[\w{1,20}\]:? |ERROR |[×✕●] )*"
    r"([A-Z][\w$]{0,60}(?:Error|Exception|Violation|Warning)|Error)(?: \[(\w{1,60})\])?(?::\s?(.{0,500}))?$"
)
_TYPESCRIPT = re.compile(r"\.(?:ts|tsx|mts|cts)$")
_JVM_FILE = (".java", ".kt", ".scala", ".groovy", ".rs", ".go", ".cs", ".py")
_MESSAGE_LINES = 8


def read(lines: list[str]) -> Found | None:
    """The first trace with the error named above it."""
    kind, message, age = "", "", 99
    frames: list[Frame] = []
    gap = 0
    for line in lines:
        frame = _frame(line)
        if frame:
            frames.append(frame)
            gap = 0
        elif frames:
            gap += 1
            if gap > 1 or _KIND.match(line.strip()):
                break
        elif match := _KIND.match(line.strip()):
            kind, message, age = match[1], match[3] or "", 0
        else:
            age += 1
            if age > _MESSAGE_LINES:
                kind, message = "", ""
    if not frames or (not kind and len(frames) < 2):
        return None
    typed = any(_TYPESCRIPT.search(frame.file) for frame in frames)
    return Found("TypeScript" if typed else "JavaScript", kind, message, tuple(frames))


def _frame(line: str) -> Frame | None:
    if "at " in line:
        if match := _FRAME.match(line):
            if match[2].endswith(_JVM_FILE) or ":line" in line:
                return None
            return Frame(file=match[2].strip(), line=number(match[3]), function=(match[1] or "").strip())
        if match := _NOWHERE.match(line):
            return Frame(file="<anonymous>", function=match[1].strip())
    elif "@" in line and (match := _FIREFOX.match(line)):
        return Frame(file=match[2], line=number(match[3]), function=match[1])
    return None


READER = Reader(
    marks=("at ", "@http", "@file", "@webpack", "@resource"),
    read=read,
    library=re.compile(
        r"node_modules|node:|^internal/|^webpack/|^<anonymous>|^native|-extension://|\.min\.js"
        r"|^(?:events|net|fs|module|timers|_http_\w{1,20}|_stream_\w{1,20})\.js|resource://"
        r"|/webpack/bootstrap"
    ),
)

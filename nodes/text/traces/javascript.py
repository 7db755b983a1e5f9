"""Stack traces of JavaScript and TypeScript: V8's ("at f (file:1:2)"), Firefox's and Safari's ("f@file:1:2")."""

import re

from models.case import Frame
from nodes.text.traces.base import Found, Reader, number

_FRAME = re.compile(
    r"\s{0,40}at (?:async )?(?:([^()\n]{1,150}?) (?:\[as [^\]\n]{1,80}\] )?\()?"
    r"((?:[a-z][a-z-]{2,30}:(?=[/a-zA-Z])|[A-Za-z]:(?=[\\/]))?[^():\n]{1,300}(?::\d{2,5}/[^():\s]{0,300})?)"
    r":(\d{1,7})(?::\d{1,7})?\)?(?: \{)?\s*$"
)
_NOWHERE = re.compile(
    r"\s{0,40}at (?:async )?([^()\n]{1,150}) \((?:<anonymous>|native|index \d{1,4})\)(?: \{)?\s*$"
)
_SCHEMES = (
    r"(?:https?|file|webpack|webpack-internal|resource|chrome|moz-extension|safari-extension|capacitor)"
)
_AT_SIGN = re.compile(
    rf"\s{{0,40}}([\w$.<>/* ]{{0,100}})@(?:\[native code\]|({_SCHEMES}[^\s]{{1,300}}?):(\d{{1,7}})(?::\d{{1,7}})?)\s*$"
)
_CONSOLE = re.compile(
    rf"\s{{1,40}}([\w$.<>/*]{{1,100}}) ({_SCHEMES}://[^\s]{{1,300}}?):(\d{{1,7}})(?::\d{{1,7}})?\s*$"
)
_KIND = re.compile(
    r"(?:Uncaught |Unhandled |\(in promise\) |\[\w{1,20}\]:? |ERROR |[×✕●] ){0,5}"
    r"([A-Z][\w$]{0,60}(?:Error|Exception|Violation|Warning)|Error)(?: \[(\w{1,60})\])?(?::\s?(.{0,500}))?$"
)
_UNCAUGHT = re.compile(
    r"(?:error: )?Uncaught (?:\(in promise\) )?([A-Z][\w$]{1,60})(?: \[(\w{1,60})\])?: (.{0,500})$"
)
_TYPESCRIPT = re.compile(r"\.(?:ts|tsx|mts|cts)$")
_OTHERS = (
    ".java",
    ".kt",
    ".scala",
    ".groovy",
    ".rs",
    ".go",
    ".cs",
    ".py",
    ".php",
    ".rb",
    ".h",
    ".c",
    ".cc",
    ".cpp",
    ".hpp",
)
_MESSAGE_LINES = 8


def read(lines: list[str], start: int) -> tuple[Found | None, int]:
    """The next trace with the error named above it; of nested causes the innermost."""
    kind, message, age = "", "", 99
    frames: list[Frame] = []
    gap, end = 0, len(lines)
    for at in range(start, len(lines)):
        line = lines[at]
        if frame := _frame(line):
            frames.append(frame)
            gap = 0
            continue
        bare = line.strip()
        if frames and bare.startswith("[cause]: ") and (match := _KIND.match(bare, 9)):
            kind, message, frames, gap = match[1], match[3] or "", [], 0
        elif frames:
            gap += 1
            if gap > 1 or _KIND.match(bare):
                end = at
                break
        elif match := _KIND.match(bare) or _UNCAUGHT.match(bare):
            kind, message, age = match[1], match[3] or "", 0
        else:
            age += 1
            if age > _MESSAGE_LINES:
                kind, message = "", ""
    if not frames or (not kind and len(frames) < 2):
        return None, end
    typed = any(_TYPESCRIPT.search(frame.file.partition("?")[0]) for frame in frames)
    return Found("TypeScript" if typed else "JavaScript", kind, message, tuple(frames)), end


def _frame(line: str) -> Frame | None:
    if "at " in line:
        if match := _FRAME.match(line):
            if match[2].endswith(_OTHERS) or ":line" in line:
                return None
            return Frame(file=match[2].strip(), line=number(match[3]), function=(match[1] or "").strip())
        if match := _NOWHERE.match(line):
            return Frame(file="<anonymous>", function=match[1].strip())
    if "@" in line and (match := _AT_SIGN.match(line)):
        return Frame(file=match[2] or "[native code]", line=number(match[3]), function=match[1].strip())
    if "://" in line and (match := _CONSOLE.match(line)):
        return Frame(file=match[2], line=number(match[3]), function=match[1])
    return None


READER = Reader(
    marks=("at ", "@http", "@file", "@webpack", "@resource", "@[native", ".js:"),
    read=read,
    library=re.compile(
        r"node_modules|node:|^internal/|^webpack/|^<anonymous>|^native|^\[native|-extension://|\.min\.js"
        r"|^(?:events|net|fs|module|timers|_http_\w{1,20}|_stream_\w{1,20})\.js|resource://"
        r"|/webpack/bootstrap|(?:^|/)(?:react|react-dom|scheduler|vue|jquery|zone)"
        r"(?:\.(?:development|production|profiling|global|runtime|esm|cjs|slim|prod)){0,4}\.js"
    ),
)

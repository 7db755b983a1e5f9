"""Python tracebacks, with chained and grouped ones, and the reports that pytest prints."""

import re
from dataclasses import replace

from models.case import Frame
from nodes.text.traces.base import Found, Reader, number

_FRAME = re.compile(r"[\s|]{0,40}File \"([^\"]{1,300})\", line (\d{1,7})(?:, in (.{1,100}))?")
_ERROR = re.compile(r"(?:E {1,7})?([A-Za-z_][\w.]{1,120})(?::\s?(.{0,500}))?$")
_ERROR_NAME = re.compile(
    r"(?:Error|Exception|Warning|Interrupt|Exit|Iteration|Group|Failure|Timeout|NotFound)$"
)
_OWN_NAME = re.compile(r"[a-z][A-Z]|\w\.\w")
_CAUSE = "was the direct cause of the following"
_DURING = "During handling of the above exception"
_GROUP = re.compile(r"\(\d{1,5} sub-exceptions?\)$")
_NEXT_IN_GROUP = re.compile(r"[\s|]{0,40}\+[-+]{3,}(?: \d{1,4} )?-{0,40}$")
_TEST_FRAME = re.compile(
    r"([\w./\\:+-]{1,300}\.pyi?):(\d{1,7}): ?(?:in (\S.{0,100})|([A-Za-z_][\w.]{0,100}))?$"
)
_TEST_ERROR = re.compile(r"E {2,7}(\S.{0,500})$")
_DEF = re.compile(r">?\s{1,40}(?:async )?def (\w{1,100})\(")
_CELL = re.compile(
    r"(?:File )?(<ipython-input-[\w-]{1,60}>|[~/.\w][^\s:]{0,300}\.pyx?|(?:Cell |Input )?In ?\[\d{1,5}\])"
    r"(?::(\d{1,7}))?,?(?: line (\d{1,7}),)? in (<[^<>]{1,80}>|[\w.]{1,100})"
)
_ARROW = re.compile(r"-{2,6}> (\d{1,7})\b")
_NEAR = 8


def read(lines: list[str], start: int) -> tuple[Found | None, int]:
    """The next chain: its last traceback, or the cause of that where the chain declares one."""
    chain: list[Found] = []
    causes: list[bool] = []
    frames: list[Frame] = []
    group: Found | None = None
    link: bool | None = None
    since, depth = 0, 1
    for at in range(start, len(lines)):
        line = lines[at]
        if 'File "' in line and (match := _FRAME.match(line)):
            if chain and link is None and not frames:
                return _telling(chain, causes), at
            frames.append(Frame(file=match[1], line=number(match[2]), function=(match[3] or "").strip()))
            since = 0
            depth = max(1, len(line) - len(line.lstrip()))
            continue
        since += 1
        if not frames:
            if not chain:
                continue
            if _CAUSE in line or _DURING in line:
                link = _CAUSE in line
            elif (link is None and since > _NEAR) or _NEXT_IN_GROUP.match(line):
                return _telling(chain, causes), at
            continue
        bare = line.strip(" |+-")
        text = line.lstrip()
        indented = len(line) - len(text) >= depth and not text.startswith(("|", "E "))
        if bare and not indented and (error := _error(bare, since)):
            found = Found("Python", *error, tuple(reversed(frames)))
            frames, since = [], 0
            if _GROUP.search(bare):
                group = group or found
                chain, causes, link = [], [], None
                continue
            if chain:
                causes.append(bool(link))
            chain.append(found)
            link = None
        elif "Traceback (most" in line or since > _NEAR:
            return Found("Python", "", "", tuple(reversed(frames))), at
    if frames and not chain:
        return Found("Python", "", "", tuple(reversed(frames))), len(lines)
    return (_telling(chain, causes) if chain else group), len(lines)


def _error(bare: str, since: int) -> tuple[str, str] | None:
    match = _ERROR.match(bare)
    if match is None or not (_ERROR_NAME.search(match[1]) or (since <= 4 and _OWN_NAME.search(match[1]))):
        return None
    return match[1], match[2] or ""


def _telling(chain: list[Found], causes: list[bool]) -> Found:
    at = len(chain) - 1
    while at and causes[at - 1]:
        at -= 1
    return chain[at]


def read_test(lines: list[str], start: int) -> tuple[Found | None, int]:
    """The next failure of a test as pytest prints it: "E   error", and places as "file.py:12: in f"."""
    frames: list[Frame] = []
    kind, message, function = "", "", ""
    since = 0
    for at in range(start, len(lines)):
        line = lines[at]
        since += 1
        if line[:1] == "E" and (match := _TEST_ERROR.match(line)):
            if not kind:
                error = _ERROR.match(match[1])
                kind, message = (error[1], error[2] or "") if error else ("AssertionError", match[1])
        elif line[:1] in " >" and (match := _DEF.match(line)):
            function = match[1]
        elif ".py" in line and (match := _TEST_FRAME.match(line)):
            if frames and since > 60:
                frames = []
            frames.append(Frame(file=match[1], line=number(match[2]), function=match[3] or function))
            function, since = "", 0
            if kind and match[4]:
                return Found("Python", match[4], message, tuple(reversed(frames))), at + 1
        elif kind and frames and since <= 30 and _ends(lines, at) and frames[-1].function:
            return Found("Python", kind, message, tuple(reversed(frames))), at
    if kind and frames:
        return Found("Python", kind, message, tuple(reversed(frames))), len(lines)
    return None, len(lines)


def _ends(lines: list[str], at: int) -> bool:
    """An empty line or a rule ends the report; but in the long form the place stands below an empty line."""
    if lines[at].strip() and not lines[at].startswith(("===", "___")):
        return False
    return not any(_TEST_FRAME.match(line) for line in lines[at : at + 2])


def read_notebook(lines: list[str], start: int) -> tuple[Found | None, int]:
    """The next traceback as IPython prints it: a place, then its lines with an arrow, the error at the end."""
    frames: list[Frame] = []
    since = 0
    for at in range(start, len(lines)):
        line = lines[at]
        since += 1
        if line[:1] not in " -" and " in " in line and (match := _CELL.match(line)):
            place = match[2] or match[3]
            frames.append(Frame(file=match[1], line=number(place), function=match[4]))
            since = 0
        elif frames and frames[-1].line is None and (arrow := _ARROW.match(line)):
            frames[-1] = replace(frames[-1], line=number(arrow[1]))
        elif frames and line[:1].isalpha() and (error := _ERROR.match(line)) and _ERROR_NAME.search(error[1]):
            return Found("Python", error[1], error[2] or "", tuple(reversed(frames))), at + 1
        elif since > 40:
            frames = []
    return None, len(lines)


_LIBRARY = re.compile(
    r"site-packages|dist-packages|/lib(?:64)?/python\d"
    r"|[\\/][Ll]ib[\\/](?:asyncio|json|threading|concurrent|importlib|logging|unittest|subprocess"
    r"|runpy|socket|ssl|http|urllib|multiprocessing)|^<frozen |^<string>|^<stdin>"
    r"|(?:conda\d?|[\\/]envs[\\/][\w.-]{1,60})[\\/][Ll]ib[\\/]|^/usr/lib/|importlib[\\/]_bootstrap|Python\d{2,3}[\\/][Ll]ib[\\/]|/Frameworks/Python"
)
READER = Reader(marks=('File "',), read=read, library=_LIBRARY)
NOTEBOOK_READER = Reader(marks=("---> ", "--> "), read=read_notebook, library=_LIBRARY)
TEST_READER = Reader(marks=("\nE  ",), read=read_test, library=_LIBRARY)

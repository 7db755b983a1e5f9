"""Stack traces of C# and the other .NET languages."""

import re

from models.case import Frame
from nodes.text.traces.base import Found, Reader, number

_FRAME = re.compile(
    r"\s{0,40}at ([A-Za-z_<][\w.<>`\[\],"
    r"|+$-]{1,200})\(([^()\n]{0,300})\)(?: in (.{1,300}?):line (\d{1,7}))?\s*$"
)
_KIND = re.compile(
    r"(?:Unhandled exception[.:] |--->\s)?((?:[A-Za-z_]\w{0,60}\.){0,10}[A-Z]\w{0,80}(?:Exception|Error))"
    r"(?: \(0x\w{1,8}\))?(?::\s?(.{0,500}))?$",
    re.IGNORECASE,
)
_INNER = "---> "


def read(lines: list[str]) -> Found | None:
    """The first trace; of nested errors the innermost."""
    kind, message = "", ""
    frames: list[Frame] = []
    for line in lines:
        if "at " in line and (match := _FRAME.match(line)):
            if not _is_dotnet(match):
                continue
            frames.append(Frame(file=match[3] or "", line=number(match[4]), function=match[1]))
        elif not frames:
            if named := _name(line):
                kind, message = named
        elif line.strip() and not line.lstrip().startswith("---"):
            break
    if not any("." in frame.function for frame in frames):
        return None
    if not kind and not any(frame.file for frame in frames):
        return None
    return Found("C#", kind, message, tuple(frames))


def _is_dotnet(match: re.Match[str]) -> bool:
    """Java's and JavaScript's frames look alike: theirs name a file or a position in the brackets."""
    return (
        "." in match[1] and ":" not in match[2] and not match[2].endswith((".java", ".kt", "Native Method"))
    )


def _name(line: str) -> tuple[str, str] | None:
    bare = line.strip()
    if _INNER in bare:
        bare = bare.rpartition(_INNER)[2]
    for start in (0, bare.find(": ") + 2, bare.find(". ") + 2):
        if match := _KIND.match(bare, start):
            return match[1], match[2] or ""
    return None


READER = Reader(
    marks=(":line ", "at System.", "at Microsoft.", "System."),
    read=read,
    library=re.compile(r" (?:System|Microsoft|MS|Windows|Xunit|NUnit|Newtonsoft|Mono|lambda_method)\b"),
)

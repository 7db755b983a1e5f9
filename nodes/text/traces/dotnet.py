"""Stack traces of C# and the other .NET languages, with those of Mono and Unity."""

import re

from models.case import Frame
from nodes.text.traces.base import Found, Reader, number

_FRAME = re.compile(
    r"\s{0,40}at ([A-Za-z_<(][\w.<>`\[\],|+$/ -]{0,200}?(?:\(wrapper [\w-]{1,40}\) [\w.<>`$/-]{1,200})?) ?"
    r"\(([^()\n]{0,300})\)(?: \[0x\w{1,16}\])?(?: in (.{1,300}?)(?::line |:)(\d{1,7}))?\s*$"
)
_KIND = re.compile(
    r"(?:Unhandled exception[.:] |--->\s)?((?:[A-Za-z_]\w{0,60}\.){0,10}[A-Z]\w{0,80}(?:Exception|Error))"
    r"(?: \(0x\w{1,8}\))?(?::\s?(.{0,500}))?$",
    re.IGNORECASE,
)
_INNER = "---> "
_MESSAGE_LINES = 8


def read(lines: list[str], start: int) -> tuple[Found | None, int]:
    """The next trace; of nested errors the innermost."""
    kind, message, age = "", "", 0
    frames: list[Frame] = []
    end = len(lines)
    for at in range(start, len(lines)):
        line = lines[at]
        if "at " in line and (match := _FRAME.match(line)):
            if not _is_dotnet(match):
                continue
            file = "" if (match[3] or "<").startswith("<") else match[3]
            frames.append(
                Frame(file=file, line=number(match[4]) if file else None, function=match[1].strip())
            )
        elif not frames:
            if named := _name(line):
                kind, message = named
                age = 0
            elif kind and line.strip():
                age += 1
                if age > _MESSAGE_LINES:
                    kind, message = "", ""
        elif line.strip() and not line.lstrip().startswith("---"):
            end = at
            break
    if not any("." in frame.function for frame in frames):
        return None, end
    if not kind and not any(frame.file for frame in frames):
        return None, end
    return Found("C#", kind, message, tuple(frames)), end


def _is_dotnet(match: re.Match[str]) -> bool:
    """Java's and JavaScript's frames look alike: theirs name a file or a position in the brackets."""
    return (
        "." in match[1]
        and ":" not in match[2]
        and not match[2].endswith((".java", ".kt", ".scala", ".groovy", "Native Method", "Unknown Source"))
    )


def _name(line: str) -> tuple[str, str] | None:
    bare = line.strip()
    if _INNER in bare:
        bare = bare.rpartition(_INNER)[2]
    for start in (0, bare.find(": ") + 2, bare.find(". ") + 2, bare.find(") ") + 2):
        if match := _KIND.match(bare, start):
            return match[1], match[2] or ""
    return None


READER = Reader(
    marks=(":line ", "at System.", "at Microsoft.", "System.", "[0x", "Exception"),
    read=read,
    library=re.compile(
        r" (?:System|Microsoft|MS|Windows|Xunit|NUnit|Newtonsoft|Mono|UnityEngine|UnityEditor|lambda_method"
        r"|\(wrapper)\b"
    ),
)

"""Stack traces of Java, Kotlin, Scala and Groovy."""

import re

from models.case import Frame
from nodes.text.traces.base import Found, Reader, number

_FRAME = re.compile(
    r"\s{0,40}(?:at )(?:[\w.@-]{1,80}/{1,2}){0,2}([\w.$<>-]{1,200})\(([\w$-]{1,100}\.(?:java|kt|scala"
    r"|groovy|clj)|Native Method|Unknown Source|SourceFile)(?::(\d{1,7}))?\)"
)
_NAMED = re.compile(
    r"(?:Caused by: )?((?:[A-Za-z_]\w{0,60}\.){1,12}[A-Z][\w$]{1,100}"
    r"|[A-Z]\w{0,80}(?:Exception|Error))(?::\s(.{0,500}))?$"
)
_LEAD = re.compile(
    r"^.{0,200}?(?:Exception in thread \"[^\"]{0,100}\" |FATAL EXCEPTION: "
    r"|(?<=\s)(?=(?:\w{1,60}\.){1,12}[A-Z]))"
)
_MESSAGE_LINES = 6


def read(lines: list[str], start: int) -> tuple[Found | None, int]:
    """The root cause of the next trace, with the frames below it; suppressed errors are left out."""
    found: Found | None = None
    kind, message, age = "", "", 99
    frames: list[Frame] = []
    suppressed = False
    end = len(lines)
    for at in range(start, len(lines)):
        line = lines[at]
        if "at " in line and (match := _FRAME.match(line)):
            if suppressed:
                continue
            if kind and age <= _MESSAGE_LINES:
                found, frames, kind = Found(_language(match[2]), kind, message), [], ""
            elif found is None:
                found = Found(_language(match[2]), "", "")
            frames.append(Frame(file=_file(match[1], match[2]), line=number(match[3]), function=match[1]))
            continue
        age += 1
        bare = line.strip()
        if bare.startswith("Caused by: "):
            # The cause of a suppressed error stands deeper than the trace's own.
            suppressed = suppressed and line[:1] in " \t"
            if suppressed:
                continue
        elif bare.startswith("Suppressed: ") and found:
            suppressed = True
            continue
        elif found and frames:
            if _ends(line, bare):
                end = at
                break
            continue
        if named := _name(bare):
            kind, message, age = *named, 0
    if found is None or not frames:
        return None, end
    return Found(found.language, found.exception, found.message, tuple(frames)), end


def _ends(line: str, bare: str) -> bool:
    return bool(bare) and not bare.startswith(("...", "at ", "<")) and line[:1] not in " \t"


def _name(line: str) -> tuple[str, str] | None:
    if match := _NAMED.match(line):
        return match[1], match[2] or ""
    if (lead := _LEAD.match(line)) and (match := _NAMED.match(line, lead.end())):
        return match[1], match[2] or ""
    return None


def _language(file: str) -> str:
    return {"kt": "Kotlin", "scala": "Scala", "groovy": "Groovy"}.get(file.rpartition(".")[2], "Java")


def _file(function: str, file: str) -> str:
    """A path in the manner of the source tree: the package's folders and the file."""
    package = function.rpartition(".")[0].rpartition(".")[0]
    return f"{package.replace('.', '/')}/{file}" if package and "." in file else file


READER = Reader(
    marks=(".java:", ".kt:", "(Native Method)", "(Unknown Source)", "(SourceFile", ".scala:", ".groovy:"),
    read=read,
    library=re.compile(
        r" (?:java|javax|jdk|sun|com\.sun|kotlin|kotlinx|scala|groovy|android|androidx|dalvik|jakarta"
        r"|reactor|okhttp3|org\.(?:junit|springframework|apache|eclipse|hibernate|gradle|mockito|jetbrains"
        r"|slf4j|codehaus)|com\.(?:google|android|fasterxml|intellij)"
        r"|io\.(?:netty|reactivex|micrometer))\."
    ),
)

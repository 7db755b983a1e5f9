"""Parses stack traces of nine language families out of issue text."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from models.case import Frame, StackTrace
from nodes.text.traces import dotnet, go, javascript, jvm, native, php, python, ruby, rust
from nodes.text.traces.base import Found, Reader
from nodes.text.traces.prefixes import bare_lines

READERS: tuple[Reader, ...] = (
    python.READER,
    python.TEST_READER,
    python.NOTEBOOK_READER,
    jvm.READER,
    dotnet.READER,
    javascript.READER,
    go.READER,
    rust.READER,
    ruby.READER,
    php.READER,
    native.READER,
)
MAX_FRAMES = 60
_MAX_LINE = 800
_MAX_TRACES = 20
_SMALL = re.compile(r"0x[0-9a-fA-F]+|\d+")
_QUOTED = re.compile(r"'[^'\n]{0,200}'|\"[^\"\n]{0,200}\"|`[^`\n]{0,200}`")
_CLOSURE = re.compile(r"<(\w{1,100})>[bg]__\w{0,40}")
_FUNCTION_NOISE = re.compile(
    r"<[^<>]{0,100}>|\([^()]{0,200}\)|\{{1,2}[^{}]{0,60}\}{1,2}|::h[0-9a-f]{16}|0x[0-9a-fA-F]{1,16}|[\d$]+"
)
_BUILD_HASH = re.compile(r"[.-](?=[0-9A-Za-z_]{0,31}\d)[0-9A-Za-z_]{6,32}(?=\.)")


def project_name(repo: str) -> str:
    """The name that a project's own frames carry: "owner/name" without the owner."""
    return repo.rpartition("/")[2]


@lru_cache(maxsize=128)
def parse(text: str, project: str = "") -> StackTrace | None:
    """The most telling trace in a text; None where there is none.

    `project` is the repository's name: its own package installed as a library is still its own code.
    """
    readers = [reader for reader in READERS if any(mark in text for mark in reader.marks)]
    if not readers:
        return None
    lines = [line[:_MAX_LINE] for line in text.split("\n")]
    best: tuple[int, StackTrace] | None = None
    for given in (lines, bare_lines(lines)):
        for reader in readers if given else ():
            for found in _all(reader, given or []):
                trace = _finish(found, reader, project)
                score = _telling(trace)
                if best is None or score > best[0]:
                    best = (score, trace)
    return best[1] if best else None


def _all(reader: Reader, lines: list[str]) -> Iterator[Found]:
    """The traces that one reader finds, each line read once or twice."""
    at = 0
    for _ in range(_MAX_TRACES):
        found, end = reader.read(lines, at)
        if found:
            yield found
        at = max(end, at + 1)
        if at >= len(lines):
            return


def _telling(trace: StackTrace) -> int:
    """How much a trace tells: a named error, frames, and code of the project itself among them."""
    named = (4 if trace.exception else 0) + (1 if trace.message else 0)
    own = any(frame.own and frame.file for frame in trace.frames)
    return min(len(trace.frames), 10) + named + (3 if own else 0)


def _finish(found: Found, reader: Reader, project: str) -> StackTrace:
    names = (
        re.compile(rf"(?<![a-z0-9]){re.escape(project.lower())}(?![a-z0-9])") if len(project) >= 3 else None
    )
    frames = tuple(_owned(frame, reader, names) for frame in found.frames[:MAX_FRAMES])
    message = " ".join(found.message.split())[:300]
    return StackTrace(
        language=found.language,
        exception=found.exception[:120],
        message=message,
        frames=frames,
        fingerprint=fingerprint(found.language, found.exception, message, frames),
    )


def _owned(frame: Frame, reader: Reader, project: re.Pattern[str] | None) -> Frame:
    text = f"{frame.file} {frame.function}"
    foreign = reader.library.search(text.replace("\\\\", "/").replace("\\", "/")) is not None
    if not foreign:
        return frame
    # Below an install folder the project's own name makes the frame its own again.
    inside = frame.file.replace("\\", "/").lower().rpartition("-packages/")[2].rpartition("node_modules/")[2]
    own = project is not None and project.search(f"{inside} {frame.function.lower()}") is not None
    return frame if own and inside != frame.file.lower() else replace(frame, own=False)


def fingerprint(language: str, exception: str, message: str, frames: tuple[Frame, ...]) -> str:
    """The same for the same fault, whatever the line numbers, addresses and folders."""
    # Three of the project's own: further down, the same fault differs by who called.
    chosen = [frame for frame in frames if frame.own][:3] or list(frames[:5])
    signs = [language, exception.rpartition(".")[2]]
    signs += [_sign(frame) for frame in chosen]
    if not chosen:
        signs.append(_SMALL.sub("0", _QUOTED.sub("''", message))[:120])
    return hashlib.sha256("\n".join(signs).encode("utf-8", "replace")).hexdigest()[:16]


def _sign(frame: Frame) -> str:
    name = _BUILD_HASH.sub("", re.split(r"[/\\]", frame.file)[-1].split("?")[0]).lower()
    function = _FUNCTION_NOISE.sub("", _CLOSURE.sub(r"\1", frame.function))
    return f"{name}:{function.strip()}"

"""Crashes of C and C++: gdb, lldb, AddressSanitizer and its kin, glibc's own words."""

import re

from models.case import Frame
from nodes.text.traces.base import Found, Reader, number

_NUMBERED = re.compile(
    r"\s{0,40}(?:\* )?(?:frame )?#(\d{1,4}):?\s{1,8}(?:0x[0-9a-fA-F]{1,16}\s)?(?:in "
    r"|\S{1,100}`)?(\S.{0,500})$"
)
_PLACE = re.compile(
    r"(?:\sat\s|\s)([~/.\w][^\s:()]{0,300}\.(?:cc?|cpp|cxx|hh?|hpp|hxx|inl|mm?|cu|S|asm)):(\d{1,7})"
)
_BINARY = re.compile(r"(?:\sfrom\s|\s\()(/?[^\s()+]{1,300})(?:\+0x[0-9a-fA-F]{1,16})?\)?")
_KIND = re.compile(
    r".{0,160}?(?:(\w{1,30}Sanitizer): )?(heap-use-after-free|heap-buffer-overflow"
    r"|stack-buffer-overflow|global-buffer-overflow|stack-use-after-(?:return|scope)|stack-overflow"
    r"|use-after-poison|attempting double-free|alloc-dealloc-mismatch|SEGV|data race"
    r"|detected memory leaks|use-of-uninitialized-value|SIGSEGV|SIGABRT|SIGBUS|SIGFPE|SIGILL"
    r"|EXC_BAD_ACCESS|Segmentation fault|double free)(.{0,300})$"
)
_TERMINATE = re.compile(r".{0,80}?terminate called after throwing an instance of '([\w:<>, ]{1,120})'")
_WHAT = re.compile(r"\s{0,10}what\(\):\s{1,4}(.{0,400})$")


def read(lines: list[str]) -> Found | None:
    """The first run of numbered frames and the signal or report above it."""
    kind, message = "", ""
    frames: list[Frame] = []
    for line in lines:
        if "#" in line and (match := _NUMBERED.match(line)):
            if match[1] == "0" and frames:
                break
            frames.append(_frame(match[2]))
        elif match := _KIND.match(line):
            if not kind:
                kind, message = match[2], " ".join(match[3].split()).strip(" .,:(")
        elif match := _TERMINATE.match(line):
            kind = match[1]
        elif kind and not message and (match := _WHAT.match(line)):
            message = match[1]
    if not frames and not (kind and "::" in kind):
        return None
    if not kind and not any(frame.file and frame.line for frame in frames):
        return None
    return Found("C/C++", kind or "crash", message, tuple(frames))


def _frame(rest: str) -> Frame:
    place = _PLACE.search(rest)
    binary = None if place else _BINARY.search(rest)
    end = place.start() if place else (binary.start() if binary else len(rest))
    function = rest[:end].split(" (", 1)[0].split("(", 1)[0].strip()
    return Frame(
        file=place[1] if place else (binary[1] if binary else ""),
        line=number(place[2]) if place else None,
        function=function,
    )


READER = Reader(
    marks=("#0 ", "#1 ", "#0:", "Sanitizer", "terminate called"),
    read=read,
    library=re.compile(
        r"^/usr/|^/lib(?:64)?/|sysdeps|libc\.so|libstdc|libpthread|ld-linux|libasan|compiler-rt|asan_"
        r"|nptl/| (?:raise|abort|gsignal|__\w{1,60}|_start|clone\d?|start_thread|std::|malloc|free|memcpy"
        r"|operator new)"
    ),
)

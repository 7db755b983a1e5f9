"""Crashes of C and C++: gdb, lldb, AddressSanitizer and its kin, crash reports, glibc's own words."""

import re

from models.case import Frame
from nodes.text.traces.base import Found, Reader, number

_SOURCE = r"[~/.\w][^\s:()]{0,300}\.(?:cc?|cpp|cxx|hh?|hpp|hxx|inl|mm?|cu|S|asm)"
_NUMBERED = re.compile(
    r"\s{0,40}(?:\* )?(?:frame )?#(\d{1,4}):?\s{1,8}(?:0x[0-9a-fA-F]{1,16}\s)?(?:in "
    r"|\S{1,100}`)?(\S.{0,500})$"
)
_REPORTED = re.compile(
    r"(\d{1,3})\s{1,4}(\S{1,80})\s{1,40}0x[0-9a-f]{6,16} (\S.{0,200}?)(?: \+ \d{1,9})?(?: \(.{0,100}\))?\s*$"
)
_PLACE = re.compile(rf"(?:\sat\s|\s)({_SOURCE}):(\d{{1,7}})")
_BINARY = re.compile(r"(?:\sfrom\s|\s\()(/?[^\s()+]{1,300})(?:\+0x[0-9a-fA-F]{1,16})?\)?")
_OFFSET = re.compile(r" \+ \d{1,9}$")
_KIND = re.compile(
    r".{0,160}?(?:(\w{1,30}Sanitizer): )?(heap-use-after-free|heap-buffer-overflow"
    r"|stack-buffer-overflow|global-buffer-overflow|stack-use-after-(?:return|scope)|stack-overflow"
    r"|use-after-poison|attempting double-free|alloc-dealloc-mismatch|SEGV|data race"
    r"|detected memory leaks|use-of-uninitialized-value|SIGSEGV|SIGABRT|SIGBUS|SIGFPE|SIGILL"
    r"|EXC_BAD_ACCESS|EXC_BREAKPOINT|EXC_CRASH|EXCEPTION_ACCESS_VIOLATION|Segmentation fault|double free"
    r"|stack smashing detected|deadly signal|Assertion [`'\"].{1,200}['\"] failed|Assertion failed)(.{0,300})$"
)
_UNDEFINED = re.compile(rf"\s{{0,8}}({_SOURCE}):(\d{{1,7}})(?::\d{{1,7}})?: (runtime error): (.{{1,400}})$")
_TERMINATE = re.compile(r".{0,80}?terminate called after throwing an instance of '([\w:<>, ]{1,120})'")
_WHAT = re.compile(r"\s{0,10}what\(\):\s{1,4}(.{0,400})$")
_APART = 30


def read(lines: list[str], start: int) -> tuple[Found | None, int]:
    """The next run of numbered frames and the signal or report above it."""
    kind, message = "", ""
    frames: list[Frame] = []
    gap, end = 0, len(lines)
    for at in range(start, len(lines)):
        line = lines[at]
        found = _numbered(line)
        if found:
            if found[0] == "0" and frames:
                end = at
                break
            frames.append(found[1])
            gap = 0
        elif match := _UNDEFINED.match(line):
            if kind or frames:
                end = at
                break
            kind, message = match[3], match[4]
            frames.append(Frame(file=match[1], line=number(match[2])))
        elif match := _KIND.match(line):
            if frames and gap > 1:
                end = at
                break
            if not kind:
                kind, message = match[2], " ".join(match[3].split()).strip(" .,:(")
                if kind.startswith("Assertion "):
                    kind, message = "Assertion failed", kind[10:].removesuffix(" failed").strip("`'\"")
        elif match := _TERMINATE.match(line):
            kind = match[1]
        elif kind and not message and (match := _WHAT.match(line)):
            message = match[1]
        elif frames:
            gap += 1
            if gap > _APART:
                end = at
                break
    if not frames and not (kind and "::" in kind):
        return None, end
    if (
        not kind
        and sum(bool(frame.file and frame.line and " " not in frame.function) for frame in frames) < 2
    ):
        return None, end
    return Found("C/C++", kind or "crash", message, tuple(frames)), end


def _numbered(line: str) -> tuple[str, Frame] | None:
    if "#" in line and (match := _NUMBERED.match(line)):
        return match[1], _frame(match[2])
    if line[:1].isdigit() and "0x" in line and (match := _REPORTED.match(line)):
        return match[1], Frame(file=match[2], function=match[3])
    return None


def _frame(rest: str) -> Frame:
    place = _PLACE.search(rest)
    binary = None if place else _BINARY.search(rest)
    end = place.start() if place else (binary.start() if binary else len(rest))
    function = rest[:end].split(" (", 1)[0].split("(", 1)[0].strip()
    function = _OFFSET.sub("", function)
    return Frame(
        file=place[1] if place else (binary[1] if binary else ""),
        line=number(place[2]) if place else None,
        function=function,
    )


READER = Reader(
    marks=("#0 ", "#1 ", "#0:", "Sanitizer", "terminate called", ": runtime error: ", "Exception Type:"),
    read=read,
    library=re.compile(
        r"^/usr/|^/lib(?:64)?/|sysdeps|libc\.so|libstdc|libpthread|ld-linux|libasan|compiler-rt|asan_"
        r"|^com\.apple\.|^lib[\w.]{1,40}\.dylib|^dyld|\.framework/"
        r"|nptl/|<signal handler called>|^<unknown| (?:pthread_|objc_|_?dyld)"
        r"| (?:raise|abort|gsignal|__\w{1,60}|_start|clone\d?|start_thread|std::|malloc|free|memcpy"
        r"|operator new)"
    ),
)

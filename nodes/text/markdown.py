"""One linear pass over an issue's markdown that tells prose from code, quotes, headings and comments."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from nodes.text.escape import clean
from nodes.text.secrets import redact

HEAD, TAIL = 45_000, 15_000
"""Of a longer body the beginning and the end are read: an exception stands at the end of its log."""
MAX_LINE = 2_000

LineKind = Literal["prose", "heading", "code", "fence", "quote", "log", "task", "blank"]


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced or indented block of code; `info` is the fence's first word in lower case."""

    info: str
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """What stands under one heading; the part before the first heading has an empty one."""

    heading: str
    text: str
    prose: str

    @property
    def empty(self) -> bool:
        """True where the reporter left the form's field empty."""
        return self.text.strip(" \n_*.-`").casefold() in _NO_ANSWER


@dataclass(frozen=True, slots=True)
class Scan:
    """A body taken apart. Everything in it is clean of control characters and secrets."""

    text: str
    """Everything but HTML comments and fence lines."""
    prose: str
    """The reporter's own sentences: no code, logs, quotes, headings, ticked boxes, addresses."""
    lowered: str
    blocks: tuple[Block, ...]
    parts: tuple[Part, ...]
    links: tuple[tuple[str, str], ...]
    """(text, address) in order; the text of a bare address is empty."""
    inline: tuple[str, ...]
    lines: tuple[tuple[LineKind, str], ...]
    secrets: tuple[str, ...]
    comments: int
    truncated: bool

    @property
    def code_length(self) -> int:
        return sum(len(block.text) for block in self.blocks)


FORMALITY = re.compile(
    r"(?i)check ?list|readiness|before (?:you|submit)|prerequisite|confirm|code of conduct|agree|terms"
)
"""Headings under which a form asks for promises, not for content."""
_NO_ANSWER = {"", "no response", "n/a", "na", "none", "nil", "nothing", "not applicable", "no answer"}
_FENCE = re.compile(r"(`{3,}|~{3,})\s*([^\s`]{0,40})[^`]{0,200}$")
_LIST = re.compile(r"(?:[-*+]|\d{1,3}[.)])\s")
_TASK = re.compile(r"[-*+]\s+\[[ xX]?\]")
_BOLD = re.compile(r"\*\*((?:[^*]|\*(?!\*)){2,600})\*\*\s*:?\s*(.*)$")
_LOG = re.compile(
    r"at [\w.$<>\[\]`@/-]{3,200}\(|at .{1,300}?:(?:line )?\d{1,7}(?::\d{1,7})?\)?\s*$"
    r"|File \"[^\"]{1,400}\", line \d|Traceback \(most recent|Caused by: \S|\.\.\. \d+ more|goroutine \d+ \["
    r"|#\d{1,4}\s+(?:0x|/|\w{1,80}\.php)|\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\[\d{4}-\d\d-\d\d|\[?\d\d:\d\d:\d\d"
    r"|\[?(?:ERROR|WARN|WARNING|INFO|DEBUG|FATAL|TRACE)\]?[ :]|npm ERR!|thread '[^']{1,80}' panicked"
    r"|\$ \S|>>> |exit status \d|==\d+==|[EWID]/\w{1,40}\(|[EWID] \d{4} "
)
_INLINE = re.compile(r"`([^`\n]{1,300})`")
_LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\]\(<?([^()\s<>]{1,1000})>?[^()\n]{0,200}\)")
_BARE = re.compile(r"https?://[^\s<>()\[\]\"'`]{1,1000}")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,500}>")


@lru_cache(maxsize=128)
def scan(body: str) -> Scan:
    """Take a body apart; the last 128 are remembered, so that every node of a batch shares one pass."""
    head, truncated = _window(body)
    text, secrets = redact(clean(head))
    reader = _Reader()
    reader.read(text)
    prose, links, inline = _thin("\n".join(reader.prose))
    return Scan(
        text="\n".join(reader.text),
        prose=prose,
        lowered=prose.lower(),
        blocks=tuple(reader.blocks),
        parts=tuple(reader.parts),
        links=links,
        inline=inline,
        lines=tuple(reader.lines),
        secrets=secrets,
        comments=reader.comments,
        truncated=truncated,
    )


def _window(body: str) -> tuple[str, bool]:
    if len(body) <= HEAD + TAIL:
        return body, False
    head, tail = body[:HEAD], body[-TAIL:]
    # A word cut in two may be half a secret, which no pattern would know.
    head = head[: max(head.rfind(" "), head.rfind("\n"), HEAD - 500)]
    newline = tail.find("\n")
    tail = tail[newline + 1 :] if newline >= 0 else tail[500:]
    return f"{head}\n{tail}", True


def _thin(prose: str) -> tuple[str, tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Take inline code, links, addresses and tags out of prose."""
    inline: list[str] = []
    links: list[tuple[str, str]] = []
    if "`" in prose:
        inline = _INLINE.findall(prose)
        prose = _INLINE.sub(" ", prose)
    if "](" in prose:
        links = _LINK.findall(prose)
        prose = _LINK.sub(r"\1", prose)
    if "://" in prose:
        links += [("", url.rstrip(".,;:!?")) for url in _BARE.findall(prose)]
        prose = _BARE.sub(" ", prose)
    if "<" in prose:
        prose = _TAG.sub(" ", prose)
    return prose, tuple(links[:200]), tuple(inline[:200])


@dataclass
class _Reader:
    """The state of the pass, line by line."""

    text: list[str] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)
    lines: list[tuple[LineKind, str]] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    comments: int = 0
    _heading: str = ""
    _part_text: int = 0
    _part_prose: int = 0
    _fence: str = ""
    _info: str = ""
    _code: list[str] = field(default_factory=list)
    _in_comment: bool = False
    _in_list: bool = False
    _last: LineKind = "blank"
    _last_close: int = -1

    def read(self, text: str) -> None:
        rows = text.split("\n")
        if "-->" in text:
            self._last_close = max(i for i, row in enumerate(rows) if "-->" in row)
        for number, row in enumerate(rows):
            self._row(number, row if len(row) <= MAX_LINE else row[:MAX_LINE])
        self._end_block()
        self._end_part("")

    def _row(self, number: int, row: str) -> None:
        if self._fence:
            self._in_fence(row)
            return
        if self._in_comment or "<!--" in row:
            visible = self._uncommented(number, row)
            if not visible.strip():
                return
            row = visible
        start = row.lstrip()
        if not start:
            self._add("blank", "")
        elif start[0] in "`~" and (fence := _FENCE.match(start)):
            self._end_block()
            self._fence, self._info = fence[1], fence[2].lower().strip("{}.")
            self._add("fence", start)
        elif self._indented(row, start):
            self._code.append(row)
            self._add("code", row)
        else:
            self._plain(row, start)

    def _in_fence(self, row: str) -> None:
        closing = row.strip()
        if closing.startswith(self._fence) and not closing.strip(self._fence[0]):
            self._fence, last = "", self._fence
            self._end_block()
            self._add("fence", last)
        else:
            self._code.append(row)
            self._add("code", row)

    def _indented(self, row: str, start: str) -> bool:
        if self._in_list or not (row.startswith(("    ", "\t"))):
            return False
        return self._last == "blank" or (self._last == "code" and bool(self._code))

    def _plain(self, row: str, start: str) -> None:
        if self._code:
            self._end_block()
        listed = _LIST.match(start) is not None
        self._in_list = listed or (self._in_list and row[0] in " \t")
        heading, rest = _heading_of(start)
        if heading:
            self._end_part(heading)
            self._add("heading", heading)
            if rest:
                self._add("prose", rest)
        elif start[0] == ">" and not start.startswith(">>>"):
            self._add("quote", start.lstrip("> "))
        elif set(start) <= {"=", "-"} and len(start) >= 3:
            if self._last == "prose" and len(self.prose) and len(self.prose[-1]) <= 120:
                self._underlined()
        elif listed and _TASK.match(start):
            self._add("task", start)
        elif _LOG.match(start):
            self._add("log", row)
        else:
            self._add("prose", row)

    def _underlined(self) -> None:
        """A line of = or - makes the line above it a heading."""
        title = self.prose.pop().strip()
        self.text.pop()
        self.lines.pop()
        self._end_part(title)
        self._add("heading", title)

    def _add(self, kind: LineKind, row: str) -> None:
        self._last = kind
        self.lines.append((kind, row))
        if kind == "heading" or kind == "fence":
            return
        self.text.append(row)
        if kind == "prose":
            self.prose.append(row)

    def _end_block(self) -> None:
        if self._code:
            self.blocks.append(Block(self._info, "\n".join(self._code)))
            self._code = []
        self._info = ""

    def _end_part(self, heading: str) -> None:
        text = "\n".join(self.text[self._part_text :]).strip()
        if text or self._heading:
            prose = "\n".join(self.prose[self._part_prose :]).strip()
            self.parts.append(Part(self._heading, text, prose))
        self._heading = heading
        self._part_text, self._part_prose = len(self.text), len(self.prose)

    def _uncommented(self, number: int, row: str) -> str:
        """The row without what is commented out; follows comments over lines."""
        kept: list[str] = []
        while row:
            if self._in_comment:
                end = row.find("-->")
                if end < 0:
                    return "".join(kept)
                self._in_comment, row = False, row[end + 3 :]
            start = row.find("<!--")
            if start < 0 or row[max(0, start - 1) : start] == "`":
                kept.append(row)
                break
            closes = row.find("-->", start + 4) >= 0 or self._last_close > number
            if not closes and row[:start].strip():
                kept.append(row)  # GitHub shows an unclosed comment in the middle of a line as text
                break
            kept.append(row[:start])
            self.comments += 1
            self._in_comment, row = True, row[start + 4 :]
        return "".join(kept)


def _heading_of(start: str) -> tuple[str, str]:
    """The heading in a line (# or **bold**) and what follows it on the same line."""
    if start[0] == "#":
        title = start.lstrip("#")
        if title[:1] in (" ", "\t") and len(start) - len(title) <= 6:
            return title.strip().rstrip("#").strip(" *:")[:200], ""
    elif start.startswith("**"):
        match = _BOLD.match(start)
        if match and (not match[2] or match[1].rstrip()[-1:] in ":?" or start[match.end(1) + 2 :][:1] == ":"):
            return match[1].strip(" :")[:200], match[2]
        if match is None and start.count("**") == 1:
            return start.strip("* :")[:200], ""  # a bold question of the form that goes on over the next line
    return "", ""


def part_like(found: Scan, pattern: re.Pattern[str]) -> Part | None:
    """The first part with an answer whose heading matches."""
    for part in found.parts:
        if part.heading and pattern.search(part.heading) and not part.empty:
            return part
    return None


def open_boxes(found: Scan) -> list[str]:
    """Tasks that the text lists, without the form's own promises."""
    boxes: list[str] = []
    formal = False
    for kind, row in found.lines:
        if kind == "heading":
            formal = FORMALITY.search(row) is not None
        elif kind == "task" and not formal and "[ ]" in row[:12]:
            boxes.append(row.partition("]")[2].strip())
    return boxes


_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[\"'(A-Z0-9`])")


def sentences(text: str, limit: int = 200) -> list[str]:
    """Sentences of at most 400 characters, lists split by item; at most `limit` of them."""
    found: list[str] = []
    for line in text[:20_000].split("\n"):
        line = line.strip()
        if marker := _LIST.match(line):
            line = line[marker.end() :].lstrip()
        if len(line) < 3:
            continue
        found += [text for text in _SENTENCE_END.split(line[:MAX_LINE]) if 3 <= len(text) <= 400]
        if len(found) >= limit:
            break
    return found[:limit]

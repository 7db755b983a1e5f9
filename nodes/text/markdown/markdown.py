"""Tells an issue's prose from its code, quotes, logs, headings, tables and comments.

markdown-it finds the blocks; what stands in their lines is read here (docs/decisions/0006-markdown.md).
"""

import html
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from markdown_it.token import Token

from models.text.escape import clean
from models.text.secrets import redact
from nodes.text.markdown.blocks import BLOCKS

HEAD, TAIL = 45_000, 15_000
"""Of a longer body the beginning and the end are read: an exception stands at the end of its log."""
MAX_LINE = 2_000
COMMENT, COMMENTS = 2_000, 10_000
"""Characters that are kept of one HTML comment, and of all together."""

LineKind = Literal["prose", "heading", "code", "fence", "quote", "log", "task", "table", "blank"]


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
    """The reporter's own sentences: no code, logs, quotes, tables, headings, ticked boxes, addresses."""
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
    comment_texts: tuple[str, ...] = ()
    """What the HTML comments say, in order: at most 10,000 characters in all, 2,000 of each."""

    @property
    def code_length(self) -> int:
        return sum(len(block.text) for block in self.blocks)


FORMALITY = re.compile(
    r"(?i)check ?list|readiness|before (?:you|submit)|prerequisite|confirm|code of conduct|agree|terms"
)
"""Headings under which a form asks for promises, not for content."""
_NO_ANSWER = {"", "no response", "n/a", "na", "none", "nil", "nothing", "not applicable", "no answer"}
_INFO = re.compile(r"\s{0,20}[^\s`]{1,40}")
_QUOTE = re.compile(r"(?: {0,3}> ?)+")
_RULE = re.compile(r"\s{0,40}(?:={3,}|-{3,}|\*{3,}|_{3,})\s*$")
_HIDDEN = re.compile(r"\[[^\]\n]{0,60}\]:\s{0,5}(?:#|<#?>)\s{1,5}[\"'(](.{0,2000})[\"')]\s*$")
"""A link that nothing refers to and nobody sees: the other way to write a comment."""
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

_LEAVES = {"paragraph_open", "heading_open", "fence", "code_block", "pre", "comment", "table_open", "hr"}


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
        comment_texts=tuple(reader.comment_texts),
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


def _shortened(row: str) -> str:
    """The beginning of a long line, with the mark of the comment that its rest closes or opens."""
    kept, rest = row[:MAX_LINE], row[MAX_LINE - 3 :]
    closing, opening = rest.rfind("-->"), rest.rfind("<!--")
    if closing >= 0:
        kept += "-->"
    return f"{kept} <!--" if opening > closing else kept


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
    """What was read so far, line by line."""

    text: list[str] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)
    lines: list[tuple[LineKind, str]] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    comments: int = 0
    comment_texts: list[str] = field(default_factory=list)
    _heading: str = ""
    _part_text: int = 0
    _part_prose: int = 0
    _quotes: int = 0
    _room: int = COMMENTS

    def read(self, text: str) -> None:
        rows = [row if len(row) <= MAX_LINE else _shortened(row) for row in text.split("\n")]
        at = 0
        tokens = BLOCKS.parse("\n".join(rows))
        for index, token in enumerate(tokens):
            kind = token.type
            if kind == "blockquote_open":
                self._quotes += 1
            elif kind == "blockquote_close":
                self._quotes -= 1
            elif kind in _LEAVES and token.map and token.map[0] >= at:
                first, last = token.map
                self._between(rows[at:first])
                at = last
                if kind == "heading_open":
                    self._titled(rows[first:last], token.markup, tokens[index + 1].content)
                else:
                    self._leaf(kind, token, rows[first:last])
        self._between(rows[at:])
        self._end_part("")

    def _between(self, rows: list[str]) -> None:
        """Lines that belong to no block: empty ones, and what is nested too deeply."""
        for row in rows:
            if row.strip(" \t>"):
                self._plain(row)
            else:
                self._add("blank", "")

    def _leaf(self, kind: str, token: Token, rows: list[str]) -> None:
        if kind == "fence":
            self._code(token.info, token.content, token.markup, len(rows))
        elif kind == "code_block":
            self._code(None, token.content)
        elif kind == "pre":
            self._code(None, html.unescape(_TAG.sub("", token.content)))
        elif kind == "comment":
            self._lines_of(rows, whole=True)
        elif kind == "table_open":
            for row in self._uncommented(rows):
                self._add("table", row)
        elif kind != "hr":
            self._lines_of(rows)

    def _code(self, info: str | None, content: str, fence: str = "", height: int = 0) -> None:
        """A block of code; `height` is that of its source with the fences."""
        rows = content.removesuffix("\n").split("\n") if content else []
        word = _INFO.match(info or "")
        name = word[0].lower().strip("{}.") if word else ""
        if info is not None:
            self._add("fence", f"{fence}{name}")
        for row in rows:
            self._add("code", row)
        if info is not None and height == len(rows) + 2:
            self._add("fence", fence)
        if rows:
            self.blocks.append(Block(name, "\n".join(rows)))

    def _lines_of(self, rows: list[str], *, whole: bool = False) -> None:
        for row in self._uncommented(rows, whole=whole):
            self._plain(row)

    def _titled(self, rows: list[str], markup: str, content: str) -> None:
        """A heading; underlined, only the line above the underline is one, if it is short and no log."""
        if markup[0] != "#":
            self._lines_of(rows[:-2])
            content = rows[-2].strip()
            if len(content) > 120 or _LOG.match(content) or self._quotes:
                self._lines_of(rows[-2:-1])
                return
        title = "".join(self._uncommented([content])).strip().rstrip("#").strip(" *:")[:200]
        if self._quotes:
            self._add("quote", title)
        elif title:
            self._end_part(title)
            self._add("heading", title)

    def _plain(self, row: str) -> None:
        """A line of a paragraph, of a list or of a quote."""
        start = row.lstrip()
        if not start:
            self._add("blank", "")
            return
        if start[0] == ">" and not start.startswith(">>> "):
            self._add("quote", _QUOTE.sub("", row, count=1))
            return
        if start[0] == "[" and (hidden := _HIDDEN.match(start)):
            self._comment(hidden[1])
            return
        heading, rest = _label_of(start) if start.startswith("**") else ("", "")
        if heading:
            self._end_part(heading)
            self._add("heading", heading)
            if rest:
                self._add("prose", rest)
        elif start[0] in "-*+" and _TASK.match(start):
            self._add("task", start)
        elif _LOG.match(start):
            self._add("log", row)
        elif not _RULE.match(start):
            self._add("prose", row)

    def _add(self, kind: LineKind, row: str) -> None:
        self.lines.append((kind, row))
        if kind == "heading" or kind == "fence":
            return
        self.text.append(row)
        if kind == "prose":
            self.prose.append(row)

    def _end_part(self, heading: str) -> None:
        text = "\n".join(self.text[self._part_text :]).strip()
        if text or self._heading:
            prose = "\n".join(self.prose[self._part_prose :]).strip()
            self.parts.append(Part(self._heading, text, prose))
        self._heading = heading
        self._part_text, self._part_prose = len(self.text), len(self.prose)

    def _uncommented(self, rows: list[str], *, whole: bool = False) -> list[str]:
        """The rows without what is commented out; an unclosed comment counts only where it is a block (`whole`)."""
        text = "\n".join(rows)
        if "<!--" not in text:
            return rows
        kept: list[str] = []
        at = 0
        while (start := text.find("<!--", at)) >= 0:
            end = text.find("-->", start + 4)
            if text[max(0, start - 1) : start] == "`" or (end < 0 and not whole):
                # Shown as text: inline code, or a comment that begins in the middle of a line and never ends.
                kept.append(text[at : start + 4])
                at = start + 4
                if end < 0:
                    break
                continue
            kept.append(text[at:start])
            end = len(text) if end < 0 else end
            self._comment(text[start + 4 : end])
            at = end + 3
        kept.append(text[at:])
        return [row for row in "".join(kept).split("\n") if row.strip()]

    def _comment(self, text: str) -> None:
        self.comments += 1
        if said := text.strip()[: min(COMMENT, self._room)]:
            self._room -= len(said)
            self.comment_texts.append(said)


def _label_of(start: str) -> tuple[str, str]:
    """The heading that a line in **bold** is, and what follows it on the same line; forms use it as a title."""
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

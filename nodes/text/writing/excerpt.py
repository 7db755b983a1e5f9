"""Shows an issue's own words in a story: quoted, bounded, with nothing in it that acts."""

import re

from models.text.escape import bounded, calm, fenced, quoted
from nodes.text.markdown.markdown import FORMALITY, LineKind, Scan

EXCERPT_LIMIT = 4_000
_CODE_LINES = 40
_CODE_LINE = 300
_LINE = 1_000
_IMAGE = re.compile(r"!\[([^\[\]\n]{0,200})\]\(<?([^()\s<>]{1,1000})>?[^()\n]{0,200}\)")
_IMG_TAG = re.compile(r"<img\b[^<>]{0,600}?\bsrc=[\"']?([^\"'\s<>]{1,500})[^<>]{0,400}>", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:details|summary|br|p|div|span|b|i|u|strong|em|kbd|table|thead|tbody|tr|td|th|sub|sup|a"
    r"|h[1-6]|ul|ol|li|hr|pre|code|center|picture|source|video|img|font|blockquote|script|style|iframe"
    r"|object|embed|svg|form|input|button|link|meta|base)\b[^<>]{0,500}>",
    re.IGNORECASE,
)
_RISKY = re.compile(r"\]\(\s{0,5}(?!https?://|mailto:|[#./\w-]{1,300}\))")
_EMPTY_FIELD = ("_no response_", "no response", "_no response", "n/a", "*no response*")


def excerpt(found: Scan, limit: int = EXCERPT_LIMIT) -> str:
    """The issue's text as a quote of at most `limit` characters; empty where there is none."""
    pieces: list[str] = []
    code: list[str] = []
    size = 0
    for kind, row in _worth_showing(found):
        if kind in ("code", "log"):
            code.append(row[:_CODE_LINE])
            continue
        size += _flush(code, pieces)
        if kind != "fence":
            pieces.append(_line(kind, row))
            size += len(pieces[-1]) + 1
        if size > limit:
            break
    _flush(code, pieces)
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(pieces)).strip()
    if not text:
        return ""
    # Two characters a line go to the quote marks; cutting before quoting keeps the fences whole.
    short = bounded(text, limit - 3 * min(text.count("\n") + 1, limit // 12))
    return bounded(quoted(short), limit)


def _worth_showing(found: Scan) -> list[tuple[LineKind, str]]:
    """The lines without ticked boxes of the form and without fields that were left empty."""
    shown: list[tuple[LineKind, str]] = []
    formal = False
    for kind, row in found.lines:
        if kind == "heading":
            formal = FORMALITY.search(row) is not None
            _drop_heading(shown)
        if kind == "task" and (formal or "[x]" in row[:12].lower()):
            continue
        if kind == "prose" and row.strip().lower() in _EMPTY_FIELD:
            _drop_heading(shown)
            continue
        shown.append((kind, row))
    _drop_heading(shown)
    return shown


def _drop_heading(shown: list[tuple[LineKind, str]]) -> None:
    """Take back a heading under which nothing came."""
    last = len(shown)
    while last and shown[last - 1][0] == "blank":
        last -= 1
    if last and shown[last - 1][0] == "heading":
        del shown[last - 1 :]


def _flush(code: list[str], pieces: list[str]) -> int:
    """Move gathered code lines into a fenced block; the length that was added."""
    while code and not code[-1].strip():
        code.pop()
    if not code:
        return 0
    rows = code[:_CODE_LINES]
    if len(code) > _CODE_LINES:
        rows.append(f"… {len(code) - _CODE_LINES} more lines")
    pieces.append(fenced("\n".join(rows)))
    code.clear()
    return len(pieces[-1]) + 1


def _line(kind: LineKind, row: str) -> str:
    row = row[:_LINE]
    if kind == "blank":
        return ""
    if kind == "heading":
        return f"**{tame(row.strip('#* :').replace('*', ''))}**"
    if kind == "quote":
        return f"> {tame(row)}"
    return tame(row)


def tame(row: str) -> str:
    """One line of foreign markdown without images, tags, odd links and mentions."""
    if "![" in row:
        row = _IMAGE.sub(lambda image: f"[image{': ' + image[1] if image[1] else ''}]({image[2]})", row)
    if "<" in row:
        row = _IMG_TAG.sub(r"[image](\1)", row)
        row = _TAG.sub("", row).replace("<!--", "&lt;!--")
    if "](" in row:
        row = _RISKY.sub("] (", row)
    start = row.lstrip(" >\t")
    if start.startswith(("```", "~~~")):
        # What opened no block in the issue must open none here.
        row = f"{row[: len(row) - len(start)]}\\{start}"
    return calm(row)

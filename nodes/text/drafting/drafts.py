"""What goes to the language model and what comes back: guards, bounded material, and drafts made harmless."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from models.asks import Drafted, DraftKind, WriteDraft
from models.case import Case, Section
from models.text.escape import bounded, calm, clean, code, fenced, one_line, section
from models.text.secrets import redact
from nodes.base import Context
from nodes.text.safety.injection import split_comments

MATERIAL_LIMIT = 12_000


def may_draft(case: Case, ctx: Context) -> bool:
    """Whether a language model may see this case at all: cheap, so ask before you gather material."""
    if "llm" not in ctx.policy.services or case.suspicions:
        return False
    return case.route != "security" or ctx.policy.drafts_for_security


async def draft(
    case: Case, ctx: Context, kind: DraftKind, material: str, complaint: str = ""
) -> Drafted | None:
    """A draft of this kind made from `material` (see `material_of`); None where there is or may be none.

    `complaint` says what was wrong with the draft before. What comes back is the model's: pass every text of it
    through `tame_draft` or `tame_line`, and check paths and edits against what there is.
    """
    if not material or not may_draft(case, ctx):
        return None
    security = case.route == "security"
    return await ctx.ask(WriteDraft(kind, material, one_line(complaint, 500), security, case.issue.ref))


def material_of(case: Case, extra: Sequence[tuple[str, str]] = (), limit: int = MATERIAL_LIMIT) -> str:
    """What the model is told of a case: title, text, then `extra` parts (name, text) such as files of the repository.

    At most `limit` characters; without HTML comments, invisible characters and secrets. The issue's text has at
    most half of the room where there are other parts, and each of those its share of the rest.
    """
    parts = [("title", case.issue.title[:500]), ("text", case.issue.body), *extra]
    shown: list[str] = []
    room = limit
    for number, (name, text) in enumerate(parts):
        left = len(parts) - number
        share = room if left == 1 else room // 2 if number < 2 else room // left
        share -= len(name) + 8
        if share > 100 and (kept := bounded(plain(text, 4 * share), share).strip()):
            shown.append(f"[{one_line(name, 200)}]\n{kept}")
            room -= len(shown[-1]) + 2
    return "\n\n".join(shown)


def plain(text: str, limit: int) -> str:
    """Text for the model: nothing hidden, no secrets; the first `limit` characters are read."""
    return redact(split_comments(clean(text[:limit]))[0])[0]


def drafted_section(title: str, body: str, drafted: Drafted) -> Section:
    """A section that says it is a draft. The body must be tame already, or escaped."""
    return section(title, mark(drafted), "", body)


def mark(drafted: Drafted) -> str:
    """The line that every draft carries wherever it is shown."""
    return f"*Draft by {code(drafted.model, 100)}; nobody has checked it.*"


_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})\s{0,9}([\w+#.-]{0,20})[^`]{0,200}$")
_DIAGRAMS = ("mermaid", "geojson", "topojson", "stl", "math")
"""Fences that are drawn, with links in them, instead of shown."""
_HEADING = re.compile(r"( {0,3})#{1,6}(?:[ \t]+(.*?))?[ \t]*#*[ \t]*$")
_INNER_HEADING = re.compile(r"^((?:[\s>]|(?:[-*+]|\d{1,9}[.)])(?=\s)){0,200})(?=#{1,6}(?:\s|$))")
_RULE = re.compile(r"[ \t>]*(?:=+|-+)[ \t]*$")
_BACKTICKS = re.compile(r"\\+(?=`)|`+")
_ADDRESS = re.compile(
    r"!?\[((?:[^\[\]\n]|\[[^\[\]\n]{0,100}\]){0,300})\]\(\s{0,9}<?([^\s<>()]{1,1000})>?[^()\n]{0,200}\)"
    r"|<?((?:(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,20}://|(?<![a-z0-9])(?:www\.|(?:mailto|xmpp|javascript|data):))[^\s<>`()]{1,1000})>?",
    re.IGNORECASE,
)
_IMAGE = re.compile(r"!(?=\[)")
_BACKSLASH = re.compile(r"\\+(?=[:/.@#])")
_ENTITY = re.compile(r"&(?=#?\w{1,32};)")
_REFERENCE = re.compile(r"#(?=\d)|(?<=\b[Gg][Hh])-(?=\d)")
_COMMAND = re.compile(r"^([\s>]*)/(?=[a-z])", re.IGNORECASE)
_TO_A_COMMAND = re.compile(r"^/(?=[a-z-]{2,40}(?:\s|$))", re.IGNORECASE | re.MULTILINE)
_REPOSITORY_ITEM = re.compile(r"/(?:issues|pull|pulls|commit|discussions)/", re.IGNORECASE)
_GAP = "\u200b"


def tame_line(text: str, limit: int = 300) -> str:
    """A model's text as one harmless line, of about `limit` characters."""
    return _tame_row(one_line(redact(clean(text))[0], limit), (), headings=False)


def tame_draft(text: str, *, headings: bool = False, links: Collection[str] = ()) -> str:
    """A model's markdown that can be published: it notifies nobody, refers to nothing, links to nothing, embeds
    nothing, gives no bot a command, and cannot break out of the section it stands in.

    Code stays as it is. Addresses are shown as code, but those among `links` (which stood in the issue) stay links,
    unless they lead to issues, pull requests or commits, which would be told of it. Headings become bold lines
    unless `headings` says that they may stay.
    """
    done: list[str] = []
    fence, info, block = "", "", list[str]()
    for row in redact(clean(text))[0].split("\n"):
        if fence:
            end = row.strip()
            if end.startswith(fence) and not end.strip(fence[0]) and len(row) - len(row.lstrip(" ")) <= 3:
                done.append(_block(block, info))
                fence, block = "", []
            else:
                block.append(row)
        elif opening := _FENCE.match(row):
            fence, info = opening[1], opening[2].lower()
        else:
            done.append(_tame_row(row, links, headings=headings))
    if fence:
        done.append(_block(block, info))
    return "\n".join(done).strip("\n")


def _block(rows: list[str], info: str) -> str:
    return fenced(_TO_A_COMMAND.sub(" /", "\n".join(rows)), "" if info in _DIAGRAMS else info)


def _tame_row(row: str, links: Collection[str], *, headings: bool) -> str:
    """One line outside of fenced code."""
    if not headings:
        if _RULE.match(row):
            return ""
        if heading := _HEADING.match(row):
            row = f"**{heading[2]}**" if heading[2] else ""
    pieces: list[str] = []
    for is_code, piece in _spans(row):
        pieces += [piece] if is_code else _tame_prose(_BACKSLASH.sub("", piece), links)
    tame = _joined(pieces)
    if not headings:
        tame = _INNER_HEADING.sub(r"\1\\", tame)
    return _COMMAND.sub(r"\1\\/", tame)


def _joined(pieces: Iterable[str]) -> str:
    """One text, in which no code span runs into the next one or begins after a backslash."""
    done: list[str] = []
    for piece in pieces:
        if piece[:1] == "`" and done and done[-1][-1] in "`\\":
            done.append(" ")
        if piece:
            done.append(piece)
    return "".join(done)


def _spans(row: str) -> Iterator[tuple[bool, str]]:
    """(is it a code span, text) of one line, as CommonMark reads it; a stray backtick becomes an apostrophe, so
    that no span goes on in the next line."""
    at = 0
    runs = list(_BACKTICKS.finditer(row))
    ends = {run.end() for run in runs if run[0][0] == "\\"}
    closing: dict[int, list[re.Match[str]]] = {}
    for run in reversed(runs):
        if run[0][0] == "`":
            closing.setdefault(len(run[0]), []).append(run)
    for run in runs:
        if run[0][0] == "\\" or run.start() < at:
            continue
        ticks = closing[len(run[0])]
        while ticks and ticks[-1].start() < run.end():
            ticks.pop()
        yield False, row[at : run.start()]
        if ticks and run.start() not in ends:
            yield True, row[run.start() : ticks[-1].end()]
            at = ticks[-1].end()
        else:
            # After a backslash, or without a partner.
            yield False, "'" * len(run[0])
            at = run.end()
    yield False, row[at:]


def _tame_prose(text: str, links: Collection[str], depth: int = 0) -> Iterator[str]:
    at = 0
    for found in _ADDRESS.finditer(text):
        yield _quiet(text[at : found.start()])
        label, address, bare = found.groups()
        if (address or bare) in links and not _REPOSITORY_ITEM.search(address or bare):
            yield f"[{_quiet(label or address or bare).replace('[', '(').replace(']', ')')}]({address or bare})"
        elif bare:
            yield code(bare, 300)
        else:
            if label.strip():
                yield from _tame_prose(label, links, depth + 1) if depth < 2 else (_quiet(label),)
                yield " "
            yield f"({code(address, 300)})"
        at = found.end()
    yield _quiet(text[at:])


def _quiet(text: str) -> str:
    """Prose without mentions, references, HTML and what is left of links."""
    text = _ENTITY.sub("&amp;", text).replace("<", "&lt;")
    text = _IMAGE.sub("", text).replace("](", "] (").replace("][", "] [").replace("]:", "]\\:")
    return calm(_REFERENCE.sub(lambda found: found[0] + _GAP, text))

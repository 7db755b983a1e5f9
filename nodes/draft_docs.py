"""Drafts what a documentation issue asks for: the change it spells out as a patch, a page, or an outline."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from models.asks import Docs, File, ListFiles
from models.case import Case, Section
from models.commands import Command, open_draft_pull
from models.text.escape import calm, code, fenced, headline, one_line, section
from nodes.base import Context
from nodes.check_docs import link, pages_in, paths_in, read_docs, slip
from nodes.text.drafting.drafts import (
    draft,
    drafted_section,
    mark,
    material_of,
    may_draft,
    tame_draft,
    tame_line,
)
from nodes.text.drafting.patch import Patch, apply_edits, unlinked
from nodes.text.markdown.markdown import Scan, scan, sentences
from nodes.text.search.passages import index_of, named, search
from nodes.text.writing.excerpt import tame

_QUOTE = r"[`\"“'‘]{1,2}([^`\"”'’\n]{1,160})[`\"”'’]{1,2}"
_SHOULD = r"(?:should (?:be|read|say|have been)|must be|needs to be|has to be)"
_TOLD = r"(?:says?|reads?|shows?|uses|has|states?|mentions?|written(?: as)?|(?:mis)?spelled(?: as)?"
_TOLD += r"|[Tt]here(?:[’']s| is)(?: also)?)"
_OLD_NEW = (
    re.compile(rf"{_QUOTE}\s{{0,3}}{_SHOULD}\s(?:changed to |replaced (?:by|with) |written as )?{_QUOTE}"),
    re.compile(
        rf"(?:[Rr]eplace|[Cc]hange|[Rr]ename|[Cc]orrect|[Ff]ix)\s{_QUOTE}\s(?:with|to|by|into)\s{_QUOTE}"
    ),
    re.compile(rf"{_QUOTE}\s{{0,3}}(?:->|=>|→|-->)\s{{0,3}}{_QUOTE}"),
    re.compile(rf"{_TOLD}\s{_QUOTE},?\s(?:(?:but |and )?(?:it )?{_SHOULD}|instead of|rather than)\s{_QUOTE}"),
)
_NEW_OLD = (
    re.compile(rf"(?:{_SHOULD}|\b[Uu]se)\s{_QUOTE},?\s(?:instead of|rather than|and not|not)\s{_QUOTE}"),
)
_BARE = re.compile(
    r"(?<!\w)([A-Za-z][\w-]{1,40}) (?:->|=>|→|should be(?: spelled)?|instead of) ([A-Za-z][\w-]{1,40})(?!\w)"
)
_ASKS = re.compile(r"(?i)^(?:how|what|which|where|when|why)\b|\b(?:how to|what|which|whether) ")
_ARROW = re.compile(r"[-=]>|<[-=]|[<>]=|<<|>>")
_LIMIT = 20_000
_SMALL_WORDS = frozenset(
    ("it", "this", "that", "there", "which", "they", "a", "an", "the", "docs", "fixed", "updated")
)


PAGE = "docs_page"
"""Where a case keeps the draft that is worth a page of its own: `kind` is page, patch or outline; of a page also its
`title`, `markdown`, `path` and the `mark` that says whose draft it is."""
_WRITABLE = ("missing", "unclear", "outdated", "wrong")
_SHOWN_DIFF = 3_000


@dataclass(frozen=True)
class DraftDocs:
    """At most `changes` replacements and `topics` points of an outline are drafted; a language model sees `passages`
    of the documentation."""

    changes: int = 5
    topics: int = 8
    passages: int = 4

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        found = scan(case.issue.body)
        text = f"{headline(case.issue.title, 300)}\n{found.text[:_LIMIT]}"
        pairs = replacements(text)[: self.changes]
        kind = slip(case.issue.title, found)
        writable = kind in _WRITABLE
        asks = pairs or (writable and may_draft(case, ctx))
        docs = await read_docs(case, ctx) if asks else None
        if pairs:
            return await self._change(case, ctx, pairs, docs, found)
        page = await self._page(case, ctx, found, docs) if writable else None
        if page is not None:
            return page
        topics = self._topics(found) if kind in ("missing", "unclear", "outdated") else []
        if not topics:
            return case
        body = "The page should answer:\n\n" + "\n".join(f"- {topic}" for topic in topics)
        data = {PAGE: {"kind": "outline"}} if len(topics) > 1 else {}
        return _with(case, section("Outline of the page", body), data)

    async def _change(
        self, case: Case, ctx: Context, pairs: list[tuple[str, str]], docs: Docs | None, found: Scan
    ) -> Case:
        """What the issue spells out: as a patch, where the documentation has it in one place."""
        patch = self._patch(case, pairs, docs, found) if docs else Patch()
        if docs is None or not patch.files:
            body = "\n\n".join(fenced(f"- {old}\n+ {new}", "diff") for old, new in pairs)
            return _with(case, section("Proposed change", body), {})
        index = index_of(docs)
        places = ", ".join(
            link(case.issue, docs, page) for page in named(index, patch.files, case.issue.repo)
        ) or ", ".join(code(path, 200) for path in patch.files)
        shown = fenced(patch.diff, "diff") if len(patch.diff) <= _SHOWN_DIFF else ""
        pairs_shown = "\n\n".join(fenced(f"- {old}\n+ {new}", "diff") for old, new in pairs)
        body = f"In {places}:\n\n{shown or pairs_shown}"
        case = _with(case, section("Proposed change", body), {PAGE: {"kind": "patch"}})
        if not ctx.policy.draft_pulls or "notion" in ctx.policy.services or case.suspicions:
            return case
        files = await ctx.ask(ListFiles(case.issue.repo))
        if files is None or not files.commit:
            return case
        wish = _pull(case, files.branch, files.commit, patch, {page.path: page for page in docs.pages})
        return replace(case, commands=(*case.commands, wish))

    def _patch(self, case: Case, pairs: list[tuple[str, str]], docs: Docs, found: Scan) -> Patch:
        index = index_of(docs)
        meant = {page.path for page in named(index, [*paths_in(case), *pages_in(found)], case.issue.repo)}
        edits = [edit for old, new in pairs if (edit := _edit(old, new, docs.pages, meant))]
        return apply_edits(edits, {page.path: page for page in docs.pages}) if edits else Patch()

    async def _page(self, case: Case, ctx: Context, found: Scan, docs: Docs | None) -> Case | None:
        """A language model's draft, from the issue and the passages that are nearest to it."""
        if not may_draft(case, ctx):
            return None
        fits = search(index_of(docs), case.issue.title, found, self.passages) if docs else []
        extra = [(f"{fit.passage.path}: {fit.passage.heading}", fit.passage.text) for fit in fits]
        drafted = await draft(case, ctx, "page", material_of(case, extra))
        if drafted is None:
            return None
        written = str(drafted.data.get("markdown") or "")
        body = tame_draft(written)
        if not body.strip():
            return None
        known = {page.path for page in docs.pages} if docs else set()
        path = str(drafted.data.get("path") or "")
        path = path if path in known else ""
        title = tame_line(str(drafted.data.get("title") or ""), 120)
        head = [f"**{title}**"] if title else []
        head += [f"For {code(path, 200)}"] if path else []
        data = {
            "kind": "page",
            "title": title,
            "markdown": tame_draft(written, headings=True),
            "path": path,
            "mark": mark(drafted),
        }
        return _with(
            case, drafted_section("Draft of the page", "\n\n".join([*head, body]), drafted), {PAGE: data}
        )

    def _topics(self, found: Scan) -> list[str]:
        """The reporter's own questions."""
        said = [text for part in found.parts for text in sentences(part.prose, 60)]
        asked = [text for text in said if text.endswith("?") and len(text) > 12 and _ASKS.search(text)]
        return [tame(text) for text in dict.fromkeys(asked)][: self.topics]


def replacements(text: str) -> list[tuple[str, str]]:
    """(old, new) pairs that the text spells out."""
    found: dict[tuple[str, str], None] = {}
    for pattern in _OLD_NEW:
        found.update(dict.fromkeys((old.strip(), new.strip()) for old, new in pattern.findall(text)[:10]))
    for pattern in _NEW_OLD:
        found.update(dict.fromkeys((old.strip(), new.strip()) for new, old in pattern.findall(text)[:10]))
    if not found and re.search(r"(?i)\btypo|spell|spelling", text):
        for match in list(_BARE.finditer(text))[:5]:
            old, new = (match[2], match[1]) if "instead of" in match[0] else (match[1], match[2])
            if not {old.lower(), new.lower()} & _SMALL_WORDS:
                found[(old, new)] = None
    pairs = [(old, new) for old, new in found if old and new and old != new and _may_replace(old, new)]
    return [pair for pair in pairs if not any(_within(pair, other) for other in pairs)]


def _within(pair: tuple[str, str], other: tuple[str, str]) -> bool:
    """Does the other say the same of a longer piece of text?"""
    return pair != other and pair[0] in other[0] and pair[1] in other[1]


def _may_replace(old: str, new: str) -> bool:
    """Two whole pieces of text, and of one kind: what was cut between two quotes has half a pair of brackets."""
    if any(character.isalpha() for character in old) != any(character.isalpha() for character in new):
        return False
    bare = (_ARROW.sub("", text) for text in (old, new))
    return all(
        text.count(left) == text.count(right) for text in bare for left, right in ("()", "[]", "{}", "<>")
    )


def _with(case: Case, added: Section, data: Mapping[str, object]) -> Case:
    return replace(case, sections=(*case.sections, added), data={**case.data, **data})


def _edit(old: str, new: str, pages: tuple[File, ...], meant: set[str]) -> dict[str, str] | None:
    """The line in which the wrong text stands, and what it should be; None where that is not just one line.

    Where several pages have it, those that the issue names are meant.
    """
    pattern = re.compile(rf"{_edge(old[0])}{re.escape(old)}{_edge(old[-1], after=True)}")
    holders = [page for page in pages if old in page.text and pattern.search(page.text)]
    if len(holders) > 1:
        holders = [page for page in holders if page.path in meant]
    if len(holders) != 1:
        return None
    (page,) = holders
    lines = [line for line in page.text.replace("\r\n", "\n").split("\n") if pattern.search(line)]
    if len(lines) != 1 or len(pattern.findall(lines[0])) != 1:
        return None
    return {"path": page.path, "find": lines[0], "replace": pattern.sub(lambda _: new, lines[0])}


def _edge(letter: str, *, after: bool = False) -> str:
    """A word must not go on where the wrong text begins or ends with one."""
    if not (letter.isalnum() or letter == "_"):
        return ""
    return r"(?!\w)" if after else r"(?<!\w)"


def _pull(case: Case, branch: str, commit: str, patch: Patch, pages: dict[str, File]) -> Command:
    """The draft pull request; of the issue's own words it has only the change itself."""
    names = unlinked(calm(one_line(", ".join(patch.files), 150)))
    changed = "\n".join(f"- {code(path, 200)}" for path in patch.files)
    return open_draft_pull(
        case.issue.ref,
        base=branch,
        base_commit=commit,
        files=[{"path": p, "text": text, "sha": pages[p].sha} for p, text in patch.files.items()],
        title=f"Draft for issue {case.issue.number}: {names}",
        body=(
            f"*Draft by Switchyard from what the issue spells out; nobody has checked it.*\n\n"
            f"This is about #{case.issue.number}, and changes:\n\n{changed}"
        ),
    )

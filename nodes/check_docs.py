"""Finds which page a documentation issue is about, what kind of slip it is, and whether the page says it already."""

import re
from dataclasses import dataclass, replace
from urllib.parse import quote as escaped

from models.asks import Docs, ReadDocs
from models.case import Case, Pointer
from models.issue import Issue
from models.text.escape import code, headline, inline, one_line, section
from nodes.base import Context
from nodes.text.markdown.markdown import Scan, scan
from nodes.text.search.passages import Found, Index, Passage, index_of, named, quote, search

_KINDS = (
    (
        "typo",
        re.compile(
            r"\btypos?\b|misspell|spelling|grammar|should (?:read|say) "
            r"|missing (?:comma|word|letter|backtick)|extra (?:comma|word)"
        ),
    ),
    (
        "broken link",
        re.compile(
            r"(?:broken|dead|invalid|wrong) (?:\w{1,20} ){0,2}(?:link|url|anchor|image)s?"
            r"|links? (?:\w{1,20} ){0,6}(?:broken|dead|not work)|\b404\b"
        ),
    ),
    (
        "outdated",
        re.compile(
            r"out.?dated|out of date|no longer (?:valid|exists|works|correct|true|supported)|obsolete"
            r"|deprecated|old (?:version|screenshot|syntax|api)"
            r"|has (?:been )?(?:changed|renamed|removed|moved)|still (?:says|shows|mentions|refers|uses)"
        ),
    ),
    (
        "wrong",
        re.compile(
            r"incorrect|inaccurate|\bwrong\b|mistake|contradict|inconsisten|does ?n[o']t match"
            r"|mislead|error in the (?:docs|documentation|example)"
        ),
    ),
    (
        "missing",
        re.compile(
            r"missing|undocumented|not documented|no (?:documentation|docs|mention|example|explanation)"
            r"|does ?n[o']t (?:mention|document|explain|say|cover)"
            r"|(?:add|need|lack)s? (?:\w{1,15} ){0,3}(?:documentation|docs|example|guide|section|page"
            r"|tutorial)|document(?:ing)? (?:the|how|that)|how to"
        ),
    ),
    (
        "unclear",
        re.compile(
            r"unclear|confus|ambiguous|hard to (?:understand|find|follow)|clarif|vague"
            r"|not (?:clear|obvious)"
        ),
    ),
)
_DOCS_URL = re.compile(
    r"docs?[./]|/docs?\b|readthedocs|/wiki|/guide|/tutorial|/reference|/manual|/learn|readme|/blog/|\.html"
    r"|\.md|github\.io|/api\b",
    re.I,
)
_SECTION = re.compile(
    r"(?:section|chapter|page|heading|paragraph|guide|tutorial)s? (?:on |about |called |named "
    r"|titled )?[\"“'‘*_]{1,2}([^\"”'’*_\n]{3,80})[\"”'’*_]"
)
_DOCS_PATH = re.compile(
    r"(?i)\.(?:md|rst|adoc|mdx|txt|ipynb|html?)$|(?:^|/)docs?/|readme|changelog|contributing|license"
)
_IMAGE = re.compile(
    r"(?i)\.(?:png|jpe?g|gif|svg|webp|mp4|mov)(?:\?|$)|user-images|/assets/\d|user-attachments"
)


_ASKED = ("missing", "unclear", "")
"""Kinds of slip of which the documentation may be found to have none."""


@dataclass(frozen=True)
class CheckDocs:
    """At most `places` pages, files and headings are named, and `passages` of the documentation shown.

    A passage is shown where it has the share `cover` of what the title is about, by the weight of its words, and its
    heading has some of it. The reporter is pointed to one that has `sure` of it and whose heading has `sure_heading`.
    """

    places: int = 8
    passages: int = 3
    cover: float = 0.65
    sure: float = 0.75
    sure_heading: float = 0.35

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        found = scan(case.issue.body)
        kind = slip(case.issue.title, found)
        docs = await read_docs(case, ctx)
        index = index_of(docs) if docs else None
        sections = []
        places = self._places(case, found, docs, index)
        lines = ([f"Kind of slip: **{kind}**"] if kind else []) + [f"- {place}" for place in places]
        if lines:
            if kind and places:
                lines.insert(1, "")
            sections.append(section("Documentation", *lines))
        fits = [fit for fit in search(index, case.issue.title, found) if self._fits(fit)] if index else []
        if docs and fits:
            may = kind in _ASKED
            title = "The documentation may already say it" if may else "Where the documentation speaks of it"
            sections.append(section(title, *(_shown(case.issue, docs, fit) for fit in fits[: self.passages])))
        if not sections:
            return case
        return replace(
            case,
            sections=(*case.sections, *sections),
            pointers=(*case.pointers, *self._pointers(case, docs, kind, fits)),
        )

    def _fits(self, fit: Found) -> bool:
        return fit.cover >= self.cover and len(fit.matched) >= 2 and fit.lead >= 0.15

    def _pointers(self, case: Case, docs: Docs | None, kind: str, fits: list[Found]) -> list[Pointer]:
        """What the reporter may be told: nothing where something is said to be wrong."""
        if docs is None or kind not in ("missing", "unclear"):
            return []
        return [
            Pointer(path=p.path, heading=p.heading, url=address(case.issue, docs, p))
            for fit in fits[:2]
            for p in (fit.passage,)
            if fit.cover >= self.sure and fit.lead >= self.sure_heading and len(fit.matched) >= 3
        ]

    def _places(self, case: Case, found: Scan, docs: Docs | None, index: Index | None) -> list[str]:
        """Files, pages and headings that the issue names, with what they are in the repository."""
        shown: list[str] = []
        for name, text in [
            *((path, f"file {code(path, 160)}") for path in paths_in(case)),
            *((url, f"page <{one_line(url, 300)}>") for url in pages_in(found)),
        ]:
            pages = named(index, [name], case.issue.repo) if index else []
            is_there = [link(case.issue, docs, page) for page in pages] if docs else []
            shown.append(f"{text}: {is_there[0]}" if is_there else text)
        shown += [f"section {code(text, 80)}" for text in _SECTION.findall(found.prose[:20_000])]
        return list(dict.fromkeys(shown))[: self.places]


async def read_docs(case: Case, ctx: Context) -> Docs | None:
    """The repository's documentation; None where it has none, or nobody could be asked, or should not be."""
    if case.route == "security":
        return None
    docs = await ctx.ask(ReadDocs(case.issue.repo))
    return docs if docs and docs.pages else None


def paths_in(case: Case) -> list[str]:
    """Documentation files that the issue names."""
    return [path for path in (case.code.paths if case.code else ()) if _DOCS_PATH.search(path)]


def pages_in(found: Scan) -> list[str]:
    """Addresses of documentation that the issue gives."""
    pages = [url for _, url in found.links if _DOCS_URL.search(url) and not _IMAGE.search(url)]
    return [url for url in pages if url.startswith(("https://", "http://"))]


def address(issue: Issue, docs: Docs, passage: Passage) -> str:
    """Where a passage can be read, as it was."""
    base = issue.html_url.rpartition("/issues/")[0]
    anchor = f"#{escaped(passage.anchor)}" if passage.anchor else ""
    return f"{base}/blob/{escaped(docs.commit)}/{escaped(passage.path)}{anchor}"


def link(issue: Issue, docs: Docs, passage: Passage) -> str:
    name = f"{passage.path} › {passage.heading}" if passage.heading else passage.path
    return f"[{inline(name, 200)}]({address(issue, docs, passage)})"


def _shown(issue: Issue, docs: Docs, fit: Found) -> str:
    words = quote(fit)
    return f"- {link(issue, docs, fit.passage)}" + (f": “{inline(words, 260)}”" if words else "")


def slip(title: str, found: Scan) -> str:
    """The kind of slip, first by the title; empty where nothing tells."""
    for text in (headline(title, 300).lower(), found.lowered[:20_000]):
        for name, pattern in _KINDS:
            if pattern.search(text):
                return name
    return ""

"""Finds which page a documentation issue is about and what kind of slip it is."""

import re
from dataclasses import dataclass, replace

from models.case import Case
from nodes.base import Context
from nodes.text.escape import code, headline, one_line, section
from nodes.text.markdown import Scan, scan

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


@dataclass(frozen=True)
class CheckDocs:
    """At most `places` pages, files and headings are named."""

    places: int = 8

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        found = scan(case.issue.body)
        kind = slip(case.issue.title, found)
        places = self._places(case, found)
        lines = ([f"Kind of slip: **{kind}**"] if kind else []) + [f"- {place}" for place in places]
        if not lines:
            return case
        if kind and places:
            lines.insert(1, "")
        return replace(case, sections=(*case.sections, section("Documentation", *lines)))

    def _places(self, case: Case, found: Scan) -> list[str]:
        paths = [path for path in (case.code.paths if case.code else ()) if _DOCS_PATH.search(path)]
        pages = [url for _, url in found.links if _DOCS_URL.search(url) and not _IMAGE.search(url)]
        pages = [url for url in pages if url.startswith(("https://", "http://"))]
        headings = _SECTION.findall(found.prose[:20_000])
        named = [f"file {code(path, 160)}" for path in paths]
        named += [f"page <{one_line(url, 300)}>" for url in pages]
        named += [f"section {code(text, 80)}" for text in headings]
        return list(dict.fromkeys(named))[: self.places]


def slip(title: str, found: Scan) -> str:
    """The kind of slip, first by the title; empty where nothing tells."""
    for text in (headline(title, 300).lower(), found.lowered[:20_000]):
        for name, pattern in _KINDS:
            if pattern.search(text):
                return name
    return ""

"""Documentation taken apart by headings, and the passages of it that an issue is about."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from markdown_it import MarkdownIt

from models.asks import Docs, File
from models.text.escape import clean, one_line
from models.text.words import words
from nodes.text.markdown.markdown import Scan
from nodes.text.search.terms import is_common, stem

LONGEST = 1_500
"""Characters of one passage; a longer section is several."""
MOST = 20_000
"""Passages of one repository."""
_KEY_WORDS = 12
_QUERY_WORDS = 40
_K1, _B = 1.2, 0.6
_NAME = 5
"""Letters that the last part of an address must have to name a page alone."""
_HEADING, _PATH = 3, 2
"""As often as it would occur in the text, a word counts for standing in the heading, or in the page's name."""
_MARKDOWN = (".md", ".mdx", ".markdown")
_WORD = re.compile(r"[^\W_]{2,40}")
_SETTLED = re.compile(
    r"(?i)(?:^|[/_.-])(?:changelog|changes|whats?_?new|what-s-new|release[-_]?notes?|releases|history|news|licen[cs]e"
    r"|copying|authors|credits|contributors|code_of_conduct|issue_template|pull_request_template|github_stats)"
    r"(?:[/_.-]|$)"
)
"""Pages that mention much and explain nothing."""
_UNDERLINE = re.compile(r"([=\-~^\"'`#*+.:_])\1{2,}\s{0,20}$")
_ADOC = re.compile(r"={1,5} (\S.{0,200})$")
_DIRECTIVE = re.compile(r"\s{0,20}(?:\.\. |:\w{1,30}:|```|~~~|\||<|{[%{]|import |export |---|===|\+--)")
_PLAIN_WORD = re.compile(r"(?<!\S)[^\W\d_]{1,30}(?=[,.;:!?]?(?:\s|$))")
_SPOKEN = 5
"""Plain words that a paragraph must have to be one; lists of names have none."""
_SHOWN = re.compile(r"\n{0,3}(?: {4}|\t|.{0,200}\n[ \t]{0,20}[-=~^]{3})")
"""Code by its indentation, and what is underlined."""
_FRONT_TITLE = re.compile(r"(?m)^title:\s{0,5}[\"']?([^\"'\n]{1,200})")
_SLUG_DROPPED = re.compile(r"[^\w\- ]")
_PARSER = MarkdownIt("commonmark", {"maxNesting": 20}).disable("inline")
_OF_DOCS = words(
    "doc docs document documentation documented documenting documents page pages section sections readme wiki guide",
    "tutorial manual website site example examples explain explained explains explanation describe described",
    "description mention mentioned clarify clarification unclear confusing confused missing typo typos misspelled",
    "spelling wrong incorrect outdated broken dead link links update updated improve improvement fix bug issue",
    "feature request question request error problem undocumented correct incorrectly mistake show shows say says",
    "clear better information info details text title add adding change remove removed rename support",
)
"""Words that issues about documentation have, whatever they are about."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a page under one heading; `anchor` is how GitHub names the heading in addresses, where it does."""

    path: str
    heading: str
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that fits. Of the issue's telling words, weighed by how much they tell, it has the share `cover`; its
    heading and its page's name alone have the share `lead`. Both 0…1."""

    passage: Passage
    score: float
    cover: float
    lead: float
    matched: tuple[str, ...]


@dataclass(frozen=True)
class Index:
    """The passages of a repository's documentation, by their words."""

    passages: tuple[Passage, ...]
    postings: Mapping[str, Sequence[tuple[int, int]]]
    """By word: which passages have it, and how often."""
    norms: Sequence[float]
    """What a passage's length does to the counts of its words, by BM25."""
    leads: Sequence[frozenset[str]]
    """The words of each passage's heading and page name."""

    def weight(self, word: str) -> float:
        """How much a word tells; most of all where the documentation does not have it."""
        count = len(self.postings.get(word, ()))
        return math.log(1 + (len(self.passages) - count + 0.5) / (count + 0.5))


@dataclass(frozen=True)
class _Source:
    contents: tuple[tuple[str, str], ...]
    """Each page's path, and git's name of what stands in it."""
    pages: tuple[File, ...] = field(compare=False, repr=False)


def index_of(docs: Docs) -> Index:
    """The index of a repository's documentation; those of the latest few are kept."""
    return _index(_Source(tuple((page.path, page.sha) for page in docs.pages), docs.pages))


@lru_cache(maxsize=8)
def _index(source: _Source) -> Index:
    passages = [
        passage for page in source.pages if not _SETTLED.search(page.path) for passage in passages_of(page)
    ][:MOST]
    postings: dict[str, list[tuple[int, int]]] = {}
    lengths: list[int] = []
    leads: list[frozenset[str]] = []
    for number, passage in enumerate(passages):
        heading, name = (
            _terms(_last(passage.heading)),
            _terms(passage.path.rpartition("/")[2].partition(".")[0]),
        )
        counts = Counter(_terms(passage.text))
        for terms, weight in ((heading, _HEADING), (name, _PATH)):
            for term in terms:
                counts[term] += weight
        for term, count in counts.items():
            postings.setdefault(term, []).append((number, count))
        lengths.append(counts.total())
        leads.append(frozenset((*heading, *name)))
    average = sum(lengths) / max(len(lengths), 1) or 1.0
    norms = [_K1 * (1 - _B + _B * length / average) for length in lengths]
    return Index(tuple(passages), postings, norms, leads)


def passages_of(page: File) -> Iterator[Passage]:
    """A page's sections, each under the headings that lead to it, long ones in pieces."""
    text = clean(page.text)
    front, text = _front(text)
    lines = text.split("\n")
    is_markdown = page.path.lower().endswith(_MARKDOWN)
    headings = _markdown_headings(text) if is_markdown else _plain_headings(lines)
    title = _FRONT_TITLE.search(front)
    trail: list[tuple[int, str]] = [(0, title[1].strip())] if title else []
    used: Counter[str] = Counter()
    start, anchor = 0, ""
    for first, after, level, name in [*headings, (len(lines), len(lines), 0, "")]:
        for piece in _pieces("\n".join(lines[start:first])):
            yield Passage(page.path, " › ".join(name for _, name in trail[-2:]), anchor, piece)
        trail = [*((above, words) for above, words in trail if above < level), (level, one_line(name, 120))]
        start = after
        slug = slug_of(name)
        anchor = (f"{slug}-{used[slug]}" if used[slug] else slug) if is_markdown else ""
        used[slug] += 1


def slug_of(heading: str) -> str:
    """How GitHub names a heading in an address."""
    return _SLUG_DROPPED.sub("", heading.strip().lower()).replace(" ", "-")


def search(index: Index, title: str, found: Scan, most: int = 5) -> list[Found]:
    """The passages that have most of an issue's telling words, best first, one of each section."""
    key = _key_words(title, found)
    if not key or not index.passages:
        return []
    query = _query(key, found)
    scores: dict[int, float] = {}
    has: dict[int, list[str]] = {}
    for word, weight in query.items():
        rarity = index.weight(word) * weight
        for number, count in index.postings.get(word, ()):
            scores[number] = scores.get(number, 0.0) + rarity * count / (count + index.norms[number])
            if word in key:
                has.setdefault(number, []).append(word)
    whole = sum(index.weight(word) for word in key)
    best: dict[tuple[str, str], Found] = {}
    for number in sorted(has, key=lambda number: -scores[number])[: 10 * most]:
        passage = index.passages[number]
        weights = {word: index.weight(word) / whole for word in has[number]}
        lead = sum(weight for word, weight in weights.items() if word in index.leads[number])
        fits = Found(passage, scores[number], sum(weights.values()), lead, tuple(weights))
        best.setdefault((passage.path, passage.heading), fits)
    return list(best.values())[:most]


def quote(found: Found, limit: int = 240) -> str:
    """The paragraph of a passage that says most about it, on one line; empty where it has no prose."""
    best, most = "", 0.0
    for paragraph in re.split(r"\n\s{0,200}\n", found.passage.text):
        if (
            _DIRECTIVE.match(paragraph)
            or _SHOWN.match(paragraph)
            or len(_PLAIN_WORD.findall(paragraph[:2_000])) < _SPOKEN
        ):
            continue
        terms = set(_terms(paragraph))
        score = sum(word in terms for word in found.matched) + min(len(paragraph), 200) / 1_000
        if score > most:
            best, most = paragraph, score
    return one_line(best, limit)


def named(index: Index, names: Iterable[str], repo: str) -> list[Passage]:
    """The pages that an issue of `repo` names by file or address, each as the passage that it means; one a page.

    An address counts where it speaks of the repository or its owner: every project has an installation page.
    """
    words = [word for word in re.split(r"[/_.-]", repo.lower()) if len(word) > 2]
    pages: dict[str, list[Passage]] = {}
    for passage in index.passages:
        pages.setdefault(passage.path, []).append(passage)
    chosen: dict[str, Passage] = {}
    for name in names:
        address, _, fragment = name.partition("#")
        if "://" in address and not any(word in address.lower() for word in words):
            continue
        path = _page(address, pages)
        if path and path not in chosen:
            wanted = slug_of(fragment.replace("_", "-"))
            within = (p for p in pages[path] if wanted and wanted in (p.anchor, slug_of(_last(p.heading))))
            chosen[path] = next(within, pages[path][0])
    return list(chosen.values())


def _page(name: str, pages: Mapping[str, Sequence[Passage]]) -> str:
    """The one page whose path ends like this file or address; empty where there is none, or more than one."""
    is_address = "://" in name
    parts = _parts(name.partition("://")[2].partition("?")[0].partition("/")[2] if is_address else name)
    if not parts:
        return ""
    shared: dict[str, int] = {}
    for path in pages:
        if not is_address and path.rpartition("/")[2] != name.rpartition("/")[2]:
            continue
        own = _parts(path)
        count = 0
        while count < min(len(own), len(parts)) and own[-1 - count] == parts[-1 - count]:
            count += 1
        if count:
            shared[path] = count
    longest = max(shared.values(), default=0)
    if is_address and longest == 1 and len(parts[-1]) < _NAME:
        return ""
    best = [path for path, count in shared.items() if count == longest]
    return best[0] if len(best) == 1 else ""


def _parts(path: str) -> list[str]:
    """A path's parts without ending and index, alike for files and addresses."""
    found = [part.lower().replace("_", "-") for part in path.split("/") if part not in ("", ".", "..")]
    if found:
        stem_, dot, ending = found[-1].rpartition(".")
        found[-1] = stem_ if dot and stem_ and len(ending) <= 8 else found[-1]
    return found[:-1] if found and found[-1] in ("index", "-index") else found


def _last(heading: str) -> str:
    return heading.rpartition(" › ")[2]


def _key_words(title: str, found: Scan) -> dict[str, None]:
    """What the title is about; where it says little, what the text shows as code, too."""
    key = dict.fromkeys(_telling(title))
    if len(key) < 3:
        key |= dict.fromkeys(word for text in found.inline[:4] for word in _telling(text[:80]))
    return dict.fromkeys(list(key)[:_KEY_WORDS])


def _query(key: Iterable[str], found: Scan) -> dict[str, float]:
    query = dict.fromkeys(key, 3.0)
    for weight, texts in ((1.5, found.inline[:10]), (1.0, [found.prose[:1_500]])):
        for text in texts:
            for word in _telling(text):
                if len(query) >= _QUERY_WORDS:
                    return query
                query.setdefault(word, weight)
    return query


def _telling(text: str) -> list[str]:
    raw = (word for word in _WORD.findall(text.lower()) if not word.isdigit())
    return [stem(word) for word in raw if not is_common(word) and word not in _OF_DOCS]


def _terms(text: str) -> list[str]:
    return [stem(word) for word in _WORD.findall(text.lower()) if not is_common(word)]


def _front(text: str) -> tuple[str, str]:
    """The settings above a page, and the page."""
    if not text.startswith("---\n"):
        return "", text
    end = text.find("\n---", 4)
    return (text[4:end], text[end + 4 :]) if 0 < end < 5_000 else ("", text)


Heading = tuple[int, int, int, str]
"""Its first line, the line after it, its level, its text."""


def _markdown_headings(text: str) -> list[Heading]:
    tokens = _PARSER.parse(text)
    return [
        (token.map[0], token.map[1], int(token.tag[1]), _bare(tokens[at + 1].content))
        for at, token in enumerate(tokens)
        if token.type == "heading_open" and token.map and token.level == 0
    ]


def _bare(heading: str) -> str:
    """A heading without the marks of links and code."""
    return re.sub(r"[`*]|\]\([^()\s]{1,500}\)|\[|<[^<>]{1,200}>|\s?\{#[^{}]{1,100}\}", "", heading).strip()


def _plain_headings(lines: Sequence[str]) -> list[Heading]:
    """Headings of reStructuredText (underlined) and AsciiDoc (led by =)."""
    found: list[Heading] = []
    levels: list[str] = []
    for at, line in enumerate(lines):
        if at and (mark := _UNDERLINE.match(line)):
            name = lines[at - 1].strip()
            if 0 < len(name) <= len(line.rstrip()) and not _UNDERLINE.match(lines[at - 1]):
                over = at > 1 and lines[at - 2].rstrip() == line.rstrip()
                style = mark[1] * (2 if over else 1)
                if style not in levels:
                    levels.append(style)
                found.append((at - 2 if over else at - 1, at + 1, levels.index(style) + 1, name))
        elif led := _ADOC.match(line):
            found.append((at, at + 1, len(line) - len(line.lstrip("=")), led[1]))
    return [(first, after, level, _bare(name)) for first, after, level, name in found]


def _pieces(text: str) -> Iterator[str]:
    """A section in pieces of LONGEST characters, cut where a paragraph ends if there is such a place."""
    text = text.strip()
    while len(text) > LONGEST:
        cut = text.rfind("\n\n", LONGEST // 3, LONGEST)
        cut = cut if cut > 0 else max(text.rfind("\n", LONGEST // 3, LONGEST), LONGEST // 3)
        yield text[:cut].strip()
        text = text[cut:].strip()
    if text:
        yield text

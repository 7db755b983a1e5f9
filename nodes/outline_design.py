"""Outlines the design of a wish: what it touches in the repository, what is at risk, what is open."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from models.asks import Drafted, Files, ListFiles
from models.case import Case, Section
from models.text.escape import code, section
from nodes.base import Context
from nodes.text.drafting.drafts import draft, drafted_section, material_of, may_draft, tame_line
from nodes.text.extract.components import find_components, terms_of
from nodes.text.extract.feature_request import read_wish
from nodes.text.extract.paths import index_of, matching
from nodes.text.markdown.markdown import Scan, scan, sentences
from nodes.text.writing.excerpt import tame

_RISKS = (
    ("Data", r"migrat(?:e|ing|ion) |data loss|file format|schema change|existing (?:data|databases|files)"),
    (
        "Compatibility",
        r"breaking change|backwards?.compat|break(?:s|ing)? (?:existing|the (?:api|abi)|compat)"
        r"|existing (?:users|code|behaviou?r|installations)|deprecat",
    ),
    ("Public interface", r"public (?:api|interface)|\b(?:rest|http) api|api (?:change|break)|\babi\b"),
    (
        "Speed or memory",
        r"performance|slow(?:er|s|ing)?\b|memory (?:use|usage|footprint)|overhead|latency|bundle size|expensive",
    ),
    ("Security", r"\b(?:security|untrusted|sandboxed|credentials?|privacy|attackers?|private keys?)\b"),
)
_PATTERNS = tuple((name, re.compile(words, re.IGNORECASE)) for name, words in _RISKS)
_NAME = re.compile(r"[A-Za-z_][\w.:]{2,60}(?:\(\))?")
_NO_PART = re.compile(
    r"(?i)(?:readme|contributing|license|changelog)\b|https?$|(?:true|false|null|none|undefined|nil)$"
)
_LISTED = 300
"""Paths that the language model is shown, of those whose names the text knows first."""


@dataclass(frozen=True)
class OutlineDesign:
    """At most `items` of a kind are listed.

    With a language model its draft follows in a section of its own; of the places that it names those are kept that
    the repository has.
    """

    items: int = 6

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        found, wish = scan(case.issue.body), read_wish(case.issue.body)
        terms = terms_of(case.issue.title, found.inline, found.prose)
        named = case.code.paths if case.code else ()
        files: Files | None = None
        if terms or named:
            files = await ctx.ask(ListFiles(case.issue.repo))
        places = _places(files, named) if files else []
        if files:
            places += find_components(files, terms, self.items)
        parts = (
            (
                "Touches",
                [f"{code(path, 200)}: {why}" for path, why in dict(places).items()]
                or _mentioned(named, found),
            ),
            ("Risks that the text names", _risks(found)),
            (
                "Open questions",
                [*wish.questions, *(f"“{tame(name)}” was left empty" for name in wish.unanswered)],
            ),
        )
        sections = []
        if text := _listed(parts, self.items):
            sections.append(section("Design outline", text))
        sections += await self._drafted(case, ctx, files, [path for path, _ in places])
        return replace(case, sections=(*case.sections, *sections)) if sections else case

    async def _drafted(
        self, case: Case, ctx: Context, files: Files | None, places: Sequence[str]
    ) -> list[Section]:
        """The model's outline, with the places it names held against the repository's files."""
        if not may_draft(case, ctx):
            return []
        known = files.paths if files else ()
        folders = {path.rpartition("/")[0] for path in places}
        near = [path for path in known if path.rpartition("/")[0] in folders]
        listed = "\n".join(dict.fromkeys([*places, *near, *known]))[: 40 * _LISTED]
        extra = [("files of the repository", listed)] if listed else []
        drafted = await draft(case, ctx, "design", material_of(case, extra))
        text = _model_says(drafted, frozenset(known), self.items) if drafted else ""
        return [drafted_section("Design, drafted", text, drafted)] if drafted and text else []


def _places(files: Files, named: Iterable[str]) -> list[tuple[str, str]]:
    """The repository's files that the text names by their paths."""
    index = index_of(files)
    return [
        (path, "named in the text")
        for name in named
        for path in matching(name, index)
        if not _NO_PART.match(path)
    ]


def _mentioned(named: Iterable[str], found: Scan) -> list[str]:
    """Without the repository's files: what the text calls files, then names in code spans."""
    names = [name for name in found.inline if _NAME.fullmatch(name) and re.search(r"[._:(]|[a-z][A-Z]", name)]
    return [
        code(name, 100)
        for name in dict.fromkeys((*named, *names))
        if not _NO_PART.match(name.rpartition("/")[2])
    ]


def _risks(found: Scan) -> list[str]:
    """Each kind of risk with the sentence that names it."""
    said = [sentence for part in found.parts for sentence in sentences(part.prose, 80)]
    risks = []
    for name, pattern in _PATTERNS:
        told = next((text for text in said if pattern.search(text) and text[-1] not in ":?"), None)
        if told:
            risks.append(f"{name}: “{tame(told)}”")
    return risks


def _listed(parts: Iterable[tuple[str, Sequence[str]]], most: int) -> str:
    return "\n\n".join(
        f"**{name}**\n\n" + "\n".join(f"- {item}" for item in items[:most]) for name, items in parts if items
    )


def _model_says(drafted: Drafted, known: frozenset[str], most: int) -> str:
    data = drafted.data
    touched = [
        f"{code(str(one['path']), 200)}: {tame_line(str(one.get('why') or ''))}".rstrip(": ")
        for one in _objects(data.get("components"))
        if str(one.get("path")) in known
    ]
    lists = [[tame_line(str(item)) for item in _items(data.get(name))] for name in ("risks", "questions")]
    return _listed(zip(("Touches", "Risks", "Open questions"), (touched, *lists), strict=True), most)


def _items(value: object) -> list[object]:
    return [item for item in value if item] if isinstance(value, list) else []


def _objects(value: object) -> list[dict[str, object]]:
    return [item for item in _items(value) if isinstance(item, dict)]

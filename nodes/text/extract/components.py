"""Finds the files and folders of a repository that a text seems to be about, by the names it uses."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from models.asks import Files
from models.text.words import words

_SIDE = words(
    "test tests testing spec specs __tests__ e2e fixtures mocks vendor vendored third_party 3rdparty "
    "extern external node_modules dist build generated gen docs doc documentation examples example "
    "samples sample demo demos locale locales i18n lang translations snapshots benchmarks bench "
    "packaging changelogs assets static public"
)
"""Folders whose files show a part of the program, or are not its own."""
_CODE = words(
    "py js mjs cjs ts tsx jsx vue svelte java kt kts scala groovy clj go rs c cc cpp cxx h hh hpp "
    "hxx m mm swift cs fs vb rb php ex exs erl hs ml mli lua pl pm r jl dart zig nim sh bash zsh fish "
    "ps1 sql proto graphql css scss sass less html twig erb haml hbs tmpl zsh-theme"
)
_COMMON = words(
    "add fast faster good great look nice simple slow small thing allow also app application base "
    "better build button change class code common config core create current custom data default delete "
    "display enable error every example extend feature field file fix folder from function get have "
    "helper idea implement improve improvement index info init into item just library like list main "
    "make many method missing model module more name need new only open option page please possible "
    "project provide remove replace report request result same select set setting should show single "
    "some source style suggestion support system test text that them then there this time type update "
    "use user util value version view want way web when where which wish with without work would work "
    "your about after all and any are because before but can does for how its not out over than the "
    "their they via what why you"
)
"""Words that say nothing of the place where something is done."""
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]{2,}|\d+")
_NAME = re.compile(r"[A-Za-z_][\w.:#-]{1,60}(?:\(\))?")
_LIKE_CODE = re.compile(
    r"\b(?:[a-z]+[A-Z]\w{1,40}|[A-Z][a-z]+[A-Z]\w{1,40}|[a-z]{2,30}(?:_[a-z0-9]{2,30}){1,5})\b"
)
_WORD = re.compile(r"\b[A-Za-z][a-z]{2,30}\b")
_MOST_TERMS = 30
_RARE = 0.02
"""Share of the entries above which a name is too usual to point anywhere."""
_NAMED, _SAID = 3.0, 1.5
_ENOUGH = 1.2
_DEEPEST = 20
"""Folders within each other that can be named."""


@dataclass(frozen=True, slots=True)
class Term:
    """A name in the text: its parts in lower case, how much it counts, and how it is told."""

    parts: tuple[str, ...]
    weight: float
    told: str


@dataclass(frozen=True, slots=True)
class _Index:
    entries: list[str]
    """Files, and folders with a slash at their end."""
    names: list[tuple[str, ...]]
    by_part: dict[str, list[int]]


def terms_of(title: str, inline: Sequence[str], prose: str) -> list[Term]:
    """What a text names: identifiers in code spans and in prose, and the telling words of its title."""
    found: dict[tuple[str, ...], Term] = {}
    names = [name for name in inline if _NAME.fullmatch(name)]
    names += [*_LIKE_CODE.findall(title), *_LIKE_CODE.findall(prose[:6_000])]
    for name in names:
        for piece in re.split(r"[.:#()]+", name):
            parts = _parts(piece)
            if parts and not set(parts) <= _COMMON and len("".join(parts)) > 3:
                weight = _SAID if piece.isalpha() and piece.islower() else _NAMED
                found.setdefault(parts, Term(parts, weight, f"names `{piece}`"))
    for word in _WORD.findall(title):
        parts = _parts(word)
        if len(word) > 3 and not set(parts) <= _COMMON:
            found.setdefault(parts, Term(parts, _SAID, f"“{word}” in the title"))
    return list(found.values())[:_MOST_TERMS]


def find_components(files: Files, terms: Sequence[Term], most: int = 5) -> list[tuple[str, str]]:
    """(path, why) of the files and folders that fit best; rare names weigh more. None where nothing fits well."""
    index = _index_of(files)
    size = len(index.entries)
    score: dict[int, float] = {}
    why: dict[int, list[str]] = {}
    for term in terms:
        holding = [index.by_part.get(part, []) for part in term.parts]
        fitting = set(holding[0]).intersection(*holding[1:])
        if not fitting or len(fitting) > max(6, _RARE * size):
            continue
        rarity = 1.0 - math.log(len(fitting)) / math.log(size + 2)
        for at in fitting:
            whole = len(index.names[at]) == len(term.parts)
            score[at] = score.get(at, 0.0) + term.weight * rarity * (
                2.0 if whole else len(term.parts) / len(index.names[at])
            )
            why.setdefault(at, []).append(term.told)
    ranked = sorted(score, key=lambda at: (-score[at], len(index.entries[at]), index.entries[at]))
    chosen: list[int] = []
    for at in ranked:
        if score[at] < max(_ENOUGH, 0.4 * score[ranked[0]]) or len(chosen) >= most:
            break
        path = index.entries[at]
        around = [one for one in chosen if path.startswith(index.entries[one])]
        inside = any(index.entries[one].startswith(path) for one in chosen)
        if around and all(len(why[at]) > len(why[one]) for one in around):
            # More of the text speaks for the file than for the folder it lies in.
            chosen[chosen.index(around[0])] = at
        elif not around and not inside:
            chosen.append(at)
    return [(index.entries[at], "; ".join(why[at][:3])) for at in chosen]


@lru_cache(maxsize=4)
def _index_of(files: Files) -> _Index:
    """The index of a listing; those of the latest few are kept, since many cases share one."""
    entries: dict[str, tuple[str, ...]] = {}
    held: Counter[str] = Counter()
    for path in files.paths:
        *folders, name = path.split("/")
        stem, _, ending = name.rpartition(".")
        if ending.lower() not in _CODE or name.endswith((".min.js", ".min.css", ".d.ts")):
            continue
        if not _SIDE.isdisjoint(folder.lower() for folder in folders):
            continue
        base = stem.partition(".")[0].lower()
        if (
            base.startswith("test_")
            or base.endswith(("_test", "_spec", "test"))
            or ".test" in stem
            or ".spec" in stem
        ):
            continue
        at = ""
        for folder in folders[:_DEEPEST]:
            at += folder + "/"
            if at not in entries:
                entries[at] = _parts(folder)
            held[at] += 1
        entries[path] = _parts(stem)
    # A folder that holds a good part of all is no part of it.
    wide = max(20, len(entries) // 5)
    entries = {path: parts for path, parts in entries.items() if held[path] <= wide}
    index = _Index(list(entries), list(entries.values()), {})
    for number, parts in enumerate(index.names):
        for part in set(parts):
            index.by_part.setdefault(part, []).append(number)
    return index


def _parts(name: str) -> tuple[str, ...]:
    """The parts of a name in lower case and in the singular: "RangeSliders" is range and slider."""
    return tuple(_single(part.lower()) for part in _PART.findall(name[:80]))


def _single(part: str) -> str:
    return part[:-1] if len(part) > 3 and part.endswith("s") and not part.endswith("ss") else part

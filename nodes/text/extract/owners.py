"""Reads a CODEOWNERS file: who is responsible for which paths."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks for it, and in which order; the first one counts."""
_MOST_RULES = 3_000
_OWNER = re.compile(r"@([A-Za-z0-9][A-Za-z0-9-]{0,100}(?:/[\w.-]{1,100})?)")


@dataclass(frozen=True, slots=True)
class OwnerRule:
    """One line: the parts of its pattern, and logins or teams ("owner/team") without the @; may be none."""

    parts: tuple[str, ...]
    owners: tuple[str, ...]
    folder: bool = False
    """It ends in a slash: it means what lies in such a folder, and no file of that name."""


def parse_owners(text: str) -> tuple[OwnerRule, ...]:
    """The rules in the file's order. What GitHub does not understand (`!`, `[ ]`, `\\#`) it leaves out, as we do."""
    rules = []
    for line in text.split("\n")[: 4 * _MOST_RULES]:
        pattern, *rest = line.partition(" #")[0].replace("\\ ", "\0").split() or [""]
        if (
            not pattern
            or pattern[0] in "#!"
            or "[" in pattern
            or pattern.startswith("\\")
            or len(pattern) > 500
        ):
            continue
        pattern = pattern.replace("\0", " ")
        inner = pattern.strip("/")
        anchored = pattern.startswith("/") or "/" in inner
        parts = tuple(part for part in inner.split("/") if part)
        owners = tuple(found[1] for word in rest if (found := _OWNER.fullmatch(word)))
        if parts:
            parts = parts if anchored else ("**", *parts)
            rules.append(OwnerRule(parts, owners, pattern.endswith("/")))
    return tuple(rules[:_MOST_RULES])


def owners_of(path: str, rules: Sequence[OwnerRule]) -> tuple[str, ...]:
    """Who owns a file: the last rule that fits it says so."""
    parts = path.split("/")
    return next((rule.owners for rule in reversed(rules) if _fits(parts, rule)), ())


def _fits(path: Sequence[str], rule: OwnerRule) -> bool:
    """Does the rule mean the file, or a folder that it lies in?"""
    *folders, name = rule.parts
    # `docs/*` means what lies in docs itself, and nothing deeper.
    only_here = name == "*" and folders != ["**"] and not rule.folder
    if only_here:
        return _reach(path, rule.parts)[-1]
    return any(_reach(path, rule.parts)[1 : -1 if rule.folder else None])


def _reach(path: Sequence[str], pattern: Sequence[str]) -> list[bool]:
    """For each number of the path's first parts, whether the whole pattern takes just those; in time path × pattern."""
    reached = [True] + [False] * len(path)
    for part in pattern:
        if part == "**":
            first = reached.index(True) if True in reached else len(reached)
            reached = [at >= first for at in range(len(reached))]
        else:
            reached = [False] + [reached[at] and fnmatchcase(path[at], part) for at in range(len(path))]
    return reached

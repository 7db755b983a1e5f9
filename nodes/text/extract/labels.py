"""What a label that a person put on an issue says about its route."""

import re
from functools import lru_cache

from models.case import Route

_PREFIXES = {"type", "kind", "category", "cat", "issue", "t", "c", "tag"}
_NAMES: dict[str, Route] = {
    "bug": "bug",
    "bugs": "bug",
    "bug report": "bug",
    "confirmed bug": "bug",
    "bug confirmed": "bug",
    "defect": "bug",
    "crash": "bug",
    "regression": "bug",
    "error": "bug",
    "enhancement": "feature",
    "enhancements": "feature",
    "feature": "feature",
    "features": "feature",
    "feature request": "feature",
    "feature requests": "feature",
    "new feature": "feature",
    "improvement": "feature",
    "suggestion": "feature",
    "proposal": "feature",
    "wish": "feature",
    "wishlist": "feature",
    "docs": "docs",
    "doc": "docs",
    "documentation": "docs",
    "typo": "docs",
    "security": "security",
    "vulnerability": "security",
    "security vulnerability": "security",
    "security issue": "security",
    "cve": "security",
    "question": "needs_human",
    "questions": "needs_human",
    "support": "needs_human",
    "support request": "needs_human",
    "usage question": "needs_human",
    "discussion": "needs_human",
}
# Where several speak, the more particular one counts: "bug" with "documentation" is a slip in the docs.
_ORDER: tuple[Route, ...] = ("security", "docs", "bug", "feature", "needs_human")
_PRIORITY = re.compile(r"(?:priority|severity|urgency|prio)\b|p[0-4]$|s[0-4]$")
_EMOJI_NAME = re.compile(r":[a-z0-9_+-]{1,40}:")
_NOT_WORD = re.compile(r"[\W_]+")


@lru_cache(maxsize=4096)
def route_of_label(label: str) -> Route | None:
    """The route that a label names in one of its usual spellings ("type: bug", "kind/bug", "C-bug")."""
    words = _words(label)
    if words in _NAMES:
        return _NAMES[words]
    first, _, rest = words.partition(" ")
    return _NAMES.get(rest) if first in _PREFIXES else None


def route_of_labels(labels: tuple[str, ...]) -> tuple[Route, str] | None:
    """The route that a person's labels settle, and the label that did."""
    named = {route: label for label in reversed(labels) if (route := route_of_label(label))}
    return next(((route, named[route]) for route in _ORDER if route in named), None)


def is_priority(label: str) -> bool:
    """True for labels by which people rank issues."""
    return _PRIORITY.match(_words(label)) is not None


def _words(label: str) -> str:
    return _NOT_WORD.sub(" ", _EMOJI_NAME.sub(" ", label[:200].casefold())).strip()

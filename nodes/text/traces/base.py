"""What a reader of one language's stack traces is given and gives back."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from models.case import Frame


@dataclass(frozen=True, slots=True)
class Found:
    """One trace as its reader found it; frames come with the failing one first."""

    language: str
    exception: str
    message: str = ""
    frames: tuple[Frame, ...] = ()


Read = Callable[[list[str], int], tuple[Found | None, int]]
"""Reads the next trace at or after a line; gives it, and the line from which to look for another one."""


@dataclass(frozen=True)
class Reader:
    """One family of languages.

    `marks` are substrings of which one must occur in the whole text before `read` is tried.
    `library` tells foreign frames; it is searched in "file function".
    """

    marks: tuple[str, ...]
    read: Read
    library: re.Pattern[str]


def number(text: str | None) -> int | None:
    """A line number; None where there is none or it is no sensible one."""
    return int(text) if text and len(text) <= 7 else None

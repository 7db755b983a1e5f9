"""Regular expressions from people who may mean harm: no text makes them slow, and they make no text slow."""

from functools import lru_cache
from typing import Any

TEXT_LIMIT = 8_000
"""Characters of an issue that such an expression is tried on."""
SIZE_LIMIT = 2_000
"""Steps that all expressions of one repository may have together; `\\bcrash(es|ed)?\\b` has about 20."""
_MEMORY = 1 << 20


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Any:
    """The expression, without regard to case, `^` and `$` at every line; ValueError where RE2 refuses it.

    RE2 takes time in proportion to text times expression, whatever both are; in exchange it knows no look-around
    and no back-references. Python's own engine needs hours for `(a+)+$` and a line of forty letters.
    """
    import re2

    options = re2.Options()
    options.case_sensitive = False
    options.max_mem = _MEMORY
    options.log_errors = False
    try:
        return re2.compile(f"(?m){pattern}", options)  # type: ignore[no-untyped-call]
    except re2.error as error:
        words = error.args[0] if error.args else ""
        told = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
        raise ValueError(told.replace("(?m)", "", 1)) from None
    except UnicodeEncodeError:
        raise ValueError("not a text that can be encoded") from None


def size(pattern: str) -> int:
    """How many steps the expression has; ValueError where it is none."""
    return int(compiled(pattern).programsize)


def occurs(pattern: str, text: str) -> bool:
    """Is there a match in the text's beginning? No for what is no expression."""
    try:
        expression = compiled(pattern)
    except ValueError:
        return False
    return expression.search(text[:TEXT_LIMIT].encode("utf-8", "replace")) is not None

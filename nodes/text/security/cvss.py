"""CVSS vectors in a text: read by the cvss library, scored where they are right, said to be wrong where not."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from models.text.escape import one_line

_VECTOR = re.compile(
    r"(?<![\w:/])(?:CVSS:\d{1,2}\.\d{1,2}/[\w:/.-]{0,300}|AV:[A-Za-z]{0,3}/[\w:/.-]{1,300})", re.IGNORECASE
)
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Vector:
    """One vector as it stands in the text. Where `wrong` says why it is none, the rest is empty."""

    text: str
    wrong: str = ""
    version: str = ""
    score: float = 0.0
    """Base score, 0…10."""
    severity: str = ""
    """none, low, medium, high or critical."""


def vectors_in(text: str, limit: int = 5) -> tuple[Vector, ...]:
    """The first vectors of a text, each once."""
    found: dict[str, None] = {}
    for match in _VECTOR.finditer(text):
        found.setdefault(match[0].rstrip(".:-"))
        if len(found) >= limit:
            break
    return tuple(read_vector(vector) for vector in found)


def read_vector(text: str) -> Vector:
    """What a vector says, or what is wrong with it; nothing that is put in makes this fail."""
    # It takes 15 ms to import, and most texts have no vector.
    from cvss.cvss2 import CVSS2
    from cvss.cvss3 import CVSS3
    from cvss.cvss4 import CVSS4
    from cvss.exceptions import CVSSError

    if len(text) > _LONGEST:
        return Vector(text[:_LONGEST], wrong="too long")
    if text != text.upper().replace("AU:", "Au:"):
        return Vector(text, wrong="its letters are not capitals")
    prefix, _, rest = text.partition("/") if text.startswith("CVSS:") else ("", "", text)
    version = prefix.removeprefix("CVSS:") or "2.0"
    if version not in ("2.0", "3.0", "3.1", "4.0"):
        return Vector(text, wrong=f"there is no CVSS {version[:10]}")
    if not prefix and "/PR:" in text:
        return Vector(text, wrong="its version is missing")
    try:
        reads: Callable[[str], Any] = {"2.0": CVSS2, "4.0": CVSS4}.get(version, CVSS3)
        found = reads(rest if version == "2.0" else text)
        score, severity = float(found.base_score), str(found.severities()[0]).lower()
    except CVSSError as error:
        return Vector(text, wrong=_why(str(error)))
    except Exception:  # the library was written for vectors, this text was not
        return Vector(text, wrong="it cannot be read")
    return Vector(text, version=version, score=score, severity=severity)


def _why(words: str) -> str:
    """The library's reason, short: without the vector, without its own name for it."""
    words = re.sub(r"^Malformed CVSS\d? vector,? ?", "", words.replace('"', ""))
    words = re.sub(r"^Malformed CVSS\d? field", "malformed part", words)
    words = words.replace("Missing mandatory metrics ", "missing ")
    return one_line(words[:1].lower() + words[1:], 80) or "it cannot be read"

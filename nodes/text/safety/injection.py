"""Finds signs that a text talks to a language model, or hides something from people, instead of reporting."""

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

import re2

from models.text.escape import calm, clean, one_line
from nodes.text.safety.injection_signs import SIGNS

HEAD, TAIL = 45_000, 15_000
"""Of a longer text the beginning and the end are looked at."""
BLOBS = 30
"""Encoded passages that are opened, at most."""
QUOTED = 80


def _one_of(texts: Iterable[str]) -> Any:
    """Finds the longest of many texts, ten times as fast as looking for one after the other."""
    options = re2.Options()
    options.longest_match = True
    options.max_mem = 1 << 24
    return re2.compile("|".join(map(re2.escape, sorted(texts))).encode(), options)  # type: ignore[no-untyped-call]


_EMPHASIS = str.maketrans("", "", "*`~\"'“”‘’")
_HINTS = _one_of({hint for sign in SIGNS for hint in sign.hints})
_SIGNS_OF: dict[bytes, tuple[int, ...]] = {
    longest.encode(): tuple(
        number for number, sign in enumerate(SIGNS) if any(longest.startswith(hint) for hint in sign.hints)
    )
    for longest in {hint for sign in SIGNS for hint in sign.hints}
}
"""By hint the signs whose own it is, or whose own it begins with: the longest of several is what is found."""
_APART = re2.compile(rb"(?:^| )(?:\w ){7}\w")  # type: ignore[no-untyped-call]
_TAGS = re.compile("[\U000e0020-\U000e007f]+")
_FLAG = "\U0001f3f4"
_UNSEEN = re.compile("[\u200b-\u200d\u2060-\u2064\u180e\ufeff]{6,}|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,}")
_OVERRIDE = re.compile("[\u202d\u202e](?=[^\u202c\n]{3})")
_MIXED = re.compile("[a-z][а-яіјѕԁα-ω]|[а-яіјѕԁα-ω][a-z]")
_ALIKE = str.maketrans("аеорсухіјѕԁκνοιτυχαε", "aeopcyxijsdkvoituxae")
_SPACED = re.compile(r"(?<!\S)(?:\w ){7,200}\w(?!\S)")
_BLOB = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{24,4000}={0,2}(?![\w+/=])")
_INVISIBLE_STYLE = re.compile(
    r"<(\w{1,10})\s[^<>]{0,200}?(?:(?<!-)color\s{0,3}[:=]\s{0,3}[\"']?(?:white\b|#fff(?:fff)?\b|transparent\b)"
    r"|font-size\s{0,3}:\s{0,3}[01](?:px|pt|em)?[;\"']|display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden"
    r"|opacity\s{0,3}:\s{0,3}0[;\"'])[^<>]{0,200}>([^<>]{20,600})<",
    re.IGNORECASE,
)
_INVISIBLE_TEX = re.compile(
    r"\\(?:color|textcolor)\{(?:white|transparent)\}[\s{]{0,4}(?:\\text\{)?([^{}$]{20,600})|\\h?phantom\{([^{}$]{20,600})\}"
)
_WORDS = re.compile(r"[^\W\d_]{2,30}")


def suspicions(title: str, body: str) -> tuple[str, ...]:
    """What makes title and body look like words to a language model, as sentences; empty for nearly every issue.

    Takes linear time. A sentence quotes at most a few words, as plain text without mentions.
    """
    raw = f"{title}\n\n{_window(body)}"
    found = [*_hidden(raw), *_faint(raw)]
    shown, comments = split_comments(clean(raw) if not raw.isascii() else raw)
    found += _signs(shown)
    if comments:
        found += [f"an HTML comment: {told}" for told in _signs("> " + " > ".join(comments))]
    found += [f"an encoded passage: {told}" for text in _decoded(raw) for told in _signs(text)]
    return tuple(dict.fromkeys(found))[:6]


def split_comments(text: str) -> tuple[str, list[str]]:
    """A text without its HTML comments, and what these say; one that is never closed goes to the end."""
    kept: list[str] = []
    comments: list[str] = []
    at = 0
    while (start := text.find("<!--", at)) >= 0:
        kept.append(text[at:start])
        end = text.find("-->", start + 4)
        if end < 0:
            return "".join(kept), [*comments, text[start + 4 :]]
        comments.append(text[start + 4 : end])
        at = end + 3
    return "".join((*kept, text[at:])), comments


def _window(body: str) -> str:
    return body if len(body) <= HEAD + TAIL else f"{body[:HEAD]}\n{body[-TAIL:]}"


def _signs(text: str) -> list[str]:
    """Sentences on what the text says."""
    flat = _flat(text)
    if not flat.isascii() and _MIXED.search(flat):
        return _spoken(flat) or _spoken(flat.translate(_ALIKE))
    return _spoken(flat)


def _flat(text: str) -> str:
    low = text.lower()
    if not low.isascii():
        low = unicodedata.normalize("NFKC", low)
    flat = " ".join(low.replace("\n\n", " . ").translate(_EMPHASIS).split())
    if "_" in flat:
        flat = flat.replace("__", "").replace(" _", " ").replace("_ ", " ")
    if _APART.search(flat.encode("utf-8", "replace")):
        for spaced in _SPACED.findall(flat[:20_000])[:5]:
            flat += f" . {spaced.replace(' ', '')}"
    return f" {flat}"


def _spoken(flat: str) -> list[str]:
    told = []
    for number, places in sorted(_places(flat).items()):
        sign = SIGNS[number]
        for start, end in _windows(places, len(flat)):
            if match := sign.pattern.search(flat, start, end):
                words = calm(one_line(match[0].strip(" .:;>([#-"), QUOTED))
                told.append(f"{sign.told} (“{words}”)")
                break
    return told


def _places(flat: str) -> dict[int, list[int]]:
    """By sign (its place in SIGNS) where its hints stand in the text."""
    data = flat.encode("utf-8", "replace")
    found: dict[int, list[int]] = {}
    at = last = place = 0
    while match := _HINTS.search(data, at):
        at = match.start() + 1
        place += len(data[last : at - 1].decode("utf-8", "ignore"))
        last = at - 1
        for number in _SIGNS_OF[match.group()]:
            found.setdefault(number, []).append(place)
    return found


def _windows(places: list[int], length: int) -> Iterator[tuple[int, int]]:
    """Stretches of the text around these places; all of it where they are many."""
    if len(places) > 40:
        yield 0, length
        return
    last = -1
    for place in places:
        if place + 160 > last + 80:
            yield max(0, place - 200), place + 240
            last = place + 160


def _hidden(text: str) -> Iterator[str]:
    """Characters that nobody sees."""
    if text.isascii():
        return
    for run in _TAGS.finditer(text):
        # A flag of a region is a black flag with a few tags behind it.
        if len(run[0]) > 7 or text[run.start() - 1 : run.start()] != _FLAG:
            spelled = "".join(chr(ord(char) - 0xE0000) for char in run[0])
            yield f"invisible characters spell “{calm(one_line(spelled, QUOTED))}”"
            break
    if _UNSEEN.search(text):
        yield "invisible characters in a row, which can hide text"
    if _OVERRIDE.search(text):
        yield "characters that turn the direction of writing, so that it reads differently from what it is"


def _faint(text: str) -> Iterator[str]:
    """Text that is made invisible by its colour or size."""
    patterns = []
    if "<" in text and ("style" in text or "color" in text):
        patterns.append(_INVISIBLE_STYLE)
    if "\\color" in text or "phantom" in text or "\\textcolor" in text:
        patterns.append(_INVISIBLE_TEX)
    for pattern in patterns:
        for match in pattern.finditer(text):
            words = match[match.lastindex or 0]
            if len(_WORDS.findall(words)) >= 4:
                yield f"text that nobody sees (“{calm(one_line(clean(words), QUOTED))}”)"
                return


def _decoded(text: str) -> Iterator[str]:
    """Encoded passages that turn out to be text."""
    for number, match in enumerate(_BLOB.finditer(text)):
        if number >= BLOBS:
            return
        blob = match[0].rstrip("=").translate({45: 43, 95: 47})
        try:
            data = base64.b64decode(blob[: len(blob) // 4 * 4])
            plain = data.decode("utf-8", "ignore")
        except (binascii.Error, ValueError):
            continue
        if len(plain) >= 16 and " " in plain and plain[: len(plain) - 2].isprintable():
            yield plain

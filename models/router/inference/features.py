"""Turns issue texts into hashed, weighted features: five views of their words and 93 signs.

Only numpy is needed here, so a worker process does not pay for scikit-learn. One dictionary look-up
per word gives its hash; pairs of words, counts and weights are then arithmetic on whole batches.
"""

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.router.inference import lexicon
from models.router.inference.signs import SIGNS as SIGNS
from models.router.inference.signs import Found, all_signs, own_signs
from models.router.inference.text import Text

FEATURE_VERSION = 2
"""Raised by hand whenever the same text gives other features; a model knows the one it was trained with."""

MAX_TITLE = 1_000
MAX_BODY = 8_000
"""Characters that are looked at; what an issue is about is said before them, and a 1 MB log costs no more."""

HEAD = 400
"""Characters of the body that, with the title, make the view of the beginning."""
LETTERS = 800
"""Characters of title and body whose groups of four letters are a view: word stems, and misspelt words."""


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at a text: its columns, and the length that its vector is scaled to."""

    name: str
    bits: int
    start: int
    weight: float

    @property
    def end(self) -> int:
        return self.start + (1 << self.bits)


TEXT = View("text", 16, 0, 1.0)
MEANING = View("meaning", 16, TEXT.end, 0.7)
TITLE = View("title", 15, MEANING.end, 0.7)
BEGINNING = View("beginning", 15, TITLE.end, 0.7)
GROUPS = View("letters", 15, BEGINNING.end, 0.7)
VIEWS = (TEXT, MEANING, TITLE, BEGINNING, GROUPS)
SIGNS_START = GROUPS.end
SIGN_WEIGHT = 0.5

SIZE = SIGNS_START + len(SIGNS)
"""Number of columns of the feature space."""

_WORD = re.compile(r"\w\w+")
_FENCE = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)", re.S)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
_TRACE = re.compile(
    r"traceback \(most recent|^\s*at [\w$.<>/]+ ?\(|^\s*file \"[^\"\n]+\", line \d|panicked at"
    r"|exception in thread|caused by: |stack ?trace|goroutine \d+ \[|segmentation fault|core dumped",
    re.M,
)
_INLINE = re.compile(r"`[^`\n]+`")
_IMAGE = re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)|<img\b[^>]*>")
_LINK = re.compile(r"https?://[^\s)>\]]+")
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+([^\n]*)$|^\*\*([^*\n]{2,60})\*\*:?[ \t]*$", re.M)
_CHECK_ON = re.compile(r"^\s*[-*+] \[x\]", re.M)
_CHECK_OFF = re.compile(r"^\s*[-*+] \[ \]", re.M)
_VERSION = re.compile(r"\bv?\d+\.\d+(?:\.\d+)*(?:[-+.]?\w+)?")
_HEX = re.compile(r"\b0x[0-9a-f]+\b|\b(?=[a-f]*\d)[0-9a-f]{7,40}\b")
_REF = re.compile(r"#\d+\b")
_NUMBER = re.compile(r"\b\d+\b")


@dataclass(frozen=True, slots=True)
class Features:
    """A batch as compressed sparse rows: row i has columns and values [indptr[i]:indptr[i+1]]."""

    indptr: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: NDArray[np.float32]

    @property
    def rows(self) -> int:
        return len(self.indptr) - 1


class _Hashes(dict[str, int]):
    """Word to 32-bit hash; forgets everything when it has grown to `limit` words, so memory stays bounded."""

    limit = 200_000

    def __missing__(self, word: str) -> int:
        if len(self) >= self.limit:
            self.clear()
        value = zlib.crc32(word.encode("utf-8", "surrogatepass"))
        self[word] = value
        return value


_hashes = _Hashes()


@dataclass(frozen=True, slots=True)
class Prepared:
    """One text cut into the words of its views, and the structural signs read off the text."""

    raw: list[str]
    clean: list[str]
    title: list[str]
    head: list[str]
    letters: str
    signs: tuple[float, ...]


def prepare(text: Text) -> Prepared:
    """Cut one text into words; the only per-issue work in Python."""
    title = _plain(text.title, MAX_TITLE)
    body = _plain(text.body, MAX_BODY)
    title_words = _WORD.findall(title)
    raw = title_words + _WORD.findall(body)
    cleaned, found = _clean(body)
    title_clean = _NUMBER.sub(" NUM ", _VERSION.sub(" VERSION ", title)) if _has_digit(title) else title
    clean = _WORD.findall(title_clean)
    clean += _WORD.findall(cleaned)
    signs = own_signs(title, body, title_words, found)
    head = title_words + _WORD.findall(body[:HEAD])
    letters = " ".join(f"{title} {body[: 2 * LETTERS]}".split())[:LETTERS]
    return Prepared(raw, clean, title_words, head, f" {letters} ", signs)


def _plain(text: str, limit: int) -> str:
    """Lower case with plain line ends, so that a text is the same from a CSV, from GitHub and from a file."""
    text = text[: 4 * limit].strip()
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text[:limit].rstrip().replace("\x00", " ").lower()


def _has_digit(text: str) -> bool:
    return any(c in text for c in "0123456789")


def _clean(body: str) -> tuple[str, Found]:
    """The body with code, links and numbers turned into tokens, and how many of each there were."""
    fences = images = links = checks = headings = code = 0
    trace = int(_TRACE.search(body) is not None)
    if "```" in body or "~~~" in body:
        before = len(body)
        body, fences = _FENCE.subn(_fence_token, body)
        code = max(0, before - len(body))
    if "<!--" in body:
        body = _COMMENT.sub(" ", body)
    if "`" in body:
        body = _INLINE.sub(" INLINE ", body)
    if "![" in body or "<img" in body:
        body, images = _IMAGE.subn(" IMAGE ", body)
    if "://" in body:
        body, links = _LINK.subn(_link_token, body)
    if "[x]" in body:
        body, checks = _CHECK_ON.subn(" CHECKED ", body)
    if "[ ]" in body:
        body, off = _CHECK_OFF.subn(" UNCHECKED ", body)
        checks += off
    if "#" in body or "**" in body:
        body, headings = _HEADING.subn(_heading_token, body)
    body = _VERSION.sub(" VERSION ", body)
    body = _HEX.sub(" HEX ", body)
    if "#" in body:
        body = _REF.sub(" REF ", body)
    body = _NUMBER.sub(" NUM ", body)
    return body, Found(fences, images, links, checks, headings, trace, code)


def _fence_token(match: re.Match[str]) -> str:
    return " HASCODE HASTRACE " if _TRACE.search(match[0]) else " HASCODE "


def _link_token(match: re.Match[str]) -> str:
    return " DOCLINK " if "doc" in match[0] or "readme" in match[0] else " LINK "


def _heading_token(match: re.Match[str]) -> str:
    words = _WORD.findall(match[1] or match[2] or "")[:6]
    return f"\n{lexicon.heading_token(words)} {' '.join(words)}\n" if words else "\n"


Hashed = tuple[NDArray[np.uint64], NDArray[np.int64]]


def look_up(lists: Sequence[list[str]]) -> Hashed:
    """Hashes of all words of all texts one after another, and the number of words of each text."""
    lengths = np.fromiter(map(len, lists), dtype=np.int64, count=len(lists))
    flat: Iterable[int] = (h for words in lists for h in map(_hashes.__getitem__, words))
    return np.fromiter(flat, dtype=np.uint64, count=int(lengths.sum())), lengths


def hashes(words: Sequence[str]) -> NDArray[np.uint64]:
    """Hashes of the words of one list."""
    return np.fromiter(map(_hashes.__getitem__, words), dtype=np.uint64, count=len(words))


_MIX1 = np.uint64(0x9E3779B97F4A7C15)
_MIX2 = np.uint64(0xC2B2AE3D27D4EB4F)
_MIX3 = np.uint64(0x165667B19E3779F9)
_MIX4 = np.uint64(0x27D4EB2F165667C5)
_SHIFT = np.uint64(29)


def single_columns(hashes: NDArray[np.uint64], view: View) -> NDArray[np.int64]:
    """Columns of single words within a view, counted from its start."""
    mixed = (hashes + np.uint64(view.start + 1)) * _MIX1
    return np.asarray(mixed >> np.uint64(64 - view.bits), dtype=np.int64)


def pair_columns(hashes: NDArray[np.uint64], view: View) -> NDArray[np.int64]:
    """Columns of each word with the one after it; one fewer than there are words."""
    mixed = (hashes[:-1] + np.uint64(view.start + 1)) * _MIX2 + hashes[1:] * _MIX3
    mixed = (mixed ^ (mixed >> _SHIFT)) * _MIX1
    return np.asarray(mixed >> np.uint64(64 - view.bits), dtype=np.int64)


Part = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]
"""Rows, columns and values."""


def _words(hashes: NDArray[np.uint64], lengths: NDArray[np.int64], view: View) -> Part:
    """Damped counts (1 + ln n) of every word and pair of one view."""
    rows = np.repeat(np.arange(len(lengths)), lengths)
    keys = (rows << view.bits) | single_columns(hashes, view)
    if len(hashes) > 1:
        within = rows[1:] == rows[:-1]
        pairs = ((rows[:-1] << view.bits) | pair_columns(hashes, view))[within]
        keys = np.concatenate((keys, pairs))
    return _count(keys, view)


def _letters(texts: Sequence[str], view: View) -> Part:
    """Damped counts of every four letters in a row."""
    points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
    rows = np.repeat(np.arange(len(texts)), np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)))
    if len(points) < 4:
        return _count(np.zeros(0, dtype=np.int64), view)
    mixed = points[:-3] * _MIX1 + points[1:-2] * _MIX2 + points[2:-1] * _MIX3 + points[3:] * _MIX4
    mixed = (mixed ^ (mixed >> _SHIFT)) * _MIX1
    columns = (mixed >> np.uint64(64 - view.bits)).astype(np.int64)
    keys = ((rows[:-3] << view.bits) | columns)[rows[3:] == rows[:-3]]
    return _count(keys, view)


def _count(keys: NDArray[np.int64], view: View) -> Part:
    """Row, column and damped count of each different key, in order; a key is a row and a column."""
    keys.sort()
    first = np.ones(len(keys), dtype=bool)
    first[1:] = keys[1:] != keys[:-1]
    starts = np.flatnonzero(first)
    counts = np.diff(np.append(starts, len(keys)))
    unique = keys[starts]
    values = (1.0 + np.log(counts)).astype(np.float32)
    return unique >> view.bits, (unique & ((1 << view.bits) - 1)) + view.start, values


def counts(texts: Sequence[Text]) -> Features:
    """Damped counts per view and the structural signs, not yet weighted by rarity; see `weigh`."""
    prepared = [prepare(text) for text in texts]
    return counts_of(prepared, look_up([p.raw for p in prepared]))


def counts_of(prepared: Sequence[Prepared], raw: Hashed) -> Features:
    """The same of texts that were cut into words already, and whose `raw` words were looked up."""
    title = look_up([p.title for p in prepared])
    clean = look_up([p.clean for p in prepared])
    head = look_up([p.head for p in prepared])
    signs = all_signs([p.signs for p in prepared], raw, title, head, clean)
    row, column = np.nonzero(signs)
    parts = (
        _words(*raw, TEXT),
        _words(*clean, MEANING),
        _words(*title, TITLE),
        _words(*head, BEGINNING),
        _letters([p.letters for p in prepared], GROUPS),
        (row, column + SIGNS_START, signs[row, column]),
    )
    rows = np.concatenate([p[0] for p in parts])
    order = np.argsort(rows, kind="stable")
    indptr = np.zeros(len(prepared) + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows, minlength=len(prepared)), out=indptr[1:])
    return Features(
        indptr, np.concatenate([p[1] for p in parts])[order], np.concatenate([p[2] for p in parts])[order]
    )


_ends = np.array([v.end for v in VIEWS])


def weigh(features: Features, idf: NDArray[np.float32]) -> Features:
    """Multiply by rarity, scale every view of every text to its weight, and the signs to theirs."""
    rows = np.repeat(np.arange(features.rows), np.diff(features.indptr))
    columns = features.columns
    values = features.values * idf[columns]
    number = len(VIEWS) + 1
    view = np.searchsorted(_ends, columns, side="right")
    key = rows * number + view
    norm = np.sqrt(np.bincount(key, weights=values * values, minlength=features.rows * number))
    factor = np.array([*(v.weight for v in VIEWS), SIGN_WEIGHT])
    scale = np.tile(factor, features.rows) / np.maximum(norm, 1e-9)
    scale[number - 1 :: number] = SIGN_WEIGHT
    return Features(features.indptr, columns, (values * scale[key]).astype(np.float32))


def rarity(features: Features) -> NDArray[np.float32]:
    """Smoothed inverse document frequency of every column, as scikit-learn's; 1 for the structural signs."""
    seen = np.bincount(features.columns, minlength=SIZE)
    idf = np.log((1 + features.rows) / (1 + seen)) + 1
    idf[SIGNS_START:] = 1.0
    return idf.astype(np.float32)

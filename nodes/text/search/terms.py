"""The words that tell what an issue is about, as numbers with counts: what the index of similar ones compares."""

import re
import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping

from models.issue import title_key
from models.text.words import words

HEAD, TAIL = 6_000, 1_500
"""Characters of a body that are read: an error's name may stand at the end of its log."""
MOST = 110
"""Words kept of one text; the title's first, then in the order in which they occur."""
IN_TITLE = 128
"""Added to the count of a word that stands in the title; counts go to 127."""

_WORD = re.compile(r"[^\W_]{2,40}")
_ADDRESS = re.compile(r"https?://\S{1,300}")
_WIDE = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
"""Scripts that put no spaces between words: two letters in a row stand for one."""
_COMMON = words(
    "about after all also am an and any anything are as at be because been before being both but by",
    "can cannot could did didn do does doesn doing don done each else etc even every few for from get",
    "gets getting give go goes going got had has have having he hello help her here hi him his how",
    "however if in instead into is isn it its just know let like ll look looks made make makes many",
    "may maybe me might more most much must my need needs new no not now of off ok on once one only",
    "or other our out over own people per please possible re really same see seems she should since",
    "so some someone something still such sure take tell than thank thanks that the their them then",
    "there these they thing things think this those through to too tried try trying two under until",
    "up us use used using ve very via want wanted was wasn way we well were what when where whether",
    "which while who why will with within without won work working works would yes yet you your",
)
_HEX = frozenset("0123456789abcdefx")
_cache: dict[str, int] = {}
_CACHED = 200_000


def count_words(title: str, body: str) -> dict[int, int]:
    """Counts by the word's number, 32 bits, with IN_TITLE where it is; bounded, whatever the text is."""
    spoken = _without_comments(body if len(body) <= HEAD + TAIL else f"{body[:HEAD]}\n{body[-TAIL:]}")
    if "://" in spoken:
        spoken = _ADDRESS.sub(" ", spoken)
    found: dict[int, int] = {}
    for word in _split(title[:500]):
        named = _cache.get(word) or _remember(word)
        if named and len(found) < MOST:
            found[named] = IN_TITLE + 1
    for word, count in Counter(_split(spoken)).items():
        number = _cache.get(word)
        if number is None:
            number = _remember(word)
        if not number:
            continue
        before = found.get(number, 0)
        if before or len(found) < MOST:
            found[number] = before & IN_TITLE | min((before & 127) + count, 127)
    return found


def marks(title: str, fingerprint: str) -> tuple[int, ...]:
    """Numbers that two texts share only for the same title, or the same stack trace."""
    key = title_key(title)
    names = [f"title {key}"] if key else []
    # Two numbers, because one alone may be met by chance among all the words.
    if fingerprint:
        names += [f"trace {fingerprint}", f"same trace {fingerprint}"]
    return tuple(_number(name) for name in names)


def pack(counts: Mapping[int, int], signs: Iterable[int] = ()) -> bytes:
    """Numbers in ascending order, four bytes each, then their counts, one byte each; a mark's count is 0."""
    both = {**dict.fromkeys(signs, 0), **counts}
    numbers = sorted(both)
    return struct.pack(f"<{len(numbers)}I", *numbers) + bytes([both[number] for number in numbers])


def spell(title: str, body: str, numbers: Iterable[int]) -> dict[int, str]:
    """Some of a text's numbers as the words that they stand for."""
    wanted, found = set(numbers), {}
    for word in (*_split(title[:500]), *_split(body[:HEAD]), *_split(body[-TAIL:])):
        number = _cache.get(word)
        if number in wanted and number not in found:
            found[number] = word
            if len(found) == len(wanted):
                break
    return found


def stem(word: str) -> str:
    """An English word in lower case without the endings of number and time, roughly."""
    if len(word) < 4 or not word.isascii():
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes", "zes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            if word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def is_common(word: str) -> bool:
    """Does the word, in lower case, stand in nearly any text?"""
    return word in _COMMON


def _split(text: str) -> list[str]:
    plain = _WORD.findall(text.lower())
    if text.isascii() or not _WIDE.search(text):
        return plain
    found: list[str] = []
    for word in plain:
        if _WIDE.search(word):
            found += [word[at : at + 2] for at in range(len(word) - 1)]
        else:
            found.append(word)
    return found


def _remember(word: str) -> int:
    """The word's number; 0 for one that tells nothing: common words, bare numbers, keys and hashes."""
    digits = sum(letter.isdigit() for letter in word)
    is_address = word[0].isdigit() and _HEX.issuperset(word)
    tells = word not in _COMMON and not is_address and (digits < 4 or len(word) < 12)
    if len(_cache) > _CACHED:
        _cache.clear()
    number = _cache[word] = _number(stem(word)) if tells else 0
    return number


def _number(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "replace")) or 1


def _without_comments(text: str) -> str:
    """Without what a form says to its reporters in HTML comments."""
    at = text.find("<!--")
    if at < 0:
        return text
    kept, start = [], 0
    while at >= 0:
        kept.append(text[start:at])
        end = text.find("-->", at + 4)
        if end < 0:
            return " ".join(kept)
        start = end + 3
        at = text.find("<!--", start)
    kept.append(text[start:])
    return " ".join(kept)

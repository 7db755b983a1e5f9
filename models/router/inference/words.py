"""Says what mattered in a text in that text's own words; the model itself holds none, only hashes.

Of each text only the strongest columns are looked at. The words that stand in them are found again by
their hashes, and the effect of a word is the sum of its columns in all views.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from models.router.inference import features, lexicon
from models.router.inference.features import (
    BEGINNING,
    GROUPS,
    MEANING,
    SIGNS_START,
    SIZE,
    TEXT,
    TITLE,
    Features,
    Hashed,
    Prepared,
)

STRONGEST = 12
"""Columns that are looked at in each direction; joining the views makes about half as many reasons of them."""
ENOUGH = 2
"""Reasons in each direction that there should be, even if only weak ones are left."""
FAINT = 0.02
"""What has less than this share of the strongest reason's weight is none."""

_TOKENS = {
    "HASCODE": "a code block",
    "HASTRACE": "a stack trace",
    "INLINE": "inline code",
    "IMAGE": "an image",
    "LINK": "a link",
    "DOCLINK": "a link to documentation",
    "CHECKED": "a ticked box",
    "UNCHECKED": "an empty box",
    "VERSION": "a version number",
    "HEX": "a hexadecimal number",
    "REF": "a reference to an issue",
    "NUM": "a number",
}
_SIGNS = {
    "length of the title": "the length of the title",
    "length of the body": "the length of the body",
    "code blocks": "a code block",
    "images": "an image",
    "links": "a link",
    "check boxes": "boxes to tick",
    "number of words in the title": "the length of the title",
    "share of code": "how much of it is code",
    **{
        name: f"how much of it is {name.removeprefix('share of ')}"
        for name in features.SIGNS
        if name.startswith("share of ") and name != "share of code"
    },
}
"""Plain words for signs whose own names are none."""
_FIXED = {
    **{SIGNS_START + number: (_SIGNS.get(name, name), "") for number, name in enumerate(features.SIGNS)},
    **{
        MEANING.start + column: (name, token)
        for column, (token, name) in zip(
            features.single_columns(features.hashes(list(_TOKENS)), MEANING).tolist(),
            _TOKENS.items(),
            strict=True,
        )
    },
}
"""Columns that mean the same in every text, with the token that must stand in the cleaned text."""
_ONE = {"a wish": "wishes", "a fault": "faults"}


def _group_of(sign: str) -> str | None:
    """The group of words that a sign counts in a part of the text; None for other signs."""
    group, found, place = sign.partition(" in the ")
    group = _ONE.get(group, group)
    return (
        group if found and place in ("title", "beginning", "body") and group in lexicon.WORD_GROUPS else None
    )


_COUNTED = {
    name: (lexicon.words_of(group), name.endswith("title"))
    for name in features.SIGNS
    if (group := _group_of(name)) is not None
}
"""Signs that count words of a group: the words, and whether those of the title."""
_WEAK = {"the length of the title", "the length of the body", "a number", "a hexadecimal number"}
_STOP = set(
    """
    about after all also am an and any are as at be because been before being but by can did do does for from
    get gets getting got had has have having he her here his if in into is it its just me more most my of off
    on once one only or other our out over own same she so some such than that the their them then there these
    they this those through to too under until up very was we were what which while who will with within you
    your http https www com
    """.split()  # noqa: SIM905 (a list of hundred strings is harder to read)
)
"""Words that say nothing on their own."""
_CUT = {
    word.removesuffix("'t"): word
    for word in ("couldn't", "didn't", "doesn't", "don't", "hasn't", "haven't", "isn't", "shouldn't", "won't")
}
"""Words that an apostrophe cut off."""
_NAMELESS = re.compile(r"\d|\w{33}|\b_+\b")
"""Numbers, keys and passwords: no reasons that people could use, and not to be repeated anywhere."""

_MARK_BITS = 18
_MIX = np.uint64(0x9E3779B97F4A7C15)

Keys = NDArray[np.int64]
"""A text's number in its batch times SIZE, plus a column."""
Reason = tuple[str, float]
"""What stands in the text, in plain words, and what it added to the score; below 0 it took from it."""
Words = tuple[str, ...]
"""One word, or two that follow each other."""


def reasons(
    prepared: Sequence[Prepared],
    hashed: Hashed,
    weighed: Features,
    effects: NDArray[np.float32],
    limit: int,
) -> list[tuple[Reason, ...]]:
    """Of each text up to `limit` reasons for and as many against, the strongest first.

    `hashed` belongs to the words as they were written; `effects` holds what each value of `weighed`
    added to the score. Groups of letters have no name.
    """
    keys = np.repeat(np.arange(weighed.rows) * SIZE, np.diff(weighed.indptr)) + weighed.columns
    letters = (weighed.columns >= GROUPS.start) & (weighed.columns < GROUPS.end)
    strongest = keys[_strongest(weighed.indptr, np.where(letters, np.float32(0), effects))]
    found: list[dict[str | tuple[Words, bool], float]] = [{} for _ in prepared]

    values = effects[np.searchsorted(keys, strongest)].tolist()
    for key, weight in zip(strongest.tolist(), values, strict=True):
        fixed = _FIXED.get(key % SIZE)
        if fixed and (not fixed[1] or fixed[1] in prepared[key // SIZE].clean):
            # A sign and a token may say the same.
            named = found[key // SIZE]
            named[fixed[0]] = named.get(fixed[0], 0.0) + weight
    candidates = _candidates(prepared, hashed, strongest)
    for (row, words), weight, titled in zip(candidates, *_sums(candidates, keys, effects), strict=True):
        found[row][words, titled] = weight
    return [_chosen(named, text, limit) for named, text in zip(found, prepared, strict=True)]


def _strongest(indptr: NDArray[np.int64], effects: NDArray[np.float32]) -> NDArray[np.int64]:
    """Where the STRONGEST effects of each text in each direction are."""
    found = []
    for first, last in zip(indptr[:-1].tolist(), indptr[1:].tolist(), strict=True):
        size = last - first
        if size > 2 * STRONGEST:
            order = effects[first:last].argpartition((STRONGEST, size - STRONGEST))
            found += [order[:STRONGEST] + first, order[size - STRONGEST :] + first]
        else:
            found.append(np.arange(first, last))
    return np.concatenate(found)


def _candidates(prepared: Sequence[Prepared], hashed: Hashed, wanted: Keys) -> list[tuple[int, Words]]:
    """The words that stand in the wanted columns, each with its text's number.

    The words of all views are looked for among those of title and body as they were written.
    """
    flat = list(chain.from_iterable(p.raw for p in prepared))
    if not flat:
        return []
    wanted = np.sort(wanted)
    # Few places of a text are wanted ones: a table of bits passes over nearly all others at once.
    marks = np.zeros(1 << _MARK_BITS, dtype=bool)
    marks[_slots(wanted)] = True
    hashes, lengths = hashed
    rows = np.repeat(np.arange(len(prepared)), lengths)
    apart = rows[1:] != rows[:-1]
    found: dict[tuple[int, Words], None] = {}
    for view in (TEXT, MEANING, TITLE, BEGINNING):
        keys = rows * SIZE + (view.start + features.single_columns(hashes, view))
        hits = _hits(keys, wanted, marks)
        for row, at in zip(rows[hits].tolist(), hits.tolist(), strict=True):
            found[row, (flat[at],)] = None
        keys = rows[1:] * SIZE + (view.start + features.pair_columns(hashes, view))
        keys[apart] = -1
        hits = _hits(keys, wanted, marks)
        for row, at in zip(rows[hits].tolist(), hits.tolist(), strict=True):
            found[row, (flat[at], flat[at + 1])] = None
    return list(found)


def _slots(keys: Keys) -> NDArray[np.uint64]:
    return (keys.view(np.uint64) * _MIX) >> np.uint64(64 - _MARK_BITS)


def _hits(keys: Keys, wanted: Keys, marks: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Where each of the sorted wanted keys stands first, if anywhere."""
    places = np.flatnonzero(marks[_slots(keys)])[::-1]
    which = np.minimum(np.searchsorted(wanted, keys[places]), len(wanted) - 1)
    same = wanted[which] == keys[places]
    first = np.full(len(wanted), -1)
    first[which[same]] = places[same]
    return first[first >= 0]


def _sums(
    candidates: Sequence[tuple[int, Words]], keys: Keys, effects: NDArray[np.float32]
) -> tuple[list[float], list[bool]]:
    """The effect of each candidate over all views, and whether it stands in the title."""
    if not candidates:
        return [], []
    starts = np.array([row for row, _ in candidates]) * SIZE
    alone = np.array([len(words) == 1 for _, words in candidates])
    hashes = features.hashes([word for _, words in candidates for word in (words[0], words[-1])])
    weights, titled = np.zeros(len(candidates)), np.zeros(len(candidates), dtype=bool)
    for view in (TEXT, MEANING, TITLE, BEGINNING):
        single = features.single_columns(hashes[::2], view)
        pair = features.pair_columns(hashes, view)[::2]
        wanted = starts + view.start + np.where(alone, single, pair)
        where = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        there = keys[where] == wanted
        weights += np.where(there, effects[where], 0.0)
        if view is TITLE:
            titled = there
    return weights.tolist(), titled.tolist()


def _sign(name: str, text: Prepared) -> tuple[str, list[str]]:
    """A sign in plain words, and what it says; nothing where people could not use it."""
    if name not in _COUNTED:
        return name, [] if name in _WEAK else [name]
    group, titled = _COUNTED[name]
    spoken = group.intersection(text.title if titled else text.raw[len(text.title) :])
    shown = sorted(word for word in spoken if not _NAMELESS.search(word))[:2]
    return f"{name} ({', '.join(f'“{word}”' for word in shown)})" if shown else name, shown or [name]


def _chosen(
    found: Mapping[str | tuple[Words, bool], float], text: Prepared, limit: int
) -> tuple[Reason, ...]:
    """The strongest in both directions, together by strength; weak ones only where ENOUGH are wanting.

    One whose words were all shown by stronger ones says nothing new and is left out.
    """
    kept: dict[int, Reason] = {}
    spare: list[tuple[int, Reason]] = []
    shown: tuple[set[str], set[str]] = (set(), set())
    counts = [0, 0]
    ranked = sorted(found.items(), key=lambda item: -abs(item[1]))
    for rank, (key, weight) in enumerate(ranked):
        side = weight > 0
        if abs(weight) < max(FAINT * abs(ranked[0][1]), 5e-5):
            break
        if counts[side] >= limit:
            continue
        if isinstance(key, str):
            name, content = _sign(key, text)
        else:
            words, titled = key
            plain = " ".join([_CUT.get(word, word) for word in words])
            name = f"“{plain}” in the title" if titled else f"“{plain}”"
            if _NAMELESS.search(name):
                continue
            content = [word for word in words if word not in _STOP]
        reason = name, round(weight, 4)
        if not content:
            spare.append((rank, reason))
        elif not shown[side].issuperset(content):
            shown[side].update(content)
            counts[side] += 1
            kept[rank] = reason
    for rank, reason in spare:
        side = reason[1] > 0
        if counts[side] < min(limit, ENOUGH):
            counts[side] += 1
            kept[rank] = reason
    return tuple(kept[rank] for rank in sorted(kept))

"""The arithmetic of likeness: candidates by their most telling shared words, then an exact cosine for the best."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bot.similar.segment import Array, Segment, repo_number
from nodes.text.search.terms import IN_TITLE

TELLING = 20
"""Words of a text by which candidates are looked for."""
POSTINGS = 12_000
"""Occurrences of such words that are looked at: words that stand nearly everywhere come last and are left out."""
CANDIDATES = 8
"""Documents that are compared word by word."""
FEW = 200
"""A repository with fewer documents borrows the others' knowledge of which words are common."""
BORROWED = 20.0
UNKNOWN = 0.02
"""The share of documents that have a word, where too few are there to tell."""
WORTH = 0.25
"""Less alike needs no reason."""
SHOWN = 3
"""Shared words that are given as the reason."""
ELSEWHERE = 6
"""Words by which other repositories are searched."""

TITLE_WEIGHT = 3
"""So many occurrences more is a word worth that stands in the title."""
_COUNTS = np.arange(256)
_WEIGHTS = np.log(np.maximum(1, (_COUNTS & 127) + TITLE_WEIGHT * (_COUNTS >= IN_TITLE))).astype("f8") + 1.0
_WEIGHTS[0] = 0.0  # a mark, which is no word


@dataclass(eq=False)
class Live:
    """A segment and which of its documents count."""

    segment: Segment
    current: Array
    """Those that nothing newer stands in for."""
    alive: Array
    """Of the current ones those that have words: the others only say that something is gone."""

    @classmethod
    def whole(cls, segment: Segment) -> "Live":
        return cls(segment, np.ones(len(segment), bool), np.diff(segment.ends) > 0)

    def copy(self) -> "Live":
        """Another view, for hiding more of it."""
        return Live(self.segment, self.current.copy(), self.alive.copy())

    def hide(self, names: Array) -> None:
        """Documents with these names are in something newer."""
        segment = self.segment
        if not len(segment):
            return
        at = np.searchsorted(segment.names, names, sorter=segment.order)
        at[at == len(segment)] = 0
        found = segment.order[at]
        found = found[segment.names[found] == names]
        self.current[found] = False
        self.alive[found] = False


@dataclass(frozen=True, slots=True)
class Query:
    """One text: its words ascending with their counts, its marks, where it belongs and its number there."""

    repo: int
    number: int
    words: Array
    counts: Array
    marks: Array

    @classmethod
    def of(cls, repo: str, number: int, terms: bytes) -> "Query":
        size = len(terms) // 5
        words = np.frombuffer(terms, "<u4", size)
        counts = np.frombuffer(terms, "|u1", size, 4 * size)
        return cls(repo_number(repo), number, words[counts > 0], counts[counts > 0], words[counts == 0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A document that was found: how alike (cosine, 0…1), the shared words that tell most and the shared marks, and
    whether it is of another repository."""

    live: Live
    doc: int
    cosine: float
    words: tuple[int, ...]
    marks: frozenset[int]
    shared: int
    """How many words they share."""
    covered: float
    """The share of each title's weight that the other text has too, 0…1, the lesser of both."""
    titled: float
    """The share of the lighter title's weight that both titles have, 0…1."""
    elsewhere: bool = False

    def tell(self) -> list[Any]:
        return self.live.segment.tell(self.doc)


def find(lives: Sequence[Live], query: Query, floor: int = 0) -> list[Hit]:
    """The documents most like the query, best first: older ones of its repository, stories of no issue, and where
    neither is like it those of other repositories. `floor` is the lowest number (seq) that counts."""
    lives = [live for live in lives if len(live.segment.keys)]
    if not lives or not len(query.words):
        return []
    scale = _Scale(lives, query)
    mine = (query.repo, 0) if scale.stories else (query.repo,)
    spans = scale.spans(query.words, mine)
    seen = spans[1].sum(axis=0).reshape(len(mine), -1)
    weights = _WEIGHTS[query.counts] * scale.rarity(query.words, seen[0])
    chosen = _telling(weights, seen.sum(axis=0), TELLING, POSTINGS)
    places = np.concatenate([chosen + at * len(query.words) for at in range(len(mine))])
    values = np.tile(weights[chosen] ** 2, len(mine))
    found = _candidates(lives, query, spans, places, values, floor)
    found += _marked(lives, query, scale, floor)
    hits = _compare(found, query, weights, scale)
    if scale.others and (not hits or hits[0].cosine < 0.3):
        hits += _elsewhere(lives, query, weights, scale, floor)
    return hits


class _Scale:
    """How common words are, in one repository."""

    def __init__(self, lives: Sequence[Live], query: Query) -> None:
        self.lives = lives
        self.repo = np.uint64(query.repo)
        self.own = sum(live.segment.per_repo.get(query.repo, 0) for live in lives)
        self.stories = sum(live.segment.per_repo.get(0, 0) for live in lives)
        self.all = sum(len(live.segment) for live in lives)
        self.others = self.all - self.own - self.stories

    def spans(self, words: Array, repos: Iterable[int]) -> tuple[Array, Array]:
        """By segment and (repository, word): where the postings begin, and how many they are."""
        shifted = words.astype("<u8") << np.uint64(32)
        needles = np.concatenate([shifted | np.uint64(repo) for repo in repos])
        begins = np.empty((len(self.lives), len(needles)), "<i8")
        sizes = np.empty_like(begins)
        for row, live in enumerate(self.lives):
            keys, starts = live.segment.keys, live.segment.starts
            at = keys.searchsorted(needles)
            at[at == len(keys)] = 0
            begins[row] = low = starts[at]
            sizes[row] = (starts[at + 1] - low) * (keys[at] == needles)
        return begins, sizes

    def anywhere(self, words: Array) -> tuple[Array, Array]:
        """The same over all repositories."""
        low = words.astype("<u8") << np.uint64(32)
        high = low | np.uint64(0xFFFFFFFF)
        begins = np.empty((len(self.lives), len(words)), "<i8")
        sizes = np.empty_like(begins)
        for row, live in enumerate(self.lives):
            keys, starts = live.segment.keys, live.segment.starts
            begins[row] = first = starts[keys.searchsorted(low)].astype("<i8")
            sizes[row] = starts[keys.searchsorted(high, side="right")] - first
        return begins, sizes

    def rarity(self, words: Array, seen: Array) -> Array:
        """How much a word tells, from the share of the repository's documents that have it."""
        if self.own >= FEW:
            share = (seen + 0.5) / (self.own + 1.0)
        else:
            everywhere = UNKNOWN
            if self.others >= FEW:
                everywhere = (self.anywhere(words)[1].sum(axis=0) + 0.5) / (self.all + 1.0)
            share = (seen + BORROWED * everywhere) / (self.own + BORROWED)
        return np.asarray(-np.log(np.minimum(share, 0.98)))


def _telling(weights: Array, seen: Array, most: int, postings: int) -> Array:
    """Places of the heaviest words that occur at all, as far as their postings are not too many."""
    order = np.argsort(-weights)
    order = order[seen[order] > 0]
    kept = order[np.cumsum(seen[order]) <= postings][:most]
    return kept if len(kept) else order[:1]


def _candidates(
    lives: Sequence[Live], query: Query, spans: tuple[Array, Array], places: Array, values: Array, floor: int
) -> list[tuple[Live, int]]:
    """The documents with most of these words, by weight."""
    found: list[tuple[float, Live, int]] = []
    for row, live in enumerate(lives):
        sizes = spans[1][row][places]
        here = np.flatnonzero(sizes)
        if not len(here):
            continue
        begins = spans[0][row][places[here]]
        segment = live.segment
        parts = [
            segment.docs[low : low + size]
            for low, size in zip(begins.tolist(), sizes[here].tolist(), strict=True)
        ]
        docs = np.concatenate(parts)
        scores = np.bincount(docs, np.repeat(values[here], sizes[here]))
        some = np.flatnonzero(scores >= 0.25 * scores.max())
        some = some[_counts(live, some, query, floor)]
        # A long text has many words by chance.
        value = scores[some] / np.sqrt(segment.ends[some + 1] - segment.ends[some] + 20.0)
        if len(some) > CANDIDATES:
            best = np.argpartition(-value, CANDIDATES)[:CANDIDATES]
            some, value = some[best], value[best]
        found += zip(value.tolist(), [live] * len(some), some.tolist(), strict=True)
    found.sort(key=lambda one: -one[0])
    return [(live, doc) for _, live, doc in found[:CANDIDATES]]


def _counts(live: Live, docs: Array, query: Query, floor: int) -> Array:
    """Which of these are to be found: alive, and, in the query's own repository, older than it."""
    segment = live.segment
    older = (segment.numbers[docs] < query.number) | (segment.repos[docs] != query.repo)
    found: Array = live.alive[docs] & older & (segment.seqs[docs] >= floor)
    return found


def _marked(lives: Sequence[Live], query: Query, scale: _Scale, floor: int) -> list[tuple[Live, int]]:
    """The latest older documents of the repository with one of the query's marks."""
    if not len(query.marks):
        return []
    begins, sizes = scale.spans(query.marks, (query.repo,))
    found = []
    for row, at in zip(*np.nonzero(sizes), strict=True):
        live, low = lives[row], begins[row, at]
        docs = live.segment.docs[low : low + sizes[row, at]][-50:]
        found += [(live, int(doc)) for doc in docs[_counts(live, docs, query, floor)][-4:]]
    return found


def _compare(found: Sequence[tuple[Live, int]], query: Query, weights: Array, scale: _Scale) -> list[Hit]:
    """The cosine of the query and each of these."""
    found = list(dict.fromkeys(found))
    if not found:
        return []
    bounds = [
        (live.segment, int(live.segment.ends[doc]), int(live.segment.ends[doc + 1])) for live, doc in found
    ]
    words = np.concatenate([segment.words[low:high] for segment, low, high in bounds])
    counts = np.concatenate([segment.counts[low:high] for segment, low, high in bounds])
    starts = np.concatenate(([0], np.cumsum([high - low for _, low, high in bounds])))[:-1]
    unique, where = np.unique(words, return_inverse=True)
    # Of the query's own words it is known already.
    rare = np.empty(len(unique))
    place = np.minimum(query.words.searchsorted(unique), len(query.words) - 1)
    asked = query.words[place] == unique
    own = weights / _WEIGHTS[query.counts]
    rare[asked] = own[place[asked]]
    other = unique[~asked]
    rare[~asked] = scale.rarity(other, scale.spans(other, (int(scale.repo),))[1].sum(axis=0))
    mine = _WEIGHTS[counts] * rare[where]
    theirs = np.where(asked, weights[place], 0.0)[where]
    both = mine * theirs
    dots = np.add.reduceat(both, starts)
    norms = np.sqrt(np.add.reduceat(mine * mine, starts) * (weights @ weights)) + 1e-9
    marked = np.flatnonzero((counts == 0) & np.isin(words, query.marks)).tolist() if len(query.marks) else []
    titles = rare[where] * (counts >= IN_TITLE)
    ours = rare[where] * ((query.counts[place] >= IN_TITLE) & asked)[where]
    their_weight = np.add.reduceat(titles, starts) + 1e-9
    our_weight = own[query.counts >= IN_TITLE].sum() + 1e-9
    covered = np.minimum(
        np.add.reduceat(titles * (theirs > 0), starts) / their_weight,
        np.add.reduceat(ours, starts) / our_weight,
    )
    titled = np.add.reduceat(ours * (counts >= IN_TITLE), starts) / np.minimum(their_weight, our_weight)
    common = np.add.reduceat((both > 0).astype("<i8"), starts)
    hits = []
    for at, (live, doc) in enumerate(found):
        _, low, high = bounds[at]
        first, end = int(starts[at]), int(starts[at]) + high - low
        cosine = min(1.0, float(dots[at] / norms[at]))
        telling: list[int] = []
        if cosine >= WORTH:
            top = np.argsort(-both[first:end])[:SHOWN] + first
            telling = words[top[both[top] > 0]].tolist()
        shared = [int(words[where_]) for where_ in marked if first <= where_ < end]
        hits.append(
            Hit(
                live=live,
                doc=doc,
                cosine=cosine,
                words=tuple(telling),
                marks=frozenset(shared),
                shared=int(common[at]),
                covered=float(covered[at]),
                titled=float(titled[at]),
            )
        )
    return sorted(hits, key=lambda hit: (-len(hit.marks), -hit.cosine))


def _elsewhere(lives: Sequence[Live], query: Query, weights: Array, scale: _Scale, floor: int) -> list[Hit]:
    """The same over other repositories, by a few rare words."""
    best = np.argsort(-weights)[: 2 * ELSEWHERE]
    begins, sizes = scale.anywhere(query.words[best])
    chosen = _telling(weights[best], sizes.sum(axis=0), ELSEWHERE, POSTINGS // 4)
    found = _candidates(lives, query, (begins, sizes), chosen, weights[best][chosen] ** 2, floor)
    away = [(live, doc) for live, doc in found if live.segment.repos[doc] not in (query.repo, 0)]
    hits = _compare(away[: CANDIDATES // 2], query, weights, scale)
    return [replace(hit, elsewhere=True) for hit in hits]

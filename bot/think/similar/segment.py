"""A segment of the index: the words of some documents as arrays, both ways round; in memory or mapped from a file."""

import json
import mmap
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.store.documents import Document
from models.issue import parse_ref

Array = npt.NDArray[Any]
FIELDS = {
    "keys": "<u8",
    "starts": "<u4",
    "docs": "<u4",
    "ends": "<u4",
    "words": "<u4",
    "counts": "|u1",
    "repos": "<u4",
    "numbers": "<u4",
    "seqs": "<i8",
    "names": "<u8",
    "order": "<u4",
    "told_ends": "<u4",
    "told": "|u1",
}
_MAGIC = b"switchyard index 1\n"
_ALIGN = 64
_CHUNK = 1 << 20
_SLICES = 16
"""Parts of the words' range that are merged one after the other: the memory that a merge takes at a time."""


class Damaged(Exception):
    """A file is not what was written."""


@dataclass(frozen=True, eq=False)
class Segment:
    """Documents and their words; nothing in it ever changes.

    `keys` has word and repository in one number, ascending, and `docs` from `starts[i]` to `starts[i + 1]` are the
    documents with that word in that repository. Document d's own words are `words` from `ends[d]` to `ends[d + 1]`,
    ascending. `names` are hashes of the documents' keys, ascending in the order of `order`.
    """

    keys: Array
    starts: Array
    docs: Array
    ends: Array
    words: Array
    counts: Array
    repos: Array
    numbers: Array
    seqs: Array
    names: Array
    order: Array
    told_ends: Array
    told: Array

    def __len__(self) -> int:
        return len(self.seqs)

    @cached_property
    def per_repo(self) -> dict[int, int]:
        """How many documents a repository has here."""
        repos, counts = np.unique(self.repos[np.diff(self.ends) > 0], return_counts=True)
        return dict(zip(repos.tolist(), counts.tolist(), strict=True))

    def tell(self, doc: int) -> list[Any]:
        """[key, title, url, done, estimate]"""
        part = self.told[self.told_ends[doc] : self.told_ends[doc + 1]]
        found: list[Any] = json.loads(part.tobytes())
        return found


def repo_number(repo: str) -> int:
    """A repository in 32 bits; 0 stands for none."""
    return (zlib.crc32(repo.lower().encode()) or 1) if repo else 0


def name_number(key: str) -> int:
    """A document's key in 64 bits; people write repositories in any case."""
    data = key.lower().encode("utf-8", "replace")
    return zlib.crc32(data) << 32 | zlib.crc32(data[::-1] + b"#")


def build(documents: Sequence[Document]) -> Segment:
    """One segment of these; of several versions the last counts."""
    last = {name_number(document.key): document for document in documents}
    chosen = list(last.values())
    sizes = [len(document.terms) // 5 for document in chosen]
    words = [np.frombuffer(d.terms, "<u4", size) for d, size in zip(chosen, sizes, strict=True)]
    counts = [np.frombuffer(d.terms, "|u1", size, 4 * size) for d, size in zip(chosen, sizes, strict=True)]
    told = [_told(document) if document.terms else b"" for document in chosen]
    repos = np.array([repo_number(document.repo) for document in chosen], "<u4")
    flat = np.concatenate(words) if words else np.empty(0, "<u4")
    docs = np.repeat(np.arange(len(chosen), dtype="<u4"), sizes)
    expanded = flat.astype("<u8") << np.uint64(32) | repos[docs]
    order = np.argsort(expanded, kind="stable")
    names = np.array(list(last), "<u8")
    keys, starts = _runs(expanded[order])
    return Segment(
        keys=keys,
        starts=starts,
        docs=docs[order],
        ends=_ends(sizes),
        words=flat,
        counts=np.concatenate(counts) if counts else np.empty(0, "|u1"),
        repos=repos,
        numbers=np.array([_number(document.key) for document in chosen], "<u4"),
        seqs=np.array([document.seq for document in chosen], "<i8"),
        names=names,
        order=np.argsort(names, kind="stable").astype("<u4"),
        told_ends=_ends([len(one) for one in told]),
        told=np.frombuffer(b"".join(told), "|u1"),
    )


def merge(segments: Sequence[Segment], alive: Sequence[Array], *, keep_gone: bool) -> Segment:
    """One segment of those that are alive. Those without words stay only where they may hide something older."""
    kept = [
        mask if keep_gone else mask & (np.diff(segment.ends) > 0)
        for segment, mask in zip(segments, alive, strict=True)
    ]
    places, before = [], 0
    for mask in kept:
        places.append(np.where(mask, before + np.cumsum(mask) - 1, -1))
        before += int(mask.sum())

    def each(name: str) -> Array:
        parts = [getattr(segment, name)[mask] for segment, mask in zip(segments, kept, strict=True)]
        return np.concatenate(parts)

    def joined(name: str, ends: str) -> Array:
        parts = [
            getattr(segment, name)[np.repeat(mask, np.diff(getattr(segment, ends)))]
            for segment, mask in zip(segments, kept, strict=True)
        ]
        return np.concatenate(parts)

    def sizes(ends: str) -> Array:
        parts = [np.diff(getattr(segment, ends))[mask] for segment, mask in zip(segments, kept, strict=True)]
        return _ends(np.concatenate(parts))

    names = each("names")
    expanded, docs = _postings(segments, places)
    keys, starts = expanded
    return Segment(
        keys=keys,
        starts=starts,
        docs=docs,
        ends=sizes("ends"),
        words=joined("words", "ends"),
        counts=joined("counts", "ends"),
        repos=each("repos"),
        numbers=each("numbers"),
        seqs=each("seqs"),
        names=names,
        order=np.argsort(names, kind="stable").astype("<u4"),
        told_ends=sizes("told_ends"),
        told=joined("told", "told_ends"),
    )


def _postings(segments: Sequence[Segment], places: Sequence[Array]) -> tuple[tuple[Array, Array], Array]:
    """Merged keys with their starts, and documents; by slices of the words' range, so that little is held twice."""
    all_keys, all_sizes, all_docs = [], [], []
    edges = [at << 60 for at in range(_SLICES)]
    for low in edges:
        parts_of_keys, parts_of_docs = [], []
        for segment, place in zip(segments, places, strict=True):
            first = int(np.searchsorted(segment.keys, np.uint64(low)))
            high = np.uint64(low + (1 << 60) - 1)
            end = int(np.searchsorted(segment.keys, high, side="right"))
            spans = np.diff(segment.starts[first : end + 1])
            found = place[segment.docs[segment.starts[first] : segment.starts[end]]]
            expanded = np.repeat(segment.keys[first:end], spans)
            parts_of_keys.append(expanded[found >= 0])
            parts_of_docs.append(found[found >= 0].astype("<u4"))
        keys, docs = np.concatenate(parts_of_keys), np.concatenate(parts_of_docs)
        order = np.argsort(keys, kind="stable")
        unique, starts = _runs(keys[order])
        all_keys.append(unique)
        all_sizes.append(np.diff(starts))
        all_docs.append(docs[order])
    return (np.concatenate(all_keys), _ends(np.concatenate(all_sizes))), np.concatenate(all_docs)


def _runs(ascending: Array) -> tuple[Array, Array]:
    """The different values, and where each begins, with the end behind them."""
    if not len(ascending):
        return ascending, np.zeros(1, "<u4")
    begins = np.flatnonzero(np.concatenate(([True], ascending[1:] != ascending[:-1])))
    return ascending[begins], np.append(begins, len(ascending)).astype("<u4")


def _ends(sizes: Any) -> Array:
    return np.concatenate(([0], np.cumsum(sizes, dtype="<i8"))).astype("<u4")


def _told(document: Document) -> bytes:
    facts = [document.key, document.title[:200], document.url[:500], document.done, document.estimate]
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _number(key: str) -> int:
    try:
        return min(parse_ref(key)[1], 2**32 - 1)
    except ValueError:
        return 0


def save(segment: Segment, path: Path) -> int:
    """Write it, and return only once the disk has it; the checksum is to be kept elsewhere."""
    arrays = {name: np.ascontiguousarray(getattr(segment, name), kind) for name, kind in FIELDS.items()}
    header = _MAGIC + json.dumps({name: len(array) for name, array in arrays.items()}).encode() + b"\n"
    checksum = 0
    with path.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)
        for data in (header, *(array.tobytes() for array in arrays.values())):
            for piece in (data, bytes(-len(data) % _ALIGN)):
                file.write(piece)
                checksum = zlib.crc32(piece, checksum)
        file.flush()
        os.fsync(file.fileno())
    return checksum


def load(path: Path, checksum: int) -> Segment:
    """Map a file; Damaged where it is not what `save` wrote. FileNotFoundError where it is gone."""
    found = 0
    with path.open("rb") as file:
        header = file.readline(200)
        lengths = file.readline(2_000)
        file.seek(0)
        # Read, not mapped: pages that nobody asks for stay out of the process.
        while chunk := file.read(_CHUNK):
            found = zlib.crc32(chunk, found)
        if header != _MAGIC or found != checksum:
            raise Damaged(f"{path.name} is damaged")
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    at = len(header) + len(lengths)
    arrays = {}
    for name, length in json.loads(lengths).items():
        at += -at % _ALIGN
        arrays[name] = np.frombuffer(mapped, FIELDS[name], length, at)
        at += arrays[name].nbytes
    return Segment(**arrays)

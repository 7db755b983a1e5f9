"""The index: follows the table of documents, keeps what it has read in files that all processes share.

What is on disk is a private cache: lost or damaged, it is made again. A manifest names the segments; it is replaced
as a whole, so that at any moment the folder holds a valid index. Whoever has the lock writes; the others read, and
hold in memory what is not in the files yet.
"""

import fcntl
import json
import os
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from bot.store import documents
from bot.store.database import Database, address
from bot.store.documents import Document
from bot.think.similar.search import Live
from bot.think.similar.segment import Damaged, Segment, build, load, merge, save

log = structlog.get_logger()

FLUSH = 512
"""Documents in memory from which on they are written."""
PART = 10_000
"""Documents that are read from the table at a time."""
RATIO = 4
"""A segment is merged into the one before unless that is so many times as large."""
_CHECKED = 20
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A segment's file, with the last number in it."""

    name: str
    top: int
    count: int
    checksum: int


class Index:
    """One process's view of the index; `folder` is None where there is nothing to keep files beside."""

    def __init__(self, database: Database | None, folder: Path | None) -> None:
        self._database = database
        self._folder = folder if database is not None else None
        self._stamp: Any = None
        self._checked = False
        self._entries: list[Entry] = []
        self._files: list[Live] = []
        self._memory: list[Live] = []
        self._top = 0
        self._floor = 0

    def close(self) -> None:
        """Close the connections to its database."""
        if self._database is not None:
            self._database.dispose()

    def __len__(self) -> int:
        return int(sum(live.alive.sum() for live in self.lives))

    @property
    def lives(self) -> list[Live]:
        return [*self._files, *self._memory]

    @property
    def top(self) -> int:
        """The number up to which documents are known."""
        return self._top

    @property
    def floor(self) -> int:
        """The lowest number that counts: what is older has gone from the table."""
        return self._floor

    def without(self, names: Any) -> list[Live]:
        """All but the documents of these names."""
        found = [live.copy() for live in self.lives]
        for live in found:
            live.hide(names)
        return found

    def refresh(self) -> list[Document]:
        """Take in what is new in the table; returns it. A file that cannot be read costs time, nothing else."""
        if self._database is None:
            return []
        fresh: list[Document] = []
        while True:
            self._open()
            with self._database.read() as connection:
                self._floor, newest = documents.extent(connection)
                if newest < self._top or not self._is_same(connection):
                    log.info("index of similar issues is of another database and is made anew")
                    self._forget()
                    continue
                if newest == self._top:
                    return fresh
                part = documents.after(connection, self._top, PART)
            if not part:
                return fresh
            fresh = [*fresh, *part][-PART:]
            self._take(part)

    def _take(self, part: Sequence[Document]) -> None:
        """New documents: a small segment in memory, merged with those before, and written where they are many."""
        self._add(Live.whole(build(part)), part[-1].seq)
        count = sum(len(live.segment) for live in self._memory)
        if count >= FLUSH and self._folder is not None:
            with suppress(OSError):
                self._write()

    def _add(self, new: Live, top: int) -> None:
        for live in self.lives:
            live.hide(new.segment.names)
        self._memory.append(new)
        self._top = top
        while len(self._memory) > 1 and len(self._memory[-2].segment) < 2 * len(self._memory[-1].segment):
            pair = self._memory[-2:]
            joined = merge([live.segment for live in pair], [live.current for live in pair], keep_gone=True)
            self._memory[-2:] = [Live.whole(joined)]

    # Files

    def _open(self) -> None:
        """Look whether the manifest has changed, and map what is new in it."""
        if self._folder is None:
            return
        for _ in range(5):
            try:
                stamp = self._stamp_now()
                if stamp == self._stamp:
                    return
                entries = self._read_manifest()
                known = {entry: live.segment for entry, live in zip(self._entries, self._files, strict=True)}
                segments = [
                    known.get(entry) or load(self._folder / entry.name, entry.checksum) for entry in entries
                ]
            except FileNotFoundError:
                # Merged away between the two looks.
                continue
            except (OSError, ValueError, KeyError, TypeError, Damaged) as error:
                log.warning("index of similar issues is damaged and is made anew", reason=str(error)[:200])
                self._forget()
                return
            self._stamp = stamp
            self._show(entries, segments)
            return
        log.warning("index of similar issues is incomplete and is made anew")
        self._forget()

    def _show(self, entries: Sequence[Entry], segments: Sequence[Segment]) -> None:
        """These files from now on, and in memory only what is in none of them."""
        covered = entries[-1].top if entries else 0
        before = self._entries[-1].top if self._entries else 0
        kept = []
        # Where the files begin anew, memory has not what they had.
        for live in self._memory if covered >= before else ():
            segment = live.segment
            if len(segment) and int(segment.seqs.max()) > covered:
                mask = segment.seqs > covered
                whole = bool(mask.all())
                kept.append(segment if whole else merge([segment], [mask], keep_gone=True))
        self._entries = list(entries)
        self._files = [Live.whole(segment) for segment in segments]
        self._memory = [Live.whole(segment) for segment in kept]
        self._top = max([covered, *(int(segment.seqs.max()) for segment in kept)])
        lives = self.lives
        for at, live in enumerate(lives):
            for newer in lives[at + 1 :]:
                live.hide(newer.segment.names)

    def _stamp_now(self) -> Any:
        assert self._folder is not None
        with suppress(FileNotFoundError):
            found = (self._folder / "manifest.json").stat()
            return (found.st_ino, found.st_mtime_ns, found.st_size)
        return None

    def _read_manifest(self) -> list[Entry]:
        assert self._folder is not None
        try:
            data = json.loads((self._folder / "manifest.json").read_bytes())
        except FileNotFoundError:
            return []
        if data["format"] != _FORMAT or data["of"] != self._identity():
            raise Damaged("it is of another version or another database")
        return [Entry(**entry) for entry in data["segments"]]

    def _is_same(self, connection: Any) -> bool:
        """Are the newest documents in the files those of this table?"""
        if self._checked or not self._files:
            return True
        last = self._files[-1].segment
        some = [
            (int(last.seqs[at]), last.tell(at)[0])
            for at in range(max(0, len(last) - _CHECKED), len(last))
            if last.told_ends[at + 1] > last.told_ends[at]
        ]
        known = documents.keys_of(connection, [seq for seq, _ in some])
        self._checked = all(known.get(seq, key) == key for seq, key in some)
        return self._checked

    def _identity(self) -> str:
        """What tells this database from another one at the same address."""
        assert self._database is not None
        if not self._database.is_sqlite:
            with self._database.read() as connection:
                return f"table {documents.table_id(connection)}"
        file = address(self._database.url).file
        with suppress(OSError):
            if file is not None:
                found = file.stat()
                return f"file {found.st_dev} {found.st_ino}"
        return ""

    def _forget(self) -> None:
        """Begin anew, for everybody; where another process writes just now, it does so too."""
        self._entries, self._files, self._memory = [], [], []
        self._top = 0
        self._checked = False
        self._stamp = None
        if self._folder is None:
            return
        try:
            with self._lock() as held:
                if held:
                    self._publish([])
                else:
                    self._stamp = self._stamp_now()
        except OSError as error:
            log.warning("index of similar issues cannot be kept in files", reason=str(error)[:200])
            self._folder = None

    def _write(self) -> None:
        """Put what is in memory into a file, and merge files that have become alike in size."""
        assert self._folder is not None
        with self._lock() as held:
            if not held:
                return
            if self._stamp_now() != self._stamp:
                self._open()
                if sum(len(live.segment) for live in self._memory) < FLUSH:
                    return
            entries, segments = list(self._entries), [live.segment for live in self._files]
            group = [live.segment for live in self._memory]
            masks = [live.current for live in self._memory]
            top = self._top
            lowest = len(entries)
            count = sum(int(mask.sum()) for mask in masks)
            while lowest and entries[lowest - 1].count < RATIO * count:
                lowest -= 1
                live = self._files[lowest]
                mask = live.current & (live.segment.seqs >= self._floor)
                group, masks = [live.segment, *group], [mask, *masks]
                count += int(mask.sum())
            merged = merge(group, masks, keep_gone=lowest > 0)
            name = f"{top:012d}-{os.getpid()}-{time.time_ns() % 1_000_000_000:09d}.segment"
            try:
                checksum = save(merged, self._folder / name)
            except OSError as error:
                log.warning("index of similar issues cannot be written", reason=str(error)[:200])
                raise
            entries[lowest:] = [Entry(name, top, len(merged), checksum)]
            stamp = self._publish(entries)
            self._stamp = stamp
            self._show(entries, [*segments[:lowest], load(self._folder / name, checksum)])

    def _publish(self, entries: Sequence[Entry]) -> Any:
        """Replace the manifest as a whole; what no manifest names is taken away."""
        assert self._folder is not None
        segments = [{name: getattr(entry, name) for name in Entry.__slots__} for entry in entries]
        data = {"format": _FORMAT, "of": self._identity(), "segments": segments}
        path = self._folder / "manifest.new"
        with path.open("wb") as file:
            file.write(json.dumps(data).encode())
            file.flush()
            os.fsync(file.fileno())
        path.replace(self._folder / "manifest.json")
        named = {entry.name for entry in entries}
        for old in self._folder.glob("*.segment"):
            if old.name not in named:
                with suppress(OSError):
                    old.unlink()
        return self._stamp_now()

    @contextmanager
    def _lock(self) -> Iterator[bool]:
        """Gives True to the one that may write; nobody waits."""
        assert self._folder is not None
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self._folder / "lock").open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True


def folder_of(url: str) -> Path | None:
    """Where the files lie: beside SQLite's, else under var/; None where the database is in memory."""
    parsed = address(url)
    name = f"{zlib.crc32(parsed.shown.encode()):08x}"
    if not parsed.is_sqlite:
        return Path("var/index") / name
    return parsed.file.parent / "index" / name if parsed.file is not None else None

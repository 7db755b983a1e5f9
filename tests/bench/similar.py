"""The index of similar issues in figures: what a search, a document and the memory cost; on real issues' words."""

import csv
import gzip
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.process import DATA, Measured, measure

BATCH = 100
ASKED = 2_000
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def rows(folder: Path, *, short: bool) -> Iterator[tuple[str, str, str]]:
    """(figure, wanted, measured); each size is measured in processes of its own."""
    if not (DATA / "rust").is_dir():
        yield "similar issues", "", f"not measured: no data in {DATA}"
        return
    for size, limit in ((20_000, 5), (100_000, 25)):
        if short and size > 20_000:
            continue
        place = folder / f"similar-{size}"
        place.mkdir(parents=True, exist_ok=True)
        added = _child(place, "add", size)
        found = _child(place, "search", size)
        triaged = _child(place, "triage", size)
        yield (
            f"similar issues: a search among {size:,}, p99",
            f"≤ {limit} ms",
            (f"{found['p99']:.1f} ms (p50 {found['p50']:.2f}, mean {found['mean']:.2f} ms of CPU)"),
        )
        cost = "≤ 1 ms" if size == 20_000 else ""
        yield (
            "  in a batch of triage, with words and overlay",
            cost,
            f"{triaged['cpu']:.2f} ms of CPU an issue",
        )
        yield (
            "  adding one: words, row, segment",
            "≤ 1 ms",
            (f"{added['each']:.2f} ms (the longest batch of {BATCH}: {added['longest']:.0f} ms)"),
        )
        yield (
            "  files; memory of a process that searches",
            "",
            (
                f"{added['bytes'] / 1e6:.1f} MB in {added['files']} files; {found['own']:.1f} MB of its own, "
                f"{found['shared']:.1f} MB shared"
            ),
        )
        yield "  opening it; making it anew", "", f"{found['open']:.2f} s; {triaged['rebuild']:.1f} s"


def _child(folder: Path, name: str, *arguments: Any) -> Any:
    done: Measured = measure(
        [name, str(folder), *map(str, arguments)],
        folder,
        {"SWITCHYARD_ROUTER_DATA": str(DATA)},
        "tests.bench.similar",
    )
    if done.code:
        raise SystemExit(f"tests.bench.similar {name} ended with {done.code}")
    return done.json


def issues(count: int, *, first: int = 1, seed: int = 1) -> Iterator[Any]:
    """Real issues first, then mixtures of two real ones' words, in four repositories of unequal size."""
    from models.issue import Issue

    texts = _texts()
    rng = random.Random(seed)
    for number in range(first, first + count):
        if number <= len(texts):
            title, body = texts[number - 1]
        else:
            (title, body), (other, more) = rng.choice(texts), rng.choice(texts)
            title = f"{title.rpartition(' ')[0]} {other.rpartition(' ')[2]}"
            body = " ".join(word for word in (body + " " + more).split() if rng.random() < 0.5)
        repo = "octo/widgets" if number % 8 < 5 else f"octo/part{number % 8}"
        yield Issue(
            repo=repo,
            number=number,
            title=title,
            body=body,
            html_url=f"https://github.com/{repo}/issues/{number}",
            created_at=NOW,
            updated_at=NOW,
        )


def _texts() -> list[tuple[str, str]]:
    csv.field_size_limit(10**9)
    found = []
    for name in ("nlbse24/issues_train.csv", "docs/issues_train.csv"):
        with (DATA / name).open(encoding="utf-8") as file:
            found += [(row["title"], row["body"]) for row in csv.DictReader(file)]
    with gzip.open(DATA / "rust/issues.csv.gz", "rt", encoding="utf-8") as file:
        found += [(row["title"], row["body"]) for row in csv.DictReader(file)]
    random.Random(5).shuffle(found)
    return found


def _database(folder: Path) -> Any:
    from bot.store.database import Database

    made = Database(f"sqlite:///{folder}/bot.db")
    made.require_schema()
    return made


def add(folder: Path, count: int) -> dict[str, float]:
    """What a run's batches cost: words, rows in the batch's transaction, and one process that follows."""
    from bot.similar.index import Index, folder_of
    from bot.store import documents
    from models.case import Case, Decision
    from nodes.text.search.terms import count_words, marks, pack

    database = _database(folder)
    place = folder_of(database.url)
    assert place is not None
    index = Index(database, place)
    decision = Decision(route="bug", confidence=1.0, accepted=True)
    spent, longest, batch = 0.0, 0.0, []
    for one in issues(count):
        batch.append(one)
        if len(batch) < BATCH:
            continue
        started = time.process_time()
        cases = [
            Case(issue=i, decision=decision, terms=pack(count_words(i.title, i.body), marks(i.title, "")))
            for i in batch
        ]
        with database.write() as connection:
            documents.add_cases(connection, cases, 1.0)
        index.refresh()
        took = time.process_time() - started
        spent, longest, batch = spent + took, max(longest, took), []
    files = list(place.glob("*.segment"))
    return {
        "each": 1e3 * spent / count,
        "longest": 1e3 * longest,
        "bytes": sum(file.stat().st_size for file in files),
        "files": len(files),
    }


def search(folder: Path, count: int) -> dict[str, float]:
    """Single searches of a process that has just begun, and what it holds in memory after them."""
    import psutil

    from bot.similar.index import Index, folder_of
    from bot.similar.search import Query, find
    from nodes.text.search.terms import count_words, marks, pack

    database = _database(folder)
    asked = list(issues(ASKED, first=count + 1, seed=2))
    packed = [pack(count_words(one.title, one.body), marks(one.title, "")) for one in asked]
    process = psutil.Process()
    before = process.memory_info()
    started = time.perf_counter()
    index = Index(database, folder_of(database.url))
    index.refresh()
    opened = time.perf_counter() - started
    walls, spent = [], []
    for one, terms in zip(asked, packed, strict=True):
        began, used = time.perf_counter(), time.thread_time()
        find(index.lives, Query.of(one.repo, one.number, terms), index.floor)
        spent.append(1e3 * (time.thread_time() - used))
        walls.append(1e3 * (time.perf_counter() - began))
    after = process.memory_info()
    walls.sort()
    spent.sort()
    shared = after.shared - before.shared
    return {
        "p50": walls[len(walls) // 2],
        "p99": walls[int(len(walls) * 0.99)],
        "mean": sum(spent) / len(spent),
        "cpu99": spent[int(len(spent) * 0.99)],
        "open": opened,
        "shared": shared / 1e6,
        "own": (after.rss - before.rss - shared) / 1e6,
    }


def triage(folder: Path, count: int) -> dict[str, float]:
    """The whole port as a thinking child uses it, batch by batch; and the index made anew from the table."""
    import shutil

    from bot.similar.index import folder_of
    from bot.similar.port import SimilarDocuments
    from models.case import Case, Decision

    database = _database(folder)
    place = folder_of(database.url)
    assert place is not None
    shutil.rmtree(place)
    port = SimilarDocuments(database.url)
    started = time.process_time()
    port.begin([])
    rebuilt = time.process_time() - started
    decision = Decision(route="bug", confidence=1.0, accepted=True)
    asked = list(issues(ASKED, first=count + 1, seed=3))
    started = time.process_time()
    for start in range(0, len(asked), BATCH):
        part = [Case(issue=one, decision=decision) for one in asked[start : start + BATCH]]
        port.begin([one.issue for one in part])
        for case in part:
            port.find(case)
            port.finish(case)
    return {"cpu": 1e3 * (time.process_time() - started) / len(asked), "rebuild": rebuilt}


def main() -> None:
    """The table by itself: `python -m tests.bench.similar table FOLDER [short]`."""
    wanted, folder, *given = sys.argv[1:]
    if wanted == "table":
        for figure, limit, measured in rows(Path(folder), short=bool(given)):
            print(f"{figure:60} {limit:10} {measured}", flush=True)
        return
    figures = {"add": add, "search": search, "triage": triage}
    print(json.dumps(figures[wanted](Path(folder), *map(int, given))))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()

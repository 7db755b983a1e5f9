"""The router's figures: what a prediction, a reason, loading and training cost; on real issues, read at run time."""

import csv
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from tests.bench.process import DATA, Measured, measure

BATCH = 100
"""As many as a run's batches have."""
SPEED_ROWS, REPEATS = 1_500, 5
CYCLE = 1_000
Given = TypeVar("Given")


def rows(folder: Path, *, short: bool) -> Iterator[tuple[str, str, str]]:
    """(figure, wanted, measured); each is measured in a process of its own."""
    from models.router.inference.predict import BUILTIN, model_directory

    size = sum(file.stat().st_size for file in model_directory(BUILTIN).iterdir())
    yield "router: built-in model", "≤ 5 MB", f"{size / 1e6:.2f} MB"
    load = _child(folder, "load")
    yield "  loading it", "≤ 0.2 s", f"{load['wall']:.3f} s"
    if not (DATA / "nlbse24").is_dir():
        yield "  prediction and training", "", f"not measured: no data in {DATA}"
        return

    speed = _child(folder, "speed", str(SPEED_ROWS // 3 if short else SPEED_ROWS))
    plain, told, simple = speed["plain"], speed["told"], speed["baseline"]
    yield "prediction against plain TF-IDF", "≥ 0.3 ×", f"{simple / plain:.2f} × ({plain * 1e3:.2f} ms each)"
    yield "  the same with reasons", "≥ 0.3 ×", f"{simple / told:.2f} × ({told * 1e3:.2f} ms each)"
    yield "  CPU with reasons against without", "≤ 1.35 ×", f"{told / plain:.2f} ×"
    many = 10_000 if short else 100_000
    flat = _child(folder, "flat", str(many))
    yield f"  CPU per issue, {many:,} against 1,000", "≤ 1.2 ×", f"{flat['last'] / flat['first']:.2f} ×"
    # The table of word hashes is emptied at 200,000 words, some 25 MB.
    grown = flat["memory_last"] - flat["memory_first"]
    yield "  peak memory, the same", "≤ 40 MB more", f"{grown:.0f} MB more ({flat['memory_last']:.0f} MB)"

    few = ["nlbse24/issues_train.csv"]
    yield "training, with cross-validation", "≤ 30 s CPU", _training(folder, few)
    if not short:
        all_three = [*few, "docs/issues_train.csv", "matomo/matomo_4class_old70.csv"]
        yield "  the same", "≤ 120 s CPU", _training(folder, all_three)


def _training(folder: Path, names: Sequence[str]) -> str:
    files = [part for name in names for part in ("--csv", str(DATA / name))]
    done = measure(["router", "train", *files, "--output", str(folder / "model"), "--json"], folder, {})
    count = sum(done.json["rows"].values())
    return f"{done.cpu:.1f} s CPU, {done.wall:.1f} s ({count:,} issues, {done.memory:.0f} MB)"


def _child(folder: Path, name: str, *arguments: str) -> Any:
    done: Measured = measure([name, *arguments], folder, {"SWITCHYARD_ROUTER_DATA": str(DATA)}, __name__)
    if done.code:
        raise SystemExit(f"tests.bench.router {name} ended with {done.code}")
    return done.json


def load() -> dict[str, float]:
    """The best of five, after the imports."""
    from models.router.inference import predict

    walls = []
    for _ in range(5):
        started = time.perf_counter()
        predict.load()
        walls.append(time.perf_counter() - started)
    return {"wall": min(walls)}


def speed(count: int) -> dict[str, float]:
    """CPU seconds an issue of the router, without and with reasons, and of the plainest text classifier.

    Each batch's best of some tries counts, and the three take turns: other work on the machine only ever adds.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from models.router.inference.predict import load

    texts, labels = read()
    spoken = [f"{text.title}\n{text.body}" for text in texts]
    simple = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), max_features=20_000), LogisticRegression())
    simple.fit(spoken, labels)
    model = load()
    step = max(1, len(texts) // count)
    texts, spoken = texts[::step][:count], spoken[::step][:count]
    ways: dict[str, Callable[[slice], object]] = {
        "baseline": lambda part: simple.predict_proba(spoken[part]),
        "plain": lambda part: model.predict(texts[part]),
        "told": lambda part: model.predict(texts[part], explain=True),
    }
    best: dict[tuple[str, int], float] = {}
    for _ in range(REPEATS):
        for start in range(0, len(texts), BATCH):
            for name, run in ways.items():
                took = _cpu(run, slice(start, start + BATCH))
                best[name, start] = min(took, best.get((name, start), took))
    return {name: sum(took for (of, _), took in best.items() if of == name) / len(texts) for name in ways}


def flat(count: int) -> dict[str, float]:
    """CPU per issue and peak memory after the first 5,000 issues and over all, each text with words of its own."""
    import psutil

    from models.router.inference.predict import Text, load

    texts, _ = read()
    model = load()
    model.predict(texts[:300], explain=True)
    process, peaks = psutil.Process(), [0.0]

    def cycle(number: int) -> None:
        for start in range(0, CYCLE, BATCH):
            part = [
                Text(text.repo, f"{text.title} {number}a", f"{text.body} x{number}y{at} z{number}q{at}")
                for at, text in enumerate(texts[start : start + BATCH], start)
            ]
            model.predict(part, explain=True)
        peaks.append(max(peaks[-1], process.memory_info().rss / 1e6))

    costs = [_cpu(cycle, number) / CYCLE for number in range(count // CYCLE)]
    few = min(5, len(costs))
    return {
        "first": statistics.median(costs[:few]),
        "last": statistics.median(costs),
        "memory_first": peaks[1],
        "memory_last": peaks[-1],
    }


def read() -> tuple[list[Any], list[str]]:
    """Texts and labels of the NLBSE issues."""
    from models.router.training.data import read_rows

    csv.field_size_limit(10**9)
    found = read_rows(DATA / "nlbse24" / "issues_train.csv").rows
    return [row.text for row in found], [row.label for row in found]


def _cpu(run: Callable[[Given], object], given: Given) -> float:
    started = time.process_time()
    run(given)
    return time.process_time() - started


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    wanted, *given = sys.argv[1:]
    figures: dict[str, Callable[..., dict[str, float]]] = {"load": load, "speed": speed, "flat": flat}
    print(json.dumps(figures[wanted](*map(int, given))))

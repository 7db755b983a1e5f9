"""`make chaos`: a thousand kills and every fault, each round with a seed; prints a table, fails where one is lost."""

import argparse
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos import backfill
from tests.chaos.ground import Verdict
from tests.chaos.rounds import ROUNDS, plan, results

PAGE = Path(__file__).parents[2] / "docs" / "chaos.md"
START, END = "<!-- table: make chaos -->", "<!-- end of the table -->"


@dataclass
class Row:
    """All rounds of one kind."""

    kind: str
    verdicts: list[Verdict] = field(default_factory=list)
    unable: str = ""

    def cells(self) -> tuple[str, ...]:
        if self.unable:
            return (self.kind, "0", "", "", "", f"not here: {self.unable}")
        wrong = sum(len(v.wrong) for v in self.verdicts)
        return (
            self.kind,
            str(len(self.verdicts)),
            str(sum(v.kills for v in self.verdicts)),
            str(sum(len(v.lost) for v in self.verdicts)),
            str(sum(len(v.doubled) for v in self.verdicts)),
            str(sum(v.repeats for v in self.verdicts)) + (f", {wrong} faults" if wrong else ""),
        )


HEAD = ("what happens", "rounds", "kills", "lost", "doubled", "digests and hooks told twice")


def table(rows: list[Row], minutes: float, seed: int) -> str:
    total = [v for row in rows for v in row.verdicts]
    count = sum(v.kills for v in total)
    lines = ["| " + " | ".join(HEAD) + " |", "| --- | ---: | ---: | ---: | ---: | --- |"]
    lines += ["| " + " | ".join(row.cells()) + " |" for row in rows]
    lost, doubled = sum(len(v.lost) for v in total), sum(len(v.doubled) for v in total)
    lines.append(f"| **all** | {len(total)} | **{count}** | **{lost}** | **{doubled}** | |")
    how = f"Seeds {seed} to {seed + ROUNDS - 1}, {os.cpu_count()} cores: {minutes:.0f} minutes"
    return "\n".join([*lines, "", f"{how}, {count / max(minutes, 0.01):.0f} kills a minute."])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="SIGKILLs in all; 0 leaves them out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="worlds at a time")
    parser.add_argument("--only", action="append", metavar="KIND", help="only rows whose name has this in it")
    parser.add_argument("--backfill", type=int, default=backfill.ISSUES, help="issues; 0 leaves it out")
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE.name}")
    options = parser.parse_args()
    rounds = [
        r
        for r in plan(options.kills, options.seed)
        if not options.only or any(o in r.kind for o in options.only)
    ]
    rows = {r.kind: Row(r.kind) for r in rounds}
    started = time.monotonic()
    for number, (wanted, verdict) in enumerate(results(rounds, options.jobs), 1):
        row = rows[wanted.kind]
        if isinstance(verdict, str):
            row.unable = verdict
            continue
        row.verdicts.append(verdict)
        words = (
            "clean"
            if verdict.clean
            else f"LOST {verdict.lost[:3]} DOUBLED {verdict.doubled[:3]} {verdict.wrong}"
        )
        print(
            f"{number:3}/{len(rounds)} {wanted.kind}, seed {wanted.seed}: {verdict.kills} kills, "
            f"{verdict.seconds:.0f} s, {words}",
            flush=True,
        )
    minutes = (time.monotonic() - started) / 60
    text = table(list(rows.values()), minutes, options.seed)
    verdicts = [v for row in rows.values() for v in row.verdicts]
    good = all(v.clean for v in verdicts)
    if not options.only and sum(v.kills for v in verdicts) < options.kills:
        good = False
        text += "\n\nThese are fewer kills than were asked for."
    if options.backfill and not options.only:
        found = backfill.play(options.backfill)
        text += "\n\n" + found.words
        good = good and found.clean
    print(f"\n{text}")
    if options.write:
        page = PAGE.read_text()
        before, _, rest = page.partition(START)
        PAGE.write_text(f"{before}{START}\n{text}\n{END}{rest.partition(END)[2]}")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()

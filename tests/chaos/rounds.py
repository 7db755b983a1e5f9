"""Which rounds there are, and playing many of them at a time."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass

from tests.chaos import faults, kills
from tests.chaos.ground import Verdict

ROUNDS = 4


@dataclass(frozen=True)
class Round:
    """One world: what happens in it, and how often."""

    kind: str
    seed: int
    kills: int = 0
    """0 where the kind is a fault."""


def plan(total: int, seed: int) -> list[Round]:
    """Rounds in which at least so many kills happen, and as many rounds of every fault.

    One kill more in each than is needed: now and then a round runs out of tries.
    """
    each = -(-total // (len(kills.KILLS) * ROUNDS)) + 1 if total else 0
    rounds = [Round(kind, seed + n, each) for n in range(ROUNDS if each else 0) for kind in kills.KILLS]
    return rounds + [Round(kind, seed + n) for n in range(ROUNDS) for kind in faults.FAULTS]


def play(wanted: Round) -> Verdict | str:
    """One round; a text where this machine cannot have it."""
    try:
        if wanted.kills:
            return kills.play(wanted.kind, wanted.seed, wanted.kills)
        return faults.play(wanted.kind, wanted.seed)
    except faults.Unable as reason:
        return str(reason)
    except Exception as error:  # a round that breaks is a result, too: it must not end the others
        return Verdict(wrong=(f"the round itself failed: {type(error).__name__}: {error}",))


def results(rounds: list[Round], jobs: int) -> Iterator[tuple[Round, Verdict | str]]:
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        futures = {pool.submit(play, wanted): wanted for wanted in rounds}
        for future in as_completed(futures):
            yield futures[future], future.result()

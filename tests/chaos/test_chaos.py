"""A short, seeded set of the rounds that `make chaos` plays by the hundred."""

import pytest

from tests.chaos import faults, kills
from tests.chaos.rounds import plan


@pytest.mark.chaos
@pytest.mark.parametrize(
    ("kind", "seed", "count"),
    [
        pytest.param("any call", 11, 4, marks=pytest.mark.slow),
        ("between commits", 12, 2),
        pytest.param("all on, any call", 13, 3, marks=pytest.mark.slow),
    ],
)
def test_killed_and_started_again(kind: str, seed: int, count: int) -> None:
    verdict = kills.play(kind, seed, count)
    assert verdict.clean, verdict
    assert verdict.kills >= count


@pytest.mark.chaos
@pytest.mark.slow
def test_something_breaks_for_a_while() -> None:
    verdict = faults.play("files may not grow", 13)
    assert verdict.clean, verdict


def test_the_long_set_kills_as_often_as_it_is_asked_to() -> None:
    rounds = plan(1000, seed=1)
    assert sum(wanted.kills for wanted in rounds) >= 1000
    assert {wanted.kind for wanted in rounds} == {*kills.KILLS, *faults.FAULTS}
    assert len({(wanted.kind, wanted.seed) for wanted in rounds}) == len(rounds)

"""A short, seeded set of the rounds that `make chaos` plays by the hundred."""

import pytest

from tests.chaos.rounds import play


@pytest.mark.chaos
@pytest.mark.parametrize(("seed", "faults"), [(1, False), (2, True), (3, True)])
def test_a_round(seed: int, faults: bool) -> None:
    result = play(seed, 4, faults=faults)
    assert (result.lost, result.doubled, result.status) == (0, 0, "completed"), result
    assert result.kills >= 2

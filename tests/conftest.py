"""Fixtures that several folders share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.world import World

# How long an example takes says how busy the machine is.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A checked sandbox with the demo issues, and the program in a process and folder of its own."""
    with World(tmp_path) as made:
        yield made
        made.assert_contracts()


@pytest.fixture
def anew(tmp_path: Path) -> Iterator[World]:
    """The same, with the program started anew each time as its users start it."""
    with World(tmp_path, anew=True) as made:
        yield made
        made.assert_contracts()

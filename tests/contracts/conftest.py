"""A fresh checked sandbox for each test."""

from collections.abc import Iterator

import pytest

from tests.contracts.api import Api


@pytest.fixture
def api() -> Iterator[Api]:
    """Fails at the end where anything broke a specification; tests of refusals empty the list themselves."""
    found = Api()
    yield found
    found.clean()

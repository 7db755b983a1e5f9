"""Sub-flows are tested with nodes of the tests' own."""

from collections.abc import Iterator

import pytest

from nodes import NODES
from tests.subflows import flows


@pytest.fixture(autouse=True)
def test_nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, node in flows.TEST_NODES.items():
        monkeypatch.setitem(NODES, name, node)
    flows.FALLS.clear()
    yield

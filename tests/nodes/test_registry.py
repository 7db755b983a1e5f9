"""The list of nodes and the folder say the same."""

from dataclasses import fields, is_dataclass
from pathlib import Path

import nodes
from nodes import NODES

FOLDER = Path(nodes.__file__).parent


def test_every_file_is_listed_and_tested() -> None:
    on_disk = {path.stem for path in FOLDER.glob("*.py")} - {"__init__", "base"}
    assert on_disk == set(NODES)
    tested = {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")}
    assert on_disk <= tested


def test_names_and_classes_agree() -> None:
    for name, node in NODES.items():
        assert node.__name__ == "".join(word.capitalize() for word in name.split("_"))
        assert node.__module__ == f"nodes.{name}"
        assert is_dataclass(node)
        assert node.__dataclass_params__.frozen  # type: ignore[attr-defined]
        assert all(spec.name.islower() for spec in fields(node))

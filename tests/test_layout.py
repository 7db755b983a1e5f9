"""The layout is what the documentation says: folders, lists and tests agree."""

import importlib.metadata
import importlib.util
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("bot", "config", "integrations", "models", "nodes", "subflows")
INTEGRATION_FILES = ("settings", "client", "payloads", "webhook", "commands", "sandbox")


def test_this_distribution_alone_owns_its_generic_names() -> None:
    owners = importlib.metadata.packages_distributions()
    for name in PACKAGES:
        found = set(owners.get(name, [])) - {"switchyard-bot"}
        assert not found, f"{name} also belongs to {found}: install Switchyard into an environment of its own"
        spec = importlib.util.find_spec(name)
        assert spec is not None and spec.origin is not None
        assert Path(spec.origin).is_relative_to(ROOT)


def test_the_wheel_holds_every_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert sorted(packages) == sorted(PACKAGES)


@pytest.mark.parametrize("folder", sorted(p.name for p in (ROOT / "integrations").iterdir() if p.is_dir()))
def test_integrations_have_the_same_file_names(folder: str) -> None:
    if folder.startswith("__"):
        return
    for path in (ROOT / "integrations" / folder).iterdir():
        if not path.stem.startswith("__"):
            assert path.stem.split("_")[0] in INTEGRATION_FILES, f"{path}: what is it?"


@pytest.mark.parametrize("path", sorted(ROOT.glob("nodes/*.py")), ids=lambda p: p.stem)
def test_every_node_has_a_test(path: Path) -> None:
    if path.stem not in ("__init__", "base"):
        assert (ROOT / "tests" / "nodes" / f"test_{path.stem}.py").exists()


def test_no_module_is_called_by_what_it_is_not() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
    assert not [path for name in PACKAGES for path in (ROOT / name).rglob("*.py") if path.stem in vague]


def test_every_module_says_what_it_is_in_one_sentence() -> None:
    silent = []
    for name in PACKAGES:
        for path in (ROOT / name).rglob("*.py"):
            text = path.read_text()
            if text.strip() and not text.lstrip().startswith('"""'):
                silent.append(str(path.relative_to(ROOT)))
    assert not silent


def test_locks_name_no_host() -> None:
    for path in ROOT.glob("requirements*.txt"):
        text = path.read_text()
        assert "://" not in text and "--index-url" not in text

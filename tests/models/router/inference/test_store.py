"""The store: versions, the active one, what may replace it, and the way back."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from models.errors import UserFacing
from models.router.inference import files
from models.router.inference.store import Store, objection
from models.router.training import train


def held_out(
    ours: float, theirs: float | None, champion: str, shipped: float | None = None
) -> dict[str, Any]:
    return {
        "rows": 40,
        "base": None if shipped is None else {"accuracy": shipped, "macro_f1": shipped},
        "beats_base": None if shipped is None else ours > shipped,
        "challenger": {"accuracy": ours, "macro_f1": ours},
        "champion": None if theirs is None else {"accuracy": theirs, "macro_f1": theirs},
        "champion_version": champion,
    }


def add(store: Store, trained: train.Trained, version: str, **card: Any) -> str:
    store.add(trained.arrays, {**trained.card, "version": version, **card})
    return version


def test_life_of_a_version(tmp_path: Path, trained: train.Trained) -> None:
    store = Store(tmp_path / "models")
    assert store.active() == "builtin"
    assert [v.name for v in store.versions()] == ["builtin"]
    shipped = store.load().version
    good = add(store, trained, "20261120-1530-ab12cd", held_out=held_out(0.9, 0.8, shipped))
    better = add(store, trained, "20261121-1530-ab12cd", held_out=held_out(0.95, 0.9, good))
    worse = add(store, trained, "20261122-1530-ab12cd", held_out=held_out(0.5, 0.9, better))

    assert store.promote(good) == "builtin"
    assert store.load().version == good
    assert store.promote(better) == good
    with pytest.raises(UserFacing, match=r"macro-F1 is 0\.500.*0\.900.*--force"):
        store.promote(worse)
    assert store.active() == better
    store.promote(worse, force=True)
    assert [v.name for v in store.versions() if v.active] == [worse]
    assert [store.rollback(), store.rollback(), store.rollback()] == [better, good, "builtin"]
    with pytest.raises(UserFacing, match="none before it"):
        store.rollback()
    assert store.path(good) == tmp_path / "models" / good


def test_names_that_are_no_versions(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for name in ("20261120-1530-ffffff", "../../etc", "nonsense"):
        with pytest.raises(UserFacing, match="no version"):
            store.promote(name)
    with pytest.raises(UserFacing, match="no version"):
        store.load("20261120-1530-ffffff")


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"history": []}', '{"history": ["../x"]}', '{"history": 3}']
)
def test_damaged_state_is_said(tmp_path: Path, content: str) -> None:
    (tmp_path / "active.json").write_text(content)
    with pytest.raises(UserFacing, match=r"active\.json: damaged"):
        Store(tmp_path).active()


def test_damaged_candidate_is_not_promoted(tmp_path: Path, trained: train.Trained) -> None:
    store = Store(tmp_path)
    name = add(store, trained, "20261120-1530-ab12cd")
    (tmp_path / name / "weights.npz").write_bytes(b"")
    with pytest.raises(UserFacing, match="checksum"):
        store.promote(name, force=True)
    assert store.active() == "builtin"


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        (held_out(0.8, 0.8, "v1"), None),
        (held_out(0.7, 0.8, "v1"), "macro-F1 is 0.700"),
        (held_out(0.9, 0.8, "v0"), "--csv later.csv"),
        (held_out(0.9, None, "v1"), "--csv later.csv"),
        (None, "--csv later.csv"),
        (held_out(0.8, 0.7, "v1", shipped=0.75), None),
        (held_out(0.8, 0.7, "v1", shipped=0.85), "does not beat the shipped model"),
    ],
    ids=[
        "equal",
        "worse",
        "another champion",
        "champion had seen them",
        "no held-out rows",
        "above the shipped one",
        "below the shipped one",
    ],
)
def test_what_speaks_against(figures: dict[str, Any] | None, said: str | None) -> None:
    """Two models' own cross-validations say nothing about which is better: they had different rows."""
    found = objection({"held_out": figures, "macro_f1": 0.99}, "v1", {"version": "v1", "macro_f1": 0.1})
    assert found is None if said is None else found is not None and said in found


def test_training_says_how_champion_and_challenger_did(trained: train.Trained) -> None:
    figures = trained.card["held_out"]
    assert figures["rows"] == 48
    assert 0.5 < figures["challenger"]["macro_f1"] <= 1
    assert 0 < figures["champion"]["macro_f1"] <= 1
    assert figures["champion_version"] == trained.card["base"]
    assert figures["base"] == figures["champion"]
    assert figures["beats_base"] is (figures["challenger"]["macro_f1"] > figures["base"]["macro_f1"])
    assert "latest fifth" in figures["split"]


def test_two_that_promote_at_once_are_both_remembered(tmp_path: Path, trained: train.Trained) -> None:
    store = Store(tmp_path)
    names = [add(store, trained, f"2026112{n}-1530-ab12cd") for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        before = list(pool.map(lambda name: store.promote(name, force=True), names))
    back = [store.active(), *(store.rollback() for _ in names)]
    assert sorted(back[:-1]) == names
    assert sorted(before) == sorted(back[1:])


def test_the_same_training_twice_at_once(
    tmp_path: Path, trained: train.Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    save = files.save

    def slowly(directory: Path, *made: Any) -> files.Card:
        save(store.root / trained.card["version"], *made)  # the other one is first
        return save(directory, *made)

    monkeypatch.setattr(files, "save", slowly)
    assert store.add(trained.arrays, trained.card)["version"] == trained.card["version"]
    assert [path.name for path in tmp_path.iterdir()] == [trained.card["version"]]

"""The store: versions, the active one, what may replace it, and the way back."""

from pathlib import Path
from typing import Any

import pytest

from models.errors import UserFacing
from models.router import train
from models.router.store import Store, objection


def held_out(ours: float, theirs: float | None, champion: str) -> dict[str, Any]:
    return {
        "rows": 40,
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
    ("card", "allowed"),
    [
        ({"held_out": held_out(0.8, 0.8, "v1")}, True),
        ({"held_out": held_out(0.7, 0.8, "v1")}, False),
        ({"held_out": held_out(0.9, 0.8, "v0"), "macro_f1": 0.5}, False),
        ({"held_out": held_out(0.9, None, "v1"), "macro_f1": 0.8}, True),
        ({"held_out": None, "macro_f1": 0.6}, False),
    ],
    ids=["equal", "worse", "another champion, worse", "champion had seen them", "no held-out rows"],
)
def test_what_speaks_against(card: dict[str, Any], allowed: bool) -> None:
    assert (objection(card, "v1", {"version": "v1", "macro_f1": 0.7}) is None) is allowed


def test_training_says_how_champion_and_challenger_did(trained: train.Trained) -> None:
    figures = trained.card["held_out"]
    assert figures["rows"] == 48
    assert 0.5 < figures["challenger"]["macro_f1"] <= 1
    assert 0 < figures["champion"]["macro_f1"] <= 1
    assert figures["champion_version"] == trained.card["base"]
    assert "latest fifth" in figures["split"]

"""Model files: whatever is wrong with one, it is refused in one line and nothing of it runs."""

import hashlib
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.lib import format as npy

from models.errors import UserFacing
from models.router.inference import files
from models.router.inference.predict import load
from models.router.inference.text import Text

RAN: list[str] = []


class Bomb:
    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return RAN.append, ("ran",)


def refused(path: Path, *words: str) -> None:
    with pytest.raises(UserFacing) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert RAN == []


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path / files.WEIGHTS) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(path: Path, content: dict[str, bytes]) -> None:
    """Replace the arrays, and make the card fit them."""
    with zipfile.ZipFile(path / files.WEIGHTS, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    fit_card(path)


def fit_card(path: Path, **changes: Any) -> None:
    card = json.loads((path / files.CARD).read_text())
    card |= {"sha256": hashlib.sha256((path / files.WEIGHTS).read_bytes()).hexdigest()} | changes
    (path / files.CARD).write_text(json.dumps(card))


def packed(array: np.ndarray[Any, Any], *, pickled: bool = False) -> bytes:
    buffer = io.BytesIO()
    npy.write_array(buffer, array, allow_pickle=pickled)
    return buffer.getvalue()


def test_a_written_model_is_read_again(model_path: Path) -> None:
    model = load(model_path)
    assert model.predict([Text("", "a crash", "")])[0].route in model.labels


def test_saving_twice_gives_the_same_file(model_path: Path, tmp_path: Path) -> None:
    card, arrays = files.read(model_path)
    again = files.save(tmp_path / "again", arrays, {k: v for k, v in card.items() if k != "sha256"})
    assert again["sha256"] == card["sha256"]


def test_pickle_in_place_of_an_array(model_path: Path) -> None:
    content = members(model_path)
    content["idf.npy"] = pickle.dumps(Bomb())
    rewrite(model_path, content)
    refused(model_path, "damaged")


def test_array_of_objects(model_path: Path) -> None:
    content = members(model_path)
    content["idf.npy"] = packed(np.array([Bomb()], dtype=object), pickled=True)
    rewrite(model_path, content)
    refused(model_path, "idf")


def test_pickle_in_place_of_the_archive(model_path: Path) -> None:
    (model_path / files.WEIGHTS).write_bytes(pickle.dumps(Bomb()))
    fit_card(model_path)
    refused(model_path, "damaged")


def test_further_member(model_path: Path) -> None:
    rewrite(model_path, members(model_path) | {"evil.npy": pickle.dumps(Bomb())})
    refused(model_path, "does not hold the arrays")


def test_member_twice(model_path: Path) -> None:
    content = members(model_path)
    with (
        pytest.warns(UserWarning, match="Duplicate"),
        zipfile.ZipFile(model_path / files.WEIGHTS, "w") as archive,
    ):
        for name, data in [*content.items(), ("idf.npy", content["idf.npy"])]:
            archive.writestr(name, data)
    fit_card(model_path)
    refused(model_path, "does not hold the arrays")


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(3, "<f2"),
        np.zeros((2, 2), "<f2"),
        np.zeros(8, "<f8"),
        np.asfortranarray(np.zeros((4, 4), "<f2")),
        np.zeros(4, "S8"),
    ],
    ids=["short", "flat", "doubles", "fortran", "strings"],
)
def test_wrong_shape_or_type(model_path: Path, array: np.ndarray[Any, Any]) -> None:
    rewrite(model_path, members(model_path) | {"weights.npy": packed(array)})
    refused(model_path, "weights")


def test_no_numbers(model_path: Path) -> None:
    content = members(model_path)
    weights = npy.read_array(io.BytesIO(content["weights.npy"]))
    weights[0, 0] = np.nan
    rewrite(model_path, content | {"weights.npy": packed(weights)})
    refused(model_path, "weights", "no numbers")


def test_numbers_that_no_weight_has(model_path: Path) -> None:
    content = members(model_path)
    for name in ("intercept", "repo_intercept"):
        values = npy.read_array(io.BytesIO(content[f"{name}.npy"]))
        content |= {f"{name}.npy": packed(np.full_like(values, 3.4e38))}
    rewrite(model_path, content)
    refused(model_path, "intercept", "no weight has")


def test_header_that_promises_more_than_there_is(model_path: Path) -> None:
    buffer = io.BytesIO()
    npy.write_array_header_1_0(buffer, {"descr": "<f2", "fortran_order": False, "shape": (10**12,)})
    rewrite(model_path, members(model_path) | {"idf.npy": buffer.getvalue() + b"\0" * 16})
    refused(model_path, "idf", "cut off")


def test_archive_that_expands_without_end(model_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_EXPANDED", 1_000_000)
    rewrite(model_path, members(model_path) | {"idf.npy": b"\0" * 2_000_000})
    refused(model_path, "expands")


def test_columns_that_point_outside(model_path: Path) -> None:
    content = members(model_path)
    columns = npy.read_array(io.BytesIO(content["repo_columns.npy"]))
    assert len(columns)
    columns[-1] = 2**31 - 1
    rewrite(model_path, content | {"repo_columns.npy": packed(columns)})
    refused(model_path, "repo_columns")


@pytest.mark.parametrize("keep", [0, 10, 1000, -1])
def test_cut_off(model_path: Path, keep: int) -> None:
    data = (model_path / files.WEIGHTS).read_bytes()
    (model_path / files.WEIGHTS).write_bytes(data[:keep])
    refused(model_path, "checksum")
    fit_card(model_path)
    refused(model_path)


def test_every_byte_counts(model_path: Path) -> None:
    data = bytearray((model_path / files.WEIGHTS).read_bytes())
    data[len(data) // 2] ^= 0xFF
    (model_path / files.WEIGHTS).write_bytes(bytes(data))
    refused(model_path, "checksum")
    fit_card(model_path)
    refused(model_path)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"format": "other"}, "not the card"),
        ({"format_version": 2}, "newer"),
        ({"feature_version": 99}, "newer"),
        ({"feature_version": "1"}, "feature_version"),
        ({"labels": ["bug", "launch"]}, "labels"),
        ({"labels": ["bug", "bug"]}, "labels"),
        ({"labels": [["bug"]]}, "labels"),
        ({"labels": 4}, "labels"),
        ({"repositories": None}, "repositories"),
        ({"repositories": ["a/b"] * 3}, "repositories"),
        ({"thresholds": {}}, "thresholds"),
        ({"thresholds": {"bug": "x", "feature": 1, "docs": 1, "question": 1}}, "threshold"),
        ({"security_threshold": 2}, "threshold"),
        ({"version": 3}, "version"),
        ({"sha256": None}, "checksum"),
        ({"version": "a\nb"}, "version"),
        ({"version": "\ud800"}, "version"),
        ({"rows": [1]}, "rows"),
        ({"rows": {"bug": "x"}}, "rows"),
        ({"created_at": None}, "created_at"),
        ({"macro_f1": []}, "macro_f1"),
        ({"dates": [1, 2]}, "dates"),
        ({"held_out": [1]}, "held_out"),
        ({"held_out": {"challenger": 1, "base": {"macro_f1": 0.5}}}, "held_out"),
    ],
)
def test_card_that_lies(model_path: Path, changes: dict[str, Any], word: str) -> None:
    fit_card(model_path, **changes)
    refused(model_path, word)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b"null"])
def test_card_that_is_none(model_path: Path, content: bytes) -> None:
    (model_path / files.CARD).write_bytes(content)
    refused(model_path, "card.json")


def test_nothing_there(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", "no router model")
    refused(tmp_path, "no router model")
    (tmp_path / "card.json").mkdir()
    refused(tmp_path)

"""The reliability diagram: any bands can be drawn, and its error is the usual one."""

from pathlib import Path
from typing import Any

import pytest

from models.errors import UserFacing
from models.router.training.plot import draw, expected_error

BANDS: list[dict[str, Any]] = [
    {"from": 0.5, "to": 0.6, "rows": 10, "confidence": 0.55, "accuracy": 0.75},
    {"from": 0.9, "to": 1.0, "rows": 30, "confidence": 0.95, "accuracy": 0.9},
]


def test_the_error_is_weighed_by_rows() -> None:
    assert expected_error(BANDS) == pytest.approx((10 * 0.2 + 30 * 0.05) / 40)
    assert expected_error([]) == 0.0


@pytest.mark.parametrize("bands", [BANDS, BANDS[:1], []])
@pytest.mark.parametrize("thresholds", [{}, {"bug": 0.9, "docs": None, "other": 1.0}])
def test_any_bands_are_drawn(tmp_path: Path, bands: Any, thresholds: Any) -> None:
    draw(tmp_path / "r.png", bands, thresholds, "$x^2$ _builtin_")
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")


def test_a_folder_that_refuses_it(tmp_path: Path) -> None:
    (tmp_path / "r.png").mkdir()
    with pytest.raises(UserFacing, match=r"cannot be written"):
        draw(tmp_path / "r.png", BANDS, {}, "m")

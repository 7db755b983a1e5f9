"""Draws the reliability diagram: whether the router is right as often as it is sure, as a PNG file."""

import io
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import UserFacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {"bug": "#c2410c", "feature": "#1d4ed8", "docs": "#0f766e", "question": "#a16207"}
_INK, _SOFT, _BAR, _PALE = "#1a2129", "#5a6672", "#b9cdea", "#e6edf7"
FEW = 20
"""Rows below which a band's share says little."""


def check(path: Path) -> None:
    """UserFacing where no plot could be written there; before the rows are measured, which takes longer."""
    if path.suffix.lower() != ".png":
        raise UserFacing(f"{path}: a plot is written as PNG; name it FILE.png")
    if not path.resolve().parent.is_dir():
        raise UserFacing(f"{path}: there is no folder {path.resolve().parent}")
    # It tells of caches and fonts that it had to do without; nobody asked.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise UserFacing("a plot needs matplotlib: pip install 'switchyard-bot[plot]'") from None


def expected_error(bands: Sequence[Mapping[str, float]]) -> float:
    """ECE: by how much confidence and the share that was right part, on average over the rows."""
    rows = sum(band["rows"] for band in bands)
    apart = sum(band["rows"] * abs(band["confidence"] - band["accuracy"]) for band in bands)
    return apart / rows if rows else 0.0


def draw(
    path: Path, bands: Sequence[Mapping[str, float]], thresholds: Mapping[str, float | None], model: str
) -> None:
    """Write the diagram of `evaluate.reliability`'s bands; UserFacing where it cannot be written."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    rows = int(sum(band["rows"] for band in bands))
    figure = Figure(figsize=(7.2, 7.6), dpi=130, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)  # the figure draws without a display, whatever $MPLBACKEND says
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    figure.suptitle(
        f"Reliability of {model}: ECE {expected_error(bands):.3f} over {rows:,} rows", fontsize=12.5
    )
    _shares(above, bands)
    _thresholds(above, thresholds)
    _counts(below, bands)
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=_SOFT)
    bars = Patch(color=_BAR, label=f"share that was right (pale: fewer than {FEW} rows)")
    lines = above.get_legend_handles_labels()[0]
    figure.legend(handles=[bars, *lines], loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    try:
        path.write_bytes(drawn.getvalue())
    except OSError as error:
        raise UserFacing(f"{path}: cannot be written ({error.strerror})") from None


def _shares(axes: "Axes", bands: Sequence[Mapping[str, float]]) -> None:
    axes.bar(
        [band["from"] for band in bands],
        [band["accuracy"] for band in bands],
        [0.94 * (band["to"] - band["from"]) for band in bands],
        align="edge",
        color=[_BAR if band["rows"] >= FEW else _PALE for band in bands],
    )
    axes.plot(
        [band["confidence"] for band in bands],
        [band["accuracy"] for band in bands],
        marker="o",
        color=_INK,
        linestyle="none",
        markersize=5,
        label="the same at the mean confidence",
    )
    axes.plot((0, 1), (0, 1), color=_SOFT, linewidth=1, linestyle="--", label="as often right as sure")
    axes.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="share that was right")


def _counts(axes: "Axes", bands: Sequence[Mapping[str, float]]) -> None:
    bars = axes.bar(
        [band["from"] for band in bands],
        [band["rows"] for band in bands],
        [0.94 * (band["to"] - band["from"]) for band in bands],
        align="edge",
        color=[_BAR if band["rows"] >= FEW else _PALE for band in bands],
    )
    axes.bar_label(bars, [f"{int(band['rows']):,}" for band in bands], fontsize=8, color=_SOFT, padding=1)
    axes.margins(y=0.22)
    axes.set(xlabel="confidence", ylabel="rows", xticks=[i / 10 for i in range(11)])


def _thresholds(axes: "Axes", thresholds: Mapping[str, float | None]) -> None:
    for route, threshold in thresholds.items():
        if threshold is not None:
            axes.axvline(
                threshold,
                color=_COLOURS.get(route, _SOFT),
                linewidth=1.4,
                linestyle=":",
                label=f"{route} is accepted from {threshold:.2f}",
            )

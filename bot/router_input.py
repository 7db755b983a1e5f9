"""What the router commands read: labelled rows, label maps and texts; and what a model makes of the rows."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.router_output import progress, say
from models.errors import UserFacing

if TYPE_CHECKING:
    from models.router.inference.predict import Model
    from models.router.training.data import Row

CHUNK = 512


def read_all(paths: list[Path], label_map: Path | None, encoding: str) -> "tuple[list[Row], dict[str, int]]":
    """Labelled rows of all files and how many each gave; UserFacing where there are none."""
    from models.router.training.data import DEFAULT_LABELS, read_rows

    mapping = {**DEFAULT_LABELS, **(label_map_of(label_map) or {})} if label_map else None
    rows: list[Row] = []
    sources: dict[str, int] = {}
    for path in paths:
        table = read_rows(path, mapping, encoding)
        for note in table.notes:
            say(f"{path}: {note}")
        rows += table.rows
        sources[path.name] = sources.get(path.name, 0) + len(table.rows)
    if not rows:
        raise UserFacing(
            f"{', '.join(map(str, paths))}: no row has a known label; --label-map FILE maps labels to routes"
        )
    return rows, sources


def label_map_of(path: Path | None) -> dict[str, str] | None:
    """The label map in a file, if one is named."""
    from models.router.training.data import read_label_map

    return read_label_map(path) if path else None


def read_body(path: Path | None) -> str:
    """The text of a file, or of stdin for "-"; empty where none is named."""
    if path is None:
        return ""
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise UserFacing(f"{path}: cannot be read ({error.strerror})") from None
    return data.decode("utf-8-sig", "replace")


def measure_model(rows: "list[Row]", loaded: "Model") -> dict[str, Any]:
    """What `router evaluate --json` prints."""
    from models.router.training.data import SECURITY
    from models.router.training.evaluate import measure, reliability

    found = []
    with progress("measuring") as advance:
        for start in range(0, len(rows), CHUNK):
            found += loaded.predict([row.text for row in rows[start : start + CHUNK]])
            advance(min(len(rows), start + CHUNK), len(rows))
    routed = [(row, p) for row, p in zip(rows, found, strict=True) if row.label != SECURITY]
    if not routed:
        raise UserFacing("no rows with a route (bug, feature, docs, question) to measure on")
    truth, said = [row.label for row, _ in routed], [p.route for _, p in routed]
    figures = measure(truth, said, [p.accepted for _, p in routed], [row.text.repo for row, _ in routed])
    figures["reliability"] = reliability(
        [p.confidence for _, p in routed], [t == s for t, s in zip(truth, said, strict=True)]
    )
    secret = [p for row, p in zip(rows, found, strict=True) if row.label == SECURITY]
    if secret:
        figures["security"] = {"rows": len(secret), "flagged": sum(p.security_flag for p in secret)}
    figures["thresholds"] = dict(zip(loaded.labels, loaded.thresholds, strict=True))
    figures["model"] = loaded.version
    return figures

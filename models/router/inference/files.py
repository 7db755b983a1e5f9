"""A model on disk: `card.json` and `weights.npz`, read without running anything that is in them.

Names, types, shapes and sizes are checked before a single array is used. A checksum alone would not
do: whoever can write the arrays can write the card too.
"""

import hashlib
import io
import itertools
import json
import math
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from models.case import LABELS
from models.errors import UserFacing
from models.router.inference.features import FEATURE_VERSION, SIZE

FORMAT = "switchyard-router"
FORMAT_VERSION = 1
CARD, WEIGHTS = "card.json", "weights.npz"
MAX_CARD = 4_000_000
MAX_WEIGHTS = 64_000_000
"""Bytes; the built-in model has about 4 million, and a model with a hundred repositories stays below this."""
MAX_EXPANDED = 256_000_000
MAX_REPOSITORIES = 10_000
MAX_VALUE = 1e6
"""No weight is larger; sums of larger ones could leave the range of numbers, and probabilities with it."""

Arrays = dict[str, NDArray[Any]]
Card = dict[str, Any]


def save(directory: Path, arrays: Mapping[str, NDArray[Any]], card: Card) -> Card:
    """Write a model; the directory appears whole or not at all. Returns the card with its checksum."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(arrays):
            content = io.BytesIO()
            npy.write_array(content, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            # A fixed date makes the same model the same file, whenever it is built.
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy", (2026, 1, 1, 0, 0, 0)),
                content.getvalue(),
                zipfile.ZIP_DEFLATED,
                6,
            )
    data = buffer.getvalue()
    card = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "feature_version": FEATURE_VERSION,
        **card,
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    directory.mkdir(parents=True, exist_ok=True)
    _replace(directory / WEIGHTS, data)
    _replace(directory / CARD, (json.dumps(card, indent=2, ensure_ascii=False) + "\n").encode())
    return card


def _replace(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def read_card(directory: Path) -> Card:
    """The card of the model in `directory`, checked; UserFacing says in one line what is wrong."""
    data = _read(directory / CARD, MAX_CARD)
    try:
        card = json.loads(data)
    except (ValueError, RecursionError):
        raise _refused(directory, f"{CARD} is not JSON") from None
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise _refused(directory, f"{CARD} is not the card of a Switchyard router")
    for key, own in (("format_version", FORMAT_VERSION), ("feature_version", FEATURE_VERSION)):
        found = card.get(key)
        if not isinstance(found, int) or isinstance(found, bool) or found < 1:
            raise _refused(directory, f"{key} is missing or no number")
        if found > own:
            raise _refused(directory, f"it was made by a newer Switchyard ({key} {found}, known is {own})")
        if found < own:
            raise _refused(directory, f"it was made by an older Switchyard ({key} {found}); train it again")
    _check_card(directory, card)
    return card


def _check_card(directory: Path, card: Card) -> None:
    def strings(value: Any, limit: int) -> TypeGuard[list[str]]:
        return (
            isinstance(value, list)
            and len(value) <= limit
            and all(isinstance(v, str) and len(v) <= 200 for v in value)
            and len(set(value)) == len(value)
        )

    labels, repositories = card.get("labels"), card.get("repositories")
    if not strings(labels, len(LABELS)) or not labels or not set(labels) <= set(LABELS):
        raise _refused(directory, "its labels are not routes of the router")
    if not strings(repositories, MAX_REPOSITORIES):
        raise _refused(directory, "its list of repositories is damaged")
    version = card.get("version")
    if not isinstance(version, str) or not 1 <= len(version) <= 80 or not version.isprintable():
        raise _refused(directory, "its version is missing or no name")
    thresholds = card.get("thresholds")
    if not isinstance(thresholds, dict) or not set(labels) <= set(thresholds):
        raise _refused(directory, "its thresholds are missing")
    for value in (*thresholds.values(), card.get("security_threshold")):
        if value is not None and not _is_share(value):
            raise _refused(directory, "a threshold is not a number between 0 and 1")
    if not isinstance(card.get("sha256"), str):
        raise _refused(directory, "its checksum is missing")
    _check_told(directory, card)


def _check_told(directory: Path, card: Card) -> None:
    """What `list`, `promote` and a later training read of a card; it may be missing, but not of another kind."""

    def number(value: Any) -> bool:
        return isinstance(value, (int, float)) and not isinstance(value, bool)

    def figures(value: Any) -> bool:
        return value is None or (isinstance(value, dict) and number(value.get("macro_f1")))

    rows, held_out, dates = card.get("rows"), card.get("held_out"), card.get("dates")
    if rows is not None and not (isinstance(rows, dict) and all(number(count) for count in rows.values())):
        raise _refused(directory, "its rows are no numbers")
    if not isinstance(card.get("created_at", ""), str):
        raise _refused(directory, "its created_at is no time")
    if card.get("macro_f1") is not None and not number(card["macro_f1"]):
        raise _refused(directory, "its macro_f1 is no number")
    if dates is not None and not (isinstance(dates, list) and all(isinstance(date, str) for date in dates)):
        raise _refused(directory, "its dates are no times")
    if held_out is not None and not (
        isinstance(held_out, dict)
        and all(figures(held_out.get(name)) for name in ("challenger", "champion", "base"))
    ):
        raise _refused(directory, "its held_out holds no figures")


def _is_share(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


def read(directory: Path) -> tuple[Card, Arrays]:
    """Card and arrays of the model in `directory`, checked; UserFacing where anything is amiss."""
    card = read_card(directory)
    data = _read(directory / WEIGHTS, MAX_WEIGHTS)
    if hashlib.sha256(data).hexdigest() != card["sha256"]:
        raise _refused(directory, f"{WEIGHTS} does not have the checksum that the card names; it is damaged")
    try:
        arrays = _unpack(directory, data)
    except UserFacing:
        raise
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise _refused(directory, f"{WEIGHTS} is damaged ({str(error)[:80]})") from None
    except Exception as error:  # zlib.error and whatever else a hostile archive provokes
        raise _refused(directory, f"{WEIGHTS} is damaged ({type(error).__name__})") from None
    _check_arrays(directory, card, arrays)
    return card, arrays


def _unpack(directory: Path, data: bytes) -> Arrays:
    arrays: Arrays = {}
    expanded = 0
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        if sorted(m.filename for m in members) != sorted(f"{name}.npy" for name in TYPES):
            raise _refused(directory, f"{WEIGHTS} does not hold the arrays that it should")
        for member in members:
            expanded += member.file_size
            if expanded > MAX_EXPANDED:
                raise _refused(directory, f"{WEIGHTS} expands to more than {MAX_EXPANDED:,} bytes")
        for member in members:
            name = member.filename.removesuffix(".npy")
            with archive.open(member) as file:
                arrays[name] = _array(directory, name, file.read(member.file_size + 1))
    return arrays


def _array(directory: Path, name: str, data: bytes) -> NDArray[Any]:
    """One array; its header is checked before numpy is let at the content."""
    stream = io.BytesIO(data)
    if npy.read_magic(stream) != (1, 0):
        raise _refused(directory, f"array {name} has an unknown format")
    shape, fortran, dtype = npy.read_array_header_1_0(stream)
    kind, dimensions = TYPES[name]
    if dtype != np.dtype(kind) or dtype.hasobject or fortran or len(shape) != dimensions:
        raise _refused(directory, f"array {name} is {dtype} of shape {shape}, not what it should be")
    if any(n < 0 for n in shape) or math.prod(shape) * dtype.itemsize != len(data) - stream.tell():
        raise _refused(directory, f"array {name} is cut off or too long")
    result: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
    return result


TYPES: dict[str, tuple[str, int]] = {
    "idf": ("<f2", 1),
    "weights": ("<f2", 2),
    "intercept": ("<f4", 1),
    "repo_start": ("<i8", 1),
    "repo_columns": ("<i4", 1),
    "repo_weights": ("<f2", 2),
    "repo_intercept": ("<f4", 2),
    "screen": ("<f2", 1),
    "screen_intercept": ("<f4", 1),
    "fold_columns": ("<i4", 1),
    "fold_weights": ("|i1", 3),
    "fold_scale": ("<f4", 2),
    "fold_intercept": ("<f4", 2),
}
"""Every array of a model, with its type and its number of dimensions."""


def _check_arrays(directory: Path, card: Card, arrays: Arrays) -> None:
    routes, repositories = len(card["labels"]), len(card["repositories"])
    changed, folded = len(arrays["repo_columns"]), len(arrays["fold_columns"])
    folds = len(arrays["fold_weights"])
    shapes: dict[str, tuple[int, ...]] = {
        "idf": (SIZE,),
        "weights": (SIZE, routes),
        "intercept": (routes,),
        "repo_start": (repositories + 1,),
        "repo_columns": (changed,),
        "repo_weights": (changed, routes),
        "repo_intercept": (repositories, routes),
        "screen": (SIZE,),
        "screen_intercept": (1,),
        "fold_columns": (folded,),
        "fold_weights": (folds, folded, routes),
        "fold_scale": (folds, routes),
        "fold_intercept": (folds, routes),
    }
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise _refused(directory, f"array {name} has shape {arrays[name].shape}, {shape} is needed")
        if arrays[name].dtype.kind == "f" and not np.isfinite(arrays[name]).all():
            raise _refused(directory, f"array {name} holds values that are no numbers")
        if arrays[name].dtype == np.float32 and (np.abs(arrays[name]) > MAX_VALUE).any():
            raise _refused(directory, f"array {name} holds values that no weight has")
    start = arrays["repo_start"]
    if start[0] != 0 or start[-1] != changed or (np.diff(start) < 0).any():
        raise _refused(directory, "array repo_start is not in order")
    for name in ("repo_columns", "fold_columns"):
        if len(arrays[name]) and (arrays[name].min() < 0 or arrays[name].max() >= SIZE):
            raise _refused(directory, f"array {name} points outside of the features")
    for first, last in itertools.pairwise(start.tolist()):
        if (np.diff(arrays["repo_columns"][first:last]) <= 0).any():
            raise _refused(directory, "array repo_columns is not in order")


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise UserFacing(f"{path.parent}: no router model there ({path.name} is missing)") from None
    except OSError as error:
        raise UserFacing(f"{path}: cannot be read ({error.strerror})") from None
    if len(data) > limit:
        raise _refused(path.parent, f"{path.name} is larger than {limit:,} bytes")
    return data


def _refused(directory: Path, reason: str) -> UserFacing:
    return UserFacing(f"{directory}: model refused: {reason}")

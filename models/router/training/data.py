"""Reads labelled issues from CSV files and says exactly which row is wrong and how."""

import codecs
import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models.case import LABELS
from models.errors import UserFacing
from models.router.inference.text import Text

SECURITY = "security"
"""The label whose rows train the screen and no route."""

DEFAULT_LABELS: Mapping[str, str] = {
    "bug": "bug",
    "feature": "feature",
    "enhancement": "feature",
    "docs": "docs",
    "documentation": "docs",
    "question": "question",
    "security": SECURITY,
}
CORRECTED = 5.0
"""Weight of a row that comes from a person's correction."""
_LONGEST_CELL = 64_000_000
_NEEDED = ("repo", "title", "body")
_READ = (*_NEEDED, "created_at", "label", "labels")
_END = "\x00end of file\x00"
"""A line behind the last one: a quotation mark that is still open takes it into its cell."""


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled issue; `label` is one of LABELS or "security", `created_at` as it stood in the file.

    `weight` above 1 marks a person's correction, CORRECTED being the usual one; a CSV's rows have 1.
    """

    text: Text
    label: str
    created_at: str = ""
    weight: float = 1.0

    @property
    def corrected(self) -> bool:
        """Whether a person has set this label against what a model said."""
        return self.weight > 1


@dataclass(frozen=True, slots=True)
class Table:
    """The rows that can be used, and how many could not be because of their label."""

    rows: tuple[Row, ...]
    unmapped: Mapping[str, int] = field(default_factory=dict)

    @property
    def notes(self) -> list[str]:
        """One sentence on the rows that were left out, for stderr; empty where all were used."""
        left_out = sum(self.unmapped.values())
        if not left_out:
            return []
        common = sorted(self.unmapped.items(), key=lambda item: (-item[1], item[0]))[:5]
        names = ", ".join(f"{name[:60]!r} ({count})" if name else f"none ({count})" for name, count in common)
        return [f"{left_out} rows left out for their label: {names}; --label-map FILE maps labels to routes"]


def read_rows(path: Path, label_map: Mapping[str, str] | None = None, encoding: str = "utf-8") -> Table:
    """Labelled rows of a CSV (or .csv.gz) with `repo,created_at,label,title,body`.

    Where there is no `label` but a `labels` column with several, divided by `|`, the first that is
    mapped counts. UserFacing names the file, the row and what is wrong.
    """
    rows: list[Row] = []
    unmapped: Counter[str] = Counter()
    mapping = {k.casefold(): v for k, v in (label_map or DEFAULT_LABELS).items()}
    for record in read_records(path, encoding, need_label=True):
        raw = record["label"] if "label" in record else record["labels"]
        names = [raw] if "label" in record else raw.split("|")
        mapped = (mapping.get(name.strip().casefold()) for name in names)
        label = next((m for m in mapped if m), None)
        if label is None:
            unmapped[raw.strip()] += 1
        else:
            rows.append(Row(record_text(record), label, record.get("created_at", "")))
    return Table(tuple(rows), dict(unmapped))


def record_text(record: Mapping[str, str]) -> Text:
    """The text of one CSV record."""
    return Text(record["repo"].strip(), record["title"], record["body"])


def read_records(
    path: Path, encoding: str = "utf-8", *, need_label: bool = False
) -> Iterator[dict[str, str]]:
    """The records of a CSV file one by one; UserFacing where it cannot be read or lacks a column."""
    csv.field_size_limit(_LONGEST_CELL)
    try:
        with _open(path) as file:
            reader = csv.reader(_lines(path, file, encoding), strict=False)
            header = [name.strip().lower() for name in next(reader, [])]
            if not header:
                raise UserFacing(
                    f"{path}: the file is empty; a header with repo,created_at,label,title,body is needed"
                )
            twice = [name for name in _READ if header.count(name) > 1]
            if twice:
                raise UserFacing(f"{path}: row 1: the header names {', '.join(twice)} more than once")
            missing = [name for name in _NEEDED if name not in header]
            if need_label and "label" not in header and "labels" not in header:
                missing.append("label")
            if missing:
                raise UserFacing(
                    f"{path}: row 1: no column {', '.join(missing)} in the header; "
                    f"repo,created_at,label,title,body is needed, found is {','.join(header)[:200]}"
                )
            for number, values in enumerate(reader, start=2):
                if values and values[-1].endswith(_END):
                    if values != [_END]:
                        raise UserFacing(f"{path}: row {number}: a quotation mark is opened and never closed")
                    return
                if not values:
                    continue
                if len(values) != len(header):
                    raise UserFacing(
                        f"{path}: row {number}: {len(values)} cells where the header has {len(header)} "
                        "(an unclosed quotation mark?)"
                    )
                yield dict(zip(header, values, strict=True))
    except csv.Error as error:
        what = str(error)
        if what.startswith("new-line"):
            what = "a carriage return outside of quotation marks; lines have to end in LF or CRLF"
        raise UserFacing(f"{path}: line {reader.line_num}: {what}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise UserFacing(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None


def _open(path: Path) -> Any:
    if path.is_dir():
        raise UserFacing(f"{path}: is a directory; a CSV file is needed")
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _lines(path: Path, file: io.BufferedIOBase, encoding: str) -> Iterator[str]:
    """Decoded lines and _END; an encoding that does not fit is reported with line and byte."""
    try:
        # Lines are taken apart before they are decoded, so a line has to end in the byte that is LF.
        usual = "\n".encode(encoding) == b"\n"
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError):
        raise UserFacing(f"{encoding!r} is not an encoding; utf-8 and latin-1 are common ones") from None
    if not usual:
        raise UserFacing(f"{path}: {encoding} cannot be read; save the file as UTF-8")
    offset = 0
    any_line = False
    for number, line in enumerate(file, start=1):
        data = line.removeprefix(b"\xef\xbb\xbf") if number == 1 and name == "utf-8" else line
        try:
            yield data.decode(encoding)
        except UnicodeError as error:
            byte = offset + getattr(error, "start", 0)
            raise UserFacing(
                f"{path}: line {number}, byte {byte}: not {encoding}; "
                "save the file as UTF-8, or name its encoding with --encoding latin-1"
            ) from None
        offset += len(line)
        any_line = True
    if any_line:
        yield _END


def read_label_map(path: Path) -> dict[str, str]:
    """Foreign label to route from a YAML mapping such as `C-bug: bug`; UserFacing for anything else."""
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserFacing(f"{path}: cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UserFacing(f"{path}: not a YAML file ({' '.join(str(error).split())[:120]})") from None
    if not isinstance(content, dict) or not content:
        raise UserFacing(f"{path}: a mapping of labels to routes is needed, such as `C-bug: bug`")
    routes = (*LABELS, SECURITY)
    for label, route in content.items():
        if route not in routes:
            raise UserFacing(f"{path}: {label!s}: {route!r} is not a route; one of {', '.join(routes)}")
    return {str(label): str(route) for label, route in content.items()}


def rows_per_route(rows: Iterable[Row]) -> dict[str, int]:
    """How many rows each route has, in the order of LABELS; only routes that occur."""
    count = Counter(row.label for row in rows)
    return {label: count[label] for label in (*LABELS, SECURITY) if count[label]}


def parse_time(text: str) -> datetime | None:
    """An ISO 8601 time, taken as UTC where it names no zone; None for anything else."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)

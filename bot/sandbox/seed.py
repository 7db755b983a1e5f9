"""Issues for the sandbox out of a CSV or JSON Lines file."""

import csv
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from models.errors import UserFacing

BUNDLED = Path(__file__).parent / "data" / "demo_issues.jsonl"
BUNDLED_FILES = Path(__file__).parent / "data" / "demo_files.json"
_NEEDED = ("repo", "title")
_KINDS: dict[str, tuple[type, ...]] = {
    "title": (str,),
    "body": (str, type(None)),
    "author": (str, type(None)),
    "author_association": (str,),
    "labels": (list,),
    "assignees": (list,),
    "number": (int, type(None)),
    "comments": (int,),
    "reactions": (int,),
    "pull_request": (bool,),
    "locked": (bool,),
    "deleted": (bool,),
    "moved_to": (str, type(None)),
    "by": (str,),
    "labelled_by": (str, dict),
    "labeled_by": (str, dict),
}


def load_issues(path: Path | None) -> Iterator[dict[str, Any]]:
    """Issues in the order of the file, one at a time; None means the bundled set.

    A CSV's `label` is the answer a router is to find, so it does not become a label of the issue.
    Raises UserFacing, at the first issue asked for, where the file is missing or cannot be read.
    """
    file = path or BUNDLED
    if not file.is_file():
        raise UserFacing(f"{file}: no such file; give a CSV or JSON Lines file of issues")
    read = _read_csv if file.suffix.lower() in (".csv", ".tsv") or _looks_like_csv(file) else _read_json_lines
    yield from read(file)


def load_files() -> dict[str, dict[str, str]]:
    """The files of the bundled issues' repositories, by repository and path."""
    files: dict[str, dict[str, str]] = json.loads(BUNDLED_FILES.read_text(encoding="utf-8"))
    return files


def _looks_like_csv(file: Path) -> bool:
    with file.open("rb") as stream:
        start = stream.read(200).lstrip(b"\xef\xbb\xbf \r\n\t")
    return not start.startswith(b"{")


def _read_csv(file: Path) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    separator = "\t" if file.suffix.lower() == ".tsv" else ","
    # NUL bytes and broken UTF-8 occur in exported issue texts; neither is a reason to refuse the rest.
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        rows = csv.DictReader((line.replace("\0", "") for line in stream), delimiter=separator)
        missing = [name for name in _NEEDED if name not in (rows.fieldnames or ())]
        if missing:
            found = ", ".join(rows.fieldnames or ()) or "nothing"
            raise UserFacing(
                f"{file}: column {missing[0]!r} is missing; expected repo,created_at,label,title,body,"
                f" found {found[:200]}"
            )
        try:
            for row in rows:
                yield _csv_issue(file, rows.line_num, row)
        except csv.Error as error:
            raise UserFacing(f"{file}, line {rows.line_num}: {error}") from error


def _csv_issue(file: Path, line: int, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "repo": _repo(file, line, row.get("repo")),
        "title": row.get("title") or "",
        "body": row.get("body") or "",
        "created_at": row.get("created_at") or None,
    }


def _read_json_lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8-sig", errors="replace") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                issue = json.loads(line)
            except ValueError as error:
                raise UserFacing(f"{file}, line {number}: not JSON: {error}") from error
            if not isinstance(issue, dict):
                raise UserFacing(f"{file}, line {number}: expected an object, found {line.strip()[:40]!r}")
            _repo(file, number, issue.get("repo"))
            wrong = wrong_field(issue)
            if wrong:
                raise UserFacing(f"{file}, line {number}: {wrong}")
            yield issue


def wrong_field(issue: Mapping[str, Any]) -> str | None:
    """Says which field of an issue cannot be used, or None."""
    for name, kinds in _KINDS.items():
        if name in issue and not isinstance(issue[name], kinds):
            return f"{name} has the wrong type: {issue[name]!r}"
    for name in ("labels", "assignees"):
        if not all(isinstance(item, str) for item in issue.get(name, ())):
            return f"{name} is a list of texts, not {issue[name]!r}"
    if issue.get("state", "open") not in ("open", "closed"):
        return f"state must be open or closed, not {issue['state']!r}"
    wrong = _wrong_labeller(issue)
    if wrong:
        return wrong
    number = issue.get("number")
    return f"number must be greater than 0, not {number}" if number is not None and number < 1 else None


def _wrong_labeller(issue: Mapping[str, Any]) -> str | None:
    if "labelled_by" in issue and "labeled_by" in issue:
        return "labelled_by and labeled_by are one field in two spellings; write one of them"
    present = {name.lower() for name in issue.get("labels", ())}
    for field in ("labelled_by", "labeled_by"):
        given = issue.get(field, {})
        for label, login in {} if isinstance(given, str) else given.items():
            if label.lower() not in present:
                return f"{field} names {label!r}, which is not among the labels"
            if not isinstance(login, str) or not login:
                return f"{field} needs a login for {label!r}, not {login!r}"
    return None


def _repo(file: Path, line: int, value: Any) -> str:
    owner, _, name = str(value or "").strip().partition("/")
    if not owner or not name or "/" in name:
        raise UserFacing(f"{file}, line {line}: repo is written OWNER/NAME, not {str(value or '')[:60]!r}")
    return f"{owner}/{name}"

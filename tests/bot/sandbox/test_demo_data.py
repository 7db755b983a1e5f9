"""The demo's issues: counts, fields and the oddities that the demo is there to show."""

import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from models.issue import MAX_BODY, title_key

PATH = Path(__file__).parents[3] / "bot" / "sandbox" / "data" / "demo_issues.jsonl"
FIELDS: dict[str, type | tuple[type, ...]] = {
    "repo": str,
    "number": int,
    "title": str,
    "body": str,
    "author": (str, type(None)),
    "author_association": str,
    "labels": list,
    "created_at": str,
    "updated_at": str,
    "comments": int,
    "reactions": int,
    "pull_request": bool,
    "state": str,
    "assignees": list,
}
TRACES = {
    "python": r"^Traceback \(most recent call last\):",
    "javascript": r"^\s+at \S+ \(\S+\.(tsx|js):\d+:\d+\)",
    "typescript": r"error TS\d+:",
    "java": r"^\s+at [\w.$]+\([\w]+\.java:\d+\)",
    "go": r"^goroutine \d+ \[running\]:",
    "rust": r"^thread '.+' panicked at ",
    "gdb": r"^#0 +0x[0-9a-f]+ in ",
    "asan": r"ERROR: AddressSanitizer: ",
    "csharp": r"^   at .+ in \S+\.cs:line \d+",
    "ruby": r"^\s+from \S+\.rb:\d+:in ",
    "php": r"^PHP Fatal error:  Uncaught ",
}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in PATH.read_text(encoding="utf-8").split("\n") if line]


@pytest.fixture(scope="module")
def issues(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if not row["pull_request"]]


def test_counts_and_fields(rows: list[dict[str, Any]], issues: list[dict[str, Any]]) -> None:
    assert len(issues) == 60
    assert len(rows) - len(issues) == 12
    assert {row["repo"] for row in rows} == {
        "harbor-tools/quayside",
        "harbor-tools/lantern",
        "harbor-tools/keel",
    }
    assert len({(row["repo"], row["number"]) for row in rows}) == len(rows)
    assert sum(row["author"] is None for row in rows) == 2
    for row in rows:
        assert list(row) == list(FIELDS)
        for name, kind in FIELDS.items():
            assert isinstance(row[name], kind), (row["repo"], row["number"], name)
        assert row["state"] == "open"
        assert 0 < len(row["title"]) <= 256
        assert len(row["body"]) <= MAX_BODY


def test_times_are_in_range_and_follow_the_numbers(rows: list[dict[str, Any]]) -> None:
    last: dict[str, tuple[int, datetime]] = {}
    for row in rows:
        created, updated = (datetime.fromisoformat(row[k]) for k in ("created_at", "updated_at"))
        first, end = datetime(2026, 8, 1, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)
        assert first <= created <= updated < end
        assert last.get(row["repo"], (0, first)) < (row["number"], created)
        last[row["repo"]] = (row["number"], created)


def test_references_name_an_earlier_issue(rows: list[dict[str, Any]], issues: list[dict[str, Any]]) -> None:
    known = {(row["repo"], row["number"]) for row in issues}
    for row in (row for row in rows if row["pull_request"]):
        for number in re.findall(r"(?<!\w)#(\d+)", row["body"]):
            assert (row["repo"], int(number)) in known
            assert int(number) < row["number"]


def test_labels(issues: list[dict[str, Any]]) -> None:
    labels = Counter(label for row in issues for label in row["labels"])
    assert labels["bug"] == 3
    assert labels["enhancement"] == 2
    assert labels["documentation"] == labels["question"] == 1
    assert {"good first issue", "windows"} <= set(labels)
    assert sum(not row["labels"] for row in issues) > len(issues) / 2


@pytest.mark.parametrize("language", TRACES)
def test_traces_of_every_language(language: str, issues: list[dict[str, Any]]) -> None:
    assert any(re.search(TRACES[language], row["body"], re.MULTILINE) for row in issues)


def test_oddities(issues: list[dict[str, Any]]) -> None:
    titles, bodies = [row["title"] for row in issues], [row["body"] for row in issues]
    assert bodies.count("") == 1
    assert sum(60_000 <= len(body.encode()) <= 80_000 for body in bodies) == 1
    assert any(len(title) >= 240 for title in titles)
    assert sum(not re.search(r"\w", title) for title in titles) == 1
    assert any(re.search("[\u3040-\u30ff]", title) for title in titles)
    assert any(re.search("[\u0590-\u06ff]", title) for title in titles)
    assert any("<!here>" in body and "<script" in body and "@" in body for body in bodies)
    assert any(re.search(r"<!--.*ignore previous instructions.*-->", body) for body in bodies)
    assert any("\n````markdown\n```markdown\n" in body for body in bodies)
    assert any(re.search(r"\bghp_x{36}\b", body) for body in bodies)
    assert any("\r\n" in body for body in bodies)
    assert any("CVE-" in title for title in titles)


def test_duplicates(issues: list[dict[str, Any]]) -> None:
    keys = Counter(key for row in issues if (key := title_key(row["title"])))
    assert max(keys.values()) == 2
    for error in ("KeyError: 'next_run'", "index out of bounds: the len is"):
        assert sum(f"\n{error}" in row["body"] for row in issues) == 2

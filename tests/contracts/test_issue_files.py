"""Files that the sandbox is seeded from."""

from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.server import create_app, load_issues
from models.errors import UserFacing


def load(path: Path, data: bytes) -> list[dict[str, Any]]:
    """Write and read."""
    path.write_bytes(data)
    return list(load_issues(path))


def test_csv_with_more_or_fewer_columns(tmp_path: Path) -> None:
    found = load(tmp_path / "a.csv", b'x,repo,title,body,label\n1,a/b,T,"two\nlines",bug\n2,a/b,U,,\n')
    assert [(i["title"], i["body"], i["created_at"]) for i in found] == [
        ("T", "two\nlines", None),
        ("U", "", None),
    ]
    assert all("labels" not in issue for issue in found)


def test_csv_with_broken_bytes_and_huge_fields(tmp_path: Path) -> None:
    body = b"x" * 300_000
    found = load(tmp_path / "a.csv", b"\xef\xbb\xbfrepo,title,body\na/b,caf\xe9 \x00,%s\n" % body)
    assert (found[0]["title"], len(found[0]["body"])) == ("caf� ", 300_000)


def test_csv_without_its_usual_name(tmp_path: Path) -> None:
    assert load(tmp_path / "issues.txt", b"repo,title\na/b,T\n")[0]["title"] == "T"


def test_json_lines(tmp_path: Path) -> None:
    data = (
        b'{"repo":"a/b","title":"T","author":null,"labels":["x"],"number":7}\n\n{"repo":"a/b","title":"U"}\n'
    )
    found = load(tmp_path / "a.jsonl", data)
    app = create_app(found)
    repo = app.github.repositories.get_or_add("a/b")
    assert sorted(repo.issues) == [7, 8] and repo.issues[7].author is None


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.csv", b"title,body\nT,B\n", "'repo' is missing"),
        ("a.csv", b"", "'repo' is missing"),
        ("a.csv", b"repo,title\nnonsense,T\n", "line 2: repo is written OWNER/NAME"),
        ("a.jsonl", b'{"repo":"a/b","title":"T"}\n{"repo"\n', "line 2: not JSON"),
        ("a.jsonl", b'{"repo":"a/b"}\n[1]\n', "line 2: expected an object"),
        ("a.jsonl", b'{"repo":"a/b","labels":"bug"}\n', "line 1: labels"),
        ("a.jsonl", b'{"repo":"a/b","state":"ajar"}\n', "line 1: state"),
    ],
)
def test_unreadable_files_are_refused_in_words(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    with pytest.raises(UserFacing, match=words):
        load(tmp_path / name, data)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserFacing, match="no such file"):
        list(load_issues(tmp_path / "absent.csv"))

"""Reading labelled issues: what is wrong with a file is said with its row."""

import gzip
from pathlib import Path

import pytest

from models.errors import UserFacing
from models.router.training.data import read_label_map, read_rows

HEADER = "repo,created_at,label,title,body\n"


def test_labels_are_mapped_and_the_rest_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        HEADER + "a/b,,Enhancement,t,\na/b,,documentation,t,\na/b,,wontfix,t,\na/b,,,t,\na/b,,security,t,x\n"
    )
    table = read_rows(path)
    assert [row.label for row in table.rows] == ["feature", "docs", "security"]
    assert table.unmapped == {"wontfix": 1, "": 1}
    assert "2 rows left out" in table.notes[0]


def test_several_labels_in_one_cell(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"repo,labels,title,body\na/b,P-low|C-bug,t,b\na/b,P-low,t,b\n"))
    assert [row.label for row in read_rows(path, {"C-bug": "bug"}).rows] == ["bug"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["empty"]),
        (b"title,body\nx,y\n", ["row 1", "no column repo, label"]),
        (HEADER.encode() + b"a/b,,bug,t,b\na/b,bug\n", ["row 3", "2 cells"]),
        (HEADER.encode() + b"a/b,,bug,caf\xe9,b\n", ["line 2", "byte 45", "not utf-8", "--encoding"]),
        ((HEADER + "a/b,,bug,t,b\n").encode("utf-16"), ["line 1", "not utf-8"]),
        (HEADER.encode() + b'a/b,,bug,t,b\na/b,,bug,t,"open\na/b,,bug,t,b\n', ["row 3", "never closed"]),
        (b"repo,label,title,body,Title\na/b,bug,t,b,u\n", ["row 1", "title more than once"]),
        (HEADER.replace("\n", "\r").encode() + b"a/b,,bug,t,b\r", ["line 1", "LF or CRLF"]),
    ],
    ids=["empty", "columns", "cells", "latin-1", "utf-16", "unclosed", "twice", "cr"],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: bytes, words: list[str]) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(UserFacing) as caught:
        read_rows(path)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_other_encodings_marks_and_null_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(HEADER.encode() + b"a/b,,bug,caf\xe9,b\x00c\n")
    assert read_rows(path, encoding="latin-1").rows[0].text.title == "café"
    for name in ("klingon", "undefined", "hex", "", "a\x00b"):
        with pytest.raises(UserFacing, match="not an encoding"):
            read_rows(path, encoding=name)
    with pytest.raises(UserFacing, match="utf-16 cannot be read; save the file as UTF-8"):
        read_rows(path, encoding="utf-16")
    path.write_bytes(b"\xef\xbb\xbf" + HEADER.encode() + b'a/b,,bug,"two\r\nlines",b\n')
    for name in ("utf-8", "UTF8"):
        assert read_rows(path, encoding=name).rows[0].text.title == "two\r\nlines"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(b"not gzip")
    whole = bytearray(gzip.compress(HEADER.encode() * 50))
    whole[20:30] = b"\xff" * 10
    (tmp_path / "bad.csv.gz").write_bytes(bytes(whole))
    for path in (tmp_path, tmp_path / "none.csv", tmp_path / "a.csv.gz", tmp_path / "bad.csv.gz"):
        with pytest.raises(UserFacing):
            read_rows(path)


@pytest.mark.parametrize(
    "content", ["", "- a", "a: launch", "a: [bug]", "a: b: c", "just text", "2020-13-45: bug", "[" * 50_000]
)
def test_label_map_that_is_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(content)
    with pytest.raises(UserFacing):
        read_label_map(path)


def test_label_map(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text("C-bug: bug\nA-docs: docs\n12: question\n")
    assert read_label_map(path) == {"C-bug": "bug", "A-docs": "docs", "12": "question"}

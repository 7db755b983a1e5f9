"""What the analysis of code finds in a text."""

from typing import Any

import pytest

from models.case import CodeSigns
from nodes.analyze_code import AnalyzeCode
from tests.nodes.build import case, run


def signs(body: str, title: str = "It fails") -> CodeSigns:
    found = run(AnalyzeCode(), case(title, body)).code
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("body", "field", "expected"),
    [
        ("```py\nprint(1)\n```", "languages", ("Python",)),
        ("~~~rust\nfn x() {}\n~~~", "languages", ("Rust",)),
        ("```\n#include <vector>\nint main() {}\n```", "languages", ("C++",)),
        ("```\nconst a = () => { return 1 }\n```", "languages", ("JavaScript",)),
        ("Text\n\n    package main\n    func main() {}\n", "languages", ("Go",)),
        ("no code at all", "languages", ()),
        ("```\na\n```\n\n```\nb\n```", "blocks", 2),
        ("```\nnever closed", "blocks", 1),
        ("see src/app/main.py:12 and `docs/guide.md`", "paths", ("src/app/main.py", "docs/guide.md")),
        ("C:\\src\\shelf\\Shelf.cs(12,4) is bad", "paths", ("C:/src/shelf/Shelf.cs",)),
        ("and/or, I/O, TCP/IP, 1/2, node.js, https://x.example/a/b.py", "paths", ()),
        ("in https://github.com/o/r/blob/main/lib/x.rb#L3", "paths", ("lib/x.rb",)),
        ("Python 3.11.2 on Ubuntu 22.04", "versions", ("Python 3.11.2", "Ubuntu 22.04")),
        ("Version: 4.7.0", "versions", ("4.7.0",)),
        ("v2.0 broke it, v1.9 was fine", "versions", ("v2.0", "v1.9")),
        ("takes 0.5 seconds, 3.2 GB, from 10.0.0.1", "versions", ()),
        ("`pip install keel==2.1` fails", "commands", ("pip install keel==2.1",)),
        ("`pip install keel==2.1` fails", "packages", ("pypi/keel@2.1",)),
        ("`pip install keel==2.1` fails", "evidence", {"pypi/keel@2.1": "pip install keel==2.1"}),
        ("```\nimport React, { useState } from 'react';\n```", "languages", ("JavaScript",)),
        ("```\nlet a: string = b\n```", "languages", ("TypeScript",)),
        ("OSError: it is full, KeyError too", "errors", ("OSError: it is full, KeyError too",)),
        ("On Windows 11 and macOS 13.4, not on linux", "systems", ("Windows 11", "macOS 13.4", "Linux")),
        ("The scenarios of the archive", "systems", ()),
        ("It says\nTypeError: x is not a function", "errors", ("TypeError: x is not a function",)),
        ("error[E0382]: borrow of moved value", "errors", ("error[E0382]: borrow of moved value",)),
        ("I made an error in my thinking", "errors", ()),
        ("### Steps to reproduce\n\n1. open it\n2. close it again", "has_steps", True),
        ("1. open\n2. close", "has_steps", True),
        ("### Steps to reproduce\n\n_No response_", "has_steps", False),
        ("It fails.", "has_steps", False),
        ('Traceback (most recent call last):\n  File "a.py", line 1, in f\nValueError: x', "has_trace", True),
        ("no trace", "has_trace", False),
    ],
)
def test_signs(body: str, field: str, expected: Any) -> None:
    assert getattr(signs(body), field) == expected


def test_the_share_of_code_is_of_what_is_seen() -> None:
    assert signs("<!-- " + "x" * 500 + " -->\n```\n" + "a" * 50 + "\n```").share > 0.9
    assert signs("words only").share == 0.0


def test_lists_are_bounded() -> None:
    many = "\n".join(f"src/file{n}.py v1.{n}.0 Error: number {n}" for n in range(200))
    found = signs(many)
    assert len(found.paths) == len(found.versions) == len(found.errors) == 12

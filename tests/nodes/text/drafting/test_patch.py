"""Edits that apply, those that do not, and the files that no machine may change."""

import difflib
from typing import Any

import pytest

from models.asks import File
from nodes.text.drafting.patch import MOST_FILES, MOST_LINES, apply_edits, refused_path, unlinked
from tests.growth import grows_linearly

TEXT = "def load(key):\n    return shelf[key]\n\n\ndef save(key):\n    shelf[key] = 1\n"


def files(*paths: str, text: str = TEXT) -> dict[str, File]:
    return {path: File(path=path, text=text, sha="5ha") for path in paths}


def edit(
    path: str = "src/a.py", find: str = "return shelf[key]", replace: str = "return 1"
) -> dict[str, Any]:
    return {"path": path, "find": find, "replace": replace}


def test_an_edit_that_fits() -> None:
    patch = apply_edits([edit()], files("src/a.py", "src/b.py"))
    assert patch.problem == ""
    assert patch.files == {"src/a.py": TEXT.replace("return shelf[key]", "return 1")}
    assert patch.diff.split("\n")[:6] == [
        "--- a/src/a.py",
        "+++ b/src/a.py",
        "@@ -1,5 +1,5 @@",
        " def load(key):",
        "-    return shelf[key]",
        "+    return 1",
    ]


def test_edits_of_one_file_follow_each_other() -> None:
    patch = apply_edits([edit(), edit(find="return 1", replace="return 2")], files("src/a.py"))
    assert "return 2" in patch.files["src/a.py"]


def test_lines_of_windows_stay_so() -> None:
    text = TEXT.replace("\n", "\r\n")
    given = edit(find="def load(key):\n    return shelf[key]", replace="def load(key):\n    return 1")
    patch = apply_edits([given], files("src/a.py", text=text))
    assert patch.files["src/a.py"] == text.replace("return shelf[key]", "return 1")


@pytest.mark.parametrize(
    ("edits", "problem"),
    [
        ([edit(path="src/other.py")], "none of the files"),
        ([edit(find="shelf[key]")], "stands 2 times"),
        ([edit(find="nothing of it")], "stands nowhere"),
        ([edit(find="")], "stands nowhere"),
        ([edit(replace="return shelf[key]")], "change nothing"),
        ([edit(), edit(find="return shelf[key]")], "stands nowhere"),
        ([edit(replace="x\n" * (MOST_LINES + 1))], "lines would change"),
        ([{"path": "src/a.py"}], "stands nowhere"),
        ([{}], "none of the files"),
        ([], "change nothing"),
    ],
)
def test_edits_that_do_not_fit(edits: list[dict[str, Any]], problem: str) -> None:
    patch = apply_edits(edits, files("src/a.py"))
    assert problem in patch.problem and not patch.files and not patch.diff


def test_a_diff_tells_the_lines_of_the_whole_file() -> None:
    before = [f"line {number}" for number in range(1, 101)]
    text = "\n".join(before) + "\n"
    edits = [edit(find="line 50\n", replace="new\nnewer\n"), edit(find="line 90", replace="line ninety")]
    patch = apply_edits(edits, files("src/a.py", text=text))
    whole = difflib.unified_diff(
        before, patch.files["src/a.py"].splitlines(), "a/src/a.py", "b/src/a.py", lineterm=""
    )
    assert patch.diff.split("\n") == list(whole)
    last = apply_edits([edit(find="line 100\n", replace="end\n")], files("src/a.py", text=text))
    assert last.diff.split("\n")[-4:] == [" line 98", " line 99", "-line 100", "+end"]


def test_lines_that_look_like_a_diff_s_head_are_counted() -> None:
    text = "".join(f"-- {number}\n" for number in range(MOST_LINES + 1))
    given = {**edit(find=text, replace="one\n"), "path": "src/a.lua"}
    patch = apply_edits([given], files("src/a.lua", text=text))
    assert "lines would change" in patch.problem


def test_a_file_of_many_like_lines_is_compared_in_time() -> None:
    def compared(lines: int) -> tuple[Any, Any]:
        text = "".join(f"{number % 100:x}\n" for number in range(lines))
        text = f"first\n{text}middle\n{text}last\n"
        near = apply_edits([edit(find="middle", replace="new")], files("src/a.py", text=text))
        return near, apply_edits(
            [edit(find="first", replace="1"), edit(find="last", replace="2")], files("src/a.py", text=text)
        )

    assert grows_linearly(compared, 66_000, 16_500)
    patch, far = compared(66_000)
    assert not patch.problem and len(patch.diff.split("\n")) == 11
    assert "lie between the changes" in far.problem


def test_too_many_files() -> None:
    paths = [f"src/{number}.py" for number in range(MOST_FILES + 1)]
    assert "files would change" in apply_edits([edit(path) for path in paths], files(*paths)).problem


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/ci.yml",
        ".gitlab-ci.yml",
        "src/.env",
        "CODEOWNERS",
        "docs/CODEOWNERS",
        "package-lock.json",
        "web/yarn.lock",
        "go.sum",
        "Cargo.lock",
        "Makefile",
        "Dockerfile.dev",
        "Jenkinsfile",
        "setup.py",
        "pyproject.toml",
        "web/vite.config.ts",
        "CMakeLists.txt",
        "requirements-dev.txt",
        "src/App.csproj",
        "BUILD",
        "Cargo.toml",
        "go.mod",
        "action.yml",
        "ci/run.sh",
        "deploy/id_rsa",
        "config/secrets.yml",
        "key.pem",
        "../x.py",
        "/etc/passwd",
        "a//b.py",
        "a\\b.py",
        "",
    ],
)
def test_files_that_no_machine_may_change(path: str) -> None:
    assert refused_path(path)
    assert "may not be changed" in apply_edits([edit(path)], files(path)).problem


@pytest.mark.parametrize(
    "path", ["src/a.py", "docs/guide.md", "README.md", "src/circle.go", "lib/keys.rb", "docs/requirements.md"]
)
def test_files_that_may_be_changed(path: str) -> None:
    assert refused_path(path) == ""


@pytest.mark.parametrize(
    "text", ["Fixes #7", "closes octo/widgets#7", "resolved GH-7", "fix https://github.com/o/w/issues/7"]
)
def test_no_issue_is_closed(text: str) -> None:
    quiet = unlinked(text)
    assert quiet != text and quiet.replace("\u200b", "") == text
    assert not any(mark in quiet for mark in ("#7", "GH-7", "issues/7"))

"""Applies edits that somebody proposed to files as they are, or says why they do not apply."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.asks import File

MOST_FILES = 5
MOST_LINES = 200
"""Changed lines, old and new, of all files together."""
MOST_BETWEEN = 4_000
"""Lines from the first to the last change of a file: comparing takes more than linear time."""
_AROUND = 3

_LOCKS = frozenset((
    "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lockb", "bun.lock",
    "poetry.lock", "pdm.lock", "uv.lock", "pipfile.lock", "cargo.lock", "go.sum", "go.work.sum",
    "composer.lock", "gemfile.lock", "packages.lock.json", "flake.lock", "pubspec.lock", "mix.lock",
    "gradle.lockfile", "podfile.lock",
))  # fmt: skip
_RUN_BY_MACHINES = frozenset((
    "jenkinsfile", "makefile", "gnumakefile", "dockerfile", "containerfile", "vagrantfile", "rakefile",
    "justfile", "taskfile.yml", "tox.ini", "noxfile.py", "setup.py", "setup.cfg", "pyproject.toml",
    "conftest.py", "conf.py", "pipfile", "package.json", "build.gradle", "build.gradle.kts", "settings.gradle",
    "settings.gradle.kts", "gradle.properties", "gradlew", "gradlew.bat", "mvnw", "mvnw.cmd", "pom.xml",
    "build.xml", "build.sbt", "build.rs", "cargo.toml", "go.mod", "go.work", "gemfile", "podfile",
    "composer.json", "mix.exs", "cmakelists.txt", "meson.build", "configure", "configure.ac", "build",
    "workspace", "build.bazel", "module.bazel", "directory.build.props", "directory.build.targets",
    "binding.gyp", "action.yml", "action.yaml", "procfile", "appveyor.yml", "azure-pipelines.yml",
    "bitbucket-pipelines.yml", "cloudbuild.yaml", "compose.yaml", "compose.yml", "docker-compose.yml",
    "docker-compose.yaml", "codeowners",
))  # fmt: skip
_STEERING = re.compile(
    r"^(?:dockerfile|makefile|gulpfile|gruntfile)\.|^requirements[\w-]{0,40}\.(?:txt|in)$"
    r"|\.(?:config|conf|workspace)\.\w{1,5}$|\.(?:mk|cmake|bzl|gradle|gemspec|csproj|vbproj|fsproj|props|targets)$"
)
"""Names, in lower case, of further files that tools run or obey."""
_SECRET = re.compile(
    r"(?i)secret|credential|password|passwd|id_rsa|id_ed25519|\.(?:pem|key|pfx|p12|jks|keystore|env)$"
)
_NUMBER = re.compile(r"([-+])(\d+)")
_ISSUE = re.compile(r"(?i)#(?=\d)|\bGH-(?=\d)|/(?:issues|pull)/(?=\d)")


@dataclass(frozen=True, slots=True)
class Patch:
    """New texts by path, and the difference to look at; or the `problem` that keeps it from being one."""

    files: Mapping[str, str] = field(default_factory=dict)
    diff: str = ""
    problem: str = ""


def refused_path(path: str) -> str:
    """Why no machine may propose a change of this file; empty where it may."""
    parts = path.lower().split("/")
    name = parts[-1]
    if not name or path.startswith("/") or "\\" in path or any(part in ("", ".", "..") for part in parts):
        return "it is no path inside the repository"
    if any(part.startswith(".") for part in parts):
        return "hidden files and folders steer tools"
    if name in _LOCKS:
        return "tools write lock files"
    if name in _RUN_BY_MACHINES or _STEERING.search(name) or "ci" in parts[:-1]:
        return "it steers how the project is built, tested or reviewed"
    return "its name speaks of secrets" if _SECRET.search(name) else ""


def apply_edits(edits: Sequence[Mapping[str, Any]], files: Mapping[str, File]) -> Patch:
    """The texts after all edits (`path`, `find`, `replace`, in order); `files` are those that may be changed.

    Each `find` must stand exactly once in its file. Nothing is applied where anything does not fit.
    """
    texts: dict[str, str] = {}
    for edit in edits:
        path, find, replacement = (str(edit.get(name) or "") for name in ("path", "find", "replace"))
        if path not in files:
            return Patch(problem=f"{path[:200]!r} is none of the files that were shown")
        if why := refused_path(path):
            return Patch(problem=f"{path[:200]!r} may not be changed: {why}")
        text = texts.get(path, files[path].text)
        if "\r\n" in text:
            find, replacement = (_crlf(part) for part in (find, replacement))
        count = text.count(find) if find else 0
        if count != 1:
            times = f"{count} times" if count else "nowhere"
            return Patch(
                problem=f"in {path[:200]!r} the text to find stands {times}, and must stand just once"
            )
        texts[path] = text.replace(find, replacement, 1)
    changed = {path: text for path, text in texts.items() if text != files[path].text}
    if not changed:
        return Patch(problem="the edits change nothing")
    if len(changed) > MOST_FILES:
        return Patch(problem=f"more than {MOST_FILES} files would change")
    diffs = []
    for path, text in changed.items():
        rows = _diff(path, files[path].text, text)
        if rows is None:
            return Patch(problem=f"more than {MOST_BETWEEN} lines lie between the changes of {path[:200]!r}")
        diffs.append(rows)
    # The first two rows name the file.
    if sum(row[:1] in ("+", "-") for rows in diffs for row in rows[2:]) > MOST_LINES:
        return Patch(problem=f"more than {MOST_LINES} lines would change")
    return Patch(changed, "\n".join(row for rows in diffs for row in rows))


def _diff(path: str, before: str, after: str) -> list[str] | None:
    """The rows of a unified diff; None where too many lines would have to be compared for it."""
    old, new = (text.removesuffix("\n").split("\n") for text in (before, after))
    first = max(0, _alike(old, new) - _AROUND)
    old, new = old[first:], new[first:]
    last = max(0, _alike(old[:_AROUND:-1], new[:_AROUND:-1]) - _AROUND)
    old, new = old[: len(old) - last], new[: len(new) - last]
    if max(len(old), len(new)) > MOST_BETWEEN:
        return None
    rows = difflib.unified_diff(old, new, f"a/{path}", f"b/{path}", lineterm="", n=_AROUND)
    return [_moved(row, first) if row.startswith("@@ ") else row.rstrip("\r") for row in rows]


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines they have in common from the beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))


def _moved(row: str, by: int) -> str:
    """A hunk's head with its line numbers counted from the file's beginning."""
    return _NUMBER.sub(lambda found: f"{found[1]}{int(found[2]) + by}", row)


def _crlf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def unlinked(text: str) -> str:
    """Text in which no issue is named so that GitHub would link or, on a merge, close it."""
    return _ISSUE.sub(lambda found: f"{found[0]}\u200b", text)

"""Finds the files of a repository that a trace or a text means."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from models.asks import Files

Index = Mapping[str, Sequence[str]]
"""A repository's paths by their last part, and by their last two."""

_SCHEME = re.compile(r"^(?:[a-z][a-z0-9+.-]{1,20}:/{2,3}|webpack-internal:/{0,3}|node:)", re.IGNORECASE)
_INSTALLED = ("-packages/", "node_modules/", "/gems/", "/registry/src/", "/pkg/mod/", "/vendor/")
_RELEASE = re.compile(r"@v?\d[\w.+-]{0,60}(?=/)")
_SIDE = (
    "test",
    "tests",
    "spec",
    "specs",
    "example",
    "examples",
    "samples",
    "fixtures",
    "vendor",
    "third_party",
)
_COMMON = frozenset((
    "app", "base", "build", "cli", "client", "common", "conf", "config", "constants", "core", "errors",
    "helper", "helpers", "index", "init", "__init__", "lib", "main", "__main__", "mod", "models", "package",
    "run", "server", "settings", "setup", "shared", "start", "test", "tests", "types", "util", "utils",
    "version", "views",
))  # fmt: skip
"""Names, without their endings, that say too little by themselves."""
_COMPILED = {
    ".js": (".ts", ".tsx", ".jsx"),
    ".mjs": (".mts", ".ts"),
    ".cjs": (".cts", ".ts"),
    ".jsx": (".tsx",),
}


@lru_cache(maxsize=8)
def index_of(files: Files) -> Index:
    """The index of a listing; those of the latest few are kept, since many cases share one."""
    made: dict[str, list[str]] = {}
    for path in files.paths:
        folders, _, last = path.rpartition("/")
        made.setdefault(last, []).append(path)
        if folders:
            made.setdefault(f"{folders.rpartition('/')[2]}/{last}", []).append(path)
    return made


def matching(name: str, index: Index, *, foreign: bool = False, most: int = 2) -> tuple[str, ...]:
    """The repository's files that `name` means: those that share its longest end; none where more than `most` do.

    `name` may be absolute, on Windows, below an install folder, or an address of a bundler's. Of a `foreign` file
    all that follows the install folder must lie in the repository just so.
    """
    wanted = parts_of(name, inside=True)
    if not wanted or len(wanted) > 60:
        return ()
    found = _best(wanted, index, foreign=foreign)
    stem, dot, ending = wanted[-1].rpartition(".")
    if not found and not foreign:
        for other in _COMPILED.get(dot + ending, ()):
            found = _best([*wanted[:-1], stem + other], index, foreign=False)
            if not found:
                found = _alone(stem, index.get(stem + other, ()))
            if found:
                break
    if len(found) > 1:
        found = [path for path in found if not set(path.lower().split("/")[:-1]) & set(_SIDE)] or found
    return tuple(found) if len(found) <= most else ()


def parts_of(name: str, *, inside: bool = False) -> list[str]:
    """The parts of a path as a trace writes it; `inside` leaves out all down to an install folder."""
    text = _SCHEME.sub("", name[:1_000]).split("?")[0].replace("\\", "/")
    if inside:
        for folder in _INSTALLED:
            text = text.rpartition(folder)[2]
    return [part for part in _RELEASE.sub("", text).split("/") if part not in ("", ".", "..")]


def _best(wanted: Sequence[str], index: Index, *, foreign: bool) -> list[str]:
    """Those that share the longest end, where that is long enough to mean something."""
    last = wanted[-1]
    near = index.get("/".join(wanted[-2:]), ()) if len(wanted) > 1 else ()
    if near:
        shared = {path: _shared(wanted, path.split("/")) for path in near}
        longest = max(shared.values())
        return [
            path
            for path, count in shared.items()
            if count == longest and (not foreign or count == len(wanted))
        ]
    if foreign:
        return []
    # By its last part alone: it lies at the top there, or nothing more was said here.
    paths = index.get(last, ())
    if last in paths and (len(wanted) == 1 or not _is_common(last)):
        return [last]
    return _alone(last.partition(".")[0], paths) if len(wanted) == 1 else []


def _alone(stem: str, paths: Sequence[str]) -> list[str]:
    return list(paths) if len(paths) == 1 and stem.lower() not in _COMMON else []


def _is_common(name: str) -> bool:
    return name.partition(".")[0].lower() in _COMMON


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left != right:
            break
        count += 1
    return count

"""Reads a repository's files over GitHub: the listing, single files, its documentation, who changed what last."""

import asyncio
import base64
import binascii
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from integrations.github.payloads import found_at, logins_of
from models.asks import Docs, File, Files
from models.errors import Rejected, Transient

MAX_LISTED = 50_000
MAX_FILE = 200_000
"""Bytes of a file that is read at all."""
MAX_PAGES = 60
MAX_DOCS = 1_000_000
"""Bytes of a repository's documentation that is read."""
MAX_AUTHORS = 5
_KEPT_BYTES = 30_000_000
_AT_ONCE = 6
_SYMLINK = "120000"
_TEXT = re.compile(r"(?i)\.(?:mdx?|markdown|rst|adoc|asciidoc|txt)$")
_WRITTEN = re.compile(r"(?i)\.(?:mdx?|markdown|rst|adoc|asciidoc)$")
_README = re.compile(r"(?i)^readme(?:\.|$)")
_DOCS_FOLDER = re.compile(r"(?i)^(?:docs?|documentation|website|site|book|guides?|manual)/")
_ASIDE = re.compile(
    r"(?i)(?:^|/)(?:\.[^/]+|node_modules|vendor|third_party|tests?|fixtures|testdata|change(?:s|log)|history|news"
    r"|licen[cs]e|copying|code_of_conduct|authors|contributors|releases?)(?:/|\.[a-z]+$|$)"
)
_EMPTY = Files(branch="", commit="", blobs=())


class Reads(Protocol):
    """What is needed of the client: one GET as the repository's credential, within its budget."""

    async def read(self, address: str, repo: str = "") -> tuple[Mapping[str, Any], Any]: ...


async def list_files(github: Reads, repo: str) -> Files:
    """The default branch's files; none where the repository is empty or not to be seen.

    Links and submodules are left out. Of a repository too large for one answer, what GitHub gives of it.
    """
    about = await _get(github, f"/repos/{repo}", repo)
    branch = about.get("default_branch") if isinstance(about, Mapping) else None
    if not branch:
        return _EMPTY
    commits = await _get(github, f"/repos/{repo}/commits?{urlencode({'sha': branch, 'per_page': 1})}", repo)
    head = commits[0] if isinstance(commits, list) and commits and isinstance(commits[0], Mapping) else {}
    tree = found_at(head, "commit", "tree", "sha")
    if not tree or not head.get("sha"):
        return _EMPTY
    listing = await _get(github, f"/repos/{repo}/git/trees/{tree}?recursive=1", repo)
    entries = listing.get("tree") if isinstance(listing, Mapping) else None
    if not isinstance(entries, list):
        raise Transient(f"github: the files of {repo} came as something else than a list")
    blobs = [
        (str(entry["path"]), str(entry["sha"]))
        for entry in entries
        if isinstance(entry, Mapping)
        and entry.get("type") == "blob"
        and entry.get("mode") != _SYMLINK
        and entry.get("path")
        and entry.get("sha")
    ]
    return Files(branch=str(branch), commit=str(head["sha"]), blobs=tuple(blobs[:MAX_LISTED]))


async def read_file(github: Reads, repo: str, path: str, *, ref: str = "") -> File | None:
    """A text file; None where there is none of that path, or it is binary or larger than MAX_FILE."""
    if any(part in ("", ".", "..") for part in path.split("/")):
        return None
    query = f"?{urlencode({'ref': ref})}" if ref else ""
    found = await _get(github, f"/repos/{repo}/contents/{quote(path)}{query}", repo)
    if not isinstance(found, Mapping) or found.get("type") != "file" or found.get("encoding") != "base64":
        return None
    size = found.get("size")
    if not isinstance(size, int) or size > MAX_FILE:
        return None
    try:
        text = base64.b64decode(str(found.get("content") or "")).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return None if "\0" in text else File(path=path, text=text, sha=str(found.get("sha") or ""))


async def file_authors(github: Reads, repo: str, path: str) -> tuple[str, ...]:
    """Logins of those who changed a file last, the latest first, each once; no bots."""
    query = urlencode({"path": path, "per_page": 10})
    commits = await _get(github, f"/repos/{repo}/commits?{query}", repo)
    return logins_of(commits)[:MAX_AUTHORS]


@dataclass(slots=True)
class Pages:
    """Documentation that was read, by repository and git's name of the content: what has not changed is not read
    again."""

    _kept: OrderedDict[tuple[str, str], str] = field(default_factory=OrderedDict)
    _bytes: int = 0

    async def read(self, github: Reads, repo: str) -> Docs | None:
        """README and documentation, at most MAX_PAGES and MAX_DOCS; None where there are no files."""
        files = await list_files(github, repo)
        if not files.blobs:
            return None
        free = asyncio.Semaphore(_AT_ONCE)

        async def page(path: str, sha: str) -> File | None:
            known = self._kept.get((repo, sha))
            if known is not None:
                return File(path=path, text=known, sha=sha)
            async with free:
                found = await read_file(github, repo, path, ref=files.commit)
            if found is not None:
                self._keep(repo, sha, found.text)
            return found

        found = await asyncio.gather(*(page(path, sha) for path, sha in docs_among(files.blobs)))
        pages: list[File] = []
        left = MAX_DOCS
        for one in found:
            left -= len(one.text) if one is not None else 0
            if one is not None and left >= 0:
                pages.append(one)
        return Docs(commit=files.commit, pages=tuple(pages))

    def _keep(self, repo: str, sha: str, text: str) -> None:
        self._kept[repo, sha] = text
        self._bytes += len(text)
        while self._bytes > _KEPT_BYTES:
            self._bytes -= len(self._kept.popitem(last=False)[1])


def docs_among(blobs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those that document: README first, then the docs folders, then other pages; the higher up, the earlier."""
    ranked = [(rank, path.count("/"), path, sha) for path, sha in blobs if (rank := _rank(path)) is not None]
    return [(path, sha) for _, _, path, sha in sorted(ranked)[:MAX_PAGES]]


def _rank(path: str) -> int | None:
    if _README.match(path):
        return 0
    if _ASIDE.search(path):
        return None
    if _DOCS_FOLDER.match(path):
        return 1 if _TEXT.search(path) else None
    return 2 if _WRITTEN.search(path) else None


async def _get(github: Reads, address: str, repo: str) -> Any:
    """The answer; None where there is nothing (404), or the repository is empty (409)."""
    try:
        _, data = await github.read(address, repo)
    except Rejected as error:
        if error.status in (404, 409):
            return None
        raise
    return data

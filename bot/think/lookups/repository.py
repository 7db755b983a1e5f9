"""Reads a repository's files, documentation and who changed them, over GitHub.

Nothing here waits for a budget: a reading that would have to is given up, and the case goes on without.
"""

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from bot.think.sources import Sources
from integrations.github.client import files as client_files
from models.asks import Docs, File, FileAuthors, Files, ListFiles, ReadDocs, ReadFile

if TYPE_CHECKING:
    from integrations.github.client.client import GithubClient

_pages: "WeakKeyDictionary[GithubClient, client_files.Pages]" = WeakKeyDictionary()


async def list_files(sources: Sources, ask: ListFiles, run: str) -> Files | None:
    return await client_files.list_files(sources.github, ask.repo)


async def read_file(sources: Sources, ask: ReadFile, run: str) -> File | None:
    return await client_files.read_file(sources.github, ask.repo, ask.path)


async def read_docs(sources: Sources, ask: ReadDocs, run: str) -> Docs | None:
    return await _pages.setdefault(sources.github, client_files.Pages()).read(sources.github, ask.repo)


async def file_authors(sources: Sources, ask: FileAuthors, run: str) -> tuple[str, ...] | None:
    return await client_files.file_authors(sources.github, ask.repo, ask.path)

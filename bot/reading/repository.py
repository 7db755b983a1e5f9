"""Reads a repository's files, documentation and who changed them, over GitHub."""

from typing import TYPE_CHECKING

from models.asks import Docs, File, FileAuthors, Files, ListFiles, ReadDocs, ReadFile

if TYPE_CHECKING:
    from bot.wiring import App


async def list_files(app: "App", ask: ListFiles, run: str) -> Files | None:
    return None


async def read_file(app: "App", ask: ReadFile, run: str) -> File | None:
    return None


async def read_docs(app: "App", ask: ReadDocs, run: str) -> Docs | None:
    return None


async def file_authors(app: "App", ask: FileAuthors, run: str) -> tuple[str, ...] | None:
    return None

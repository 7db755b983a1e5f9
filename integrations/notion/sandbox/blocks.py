"""What Notion takes for a block, and its limits of size, number and depth, as the stand-in enforces them."""

from collections.abc import Mapping
from typing import Any

from integrations.notion.payloads import LANGUAGES

MAX_BYTES = 500_000
_MAX_CHILDREN = 100
_MAX_PIECES = 100
_MAX_TEXT = 2_000
_MAX_BLOCKS = 1_000
_DEEPEST = 2
_NESTING = ("paragraph", "bulleted_list_item", "numbered_list_item", "to_do", "quote", "callout", "toggle")
_KINDS: Mapping[str, frozenset[str]] = {
    **{kind: frozenset(("rich_text", "color", "children")) for kind in _NESTING},
    "to_do": frozenset(("rich_text", "color", "children", "checked")),
    "callout": frozenset(("rich_text", "color", "children", "icon")),
    **{f"heading_{n}": frozenset(("rich_text", "color", "children", "is_toggleable")) for n in range(1, 4)},
    "code": frozenset(("rich_text", "caption", "language")),
    "divider": frozenset(),
}
"""Blocks that drafts use, with their fields; Notion has more."""
_LANGUAGES = LANGUAGES | {"plain text"}


class Invalid(Exception):
    """A request that Notion refuses, with the status and the words of its answer."""

    def __init__(self, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.status = status


def check_children(blocks: Any, where: str) -> None:
    """Invalid where a list of blocks is not one that a request may have."""
    if _count(blocks, where, 0) > _MAX_BLOCKS:
        raise Invalid(f"{where} has more than {_MAX_BLOCKS} blocks in all.")


def check_rich_text(pieces: Any, where: str) -> None:
    """Invalid where a list of rich texts is malformed or too long."""
    if not isinstance(pieces, list):
        raise Invalid(f"{where} should be an array.")
    if len(pieces) > _MAX_PIECES:
        raise Invalid(f"{where}.length should be ≤ `{_MAX_PIECES}`, instead was `{len(pieces)}`.")
    for at, piece in enumerate(pieces):
        text = piece.get("text") if isinstance(piece, dict) else None
        content = text.get("content") if isinstance(text, dict) else None
        if not isinstance(text, dict) or not isinstance(content, str) or set(piece) - _PIECE:
            raise Invalid(f"{where}[{at}].text should be defined.")
        _short(content, f"{where}[{at}].text.content")
        link = text.get("link")
        if link is not None:
            url = link.get("url") if isinstance(link, dict) else None
            if not isinstance(url, str) or not url.startswith(("http://", "https://", "mailto:")):
                raise Invalid("Invalid URL for link.")
            _short(url, f"{where}[{at}].text.link.url")


_PIECE = {"type", "text", "annotations"}


def _short(text: str, where: str) -> None:
    size = len(text.encode("utf-16-le", "replace")) // 2
    if size > _MAX_TEXT:
        raise Invalid(
            f"body failed validation: {where}.length should be ≤ `{_MAX_TEXT}`, instead was `{size}`."
        )


def _count(blocks: Any, where: str, depth: int) -> int:
    if not isinstance(blocks, list):
        raise Invalid(f"{where} should be an array.")
    if len(blocks) > _MAX_CHILDREN:
        raise Invalid(f"{where}.length should be ≤ `{_MAX_CHILDREN}`, instead was `{len(blocks)}`.")
    if depth > _DEEPEST:
        raise Invalid(f"{where} should be not present: at most {_DEEPEST} levels are nested.")
    return sum(_block(block, f"{where}[{at}]", depth) for at, block in enumerate(blocks))


def _block(block: Any, where: str, depth: int) -> int:
    if not isinstance(block, dict):
        raise Invalid(f"{where} should be an object.")
    kinds = [key for key in block if key not in ("object", "type")]
    if len(kinds) != 1 or kinds[0] not in _KINDS or block.get("type", kinds[0]) != kinds[0]:
        raise Invalid(f"{where} should be a block, instead was {kinds[:3]}.")
    kind, content = kinds[0], block[kinds[0]]
    if not isinstance(content, dict) or set(content) - _KINDS[kind]:
        raise Invalid(f"{where}.{kind} has a field that should be not present.")
    if "rich_text" in _KINDS[kind]:
        check_rich_text(content.get("rich_text"), f"{where}.{kind}.rich_text")
    if kind == "code" and content.get("language") not in _LANGUAGES:
        raise Invalid(f"{where}.code.language should be one of Notion's.")
    nested = content.get("children")
    return 1 + (_count(nested, f"{where}.{kind}.children", depth + 1) if nested else 0)

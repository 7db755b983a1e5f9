"""From a command to Notion's requests: the one page of an issue, by whose title it is found again."""

from collections.abc import Mapping, Sequence
from typing import Any

from integrations.notion.payloads import Block, title_of
from models.commands import Pending

MAX_TITLE = 200


def title(pending: Pending) -> str:
    """Begins with the issue's name, whatever becomes of its title."""
    return f"{_lead(pending)}{pending.payload['title']}"[:MAX_TITLE]


def page_body(pending: Pending, parent: str, blocks: Sequence[Block]) -> dict[str, Any]:
    """POST /v1/pages."""
    return {
        "parent": {"type": "page_id", "page_id": parent},
        "properties": {"title": {"title": title_of(title(pending))}},
        "children": list(blocks),
    }


def is_page_of(pending: Pending, block: Mapping[str, Any], me: str) -> bool:
    """Is this child of the parent the command's page, made by the bot?"""
    page = block.get("child_page")
    named = isinstance(page, Mapping) and str(page.get("title") or "").startswith(_lead(pending))
    return named and is_by(block, me) and not block.get("in_trash")


def is_by(block: Mapping[str, Any], me: str) -> bool:
    who = block.get("created_by")
    return isinstance(who, Mapping) and who.get("id") == me


def _lead(pending: Pending) -> str:
    return f"{pending.command.issue}: "

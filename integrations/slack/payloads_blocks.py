"""Block Kit in small pieces: texts that can do no harm, and blocks that Slack takes for any input."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

Block = dict[str, Any]

MAX_SECTION, MAX_HEADER, MAX_BUTTON, MAX_VALUE, MAX_OPTION = 3_000, 150, 75, 2_000, 75
MAX_OPTION_VALUE, MAX_BLOCK_ID = 150, 255
MAX_TOTAL = 13_000
"""Characters of all blocks of a message together; Slack refuses more than about 13,200."""
MAX_TITLE = 120
MAX_ADDRESS = 450
MAX_NAME = 200
"""Characters by which the names of blocks differ."""
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_FORMATS = re.compile(r"([@*_~`])")
_ADDRESS = re.compile(r"https?://[^\s<>|\"`\x00-\x20\x7f]+")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9:._+-]{1,100}", re.ASCII)
_PLAIN_REF = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}#[0-9]{1,10}", re.ASCII)


def clean(text: str, limit: int) -> str:
    """One line of what is seen of a text, bounded."""
    # Cut first: the rest of a book in a title need not be looked at.
    text = " ".join(_UNSEEN.sub("", text[: 8 * limit]).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def escape(text: str, limit: int = MAX_TITLE) -> str:
    """Issue text for mrkdwn: bounded, one line, no control characters, links, mentions or formatting."""
    text = clean(text, limit).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # A word joiner after @ and inside `*_~` keeps Slack from making mentions and formats of them.
    return _FORMATS.sub("\\1\u2060", text)


def link(url: str, words: str) -> str:
    """A link of ours; the words alone where the address is none."""
    shown = words if _PLAIN_REF.fullmatch(words) else escape(words).replace("|", "/") or "(unnamed)"
    address = url.replace("&", "&amp;")
    is_address = len(address) <= MAX_ADDRESS and _ADDRESS.fullmatch(url)
    return f"<{address}|{shown}>" if is_address else shown


def code(name: str) -> str:
    """A name of ours that may be copied as it stands; of any other text the harmless form."""
    return f"`{name if _PLAIN_NAME.fullmatch(name) else escape(name, 80).replace('`', '') or '-'}`"


def header(text: str) -> Block:
    return {"type": "header", "text": plain(text, MAX_HEADER)}


def section(text: str, *, block_id: str = "", accessory: Block | None = None) -> Block:
    """A paragraph; its text must have been built to fit, for a cut may go through a link."""
    block: Block = {"type": "section", "text": mrkdwn(text)}
    if block_id:
        block["block_id"] = block_id[:MAX_BLOCK_ID]
    return block | {"accessory": accessory} if accessory else block


def context(text: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(text)]}


def actions(block_id: str, elements: Sequence[Block]) -> Block:
    return {"type": "actions", "block_id": block_id[:MAX_BLOCK_ID], "elements": list(elements)}


def divider() -> Block:
    return {"type": "divider"}


def button(text: str, action_id: str, value: str, *, style: str = "") -> Block:
    element: Block = {"type": "button", "text": plain(text, MAX_BUTTON), "action_id": action_id}
    element["value"] = value[:MAX_VALUE] or "-"
    return element | {"style": style} if style else element


def menu(words: str, action_id: str, options: Iterable[tuple[str, str]]) -> Block:
    """A list to choose from: (words, value) each."""
    return {
        "type": "static_select",
        "action_id": action_id,
        "placeholder": plain(words, MAX_BUTTON),
        "options": [
            {"text": plain(text, MAX_OPTION), "value": value[:MAX_OPTION_VALUE]} for text, value in options
        ],
    }


def plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": clean(text, limit) or "-", "emoji": True}


def mrkdwn(text: str) -> Block:
    # Verbatim: an address in a title is no link; ours are written as links.
    return {"type": "mrkdwn", "text": text[:MAX_SECTION] or "-", "verbatim": True}


def fitting(head: str, entries: Iterable[str], total: int, rest: str = "in the report") -> str:
    """A list with as many whole entries as fit into a section; half a link or half an entity would be shown."""
    told, shown = head, 0
    for entry in entries:
        if len(told) + len(entry) > MAX_SECTION - 60:
            break
        told, shown = f"{told}\n{entry}", shown + 1
    return told + (f"\n… and {total - shown} more {rest}" if total > shown else "")


def size(blocks: Sequence[Block]) -> int:
    """Characters that all blocks show together, as Slack counts them."""
    return sum(map(len, _texts(list(blocks))))


def take(groups: Iterable[Sequence[Block]], *, blocks: int, text: int) -> tuple[list[Block], int]:
    """As many whole groups as fit into so many blocks and characters: (their blocks, how many groups)."""
    taken: list[Block] = []
    count = 0
    for group in groups:
        blocks, text = blocks - len(group), text - size(group)
        if blocks < 0 or text < 0:
            break
        taken += group
        count += 1
    return taken, count


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "text" and isinstance(value, str):
                yield value
            elif isinstance(value, dict | list):
                yield from _texts(value)
    elif isinstance(node, list):
        for item in node:
            yield from _texts(item)

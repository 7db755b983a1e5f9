"""What Slack refuses in Block Kit: unknown kinds, missing parts, texts and lists that are too long."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

MAX_BLOCKS = 50
MAX_VIEW_BLOCKS = 100
MAX_TOTAL_TEXT = 13_200
"""All text of a message's blocks together; measured, not documented."""

_URL = 3000
_ACTION_ID = 255
_BUTTON = {"text": 75, "value": 2000, "url": _URL}
_OPTION = {"text": 75, "value": 150}
_SELECTS = ("static", "external", "users", "conversations", "channels")
_ELEMENTS = {f"{kind}_select" for kind in _SELECTS} | {f"multi_{kind}_select" for kind in _SELECTS}
_ELEMENTS |= {
    "button",
    "overflow",
    "datepicker",
    "timepicker",
    "datetimepicker",
    "checkboxes",
    "radio_buttons",
}
_ELEMENTS |= {
    "plain_text_input",
    "rich_text_input",
    "workflow_button",
    "image",
    "icon_button",
    "feedback_buttons",
}
_ELEMENTS |= {"email_text_input", "url_text_input", "number_input", "file_input"}


class _Faults(list[str]):
    def add(self, where: str, what: str) -> None:
        self.append(f"[ERROR] {what} [json-pointer:{where}]")


def check_blocks(blocks: Any, *, view: bool = False) -> list[str]:
    """What is wrong with the blocks of a message, or of a modal or home page; empty where nothing is."""
    faults = _Faults()
    if not isinstance(blocks, list):
        faults.add("/blocks", "must be a list of blocks")
        return faults
    most = MAX_VIEW_BLOCKS if view else MAX_BLOCKS
    if len(blocks) > most:
        faults.add("/blocks", f"no more than {most} items allowed")
    seen: set[str] = set()
    for at, block in enumerate(blocks):
        where = f"/blocks/{at}"
        if not isinstance(block, dict):
            faults.add(where, "must be an object")
            continue
        checker = _BLOCKS.get(str(block.get("type")))
        if checker is None or (block["type"] == "input" and not view):
            faults.add(f"{where}/type", f"unsupported type: {block.get('type')}")
            continue
        block_id = block.get("block_id")
        if block_id is not None:
            _string(block, "block_id", 255, where, faults)
            if str(block_id) in seen:
                faults.add(f"{where}/block_id", "block_id must be unique")
            seen.add(str(block_id))
        checker(block, where, faults)
    return faults


def total_text(blocks: list[Any]) -> int:
    """Characters that are shown, over all blocks."""
    return sum(len(text) for block in blocks for text in _texts(block))


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


def _string(node: Mapping[str, Any], key: str, most: int, where: str, faults: _Faults) -> None:
    value = node.get(key)
    if not isinstance(value, str):
        faults.add(f"{where}/{key}", "must be a string" if key in node else "missing required field")
    elif not value:
        faults.add(f"{where}/{key}", "must be more than 0 characters")
    elif len(value) > most:
        faults.add(f"{where}/{key}", f"must be less than {most + 1} characters")


def _text(
    node: Any, most: int, where: str, faults: _Faults, kinds: tuple[str, ...] = ("plain_text",)
) -> None:
    """A text object: its kind, and 1 to `most` characters."""
    if not isinstance(node, dict):
        faults.add(where, "missing required field" if node is None else "must be a text object")
        return
    if node.get("type") not in kinds:
        faults.add(f"{where}/type", f"must be one of {', '.join(kinds)}")
    _string(node, "text", most, where, faults)
    extra = set(node) - {"type", "text", "emoji", "verbatim"}
    if extra or (node.get("type") == "mrkdwn" and "emoji" in node):
        faults.add(where, f"no such field: {', '.join(sorted(extra)) or 'emoji'}")


_ANY = ("plain_text", "mrkdwn")


def _items(node: Mapping[str, Any], key: str, most: int, where: str, faults: _Faults) -> list[Any]:
    found = node.get(key)
    if not isinstance(found, list):
        faults.add(f"{where}/{key}", "must be a list" if key in node else "missing required field")
        return []
    if not 1 <= len(found) <= most:
        faults.add(f"{where}/{key}", f"must have 1 to {most} items")
    return found


def _section(block: Mapping[str, Any], where: str, faults: _Faults) -> None:
    if "text" not in block and "fields" not in block:
        faults.add(where, "text or fields is required")
    if "text" in block:
        _text(block["text"], 3000, f"{where}/text", faults, _ANY)
    if "fields" in block:
        for at, item in enumerate(_items(block, "fields", 10, where, faults)):
            _text(item, 2000, f"{where}/fields/{at}", faults, _ANY)
    if "accessory" in block:
        _element(block["accessory"], f"{where}/accessory", faults)


def _header(block: Mapping[str, Any], where: str, faults: _Faults) -> None:
    _text(block.get("text"), 150, f"{where}/text", faults)


def _markdown(block: Mapping[str, Any], where: str, faults: _Faults) -> None:
    _string(block, "text", 12_000, where, faults)


def _divider(block: Mapping[str, Any], where: str, faults: _Faults) -> None:
    extra = set(block) - {"type", "block_id"}
    if extra:
        faults.add(where, f"no such field: {', '.join(sorted(extra))}")


def _image(block: Mapping[str, Any], where: str, faults: _Faults) -> None:
    if "slack_file" not in block:
        _string(block, "image_url", _URL, where, faults)
    _string(block, "alt_text", 2000, where, faults)
    if "title" in block:
        _text(block["title"], 2000, f"{where}/title", faults)


def _context(block: Mapping[str, Any], where: str, faults: _Faults) -> None:
    for at, item in enumerate(_items(block, "elements", 10, where, faults)):
        inside = f"{where}/elements/{at}"
        if isinstance(item, dict) and item.get("type") == "image":
            _image(item, inside, faults)
        else:
            _text(item, 3000, inside, faults, _ANY)


def _actions(block: Mapping[str, Any], where: str, faults: _Faults) -> None:
    seen: set[str] = set()
    for at, item in enumerate(_items(block, "elements", 25, where, faults)):
        _element(item, f"{where}/elements/{at}", faults)
        action = item.get("action_id") if isinstance(item, dict) else None
        if action is not None and str(action) in seen:
            faults.add(f"{where}/elements/{at}/action_id", "action_id must be unique within a block")
        seen.add(str(action))


def _input(block: Mapping[str, Any], where: str, faults: _Faults) -> None:
    _text(block.get("label"), 2000, f"{where}/label", faults)
    _element(block.get("element"), f"{where}/element", faults)
    if "hint" in block:
        _text(block["hint"], 2000, f"{where}/hint", faults)


def _rich_text(block: Mapping[str, Any], where: str, faults: _Faults) -> None:
    _items(block, "elements", 1000, where, faults)


def _loose(block: Mapping[str, Any], where: str, faults: _Faults) -> None:
    """Kinds that Switchyard does not use; their shape is left to the contract tests."""


def _element(node: Any, where: str, faults: _Faults) -> None:
    if not isinstance(node, dict) or node.get("type") not in _ELEMENTS:
        faults.add(where, f"unsupported element: {node.get('type') if isinstance(node, dict) else node}")
        return
    if "action_id" in node:
        _string(node, "action_id", _ACTION_ID, where, faults)
    kind = node["type"]
    if kind == "button":
        _button(node, where, faults)
    elif kind == "image":
        _image(node, where, faults)
    elif "placeholder" in node:
        _text(node["placeholder"], 150, f"{where}/placeholder", faults)
    if "confirm" in node:
        _confirm(node["confirm"], f"{where}/confirm", faults)
    if kind == "overflow" or (
        kind in ("static_select", "multi_static_select") and "option_groups" not in node
    ):
        for at, option in enumerate(_items(node, "options", 5 if kind == "overflow" else 100, where, faults)):
            _option(option, f"{where}/options/{at}", faults)


def _button(node: Mapping[str, Any], where: str, faults: _Faults) -> None:
    _text(node.get("text"), _BUTTON["text"], f"{where}/text", faults)
    for key in ("value", "url"):
        if key in node:
            _string(node, key, _BUTTON[key], where, faults)
    if node.get("style") not in (None, "primary", "danger"):
        faults.add(f"{where}/style", "must be primary or danger")


def _option(node: Any, where: str, faults: _Faults) -> None:
    if not isinstance(node, dict):
        faults.add(where, "must be an object")
        return
    _text(node.get("text"), _OPTION["text"], f"{where}/text", faults, _ANY)
    _string(node, "value", _OPTION["value"], where, faults)


def _confirm(node: Any, where: str, faults: _Faults) -> None:
    if not isinstance(node, dict):
        faults.add(where, "must be an object")
        return
    for key, most in (("title", 100), ("confirm", 30), ("deny", 30)):
        if key in node:
            _text(node[key], most, f"{where}/{key}", faults)
    _text(node.get("text"), 300, f"{where}/text", faults, _ANY)


_Checker = Callable[[Mapping[str, Any], str, _Faults], None]
_BLOCKS: dict[str, _Checker] = {
    "section": _section,
    "header": _header,
    "markdown": _markdown,
    "divider": _divider,
    "image": _image,
    "context": _context,
    "actions": _actions,
    "input": _input,
    "rich_text": _rich_text,
    "video": _loose,
    "file": _loose,
    "table": _loose,
    "call": _loose,
    "context_actions": _loose,
}

"""What the Slack stand-in reads: arguments in a query, a form or JSON, and blocks; and how it refuses."""

import json
from typing import Any
from urllib.parse import parse_qsl

from integrations.sandbox_faults import Request
from integrations.slack.sandbox.blocks import MAX_TOTAL_TEXT, check_blocks, total_text

_JSON_FIELDS = ("blocks", "attachments", "metadata", "view", "files")


class Refused(Exception):
    """Ends a method with `"ok": false`."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.body = {"ok": False, "error": error, **more}


def checked(blocks: Any, *, view: bool = False) -> list[Any]:
    faults = check_blocks(blocks, view=view)
    if faults:
        raise Refused("invalid_blocks", errors=faults, response_metadata={"messages": faults})
    found: list[Any] = blocks
    if not view and total_text(found) > MAX_TOTAL_TEXT:
        raise Refused("msg_blocks_too_long")
    return found


def arguments(request: Request, *, strict: bool = True) -> dict[str, Any]:
    """Arguments from the query and from a JSON or form body; JSON inside a form is read as well."""
    args: dict[str, Any] = dict(request.query)
    if request.body:
        if "json" in request.headers.get("content-type", ""):
            try:
                data = request.json()
            except ValueError:
                data = None
            if not isinstance(data, dict):
                if strict:
                    raise Refused("invalid_json")
                data = {}
            args |= data
        else:
            args |= parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    for name in _JSON_FIELDS:
        if isinstance(args.get(name), str):
            try:
                args[name] = json.loads(args[name]) if args[name] else None
            except ValueError:
                if strict:
                    raise Refused(f"invalid_{name}_format") from None
    return args


def number(value: Any, default: int) -> int:
    text = str(value if value is not None else "")
    return int(text) if text.isdecimal() else default


def true(value: Any) -> bool:
    return str(value).lower() in ("true", "1")

"""Slack's side of the contract: arguments, Block Kit by schema, SDK and limits, the shape of answers."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

from tests.contracts.schemas import pointer

_NEWER = {
    "chat.postMessage": {"metadata", "markdown_text"},
    "chat.update": {"metadata", "markdown_text", "file_ids", "reply_broadcast"},
    "chat.postEphemeral": {"markdown_text"},
    "conversations.open": {"prevent_creation"},
    "conversations.list": {"team_id"},
    "users.list": {"team_id"},
}
"""Arguments that came after the published document (2021)."""
_JSON_ARGUMENTS = ("blocks", "view", "metadata", "attachments")


class SlackSpec:
    """Checks calls of Slack's Web API by method name."""

    def __init__(self, root: Path) -> None:
        document = json.loads((root / "slack_web_openapi_v2.subset.json").read_text(encoding="utf-8"))
        self._methods = {
            path.strip("/"): next(iter(item.values())) for path, item in document["paths"].items()
        }
        schema = json.loads(
            (root / "block-kit.from-slack-types-3.2.0.schema.json").read_text(encoding="utf-8")
        )
        self._blocks = jsonschema_rs.Draft7Validator(schema)
        limits = json.loads((root / "block-kit-limits.json").read_text(encoding="utf-8"))["not_in_sdk"]
        self._most_blocks: int = limits["blocks_per_message"]
        self._most_view_blocks: int = limits["blocks_per_modal_or_home"]
        self._most_field_text: int = limits["section_field_text"]

    def knows(self, method: str) -> bool:
        """Whether the document has the method."""
        return method in self._methods

    def check_request(self, method: str, arguments: Mapping[str, Any]) -> None:
        """AssertionError where an argument is unknown, missing or, for blocks, malformed."""
        values = {k: _parsed(k, v) for k, v in arguments.items() if v is not None}
        if method in self._methods:
            parameters = self._methods[method].get("parameters", [])
            known = {p["name"] for p in parameters} | _NEWER.get(method, set())
            unknown = set(values) - known
            assert not unknown, f"{method}: unknown arguments {sorted(unknown)}"
            needed = {p["name"] for p in parameters if p.get("required") and p["name"] != "token"}
            assert needed <= set(values), f"{method}: missing arguments {sorted(needed - set(values))}"
        if "blocks" in values:
            problems = self.block_problems(values["blocks"], most=self._most_blocks)
            assert not problems, f"{method}: " + "; ".join(problems[:5])
        if isinstance(values.get("view"), dict):
            problems = self.block_problems(values["view"].get("blocks"), most=self._most_view_blocks)
            assert not problems, f"{method}: view: " + "; ".join(problems[:5])

    def block_problems(self, blocks: Any, *, most: int | None = None) -> list[str]:
        """What is wrong with blocks, by their schema, by the SDK's own checks and by the limits it lacks."""
        if not isinstance(blocks, list):
            return ["blocks: not a list"]
        problems = [
            f"blocks{pointer(e.instance_path)}: {e.message[:200]}" for e in self._blocks.iter_errors(blocks)
        ]
        if len(blocks) > (most or self._most_blocks):
            problems.append(f"blocks: {len(blocks)} of at most {most or self._most_blocks}")
        for at, block in enumerate(blocks):
            if isinstance(block, dict):
                problems += [f"blocks/{at}: {text}" for text in self._sdk_problems(block)]
        return problems

    def _sdk_problems(self, block: dict[str, Any]) -> list[str]:
        fields = block.get("fields")
        found = [
            f"a field has more than {self._most_field_text} characters"
            for field in (fields if isinstance(fields, list) else [])
            if isinstance(field, dict) and len(str(field.get("text", ""))) > self._most_field_text
        ]
        try:
            for parsed in Block.parse_all([block]):
                parsed.to_dict()
        except SlackObjectFormationError as error:
            found.append(str(error))
        except (TypeError, ValueError, AttributeError, KeyError) as error:
            found.append(f"the SDK cannot read it: {error}")
        return found

    def check_response(self, method: str, status: int, body: Any) -> None:
        """AssertionError where an answer is neither a success with its required members nor an error."""
        where = f"{method}: response {status}"
        assert isinstance(body, dict) and isinstance(body.get("ok"), bool), f"{where}: no ok: {body!r}"
        if not body["ok"]:
            assert isinstance(body.get("error"), str) and body["error"], f"{where}: no error name"
            assert (status == 429) == (body["error"] == "ratelimited"), f"{where}: {body['error']}"
            return
        assert status == 200, f"{where}: a success is 200"
        success = self._methods.get(method, {}).get("responses", {}).get("200", {}).get("schema", {})
        missing = set(success.get("required", ())) - set(body)
        assert not missing, f"{where}: missing {sorted(missing)}"


def _parsed(name: str, value: Any) -> Any:
    """JSON inside a form as what it means."""
    if name in _JSON_ARGUMENTS and isinstance(value, str):
        return json.loads(value)
    return value

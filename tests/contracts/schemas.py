"""Turns OpenAPI 3.0 and Swagger 2.0 documents into JSON Schema, with a validator for each part."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

_DROPPED = {
    "discriminator",
    "example",
    "examples",
    "externalDocs",
    "xml",
    "deprecated",
    "readOnly",
    "writeOnly",
}


def convert(node: Any, base: str) -> Any:
    """The same schema in JSON Schema 2020-12; references become absolute, so that parts can be used alone."""
    if isinstance(node, list):
        return [convert(item, base) for item in node]
    if not isinstance(node, dict):
        return node
    found: dict[str, Any] = {}
    for key, value in node.items():
        if key == "$ref" and isinstance(value, str) and value.startswith("#"):
            found[key] = base + value
        elif key == "x-oneOf":
            found["oneOf"] = convert(value, base)
        elif key in ("properties", "definitions", "schemas", "patternProperties") and isinstance(value, dict):
            found[key] = {name: convert(item, base) for name, item in value.items()}
        elif key not in _DROPPED and not (key.startswith("x-") and key != "x-nullable"):
            found[key] = convert(value, base)
    _exclusive(found, "exclusiveMinimum", "minimum")
    _exclusive(found, "exclusiveMaximum", "maximum")
    if found.pop("nullable", False) is True or found.pop("x-nullable", False) is True:
        found.pop("x-nullable", None)
        return {"anyOf": [found, {"type": "null"}]}
    return found


def _exclusive(schema: dict[str, Any], flag: str, bound: str) -> None:
    """Draft 4 has a flag beside the bound, newer drafts have the bound itself."""
    if isinstance(schema.get(flag), bool) and schema.pop(flag) and bound in schema:
        schema[flag] = schema.pop(bound)


class Schemas:
    """The schemas of one document; validators are made when first asked for.

    What `more` documents have besides joins it.
    """

    def __init__(self, path: Path, *more: Path) -> None:
        self.document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for other in more:
            _join(self.document, json.loads(other.read_text(encoding="utf-8")))
        self._base = f"urn:contract:{path.stem}"
        holder = {k: v for k, v in self.document.items() if k in ("components", "definitions")}
        resource = convert(holder, self._base)
        self._registry = jsonschema_rs.Registry([(self._base, resource)], draft=jsonschema_rs.Draft202012)
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def resolve(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a reference points to, or the node itself."""
        while "$ref" in node:
            target: Any = self.document
            for part in str(node["$ref"]).removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def problems(self, key: str, schema: Mapping[str, Any], value: Any) -> list[str]:
        """What is wrong with `value`, each with the path to it; `key` names the schema for reuse."""
        validator = self._validators.get(key)
        if validator is None:
            validator = jsonschema_rs.Draft202012Validator(
                convert(dict(schema), self._base), registry=self._registry, validate_formats=True
            )
            self._validators[key] = validator
        if validator.is_valid(value):
            return []
        return [
            f"{pointer(error.instance_path)}: {error.message[:300]}" for error in validator.iter_errors(value)
        ]


def pointer(path: Any) -> str:
    """A path into a JSON value, for people."""
    return "/" + "/".join(str(part) for part in path)


def _join(document: dict[str, Any], other: Mapping[str, Any]) -> None:
    for key, value in other.items():
        present = document.setdefault(key, value)
        if isinstance(present, dict) and present is not value:
            _join(present, value)


@cache
def load(path: Path, *more: Path) -> Schemas:
    """The schemas of a file and of those that add to it, read once."""
    return Schemas(path, *more)

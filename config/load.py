"""Find, read and check the configuration; every mistake becomes one line that names place and mend."""

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from config.settings import Settings
from models.errors import UserFacing, plain

ENV_PREFIX = "SWITCHYARD__"
DEFAULT = Path(__file__).with_name("default.yaml")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def find(option: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The file to read: --config, $SWITCHYARD_CONFIG, ./switchyard.yaml, else the packaged default."""
    if option is not None:
        return option
    if environ.get("SWITCHYARD_CONFIG"):
        return Path(environ["SWITCHYARD_CONFIG"])
    here = Path("switchyard.yaml")
    return here if here.exists() else DEFAULT


def load(option: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the configuration and lay the environment over it; UserFacing names the first mistake."""
    path = find(option, environ)
    values, lines = _read(path)
    overrides = _from_environment(values, environ)
    if environ.get("SWITCHYARD_DATABASE_URL"):
        values["storage"] = {"url": environ["SWITCHYARD_DATABASE_URL"]}
        overrides["storage", "url"] = "SWITCHYARD_DATABASE_URL"
    source = Source(str(path), Settings, ("workflow",), lines, overrides)
    try:
        settings = Settings.model_validate(values)
    except RecursionError:
        raise UserFacing(f"{path}: an anchor refers to itself") from None
    except ValidationError as error:
        raise UserFacing(explain(error, source)[0]) from None
    if settings.subflows:
        _check_flows(settings, source)
    return settings


def _check_flows(settings: Settings, source: "Source") -> None:
    # Nodes and their expressions are imported only where flows are configured.
    from config.subflows import flows_of
    from subflows.compose import FlowError

    try:
        flows_of(settings)
    except FlowError as error:
        keys = ("subflows", *(str(part) for part in error.place))
        place = source.place(keys)
        raise UserFacing(f"{place}: {'.'.join((*source.root, 'subflows'))}.{error.path}: {error}") from None


def _read(path: Path) -> tuple[dict[str, Any], dict[tuple[str, ...], int]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise UserFacing(f"{path}: cannot be read ({reason}); check --config or $SWITCHYARD_CONFIG") from None
    document, lines = parse(text, str(path))
    if not isinstance(document, dict) or set(document) != {"workflow"}:
        extra = sorted(str(k) for k in set(document) - {"workflow"}) if isinstance(document, dict) else []
        found = f"; found {', '.join(extra)}" if extra else ""
        raise UserFacing(f"{path}: everything lies under one key `workflow:`{found}")
    values = {} if document["workflow"] is None else document["workflow"]
    if not isinstance(values, dict):
        raise UserFacing(f"{path}: workflow: must hold keys and values")
    return values, lines


def parse(text: str, name: str) -> tuple[Any, dict[tuple[str, ...], int]]:
    """A YAML document and the line of each of its keys; UserFacing with `name` and the line where it is none."""
    try:
        # CSafeLoader is libyaml's: the pure Python one doubles the start-up of a short command.
        node = yaml.compose(text, Loader=LOADER)
        document = yaml.load(text, Loader=LOADER)  # noqa: S506 (safe)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{name}:{mark.line + 1}" if mark else name
        raise UserFacing(f"{place}: not valid YAML ({getattr(error, 'problem', error)})") from None
    except RecursionError:
        raise UserFacing(f"{name}: nested too deeply") from None
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        # A number of five thousand digits, the 31st of February, `!!bool maybe`, `!!timestamp soon`.
        raise UserFacing(f"{name}: not valid YAML ({str(error)[:100]})") from None
    try:
        repeated, lines = _repeated(node), dict(_lines(node))
    except RecursionError:
        raise UserFacing(f"{name}: an anchor refers to itself") from None
    if repeated:
        raise UserFacing(f"{name}:{repeated[1]}: {repeated[0]}: given twice; keep one")
    return document, lines


def _repeated(node: Any) -> tuple[str, int] | None:
    """The first key that stands twice in one mapping; YAML itself lets the last one win."""
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                return str(key.value), key.start_mark.line + 1
            seen.add(key.value)
            if found := _repeated(value):
                return found
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            if found := _repeated(value):
                return found
    return None


def _lines(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = (*path, str(key.value))
            yield name, key.start_mark.line + 1
            yield from _lines(value, name)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            name = (*path, str(index))
            yield name, value.start_mark.line + 1
            yield from _lines(value, name)


def _from_environment(values: dict[str, Any], environ: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Lay SWITCHYARD__SECTION__KEY=value over `values`; returns which variable set which path."""
    overrides: dict[tuple[str, ...], str] = {}
    for name in sorted(environ):
        if not name.startswith(ENV_PREFIX):
            continue
        path = tuple(part.lower() for part in name[len(ENV_PREFIX) :].split("__"))
        at: Any = values
        for part in path[:-1]:
            if not isinstance(at.get(part), dict):
                at[part] = {}
            at = at[part]
        at[path[-1]] = _value(name, environ[name])
        overrides[path] = name
    return overrides


def _value(name: str, text: str) -> Any:
    """Lists and mappings are written as YAML or JSON; anything else is a plain string for the field to read."""
    if text[:1] not in ("[", "{"):
        return text
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise UserFacing(f"environment {name}: {text[:60]!r} is not a list or mapping") from None


@dataclass(frozen=True, slots=True)
class Source:
    """A document that is checked: what people call it, what it has to be, and where its keys stand."""

    name: str
    model: type[BaseModel]
    root: tuple[str, ...] = ()
    """The keys under which everything lies."""
    lines: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    overrides: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    """Keys that environment variables set, without the root, and which."""

    def place(self, keys: tuple[str, ...]) -> str:
        """Where this stands, without the root: a variable, or the file with the line of the nearest known key."""
        variable = next((name for key, name in self.overrides.items() if key == keys[: len(key)]), None)
        if variable:
            return f"environment {variable}"
        full = (*self.root, *keys)
        line = next(
            (n for end in range(len(full), len(self.root), -1) if (n := self.lines.get(full[:end]))), None
        )
        return f"{self.name}:{line}" if line else self.name


def explain(error: ValidationError, source: Source) -> list[str]:
    """Each mistake as one line: place, key, and what to do about it."""
    details = _without_branches([dict(detail) for detail in error.errors(include_url=False)])
    # What is missing comes last: mostly it is there, and misspelt.
    details.sort(key=lambda detail: detail["type"] == "missing")
    return [_told(detail, source) for detail in details]


def _without_branches(details: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Where a word or something else may stand, the word is named beside what is wrong with the other."""
    words = {d["loc"][:-1]: d for d in details if str(d["loc"][-1:]).startswith('("literal[')}
    kept = [d for d in details if words.get(d["loc"][:-1]) is not d]
    for at, word in words.items():
        beside = [d for d in kept if d["loc"][: len(at)] == at]
        if not beside:
            kept.append(word)
        for detail in beside:
            if detail["type"].endswith(("_type", "_parsing")) and detail["input"] == word["input"]:
                detail["also"] = f", or {word['ctx']['expected']}"
    return kept


def _told(first: Any, source: Source) -> str:
    # Pydantic names the branch of a union in the location; only the keys are the user's.
    where = tuple(str(part) for part in first["loc"])
    model = source.model
    known = tuple(part for index, part in enumerate(where) if _is_key(model, where[:index], part))
    full, place = (*source.root, *known), source.place(known)
    if first["type"] == "extra_forbidden":
        names = _keys_at(model, known[:-1])
        near = difflib.get_close_matches(known[-1], names, n=1, cutoff=0.4)
        mend = f"did you mean {near[0]}?" if near else f"known here: {', '.join(names)}"
        if any(word in known[-1].lower() for word in ("token", "secret", "password", "api_key")):
            mend = "secrets come from the environment, like GITHUB_TOKEN, never from the file"
        return f"{place}: {'.'.join(full)}: unknown key; {mend}"
    message = plain(first["type"], first["msg"]) + first.get("also", "")
    if first["type"] == "string_pattern_mismatch":
        message = f"write it like {_example(model, known)}"
    if first["type"] == "too_long" and "actual_length" in first["ctx"]:
        message = f"at most {first['ctx']['max_length']} are allowed, not {first['ctx']['actual_length']}"
    shown = (
        ""
        if first["type"] in ("missing", "value_error", "too_long")
        else f" (given: {_shown(first['input'])})"
    )
    key = f"{'.'.join(full)}: " if full else ""
    return f"{place}: {key}{message[:1].lower()}{message[1:]}{shown}"


def _shown(value: Any) -> str:
    try:
        return repr(str(value)[:60])
    except ValueError:
        return "a very long number"


def _example(model: type[BaseModel], path: tuple[str, ...]) -> str:
    """What the field's own declaration gives as an example."""
    names = [part for part in path if not part.isdigit()]
    section = _model_at(model, tuple(names[:-1]))
    field = section.model_fields.get(names[-1]) if section and names else None
    return str(field.examples[0]) if field and field.examples else "the documentation shows"


def _model_at(start: type[BaseModel], path: tuple[str, ...]) -> type[BaseModel] | None:
    model: type[BaseModel] | None = start
    by_name = False
    for part in path:
        if model is None:
            return None
        if by_name or part.isdigit():
            # The user's own name for one of several sections, or its number.
            by_name = False
            continue
        field = model.model_fields.get(part)
        model = _section_of(field.annotation) if field else None
        by_name = field is not None and get_origin(field.annotation) is Mapping
    return model


def _section_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _section_of(argument)
        if found is not None:
            return found
    return None


def _is_key(model: type[BaseModel], parents: tuple[str, ...], part: str) -> bool:
    return part.isdigit() or _model_at(model, parents) is not None


def _keys_at(model: type[BaseModel], path: tuple[str, ...]) -> list[str]:
    section = _model_at(model, path)
    return sorted(section.model_fields) if section else []

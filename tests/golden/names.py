"""Names that the program's own lists tell: commands, nodes, sub-flows, configuration."""

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined


def command_names(command: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Each command with its arguments, and its options: `queue retry [VALUE]`, `run --wait VALUE = 60s`."""
    name = " ".join(path)
    options = [one for one in command.params if one.param_type_name != "argument"]
    yield from (f"{name} {_option(one)}".strip() for one in options)
    if hasattr(command, "commands"):
        for word, part in command.commands.items():
            yield from command_names(part, (*path, word))
    else:
        words = ("VALUE" if one.required else "[VALUE]" for one in command.params if one not in options)
        yield " ".join((name, *words))


def _option(parameter: Any) -> str:
    many = "..." if parameter.multiple else ""
    words = "/".join([*parameter.opts, *parameter.secondary_opts])
    if parameter.is_flag:
        return words
    default = "" if parameter.default in (None, ()) else f" = {parameter.default}"
    return f"{words} VALUE{many}{default}" + (" (required)" if parameter.required else "")


def node_names(types: Mapping[str, type]) -> Iterator[str]:
    """Each node with its parameters and what they are by themselves: `search_github.limit = 5`."""
    for name, node in types.items():
        yield name
        for spec in dataclasses.fields(node):
            if not spec.init:
                continue
            missing = dataclasses.MISSING
            default = spec.default_factory() if spec.default_factory is not missing else spec.default
            value = "(required)" if default is missing else f"= {_plain(default)}"
            yield f"{name}.{spec.name} {value}"


def flow_names(flows: Mapping[str, Any]) -> Iterator[str]:
    """Each sub-flow with the steps that `before` and `after` may name: `bug: create_story`."""
    for name, steps in flows.items():
        yield name
        yield from (f"{name}: {step}" for step in _steps(steps))


def _steps(data: Any) -> Iterator[str]:
    """The nodes and flows in it, at whatever depth."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, list):
        for one in data:
            yield from _steps(one)
    else:
        for key in ("node", "subflow", "parallel", "steps"):
            yield from _steps(data.get(key, []))
        yield from _steps(data.get("repeat", []))


def setting_names(model: type[BaseModel], at: str = "") -> Iterator[str]:
    """Each key of a section and of those below it, with its default and the words that it takes."""
    for name, field in model.model_fields.items():
        path = f"{at}{name}"
        words = sorted(_words(field.annotation))
        yield f"{path}{_default(field)}" + (f" ({' | '.join(words)})" if words else "")
        for inner, mark in _sections(field.annotation):
            yield from setting_names(inner, f"{path}{mark}.")


def switched_on(settings: BaseModel, at: str = "") -> Iterator[str]:
    """The sections that need not be there and are, in the packaged configuration."""
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            if not field.is_required() and field.default is None:
                yield f"{at}{name}: on in the packaged file"
            yield from switched_on(value, f"{at}{name}.")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return " (required)"
    default = field.get_default(call_default_factory=True)
    is_section = isinstance(default, BaseModel) or default is PydanticUndefined
    return "" if is_section else f" = {_plain(default)}"


def _sections(annotation: Any, mark: str = "") -> Iterator[tuple[type[BaseModel], str]]:
    """The sections that a value may hold, with `[]` for those of a list and `.*` for those of a mapping."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, mark
        return
    origin = get_origin(annotation)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        yield from _sections(get_args(annotation)[1], f"{mark}.*")
        return
    is_many = isinstance(origin, type) and issubclass(origin, Collection)
    for part in get_args(annotation):
        yield from _sections(part, f"{mark}[]" if is_many else mark)


def _words(annotation: Any) -> Iterator[str]:
    """The words of all `Literal`s in an annotation."""
    if get_origin(annotation) is Literal:
        yield from map(str, get_args(annotation))
    else:
        for part in get_args(annotation):
            yield from _words(part)


def _plain(value: Any) -> str:
    """A default in words that are the same on every machine."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, frozenset | set):
        return f"{{{', '.join(sorted(map(str, value)))}}}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        inner = (f"{f.name}={_plain(getattr(value, f.name))}" for f in dataclasses.fields(value))
        return f"({', '.join(inner)})"
    return repr(value)

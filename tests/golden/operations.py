"""Stored operations: each maker of commands is called once, and the command that it makes is looked at."""

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

REF, NUMBER = "octo/widgets#7", 41


def operation_names(makers: Iterable[Callable[..., Any]]) -> Iterator[str]:
    """Target and operation with the key's form, and each key of the payload."""
    for maker in makers:
        command = maker(**_arguments(maker))
        name = f"{command.target} {command.operation}"
        after = f", after {', '.join(command.after)}" if command.after else ""
        yield f"{name}: {command.key}{after}".replace(REF, "<issue>")
        yield f"{name} in lane {command.lane}"
        yield from (f"{name} payload {key}" for key in command.payload)


def _arguments(maker: Callable[..., Any]) -> dict[str, Any]:
    """Something for each parameter, by its type."""
    hints = get_type_hints(maker)
    names = inspect.signature(maker).parameters
    return {name: REF if name == "ref" else _sample(hints[name], f"<{name}>") for name in names}


def _sample(kind: Any, word: str) -> Any:
    plain: dict[Any, Any] = {str: word, int: NUMBER, float: 1.5, bool: True, bytes: b"x", Any: word}
    if kind in plain:
        return plain[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return arguments[0]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        # Whichever key is asked for is there.
        return defaultdict(lambda: word, {word: word})
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return [_sample(arguments[0], word)]
    return _sample(next(part for part in arguments if part is not NoneType), word)

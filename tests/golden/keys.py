"""JSON documents as the paths of their keys: `stories.created`, `pending[].key`, `requests.*`."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any


def key_paths(document: Any, maps: Collection[str] = (), at: str = "") -> Iterator[str]:
    """The path of every key; at a path that is one of `maps` the keys are data, not names, and are written as `*`."""
    if isinstance(document, Mapping):
        if at:
            yield at
        for key, value in document.items():
            name = "*" if at in maps else str(key)
            yield from key_paths(value, maps, f"{at}.{name}" if at else name)
    elif isinstance(document, list):
        yield f"{at}[]"
        for value in document:
            if isinstance(value, Mapping | list):
                yield from key_paths(value, maps, f"{at}[]")
    else:
        yield at

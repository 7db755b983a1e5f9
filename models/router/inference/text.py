"""The text of an issue, as the router reads it; a module of its own because naming it must not cost numpy."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """Repository ("owner/name" or empty), title and body."""

    repo: str
    title: str
    body: str

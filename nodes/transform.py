"""Works something out of the case and keeps it in the case's data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from models.case import Case
from nodes.base import Context
from nodes.text.flow.expression import check, evaluate, view


@dataclass(frozen=True, kw_only=True)
class Transform:
    """`expression` is JMESPath over the case; what it gives is kept as `data.<into>`, null is not."""

    expression: str
    into: str

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        return keep(case, self.into, evaluate(self.expression, view(case)))

    def problems(self, declared: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Parameters that cannot be meant, each with what is wrong."""
        yield from wrong("expression", self.expression)
        yield from wrong_name("into", self.into)


def keep(case: Case, into: str, value: Any) -> Case:
    """The case with this among its data; where there is nothing to keep, as it is."""
    return case if value is None else replace(case, data={**case.data, into: value})


def wrong(parameter: str, expression: Any) -> Iterator[tuple[str, str]]:
    """What is wrong with an expression."""
    try:
        check(expression)
    except ValueError as error:
        yield parameter, str(error)


TAKEN = ("fix", "docs_page")
"""Names of data by which the built-in nodes hand on drafts; what a service says must not pass for one."""


def wrong_name(parameter: str, name: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a name for data."""
    if name in TAKEN and parameter == "into":
        yield parameter, f"{name!r} is what the built-in nodes keep their draft by; take another name"
    if not (name.isascii() and name.isidentifier() and len(name) <= 60):
        yield parameter, f"{name[:60]!r} is no name for data; write letters, digits and _"

"""Joins several of the case's data, as parallel steps have left them, into one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from models.case import Case
from nodes.base import Context
from nodes.text.flow.expression import evaluate
from nodes.transform import keep, wrong_name


@dataclass(frozen=True, kw_only=True)
class Aggregate:
    """Makes the entry `into` of the case's data from its entries `sources`, in order; missing ones are left out.

    `how`: `concat` one list of all (a list's items one by one), `merge` one mapping (the later wins), `first` the
    first that is there, `sum`, `min` and `max` of all numbers.
    """

    sources: tuple[str, ...]
    into: str
    how: Literal["concat", "merge", "first", "sum", "min", "max"] = "concat"

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        found = [case.data[name] for name in self.sources if case.data.get(name) is not None]
        return keep(case, self.into, self._joined(found)) if found else case

    def _joined(self, found: list[Any]) -> Any:
        if self.how == "first":
            return found[0]
        if self.how == "merge":
            return {key: value for one in found if isinstance(one, Mapping) for key, value in one.items()}
        items = [item for one in found for item in (one if isinstance(one, list) else [one])]
        if self.how == "concat":
            return items
        numbers = [item for item in items if isinstance(item, int | float) and not isinstance(item, bool)]
        return evaluate(f"{self.how}(@)", numbers) if numbers else None  # type: ignore[arg-type]

    def problems(self, declared: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Parameters that cannot be meant, each with what is wrong."""
        if not self.sources:
            yield "sources", "names nothing"
        for name in self.sources:
            yield from wrong_name("sources", name)
        yield from wrong_name("into", self.into)

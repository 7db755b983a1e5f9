"""Small nodes for the tests of sub-flows: they note that they ran, fail, ask or count."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from models.asks import ReadFile
from models.case import Case
from models.commands import add_labels
from nodes.base import Context, Node
from subflows.base import Subflow
from subflows.compose import compose
from tests.nodes.build import REPO


@dataclass(frozen=True)
class Mark:
    """Leaves a note."""

    word: str

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        return replace(case, notes=(*case.notes, self.word))


@dataclass(frozen=True)
class Wish:
    """Wishes for a label."""

    label: str

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        return replace(case, commands=(*case.commands, add_labels(case.issue.ref, [self.label])))


@dataclass(frozen=True)
class Fall:
    """Fails while the case holds fewer than `until` notes of its falls; it keeps count outside, as no node should."""

    until: int = 1_000

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        FALLS.append(1)
        if len(FALLS) < self.until:
            raise ValueError(f"fell with {case.issue.title}")
        return replace(case, notes=(*case.notes, "stood"))


FALLS: list[int] = []


@dataclass(frozen=True)
class Draft:
    """Asks for one draft after the other, and keeps the latest."""

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        tries = int(case.data.get("tries", 0))
        file = await ctx.ask(ReadFile(REPO, f"draft{tries}"))
        text = file.text if file else ""
        return replace(case, data={**case.data, "tries": tries + 1, "draft": text})


TEST_NODES: Mapping[str, type[Node]] = {"mark": Mark, "wish": Wish, "fall": Fall, "draft": Draft}


def mark(word: str) -> dict[str, object]:
    return {"node": "mark", "with": {"word": word}}


def flow_of(steps: object, **more: object) -> Subflow:
    """The flow of bugs with these steps, and others beside it."""
    return compose({"bug": steps, **more})["bug"]

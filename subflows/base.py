"""Sub-flows as data: a name and its steps; a group of steps may run in parallel."""

import asyncio
from dataclasses import dataclass

from models.case import Case, merge
from nodes.base import Context, Node


class Waiting(BaseException):
    """A step needs an answer from outside: the case is put aside until it is there. No failure, so no Exception."""


class NodeFailed(Exception):
    """A node failed on one case; says which."""

    def __init__(self, node: str, error: Exception) -> None:
        super().__init__(f"{node}: {type(error).__name__}: {error}")
        self.node = node


@dataclass(frozen=True, init=False)
class Parallel:
    """Steps that all start from the same case; what they add is merged."""

    steps: tuple[Node, ...]

    def __init__(self, *steps: Node) -> None:
        object.__setattr__(self, "steps", steps)

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        work = (run_step(step, case, ctx) for step in self.steps)
        # All are heard before one is told of: what each of them asks is asked together.
        results = await asyncio.gather(*work, return_exceptions=True)
        failed = [result for result in results if isinstance(result, BaseException)]
        for error in sorted(failed, key=lambda error: isinstance(error, Waiting)):
            raise error
        return merge(case, [result for result in results if isinstance(result, Case)])


@dataclass(frozen=True, kw_only=True)
class Subflow:
    """Steps in order. A sub-flow is itself a node, so flows nest."""

    name: str
    steps: tuple[Node, ...]

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        for step in self.steps:
            case = await run_step(step, case, ctx)
        return case


async def run_step(step: Node, case: Case, ctx: Context) -> Case:
    """Run one step; a failure is told with the step's name."""
    try:
        return await step(case, ctx)
    except NodeFailed:
        raise
    except Exception as error:
        raise NodeFailed(type(step).__name__, error) from error

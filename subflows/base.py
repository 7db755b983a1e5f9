"""Sub-flows as data: a name and its steps; a group of steps may run in parallel."""

import asyncio
from dataclasses import dataclass, replace

from models.case import Case, merge
from models.text.escape import one_line
from nodes.base import Context, Node


class Waiting(BaseException):
    """A step needs an answer from outside: the case is put aside until it is there. No failure, so no Exception."""


class NodeFailed(Exception):
    """A node failed on one case; says which."""

    def __init__(self, node: str, error: Exception) -> None:
        super().__init__(f"{node}: {type(error).__name__}: {error}")
        self.node = node


class Ended(NodeFailed):
    """A step failed, and by its own recovery its flow ends here."""

    def __init__(self, failed: NodeFailed) -> None:
        Exception.__init__(self, str(failed))
        self.node = failed.node


class Undone(Ended):
    """What the flow has wished for is dropped; the case goes on after the flow."""


class Escalated(Ended):
    """The case is handed to people."""


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
        wished = case.commands
        for step in self.steps:
            try:
                case = await run_step(step, case, ctx)
            except Undone as undone:
                return noted(
                    replace(case, commands=wished), f"{self.name} ended early and asks for nothing", undone
                )
        return case


async def run_step(step: Node, case: Case, ctx: Context) -> Case:
    """Run one step; a failure is told with the step's name."""
    try:
        return await step(case, ctx)
    except NodeFailed:
        raise
    except Exception as error:
        raise NodeFailed(type(step).__name__, error) from error


def noted(case: Case, what: str, failed: NodeFailed) -> Case:
    """The case with a note of what became of a failure; of what may be a security report it says only where."""
    private = case.decision is None or case.route == "security"
    words = failed.node if private else one_line(str(failed), 200)
    return replace(case, notes=(*case.notes, f"{what}: {words}"))


def told(case: Case, failed: NodeFailed) -> str:
    """A failure in words that logs and reports may show: of a security report's, only what kind of error it was."""
    if case.route != "security":
        return str(failed)
    error = failed.__cause__
    return f"{failed.node}: {type(error).__name__}" if error is not None else failed.node

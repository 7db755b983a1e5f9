"""Steps about steps: a condition, a recovery from failure, a bounded loop."""

from dataclasses import dataclass, replace
from typing import Literal

from models.case import Case
from nodes.base import Context, Node
from nodes.text.flow.expression import holds, view
from subflows.base import Escalated, NodeFailed, Subflow, Undone, noted, run_step

MOST_ROUNDS = 20
MOST_RETRIES = 10

Action = Literal["skip", "escalate", "undo", "retry", "use"]


@dataclass(frozen=True, kw_only=True)
class OnError:
    """What to do where a step fails: `times` is of a retry, `use` the step to take in its place."""

    action: Action
    times: int = 0
    use: Node | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step with a condition, a recovery or both. Where `when` does not hold, the case passes by."""

    step: Node
    when: str = ""
    on_error: OnError | None = None

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        if self.when and not holds(self.when, view(case)):
            return case
        try:
            return await run_step(self.step, case, ctx)
        except (Undone, Escalated):
            # A step within has said already how its flow ends.
            raise
        except NodeFailed as failed:
            if self.on_error is None:
                raise
            return await self._recovered(self.on_error, failed, case, ctx)

    async def _recovered(self, on_error: OnError, failed: NodeFailed, case: Case, ctx: Context) -> Case:
        if on_error.action == "skip":
            return noted(case, "went on without a step", failed)
        if on_error.action == "undo":
            raise Undone(failed)
        if on_error.action == "escalate":
            raise Escalated(failed)
        if on_error.action == "use" and on_error.use is not None:
            return noted(await run_step(on_error.use, case, ctx), "took another step", failed)
        for _ in range(on_error.times):
            try:
                return await run_step(self.step, case, ctx)
            except (Undone, Escalated):
                raise
            except NodeFailed as error:
                failed = error
        raise failed


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """Steps that run once, and again until a condition holds, `at_most` so often in all."""

    until: str
    at_most: int
    steps: tuple[Node, ...]

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        for _ in range(self.at_most):
            for step in self.steps:
                case = await run_step(step, case, ctx)
            if holds(self.until, view(case)):
                return case
        words = f"after {self.at_most} rounds it still does not hold that {self.until}"
        return replace(case, notes=(*case.notes, words))


def within(node: Node) -> tuple[Node, ...]:
    """The steps that a step consists of; none where it is a node."""
    if isinstance(node, Step):
        other = node.on_error.use if node.on_error else None
        return (node.step,) if other is None else (node.step, other)
    steps = getattr(node, "steps", ())
    return steps if isinstance(steps, tuple) else ()


def is_group(node: Node) -> bool:
    """Is it made of steps?"""
    return isinstance(node, Step | Repeat | Subflow) or bool(within(node))

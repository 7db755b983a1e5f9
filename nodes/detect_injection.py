"""Notes where an issue talks to a language model instead of to people; such an issue gets no draft."""

from dataclasses import dataclass, replace

from models.case import Case
from models.text.escape import inline, section
from nodes.base import Context
from nodes.text.safety.injection import suspicions


@dataclass(frozen=True)
class DetectInjection:
    """Looks for hidden text, orders to a model and other signs; adds what it found to the case and the story."""

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        found = suspicions(case.issue.title, case.issue.body)
        if not found:
            return case
        lines = [f"- {inline(told)}" for told in found]
        told = section(
            "Suspicious text",
            "Parts of the issue look as if they were meant for a language model. Nothing was drafted from it.",
            "",
            *lines,
        )
        return replace(case, suspicions=(*case.suspicions, *found), sections=(*case.sections, told))

"""Writes the specification out of the wish's own words; what must hold becomes the story's tasks."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from models.asks import Drafted
from models.case import Case, Section
from models.text.escape import bounded, section
from nodes.base import Context
from nodes.text.drafting.drafts import draft, drafted_section, material_of, tame_draft, tame_line
from nodes.text.extract.feature_request import MAX_CRITERIA, read_wish


@dataclass(frozen=True)
class WriteSpec:
    """At most `sentences` go into a part, and `criteria` become tasks.

    With a language model its draft follows in a section of its own. The model's criteria are listed there and never
    become tasks: a task says what was agreed on, and to the model's nobody has agreed yet.
    """

    sentences: int = 4
    criteria: int = MAX_CRITERIA

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        wish = read_wish(case.issue.body)
        parts = (
            ("Problem", wish.problem),
            ("Proposal", wish.proposal),
            ("Alternatives considered", wish.alternatives),
            ("Out of scope", wish.outside),
        )
        sections: list[Section] = []
        if text := _shown((name, "\n".join(lines[: self.sentences])) for name, lines in parts):
            sections.append(section("Specification", text))
        drafted = await draft(case, ctx, "spec", material_of(case))
        if drafted is not None and (text := _drafted(drafted)):
            sections.append(drafted_section("Specification, drafted", text, drafted))
        tasks = wish.criteria[: self.criteria]
        if not sections and not tasks:
            return case
        return replace(case, sections=(*case.sections, *sections), tasks=(*case.tasks, *tasks))


def _shown(parts: Iterable[tuple[str, str]]) -> str:
    return "\n\n".join(f"**{name}**\n\n{bounded(text, 900)}" for name, text in parts if text)


def _drafted(drafted: Drafted) -> str:
    """The model's parts, made harmless."""
    data = drafted.data

    def text(name: str) -> str:
        return tame_draft(str(data.get(name) or ""))

    def items(name: str) -> str:
        value = data.get(name)
        if not isinstance(value, list):
            return text(name)
        return "\n".join(f"- {tame_line(str(item))}" for item in value[:MAX_CRITERIA] if item)

    return _shown(
        (
            ("Problem", text("problem")),
            ("Proposal", text("proposal")),
            ("Acceptance criteria", items("criteria")),
            ("Out of scope", items("out_of_scope")),
        )
    )

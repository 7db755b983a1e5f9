"""Writes a section of the story from a template, so that a team's own findings are read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from models.case import Case
from models.text.escape import section
from nodes.base import Context
from nodes.text.flow.expression import view
from nodes.text.flow.template import check_template, render_markdown, title_of


@dataclass(frozen=True, kw_only=True)
class WriteSection:
    """`template` is Jinja2 over the case; what it shows of the case is escaped. Where something that it shows is
    missing, or nothing comes out, there is no section."""

    title: str
    template: str

    async def __call__(self, case: Case, ctx: Context, /) -> Case:
        body = (render_markdown(self.template, view(case)) or "").strip()
        if not body:
            return case
        return replace(case, sections=(*case.sections, section(title_of(self.title), body)))

    def problems(self, declared: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Parameters that cannot be meant, each with what is wrong."""
        if not title_of(self.title).strip():
            yield "title", "is empty"
        try:
            check_template(self.template)
        except ValueError as error:
            yield "template", str(error)

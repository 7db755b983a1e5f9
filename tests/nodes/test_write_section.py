"""WriteSection: a team's own findings reach the story, as text and nothing else."""

from dataclasses import replace

import pytest

from models.case import Section
from nodes.write_section import WriteSection
from tests.nodes.build import alike, case, run


@pytest.mark.parametrize(
    ("template", "body"),
    [
        ("Call {{ data.who }}.", "Call Ada \\| Co."),
        ("{% for one in similar %}- {{ one.title }}\n{% endfor %}", "- Widgets fell over"),
        ("{{ data.nobody }}", None),
        ("{% if trace %}a trace{% endif %}", None),
        ("  ", None),
    ],
)
def test_sections(template: str, body: str | None) -> None:
    given = replace(case(), similar=(alike(),), data={"who": "Ada | Co"})
    done = run(WriteSection(title="On call", template=template), given)
    assert done.sections == (() if body is None else (Section(title="On call", body=body),))


def test_problems_are_told_beforehand() -> None:
    for title, template, problems in (
        ("T", "{{ issue.title }}", []),
        (" ", "{{ issue.title }}", ["title"]),
        ("T", "{{ isue.title }}", ["template"]),
    ):
        assert [name for name, _ in WriteSection(title=title, template=template).problems({})] == problems

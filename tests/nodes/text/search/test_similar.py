"""The story's section on similar issues."""

from dataclasses import replace

import pytest

from models.case import Similar
from nodes.text.search.similar import ranked, similar_section
from tests.nodes.build import alike, case

NEAR, FAR, STORY = "octo/widgets#3", "octo/gadgets#4", "shortcut:12"


@pytest.mark.parametrize(
    ("similar", "lines"),
    [
        ((), []),
        ((alike(0.2, NEAR),), []),
        ((alike(0.9, "octo/widgets#7"),), []),
        ((alike(0.4, NEAR), alike(0.8, NEAR)), [(NEAR, "80%")]),
        (
            (alike(0.9, FAR), alike(0.4, NEAR), alike(0.5, STORY)),
            [(STORY, "50%"), (NEAR, "40%"), (FAR, "90%")],
        ),
        (tuple(alike(0.5, f"octo/widgets#{n}") for n in range(10, 20)), [("octo/widgets#1", "50%")] * 5),
    ],
)
def test_what_is_listed(similar: tuple[Similar, ...], lines: list[tuple[str, str]]) -> None:
    found = similar_section(replace(case(), similar=similar))
    told = found.body.split("\n") if found else []
    assert len(told) == len(lines)
    assert all(f"[{ref}" in line and share in line for line, (ref, share) in zip(told, lines, strict=True))


def test_a_foreign_title_does_nothing() -> None:
    found = similar_section(replace(case(), similar=(alike(title="](x) @ada `<b>"),)))
    assert found is not None
    assert "\\](x) @\u200bada \\`\\<b\\>" in found.body


def test_what_is_done_is_said_to_be() -> None:
    found = similar_section(replace(case(), similar=(replace(alike(), done=True),)))
    assert found is not None
    assert "(same error; done)" in found.body


def test_each_once() -> None:
    assert [one.score for one in ranked((alike(0.3), alike(0.6), alike(0.4, STORY)))] == [0.6, 0.4]

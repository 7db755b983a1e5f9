"""The outline rests on the text alone."""

from nodes.analyze_code import AnalyzeCode
from nodes.outline_design import OutlineDesign
from tests.nodes.build import case, run, text_of

BODY = """\
The `Shelf.sort` in src/shelf.py should take a key. That is a breaking change for existing users.
It may be slow on large shelves. Should it also sort the labels? Thanks!
"""


def test_what_is_touched_at_risk_and_open() -> None:
    done = run(OutlineDesign(), run(AnalyzeCode(), case("Sort by key", BODY, "feature")))
    assert text_of(done, "Design outline") == "\n".join(
        [
            "**Touches**",
            "",
            "- `src/shelf.py`",
            "- `Shelf.sort`",
            "",
            "**Risks that the text names**",
            "",
            "- Compatibility: “That is a breaking change for existing users.”",
            "- Speed or memory: “It may be slow on large shelves.”",
            "",
            "**Open questions**",
            "",
            "- Should it also sort the labels?",
        ]
    )


def test_nothing_named_adds_nothing() -> None:
    given = case("Sort by key", "It would be nice.", "feature")
    assert run(OutlineDesign(), given) is given

"""The outline rests on the text and on the repository's own files."""

from dataclasses import replace
from typing import Any

import pytest

from models.asks import Drafted, Files, ListFiles, WriteDraft
from models.case import Case
from nodes.analyze_code import AnalyzeCode
from nodes.base import Context
from nodes.outline_design import OutlineDesign
from tests.nodes.build import REPO, case, context, run, text_of

BODY = """\
The `Shelf.sort` in src/shelf.py should take a key. That is a breaking change for existing users.
It may be slow on large shelves. Should it also sort the labels? Thanks!
"""
PATHS = (
    "README.md",
    "src/colours.py",
    "src/labels/label_printer.py",
    "src/shelf.py",
    "src/widget.py",
    "tests/test_shelf.py",
    "vendor/shelf.py",
)


def listing(*paths: str) -> Files:
    return Files(branch="main", commit="c0ffee", blobs=tuple((path, "0") for path in sorted(paths)))


def answering(asked: list[Any], files: Files | None = None, drafted: Drafted | None = None) -> Context:
    """A context that knows these files and this draft."""

    async def ask(question: Any, /) -> Any:
        asked.append(question)
        return files if isinstance(question, ListFiles) else drafted

    return replace(context(services=frozenset({"llm"} if drafted else ())), ask=ask)


def wish(body: str = BODY, title: str = "Sort by key") -> Case:
    return run(AnalyzeCode(), case(title, body, "feature"))


def test_without_the_files_the_text_alone_is_told() -> None:
    done = run(OutlineDesign(), wish())
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


def test_the_repositorys_files_are_named_with_the_reason() -> None:
    asked: list[Any] = []
    done = run(OutlineDesign(), wish(), answering(asked, listing(*PATHS)))
    text = text_of(done, "Design outline")
    assert asked == [ListFiles(REPO)]
    assert "- `src/shelf.py`: " in text
    assert "vendor/" not in text and "tests/" not in text and "README" not in text


@pytest.mark.parametrize(
    ("title", "body", "paths"),
    [
        ("The label printer is too narrow", "", ["src/labels/label_printer.py"]),
        ("More colours", "", ["src/colours.py"]),
        ("Rename `LabelPrinter.print`", "Rename `LabelPrinter.print`.", ["src/labels/label_printer.py"]),
        ("A widget for the calendar", "", ["src/widget.py"]),
        ("Make it faster", "", []),
    ],
)
def test_what_is_touched(title: str, body: str, paths: list[str]) -> None:
    text = text_of(run(OutlineDesign(), wish(body, title), answering([], listing(*PATHS))), "Design outline")
    assert [path for path in PATHS if f"`{path}`" in text] == paths


def test_nothing_named_adds_nothing_and_asks_nothing() -> None:
    asked: list[Any] = []
    given = case("Make it nice", "It would be nice.", "feature")
    assert run(OutlineDesign(), given, answering(asked, listing(*PATHS))) is given
    assert asked == []


DATA = {
    "components": [
        {"path": "src/shelf.py", "why": "sorts @ada"},
        {"path": "src/invented.py", "why": "is not there"},
        {"path": None},
        "src/widget.py",
    ],
    "risks": ["Old keys", ""],
    "questions": "none",
}


def test_of_a_draft_only_real_places_are_kept() -> None:
    asked: list[Any] = []
    done = run(OutlineDesign(), wish(), answering(asked, listing(*PATHS), Drafted(data=DATA, model="stub")))
    text = text_of(done, "Design, drafted")
    assert text.startswith("*Draft by `stub`; nobody has checked it.*")
    assert "- `src/shelf.py`: sorts @\u200bada" in text and "- Old keys" in text
    assert "invented" not in text and "widget.py" not in text
    (question,) = [one for one in asked if isinstance(one, WriteDraft)]
    assert question.kind == "design" and "src/shelf.py" in question.material


def test_without_the_files_no_place_of_a_draft_is_kept() -> None:
    done = run(OutlineDesign(), wish(), answering([], None, Drafted(data=DATA, model="stub")))
    assert "Touches" not in text_of(done, "Design, drafted")

"""Concrete replacements as patches, drafts of pages, or an outline of the reporter's questions."""

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.asks import Ask, Docs, Drafted, File, Files, ListFiles, ReadDocs, WriteDraft
from nodes.base import Context
from nodes.draft_docs import PAGE, DraftDocs, replacements
from tests.nodes.build import REPO, answering, case, command, context, run, text_of

GUIDE = (
    "# Guide\n\nYou recieve a widget.\n\nIt is red. The colour tehran is not teh colour.\n\n"
    "Use `max` here.\nUse `max` there.\n"
)
DOCS = Docs(
    commit="abc123",
    pages=(
        File(path="docs/guide.md", text=GUIDE, sha="1"),
        File(path="docs/windows.md", text="# Windows\r\n\r\nClick twise.\r\nIt is red.\r\n", sha="2"),
    ),
)
FILES = Files(branch="main", commit="abc123", blobs=(("docs/guide.md", "1"), ("docs/windows.md", "2")))


def with_docs(page: Any = None, **policy: Any) -> tuple[Context, list[Ask[Any]]]:
    """A context that has DOCS and, for any draft, this page."""
    ctx, asked = answering(context(**policy), {ReadDocs(REPO): DOCS, ListFiles(REPO): FILES})
    known = ctx.ask

    async def ask(question: Ask[Any], /) -> Any:
        if isinstance(question, WriteDraft):
            asked.append(question)
            return None if page is None else Drafted(data=page, model="stub")
        return await known(question)

    return replace(ctx, ask=ask), asked


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ('"recieve" should be "receive"', [("recieve", "receive")]),
        ("`--colour` should read `--color`", [("--colour", "--color")]),
        ("Please replace `foo()` with `bar()`.", [("foo()", "bar()")]),
        ("`teh` -> `the`", [("teh", "the")]),
        ("The page says `pip install x` instead of `pip install y`.", [("pip install x", "pip install y")]),
        ("It should be `max` instead of `min`.", [("min", "max")]),
        ("Use `new` rather than `old`", [("old", "new")]),
        ("typo: seperate -> separate", [("seperate", "separate")]),
        ("misspelled: it should be this", []),
        ("`a` is nice and `b` too", []),
        ("`same` should be `same`", []),
        ("It says `a[` instead of `b`", []),
        ("`size` should be `16 16`", []),
        ("`a -> b` should be `a => b`", [("a -> b", "a => b")]),
    ],
)
def test_replacements(text: str, pairs: list[tuple[str, str]]) -> None:
    assert replacements(text) == pairs


def test_a_replacement_is_a_diff() -> None:
    done = run(DraftDocs(), case("Typo", '"recieve" should be "receive"', "docs"))
    assert text_of(done, "Proposed change") == "```diff\n- recieve\n+ receive\n```"


def test_missing_pages_get_the_questions_as_outline() -> None:
    body = "There is no documentation of sorting. How do I sort by key? What is the default order?"
    done = run(DraftDocs(), case("Sorting is undocumented", body, "docs"))
    assert text_of(done, "Outline of the page") == (
        "The page should answer:\n\n- How do I sort by key?\n- What is the default order?"
    )


@pytest.mark.parametrize("body", ["", "It is missing.", "Broken?", "A wrong word. Why is it so?"])
def test_nothing_concrete_adds_nothing(body: str) -> None:
    given = case("Guide", body, "docs")
    assert run(DraftDocs(), given) is given


@pytest.mark.parametrize(
    ("body", "path", "line"),
    [
        ('"recieve" should be "receive"', "docs/guide.md", "+You receive a widget."),
        ("`teh` -> `the`", "docs/guide.md", "+It is red. The colour tehran is not the colour."),
        ("`twise` -> `twice`", "docs/windows.md", "+Click twice."),
        ("In docs/windows.md `It is red` should be `It is blue`.", "docs/windows.md", "+It is blue."),
        ("`It is red` should be `It is blue`.", "", ""),
        ("`max` should be `min`", "", ""),
        ("`hammer` should be `nail`", "", ""),
    ],
)
def test_a_replacement_that_fits_one_place_is_a_patch(body: str, path: str, line: str) -> None:
    from nodes.analyze_code import AnalyzeCode

    done = run(DraftDocs(), run(AnalyzeCode(), case("Typo", body, "docs")), with_docs()[0])
    text = text_of(done, "Proposed change")
    if path:
        assert f"+++ b/{path}" in text and line in text.split("\n")
        assert f"/blob/abc123/{path}" in text and done.data[PAGE] == {"kind": "patch"}
    else:
        assert text.startswith("```diff\n- ") and done.data == {}


def test_the_patch_applies(tmp_path: Path) -> None:
    body = '"recieve" should be "receive", and `teh` -> `the`.'
    done = run(DraftDocs(), case("Typos", body, "docs"), with_docs()[0])
    diff = text_of(done, "Proposed change").partition("```diff\n")[2].rpartition("\n```")[0] + "\n"
    target = tmp_path / "docs" / "guide.md"
    target.parent.mkdir()
    target.write_text(GUIDE)
    subprocess.run(["git", "apply", "-"], input=diff, text=True, check=True, cwd=tmp_path)
    assert target.read_text() == GUIDE.replace("recieve", "receive").replace("teh colour.", "the colour.")


def test_a_draft_pull_is_opened_where_allowed_and_notion_is_off() -> None:
    given = case("Typo", '"recieve" should be "receive". Fixes #3, @ann!', "docs")
    wish = command(run(DraftDocs(), given, with_docs(draft_pulls=True)[0]), "open_draft_pull")
    assert wish["base"] == "main" and wish["base_commit"] == "abc123"
    (file,) = wish["files"]
    assert (file["path"], file["sha"]) == ("docs/guide.md", "1")
    assert file["text"] == GUIDE.replace("recieve", "receive")
    assert "nobody has checked it" in wish["body"] and "about #7" in wish["body"]
    assert "Fixes" not in wish["body"] + wish["title"] and "ann" not in wish["body"] + wish["title"]
    for off in ({}, {"draft_pulls": True, "services": frozenset({"notion"})}):
        assert run(DraftDocs(), given, with_docs(**off)[0]).commands == ()
    suspected = replace(given, suspicions=("role play",))
    assert run(DraftDocs(), suspected, with_docs(draft_pulls=True)[0]).commands == ()


MISSING = case(
    "Document how to paint a widget", "Nothing says it. How do I paint it? What colours are there?", "docs"
)
LLM = {"services": frozenset({"llm"})}


def test_a_language_model_drafts_the_page() -> None:
    page = {
        "title": "Painting",
        "markdown": "## How\n\nAsk @ann. ![x](https://e.example/x.png)",
        "path": "docs/guide.md",
    }
    ctx, asked = with_docs(page, **LLM)
    done = run(DraftDocs(), MISSING, ctx)
    text = text_of(done, "Draft of the page")
    assert "Draft by `stub`; nobody has checked it." in text and "For `docs/guide.md`" in text
    assert "**Painting**" in text and "@ann" not in text and "![" not in text
    kept = done.data[PAGE]
    assert (kept["kind"], kept["title"], kept["path"]) == ("page", "Painting", "docs/guide.md")
    assert "## How" in kept["markdown"] and not text_of(done, "Outline of the page")
    (question,) = [ask for ask in asked if isinstance(ask, WriteDraft)]
    assert question.kind == "page" and "You recieve a widget" in question.material


@pytest.mark.parametrize(
    "page",
    [None, {}, {"title": "x", "markdown": "", "path": ""}, {"title": "", "markdown": " \n", "path": "x"}],
)
def test_without_a_draft_there_is_the_outline(page: Any) -> None:
    done = run(DraftDocs(), MISSING, with_docs(page, **LLM)[0])
    assert text_of(done, "Outline of the page") and done.data[PAGE] == {"kind": "outline"}


def test_an_invented_path_is_left_out() -> None:
    page = {"title": "x", "markdown": "Text.", "path": ".github/workflows/x.yml"}
    done = run(DraftDocs(), MISSING, with_docs(page, **LLM)[0])
    assert done.data[PAGE]["path"] == "" and "workflows" not in text_of(done, "Draft of the page")


@pytest.mark.parametrize(
    ("title", "policy", "changes"),
    [
        ("Document how to paint", {}, {}),
        ("Typo in painting", LLM, {}),
        ("Document how to paint", LLM, {"suspicions": ("role play",)}),
    ],
)
def test_no_model_is_asked_where_it_may_not_or_need_not_be(title: str, policy: Any, changes: Any) -> None:
    ctx, asked = with_docs({"markdown": "x"}, **policy)
    run(DraftDocs(), replace(case(title, "", "docs"), **changes), ctx)
    assert asked == []

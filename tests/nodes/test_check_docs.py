"""Pages, kinds of slip, and what the documentation says already."""

import pytest

from models.asks import Ask, Docs, File, ReadDocs
from models.case import Case, Pointer
from nodes.analyze_code import AnalyzeCode
from nodes.base import Context
from nodes.check_docs import CheckDocs, slip
from nodes.text.markdown.markdown import scan
from tests.nodes.build import REPO, answering, case, context, run, text_of

SORTING = """# Tables

A table has rows.

## Sorting rows by a key

Give `sort_key` a function: rows are sorted by what it returns <b>for each</b> of @them.
"""
DOCS = Docs(
    commit="abc123",
    pages=(
        File(path="docs/tables.md", text=SORTING, sha="1"),
        File(path="docs/colours (old).md", text="# Colours\n\nWidgets are red, and so are gadgets.", sha="2"),
    ),
)
SORTED = "https://github.com/octo/widgets/blob/abc123/docs/tables.md#sorting-rows-by-a-key"
MAY_SAY = "The documentation may already say it"


def with_docs(docs: Docs | None = DOCS) -> tuple[Context, list[Ask[object]]]:
    return answering(context(), {ReadDocs(REPO): docs})


@pytest.mark.parametrize(
    ("title", "body", "kind"),
    [
        ("Typo in the readme", "", "typo"),
        ("Readme", "The word is misspelled.", "typo"),
        ("Broken link in the guide", "", "broken link"),
        ("Guide", "The link to the tutorial is dead.", "broken link"),
        ("Guide is outdated", "", "outdated"),
        ("Install page", "It still says Python 2.", "outdated"),
        ("Wrong default in the reference", "", "wrong"),
        ("sort() is undocumented", "", "missing"),
        ("Document how to sort", "", "missing"),
        ("The guide is confusing", "", "unclear"),
        ("The guide", "I read it.", ""),
    ],
)
def test_the_kind_of_slip(title: str, body: str, kind: str) -> None:
    assert slip(title, scan(body)) == kind


def test_places_are_named() -> None:
    body = (
        "In docs/guide.md, section “Sorting”, see https://widgets.example/docs/sort and "
        "![shot](https://x.example/docs/shot.png)."
    )
    text = text_of(run(CheckDocs(), run(AnalyzeCode(), case("Typo", body, "docs"))), "Documentation")
    assert text.split("\n") == [
        "Kind of slip: **typo**",
        "",
        "- file `docs/guide.md`",
        "- page <https://widgets.example/docs/sort>",
        "- section `Sorting`",
    ]


def test_nothing_known_adds_nothing() -> None:
    given = case("The guide", "I read it.", "docs")
    assert run(CheckDocs(), given) is given


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("How to sort rows by a key?", True),
        ("Missing: sorting of rows by keys", True),
        ("Sorting is missing", False),
        ("How to sort rows with quaternions in kubernetes?", False),
        ("Typo in sorting rows by a key", False),
        ("Sorting rows by a key is outdated", False),
    ],
)
def test_the_reporter_is_pointed_to_what_is_said_already(title: str, said: bool) -> None:
    done = run(CheckDocs(), case(title, "", "docs"), with_docs()[0])
    pointer = Pointer(path="docs/tables.md", heading="Tables › Sorting rows by a key", url=SORTED)
    assert done.pointers == ((pointer,) if said else ())
    assert bool(text_of(done, MAY_SAY)) == said


def test_a_passage_is_quoted_and_harmless() -> None:
    done = run(CheckDocs(), case("How to sort rows by a key?", "", "docs"), with_docs()[0])
    assert text_of(done, MAY_SAY) == (
        f"- [docs/tables.md › Tables › Sorting rows by a key]({SORTED}): “Give \\`sort_key\\` a function: rows are "
        "sorted by what it returns \\<b\\>for each\\</b\\> of @\u200bthem.”"
    )


def test_a_wrong_page_is_shown_and_nobody_is_told_that_it_is_right() -> None:
    done = run(CheckDocs(), case("Wrong: sorting rows by a key", "", "docs"), with_docs()[0])
    assert "docs/tables.md" in text_of(done, "Where the documentation speaks of it")
    assert done.pointers == () and not text_of(done, MAY_SAY)


def test_named_pages_are_linked() -> None:
    body = "See https://widgets.example/docs/tables.html#sorting-rows-by-a-key and https://other.example/docs/tables"
    text = text_of(run(CheckDocs(), case("Typo", body, "docs"), with_docs()[0]), "Documentation")
    assert text.split("\n")[2:] == [
        "- page <https://widgets.example/docs/tables.html#sorting-rows-by-a-key>: "
        f"[docs/tables.md › Tables › Sorting rows by a key]({SORTED})",
        "- page <https://other.example/docs/tables>",
    ]


def test_an_odd_path_cannot_leave_its_link() -> None:
    text = text_of(
        run(CheckDocs(), case("Colours: widgets red and gadgets?", "", "docs"), with_docs()[0]), MAY_SAY
    )
    assert "/blob/abc123/docs/colours%20%28old%29.md#colours)" in text


@pytest.mark.parametrize("docs", [None, Docs(commit="a", pages=())])
def test_without_documentation_nothing_is_said_of_it(docs: Docs | None) -> None:
    given = case("How to sort rows by a key?", "", "docs")
    done = run(CheckDocs(), given, with_docs(docs)[0])
    assert [section.title for section in done.sections] == ["Documentation"] and done.pointers == ()


def test_a_security_case_asks_nothing() -> None:
    ctx, asked = with_docs()
    given: Case = case("How to sort rows by a key?", "", "security")
    assert run(CheckDocs(), given, ctx).pointers == () and asked == []

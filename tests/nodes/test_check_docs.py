"""Pages and kinds of slip."""

import pytest

from nodes.analyze_code import AnalyzeCode
from nodes.check_docs import CheckDocs, slip
from nodes.text.markdown import scan
from tests.nodes.build import case, run, text_of


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

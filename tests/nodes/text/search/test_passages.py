"""Pages taken apart by headings, the passages that an issue is about, and the pages that it names."""

import pytest

from models.asks import Docs, File
from nodes.text.markdown.markdown import scan
from nodes.text.search.passages import Passage, index_of, named, passages_of, quote, search, slug_of
from tests.growth import text_grows_linearly

GUIDE = """---
title: "The guide"
---
# Widgets

Widgets are small.

## Sorting by key

Give `sort_key` a function, and rows are sorted by what it returns for each of them.

```python
# not a heading
table.sort(sort_key=len)
```

### In reverse

Give `reverse` as well.

## Sorting by key

A second section of that name.
"""
INSTALL = """# Installation

Install the package with pip, then import it. There is nothing to configure, and nothing to compile.

## Proxies

Behind a proxy set HTTPS_PROXY before you install.
"""
RST = """=======
Exports
=======

Tables can be written as files.

Writing spreadsheets
--------------------

.. note:: this needs openpyxl

Call ``to_excel`` with a path and the spreadsheet is written there.
"""
ADOC = "= Colours\n\nEvery colour has a name.\n\n== Themes of colours\n\nA theme is a list of colours.\n"


def page(path: str, text: str) -> File:
    return File(path=path, text=text, sha="0" * 40)


PAGES = (
    page("docs/guide.md", GUIDE),
    page("docs/install.md", INSTALL),
    page("docs/exports.rst", RST),
    page("docs/colours.adoc", ADOC),
    page("CHANGELOG.md", "# Changes\n\n## 2.0\n\nSorting by key in reverse; spreadsheets; colours; proxies."),
)
DOCS = Docs(commit="abc123", pages=PAGES)
INDEX = index_of(DOCS)


@pytest.mark.parametrize(
    ("one", "passages"),
    [
        (
            PAGES[0],
            [
                ("The guide › Widgets", "widgets", "Widgets are small."),
                ("Widgets › Sorting by key", "sorting-by-key", "Give `sort_key`"),
                ("Sorting by key › In reverse", "in-reverse", "Give `reverse`"),
                ("Widgets › Sorting by key", "sorting-by-key-1", "A second section"),
            ],
        ),
        (
            PAGES[2],
            [
                ("Exports", "", "Tables can"),
                ("Exports › Writing spreadsheets", "", ".. note::"),
            ],
        ),
        (PAGES[3], [("Colours", "", "Every colour"), ("Colours › Themes of colours", "", "A theme")]),
        (page("a.md", ""), []),
        (page("a.md", "No heading."), [("", "", "No heading.")]),
        (page("a.txt", "a\n--\nb"), [("", "", "a\n--\nb")]),
        (page("a.md", "---\nunclosed: 1\n\nText."), [("", "", "---")]),
    ],
)
def test_a_page_is_its_sections(one: File, passages: list[tuple[str, str, str]]) -> None:
    found = list(passages_of(one))
    assert [(p.heading, p.anchor) for p in found] == [(heading, anchor) for heading, anchor, _ in passages]
    assert all(p.text.startswith(start) for p, (*_, start) in zip(found, passages, strict=True))


def test_a_long_section_is_cut_between_paragraphs() -> None:
    found = list(
        passages_of(page("a.md", "# A\n\n" + "\n\n".join(f"{n} " + "word " * 100 for n in range(9))))
    )
    assert len(found) == 5 and {p.heading for p in found} == {"A"}
    assert all(p.text[0].isdigit() and len(p.text) <= 1_500 for p in found)


@pytest.mark.parametrize(
    ("heading", "slug"),
    [
        ("Sorting by key", "sorting-by-key"),
        ("What's `new`?", "whats-new"),
        ("A_b - c", "a_b---c"),
        ("É", "é"),
    ],
)
def test_slugs_are_those_of_github(heading: str, slug: str) -> None:
    assert slug_of(heading) == slug


@pytest.mark.parametrize(
    ("title", "body", "place"),
    [
        ("How to sort rows by a key?", "", ("docs/guide.md", "Widgets › Sorting by key")),
        ("Document the proxy for installing", "", ("docs/install.md", "Installation › Proxies")),
        ("Missing docs: write a spreadsheet", "", ("docs/exports.rst", "Exports › Writing spreadsheets")),
        ("Theming of colours is undocumented", "", ("docs/colours.adoc", "Colours › Themes of colours")),
        ("Please explain `sort_key`", "", ("docs/guide.md", "Widgets › Sorting by key")),
        ("Document this", "What is `to_excel` for?", ("docs/exports.rst", "Exports › Writing spreadsheets")),
    ],
)
def test_the_best_passage(title: str, body: str, place: tuple[str, str]) -> None:
    best = search(INDEX, title, scan(body))[0]
    assert (best.passage.path, best.passage.heading) == place
    assert best.cover > 0.5 and best.lead >= 0


@pytest.mark.parametrize("title", ["", "Documentation is wrong", "Kubernetes operators", "???", "12345"])
def test_nothing_in_common_finds_nothing(title: str) -> None:
    assert search(INDEX, title, scan("")) == []


def test_words_that_the_documentation_lacks_count_against_it() -> None:
    (best, *_) = search(INDEX, "Sorting by key with kubernetes operators and quaternions", scan(""))
    assert best.cover < 0.5


@pytest.mark.parametrize("pages", [(), (page("-.md", "??? !!!"),), (page("", ""),)])
def test_no_documentation_has_no_passages(pages: tuple[File, ...]) -> None:
    assert search(index_of(Docs(commit="a", pages=pages)), "Sorting by key", scan("")) == []


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("sort rows by key", "Give `sort_key` a function, and rows are sorted by what it returns for each of them."),
        ("write a spreadsheet", "Call ``to_excel`` with a path and the spreadsheet is written there."),
    ],
)  # fmt: skip
def test_a_quote_is_prose(title: str, words: str) -> None:
    assert quote(search(INDEX, title, scan(""))[0]) == words


def test_what_has_no_prose_is_not_quoted() -> None:
    pages = (
        page(
            "api.md",
            "# Axis ticks\n\nAxis.get_ticks Axis.set_ticks Axis.ticks\n\n    axis ticks are shown so\n",
        ),
    )
    (found,) = search(index_of(Docs(commit="a", pages=pages)), "axis ticks", scan(""))
    assert quote(found) == ""


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("docs/guide.md", ("docs/guide.md", "The guide › Widgets")),
        ("guide.md", ("docs/guide.md", "The guide › Widgets")),
        ("https://github.com/octo/widgets/blob/main/docs/exports.rst", ("docs/exports.rst", "Exports")),
        ("https://widgets.example/docs/guide/", ("docs/guide.md", "The guide › Widgets")),
        ("https://widgets.example/guide.html#in-reverse", ("docs/guide.md", "Sorting by key › In reverse")),
        ("https://widgets.example/docs/install#no-such", ("docs/install.md", "Installation")),
        ("https://gadgets.example/docs/install", None),
        ("https://widgets.example/docs/surprise", None),
        ("https://widgets.example/", None),
        ("src/guide.py", None),
        ("", None),
        ("CHANGELOG.md", None),
    ],
)
def test_pages_that_an_issue_names(name: str, place: tuple[str, str] | None) -> None:
    found = [(p.path, p.heading) for p in named(INDEX, [name], "octo/widgets")]
    assert found == ([place] if place else [])


def test_a_page_that_may_be_several_is_none() -> None:
    pages = (page("a/index.md", "# A\n\nx"), page("b/setup.md", "# B\n\nx"), page("c/setup.md", "# C\n\nx"))
    index = index_of(Docs(commit="a", pages=pages))
    assert named(index, ["setup.md"], "octo/many") == []
    assert [p.path for p in named(index, ["c/setup.md"], "octo/many")] == ["c/setup.md"]


@pytest.mark.parametrize(
    "text",
    ["#" * 50_000, "# a\n" * 20_000, "=" * 50_000, "a\n=\n" * 20_000, "[" * 50_000, "> " * 20_000, "`" * 50_000,
     "word " * 100_000, "\n" * 50_000, "---\n" * 20_000, "<" * 50_000, "\u202e\x00é" * 20_000],
    ids=range(12),
)  # fmt: skip
@pytest.mark.parametrize("ending", ["md", "rst"])
def test_hostile_pages_take_linear_time(text: str, ending: str) -> None:
    assert text_grows_linearly(lambda part: list(passages_of(page(f"a.{ending}", part))), text)
    found = list(passages_of(page(f"a.{ending}", text)))
    assert all(isinstance(p, Passage) and len(p.text) <= 1_500 for p in found)


def test_the_index_is_made_once_for_the_same_pages() -> None:
    first = index_of(Docs(commit="abc123", pages=PAGES))
    assert index_of(Docs(commit="def456", pages=PAGES)) is first
    assert index_of(Docs(commit="abc123", pages=PAGES[:2])) is not first

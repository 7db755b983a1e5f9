"""The files and folders that a text is about."""

import random

import pytest

from models.asks import Files
from nodes.text.extract.components import find_components, terms_of
from tests.growth import calls

PATHS = (
    "app/api/users.py",
    "app/api/orders.py",
    "app/calendar/month_view.py",
    "app/calendar/week_view.py",
    "app/calendar/__init__.py",
    "app/export/PdfWriter.ts",
    "app/export/csv_writer.py",
    "app/main.py",
    "app/utils.py",
    "docs/calendar.md",
    "docs/calendar/conf.py",
    "node_modules/calendar/index.js",
    "tests/calendar/test_month.py",
    "web/range-slider.vue",
    "web/range-slider.spec.js",
    "web/app.min.js",
)


def listing(*paths: str) -> Files:
    return Files(branch="main", commit="c", blobs=tuple((path, "0") for path in paths))


@pytest.mark.parametrize(
    ("title", "inline", "prose", "first"),
    [
        ("Show holidays in the calendar", (), "", ["app/calendar/"]),
        ("A slider for two ranges", (), "", ["web/range-slider.vue"]),
        ("Wish", ("RangeSlider",), "", ["web/range-slider.vue"]),
        ("Wish", (), "The pdfWriter forgets its fonts.", ["app/export/PdfWriter.ts"]),
        ("Wish", ("month_view.render()",), "", ["app/calendar/month_view.py"]),
        ("The month view of the calendar", (), "", ["app/calendar/", "app/calendar/month_view.py"]),
        ("Make the main page faster", (), "", []),
        ("Dark mode", (), "", []),
        ("", (), "", []),
    ],
)
def test_what_fits_best(title: str, inline: tuple[str, ...], prose: str, first: list[str]) -> None:
    found = [path for path, _ in find_components(listing(*PATHS), terms_of(title, inline, prose))]
    assert found[:1] == first[:1] if len(first) < 2 else found[0] in first
    assert not [path for path in found if path.startswith(("docs", "node_modules", "tests"))]


def test_the_reason_is_told() -> None:
    ((_, why),) = find_components(listing(*PATHS), terms_of("Range sliders", ("RangeSlider",), ""))
    assert why == "names `RangeSlider`; “Range” in the title; “sliders” in the title"


def test_a_name_that_many_files_have_points_nowhere() -> None:
    paths = [f"src/part{n}/handler_{n}.py" for n in range(2_000)]
    assert find_components(listing(*paths), terms_of("A handler", ("handler",), "")) == []


def test_a_large_repository_is_indexed_once() -> None:
    random.seed(7)
    parts = ["render", "table", "query", "planner", "cache", "lexer", "parser", "panel", "route"]
    paths = {f"src/{random.choice(parts)}{n % 300}/{random.choice(parts)}_{n}.py" for n in range(50_000)}
    files = listing(*sorted(paths))
    first = calls(lambda: find_components(files, terms_of("Faster planner", (), "")))
    later = [
        calls(
            lambda n=n: find_components(  # type: ignore[misc]
                files, terms_of(f"Faster planner {n}", ("Lexer.next", "parser_cache"), "")
            )
        )
        for n in range(20)
    ]
    assert first < 60 * len(files.paths), "each path is looked at once"
    assert max(later) < 1_000, "and never again"

"""GitHub's issues as they really come: fields null, missing, odd."""

from typing import Any

import pytest

from integrations.github.payloads import is_pull_request, last_page, next_url, parse_issue

PLAIN: dict[str, Any] = {"number": 7, "title": "T", "body": "B", "created_at": "2026-01-02T03:04:05Z"}


@pytest.mark.parametrize(
    ("fields", "read", "value"),
    [
        ({"user": None}, "author", None),
        ({"user": {"login": "ann"}}, "author", "ann"),
        ({"body": None}, "body", ""),
        ({"title": None}, "title", ""),
        ({"body": "a\x00b"}, "body", "a\ufffdb"),
        ({"body": "half \ud83d"}, "body", "half ?"),
        ({"labels": None}, "labels", ()),
        ({"labels": [{"name": "bug"}, "x", {"name": None}, {}]}, "labels", ("bug", "x")),
        ({"labels": [{"name": "half \ud83d"}]}, "labels", ("half ?",)),
        ({"user": {"login": "x\ud800"}}, "author", "x?"),
        ({"reactions": {"total_count": 3}}, "reactions", 3),
        ({"reactions": None, "comments": None}, "comments", 0),
        ({"comments": -1}, "comments", 0),
        ({"repository_url": "https://h/repos/Octo/Widgets"}, "repo", "Octo/Widgets"),
        ({"repository_url": "https://h/repos/other/name"}, "repo", "octo/widgets"),
        ({"updated_at": "yesterday"}, "updated_at", None),
    ],
)
def test_fields(fields: dict[str, Any], read: str, value: object) -> None:
    issue = parse_issue(PLAIN | fields, "octo/widgets")
    assert getattr(issue, read) == (issue.created_at if value is None and read == "updated_at" else value)


@pytest.mark.parametrize("number", [None, 0, -1, "7", 2**70, 1.5, True, False])
def test_an_item_without_a_number_is_refused(number: object) -> None:
    with pytest.raises(ValueError, match="number"):
        parse_issue(PLAIN | {"number": number}, "octo/widgets")


def test_a_huge_body_is_bounded() -> None:
    assert len(parse_issue(PLAIN | {"body": "x" * 1_000_000}, "octo/widgets").body) == 200_000


@pytest.mark.parametrize(
    ("item", "pull"), [({"pull_request": {}}, True), ({"pull_request": None}, False), ({}, False)]
)
def test_pull_requests(item: dict[str, Any], pull: bool) -> None:
    assert is_pull_request(item) is pull


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ('<https://h/x?page=2>; rel="next", <https://h/x?page=9>; rel="last"', "https://h/x?page=2"),
        ('<https://h/x?page=1>; rel="prev", <https://h/x?after=Y>; rel="next"', "https://h/x?after=Y"),
        ('<https://h/x?page=9>; rel="last"', None),
        (None, None),
        ("", None),
    ],
)
def test_next_page(link: str | None, url: str | None) -> None:
    assert next_url(link) == url


@pytest.mark.parametrize(
    ("link", "pages"),
    [
        ('<https://h/x?page=2>; rel="next", <https://h/x?per_page=100&page=9&since=Z>; rel="last"', 9),
        ('<https://h/x?page=1>; rel="prev", <https://h/x?after=Y>; rel="next"', None),
        ('<https://h/x?page=2&x=1>; rel="next", <https://h/x?per_page=9>; rel="last"', None),
        (None, None),
    ],
)
def test_last_page(link: str | None, pages: int | None) -> None:
    assert last_page(link) == pages

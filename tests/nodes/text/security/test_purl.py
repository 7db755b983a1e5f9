"""Package URLs: what a text names with a version, and that nothing else of it can be in one."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.text.security.purl import purl_of, purls_in, read_purl, spoken, told
from tests.growth import text_grows_linearly


@pytest.mark.parametrize(
    ("text", "urls", "others"),
    [
        ("pkg:npm/%40octo/gadget@1.2.3?word=secret#path is weak.", ["pkg:npm/%40octo/gadget@1.2.3"], []),
        ("requests==2.19.0 and gadget@4.17.20", ["pkg:pypi/requests@2.19.0"], ["gadget 4.17.20"]),
        ("npm ls says gadget@4.17.20", ["pkg:npm/gadget@4.17.20"], []),
        ("@octo/core@7.1.0", ["pkg:npm/%40octo/core@7.1.0"], []),
        ("org.octo.log:log-core:2.14.1", ["pkg:maven/org.octo.log/log-core@2.14.1"], []),
        ("example.org/octo/gin@v1.6.0", ["pkg:golang/example.org/octo/gin@v1.6.0"], []),
        ("write to me@example.org, since 1.2", [], []),
        ("gadget >= 2.1.1, if x == 1.2.3:", [], []),
        ("pkg:npm/a%0Ab@1.0 pkg:generic/x@1 pkg:npm/x pkg:npm/../x@1.0", [], []),
        ("", [], []),
    ],
)
def test_packages_of_a_text(text: str, urls: list[str], others: list[str]) -> None:
    assert purls_in(text) == (tuple(urls), tuple(others))


@pytest.mark.parametrize(
    ("package", "url"),
    [
        ("npm/@octo/core@7.1.0", "pkg:npm/%40octo/core@7.1.0"),
        ("pypi/Foo_Bar@1", "pkg:pypi/foo-bar@1"),
        ("maven/org.octo:y@1.0", "pkg:maven/org.octo/y@1.0"),
        ("maven/y@1.0", ""),
        ("go/example.org/a/b@v1.2.0", "pkg:golang/example.org/a/b@v1.2.0"),
        ("weird/x@1", ""),
        ("npm/x", ""),
        ("npm/x@latest", ""),
        ("npm/x y@1", ""),
        ("npm/%20@1", ""),
        ("", ""),
    ],
)
def test_packages_that_code_names(package: str, url: str) -> None:
    assert told([package]) == ((url,) if url else ())


def test_it_is_spoken_as_people_write_it() -> None:
    assert spoken("pkg:npm/%40octo/core@7.1.0") == "@octo/core 7.1.0"
    assert spoken("pkg:maven/org.octo/y@1.0") == "org.octo/y 1.0"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=20))
def test_odd_characters_never_get_in(kind: str, name: str, version: str) -> None:
    for url in (purl_of("npm", name, version), read_purl(f"pkg:{kind}/{name}@{version}"), read_purl(name)):
        assert url == "" or re.fullmatch(r"pkg:[a-z]+/[\w.~%/+-]+@[\w.~%+-]+", url, re.ASCII)


@pytest.mark.parametrize(
    "piece", ["x", "a@1.1 ", "pkg:npm/x@", "a.b:c:", "@x/", "a.b/", "x==", "pkg:npm/x@1.0 ", "a.a.a:a:1.1 "]
)
def test_it_takes_linear_time(piece: str) -> None:
    text = piece * (60_000 // len(piece))
    assert text_grows_linearly(purls_in, text)
    urls, others = purls_in(text)
    assert len(urls) <= 12
    assert len(others) <= 12

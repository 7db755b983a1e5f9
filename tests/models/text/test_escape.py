"""Foreign text is made harmless and stays readable."""

import pytest

from models.text.escape import (
    bounded,
    calm,
    clean,
    code,
    fenced,
    inline,
    one_line,
    open_fence,
    quoted,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@ada", "@\u200bada"),
        ("(@ada)", "(@\u200bada)"),
        ("a@b", "a@b"),
        ("_@ada_", "_@\u200bada_"),
        ("@ ada", "@ ada"),
        ("", ""),
    ],
)
def test_calm(text: str, expected: str) -> None:
    assert calm(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\x00b\x07", "ab"),
        ("a\u2028b", "a\nb"),
        ("\ud83d", ""),
        ("👩\u200d👧", "👩\u200d👧"),
        ("\ufeffx\u00ad", "x"),
    ],
)
def test_clean(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_one_line_and_inline() -> None:
    assert one_line(" a \n b\t c ", 10) == "a b c"
    assert one_line("x" * 20, 10) == "x" * 9 + "…"
    assert inline("[a](b) <c> `d` | *e*") == r"\[a\](b) \<c\> \`d\` \| \*e\*"
    assert code("a`b\nc") == "`a'b c`"
    assert inline("a\u202eb\x00\ud800c @ada") == "abc @\u200bada"
    assert code("a\u202eb\x00\ud800c") == "`abc`"


def test_a_fence_holds_what_is_in_it() -> None:
    assert fenced("a") == "```\na\n```"
    assert fenced("````", "diff") == "`````diff\n````\n`````"
    assert fenced("`" * 500).split("\n")[1] == "`" * 8


@pytest.mark.parametrize(
    ("text", "fence"),
    [
        ("a", ""),
        ("```\na", "```"),
        ("```\na\n```", ""),
        ("````\n```\n", "````"),
        ("~~~\n```", "~~~"),
        ("> ```\n> a", "```"),
        ("``` a ```", ""),
    ],
)
def test_open_fence(text: str, fence: str) -> None:
    assert open_fence(text) == fence


def test_bounded_closes_what_it_cuts() -> None:
    text = bounded("```\n" + "line\n" * 100, 100)
    assert len(text) <= 100
    assert text.endswith("\n```\n…")
    assert bounded("short", 100) == "short"


def test_quoted() -> None:
    assert quoted("a\n\nb") == "> a\n>\n> b"

"""The scan tells prose from everything else."""

import pytest

from nodes.text.markdown import LineKind, open_boxes, scan, sentences


@pytest.mark.parametrize(
    ("body", "prose"),
    [
        ("One.\nTwo.", "One.\nTwo."),
        ("One.\n```\ncode\n```\nTwo.", "One.\nTwo."),
        ("One.\n~~~~ py\n```\n~~~\n~~~~\nTwo.", "One.\nTwo."),
        ("One.\n\n    code\n\nTwo.", "One.\nTwo."),
        ("- item\n\n    still the item", "- item\n    still the item"),
        ("# Title\nText", "Text"),
        ("Title\n=====\nText", "Text"),
        ("**Bold title**\nText", "Text"),
        ("**Label:** text", "text"),
        ("**bold** inside a sentence", "**bold** inside a sentence"),
        ("> quoted\nmine", "mine"),
        ("- [x] I agree\nText", "Text"),
        ("see `code` here", "see   here"),
        ("[text](https://x.example) and https://y.example/z.", "text and  "),
        ("a <b>b</b> c", "a  b  c"),
        ("a <!-- hidden --> b", "a  b"),
        ("a\n<!-- hidden\nstill\n--> b\nc", "a\n b\nc"),
        ("a\n<!-- never closed\nb", "a"),
        ("a <!-- never closed\nb", "a <!-- never closed\nb"),
        ("`<!--` is a mark", "  is a mark"),
        ("2026-11-20T01:02:03 started\nText", "Text"),
        ("at start: it falls (always)", "at start: it falls (always)"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("zero\u200bwidth \u202eturned", "zerowidth turned"),
    ],
)
def test_prose(body: str, prose: str) -> None:
    assert scan(body).prose.rstrip() == prose.rstrip()


def test_kinds_of_lines() -> None:
    body = "# T\n\ntext\n> q\n- [ ] t\n```x\nc\n```\nERROR: boom"
    kinds: list[LineKind] = ["heading", "blank", "prose", "quote", "task", "fence", "code", "fence", "log"]
    assert [kind for kind, _ in scan(body).lines] == kinds


def test_parts_and_empty_fields() -> None:
    found = scan("intro\n### One\n\n_No response_\n### Two\ntext\n```\ncode\n```\n### Three\nN/A")
    assert [(part.heading, part.empty) for part in found.parts] == [
        ("", False),
        ("One", True),
        ("Two", False),
        ("Three", True),
    ]
    assert found.parts[2].text == "text\ncode"
    assert found.parts[2].prose == "text"


def test_blocks_links_and_names() -> None:
    found = scan("`name` [a](https://x.example/1)\n```Python title=x\n1\n```\nhttps://y.example.")
    assert [(block.info, block.text) for block in found.blocks] == [("python", "1")]
    assert found.links == (("a", "https://x.example/1"), ("", "https://y.example"))
    assert found.inline == ("name",)


def test_a_long_body_is_read_at_both_ends() -> None:
    found = scan("first words " + "x " * 100_000 + "\nlast words")
    assert found.truncated
    assert found.text.startswith("first words") and found.text.endswith("last words")
    assert len(found.text) <= 60_001


def test_a_secret_cut_in_two_is_not_shown() -> None:
    token = "ghp_" + "0123456789abcdefghijABCDEFGHIJ"
    for before in range(44_960, 45_001, 4):
        found = scan("x" * (before - 1) + " " + token + " " + "y " * 20_000)
        assert "ghp_" not in found.text


def test_promises_are_no_tasks() -> None:
    assert open_boxes(
        scan("- [ ] one\n### Checklist\n- [ ] I searched\n### Tasks\n- [ ] two\n- [x] done")
    ) == ["one", "two"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two? Three!", ["One.", "Two?", "Three!"]),
        ("see e.g. this one", ["see e.g. this one"]),
        ("- first\n2. second", ["first", "second"]),
        ("a", []),
        ("x" * 500, []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected

"""The scan tells prose from everything else."""

import pytest

from nodes.text.markdown.markdown import LineKind, open_boxes, scan, sentences


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
        ("- step\n\n  ```\n  code\n  ```\n- next", "- step\n- next"),
        ("> ```\n> code\n> ```\nmine", "mine"),
        ("````\n```\nnot prose\n```\n````\nprose", "prose"),
        ("~~~\n```\n~~~\nprose", "prose"),
        ("<details>\n<summary>log</summary>\n```\ncode\n```\n</details>\nText", " \n log \n \nText"),
        ("<pre>\ncode &amp; <b>more</b>\n</pre>\nText", "Text"),
        ("| a | b |\n| - | - |\n| 1 | 2 |\n\nText", "Text"),
        ("First line\nTitle\n-----\nText", "First line\nText"),
        ("***\nText\n\n---\n", "Text"),
        (">>> import keel\n\nText", "Text"),
        ("<prefix>\nText", " \nText"),
        ("[//]: # (said to nobody)\nText", "Text"),
        ("[a]: https://x.example/b\nText", "[a]:  \nText"),
        ("a\n\u00a0\nb", "a\nb"),
        ("    > not a quote\n\nText", "Text"),
        (">" * 300 + " deep\nmine", "mine"),
        ("zero\u200bwidth \u202eturned", "zerowidth turned"),
    ],
)
def test_prose(body: str, prose: str) -> None:
    assert scan(body).prose.rstrip() == prose.rstrip()


def test_kinds_of_lines() -> None:
    body = "# T\n\ntext\n> q\n- [ ] t\n```x\nc\n```\nERROR: boom"
    kinds: list[LineKind] = ["heading", "blank", "prose", "quote", "task", "fence", "code", "fence", "log"]
    assert [kind for kind, _ in scan(body).lines] == kinds


@pytest.mark.parametrize(
    ("body", "blocks"),
    [
        ("- a\n\n  ```py\n  x = 1\n    y\n  ```", [("py", "x = 1\n  y")]),
        ("> ```\n> in a quote\n> ```", [("", "in a quote")]),
        ("````md\n```py\ninner\n```\n````", [("md", "```py\ninner\n```")]),
        ("```py\nnever closed\n", [("py", "never closed")]),
        ("<pre><code>a &lt; b\nc</code></pre>", [("", "a < b\nc")]),
        ("```{.Ruby}\nputs\n```", [("ruby", "puts")]),
        ("1. a\n\n       indented\n", [("", "indented")]),
        ("```\n\n```", [("", "")]),
    ],
)
def test_blocks(body: str, blocks: list[tuple[str, str]]) -> None:
    assert [(block.info, block.text.strip("\n")) for block in scan(body).blocks] == blocks


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("a <!-- one --> b\n\n<!--\ntwo\nlines\n-->\n", ("one", "two\nlines")),
        ("<!-- never closed\n\nat all", ("never closed\n\nat all",)),
        ("```\n<!-- shown -->\n```\n`<!-- shown -->`", ()),
        ("[//]: # (hidden too)\n[comment]: <> (and this)", ("hidden too", "and this")),
        ("# Title <!-- in a title -->", ("in a title",)),
        ("> <!-- in a quote -->", ("in a quote",)),
        ("- <!-- in a list -->\n- b", ("in a list",)),
        ("<!-- -->", ()),
    ],
)
def test_what_comments_say(body: str, said: tuple[str, ...]) -> None:
    found = scan(body)
    assert found.comment_texts == said
    assert not any(text in found.text for text in said)


def test_what_comments_say_is_bounded() -> None:
    found = scan("\n\n".join(f"<!-- {n} {'x' * 1_900} -->" for n in range(30)))
    assert sum(map(len, found.comment_texts)) <= 10_000 and max(map(len, found.comment_texts)) <= 2_000
    assert found.comments > len(found.comment_texts)


def test_a_comment_in_a_line_too_long_to_be_read_ends_where_it_ends() -> None:
    assert scan(f"<!-- {'x' * 3_000} -->\nsaid").prose == "said"
    assert scan(f"{'x ' * 1_500} <!-- a\nhidden -->\nsaid").prose.split("\n")[1:] == ["said"]
    for cut in range(1_990, 2_010):
        assert scan(f"<!-- {'x' * (cut - 8)}-->\nsaid").prose == "said"


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

"""The message to the private channel keeps Slack's limits and says nothing to anybody else."""

import json

import pytest

from nodes.escalate_security import EscalateSecurity
from tests.nodes.build import case, run


def test_the_message() -> None:
    done = run(EscalateSecurity(), case("XSS in search", "A stored XSS, CVE-2024-12345.", "security"))
    (wish,) = done.commands
    assert (wish.key, wish.target, wish.operation) == ("security:octo/widgets#7", "slack", "post_message")
    assert wish.issue == "octo/widgets#7"
    assert wish.payload["channel"] == ""
    header, facts, link, context = wish.payload["blocks"]
    assert header["text"]["text"] == "Possible security report: octo/widgets#7"
    assert "Kind: cross-site scripting\nIds: CVE-2024-12345" in facts["text"]["text"]
    assert link["text"]["text"] == "<https://github.com/octo/widgets/issues/7|XSS in search>"
    assert "not on the public issue" in context["elements"][0]["text"]


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("<!channel> & <@U123> | x", "&lt;!channel&gt; &amp; &lt;@\u200bU123&gt; ¦ x"),
        ("", "(no title)"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ", "[redacted: GitHub token]"),
    ],
)
def test_titles_do_nothing(title: str, shown: str) -> None:
    (wish,) = run(EscalateSecurity(), case(title, "", "security")).commands
    assert wish.payload["blocks"][2]["text"]["text"].endswith(f"|{shown}>")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://x|y", "https://x>y", ""])
def test_an_odd_address_is_no_link(url: str) -> None:
    (wish,) = run(EscalateSecurity(), case("XSS", "", "security", html_url=url)).commands
    assert wish.payload["blocks"][2]["text"]["text"] == "XSS"


@pytest.mark.parametrize("piece", ["<&>", "x" * 50, "XSS CVE-2024-1234 ", "@everyone ", "pkg==1.2.3 "])
def test_limits(piece: str) -> None:
    given = case(piece * 400, piece * 9_000, "security", repo="o" * 39 + "/" + "r" * 100)
    (wish,) = run(EscalateSecurity(), given).commands
    header, *others = wish.payload["blocks"]
    assert len(header["text"]["text"]) <= 150
    texts = [block["text"]["text"] for block in others[:2]] + [others[2]["elements"][0]["text"]]
    assert all(0 < len(text) <= 3_000 for text in texts)
    assert len(json.dumps(wish.payload["blocks"])) < 13_200

"""Slack's blocks as a page: what people see, and that no text becomes markup."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.report.slack_preview import Shown, as_text, home_page, message_page, mrkdwn
from integrations.slack.payloads_cases import case_message
from integrations.slack.payloads_home import home
from models.report import CaseLine

LINE = CaseLine(
    ref="octo/widgets#1",
    title="Crash <script>alert(1)</script> *not bold* @here",
    url="https://github.com/octo/widgets/issues/1",
    route="needs_human",
    urgency=5,
    detail={"probabilities": {"bug": 0.6}, "severity": "high"},
)


def test_a_message_is_shown_as_slack_would() -> None:
    page = message_page("# triage", [Shown(case_message(LINE)[1], replies=[Shown([], only_you=True)])])
    for words in (
        '<a href="https://github.com/octo/widgets/issues/1">octo/widgets#1</a>',
        '<button type="button" class="primary">Bug 60%</button>',
        '<span class="menu">Other…</span>',
        "<b>high</b>",
        "Only visible to you",
    ):
        assert words in page, words
    assert "<script" not in page and "<b>\u2060" not in page


def test_the_home_tab_is_shown() -> None:
    page = home_page(home("Latest run: *ended*", "The queue is empty.", [LINE], total=3))
    assert "Need a person: 3" in page and "and 2 more" in page and "Not for us" in page


def test_nothing_is_loaded_from_elsewhere() -> None:
    page = home_page([])
    assert not re.findall(r"(?:src|href)=\"https?:", page) and "url(" not in page and "@import" not in page


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*a* _b_ `c`", "<b>a</b> <i>b</i> <code>c</code>"),
        (
            "<https://x.example/?a=1&amp;b=2|x &lt;y&gt;>",
            '<a href="https://x.example/?a=1&amp;b=2">x &lt;y&gt;</a>',
        ),
        ("<javascript:alert(1)|x>", "&lt;javascript:alert(1)|x&gt;"),
        ("*\u2060a*\u2060", "*\u2060a*\u2060"),
        ("a\nb", "a<br>b"),
        (":warning: :unknown:", '<span class="sign warning">⚠</span> :unknown:'),
    ],
)
def test_mrkdwn(text: str, html: str) -> None:
    assert str(mrkdwn({"type": "mrkdwn", "text": text})) == html


@given(text=st.text(alphabet=st.sampled_from("<>&|\"'*_`:/ha\n="), max_size=60))
def test_no_text_becomes_markup(text: str) -> None:
    for kind in ("mrkdwn", "plain_text"):
        html = str(mrkdwn({"type": kind, "text": text}))
        tags = set(re.findall(r"<(/?[a-z]*)", html))
        assert tags <= {"a", "/a", "b", "/b", "i", "/i", "code", "/code", "br", "span", "/span"}


def test_a_message_as_text() -> None:
    text = as_text([*case_message(LINE)[1], {"type": "divider"}])
    first, weight, likely, buttons = text.splitlines()
    assert first.replace("\u2060", "") == "● octo/widgets#1 Crash <script>alert(1)</script> *not bold* @here"
    assert (weight, likely) == ("high · urgency 5", "likely bug 60%")
    assert buttons == "[Bug 60%]  [Feature]  [Other… ▾]  [Why]  [Snooze]  [Not for us]"

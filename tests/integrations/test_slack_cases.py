"""Cases, gathered cases, home tab and short answers: what they offer, and that any text is harmless and fits."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from integrations.slack import payloads_home
from integrations.slack.payloads import digest, security_digest
from integrations.slack.payloads_blocks import MAX_TOTAL, escape, link, size
from integrations.slack.payloads_cases import (
    MOST_GATHERED,
    approval_message,
    case_message,
    gathered,
    security_message,
    settled_by,
    settled_message,
)
from integrations.slack.payloads_home import MOST_CASES, Waiting, home, queue, status, why
from integrations.slack.sandbox.blocks import check_blocks
from integrations.slack.webhook import interaction_of
from models.report import CaseLine, RunReport
from tests.contracts.spec import contracts_dir, spec

SHARES = {"bug": 0.5, "docs": 0.3, "feature": 0.1, "question": 0.1}


def line(number: int = 1, **changes: Any) -> CaseLine:
    values: dict[str, Any] = {
        "ref": f"octo/widgets#{number}",
        "title": "Crash on start",
        "url": f"https://github.com/octo/widgets/issues/{number}",
        "route": "needs_human",
        "urgency": 50.0,
        "detail": {"severity": "high", "probabilities": SHARES, "reasons": [["“crash”", 1.0]]},
    }
    return CaseLine(**values | changes)


def elements(blocks: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for block in blocks:
        found = [*block.get("elements", ()), *([block["accessory"]] if "accessory" in block else [])]
        yield from ((block.get("block_id", ""), e) for e in found if "action_id" in e)


def understood(block_id: str, element: dict[str, Any]) -> set[tuple[str, str, str]]:
    """What the endpoint makes of every press that an element allows: (action, value, issue)."""
    choices = [{"selected_option": option} for option in element.get("options", ())]
    presses = choices or [{"value": element["value"]}]
    found = set()
    for pressed in presses:
        action = {"action_id": element["action_id"], "block_id": block_id, **pressed}
        told = interaction_of({"type": "block_actions", "user": {"id": "U1"}, "actions": [action]})
        assert told is not None, action
        found.add((told.action, told.value, told.issue))
    return found


def check(blocks: list[dict[str, Any]], *, view: bool = False) -> None:
    assert check_blocks(blocks, view=view) == []
    assert size(blocks) <= MAX_TOTAL
    if contracts_dir() is not None:
        assert spec().slack.block_problems(blocks, most=100 if view else 50) == []


def test_a_case_has_a_button_for_each_way_out() -> None:
    text, blocks = case_message(line())
    check(blocks)
    assert text == "octo/widgets#1 needs a person: Crash on start"
    words = [e["text"]["text"] for _, e in elements(blocks) if e["type"] == "button"]
    assert words == ["Bug 50%", "Docs 30%", "Why", "Snooze", "Not for us"]
    ways = {way for name, e in elements(blocks) for way in understood(name, e)}
    assert {action for action, _, _ in ways} == {"route", "why", "snooze", "ignore"}
    assert {value for action, value, _ in ways if action == "route"} == {
        "bug", "feature", "docs", "question", "security",
    }  # fmt: skip
    assert {issue for *_, issue in ways} == {"octo/widgets#1"}


def test_a_route_that_is_asked_about_first() -> None:
    _, blocks = approval_message(line(route="feature"))
    check(blocks)
    assert {a for name, e in elements(blocks) for a, _, _ in understood(name, e)} == {
        "approve", "hold", "route", "why", "ignore",
    }  # fmt: skip


def test_a_settled_case_says_who_and_can_be_corrected_again() -> None:
    sentence = settled_by("ann", "route", "bug")
    text, blocks = settled_message(line(story_url="https://app.shortcut.com/x/story/1"), sentence)
    check(blocks)
    assert text == "octo/widgets#1: ann routed it to bug"
    assert "|story>" in blocks[0]["text"]["text"]
    ((name, element),) = elements(blocks)
    assert {value for _, value, _ in understood(name, element)} >= {"bug", "docs"}


@pytest.mark.parametrize("make", [case_message, approval_message, lambda c: settled_message(c, "x"), None])
def test_a_security_case_shows_nothing_in_public(make: Any) -> None:
    secret = line(route="security", title="TITLE", detail={"severity": "SEVERE", "escalation": ["FACT"]})
    text, blocks = make(secret) if make else gathered([secret])
    shown = text + str(blocks) + str(home("s", "q", [secret])) + str(digest(report(), [secret], []))
    assert not [word for word in ("TITLE", "SEVERE", "FACT") if word in shown]
    assert "routed for review" in shown and not list(elements(blocks))


def test_a_security_case_in_its_own_channel() -> None:
    secret = line(route="security", title="TITLE", detail={"escalation": ["FACT"]})
    text, blocks = security_message(secret)
    check(blocks)
    assert "TITLE" not in text and "TITLE" in str(blocks) and "FACT" in str(blocks)
    assert "TITLE" in str(settled_message(secret, "x", secret=True))


def test_many_cases_are_one_message_that_can_be_worked_off() -> None:
    lines = [line(n, urgency=float(n)) for n in range(60)]
    _, blocks = gathered(lines, {"octo/widgets#59": "ann routed it to docs"})
    check(blocks)
    assert blocks[0]["text"]["text"] == "59 issues need a person"
    shown = [name for name, _ in elements(blocks)]
    assert shown == [f"gathered:octo/widgets#{n}" for n in range(59, 59 - MOST_GATHERED, -1)]
    assert "ann routed it" in str(blocks[1]) and "and 40 more in the home tab" in str(blocks[-1])
    assert {a for name, e in elements(blocks[2:]) for a, _, _ in understood(name, e)} == {
        "route", "why", "snooze", "ignore",
    }  # fmt: skip


def test_one_case_is_said_in_the_singular() -> None:
    assert gathered([line()])[0] == "1 issue needs a person"


def test_the_home_tab() -> None:
    blocks = home("fine", "empty", [line(n) for n in range(40)], total=99, updated="09:31 UTC")
    check(blocks, view=True)
    assert len([b for b in blocks if b["type"] == "actions"]) == MOST_CASES
    assert "79 more" in str(blocks[-1]) and "09:31" in str(blocks[-1])
    check(home("fine", "empty", []), view=True)


def report(**changes: Any) -> RunReport:
    return RunReport(
        run_id="r1", status="completed", triaged=9, routes={"bug": 12, "needs_human": 7}, **changes
    )


@pytest.mark.parametrize(
    ("usual", "told"),
    [
        (None, "bugs *12*  ·"),
        ({"bug": 8.0}, "bugs *12* (↑ from 8)"),
        ({"bug": 20.4}, "bugs *12* (↓ from 20)"),
        ({"bug": 11.0}, "bugs *12*  ·"),
        ({"docs": 4.0}, "docs *0* (↓ from 4)"),
    ],
)
def test_the_digest_says_what_is_unusual(usual: dict[str, float] | None, told: str) -> None:
    _, blocks = digest(report(), [], [], usual=usual)
    assert told in blocks[1]["text"]["text"]


def test_the_digest_points_into_its_thread_and_to_the_report() -> None:
    _, blocks = digest(report(), [line()], [], people=23, in_thread=20, report_url="https://t.example/r/1")
    check(blocks)
    assert "*23 need a person*: most urgent first in the thread; 3 more in the home tab" in str(blocks)
    assert "<https://t.example/r/1|Report>" in str(blocks[-1])


def test_short_answers() -> None:
    assert "No run yet" in status(None)
    told = status(
        report(failed=1), waiting=4, people=23, refused=2, down=["shortcut"], report_url="http://x/"
    )
    for words in ("completed", "9 issues, 1 failed", "*23* wait", "*4* updates", "*2* updates", "shortcut"):
        assert words in told
    assert queue([Waiting("github", 0)]) == "The queue is empty."
    assert "• shortcut *4* · 1 refused: HTTP 503" in queue([Waiting("shortcut", 4, 1, "shortcut: HTTP 503")])
    told = why("octo/widgets#1", ["It goes to bug: 62% sure."], story_url="https://s.example/1")
    assert "It goes to bug" in told and "`/triage route octo/widgets#1 ROUTE`" in told
    assert "Wrong?" not in why("octo/widgets#1", ["Routed for review."], may_correct=False)


HOSTILE = st.text(max_size=60) | st.sampled_from(
    [
        "<!channel> <@U1> <#C1> *b* _i_ `c` ~s~ & <https://evil.example|ok> @here",
        "&" * 5_000, "<" * 5_000, "_" * 5_000, "x" * 50_000, "\u202e\x00\x1b[31m", "\ud800", "\u2060" * 999, "",
    ]
)  # fmt: skip
DETAIL = st.fixed_dictionaries(
    {
        "severity": HOSTILE,
        "probabilities": st.dictionaries(
            HOSTILE | st.sampled_from(["bug", "docs", "question"]), st.floats(0, 1), max_size=4
        ),
        "reasons": st.lists(st.tuples(HOSTILE, st.floats(-2, 2)), max_size=9),
        "escalation": st.lists(HOSTILE, max_size=9),
    }
)
LINES = st.lists(
    st.builds(
        CaseLine,
        ref=HOSTILE | st.just("octo/widgets#1"),
        title=HOSTILE,
        url=HOSTILE | st.just("https://github.com/x/y/issues/1") | st.just("https://x/" + "&" * 600),
        route=st.sampled_from(["bug", "needs_human", "security"]) | HOSTILE,
        urgency=st.floats(0, 100),
        story_url=st.none() | HOSTILE,
        detail=DETAIL,
    ),
    min_size=1,
    max_size=25,
)


LONG_REPORTS = [line(n, route="security", detail={"escalation": ["&" * 200] * 6}) for n in range(10)]
"""Whole, these make a security digest that is longer than Slack takes."""


# Without shrinking: that took five minutes here, and what is left of such texts says no more.
@settings(max_examples=120, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of the texts of a failure
@example(lines=LONG_REPORTS, words="x")
@given(lines=LINES, words=HOSTILE)
def test_any_text_fits_and_does_no_harm(lines: list[CaseLine], words: str) -> None:
    first = lines[0]
    whole = RunReport(
        run_id=words, name=words, status=words, problems=(words,) * 9, resumes_at=words, routes={"bug": 3}
    )
    messages = [
        case_message(first),
        approval_message(first),
        security_message(first),
        settled_message(first, words),
        settled_message(first, settled_by(words, "route", words), secret=True),
        gathered(lines, {first.ref: words}),
        digest(whole, lines[:5], lines[:5], usual={"bug": 1.0}, report_url=words),
        security_digest(whole, lines[:10]),
    ]
    states = [Waiting(words, 3, 1, words)] * 20
    top = status(whole, down=[words] * 20), queue(states)
    view = home(*top, lines, updated=words)
    for text, blocks in [*messages, ("", view)]:
        assert check_blocks(blocks, view=blocks is view) == [] and size(blocks) <= MAX_TOTAL
        for shown in (text, *texts(blocks)):
            assert harmless(shown), shown
            shown.encode()
    for shown in (*top, why(words, [words] * 9, story_url=words)):
        assert harmless(shown) and len(shown) <= 4_000


def texts(node: Any) -> Iterator[str]:
    """All mrkdwn in blocks."""
    if isinstance(node, dict):
        if node.get("type") == "mrkdwn":
            yield node["text"]
        for value in node.values():
            yield from texts(value)
    elif isinstance(node, list):
        for item in node:
            yield from texts(item)


def harmless(text: str) -> bool:
    """Nothing in angle brackets but whole links of ours, and no mention."""
    left = text
    while (start := left.find("<")) >= 0:
        end = left.find(">", start)
        inside = left[start + 1 : end]
        if end < 0 or not inside.startswith("http") or inside.count("|") != 1 or "<" in inside:
            return False
        left = left[:start] + left[end + 1 :]
    return ">" not in left and "@here" not in left and "@U1" not in left and "\x00" not in text


def test_pieces() -> None:
    assert escape("a\u202eb\x00 <!here>") == "ab &lt;!here&gt;"
    assert link("javascript:alert(1)", "x") == "x"
    assert (
        link("https://a.example/?a=1&b=2", "octo/my_repo#1")
        == "<https://a.example/?a=1&amp;b=2|octo/my_repo#1>"
    )
    assert payloads_home.MOST_CASES == 20

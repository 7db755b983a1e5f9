"""The digest: who is needed and why, within Slack's limits and harmless for any text."""

from dataclasses import replace
from typing import Any

import pytest

from integrations.slack.payloads import MAX_SECTION, digest, security_digest
from models.report import CaseLine, RunReport
from tests.contracts.spec import contracts_dir, spec

HOSTILE = "<!channel> <@U1> *b* _i_ `c` ~s~ & <https://evil.example|ok> @here\n\u202e\x00"
REPORT = RunReport(run_id="r1", status="completed", triaged=9, routes={"bug": 2, "needs_human": 7})


def line(number: int = 1, **changes: Any) -> CaseLine:
    values: dict[str, Any] = {
        "ref": f"octo/widgets#{number}",
        "title": "Crash on start",
        "url": f"https://github.com/octo/widgets/issues/{number}",
        "route": "needs_human",
        "urgency": 50.0,
        "detail": {
            "severity": "high",
            "probabilities": {"bug": 0.62, "question": 0.3, "docs": 0.05, "feature": 0.03},
            "reasons": [
                ["“crash” in the title", 1.2],
                ["“would like”", -0.5],
                ["a stack trace", 0.4],
                ["“please”", -0.3],
                ["“core_dump”", 0.2],
            ],
        },
    }
    return CaseLine(**values | changes)


def people(*waiting: CaseLine) -> str:
    _, blocks = digest(REPORT, [], waiting)
    return str(
        next(b["text"]["text"] for b in blocks if "Need a person" in b.get("text", {}).get("text", ""))
    )


def test_a_waiting_case_says_what_is_likely_and_why() -> None:
    assert people(line()).split("\n") == [
        "*Need a person* (7)",
        "• <https://github.com/octo/widgets/issues/1|octo/widgets#1> Crash on start (high)",
        "      likely bug 62% or question 30% (“crash” in the title, a stack trace; against: “would like”)",
        "… and 6 more in the report",
    ]


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        ({}, ""),
        ({"probabilities": {}, "reasons": [["a", 1]]}, ""),
        ({"probabilities": {"bug": 1.0}}, "likely bug 100%"),
        ({"probabilities": {"bug": 1.0}, "reasons": [["“a”", -1]]}, "likely bug 100% (against: “a”)"),
        ({"probabilities": {"bug": 0.5}, "reasons": [["“a_b”", 1]]}, "likely bug 50% (“a_\u2060b”)"),
    ],
)
def test_what_is_not_known_is_left_out(detail: dict[str, Any], told: str) -> None:
    entry = people(line(detail=detail)).split("\n")[2:-1]
    assert [words.strip() for words in entry] == ([told] if told else [])


@pytest.mark.parametrize("text", [HOSTILE, "&" * 5_000, "<" * 5_000, "x" * 5_000, "_" * 5_000])
def test_any_text_is_harmless_and_fits(text: str) -> None:
    detail = {"severity": text[:9], "probabilities": {text: 0.5, "bug": 0.5}, "reasons": [[text, 1.0]] * 8}
    lines = [line(number, title=text, detail=detail) for number in range(30)]
    _, blocks = digest(REPORT, lines, lines)
    if contracts_dir() is not None:
        spec().slack.check_request("chat.postMessage", {"channel": "#x", "text": "x", "blocks": blocks})
    for block in blocks[:-1]:
        told = block["text"]["text"]
        assert len(told) <= MAX_SECTION
        links = told.count("<https://github.com/octo/widgets/issues/")
        # Nothing but our own links: no half ones, no mentions, no formats.
        assert told.count("<") == told.count(">") == links
        assert "@U1" not in told and "@here" not in told
        assert not [word for word in ("*b*", "_i_", "`c`", "~s~") if word in told]
        assert all(part[:4].startswith(("amp;", "lt;", "gt;")) for part in told.split("&")[1:])


def test_a_security_case_shows_nothing_but_its_link() -> None:
    secret = line(3, route="security", title="SECRET-TITLE", detail=line().detail)
    _, blocks = digest(REPORT, [secret], [secret])
    told = str(blocks)
    assert told.count("routed for review") == 2
    assert not [word for word in ("SECRET", "likely", "crash", "high") if word in told]
    text, blocks = security_digest(REPORT, [secret])
    assert "SECRET-TITLE" in str(blocks) and "SECRET" not in text


def test_security_reports_that_do_not_fit_are_counted() -> None:
    many = [line(n, route="security", detail={"escalation": ["fact " * 40] * 6}) for n in range(1, 31)]
    text, blocks = security_digest(replace(REPORT, routes={"security": 33}), many)
    shown = len(blocks) - 2
    assert text == "33 possible security reports to review" and 0 < shown < 30
    assert f"{33 - shown} more are stories with the label security" in str(blocks[-1])
    assert "|octo/widgets#1>" in str(blocks[1]), "the first of the list come first"

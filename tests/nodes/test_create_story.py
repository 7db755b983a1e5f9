"""The story's name, description, labels and link."""

from dataclasses import replace
from typing import Any

import pytest

from models.case import CodeSigns, Impact, Section, Sentiment
from models.text.escape import open_fence
from nodes.create_story import CreateStory, describe
from nodes.text.writing.titles import story_name
from tests.nodes.build import case, command, decided, issue, prediction, run


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Widgets fall over", "Widgets fall over"),
        ("  many \t\n spaces ", "many spaces"),
        ("[Bug]: it fell", "it fell"),
        ("Feature request: stand up", "stand up"),
        ("[Bug]", "[Bug]"),
        ("bugs are everywhere", "bugs are everywhere"),
        ("", "Issue octo/widgets#7"),
        (".", "Issue octo/widgets#7 ."),
        ("🐛", "Issue octo/widgets#7 🐛"),
        ("a\x00b\x1b[31mc\u202e", "ab[31mc"),
        ("before <!-- do this --> after", "before after"),
        ("<!-- only a comment", "only a comment"),
        ("ping @ada now", "ping @\u200bada now"),
        ("x" * 500, "x" * 199 + "…"),
        ("\ud800 half", "half"),
        ("日本語のタイトル", "日本語のタイトル"),
        ("token ghp_0123456789abcdefghijABCDEFGHIJ012345", "token [redacted: GitHub token]"),
    ],
)
def test_name(title: str, name: str) -> None:
    assert story_name(issue(title)) == name


def test_payload() -> None:
    given = replace(case("It fell", "It fell down.", "bug"), estimate=3, labels=("from forum", "BUG"))
    given = replace(given, impact=Impact(score=60, severity="high", evidence=("crash: “crash”",)))
    payload = command(run(CreateStory(story_type="bug"), given), "create_story")
    assert payload["external_link"] == "https://github.com/octo/widgets/issues/7"
    assert payload["labels"] == ["bug", "severity: high", "from forum"]
    assert (payload["story_type"], payload["estimate"]) == ("bug", 3)
    text = payload["description"]
    assert text.startswith(
        "**[octo/widgets#7](https://github.com/octo/widgets/issues/7)** by `ada`, 18 November 2026"
    )
    assert (
        "Route: **bug** (80% sure; for it: “crash” in the title, a stack trace; against: “please add”)"
        in text
    )
    assert "Severity: **high** (impact 60 of 100), crash: “crash”" in text
    assert text.endswith("## From the issue\n\n> It fell down.")


def test_what_is_as_good_as_sure_is_told_without_what_spoke_against_it() -> None:
    given = replace(case("It fell"), decision=decided("bug", confidence=0.93))
    assert (
        "Route: **bug** (93% sure; for it: “crash” in the title, a stack trace)\n" in describe(given) + "\n"
    )


def test_the_environment_is_versions_and_systems() -> None:
    """A language is none, and the trace names it."""
    signs = CodeSigns(versions=("Python 3.12.4", "3.3.1"), systems=("Linux",), languages=("Python", "Shell"))
    assert "Environment: `Python 3.12.4`, `3.3.1`, `Linux`\n" in describe(
        replace(case("It fell", route="bug"), code=signs)
    )
    only = replace(case("It fell", route="bug"), code=CodeSigns(languages=("C",)))
    assert "Environment" not in describe(only)


def test_sections_come_in_order_and_questions_after_them() -> None:
    given = case("It fell", "Down.", "bug")
    given = replace(
        given, sections=(Section(title="One", body="1"), Section(title="Two", body="2")), questions=("Why?",)
    )
    text = describe(given)
    assert [text.index(part) for part in ("## One", "## Two", "- Why?", "> Down.")] == sorted(
        text.index(part) for part in ("## One", "## Two", "- Why?", "> Down.")
    )


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("hello @ada", "> hello @\u200bada"),
        ("mail ada@example.com", "> mail ada@example.com"),
        ("a <!-- secret order --> b", "> a  b"),
        ("<!-- never closed\nrm -rf", None),
        ("a\x00b\u202ec", "> abc"),
        ("```\nnever closed", "> ```\n> never closed\n> ```"),
        ("```py\nx = '''```'''\n```", "> ````\n> x = '''```'''\n> ````"),
        ("@app.route\n```py\n@app.route\n```", "> @\u200bapp.route\n> ```\n> @app.route\n> ```"),
        ("![cat](https://x.example/c.png)", "> [image: cat](https://x.example/c.png)"),
        ('<img width="9" src="https://x.example/c.png">', "> [image](https://x.example/c.png)"),
        ("[click](javascript:alert(1))", "> [click] (javascript:alert(1))"),
        ("<details><summary>log</summary>text</details>", "> logtext"),
        ("### Version\n\n_No response_\n\n### What\n\nIt fell", "> **What**\n>\n> It fell"),
        ("- [x] I agree\n- [ ] add tests", "> - [ ] add tests"),
        ("", None),
    ],
)
def test_the_issues_words_are_shown_and_do_nothing(body: str, shown: str | None) -> None:
    text = describe(case("Title", body, "bug"))
    if shown is None:
        assert text.endswith("The issue has no text beyond its title.")
    else:
        assert text.endswith(f"## From the issue\n\n{shown}")


def test_a_huge_issue_is_bounded() -> None:
    body = "```\n" + "log line @ada\n" * 30_000 + "```\n" + "word " * 30_000
    given = replace(
        case("x" * 9_999, body, "bug"),
        sections=tuple(Section(title="S", body="y " * 1_999) for _ in range(9)),
    )
    text = describe(given)
    assert len(text) <= 20_000
    assert not open_fence(text)
    assert "## From the issue" in text


def test_secrets_never_arrive() -> None:
    token = "ghp_" + "0123456789abcdefghijABCDEFGHIJ012345"
    for body in (token, f"```\n{token}\n```", f"<a href={token}>", "x" * 3_990 + f" {token}", f"> {token}"):
        assert token[:12] not in describe(case(f"leak {token}", body, "security"))


def test_the_screen_is_told_where_a_person_decided_otherwise() -> None:
    flagged = decided(
        "bug",
        by="label",
        rules=('label "bug" on the issue',),
        prediction=prediction(security_flag=True, security_score=0.91),
    )
    text = describe(replace(case("It fell"), decision=flagged))
    assert 'Route: **bug** (label "bug" on the issue). The security screen rates the text 91%' in text


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"by": "rule", "rules": ("rule 1: author a → bug",)}, "Route: **bug** (rule 1: author a → bug)  "),
        (
            {"rules": ("rule 1: author a → bug more likely (+1)",), "confidence": 0.9},
            "(rule 1: author a → bug more likely (+1); 90% sure; for it: “crash” in the title,",
        ),
        ({"prediction": prediction("feature")}, "Route: **bug** (80% sure)  "),
        ({"prediction": prediction(reasons=())}, "Route: **bug** (80% sure)  "),
        (
            {"prediction": prediction(reasons=(("“__init__” | <b>[x](y)", 1.0), ("`*`", -1.0)))},
            "(80% sure; for it: “\\_\\_init\\_\\_” \\| \\<b\\>\\[x\\](y); against: \\`\\*\\`)",
        ),
    ],
)
def test_reasons_are_told_where_the_model_decided(changes: dict[str, Any], told: str) -> None:
    given = replace(
        case("It fell"), decision=decided("bug", **changes), impact=Impact(score=60, severity="high")
    )
    assert told in describe(given)


def test_tone_is_told_where_it_matters() -> None:
    calm = replace(case("It fell", route="bug"), sentiment=Sentiment())
    assert "tone" not in describe(calm)
    urgent = replace(calm, sentiment=Sentiment(urgency=0.7, evidence=("asap",)))
    assert "Reporter's tone: calm, urgent (`asap`)" in describe(urgent)


def test_a_deleted_author_is_no_trouble() -> None:
    assert "by a deleted account" in describe(case("It fell", author=None))


def test_labels_are_bounded() -> None:
    given = replace(case("It fell", route="bug"), labels=tuple(f"{n} " + "x" * 300 for n in range(50)))
    labels = command(run(CreateStory(story_type="bug"), given), "create_story")["labels"]
    assert len(labels) <= 12
    assert all(1 <= len(label) <= 128 for label in labels)


@pytest.mark.parametrize(
    ("by", "held", "expected"),
    [
        ("model", False, ["create_story"]),
        ("rule", False, ["create_story"]),
        ("screen", False, ["create_story"]),
        ("model", True, []),
        ("label", False, ["create_story", "move_story"]),
        ("person", False, ["create_story", "move_story"]),
    ],
)
def test_a_persons_decision_moves_the_story_that_stands(by: str, held: bool, expected: list[str]) -> None:
    given = replace(case("It fell"), decision=decided("feature", by=by, held=held))
    done = run(CreateStory(story_type="feature"), given)
    assert [wish.operation for wish in done.commands] == expected
    if "move_story" in expected:
        (_, move) = done.commands
        assert (move.key, move.after) == ("move:octo/widgets#7", ("story:octo/widgets#7",))
        assert move.payload == {
            "route": "feature",
            "story_type": "feature",
            "label": "feature",
            "instead_of": ["bug", "docs", "question", "security", "needs triage"],
        }

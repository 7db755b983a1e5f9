"""When a page is wished for, and what it says."""

from dataclasses import replace
from typing import Any

import pytest

from integrations.notion.payloads import blocks_of
from models.case import Case, Section
from nodes.draft_docs import PAGE
from nodes.push_notion import PushNotion
from tests.nodes.build import case, command, context, run, text_of

NOTION = {"services": frozenset({"notion"})}
DRAFT = {
    "kind": "page",
    "title": "Painting",
    "markdown": "## How\n\nWith a brush.",
    "path": "",
    "mark": "*Draft by `m`.*",
}


def drafted(page: Any = DRAFT, route: Any = "docs", title: str = "How to paint?") -> Case:
    sections = (
        Section(title="Documentation", body="Kind of slip: **missing**"),
        Section(title="The documentation may already say it", body="- [docs/a.md](https://e.example/a)"),
        Section(title="Effort", body="1 point"),
        Section(title="Proposed change", body="```diff\n- a\n+ b\n```"),
    )
    return replace(case(title, "", route), sections=sections, data={PAGE: page} if page else {})


def test_the_page_links_the_issue_and_is_marked_as_a_draft() -> None:
    done = run(PushNotion(), drafted(), context(**NOTION))
    wish = command(done, "publish_page")
    (order,) = done.commands
    assert (order.key, order.target, order.issue) == ("page:octo/widgets#7", "notion", "octo/widgets#7")
    assert wish["title"] == "How to paint?"
    text = wish["markdown"]
    assert text.startswith(
        "> **Draft** by Switchyard for [octo/widgets#7](https://github.com/octo/widgets/issues/7)."
    )
    assert "*Draft by `m`.*" in text and "# Painting" in text and "With a brush." in text
    assert "Kind of slip" in text and "docs/a.md" in text
    assert "1 point" not in text and "```diff" not in text
    assert [block["type"] for block in blocks_of(text)][-5:] == [
        "divider", "heading_1", "paragraph", "heading_2", "paragraph",
    ]  # fmt: skip
    assert "Notion" in text_of(done, "Page in Notion")


@pytest.mark.parametrize("kind", ["patch", "outline"])
def test_a_patch_or_outline_is_the_draft(kind: str) -> None:
    wish = command(run(PushNotion(), drafted({"kind": kind}), context(**NOTION)), "publish_page")
    assert "```diff\n- a\n+ b\n```" in wish["markdown"]


@pytest.mark.parametrize(
    ("given", "policy"),
    [
        (drafted(), {}),
        (drafted(), {"services": frozenset({"slack"})}),
        (drafted(None), NOTION),
        (drafted(route="security"), NOTION),
        (replace(drafted(), suspicions=("role play",)), NOTION),
    ],
)
def test_no_page(given: Case, policy: Any) -> None:
    assert run(PushNotion(), given, context(**policy)) is given


@pytest.mark.parametrize("title", ["", "@ann <!-- x --> \u202e" + "y" * 500])
def test_titles_are_tame(title: str) -> None:
    wish = command(run(PushNotion(), drafted(title=title), context(**NOTION)), "publish_page")
    assert 0 < len(wish["title"]) <= 160 and "@ann" not in wish["title"] and "<!--" not in wish["title"]

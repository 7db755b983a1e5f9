"""Worked examples in a report: the richest case of each flow, harmless whatever it says, none that is for review."""

import re
from dataclasses import replace
from pathlib import Path

from bot.report import examples
from bot.report.examples import Example
from bot.report.html import write
from models.case import Case, Route, Section
from models.commands import create_story
from tests.bot.report.test_html import REPORT, line
from tests.nodes.build import case
from tests.world import World

HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(2)>\n\n![x](https://evil.example/p.png)\n\n"
    "[a](javascript:alert(3)) [b](https://good.example/)\n\n```\n</pre><script>alert(4)</script>\n```\n"
)


def made(number: int, route: Route, sections: int) -> Case:
    found = case(f"Case {number}", number=number, route=route)
    story = create_story(
        found.issue.ref,
        name=found.issue.title,
        description=f"## Described {number}",
        story_type="bug",
        labels=(),
        external_link=found.issue.html_url,
    )
    shown = tuple(Section(title=str(n), body="b") for n in range(sections))
    return replace(found, sections=shown, commands=(story,))


def test_the_richest_case_of_each_flow_is_chosen_and_none_for_review() -> None:
    given = [made(1, "docs", 1), made(2, "bug", 1), made(3, "bug", 4), made(4, "security", 9)]
    chosen = examples.richest(given)
    assert [one.issue.number for one in chosen] == [3, 1]
    assert [one.ref for one in examples.of_cases(chosen)] == ["octo/widgets#3", "octo/widgets#1"]


def test_an_example_is_harmless(tmp_path: Path) -> None:
    example = Example("octo/widgets#1", "javascript:alert(5)", "bug", "<b>T</b>", HOSTILE, ("<i>do</i> it",))
    path = tmp_path / "report.html"
    write(path, REPORT, [line(1)], [example])
    page = path.read_text()
    assert "Worked examples" in page
    assert "<script>" not in page
    for fragment in ("<img", "<b>T", "<i>do", 'href="javascript'):
        assert fragment not in page
    assert '<a href="https://good.example/">' in page
    assert "made up" not in page


def test_boxes_look_like_boxes() -> None:
    example = Example("octo/widgets#1", "", "bug", "T", "## For the review\n\n- [ ] `a.py`\n- [ ] `b.py`")
    assert example.shown()["html"].count("☐") == 2 and "[ ]" not in example.shown()["html"]


def test_a_report_without_examples_says_nothing_of_them(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write(path, REPORT, [line(1)])
    assert "Worked examples" not in path.read_text()


def test_a_runs_report_shows_its_stories_and_a_dry_runs_what_they_would_be(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.set("router.accept_threshold", "0.9")
        dry = world.run("run", "--dry-run", "--json").json
        real = world.run("run", "--json").json
        stories = {story["external_id"]: story for story in world.listed("stories")}
    for report in (dry, real):
        page = (tmp_path / report["report"]).read_text()
        shown = page[page.index("Worked examples") : page.index("All cases")]
        assert shown.count('<details class="example">') == 3
        assert "for review" not in shown
        refs = re.findall(r"</span> (\S+#\d+): ", shown)
        assert len(refs) == 3
        assert {f"story:{ref}" for ref in refs} <= stories.keys()
        # Sentences of issues that were routed for review.
        assert "artifact directory" not in page

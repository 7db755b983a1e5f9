"""Documentation issues from GitHub to Notion: what is said already, one page for each draft, whatever goes wrong."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox import drafting_environment
from tests.bot.test_run import issue
from tests.world import World

REPO = "octo/widgets"
GUIDE = """# Tables

A table has rows and columns.

## Sorting rows by a key

Give `sort_key` a function: rows are sorted by what it returns for each of them.

## Colours

You recieve a red table.
"""
BODY = "Nothing in the guide says it. How do I colour a table? What colours are there? Which is the default?"


def asked(number: int, **fields: Any) -> dict[str, Any]:
    """An issue that asks for a page."""
    return issue(number, title=f"Document how to colour table number {number}", body=BODY, **fields)


@contextmanager
def docs(folder: Path, issues: list[dict[str, Any]], **options: Any) -> Iterator[World]:
    """A world of documentation issues, with a page of documentation, in which Notion is on."""
    with World(folder, issues, **options) as world:
        world.route_all("docs")
        world.control(repo=REPO, files={"docs/tables.md": GUIDE})
        yield world


def titles(world: World) -> list[str]:
    return sorted(page["title"] for page in world.listed("pages"))


def written(page: dict[str, Any]) -> str:
    """All that a page says, a block a line."""
    return "\n".join(
        "".join(piece["text"]["content"] for piece in block[block["type"]].get("rich_text", ()))
        for block in page["blocks"]
    )


def story(world: World, number: int) -> str:
    (found,) = [s for s in world.listed("stories") if s["external_id"] == f"story:{REPO}#{number}"]
    return str(found["description"])


def test_a_draft_is_one_page_that_is_never_written_again(tmp_path: Path) -> None:
    sorting = issue(2, title="How to sort rows by a key?", body="I cannot find it.")
    with docs(tmp_path, [asked(1), sorting]) as world:
        dry = world.run("run", "--dry-run", "--json").json
        assert dry["planned"]["notifications"]["notion"] == 1 and world.listed("pages") == []
        report = world.run("run", "--json").json
        assert report["status"] == "completed", report
        assert report["notifications"]["notion"] == 1 and report["requests"]["notion"] == 1
        (page,) = world.listed("pages")
        assert page["title"] == f"{REPO}#1: Document how to colour table number 1"
        text = written(page)
        assert "Draft by Switchyard" in text and "Which is the default?" in text
        assert "Page in Notion" in story(world, 1) and "Page in Notion" not in story(world, 2)
        assert "The documentation may already say it" in story(world, 2)
        assert f"/{REPO}/blob/" in story(world, 2) and "docs/tables.md#sorting-rows-by-a-key" in story(
            world, 2
        )

        changed = asked(1, updated_at="2026-11-21T10:00:00Z")
        world.control(issue=changed | {"body": BODY + " How do I mix them?"})
        again = world.run("run", "--full", "--json").json
        assert again["status"] == "completed" and again["notifications"]["notion"] == 0, again
        assert world.listed("pages") == [page]
        world.assert_contracts()


def test_a_slip_that_stands_in_one_place_is_a_patch(tmp_path: Path) -> None:
    typo = issue(1, title="Typo in the docs", body='"recieve" should be "receive".')
    with docs(tmp_path, [typo]) as world:
        assert world.run("run", "--json").json["notifications"]["notion"] == 1
        (page,) = world.listed("pages")
        assert "+++ b/docs/tables.md" in written(page) and "+You receive a red table." in written(page)
        assert "+You receive a red table." in story(world, 1)
        world.assert_contracts()


def test_a_language_models_page_is_marked_as_its_draft(tmp_path: Path) -> None:
    with docs(tmp_path, [asked(1)]) as world:
        world.environment |= drafting_environment(world.base)
        report = world.run("run", "--json").json
        assert report["status"] == "completed" and report["requests"]["llm"] == 1, report
        (page,) = world.listed("pages")
        for text in (written(page), story(world, 1).replace("`", "")):
            assert "Draft by openai:sandbox; nobody has checked it." in text
        assert "Outline of the page" not in story(world, 1)
        world.assert_contracts()


@pytest.mark.parametrize("fault", ["drop_after", "hang_after"])
def test_an_answer_that_never_came_makes_no_second_page(tmp_path: Path, fault: str) -> None:
    with docs(tmp_path, [asked(n) for n in range(1, 6)]) as world:
        world.set("integrations.notion.timeout", "1s")
        world.control(service="notion", match="POST /v1/pages", fault=fault, times=2)
        report = world.run("run", "--json").json
        assert report["status"] == "completed", report
        assert titles(world) == [f"{REPO}#{n}: Document how to colour table number {n}" for n in range(1, 6)]
        world.assert_contracts()


@pytest.mark.slow
def test_notion_down_holds_up_nothing_else_and_gets_its_pages_later(tmp_path: Path) -> None:
    with docs(tmp_path, [asked(n) for n in range(1, 4)]) as world:
        world.control(service="notion", fault="status", status=503)
        down = world.run("run", "--json", "--wait", "5s")
        assert down.code == 1 and down.json["status"] == "partial"
        assert down.json["stories"]["created"] == 3 and down.json["notifications"]["slack"] == 1
        assert down.json["notifications"]["queued"] == 3 and down.json["notifications"]["notion"] == 0
        pending = world.run("queue", "list", "--json").json["pending"]
        assert {item["target"] for item in pending} == {"notion"}
        world.control(reset="faults")
        assert world.run("queue", "drain", "--json").json == {"delivered": 3, "pending": 0, "dead": 0}
        assert len(world.listed("pages")) == 3
        assert world.run("runs", "list", "--json").json["runs"][0]["status"] == "completed"
        world.assert_contracts()


@pytest.mark.parametrize("status", [429, 529])
def test_notion_is_obeyed_where_it_says_wait(tmp_path: Path, status: int) -> None:
    with docs(tmp_path, [asked(1)]) as world:
        world.control(service="notion", fault="status", status=status, retry_after=1, times=1)
        report = world.run("run", "--json").json
        assert report["status"] == "completed" and len(world.listed("pages")) == 1
        assert report["requests"]["notion"] == 2
        world.assert_contracts()


@pytest.mark.chaos
@pytest.mark.slow
def test_killed_and_started_again_makes_each_page_once(tmp_path: Path) -> None:
    seed = random.Random(7)
    with docs(tmp_path, [asked(n) for n in range(1, 31)], latency_ms=150) as world:
        world.set("scaling.batch_size", "10")
        killed = sum(world.kill_after(seed.randint(5, 40), "run") for _ in range(3))
        assert killed >= 1
        report = world.run("run", "--full", "--json").json
        assert report["status"] == "completed", report
        assert len(titles(world)) == len(set(titles(world))) == 30
        world.assert_contracts()


@pytest.mark.parametrize("section", [True, False])
def test_without_notion_the_draft_stays_in_the_story(tmp_path: Path, section: bool) -> None:
    with docs(tmp_path, [asked(1)]) as world:
        world.environment.pop("NOTION_TOKEN")
        if not section:
            for name in [name for name in world.environment if "__NOTION__" in name]:
                world.environment.pop(name)
        report = world.run("run", "--json").json
        assert report["status"] == "completed" and report["notifications"]["notion"] == 0
        words = "set NOTION_TOKEN" if section else "no section integrations.notion"
        assert any(words in text for text in report["skipped"])
        assert "Outline of the page" in story(world, 1) and "Notion" not in story(world, 1)
        assert world.state()["requests"]["notion"]["count"] == 0


def test_doctor_says_what_to_mend_about_notion(tmp_path: Path) -> None:
    with docs(tmp_path, [asked(1)]) as world:
        checks = {check["name"]: check for check in world.run("doctor", "--json").json["checks"]}
        assert checks["notion"]["ok"] and "signed in as switchyard" in checks["notion"]["detail"]
        world.set("integrations.notion.parent_page_id", "0f5a1c3e-0000-0000-0000-000000000000")
        checks = {check["name"]: check for check in world.run("doctor", "--json").json["checks"]}
        assert not checks["notion"]["ok"] and "NOTION_TOKEN" in checks["notion"]["mend"]

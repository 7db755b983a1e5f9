"""A database as the program left it when it was killed in December 2026 still comes to its end, on today's schema.

It holds commands of every target, some that may have arrived, some that wait for others, one dead; open cases; and a
run of which one batch was being thought about, others were waiting, and one repository was still to be read.
"""

import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.golden.old import load
from tests.golden.old.ground import WIDGETS, configure, issues, route_of
from tests.smtp import Post, post
from tests.world import World

pytestmark = pytest.mark.timeout(300)
DEAD = f"labels:{WIDGETS}#2"


@pytest.mark.parametrize("server", ["sqlite", "postgres"])
def test_it_comes_to_its_end(tmp_path: Path, server: str, request: pytest.FixtureRequest) -> None:
    with ExitStack() as stack:
        url = ""
        if server == "postgres":
            url = stack.enter_context(request.getfixturevalue("postgres").bare())
        mails = stack.enter_context(post())
        world = stack.enter_context(World(tmp_path, issues()))
        configure(world, mails.port)
        names = load.stand(world)
        if url:
            world.environment["SWITCHYARD_DATABASE_URL"] = url
            load.postgres(url, names, time.time())
        else:
            load.sqlite(tmp_path / "var" / "switchyard.db", names, time.time())
        assert world.run("migrate").code == 0
        waiting = world.run("queue", "list", "--json").json
        assert [item["key"] for item in waiting["dead"]] == [DEAD]
        assert {item["target"] for item in waiting["pending"]} == {
            "api", "email", "github", "notion", "shortcut", "slack", "webhook",
        }  # fmt: skip
        unfinished = world.run("runs", "list", "--json").json["runs"][0]
        assert unfinished["status"] == "running"

        report = world.run("run", "--json").json
        assert report["run_id"] == unfinished["run_id"], "the run that was interrupted goes on"
        assert report["status"] == "completed", report
        drained = world.run("queue", "drain", "--json").json
        assert (drained["pending"], drained["dead"]) == (0, 1), world.run("queue", "list", "--json").out
        assert [item["key"] for item in world.run("queue", "list", "--json").json["dead"]] == [DEAD]
        assert_whole(world, mails, waiting["pending"])
        world.assert_contracts()


def assert_whole(world: World, mails: Post, waited: list[dict[str, Any]]) -> None:
    """Nothing is missing and nothing is there twice, at any service."""
    world.assert_once()
    refs = {f"{issue['repo']}#{issue['number']}" for issue in issues()}
    with_story = {ref for ref in refs if route_of(*_parts(ref)) != "needs_human"}
    stories = Counter(s["external_id"] for s in world.listed("stories") if s["external_id"])
    assert stories == Counter(f"story:{ref}" for ref in with_story)
    commented = Counter(f"{c['repo']}#{c['number']}" for c in world.listed("comments") if _is_ours(c))
    assert commented == Counter(refs)
    said = Counter(
        m["metadata"]["event_payload"]["key"] for m in world.listed("messages") if m.get("metadata")
    )
    wanted = {item["key"] for item in waited if item["operation"] == "post_message"}
    assert wanted <= said.keys() and set(said.values()) == {1}, said
    pages = Counter(page["title"] for page in world.listed("pages"))
    assert pages and set(pages.values()) == {1}, pages
    called = [entry["value"]["title"] for entry in world.app.sandbox.services.documents["pager", "pages"]]
    assert Counter(called) == Counter(ref for ref in refs if route_of(*_parts(ref)) == "bug")
    # Mails and webhooks go out at least once: who gets one twice knows it by its id.
    arrived = {mail["message-id"] for mail in mails.mails}
    assert len(arrived) >= sum(item["target"] == "email" for item in waited) > 0
    hooks = Counter(delivery["id"] for delivery in world.listed("webhooks"))
    assert {item["key"] for item in waited if item["target"] == "webhook"} <= hooks.keys()


def _parts(ref: str) -> tuple[str, int]:
    repo, _, number = ref.partition("#")
    return repo, int(number)


def _is_ours(comment: dict[str, Any]) -> bool:
    return str(comment["body"]).startswith("<!-- switchyard:")

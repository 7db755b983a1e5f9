"""Estimates on the team's own scale, and tasks, from an issue to its story."""

from pathlib import Path
from typing import Any

import pytest

from tests.bot.run.test_run import issue
from tests.world import World

BODY = """\
Currently I cannot find a widget. Please add a search box.

### Acceptance criteria

- [ ] filters while typing
- [ ] works without a mouse
"""


def stories(world: World) -> list[dict[str, Any]]:
    headers = {"Shortcut-Token": "x"}
    return [
        world.http.get(f"/api/v3/stories/{story['id']}", headers=headers).json()
        for story in world.listed("stories")
    ]


@pytest.mark.parametrize(
    ("scale", "estimate"),
    [(None, 4), ("[1, 3, 9]", 3), ("[]", None)],
    ids=["workspace", "configured", "none"],
)
def test_a_wish_has_an_estimate_on_the_scale_and_tasks(
    tmp_path: Path, scale: str | None, estimate: int | None
) -> None:
    wish = issue(1, title="A search box", body=BODY)
    with World(tmp_path, [wish]) as world:
        world.route_all("feature")
        if scale is not None:
            world.set("integrations.shortcut.estimate_scale", scale)
        assert world.run("run", "--json").json["stories"]["created"] == 1
        (made,) = stories(world)
        assert made["estimate"] == estimate
        assert [task["description"] for task in made["tasks"]] == [
            "filters while typing",
            "works without a mouse",
        ]
        assert f"**{estimate} points**" in made["description"] or estimate is None
        assert "filters while typing" not in made["description"].partition("## From the issue")[0]
        # The issue changes: its story is the one that stands, with the tasks that people may have ticked off.
        changed = {"title": "A search box for widgets", "body": BODY + "- [ ] and a third\n"}
        world.control(issue={"repo": "octo/widgets", "number": 1} | changed)
        again = world.run("run", "--json").json
        assert (again["triaged"], again["stories"]["created"]) == (1, 0)
        (after,) = stories(world)
        assert [task["id"] for task in after["tasks"]] == [task["id"] for task in made["tasks"]]
        world.assert_contracts()

"""Shortcut's shapes, read leniently: nothing that a workspace holds may break a look at its stories."""

from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.shortcut.payloads import State, read_epics, read_members, read_states, read_stories


def test_a_story_in_the_shape_of_a_list() -> None:
    (story,) = read_stories(
        [
            {
                "id": 7,
                "name": "Crash",
                "story_type": "bug",
                "app_url": "https://app.shortcut.com/x/story/7",
                "external_id": "story:o/n#1",
                "external_links": ["https://github.com/o/n/issues/1"],
                "workflow_state_id": 5,
                "moved_at": "2026-11-01T00:00:00Z",
                "epic_id": None,
                "owner_ids": ["ann"],
                "archived": False,
                "comment_ids": [1, 2],
                "created_at": "2026-10-01T00:00:00Z",
                "updated_at": "2026-11-01T00:00:00Z",
            }
        ]
    )
    assert story.made_by_bot and not story.is_untouched
    assert (story.id, story.state_id, story.owner_ids, story.comments) == (7, 5, ("ann",), 2)
    assert story.created_at == datetime(2026, 10, 1, tzinfo=UTC)
    assert story.state_changed == "2026-11-01T00:00:00Z"


@pytest.mark.parametrize(
    "item",
    [
        {"id": 1},
        {"id": 1, "created_at": "soon", "updated_at": 5, "owner_ids": "ann", "external_links": {"a": 1}},
        {"id": 1, "name": "\ud800\x00", "external_id": 9, "external_links": [None, 3], "archived": "yes"},
        {"id": 1, "workflow_state_id": "5", "epic_id": -1, "comments": None, "comment_ids": None},
        {"id": 1, "external_id": "x" * 5_000, "app_url": None, "owner_ids": [None] * 500},
    ],
)
def test_a_strange_story_is_read_all_the_same(item: dict[str, Any]) -> None:
    (story,) = read_stories([item])
    assert story.id == 1 and not story.made_by_bot and not story.archived
    assert len(story.owner_ids) <= 20 and len(story.external_id or "") <= 1_024
    assert story.name.encode("utf-8") is not None and "\x00" not in story.name


@pytest.mark.parametrize("data", [None, {}, "x", [None, 1, "x", {}, {"id": "7"}, {"id": 2**70}]])
def test_what_is_no_story_is_left_out(data: Any) -> None:
    assert read_stories(data) == []
    assert read_states(data) == {} and read_members(data) == {}


def test_names() -> None:
    workflows = [
        {"states": [{"id": 1, "name": "Ready", "type": "Unstarted"}, {"name": "?"}]},
        {"states": None},
    ]
    assert read_states(workflows) == {1: State("Ready", "unstarted")}
    members = [{"id": "a", "profile": {"name": None, "mention_name": "ann"}}, {"id": "b", "profile": None}]
    assert read_members(members) == {"a": "ann"}
    assert read_epics([{"id": 3, "name": "Q4"}, {"id": None}]) == {3: "Q4"}

"""The Shortcut stand-in against Shortcut's own document, and its memory."""

from typing import Any

import pytest

from tests.contracts.api import Api

STATE = 500000001


def story(**more: Any) -> dict[str, Any]:
    """The least that a story needs."""
    return {"name": "A story", "workflow_state_id": STATE, **more}


FULL = story(
    description="Words",
    story_type="bug",
    external_id="story:octo/widgets#1",
    external_links=["https://github.com/octo/widgets/issues/1"],
    labels=[{"name": "bug"}, {"name": "security", "color": "#ff0000"}],
    estimate=3,
    deadline="2026-12-24T00:00:00Z",
    tasks=[{"description": "Reproduce it"}],
    comments=[{"text": "From GitHub"}],
    created_at="2026-01-02T03:04:05Z",
)

REFUSED: list[dict[str, Any]] = [
    {},
    {"name": "x"},
    {"name": "", "workflow_state_id": STATE},
    story(name="x" * 513),
    story(description="x" * 100_001),
    story(labels=[{"name": "x" * 129}]),
    story(labels=["bug"]),
    story(story_type="question"),
    story(surprise=1),
    story(workflow_state_id="500000001"),
    story(owner_ids=["nobody"]),
    story(deadline="tomorrow"),
    story(external_id="x" * 1025),
    story(estimate=1.5),
    story(estimate=True),
]


@pytest.mark.parametrize("body", [story(), FULL, {"name": "x", "project_id": 100}])
def test_create_one_and_many(api: Api, body: dict[str, Any]) -> None:
    one = api.shortcut("POST", "/stories", body)
    assert one.status == 201
    assert api.shortcut("GET", f"/stories/{one.json['id']}").json == one.json
    many = api.shortcut("POST", "/stories/bulk", {"stories": [body, body]})
    assert (many.status, len(many.json)) == (201, 2)


@pytest.mark.parametrize("body", REFUSED)
def test_refused_bulk_leaves_nothing_behind(api: Api, body: dict[str, Any]) -> None:
    assert api.shortcut("POST", "/stories/bulk", {"stories": [story(), body]}).status in (400, 422)
    assert api.shortcut("POST", "/stories", body).status in (400, 422)
    assert api.read("stories") == []
    api.app.violations.clear()


@pytest.mark.parametrize(
    "body",
    [story(workflow_state_id=1), story(project_id=100), story(epic_id=7), story(project_id=None, epic_id=7)],
)
def test_what_the_schema_cannot_say_is_refused_too(api: Api, body: dict[str, Any]) -> None:
    assert api.shortcut("POST", "/stories", body).status in (400, 422)


def test_update_move_and_delete(api: Api) -> None:
    made = api.shortcut("POST", "/stories", FULL).json
    path = f"/stories/{made['id']}"
    changed = api.shortcut("PUT", path, {"name": "New", "workflow_state_id": 500000003, "labels": []}).json
    assert (changed["name"], changed["completed"], changed["labels"]) == ("New", True, [])
    assert api.shortcut("DELETE", path).status == 204
    assert api.shortcut("GET", path).status == 404


def test_bulk_update_and_delete(api: Api) -> None:
    made = api.shortcut("POST", "/stories/bulk", {"stories": [FULL, story()]}).json
    ids = [item["id"] for item in made]
    change = {"story_ids": ids, "labels_add": [{"name": "triaged"}], "labels_remove": [{"name": "bug"}]}
    found = api.shortcut("PUT", "/stories/bulk", change).json
    assert [[label["name"] for label in item["labels"]] for item in found] == [
        ["security", "triaged"],
        ["triaged"],
    ]
    assert api.shortcut("DELETE", "/stories/bulk", {"story_ids": ids}).status == 204
    assert api.shortcut("DELETE", "/stories/bulk", {"story_ids": ids}).status == 404


def test_search_by_fields(api: Api) -> None:
    api.shortcut("POST", "/stories/bulk", {"stories": [FULL, story(), story(archived=True)]})
    for query, expected in (
        ({"external_id": FULL["external_id"]}, 1),
        ({"created_at_start": "2026-06-01T00:00:00Z"}, 2),
        ({"created_at_end": "2026-06-01T00:00:00Z", "includes_description": True}, 1),
        ({"label_name": "Security"}, 1),
        ({"workflow_state_id": STATE, "archived": False}, 2),
        ({"story_type": "bug", "workflow_state_types": ["unstarted"]}, 1),
        ({"external_id": "absent"}, 0),
    ):
        reply = api.shortcut("POST", "/stories/search", query)
        assert (reply.status, len(reply.json)) == (201, expected), query
    assert api.read("state")["duplicates"] == 0


def test_search_line_has_pages(api: Api) -> None:
    api.shortcut("POST", "/stories/bulk", {"stories": [story(name=f"Crash {n}") for n in range(7)]})
    names: list[str] = []
    following: dict[str, Any] = {}
    while True:
        page = api.shortcut(
            "GET", "/search/stories", query="crash type:feature", page_size=3, **following
        ).json
        names += [item["name"] for item in page["data"]]
        if page["next"] is None:
            break
        following = {"next": page["next"].rpartition("next=")[2]}
    assert names == [f"Crash {n}" for n in range(7)] and page["total"] == 7
    assert api.shortcut("GET", "/search/stories", query="!type:feature", detail="slim").json["total"] == 0


def test_found_by_external_link(api: Api) -> None:
    api.shortcut("POST", "/stories", FULL)
    link = FULL["external_links"][0]
    assert len(api.shortcut("GET", "/external-link/stories", external_link=link).json) == 1
    assert api.shortcut("GET", "/external-link/stories", external_link=link + "0").json == []


def test_comments_and_tasks(api: Api) -> None:
    path = f"/stories/{api.shortcut('POST', '/stories', story()).json['id']}"
    comment = api.shortcut("POST", f"{path}/comments", {"text": "one"}).json
    assert api.shortcut("PUT", f"{path}/comments/{comment['id']}", {"text": "two"}).json["text"] == "two"
    assert [c["text"] for c in api.shortcut("GET", f"{path}/comments").json] == ["two"]
    task = api.shortcut("POST", f"{path}/tasks", {"description": "do it"}).json
    assert api.shortcut("PUT", f"{path}/tasks/{task['id']}", {"complete": True}).json["completed_at"]
    assert api.shortcut("GET", f"{path}/tasks/{task['id']}").status == 200
    assert api.shortcut("DELETE", f"{path}/tasks/{task['id']}").status == 204
    assert api.shortcut("DELETE", f"{path}/comments/{comment['id']}").status == 204
    assert api.shortcut("GET", path).json["comments"] == []


def test_a_story_is_made_with_its_tasks(api: Api) -> None:
    tasks: list[dict[str, Any]] = [
        {"description": "x" * 2_048, "complete": False},
        {"description": "Works without a mouse"},
    ]
    (made,) = api.shortcut("POST", "/stories/bulk", {"stories": [story(tasks=tasks, estimate=4)]}).json
    assert (len(made["task_ids"]), made["num_tasks_completed"], made["estimate"]) == (2, 0, 4)
    found = api.shortcut("GET", f"/stories/{made['id']}").json["tasks"]
    assert [(task["description"], task["complete"]) for task in found] == [
        (task["description"], False) for task in tasks
    ]


@pytest.mark.parametrize("task", [{}, {"description": ""}, {"description": "x" * 2_049}, {"text": "x"}, "x"])
def test_a_wrong_task_is_refused(api: Api, task: Any) -> None:
    assert api.shortcut("POST", "/stories", story(tasks=[task])).status == 400
    api.app.violations.clear()


def test_the_member_knows_the_scale_that_the_workspace_estimates_in(api: Api) -> None:
    assert api.shortcut("GET", "/member").json["workspace2"]["estimate_scale"] == [0, 1, 2, 4, 8]


@pytest.mark.parametrize(
    "path", ["/workflows", "/workflows/500000000", "/member", "/members", "/labels", "/epics"]
)
def test_fixed_things(api: Api, path: str) -> None:
    assert api.shortcut("GET", path).status == 200


def test_labels_are_made_once(api: Api) -> None:
    assert api.shortcut("POST", "/labels", {"name": "bug", "color": "#00ff00"}).status == 201
    assert api.shortcut("POST", "/labels", {"name": "Bug"}).status == 422
    api.shortcut("POST", "/stories", FULL)
    assert [label["name"] for label in api.shortcut("GET", "/labels").json] == ["bug", "security"]


def test_duplicates_are_counted(api: Api) -> None:
    api.shortcut("POST", "/stories/bulk", {"stories": [FULL, FULL, story()]})
    state = api.read("state")
    assert (state["stories"], state["duplicates"]) == (3, 1)
    assert state["duplicate_external_ids"] == {FULL["external_id"]: 2}


@pytest.mark.parametrize("token", ["", "bad"])
def test_credentials(api: Api, token: str) -> None:
    reply = api.call("GET", "/api/v3/member", None, {}, {"shortcut-token": token})
    assert (reply.status, reply.json["message"]) == (401, "Unauthorized")

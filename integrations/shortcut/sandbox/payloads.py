"""JSON as Shortcut writes it: stories, slim and whole, and the few fixed things of a small workspace."""

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from json.encoder import encode_basestring
from typing import Any

MEMBER_ID = "5a6b0001-0000-4000-8000-000000000001"
SECOND_MEMBER_ID = "5a6b0001-0000-4000-8000-000000000002"
WORKSPACE = "switchyard-sandbox"
WORKFLOW_ID = 500000000
PROJECT_ID = 100
EPIC_ID = 90
_ENTRY = "2024-01-01T00:00:00Z"
STATES = {
    500000001: ("Unscheduled", "unstarted"),
    500000002: ("In Progress", "started"),
    500000003: ("Done", "done"),
}


def now_text() -> str:
    """The time to the millisecond, as Shortcut writes it; `search` compares these texts."""
    return moment_text(datetime.fromtimestamp(time.time(), UTC))


def moment_text(moment: datetime) -> str:
    """A time in UTC to the millisecond."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def moment_of(text: str) -> str:
    """The same for a time that a client wrote."""
    return moment_text(datetime.fromisoformat(text))


def app_url(kind: str, identifier: int | str) -> str:
    """Where people would see it."""
    return f"https://app.shortcut.com/{WORKSPACE}/{kind}/{identifier}"


@dataclass(slots=True)
class Label:
    """A label; `shown` is its JSON."""

    id: int
    name: str
    color: str | None = None
    description: str | None = None
    external_id: str | None = None
    created_at: str = _ENTRY

    def as_json(self) -> dict[str, Any]:
        """The slim shape, which stories carry."""
        return {
            "app_url": app_url("label", self.id),
            "archived": False,
            "color": self.color,
            "created_at": self.created_at,
            "description": self.description,
            "entity_type": "label",
            "external_id": self.external_id,
            "global_id": f"v2:l:{WORKSPACE}:{self.id}",
            "id": self.id,
            "name": self.name,
            "updated_at": self.created_at,
        }


@dataclass(slots=True)
class Story:
    """A story; `more` holds fields that few stories have, by their names in the interface."""

    id: int
    name: str
    created_at: str
    updated_at: str
    workflow_state_id: int
    description: str = ""
    story_type: str = "feature"
    external_id: str | None = None
    external_links: list[str] = field(default_factory=list)
    label_ids: list[int] = field(default_factory=list)
    owner_ids: list[str] = field(default_factory=list)
    follower_ids: list[str] = field(default_factory=list)
    estimate: int | None = None
    epic_id: int | None = None
    project_id: int | None = None
    iteration_id: int | None = None
    group_id: str | None = None
    requested_by_id: str = MEMBER_ID
    deadline: str | None = None
    archived: bool = False
    moved_at: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    comments: list[dict[str, Any]] = field(default_factory=list)
    tasks: list[dict[str, Any]] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def state_type(self) -> str:
        """Unstarted, started or done."""
        return STATES[self.workflow_state_id][1]


def _text(value: str | None) -> str:
    return "null" if value is None else encode_basestring(value)


def _texts(values: list[str]) -> str:
    return "[" + ",".join(encode_basestring(v) for v in values) + "]"


def _number(value: int | None) -> str:
    return "null" if value is None else str(value)


def _flag(value: bool) -> str:
    return "true" if value else "false"


# Every story has these, and here they never differ.
_FIXED = (
    '"entity_type":"story","story_links":[],"mention_ids":[],"member_mention_ids":[],"group_mention_ids":[],'
    '"custom_fields":[],"blocker":false,"blocked":false,"previous_iteration_ids":[],"sub_task_story_ids":[],'
    '"stats":{"num_related_documents":0},'
    f'"workflow_id":{WORKFLOW_ID},'
)


def story_json(story: Story, labels: dict[int, str], *, slim: bool, description: bool) -> str:
    """One story; `labels` has the JSON of every label, `slim` is the shape of lists."""
    kind = story.state_type
    override = story.more.get("completed_at_override"), story.more.get("started_at_override")
    text = f'"description":{_text(story.description)},' if description else ""
    return (
        f'{{{_FIXED}{text}"app_url":"{app_url("story", story.id)}","archived":{_flag(story.archived)},'
        f'"started":{_flag(kind != "unstarted")},"completed":{_flag(kind == "done")},'
        f'"labels":[{",".join(labels[i] for i in story.label_ids)}],"label_ids":{story.label_ids},'
        f'"story_type":"{story.story_type}","completed_at_override":{_text(override[0])},'
        f'"started_at_override":{_text(override[1])},"started_at":{_text(story.started_at)},'
        f'"completed_at":{_text(story.completed_at)},"name":{_text(story.name)},'
        f'"global_id":"v2:s:{WORKSPACE}:{story.id}","epic_id":{_number(story.epic_id)},'
        f'"story_template_id":{_text(story.more.get("story_template_id"))},'
        f'"external_links":{_texts(story.external_links)},"requested_by_id":"{story.requested_by_id}",'
        f'"iteration_id":{_number(story.iteration_id)},"group_id":{_text(story.group_id)},'
        f'"workflow_state_id":{story.workflow_state_id},"updated_at":{_text(story.updated_at)},'
        f'"follower_ids":{_texts(story.follower_ids)},"owner_ids":{_texts(story.owner_ids)},'
        f'"external_id":{_text(story.external_id)},"id":{story.id},'
        f'"parent_story_id":{_number(story.more.get("parent_story_id"))},"estimate":{_number(story.estimate)},'
        f'"position":{story.id * 65536},"project_id":{_number(story.project_id)},'
        f'"deadline":{_text(story.deadline)},"created_at":"{story.created_at}","moved_at":{_text(story.moved_at)},'
        f"{_slim_lists(story) if slim else _whole_lists(story)}}}"
    )


def _slim_lists(story: Story) -> str:
    tasks, comments = [t["id"] for t in story.tasks], [c["id"] for c in story.comments]
    done = sum(t["complete"] for t in story.tasks)
    return (
        f'"task_ids":{tasks},"num_tasks_completed":{done},"comment_ids":{comments},'
        f'"file_ids":{story.more.get("file_ids", [])},'
        f'"linked_file_ids":{story.more.get("linked_file_ids", [])}'
    )


def _whole_lists(story: Story) -> str:
    tasks, comments = json.dumps(story.tasks), json.dumps(story.comments)
    return (
        f'"tasks":{tasks},"comments":{comments},"files":[],"linked_files":[],"branches":[],"commits":[],'
        '"pull_requests":[]'
    )


def workflow_json(counts: dict[int, int]) -> dict[str, Any]:
    """The one workflow, with how many stories lie in each of its states."""
    states = [
        {
            "created_at": _ENTRY,
            "updated_at": _ENTRY,
            "description": "",
            "entity_type": "workflow-state",
            "global_id": f"v2:ws:{WORKSPACE}:{identifier}",
            "id": identifier,
            "name": name,
            "num_stories": counts.get(identifier, 0),
            "num_story_templates": 0,
            "position": at,
            "type": kind,
            "verb": None,
        }
        for at, (identifier, (name, kind)) in enumerate(STATES.items())
    ]
    return {
        "auto_assign_owner": False,
        "created_at": _ENTRY,
        "updated_at": _ENTRY,
        "default_state_id": next(iter(STATES)),
        "description": "",
        "entity_type": "workflow",
        "id": WORKFLOW_ID,
        "name": "Engineering",
        "project_ids": [PROJECT_ID],
        "states": states,
        "team_id": 1,
    }


def member_info() -> dict[str, Any]:
    """Whom the token belongs to."""
    return {
        "id": MEMBER_ID,
        "is_owner": False,
        "mention_name": "triage",
        "name": "Triage Bot",
        "role": "member",
        "organization2": {"id": "5a6b0002-0000-4000-8000-000000000001"},
        "workspace2": {
            "id": "5a6b0002-0000-4000-8000-000000000002",
            "created_at": _ENTRY,
            "default_workflow_id": WORKFLOW_ID,
            "estimate_scale": [0, 1, 2, 4, 8],
            "name": "Switchyard Sandbox",
            "url_slug": WORKSPACE,
            "utc_offset": "+00:00",
        },
    }


def members() -> list[dict[str, Any]]:
    """The people of the workspace."""
    return [_member(MEMBER_ID, "triage", "Triage Bot"), _member(SECOND_MEMBER_ID, "sam", "Sam Signal")]


def _member(identifier: str, mention_name: str, name: str) -> dict[str, Any]:
    profile = {
        "deactivated": False,
        "display_icon": None,
        "email_address": f"{mention_name}@example.com",
        "entity_type": "profile",
        "gravatar_hash": None,
        "id": identifier,
        "is_owner": False,
        "mention_name": mention_name,
        "name": name,
    }
    return {
        "created_at": _ENTRY,
        "created_without_invite": False,
        "disabled": False,
        "entity_type": "member",
        "global_id": f"v2:m:{WORKSPACE}:{identifier}",
        "group_ids": [],
        "id": identifier,
        "profile": profile,
        "role": "member",
        "state": "full",
        "updated_at": _ENTRY,
    }


def epic_json() -> dict[str, Any]:
    """The one epic."""
    nothing = (
        "completed_at_override productboard_plugin_id started_at completed_at productboard_url"
        " planned_start_date milestone_id started_at_override group_id"
        " productboard_id external_id productboard_name deadline"
    )
    lists = (
        "labels mention_ids member_mention_ids associated_groups project_ids objective_ids label_ids"
        " group_mention_ids follower_ids group_ids owner_ids"
    )
    counts = (
        "num_points_done num_related_documents num_stories_unstarted num_stories_total num_points_started"
        " num_points_unstarted num_stories_started num_stories_unestimated num_stories_backlog"
        " num_points_backlog num_points num_stories_done"
    )
    return {
        **dict.fromkeys(nothing.split()),
        **{name: [] for name in lists.split()},
        "stats": {**dict.fromkeys(counts.split(), 0), "last_story_update": None},
        "app_url": app_url("epic", EPIC_ID),
        "archived": False,
        "completed": False,
        "created_at": _ENTRY,
        "entity_type": "epic",
        "epic_state_id": 500000011,
        "global_id": f"v2:e:{WORKSPACE}:{EPIC_ID}",
        "id": EPIC_ID,
        "name": "Issues from GitHub",
        "position": 1,
        "requested_by_id": MEMBER_ID,
        "started": False,
        "state": "to do",
        "stories_without_projects": 0,
        "updated_at": _ENTRY,
    }

"""A stateful stand-in of Shortcut's interface v3: stories singly and in bulk, search, comments, labels."""

import json
import time
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from integrations.sandbox_faults import REFUSED, Answer, Request, Router, Window, json_answer
from integrations.shortcut.sandbox import validation as valid
from integrations.shortcut.sandbox.payloads import (
    EPIC_ID,
    MEMBER_ID,
    PROJECT_ID,
    STATES,
    WORKFLOW_ID,
    WORKSPACE,
    Label,
    Story,
    app_url,
    epic_json,
    member_info,
    members,
    moment_of,
    now_text,
    story_json,
    workflow_json,
)
from integrations.shortcut.sandbox.query import compile_body, compile_query

PER_MINUTE = 199
"""Requests that pass within a minute; the next one is refused."""
MAX_RESULTS = 1000
_MISMATCH = "The request included invalid or missing parameters."
_PLAIN = [
    "name",
    "description",
    "story_type",
    "external_id",
    "external_links",
    "owner_ids",
    "follower_ids",
    "estimate",
    "epic_id",
    "project_id",
    "iteration_id",
    "group_id",
    "requested_by_id",
    "archived",
]
_MORE = [
    "completed_at_override",
    "started_at_override",
    "story_template_id",
    "parent_story_id",
    "file_ids",
    "linked_file_ids",
]


class _Refused(Exception):
    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__()
        self.answer = json_answer(status, {"message": message, **more})


class ShortcutSandbox:
    """Routes and handlers; everything made here is numbered by one counter, as in a real workspace."""

    name = "shortcut"

    def __init__(self, *, enforce: bool, scale: float) -> None:
        self.stories: dict[int, Story] = {}
        self.router = Router()
        self.refused = 0
        self._enforce = enforce
        self._seconds = 60 / scale
        self._windows: dict[str, Window] = {}
        self._last_id = EPIC_ID + PROJECT_ID
        self._labels: dict[str, Label] = {}
        self._label_json: dict[int, str] = {}
        self._by_external_id: dict[str, list[int]] = {}
        self._by_creation: list[tuple[str, int]] = []
        self._add_routes()

    def _add_routes(self) -> None:
        add, stories = self._route, "/api/v3/stories"
        add("POST", stories, self._create)
        add("POST", f"{stories}/bulk", self._create_bulk)
        add("PUT", f"{stories}/bulk", self._update_bulk)
        add("DELETE", f"{stories}/bulk", self._delete_bulk)
        add("POST", f"{stories}/search", self._search)
        story = f"{stories}/{{story_id}}"
        add("GET", story, self._get)
        add("PUT", story, self._update)
        add("DELETE", story, self._delete)
        for kind in ("comments", "tasks"):
            add("POST", f"{story}/{kind}", self._add_part)
            add("GET", f"{story}/{kind}/{{part_id}}", self._get_part)
            add("PUT", f"{story}/{kind}/{{part_id}}", self._update_part)
            add("DELETE", f"{story}/{kind}/{{part_id}}", self._delete_part)
        add("GET", f"{story}/comments", self._comments)
        add("GET", "/api/v3/search/stories", self._query)
        add("GET", "/api/v3/external-link/stories", self._linked)
        add("GET", "/api/v3/workflows", lambda r: json_answer(200, [self._workflow()]))
        add("GET", "/api/v3/workflows/{workflow_id}", self._get_workflow)
        add("GET", "/api/v3/member", lambda r: json_answer(200, member_info()))
        add("GET", "/api/v3/members", lambda r: json_answer(200, members()))
        add("GET", "/api/v3/epics", lambda r: json_answer(200, [epic_json()]))
        add("GET", "/api/v3/labels", self._list_labels)
        add("POST", "/api/v3/labels", self._create_label)

    def _route(self, method: str, template: str, handler: Callable[[Request], Answer]) -> None:
        def guarded(request: Request) -> Answer:
            try:
                return handler(request)
            except _Refused as refused:
                return refused.answer

        self.router.add(method, template, guarded)

    # What the application calls.

    def begin(self, request: Request, template: str) -> Answer | None:
        """Check the token and the rate."""
        token = request.headers.get("shortcut-token", "")
        if not token or token == REFUSED:
            return json_answer(401, {"message": "Unauthorized", "tag": "unauthorized"})
        if not self._enforce:
            return None
        window = self._windows.setdefault(token, Window(PER_MINUTE, self._seconds))
        now = time.monotonic()
        if window.wait(now) > 0:
            self.refused += 1
            return self.error(429)
        window.take(now)
        return None

    def finish(self, request: Request, answer: Answer) -> Answer:
        """Nothing to add."""
        return answer

    def not_found(self, request: Request) -> Answer:
        """404 for a path that does not exist."""
        return self.error(404)

    def error(self, status: int) -> Answer:
        """An error in Shortcut's shape; it documents no header for its rate limit."""
        messages = {404: "Resource not found.", 429: "Rate limit exceeded.", 401: "Unauthorized"}
        return json_answer(status, {"message": messages.get(status, "Internal server error")})

    def story_texts(self) -> Iterator[str]:
        """All stories with their descriptions, one JSON text each."""
        return (self._json(story, description=True) for story in self.stories.values())

    def duplicates(self) -> dict[str, int]:
        """External ids that more than one story has."""
        return {key: len(ids) for key, ids in self._by_external_id.items() if len(ids) > 1}

    # Checking.

    def _body(self, request: Request, check: valid.Check) -> Any:
        try:
            data = request.json()
        except ValueError:
            raise _Refused(400, "The request body is not valid JSON.") from None
        wrong = check(data)
        if wrong:
            raise _Refused(400, _MISMATCH, errors={"body": wrong})
        return data

    def _story(self, request: Request) -> Story:
        text = request.params["story_id"]
        if not text.isdecimal():
            raise _Refused(400, _MISMATCH, errors={"story-public-id": "must be an integer"})
        story = self.stories.get(int(text))
        if story is None:
            raise _Refused(404, "Resource not found.")
        return story

    def _check_places(self, data: Mapping[str, Any], *, creating: bool) -> None:
        """What the schema cannot say: one of two fields, and numbers that must be of something."""
        state, project = data.get("workflow_state_id"), data.get("project_id")
        if creating and (state is None) == (project is None):
            message = "Exactly one of workflow_state_id and project_id must be given."
            raise _Refused(400, message, errors={"workflow_state_id": "missing-required-key"})
        if state is not None and state not in STATES:
            raise _Refused(422, f"The workflow state {state} does not exist.")
        if project is not None and project != PROJECT_ID:
            raise _Refused(422, f"The project {project} does not exist.")
        if data.get("epic_id") not in (None, EPIC_ID):
            raise _Refused(422, f"The epic {data['epic_id']} does not exist.")

    # Stories.

    def _new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _label_ids(self, labels: Iterable[Mapping[str, Any]]) -> list[int]:
        """The labels of those names, each once, made where they are missing."""
        return list(dict.fromkeys(self._label(data).id for data in labels))

    def _label(self, data: Mapping[str, Any]) -> Label:
        key = data["name"].lower()
        label = self._labels.get(key)
        if label is None:
            label = Label(self._new_id(), created_at=now_text(), **data)
            self._labels[key] = label
            self._label_json[label.id] = json.dumps(label.as_json())
        return label

    def _make(self, data: Mapping[str, Any]) -> Story:
        now = now_text()
        created = moment_of(data["created_at"]) if "created_at" in data else now
        updated = moment_of(data["updated_at"]) if "updated_at" in data else created
        state = data.get("workflow_state_id") or next(iter(STATES))
        story = Story(self._new_id(), data["name"], created, updated, state)
        self._assign(story, data)
        self._enter_state(story, now)
        story.comments = [self._comment(story, c, at) for at, c in enumerate(data.get("comments", ()))]
        story.tasks = [self._task(story, t, at) for at, t in enumerate(data.get("tasks", ()))]
        self.stories[story.id] = story
        insort(self._by_creation, (story.created_at, story.id))
        if story.external_id is not None:
            self._by_external_id.setdefault(story.external_id, []).append(story.id)
        return story

    def _assign(self, story: Story, data: Mapping[str, Any]) -> None:
        for name in _PLAIN:
            if name in data:
                setattr(story, name, data[name])
        for name in _MORE:
            if name in data:
                story.more[name] = data[name]
        if "labels" in data:
            story.label_ids = self._label_ids(data["labels"])
        if "deadline" in data:
            story.deadline = data["deadline"] and moment_of(data["deadline"])

    def _enter_state(self, story: Story, now: str) -> None:
        kind = story.state_type
        story.started_at = None if kind == "unstarted" else story.started_at or now
        story.completed_at = (story.completed_at or now) if kind == "done" else None

    def _change(self, story: Story, data: Mapping[str, Any]) -> None:
        now = now_text()
        self._assign(story, data)
        state = data.get("workflow_state_id", story.workflow_state_id)
        if state != story.workflow_state_id:
            story.workflow_state_id = state
            story.moved_at = now
            self._enter_state(story, now)
        story.updated_at = now

    def _remove(self, story: Story) -> None:
        del self.stories[story.id]
        at = bisect_left(self._by_creation, (story.created_at, story.id))
        del self._by_creation[at]
        if story.external_id is not None:
            self._by_external_id[story.external_id].remove(story.id)

    def _json(self, story: Story, *, slim: bool = True, description: bool = False) -> str:
        return story_json(story, self._label_json, slim=slim, description=description)

    def _list_answer(self, status: int, stories: Iterable[Story], *, description: bool = False) -> Answer:
        text = ",".join(self._json(story, description=description) for story in stories)
        return Answer(status, f"[{text}]".encode("utf-8", "replace"))

    def _whole_answer(self, status: int, story: Story) -> Answer:
        text = self._json(story, slim=False, description=True)
        return Answer(status, text.encode("utf-8", "replace"))

    def _create(self, request: Request) -> Answer:
        data = self._body(request, valid.CREATE_STORY)
        self._check_places(data, creating=True)
        return self._whole_answer(201, self._make(data))

    def _create_bulk(self, request: Request) -> Answer:
        # All are checked before the first is made: a refused bulk leaves nothing behind.
        wanted = self._body(request, valid.CREATE_STORIES)["stories"]
        for data in wanted:
            self._check_places(data, creating=True)
        return self._list_answer(201, [self._make(data) for data in wanted], description=True)

    def _many(self, data: Mapping[str, Any]) -> list[Story]:
        missing = [i for i in data["story_ids"] if i not in self.stories]
        if missing:
            raise _Refused(404, f"Stories not found: {missing}")
        return [self.stories[i] for i in data["story_ids"]]

    def _update_bulk(self, request: Request) -> Answer:
        data = self._body(request, valid.UPDATE_STORIES)
        self._check_places(data, creating=False)
        stories = self._many(data)
        more, less = (
            self._label_ids(data.get("labels_add", ())),
            self._label_ids(data.get("labels_remove", ())),
        )
        for story in stories:
            self._change(story, data)
            kept = [i for i in story.label_ids if i not in less]
            story.label_ids = list(dict.fromkeys([*kept, *more]))
            for name in ("owner_ids", "follower_ids"):
                removed = data.get(f"{name}_remove", ())
                kept_people = [i for i in getattr(story, name) if i not in removed]
                setattr(story, name, list(dict.fromkeys([*kept_people, *data.get(f"{name}_add", ())])))
        return self._list_answer(200, stories, description=True)

    def _delete_bulk(self, request: Request) -> Answer:
        for story in self._many(self._body(request, valid.DELETE_STORIES)):
            self._remove(story)
        return Answer(204, b"", ())

    def _get(self, request: Request) -> Answer:
        return self._whole_answer(200, self._story(request))

    def _update(self, request: Request) -> Answer:
        story = self._story(request)
        data = self._body(request, valid.UPDATE_STORY)
        self._check_places(data, creating=False)
        self._change(story, data)
        return self._whole_answer(200, story)

    def _delete(self, request: Request) -> Answer:
        self._remove(self._story(request))
        return Answer(204, b"", ())

    # Searching.

    def _search(self, request: Request) -> Answer:
        data = self._body(request, valid.SEARCH_STORIES)
        fits = compile_body(data, self._labels)
        found = [story for story in self._candidates(data) if fits(story)]
        return self._list_answer(201, found, description=data.get("includes_description", False))

    def _candidates(self, data: Mapping[str, Any]) -> Iterator[Story]:
        """The shortest list that is surely long enough; indexes spare reading every story."""
        if "external_id" in data:
            ids = self._by_external_id.get(data["external_id"], [])
            return (self.stories[i] for i in ids)
        if "created_at_start" in data:
            start = bisect_left(self._by_creation, (moment_of(data["created_at_start"]), 0))
            return (self.stories[i] for _, i in self._by_creation[start:])
        return iter(self.stories.values())

    def _query(self, request: Request) -> Answer:
        query = request.query
        if not query.get("query"):
            raise _Refused(400, _MISMATCH, errors={"query": "missing-required-key"})
        size, start = query.get("page_size", "25"), query.get("next", "0")
        if not size.isdecimal() or not 1 <= int(size) <= 250:
            raise _Refused(400, _MISMATCH, errors={"page_size": "must lie between 1 and 250"})
        if not start.isdecimal() or query.get("detail", "full") not in ("full", "slim"):
            raise _Refused(400, _MISMATCH, errors={"query": "unknown page or detail"})
        at, end = int(start), int(start) + int(size)
        if end > MAX_RESULTS + int(size) - 1:
            more = {"error": "maximum-results-exceeded", "maximum-results": MAX_RESULTS}
            raise _Refused(400, f"No more than {MAX_RESULTS} results can be read.", **more)
        fits = compile_query(query["query"], self._labels)
        found = [story for story in self.stories.values() if fits(story)]
        following = None
        if end < min(len(found), MAX_RESULTS):
            following = "/api/v3/search/stories?" + urlencode({**query, "next": end})
        full = query.get("detail", "full") == "full"
        texts = [self._json(story, description=full) for story in found[at : min(end, MAX_RESULTS)]]
        body = f'{{"total":{len(found)},"next":{json.dumps(following)},"data":[{",".join(texts)}]}}'
        return Answer(200, body.encode("utf-8", "replace"))

    def _linked(self, request: Request) -> Answer:
        link = request.query.get("external_link", "")
        if not link.startswith(("http://", "https://")) or len(link) > 2048:
            raise _Refused(400, _MISMATCH, errors={"external_link": "must be an address"})
        return self._list_answer(200, [s for s in self.stories.values() if link in s.external_links])

    # Comments and tasks.

    def _comment(self, story: Story, data: Mapping[str, Any], at: int) -> dict[str, Any]:
        identifier, now = self._new_id(), now_text()
        return {
            "app_url": f"{app_url('story', story.id)}#activity-{identifier}",
            "entity_type": "story-comment",
            "deleted": False,
            "story_id": story.id,
            "mention_ids": [],
            "member_mention_ids": [],
            "group_mention_ids": [],
            "author_id": data.get("author_id", MEMBER_ID),
            "blocker": False,
            "linked_to_slack": False,
            "created_at": data.get("created_at", now),
            "updated_at": data.get("updated_at", now),
            "external_id": data.get("external_id"),
            "parent_id": data.get("parent_id"),
            "id": identifier,
            "position": at + 1,
            "reactions": [],
            "text": data["text"],
        }

    def _task(self, story: Story, data: Mapping[str, Any], at: int) -> dict[str, Any]:
        identifier, now = self._new_id(), now_text()
        complete = data.get("complete", False)
        return {
            "description": data["description"],
            "entity_type": "story-task",
            "story_id": story.id,
            "mention_ids": [],
            "member_mention_ids": [],
            "group_mention_ids": [],
            "completed_at": now if complete else None,
            "complete": complete,
            "global_id": f"v2:st:{WORKSPACE}:{identifier}",
            "created_at": data.get("created_at", now),
            "updated_at": data.get("updated_at", now),
            "owner_ids": data.get("owner_ids", []),
            "external_id": data.get("external_id"),
            "id": identifier,
            "position": at + 1,
        }

    def _part(self, request: Request) -> tuple[Story, list[dict[str, Any]], dict[str, Any], bool]:
        """The story, its comments or tasks, the one asked for, and whether it is a comment."""
        story = self._story(request)
        comment = "/comments/" in request.path
        parts = story.comments if comment else story.tasks
        for part in parts:
            if str(part["id"]) == request.params["part_id"]:
                return story, parts, part, comment
        raise _Refused(404, "Resource not found.")

    def _add_part(self, request: Request) -> Answer:
        story = self._story(request)
        if request.path.endswith("/comments"):
            data = self._body(request, valid.COMMENT)
            part = self._comment(story, data, len(story.comments))
            story.comments.append(part)
        else:
            data = self._body(request, valid.TASK)
            part = self._task(story, data, len(story.tasks))
            story.tasks.append(part)
        story.updated_at = now_text()
        return json_answer(201, part)

    def _get_part(self, request: Request) -> Answer:
        return json_answer(200, self._part(request)[2])

    def _update_part(self, request: Request) -> Answer:
        _, _, part, comment = self._part(request)
        data = self._body(request, valid.UPDATE_COMMENT if comment else valid.UPDATE_TASK)
        part.update({k: v for k, v in data.items() if k in part}, updated_at=now_text())
        if not comment:
            part["completed_at"] = now_text() if part["complete"] else None
        return json_answer(200, part)

    def _delete_part(self, request: Request) -> Answer:
        _, parts, part, _ = self._part(request)
        parts.remove(part)
        return Answer(204, b"", ())

    def _comments(self, request: Request) -> Answer:
        return json_answer(200, self._story(request).comments)

    # Fixed things.

    def _workflow(self) -> dict[str, Any]:
        return workflow_json(Counter(story.workflow_state_id for story in self.stories.values()))

    def _get_workflow(self, request: Request) -> Answer:
        if request.params["workflow_id"] != str(WORKFLOW_ID):
            raise _Refused(404, "Resource not found.")
        return json_answer(200, self._workflow())

    def _list_labels(self, request: Request) -> Answer:
        return json_answer(200, [label.as_json() for label in self._labels.values()])

    def _create_label(self, request: Request) -> Answer:
        data = self._body(request, valid.LABEL)
        if data["name"].lower() in self._labels:
            raise _Refused(422, "A label of that name exists already.")
        return json_answer(201, self._label(data).as_json())

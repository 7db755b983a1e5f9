"""Random requests: where the specification allows one the sandbox takes it, where it does not it refuses."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.api import REPO, Api
from tests.contracts.spec import Operation, spec

_BOUNDED = settings(
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
_UUID = st.sampled_from(["5a6b0001-0000-4000-8000-000000000001", "nobody"])
_MOMENT = st.sampled_from(["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.678+02:00", "soon"])
_WORD = st.text(max_size=6)
_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "name": st.text(max_size=6) | st.just("x" * 512) | st.just("x" * 513),
    "description": _WORD,
    "story_type": st.sampled_from(["bug", "feature", "chore", "epic"]),
    "labels": st.lists(
        st.fixed_dictionaries({"name": _WORD}, optional={"color": st.just("#00ff00")}), max_size=2
    ),
    "estimate": st.none() | st.integers(0, 8) | st.booleans(),
    "external_id": _WORD,
    "external_links": st.lists(st.just("https://example.com/1"), max_size=2),
    "owner_ids": st.lists(_UUID, max_size=2),
    "deadline": st.none() | _MOMENT,
    "created_at": _MOMENT,
    "archived": st.booleans(),
    "tasks": st.lists(st.fixed_dictionaries({"description": _WORD}), max_size=2),
    "comments": st.lists(st.fixed_dictionaries({"text": _WORD}), max_size=2),
    "surprise": st.none(),
}
_STORY = st.fixed_dictionaries({"workflow_state_id": st.just(500000001)}, optional=_FIELDS)
_KEYS: tuple[str, ...] = (
    "labels",
    "assignees",
    "body",
    "title",
    "state",
    "content",
    "name",
    "color",
    "description",
)
_KEYS += ("stories", "story_ids", "blocks", "channel", "text", "view", "metadata")
_KEYS += ("service", "fault", "match", "issue", "repo", "reset")
_SHARED: dict[str, Api] = {}


def shared() -> Api:
    """One sandbox for all examples; what they leave behind belongs to the trial."""
    return _SHARED.setdefault("api", Api())


def operation(method: str, path: str) -> Operation:
    """An operation that must be there."""
    found = spec().find(method, path)
    assert found is not None
    return found


@_BOUNDED
@given(body=_STORY)
def test_stories_are_taken_just_where_the_document_allows(body: dict[str, Any]) -> None:
    create = operation("POST", "/api/v3/stories")
    schema = create.body_schema()
    assert schema is not None
    allowed = not create.schemas.problems("fuzz", schema, body)
    reply = shared().shortcut("POST", "/stories", body)
    assert (reply.status == 201) is allowed, (reply.status, body)
    shared().app.violations = [v for v in shared().app.violations if ": request:" not in v]
    shared().clean()


@_BOUNDED
@given(
    target=st.sampled_from(
        [
            ("POST", f"/repos/{REPO}/issues/1/labels"),
            ("PUT", f"/repos/{REPO}/issues/1/labels"),
            ("PATCH", f"/repos/{REPO}/issues/1"),
            ("POST", f"/repos/{REPO}/issues/1/comments"),
            ("POST", f"/repos/{REPO}/issues/1/assignees"),
            ("POST", f"/repos/{REPO}/issues/1/reactions"),
            ("POST", f"/repos/{REPO}/labels"),
            ("POST", f"/repos/{REPO}/issues"),
            ("POST", "/api/v3/stories/bulk"),
            ("PUT", "/api/v3/stories/bulk"),
            ("POST", "/api/v3/stories/search"),
            ("POST", "/api/chat.postMessage"),
            ("POST", "/api/views.open"),
            ("POST", "/_control"),
        ]
    ),
    keys=st.lists(
        st.sampled_from(_KEYS),
        max_size=4,
    ),
    values=st.lists(_JSON, min_size=4, max_size=4),
)
def test_nonsense_is_answered_and_never_breaks_the_sandbox(
    target: tuple[str, str], keys: list[str], values: list[Any]
) -> None:
    body = dict(zip(keys, values, strict=False))
    headers = {"authorization": "Bearer x", "shortcut-token": "x"}
    reply = shared().call(target[0], target[1], json.dumps(body).encode(), {}, headers)
    assert reply.status < 500
    shared().app.violations = [v for v in shared().app.violations if ": response" in v]
    shared().clean()


@pytest.mark.parametrize(
    "path", ["/", "/nowhere", "/repos", f"/repos/{REPO}/issues/x", "/api/v3/x", "/api/", "/hooks"]
)
def test_odd_paths_are_not_found(path: str) -> None:
    headers = {"authorization": "Bearer x", "shortcut-token": "x"}
    reply = shared().call("GET", path, None, {}, headers)
    assert reply.status == 404 or reply.json["ok"] is False
    shared().app.violations.clear()

"""The GitHub stand-in against GitHub's own document, and its memory."""

import re
from typing import Any

import pytest

from tests.contracts.api import REPO, Api

_ISSUES = f"/repos/{REPO}/issues"

READS: list[tuple[str, dict[str, Any], int]] = [
    (f"/repos/{REPO}", {}, 200),
    ("/repos/octo/absent", {}, 404),
    (_ISSUES, {}, 200),
    (_ISSUES, {"state": "all", "sort": "updated", "direction": "asc", "per_page": 2, "page": 2}, 200),
    (_ISSUES, {"state": "closed", "sort": "comments"}, 200),
    (_ISSUES, {"since": "2025-01-01T00:01:30Z"}, 200),
    (_ISSUES, {"labels": "bug,absent"}, 200),
    (_ISSUES, {"page": 99}, 200),
    ("/repos/octo/absent/issues", {}, 404),
    (f"{_ISSUES}/1", {}, 200),
    (f"{_ISSUES}/2", {}, 200),
    (f"{_ISSUES}/3", {}, 200),
    (f"{_ISSUES}/999", {}, 404),
    (f"{_ISSUES}/1/labels", {}, 200),
    (f"{_ISSUES}/1/comments", {}, 200),
    (f"{_ISSUES}/comments", {"sort": "updated", "direction": "desc"}, 200),
    (f"{_ISSUES}/comments/1", {}, 404),
    (f"{_ISSUES}/events", {}, 200),
    (f"{_ISSUES}/events", {"per_page": 1, "page": 99}, 200),
    ("/repos/octo/absent/issues/events", {}, 404),
    (f"{_ISSUES}/1/events", {}, 200),
    (f"{_ISSUES}/2/events", {}, 200),
    (f"{_ISSUES}/999/events", {}, 404),
    (f"/repos/{REPO}/labels", {"per_page": 3}, 200),
    (f"/repos/{REPO}/labels/bug", {}, 200),
    (f"/repos/{REPO}/labels/absent", {}, 404),
    (f"/repos/{REPO}/contents/README.md", {}, 200),
    (f"/repos/{REPO}/contents/absent", {}, 404),
    ("/search/issues", {"q": f"repo:{REPO} is:issue crash"}, 200),
    ("/search/issues", {"q": "repo:octo/absent crash"}, 422),
    ("/rate_limit", {}, 200),
    ("/user", {}, 200),
    ("/app", {}, 200),
    ("/app/installations", {}, 200),
    ("/app/installations/1", {}, 404),
    (f"/repos/{REPO}/installation", {}, 200),
    ("/installation/repositories", {}, 403),
    ("/app/hook/deliveries", {}, 200),
    ("/app/hook/deliveries", {"cursor": "v2_x"}, 400),
    ("/app/hook/deliveries/1", {}, 404),
]

WRITES: list[tuple[str, str, Any, int]] = [
    ("POST", f"{_ISSUES}/1/labels", {"labels": ["bug", "area/core"]}, 200),
    ("PUT", f"{_ISSUES}/1/labels", {"labels": ["question"]}, 200),
    ("PUT", f"{_ISSUES}/1/labels", ["a plain list"], 200),
    ("DELETE", f"{_ISSUES}/1/labels", None, 204),
    ("DELETE", f"{_ISSUES}/1/labels/bug", None, 200),
    ("DELETE", f"{_ISSUES}/1/labels/absent", None, 404),
    ("POST", f"{_ISSUES}/1/labels", {"labels": ["x" * 51]}, 422),
    ("POST", f"{_ISSUES}/1/comments", {"body": "Thanks!"}, 201),
    ("POST", f"{_ISSUES}/1/comments", {"body": "x" * 65_537}, 422),
    ("POST", f"{_ISSUES}/999/comments", {"body": "x"}, 404),
    ("PATCH", f"{_ISSUES}/1", {"labels": ["bug"], "state": "closed", "state_reason": "not_planned"}, 200),
    ("PATCH", f"{_ISSUES}/4", {"state": "open", "title": "New title", "body": None}, 200),
    ("POST", f"{_ISSUES}/1/reactions", {"content": "eyes"}, 201),
    ("POST", f"{_ISSUES}/1/assignees", {"assignees": ["carol"]}, 201),
    ("DELETE", f"{_ISSUES}/4/assignees", {"assignees": ["bob"]}, 200),
    ("POST", f"/repos/{REPO}/labels", {"name": "triage", "color": "ff0000", "description": "By a bot"}, 201),
    ("POST", f"/repos/{REPO}/labels", {"name": "BUG"}, 422),
    ("PATCH", f"/repos/{REPO}/labels/bug", {"new_name": "defect", "color": "00ff00"}, 200),
    ("POST", _ISSUES, {"title": "Another", "body": "Text", "labels": ["bug"]}, 201),
]


@pytest.mark.parametrize(("path", "query", "status"), READS)
def test_reads(api: Api, path: str, query: dict[str, Any], status: int) -> None:
    assert api.github("GET", path, **query).status == status


@pytest.mark.parametrize(("method", "path", "body", "status"), WRITES)
def test_writes(api: Api, method: str, path: str, body: Any, status: int) -> None:
    assert api.github(method, path, body).status == status
    for number in (1, 4):
        assert api.github("GET", f"{_ISSUES}/{number}").status == 200
        assert api.github("GET", f"{_ISSUES}/{number}/events").status == 200
    assert api.github("GET", f"{_ISSUES}/events").status == 200


def test_list_has_open_issues_and_pull_requests_newest_first(api: Api) -> None:
    found = api.github("GET", _ISSUES).json
    assert [issue["number"] for issue in found] == [3, 2, 1]
    assert ["pull_request" in issue for issue in found] == [True, False, False]
    assert found[1]["user"] is None


def test_pages_are_linked_and_lead_through_everything(api: Api) -> None:
    first = api.github("GET", _ISSUES, state="all", per_page=3)
    assert 'rel="next"' in first.headers["link"] and 'rel="last"' in first.headers["link"]
    second = api.github("GET", _ISSUES, state="all", per_page=3, page=2)
    assert 'rel="prev"' in second.headers["link"] and 'rel="next"' not in second.headers["link"]
    assert [i["number"] for i in first.json + second.json] == [4, 3, 2, 1]


def test_since_sees_what_was_touched(api: Api) -> None:
    query = {"since": "2026-01-01T00:00:00Z", "sort": "updated", "direction": "asc"}
    assert api.github("GET", _ISSUES, **query).json == []
    api.github("POST", f"{_ISSUES}/1/labels", {"labels": ["triaged"]})
    assert [i["number"] for i in api.github("GET", _ISSUES, **query).json] == [1]
    assert api.github("GET", _ISSUES, since=query["since"]).json[0]["number"] == 1


def test_etag_is_answered_304_until_something_changes(api: Api) -> None:
    headers = {"authorization": "token t"}
    tag = api.call("GET", _ISSUES, None, {}, headers).headers["etag"]
    again = api.call("GET", _ISSUES, None, {}, {**headers, "if-none-match": tag})
    assert (again.status, again.body) == (304, b"")
    api.github("POST", f"{_ISSUES}/1/comments", {"body": "x"})
    assert api.call("GET", _ISSUES, None, {}, {**headers, "if-none-match": tag}).status == 200


def test_labels_ignore_case_and_appear_in_the_repository(api: Api) -> None:
    api.github("POST", f"{_ISSUES}/1/labels", {"labels": ["BUG", "Brand new"]})
    assert [x["name"] for x in api.github("GET", f"{_ISSUES}/1").json["labels"]] == ["bug", "Brand new"]
    assert api.github("GET", f"/repos/{REPO}/labels/brand%20NEW").json["name"] == "Brand new"
    assert api.read("labels") == [
        {"repo": REPO, "number": 1, "labels": ["bug", "Brand new"], "added": ["brand new"]}
    ]


def test_comment_is_edited_in_place_and_deleted(api: Api) -> None:
    comment = api.github("POST", f"{_ISSUES}/1/comments", {"body": "one <!-- m -->"}).json
    path = f"{_ISSUES}/comments/{comment['id']}"
    assert api.github("PATCH", path, {"body": "two"}).json["body"] == "two"
    assert [c["body"] for c in api.read("comments")] == ["two"]
    assert api.github("DELETE", path).status == 204
    assert api.github("GET", f"{_ISSUES}/1").json["comments"] == 0


def test_a_reaction_to_a_comment_is_given_once(api: Api) -> None:
    made = api.github("POST", f"{_ISSUES}/1/comments", {"body": "/triage why"}).json
    path = f"{_ISSUES}/comments/{made['id']}"
    assert [api.github("POST", f"{path}/reactions", {"content": "+1"}).status for _ in range(2)] == [201, 200]
    assert api.github("POST", f"{path}/reactions", {"content": "applause"}).status == 422
    assert api.github("GET", path).json["reactions"]["+1"] == 1
    assert api.github("POST", f"{_ISSUES}/comments/999/reactions", {"content": "+1"}).status == 404


def test_repeated_marker_is_told(api: Api) -> None:
    for _ in range(2):
        api.github("POST", f"{_ISSUES}/1/comments", {"body": "hello <!-- switchyard:1 -->"})
    state = api.read("state")
    assert state["issues_with_repeated_comments"] == [f"{REPO}#1"] and state["duplicate_comments"] == 1


@pytest.mark.parametrize(("access", "status"), [("gone", 404), ("forbidden", 403), ("disabled", 410)])
def test_lost_access(api: Api, access: str, status: int) -> None:
    api.control(repo=REPO, access=access)
    assert api.github("POST", f"{_ISSUES}/1/labels", {"labels": ["x"]}).status == status
    assert api.github("GET", f"{_ISSUES}/events").status == status
    assert api.github("GET", f"{_ISSUES}/1/events").status == status


def test_without_push_labels_are_dropped_silently(api: Api) -> None:
    api.control(repo=REPO, access="read")
    assert api.github("GET", f"/repos/{REPO}").json["permissions"]["push"] is False
    reply = api.github("POST", f"{_ISSUES}/2/labels", {"labels": ["bug"]})
    assert (reply.status, reply.json) == (200, [])
    assert api.github("GET", f"{_ISSUES}/2/events").json == []
    assert api.github("POST", f"{_ISSUES}/2/comments", {"body": "still allowed"}).status == 201


def test_transferred_issue_redirects_and_is_out_of_lists(api: Api) -> None:
    before = len(api.github("GET", _ISSUES, state="all").json)
    api.control(issue={"repo": REPO, "number": 2, "moved_to": "octo/gadgets#1"})
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"state": "closed"}),
        ("POST", "/labels", {"labels": ["bug"]}),
        ("DELETE", "/labels/bug", None),
    ):
        moved = api.github(method, f"{_ISSUES}/2{path}", body)
        assert moved.status == 301 and moved.json["message"] == "Moved Permanently"
        assert moved.headers["location"].endswith(f"/repos/octo/gadgets/issues/1{path}")
    assert api.github("POST", f"{_ISSUES}/2/comments", {"body": "x"}).status == 404
    assert len(api.github("GET", _ISSUES, state="all").json) == before - 1


def test_deleted_issue_is_410_and_out_of_lists(api: Api) -> None:
    api.control(issue={"repo": REPO, "number": 2, "deleted": True})
    assert api.github("GET", f"{_ISSUES}/2").status == 410
    assert api.github("GET", f"{_ISSUES}/2/events").status == 410
    assert [i["number"] for i in api.github("GET", _ISSUES, state="all").json] == [4, 3, 1]


@pytest.mark.parametrize(
    ("header", "message"), [("", "Requires authentication"), ("token bad", "Bad credentials")]
)
def test_credentials(api: Api, header: str, message: str) -> None:
    reply = api.call("GET", _ISSUES, None, {}, {"authorization": header})
    assert (reply.status, reply.json["message"]) == (401, message)


def test_search_ranks_titles_first(api: Api) -> None:
    found = api.github("GET", "/search/issues", q=f"repo:{REPO} repo:octo/gadgets is:issue crash").json
    assert [(i["repository_url"][-12:], i["number"]) for i in found["items"]] == [
        ("octo/widgets", 1),
        ("octo/gadgets", 1),
    ]


def test_malformed_requests_are_refused(api: Api) -> None:
    assert api.github("POST", f"{_ISSUES}/1/comments", b"{").status == 400
    assert api.github("POST", f"{_ISSUES}/1/comments", {}).status == 422
    assert api.github("GET", _ISSUES, state="nonsense").status == 422
    api.app.violations.clear()


def test_app_tokens_work_until_they_run_out(api: Api) -> None:
    (installation,) = api.github("GET", "/app/installations").json
    path = f"/app/installations/{installation['id']}"
    assert api.github("GET", path).json == installation
    token = api.github("POST", f"{path}/access_tokens").json["token"]
    headers = {"authorization": f"Bearer {token}"}
    found = api.call("GET", "/installation/repositories", None, {}, headers).json
    assert [repo["full_name"] for repo in found["repositories"]] == [REPO, "octo/gadgets"]
    assert api.call("GET", "/user", None, {}, headers).status == 403
    api.control(token_seconds=-1)
    late = {"authorization": "Bearer " + api.github("POST", f"{path}/access_tokens").json["token"]}
    assert api.call("GET", _ISSUES, None, {}, late).status == 401
    assert api.call("GET", _ISSUES, None, {}, headers).status == 200


def test_an_installation_is_suspended_taken_off_and_put_on_again(api: Api) -> None:
    def token() -> int:
        found = api.github("GET", "/app/installations").json
        path = f"/app/installations/{found[0]['id'] if found else 1}/access_tokens"
        reply = api.github("POST", path)
        if reply.status == 201:
            headers["authorization"] = f"Bearer {reply.json['token']}"
        return reply.status

    headers: dict[str, str] = {}
    assert token() == 201
    api.control(installation={"owner": "octo", "suspended": True})
    assert api.call("GET", _ISSUES, None, {}, headers).status == 403
    assert api.github("GET", "/app/installations").json[0]["suspended_at"] and token() == 403
    api.control(installation={"owner": "octo", "suspended": False})
    assert api.call("GET", _ISSUES, None, {}, headers).status == 200
    before = api.github("GET", "/app/installations").json[0]["id"]
    api.control(installation={"owner": "octo", "installed": False})
    assert api.call("GET", _ISSUES, None, {}, headers).status == 401 and token() == 404
    api.control(installation={"owner": "octo", "installed": True, "repositories": [REPO]})
    assert token() == 201 and api.github("GET", "/app/installations").json[0]["id"] != before
    found = api.call("GET", "/installation/repositories", None, {}, headers).json
    assert [repo["full_name"] for repo in found["repositories"]] == [REPO]
    elsewhere = "/repos/octo/gadgets/issues/1/labels"
    assert api.call("POST", elsewhere, {"labels": ["x"]}, {}, headers).status == 403
    api.control(installation={"owner": "octo", "revoke": True})
    assert api.call("GET", _ISSUES, None, {}, headers).status == 401
    assert api.control(installation={"owner": "octo", "suspend": True}).status == 400


def test_deliveries_are_listed_newest_first_and_told_whole(api: Api) -> None:
    for number in range(5):
        payload = {"action": "opened", "installation": {"id": 7}, "repository": {"id": 9}, "n": number}
        api.control(hook_delivery={"event": "issues", "guid": f"g{number}", "payload": payload})
    assert api.control(hook_delivery={"event": "issues", "guid": "g"}).status == 400
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"per_page": 2}
    while query:
        reply = api.github("GET", "/app/hook/deliveries", **query)
        found += reply.json
        link = re.search(r"cursor=([^&>]+)>; rel=\"next\"", reply.headers.get("link", ""))
        query = {"per_page": 2, "cursor": link[1]} if link else {}
    assert [item["guid"] for item in found] == ["g4", "g3", "g2", "g1", "g0"]
    whole = api.github("GET", f"/app/hook/deliveries/{found[0]['id']}").json
    assert whole["request"]["payload"]["n"] == 4
    assert whole["request"]["headers"]["X-GitHub-Delivery"] == "g4"


_MADE = ("labeled", "bug", "octo-maintainer")
_API = "switchyard-sandbox"
_PATCHED = {"labels": ["bug", "x"], "state": "closed"}

DONE: list[tuple[str, str, Any, list[tuple[str, str | None, str]]]] = [
    ("POST", "/1/labels", {"labels": ["BUG", "New"]}, [_MADE, ("labeled", "New", _API)]),
    ("PUT", "/1/labels", ["x"], [_MADE, ("unlabeled", "bug", _API), ("labeled", "x", _API)]),
    ("PUT", "/1/labels", ["bug"], [_MADE]),
    ("DELETE", "/1/labels", None, [_MADE, ("unlabeled", "bug", _API)]),
    ("DELETE", "/1/labels/Bug", None, [_MADE, ("unlabeled", "bug", _API)]),
    ("DELETE", "/1/labels/absent", None, [_MADE]),
    ("PATCH", "/1", _PATCHED, [_MADE, ("labeled", "x", _API), ("closed", None, _API)]),
    ("PATCH", "/1", {"state": "open", "title": "Another"}, [_MADE]),
    ("PATCH", "/4", {"state": "open"}, [("reopened", None, _API)]),
    ("POST", "", {"title": "Another", "labels": ["x"]}, [("labeled", "x", _API)]),
]


def told(api: Api, path: str, **query: Any) -> list[tuple[str, str | None, str]]:
    """What happened, with which label, and who did it."""
    found = api.github("GET", f"{_ISSUES}{path}", **query).json
    return [(e["event"], e.get("label", {}).get("name"), e["actor"]["login"]) for e in found]


@pytest.mark.parametrize(("method", "path", "body", "events"), DONE)
def test_what_the_api_changes_is_told(
    api: Api, method: str, path: str, body: Any, events: list[tuple[str, str | None, str]]
) -> None:
    api.github(method, f"{_ISSUES}{path}", body)
    assert told(api, f"/{path[1:2] or 5}/events") == events


CONTROLLED: list[tuple[dict[str, Any], list[tuple[str, str | None, str]]]] = [
    (
        {"labels": ["x"], "by": "ann"},
        [_MADE, ("unlabeled", "bug", "ann"), ("labeled", "x", "ann")],
    ),
    ({"labels": []}, [_MADE, ("unlabeled", "bug", "octo-maintainer")]),
    ({"labels": ["bug", "x"], "labelled_by": "a[bot]"}, [_MADE, ("labeled", "x", "a[bot]")]),
    (
        {"labels": ["X", "y"], "by": "ann", "labeled_by": {"x": "bo"}},
        [_MADE, ("unlabeled", "bug", "ann"), ("labeled", "X", "bo"), ("labeled", "y", "ann")],
    ),
    ({"state": "closed", "by": "ann"}, [_MADE, ("closed", None, "ann")]),
    ({"title": "Another", "state": "open"}, [_MADE]),
]


@pytest.mark.parametrize(("change", "events"), CONTROLLED)
def test_what_people_change_is_told(
    api: Api, change: dict[str, Any], events: list[tuple[str, str | None, str]]
) -> None:
    assert api.control(issue={"repo": REPO, "number": 1, **change}).status == 200
    assert told(api, "/1/events") == events
    assert told(api, "/events") == events[::-1]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"by": 1}, "by has the wrong type"),
        ({"labels": ["x"], "labelled_by": ["ann"]}, "labelled_by has the wrong type"),
        ({"labels": ["x"], "labelled_by": {"y": "ann"}}, "'y', which is not among the labels"),
        ({"labels": ["x"], "labeled_by": {"X": None}}, "labeled_by needs a login for 'X'"),
        ({"labels": ["x"], "labelled_by": "ann", "labeled_by": "ann"}, "write one of them"),
    ],
)
def test_who_did_it_is_written_in_one_way(api: Api, fields: dict[str, Any], words: str) -> None:
    reply = api.control(issue={"repo": REPO, "number": 1, **fields})
    assert reply.status == 400 and words in reply.json["error"]


def test_an_event_has_all_its_fields(api: Api) -> None:
    api.control(issue={"repo": REPO, "number": 2, "labels": ["bug"], "by": "stale[bot]", "state": "closed"})
    labeled, closed = api.github("GET", f"{_ISSUES}/2/events").json
    changed = api.github("GET", f"{_ISSUES}/2").json
    assert (closed["actor"]["type"], closed["created_at"]) == ("Bot", changed["closed_at"])
    assert labeled == {
        "id": labeled["id"],
        "node_id": f"LE_{labeled['id']}",
        "url": f"http://api.github.com{_ISSUES}/events/{labeled['id']}",
        "actor": closed["actor"],
        "event": "labeled",
        "commit_id": None,
        "commit_url": None,
        "created_at": closed["created_at"],
        "performed_via_github_app": None,
        "label": {"name": "bug", "color": "d73a4a"},
    }
    assert set(labeled) - set(closed) == {"label"}
    assert api.github("GET", f"{_ISSUES}/events").json[:2] == [
        {**closed, "issue": changed},
        {**labeled, "issue": changed},
    ]


def test_pages_of_events_lead_from_the_newest_to_the_oldest(api: Api) -> None:
    for name in "abcde":
        api.github("POST", f"{_ISSUES}/2/labels", {"labels": [name]})
    found: list[dict[str, Any]] = []
    for page, rels in enumerate((["next", "last"], ["next", "last", "prev", "first"], ["prev", "first"]), 1):
        reply = api.github("GET", f"{_ISSUES}/events", per_page=2, page=page)
        assert re.findall('rel="([a-z]+)"', reply.headers["link"]) == rels
        found += reply.json
    assert [e["label"]["name"] for e in found] == ["e", "d", "c", "b", "a", "bug"]
    numbers = [e["id"] for e in found]
    assert numbers == sorted(set(numbers), reverse=True)
    assert [name for _, name, _ in told(api, "/2/events", per_page=2, page=2)] == ["c", "d"]


def test_seeds_are_told_in_the_order_of_their_times(api: Api) -> None:
    seeds = [
        ("2025-03-02T00:00:00Z", "ann"),
        ("2025-03-03T00:00:00Z", "b[bot]"),
        ("2025-03-01T00:00:00Z", "c"),
    ]
    for at, login in seeds:
        api.control(
            issue={"repo": REPO, "title": "x", "labels": ["x"], "created_at": at, "labelled_by": login}
        )
    found = api.github("GET", f"{_ISSUES}/events").json
    assert [e["actor"]["login"] for e in found] == ["b[bot]", "ann", "c", "octo-maintainer"]
    assert [e["id"] for e in found] == sorted((e["id"] for e in found), reverse=True)
    assert [e["created_at"] for e in found] == [e["issue"]["created_at"] for e in found]


def test_events_of_a_deleted_issue_come_back_with_it(api: Api) -> None:
    api.control(issue={"repo": REPO, "number": 2, "labels": ["x"]})
    before = api.github("GET", f"{_ISSUES}/events").json
    api.control(issue={"repo": REPO, "number": 1, "deleted": True, "labels": ["bug", "y"]})
    assert [e["issue"]["number"] for e in api.github("GET", f"{_ISSUES}/events").json] == [2]
    api.control(issue={"repo": REPO, "number": 1, "deleted": False})
    after = api.github("GET", f"{_ISSUES}/events").json
    assert [e["id"] for e in after[1:]] == [e["id"] for e in before]
    assert after[0]["label"]["name"] == "y"

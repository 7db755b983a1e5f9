"""The rate limits, where they are enforced."""

import time

import pytest

from tests.contracts.api import REPO, Api, Reply

_COMMENTS = f"/repos/{REPO}/issues/1/comments"


@pytest.fixture
def strict() -> Api:
    """A minute of its limits lasts a hundred: the requests of a test fit into it on any machine."""
    return Api(enforce_rate_limits=True, time_scale=0.01)


def test_github_refuses_the_81st_comment_of_a_minute(strict: Api) -> None:
    replies = [strict.github("POST", _COMMENTS, {"body": "x"}) for _ in range(81)]
    assert {r.status for r in replies[:80]} == {201}
    assert replies[80].status == 403 and "secondary rate limit" in replies[80].json["message"]
    assert 5_000 <= int(replies[80].headers["retry-after"]) <= 6_000
    assert strict.read("state")["comments"] == 80
    strict.clean()


def test_github_counts_points(strict: Api) -> None:
    label = {"labels": ["x"]}
    replies = [strict.github("POST", f"/repos/{REPO}/issues/1/labels", label) for _ in range(181)]
    assert [r.status for r in replies].count(200) == 180 and replies[180].status == 403


def test_github_primary_limit_and_free_304(strict: Api) -> None:
    api = strict
    first = api.github("GET", "/user")
    used = int(first.headers["x-ratelimit-used"])
    headers = {"authorization": "Bearer sandbox", "if-none-match": first.headers["etag"]}
    again = api.call("GET", "/user", None, {}, headers)
    assert (again.status, int(again.headers["x-ratelimit-used"])) == (304, used)
    account = api.sandbox.github.limits.account("sandbox")
    account.core.used = account.core.limit
    refused = api.github("GET", "/user")
    assert (refused.status, refused.headers["x-ratelimit-remaining"]) == (403, "0")
    assert "retry-after" not in refused.headers


def test_github_search_has_its_own_limit(strict: Api) -> None:
    replies = [strict.github("GET", "/search/issues", q=f"repo:{REPO} crash") for _ in range(31)]
    assert [r.status for r in replies].count(200) == 30
    assert replies[30].headers["x-ratelimit-resource"] == "search"
    assert strict.github("GET", f"/repos/{REPO}").status == 200


def test_tokens_have_limits_of_their_own(strict: Api) -> None:
    for _ in range(81):
        strict.github("POST", _COMMENTS, {"body": "x"})
    other = {"authorization": "Bearer other"}
    assert strict.call("POST", _COMMENTS, {"body": "x"}, {}, other).status == 201


def test_shortcut_refuses_the_200th_without_a_header(strict: Api) -> None:
    replies: list[Reply] = [strict.shortcut("GET", "/member") for _ in range(200)]
    assert {r.status for r in replies[:199]} == {200}
    assert replies[199].status == 429 and set(replies[199].headers) == {"content-type", "content-length"}


def test_slack_lets_a_burst_through_then_one_a_second(strict: Api) -> None:
    replies = [strict.slack("chat.postMessage", channel="#triage", text="x") for _ in range(7)]
    assert [r.status for r in replies].count(200) == 5
    assert replies[-1].json == {"ok": False, "error": "ratelimited"}
    assert 50 < int(replies[-1].headers["retry-after"]) <= 100
    assert strict.slack("chat.postMessage", channel="#other", text="x").status == 200


def test_time_scale_shortens_the_minute() -> None:
    api = Api(enforce_rate_limits=True, time_scale=120)
    for _ in range(199):
        api.shortcut("GET", "/member")
    time.sleep(0.6)
    assert api.shortcut("GET", "/member").status == 200


def test_nothing_is_refused_unless_asked() -> None:
    api = Api()
    assert {api.github("POST", _COMMENTS, {"body": "x"}).status for _ in range(100)} == {201}
    assert api.github("GET", "/user").headers["x-ratelimit-remaining"] == "5000"

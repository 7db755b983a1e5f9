"""The Notion stand-in: pages and blocks, its limits against its own client's shapes, paging, faults."""

from typing import Any

import pytest

from bot.sandbox import create_app
from integrations.notion.payloads import blocks_of
from integrations.notion.sandbox.service import PARENT
from tests.contracts.api import Api, Reply
from tests.contracts.spec import spec

HEADERS = {"authorization": "Bearer ntn_x", "notion-version": "2025-09-03"}


def call(api: Api, method: str, path: str, body: Any = None, **query: Any) -> Reply:
    return api.call(method, path, body, query, HEADERS)


def text(content: str = "x", url: str | None = None) -> dict[str, Any]:
    """A rich text."""
    return {"type": "text", "text": {"content": content, **({"link": {"url": url}} if url else {})}}


def block(kind: str = "paragraph", content: str = "x", **more: Any) -> dict[str, Any]:
    """A block with a text."""
    return {"object": "block", "type": kind, kind: {"rich_text": [text(content)], **more}}


def page(*children: dict[str, Any], parent: str = PARENT, title: str = "A page") -> dict[str, Any]:
    return {
        "parent": {"type": "page_id", "page_id": parent},
        "properties": {"title": {"title": [text(title)]}},
        "children": list(children),
    }


def nested(depth: int) -> dict[str, Any]:
    """A list item with others in it, so many levels deep."""
    return block("bulleted_list_item", **({"children": [nested(depth - 1)]} if depth else {}))


GOOD = [
    page(),
    page(*[block()] * 100),
    page(block(content="x" * 2_000), block("code", language="python"), block("to_do", checked=True)),
    page({"object": "block", "type": "divider", "divider": {}}, block("quote"), block("heading_3")),
    page(nested(2)),
]
BAD = [
    (page(parent="0f5a1c3e-0000-0000-0000-000000000000"), 404),
    (page(*[block()] * 101), 400),
    (page(block(content="x" * 2_001)), 400),
    (page(block(content="😀" * 1_001)), 400),
    (page(block("code", language="klingon")), 400),
    (page(block("surprise")), 400),
    (page(block(colour="red")), 400),
    (page(nested(3)), 400),
    (page(block() | {"paragraph": {"rich_text": [text()] * 101}}), 400),
    (page(block() | {"paragraph": {"rich_text": [text("x", "javascript:alert(1)")]}}), 400),
    (page(block() | {"paragraph": {"rich_text": [text("x", "https://e.example/" + "x" * 2_000)]}}), 400),
    (page(*[block("toggle", children=[block()] * 100)] * 10), 400),
    (page(*[block("code", "x" * 2_000, language="go", caption=[text("x" * 2_000)] * 2)] * 90), 413),
    ({**page(), "childs": []}, 400),
    ({"parent": {"page_id": PARENT}}, 400),
]


@pytest.mark.parametrize("body", GOOD, ids=range(len(GOOD)))
def test_good_pages_pass_here_and_there(api: Api, body: dict[str, Any]) -> None:
    assert spec().notion.body_problems("POST", "/v1/pages", body) == []
    made = call(api, "POST", "/v1/pages", body)
    assert made.status == 200 and call(api, "GET", f"/v1/pages/{made.json['id']}").json == made.json


@pytest.mark.parametrize(("body", "status"), BAD, ids=range(len(BAD)))
def test_bad_pages_are_refused(api: Api, body: dict[str, Any], status: int) -> None:
    with api.app.wrong_on_purpose():
        reply = call(api, "POST", "/v1/pages", body)
    assert (reply.status, reply.json["object"]) == (status, "error")
    assert api.read("pages") == []


def test_what_the_bot_makes_of_markdown_has_the_clients_shapes() -> None:
    source = "# A\n\n- [x] b\n  - c\n    1. d\n       - e\n\n> f\n\n```py\ng\n```\n\n---\n\n**h** [i](https://j.example)"
    body = page(*blocks_of(source))
    assert spec().notion.body_problems("POST", "/v1/pages", body) == []
    append = {"children": blocks_of(source)}
    assert spec().notion.body_problems("PATCH", f"/v1/blocks/{PARENT}/children", append) == []


def test_blocks_are_appended_and_listed_by_pages(api: Api) -> None:
    made = call(api, "POST", "/v1/pages", page(*[block()] * 100)).json["id"]
    path = f"/v1/blocks/{made}/children"
    assert len(call(api, "PATCH", path, {"children": [block("quote", "last")]}).json["results"]) == 1
    first = call(api, "GET", path, page_size=100).json
    assert (len(first["results"]), first["has_more"]) == (100, True)
    rest = call(api, "GET", path, page_size=100, start_cursor=first["next_cursor"]).json
    assert [b["type"] for b in rest["results"]] == ["quote"] and not rest["has_more"]
    (child,) = call(api, "GET", f"/v1/blocks/{PARENT}/children").json["results"]
    assert (child["type"], child["child_page"]) == ("child_page", {"title": "A page"})


def test_a_page_that_was_put_away_takes_nothing(api: Api) -> None:
    made = call(api, "POST", "/v1/pages", page()).json["id"]
    assert call(api, "PATCH", f"/v1/pages/{made}", {"in_trash": True}).json["in_trash"]
    assert call(api, "GET", f"/v1/blocks/{PARENT}/children").json["results"] == []
    assert call(api, "PATCH", f"/v1/blocks/{made}/children", {"children": [block()]}).status == 400
    assert api.read("pages") == []


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"notion-version": "2025-09-03"}, 401, "unauthorized"),
        ({**HEADERS, "authorization": "Bearer bad"}, 401, "unauthorized"),
        ({"authorization": "Bearer x"}, 400, "missing_version"),
    ],
)
def test_credential_and_version(api: Api, headers: dict[str, str], status: int, code: str) -> None:
    reply = api.call("GET", "/v1/users/me", None, {}, headers)
    assert (reply.status, reply.json["code"]) == (status, code)


def test_unknown_paths_and_queries(api: Api) -> None:
    with api.app.wrong_on_purpose():
        assert call(api, "GET", "/v1/pages/x/y/z").json["code"] == "invalid_request_url"
        assert call(api, "GET", f"/v1/blocks/{PARENT}/children", page_size=101).status == 400
        assert call(api, "GET", f"/v1/blocks/{PARENT}/children", start_cursor="x").status == 400


def test_its_pace_is_enforced_where_asked_for() -> None:
    api = Api(enforce_rate_limits=True)
    replies = [call(api, "GET", "/v1/users/me") for _ in range(181)]
    assert replies[-2].status == 200 and replies[-1].status == 429
    assert int(replies[-1].headers["retry-after"]) >= 1
    api.clean()


def test_faults_hit_it_like_the_others(api: Api) -> None:
    api.control(service="notion", fault="status", status=529, retry_after=7, times=1)
    reply = call(api, "GET", "/v1/users/me")
    assert (reply.status, reply.json["code"], reply.headers["retry-after"]) == (529, "service_overload", "7")
    assert call(api, "GET", "/v1/users/me").status == 200
    assert create_app([]).log.summary()["notion"]["count"] == 0

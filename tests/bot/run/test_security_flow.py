"""The security flow from end to end: where a report's words may stand, and that they stand nowhere else."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.sandbox import asgi as sandbox_app
from integrations.sandbox_faults import Request
from models.case import Told
from models.tables import CaseRow
from subflows.triage import triage
from tests.bot.trigger.test_inbox import SECRET, Served, issue_event
from tests.nodes.build import case, context
from tests.smtp import Post, post
from tests.world import World

CANARY = "QuetzalCanary"
"""Every word of a report that must not be seen begins with it."""
PACKAGE, CVE = "gadget-merge", "CVE-2026-10001"
TITLE = f"SQL injection vulnerability with {CANARY}Title"
BODY = f"""\
There is an SQL injection in the {CANARY}Prose, also known as {CVE}. Versions before 2.4.1 are affected.

Found with pkg:npm/{PACKAGE}@2.4.0 and CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H

## Steps to reproduce

1. send `' or '1'='1` to {CANARY}Step

```
Traceback (most recent call last):
  File "widgets/{CANARY}File.py", line 12, in find
ValueError: {CANARY}Message
```
"""
_cases: sa.Table = CaseRow.__table__  # type: ignore[attr-defined]
GUARD, TEAM = "guard@example.com", "team@example.com"
KEY = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
HIDDEN = (CANARY, CVE)
MAY_STAND = {"issues", "inbox"}
"""Tables with the copy of the issue itself."""


def issues(body: str = BODY) -> list[dict[str, Any]]:
    rest = {"repo": "octo/widgets", "author": "ann", "created_at": "2026-11-01T10:00:00Z"}
    return [
        {"number": 1, "title": TITLE, "body": body, "updated_at": "2026-11-01T10:00:00Z", **rest},
        {
            "number": 3,
            "title": f"Vulnerability: stored XSS {CANARY}Other",
            "body": f"A stored XSS.\n\n## Steps to reproduce\n\n1. save `<script>{CANARY}()</script>`\n2. look",
            "updated_at": "2026-11-01T10:30:00Z",
            **rest,
        },
        {
            "number": 2,
            "title": "The window crashes on start",
            "body": "It crashes with an error every time since version 1.2. Steps: start it.",
            "updated_at": "2026-11-01T11:00:00Z",
            **rest,
        },
    ]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Every request that reached the sandbox."""
    found: list[Request] = []
    read = sandbox_app._read

    async def reading(scope: Any, receive: Any) -> Request:
        request = await read(scope, receive)
        if not request.path.startswith("/_control"):
            found.append(request)
        return request

    monkeypatch.setattr(sandbox_app, "_read", reading)
    return found


@pytest.fixture
def world(tmp_path: Path, sent: list[Request]) -> Iterator[World]:
    with World(tmp_path, issues()) as made, post() as server:
        made.post = server  # type: ignore[attr-defined]
        made.environment |= {"HOOK_ONE": KEY, "HOOK_TWO": KEY}
        hooks = [
            {"url": f"{made.base}/hooks/all", "secret_env": "HOOK_ONE"},
            {
                "url": f"{made.base}/hooks/guard",
                "secret_env": "HOOK_TWO",
                "what": ["runs", "alerts", "security"],
            },
        ]
        made.set("integrations.webhooks", json.dumps(hooks))
        people = [
            {"address": TEAM, "what": ["digest", "problems", "alerts"]},
            {"address": GUARD, "what": ["security"]},
        ]
        email = {"host": "127.0.0.1", "port": server.port, "tls": "none", "sender": "bot@example.com"}
        made.set("integrations.email", json.dumps(email | {"recipients": people}))
        made.set("integrations.github.comment", "always")
        made.set("integrations.github.draft_advisories", "true")
        made.set("integrations.github.draft_pulls", "true")
        made.set("router.rules", json.dumps([{"route": "security", "pattern": "(?i)vulnerability"}]))
        yield made
        made.assert_contracts()


def mails(world: World, to: str) -> list[str]:
    server: Post = world.post  # type: ignore[attr-defined]
    return [
        "\n".join([str(mail["Subject"]), *(part.get_content() for part in mail.iter_parts())])
        for mail in server.to(to)
    ]


def holds(text: str | bytes) -> bool:
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return any(word.lower() in text.lower() for word in HIDDEN)


def places(world: World, sent: list[Request]) -> set[str]:
    """Every place outside the issue itself in which something of the report stands."""
    found = set()
    for request in sent:
        if not (holds(request.body) or holds(f"{request.path}?{request.query_string}")):
            continue
        place = f"{request.method} {request.path}"
        if request.path == "/api/chat.postMessage":
            place += f" {json.loads(request.body)['channel']}"
        found.add(place)
    found |= {f"mail to {to}" for to in (TEAM, GUARD) if any(map(holds, mails(world, to)))}
    for path in world.folder.rglob("*"):
        if path.is_file() and ".db" not in path.name and holds(path.read_bytes()):
            found.add(f"file {path.name}")
    with world.reading() as connection:
        for name in set(sa.inspect(connection).get_table_names()) - MAY_STAND:
            rows = connection.execute(sa.text(f"SELECT * FROM {name}")).all()
            found |= {f"table {name} {row[0]}" for row in rows if holds(str(tuple(row)))}
    return found


def allowed(run_id: str) -> set[str]:
    """Where the words of both reports may stand after a run: the private places of the team."""
    return {
        "POST /api/v3/stories/bulk",
        "POST /api/chat.postMessage #security",
        "POST /repos/octo/widgets/security-advisories",
        f"GET /v1/vulns/{CVE}",
        f"mail to {GUARD}",
        "table cases octo/widgets#1",
        "table cases octo/widgets#3",
        "table commands story:octo/widgets#1",
        "table commands story:octo/widgets#3",
        "table commands advisory:octo/widgets#3",
        f"table commands security:{run_id}",
        f"table commands mail:{run_id}:security:{GUARD}",
        # What is published of the identifier that was looked up, under a hash, and nothing of the report.
        "table answers 1",
    }


def events(world: World) -> list[dict[str, Any]]:
    return [
        json.loads(d["body"])["data"] for d in world.listed("webhooks") if "security.reported" in d["body"]
    ]


def test_a_reports_words_stand_where_they_may_and_nowhere_else(world: World, sent: list[Request]) -> None:
    ran = world.run("run", "--json", "--wait", "30s")
    assert ran.json["routes"]["security"] == 2
    assert ran.json["status"] == "completed"
    assert not holds(ran.out + ran.err)
    found = places(world, sent)
    assert found == allowed(ran.json["run_id"])
    asked = [request.body for request in sent if request.path.startswith("/v1/")]
    assert asked
    assert not any(CANARY.encode() in body for body in asked), "only ids and packages go out"
    story = next(s for s in world.listed("stories") if CVE in s["description"])
    assert "Raise `gadget-merge` from `2.4.0` to `2.4.1`" in story["description"]
    assert "9.8 critical (version 3.1)" in story["description"]
    # The hook that asked for it is told that there is one, and the other is not.
    told = [d for d in world.listed("webhooks") if "security.reported" in d["body"]]
    assert {d["name"] for d in told} == {"guard"}
    assert {(data["ref"], data["severity"]) for data in events(world)} == {
        ("octo/widgets#1", "critical"),
        ("octo/widgets#3", "medium"),
    }
    assert all(set(data) == {"ref", "route", "severity"} for data in events(world))
    comments = [comment["body"] for comment in world.listed("comments")]
    assert sum("routed for review" in body for body in comments) == 2
    public = json.dumps([comments, world.listed("labels")]).lower()
    assert "security" not in public
    assert "vulnerab" not in public
    # Looked at again, nothing of it is told again.
    messages, posted = world.state()["messages_by_channel"]["#security"], len(mails(world, GUARD))
    again = world.run("run", "--full", "--json", "--wait", "30s")
    assert not holds(again.out + again.err)
    assert world.state()["messages_by_channel"]["#security"] == messages == 1
    assert len(mails(world, GUARD)) == posted == 1
    assert len(events(world)) == 2
    assert places(world, sent) == found


def test_what_an_event_brings_is_told_at_once_and_no_page_shows_it(world: World, sent: list[Request]) -> None:
    world.environment |= {"GITHUB_WEBHOOK_SECRET": SECRET, "SWITCHYARD_ADMIN_TOKEN": "a token of the admin's"}
    admin = {"authorization": "Bearer a token of the admin's"}
    served = Served(world)
    try:
        issue = {key: value for key, value in issues()[0].items() if key in ("number", "title", "body")}
        body = issue_event(**issue)
        assert served.post(body).status_code == 202
        world.wait_until(lambda: mails(world, GUARD) and events(world))
        world.wait_until(lambda: not served.waiting())
        for page in ("/", "/metrics", "/readyz", "/api/v1/runs", "/api/v1/queue", "/api/v1/status"):
            for sender in ({}, admin):
                answer = served.http.get(page, headers=sender)
                assert not holds(answer.text), page
        assert any(CANARY in text for text in mails(world, GUARD))
        assert not any(map(holds, mails(world, TEAM)))
        assert not any(holds(m["text"]) for m in world.listed("messages") if m["channel"] != "#security")
    finally:
        served.process.terminate()
        out, err = served.process.communicate(timeout=300)
        served.http.close()
    assert not holds(out + err)


@pytest.mark.parametrize("fault", ["status", "refuse", "html"])
def test_without_osv_the_audit_goes_on(world: World, fault: str) -> None:
    world.control(service="osv", fault=fault)
    ran = world.run("run", "--json", "--wait", "30s")
    assert ran.json["status"] == "completed"
    assert not holds(ran.out + ran.err)
    story = next(s for s in world.listed("stories") if CVE in s["description"])
    assert "critical, by the vector in the text (9.8)" in story["description"]
    assert "Known advisories" not in story["description"]
    assert "OSV did not answer" in story["description"]
    with world.reading() as connection:
        detail = connection.execute(
            sa.select(_cases.c.detail).where(_cases.c.key == "octo/widgets#1")
        ).scalar_one()
    assert any(note.startswith("osv: ") and not holds(note) for note in detail["notes"])


@pytest.mark.parametrize(
    ("route", "label", "story", "comment"),
    [
        # What a person calls a bug is treated as one from then on; its story moves.
        ("bug", "bug", "bug", "routed as a **bug**"),
        # And of what becomes a security report nothing more is said in public.
        ("security", "needs review", "security", "This was routed for review."),
    ],
)
def test_what_a_person_routes_elsewhere_moves_its_story(
    route: str, label: str, story: str, comment: str
) -> None:
    told = Told(route=route, person="sam", via="slack", at=1.0, number=1)
    policy: dict[str, Any] = {
        "comment": "always",
        "draft_pulls": True,
        "assign_suspects": True,
        "draft_advisories": True,
        "services": frozenset({"shortcut", "notion", "osv", "llm"}),
    }
    done = asyncio.run(triage(replace(case(TITLE, BODY), told=told), context(**policy)))
    assert done.route == route
    wishes = {command.operation: command.payload for command in done.commands}
    assert wishes["move_story"]["label"] == story
    assert {"bug", "security"} - {story} <= set(wishes["move_story"]["instead_of"])
    assert label in wishes["add_labels"]["labels"]
    assert comment in wishes["write_comment"]["body"]
    public = json.dumps([wishes["add_labels"], wishes["write_comment"]])
    assert not holds(public)
    assert route == "bug" or "security" not in public
    beyond = set(wishes) - {"create_story", "move_story", "add_labels", "write_comment"}
    assert beyond <= ({"draft_advisory"} if route == "security" else {"assign", "open_draft_pull"})
    assert bool(done.escalation) == (route == "security")

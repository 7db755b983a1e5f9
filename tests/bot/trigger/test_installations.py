"""Repositories appear and vanish as the App's installations change."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy.engine import Connection

from bot.store.database import Database
from bot.store.repositories import served as served_of
from bot.trigger.installations import apply
from config.settings import Settings
from models.tables import InstalledRow
from tests.bot.trigger.test_inbox import SECRET, Served
from tests.contracts.spec import contracts_dir
from tests.world import World

EXAMPLES = (contracts_dir() or Path("absent")) / "github" / "webhook-examples"
_table: sa.Table = InstalledRow.__table__  # type: ignore[attr-defined]


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """With octo/widgets and octo/gadgets of installation 7, and acme/rockets of 8."""
    with database.write() as connection:
        rows = [("octo/widgets", 7), ("octo/gadgets", 7), ("acme/rockets", 8)]
        connection.execute(
            sa.insert(_table), [{"repo": r, "installation_id": n, "since": 1.0} for r, n in rows]
        )
        yield connection


def repos(*names: str) -> list[dict[str, str]]:
    return [{"full_name": name} for name in names]


def renamed(old: str, new: str) -> dict[str, Any]:
    return {"repository": {"full_name": new}, "changes": {"repository": {"name": {"from": old}}}}


def transferred(old: str, new: str, number: int) -> dict[str, Any]:
    return {
        "repository": {"full_name": new},
        "changes": {"owner": {"from": {"organization": {"login": old}}}},
        "installation": {"id": number},
    }


@pytest.mark.parametrize(
    ("event", "action", "payload", "gone", "new"),
    [
        ("installation", "created", {"id": 9, "repositories": repos("new/a", "new/b")}, "", "new/a new/b"),
        ("installation", "deleted", {"id": 7}, "octo/widgets octo/gadgets", ""),
        ("installation", "suspend", {"id": 7}, "octo/widgets octo/gadgets", ""),
        ("installation", "unsuspend", {"id": 7}, "", ""),
        ("installation", "new_permissions_accepted", {"id": 7}, "", ""),
        (
            "installation_repositories",
            "added",
            {"id": 7, "repositories_added": repos("octo/c", "OCTO/widgets")},
            "octo/widgets",
            "octo/c OCTO/widgets",
        ),
        (
            "installation_repositories",
            "removed",
            {"id": 7, "repositories_removed": repos("Octo/Widgets")},
            "octo/widgets",
            "",
        ),
        ("repository", "created", {"id": 7, "repository": {"full_name": "octo/c"}}, "", "octo/c"),
        ("repository", "deleted", {"repository": {"full_name": "octo/widgets"}}, "octo/widgets", ""),
        ("repository", "archived", {"repository": {"full_name": "octo/widgets"}}, "octo/widgets", ""),
        ("repository", "renamed", renamed("widgets", "octo/parts"), "octo/widgets", "octo/parts"),
        ("repository", "renamed", renamed("unknown", "octo/parts"), "", ""),
        ("repository", "transferred", transferred("octo", "acme/widgets", 8), "octo/widgets", "acme/widgets"),
        ("repository", "transferred", transferred("octo", "acme/widgets", 7), "octo/widgets", ""),
        ("repository", "edited", {"repository": {"full_name": "octo/widgets"}}, "", ""),
    ],
)
def test_what_is_made_of_an_event(
    connection: Connection, event: str, action: str, payload: dict[str, Any], gone: str, new: str
) -> None:
    before = set(served_of(connection, Settings()))
    if "id" in payload:
        payload = payload | {"installation": {"id": payload["id"]}}
    note = apply(connection, event, action, payload, 2.0)
    after = set(served_of(connection, Settings()))
    assert (before - after, after - before) == (set(gone.split()), set(new.split())), note
    assert 0 < len(note) <= 200
    # GitHub may send it again.
    apply(connection, event, action, payload, 3.0)
    assert set(served_of(connection, Settings())) == after
    assert served_of(connection, Settings(repositories=("x/y",))) == ("x/y",)


def test_a_resumed_installation_has_its_repositories_again(connection: Connection) -> None:
    for _ in range(2):
        apply(connection, "installation", "suspend", {"installation": {"id": 7}}, 2.0)
    assert served_of(connection, Settings()) == ("acme/rockets",)
    apply(connection, "installation", "unsuspend", {"installation": {"id": 7}}, 3.0)
    assert len(served_of(connection, Settings())) == 3
    apply(connection, "installation", "suspend", {"installation": {"id": 7}}, 4.0)
    apply(connection, "installation", "deleted", {"installation": {"id": 7}}, 5.0)
    assert connection.execute(sa.select(_table.c.repo)).scalars().all() == ["acme/rockets"]


ODD: list[Any] = [
    None,
    5,
    "x",
    [],
    {},
    [[]],
    {"id": "7"},
    {"id": True},
    {"id": -7},
    {"id": 10**30},
    {"id": 7},
]


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("event", ["installation", "installation_repositories", "repository"])
def test_a_hostile_payload_does_nothing(connection: Connection, event: str, odd: Any) -> None:
    bad: list[Any] = [None, 5, "x", "a/b/c", "a/\x00", "é/b", "a" * 999 + "/b", {}]
    names = [{"full_name": name} for name in bad]
    inside = {"name": odd, "repository": odd, "owner": {"from": odd}, "from": odd}
    payload = {
        "installation": odd,
        "repositories": names,
        "repositories_added": odd if odd != {"id": 7} else names,
        "repositories_removed": names,
        "repository": odd,
        "changes": inside,
    }
    actions = ("created", "added", "removed", "renamed", "transferred", "archived", "unsuspend", "", "\ud800")
    for action in actions:
        apply(connection, event, action, payload, 2.0)
        apply(connection, event, action, payload | {"repository": {"full_name": "octo/none"}}, 2.0)
    assert {"octo/widgets", "octo/gadgets", "acme/rockets"} <= set(served_of(connection, Settings()))


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="GitHub's own examples are not at hand")
@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.*.json")), ids=lambda p: p.stem)
def test_githubs_own_examples_are_understood(connection: Connection, path: Path) -> None:
    event, _, rest = path.name.partition(".")
    note = apply(connection, event, rest.split(".")[0], json.loads(path.read_text()), 2.0)
    found = set(served_of(connection, Settings()))
    if path.stem == "installation.created":
        assert "Codertocat/Hello-World" in found
    if path.stem == "installation_repositories.added":
        assert "Codertocat/Space" in found
    if path.stem == "repository.transferred":
        assert note == "repository transferred, formerly octocat/Hello-World"


def as_app(world: World) -> None:
    """Sign in as an App, and let its installations say which repositories there are."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    world.environment |= {
        "GITHUB_TOKEN": "",
        "GITHUB_APP_ID": "4711",
        "GITHUB_APP_PRIVATE_KEY": key.private_bytes(*form).decode(),
        "GITHUB_WEBHOOK_SECRET": SECRET,
    }
    world.set("repositories", "[]")
    world.route_all("bug")


def many(repo: str, count: int = 3) -> list[dict[str, Any]]:
    return [
        {"repo": repo, "number": n, "title": f"Saving file number {n} fails", "body": "It fails."}
        for n in range(1, count + 1)
    ]


def payload_of(repo: str, number: int, action: str = "opened", **changes: Any) -> dict[str, Any]:
    issue = {
        "number": number,
        "title": f"Saving file number {number} fails",
        "body": "It fails with an error each time.",
        "state": "open",
        "labels": [],
        "user": {"login": "ann"},
        "created_at": "2026-11-01T10:00:00Z",
        "updated_at": "2026-11-01T10:00:00Z",
    } | changes
    return {"action": action, "issue": issue, "repository": {"full_name": repo}, "sender": {"login": "ann"}}


def post(door: Served, event: str, delivery: str, payload: dict[str, Any]) -> None:
    body = json.dumps(payload).encode()
    signed = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "content-type": "application/json",
        "x-github-event": event,
        "x-github-delivery": delivery,
        "x-hub-signature-256": signed,
    }
    assert door.http.post("/webhooks/github", content=body, headers=headers).status_code == 202


@contextmanager
def serving(world: World) -> Iterator[Served]:
    door = Served(world)
    try:
        yield door
    finally:
        door.http.close()
        door.stop()


def stories(world: World) -> set[str]:
    return {str(story["external_id"]).removeprefix("story:") for story in world.listed("stories")}


def kept(world: World) -> list[str]:
    """The rows of the table, as the running process wrote them."""
    with world.reading() as connection:
        return sorted(connection.execute(sa.select(_table.c.repo)).scalars())


@pytest.mark.slow
def test_an_app_serves_what_it_is_installed_on(tmp_path: Path) -> None:
    with World(tmp_path, [*many("octo/widgets"), *many("octo/secret", 1), *many("acme/rockets")]) as world:
        as_app(world)
        world.control(installation={"owner": "octo", "repositories": ["octo/widgets"]})
        world.control(installation={"owner": "acme", "installed": False})
        world.control(installation={"owner": "octo", "installed": False})
        nothing = world.run("run")
        assert nothing.code == 2 and nothing.err.strip().count("\n") == 0, nothing.err
        assert all(word in nothing.err for word in ("workflow.repositories", "GitHub App", "--repo"))
        world.control(installation={"owner": "octo", "installed": True})
        report = world.run("run", "--json")
        assert report.code == 0 and report.json["triaged"] == 3, report.err
        assert {ref.split("#")[0] for ref in stories(world)} == {"octo/widgets"}
        with serving(world) as door:
            assert kept(world) == ["octo/widgets"]
            post(door, "issues", "early", payload_of("acme/rockets", 1))
            world.wait_until(lambda: not door.waiting())
            world.control(installation={"owner": "acme", "installed": True})
            post(
                door,
                "installation",
                "new",
                {"action": "created", "installation": {"id": 12}, "repositories": repos("acme/rockets")},
            )
            world.wait_until(lambda: kept(world) == ["acme/rockets", "octo/widgets"])
            post(door, "issues", "one", payload_of("acme/rockets", 2))
            world.wait_until(lambda: "acme/rockets#2" in stories(world))
            world.wait_until(lambda: any(i["repo"] == "acme/rockets" for i in world.listed("labels")))
            # One organisation suspends the App: the other's issues go on.
            world.control(installation={"owner": "octo", "suspended": True})
            post(door, "issues", "three", payload_of("octo/widgets", 2, "edited", title="Loading fails"))
            post(door, "issues", "four", payload_of("acme/rockets", 3))
            world.wait_until(lambda: any(i["number"] == 3 for i in world.listed("labels")))
        assert "acme/rockets#1" not in stories(world)
        world.control(installation={"owner": "acme", "events": ["issues"]})
        doctor = world.run("doctor", "--json")
        checks = {check["name"]: check for check in doctor.json["checks"]}
        assert doctor.code == 1
        assert checks["github app"]["ok"] and checks["repositories"]["detail"] == "acme/rockets"
        assert "suspended" in checks["github installation octo"]["detail"]
        assert "event push" in checks["github installation acme"]["detail"]
        assert {ref.split("#")[0] for ref in stories(world)} == {"octo/widgets", "acme/rockets"}
        world.assert_once()
        world.assert_contracts()

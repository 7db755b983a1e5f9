"""Malformed deliveries, made of the official examples with a seed, and what became of them at the door and behind it.

`python -m tests.bot.door_fuzz --count 100000` prints one line and exits 1 where a promise was broken.
"""

import argparse
import asyncio
import copy
import hashlib
import hmac
import json
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import psutil
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.store import inbox
from bot.store.database import Database
from bot.trigger.inbox import Ground, stories_of, take
from bot.trigger.repo_config import changed_by_push
from bot.trigger.webhooks import MOST, Door, sources
from config.secrets import Secrets
from models.tables import InboxRow
from tests.bench.sender import template
from tests.contracts.spec import contracts_dir

SECRET = "It's a Secret to Everybody"
SECRETS = Secrets({"GITHUB_WEBHOOK_SECRET": SECRET, "SHORTCUT_WEBHOOK_SECRET": SECRET})
GROUND = Ground(
    {name: name for name in ("codertocat/hello-world", "octo/widgets")}, me="switchyard[bot]", tell=True
)
Headers = list[tuple[bytes, bytes]]
HUGE, DEEP = "@huge@", "@deep@"
"""Stand for what json.dumps does not write."""
VALUES: Sequence[Any] = (
    *(None, True, False, 0, -1, 1.5, 2**31, 2**53, 2**63, 2**70, -(2**70), 10**400, HUGE, DEEP),
    *(float("nan"), float("inf"), 1e308, "", " ", "\0", "a\0b", "\ud800", "x\udfffy", "😀" * 50),
    *(
        "0",
        "octo/widgets",
        "OCTO/Widgets",
        "Codertocat/Hello-World",
        "../..",
        "a/b/c",
        "/",
        "#",
        "octo/widgets#1",
    ),
    *([], {}, [[]], [{}], [None], {"": None}, ["bug", 7], [{"name": 7}], {"login": None}, {"full_name": []}),
    *(
        "2026-11-21T10:00:00Z",
        "0000-00-00T00:00:00Z",
        "9999-12-31T23:59:59+99:99",
        "now",
        "<!-- switchyard -->",
    ),
    *("opened", "deleted", "transferred", "created", "closed", "open", "Bot", "switchyard[bot]", "main"),
)
READ = """
    action number ref before after id changed_at references
    issue issue.number issue.title issue.body issue.state issue.id issue.locked issue.html_url issue.pull_request
    issue.labels issue.labels.0 issue.labels.0.name issue.assignees issue.comments issue.author_association
    issue.user issue.user.login issue.reactions issue.reactions.total_count
    issue.created_at issue.updated_at issue.closed_at comment comment.body comment.user label label.name
    repository repository.full_name repository.default_branch repository.private repository.name
    repository.owner repository.owner.login sender sender.login sender.type
    installation installation.id installation.account installation.account.login installation.suspended_at
    repositories repositories.0 repositories.0.full_name repositories_added repositories_added.0
    repositories_added.0.full_name repositories_removed repositories_removed.0.full_name
    commits commits.0 commits.0.added commits.0.modified changes changes.repository changes.repository.name.from
    changes.new_issue changes.owner changes.owner.from changes.title.from
    pull_request pull_request.number pull_request.head pull_request.head.sha pull_request.base
    actions actions.0 actions.0.id actions.0.entity_type actions.0.changes
"""
PLACES = tuple(tuple(place.split(".")) for place in READ.split())
SIGNATURES = (
    *(b"", b"sha256=", b"sha1=" + b"0" * 40, b"sha256=" + b"0" * 64, b"0" * 64, b"sha256=" + b"0" * 63),
    *(b"sha256=\xff\xfe", b"\xc3\xa9" * 32, b"SHA256=" + b"a" * 64, b"sha512=" + b"0" * 128, b" ", b"sha256"),
)
KINDS = (
    b"application/json; charset=utf-8",
    b"APPLICATION/JSON",
    b"text/json",
    b"",
    b"\xff",
    b"application/jsonp",
)
EVENTS = (b"", b"never-heard-of", b"x" * 101, b"\xff", b" issues", b"ISSUES", b"ping", b"meta", b"push")


@dataclass(frozen=True)
class Case:
    """One request, and whether its signature is right."""

    path: str
    headers: Headers
    parts: Sequence[bytes]
    signed: bool

    @property
    def body(self) -> bytes:
        return b"".join(self.parts)


@dataclass
class Outcome:
    """What was counted, and each promise that was broken."""

    statuses: Counter[int] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    handled: int = 0
    memory: float = 0.0
    """By how many MB the process's resident set has grown at its highest."""


def examples() -> list[tuple[str, bytes]]:
    """(event, body): GitHub's own where they lie beside the project, else one of the same shape; and Shortcut's."""
    folder = contracts_dir()
    found = sorted((folder / "github" / "webhook-examples").glob("*.*.json")) if folder else []
    made = [(file.name.split(".")[0], file.read_bytes()) for file in found]
    return made or [("issues", template()), ("issue_comment", template())]


def story_change() -> dict[str, Any]:
    action = {
        "id": 7,
        "entity_type": "story",
        "action": "update",
        "changes": {"workflow_state_id": {"new": 1}},
    }
    return {
        "id": "595285dc-9c43-4b9c-a1e6-0cd9aff5b084",
        "changed_at": "2026-11-21T10:00:00Z",
        "actions": [action],
    }


def cases(seed: int, count: int) -> Iterator[Case]:
    """So many requests, the same for the same seed."""
    chance = random.Random(seed)
    known = [(event, json.loads(body)) for event, body in examples()]
    for at in range(count):
        shortcut = chance.random() < 0.15
        event, payload = ("", story_change()) if shortcut else chance.choice(known)
        payload = copy.deepcopy(payload)
        # Else most would be known by their body, or by their name.
        payload["id" if shortcut else "fuzz"] = f"{at:x}-{seed:x}"
        for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
            _spoil(chance, payload)
        body = _written(chance, payload)
        if chance.random() < 0.35:
            body = chance.choice(GARBLING)(chance, body)
        yield _request(chance, at, body, event, shortcut)


def _spoil(chance: random.Random, payload: Any) -> None:
    """Put something wrong at a place that is read, or at any."""
    place = chance.choice(PLACES)
    value = "y" * 1_000_000 if chance.random() < 0.002 else copy.deepcopy(chance.choice(VALUES))
    at = payload
    for step in place[:-1]:
        if isinstance(at, dict):
            at = at.setdefault(step, {}) if chance.random() < 0.3 else at.get(step)
        elif isinstance(at, list) and at and step == "0":
            at = at[0]
    last = place[-1]
    if isinstance(at, list):
        at.insert(0, value)
    elif isinstance(at, dict):
        if chance.random() < 0.15:
            at.pop(last, None)
        else:
            at[last] = value


def _written(chance: random.Random, payload: Any) -> bytes:
    text = json.dumps(payload, ensure_ascii=chance.random() < 0.9)
    text = text.replace(f'"{HUGE}"', "9" * chance.choice((400, 4300, 5000)), 1)
    text = text.replace(f'"{DEEP}"', "[" * 900 + "]" * 900 if chance.random() < 0.9 else "[" * 50_000, 1)
    if chance.random() < 0.03:
        text = text.replace("{", '{"action":"opened","issue":7,"id":"two",', 1)
    return text.encode("utf-8", "surrogatepass")


def _noise(chance: random.Random, body: bytes) -> bytes:
    found = bytearray(body)
    for _ in range(chance.choice((1, 3, 50))):
        found[chance.randrange(len(found))] = chance.randrange(256)
    return bytes(found)


GARBLING: Sequence[Callable[[random.Random, bytes], bytes]] = (
    lambda chance, body: body[: chance.randrange(len(body))],
    lambda chance, body: body[chance.randrange(len(body)) :],
    lambda chance, body: body + body[: chance.randrange(200)],
    _noise,
    lambda chance, body: b"\xef\xbb\xbf" + body,
    lambda chance, body: body.decode("utf-8", "replace").encode(
        chance.choice(("utf-16", "utf-16-le", "utf-32"))
    ),
    lambda chance, body: b"[" + body + b"]",
    lambda chance, body: chance.choice(
        (b"", b"\0", b"null", b"[]", b"{}", b'""', b"7", b"NaN", b"\xff\xfe", b"{" * 9)
    ),
    lambda chance, body: body.replace(b" ", b"\0", 1),
)


def _request(chance: random.Random, at: int, body: bytes, event: str, shortcut: bool) -> Case:
    mac = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest().encode()
    name, right = (b"payload-signature", mac) if shortcut else (b"x-hub-signature-256", b"sha256=" + mac)
    fields: dict[bytes, bytes | None] = {b"content-type": b"application/json", name: right}
    if not shortcut:
        # A few come again, with another body.
        delivery = chance.randrange(at + 1) if chance.random() < 0.05 else at
        fields |= {b"x-github-event": event.encode(), b"x-github-delivery": b"fuzz-%d" % delivery}
    more: Headers = []
    signed = True
    if chance.random() < 0.2:
        wrong = hmac.new(b"another", body, hashlib.sha256).hexdigest().encode()
        fields[name] = chance.choice((None, right[:-1], wrong, b"sha256=" + wrong, *SIGNATURES))
        signed = False
        if chance.random() < 0.1:
            # The right one stands before the wrong one; only one of them can count.
            more.append((name, fields[name] or b""))
            fields[name], signed = right, True
    if chance.random() < 0.08:
        fields[b"content-type"] = chance.choice((None, *KINDS))
    if chance.random() < 0.08 and not shortcut:
        fields[b"x-github-event"] = chance.choice((None, *EVENTS))
    if chance.random() < 0.05 and not shortcut:
        fields[b"x-github-delivery"] = chance.choice((None, b"", b"z" * 101, b"\xff\x00", b" ", b"%s" * 9))
    length = b"%d" % len(body)
    if chance.random() < 0.03:
        length = chance.choice((b"-1", b"abc", b"", b"9" * 30, b"26000000", b"1e3", b"\xb2"))
    fields[b"content-length"] = length
    cut = chance.randrange(len(body) + 1) if chance.random() < 0.2 else len(body)
    headers = [(key, value) for key, value in fields.items() if value is not None] + more
    if more:
        signed = False  # the last one counts, and it is wrong
    return Case(
        f"/webhooks/{'shortcut' if shortcut else 'github'}", headers, (body[:cut], body[cut:]), signed
    )


async def ask(door: Door, case: Case, client: str = "192.0.2.1") -> int:
    """Send it to the door in this process; the status of the answer."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": case.path,
        "headers": case.headers,
        "client": (client, 1),
    }
    messages: list[dict[str, Any]] = []
    left = list(case.parts)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        part = left.pop(0) if left else b""
        return {"type": "http.request", "body": part, "more_body": bool(left)}

    async def send(message: Any) -> None:
        messages.append(message)

    await door(scope, receive, send)
    assert json.loads(messages[1]["body"])
    return int(messages[0]["status"])


def handle(connection: Connection) -> int:
    """What the inbox's worker makes of everything that waits; how many deliveries that was."""
    table: sa.Table = InboxRow.__table__  # type: ignore[attr-defined]
    waiting = sa.select(sa.func.count()).where(table.c.state == "pending")
    before = connection.execute(waiting).scalar_one()
    for _ in range(before + 1):
        if not inbox.is_waiting(connection, "github"):
            break
        take(connection, GROUND, 100)
    # What is asked of the services by these is not part of this; reading them is.
    for slow in inbox.waiting(connection, "github", before + 1, slow=True):
        changed_by_push(json.loads(slow.payload))
        inbox.settle(connection, {slow.id: "looked at"})
    for told in inbox.waiting(connection, "shortcut", before + 1):
        assert all(isinstance(number, int) for number in stories_of(told.payload))
        inbox.settle(connection, {told.id: "looked at"})
    assert connection.execute(waiting).scalar_one() == 0, "deliveries were left"
    return int(before)


async def fuzz(url: str, seed: int, count: int, together: int = 50) -> Outcome:
    """Send them all, and look at every answer, the log, the memory and the inbox."""
    outcome, process = Outcome(), psutil.Process()
    database = Database(url)
    database.migrate()

    async def nothing(*_: Any) -> None:
        raise AssertionError("the door handed a webhook on")

    door = Door(nothing, database, sources(SECRETS), lambda: None)
    started = process.memory_info().rss
    source = cases(seed, count)
    at = 0
    while group := [case for case, _ in zip(source, range(together), strict=False)]:
        # Each comes from an address of its own: who is refused too often is told only to slow down.
        answers = (ask(door, case, f"client-{at + n}") for n, case in enumerate(group))
        statuses = await asyncio.gather(*answers)
        for case, status in zip(group, statuses, strict=True):
            outcome.statuses[status] += 1
            if status >= 500 or (status < 300 and not case.signed):
                outcome.broken.append(f"seed {seed}, case {at}: {status}, signed: {case.signed}")
            at += 1
        if at % (together * 20) == 0 or at == count:
            try:
                outcome.handled += await database.run(handle)
            except Exception as error:
                outcome.broken.append(f"seed {seed}, before case {at}: {type(error).__name__}: {error}"[:500])
        outcome.memory = max(outcome.memory, (process.memory_info().rss - started) / 1e6)
    database.dispose()
    return outcome


def largest(extra: int) -> bytes:
    """A signed body at the limit, or above it."""
    head = b'{"action": "opened", "zen": "'
    return head + b"z" * (MOST + extra - len(head) - 2) + b'"}'


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        outcome = asyncio.run(fuzz(f"sqlite:///{folder}/fuzz.db", options.seed, options.count))
    answers = ", ".join(f"{count} × {code}" for code, count in sorted(outcome.statuses.items()))
    print(
        f"{options.count} deliveries, seed {options.seed}: {answers}; {outcome.handled} handled; "
        f"{outcome.memory:.0f} MB more memory; {len(outcome.broken)} promises broken; "
        f"{time.monotonic() - started:.0f} s"
    )
    print(*outcome.broken[:20], sep="\n")
    return bool(outcome.broken)


if __name__ == "__main__":
    sys.exit(main())

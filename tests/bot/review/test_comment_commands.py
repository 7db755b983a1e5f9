"""Commands in comments: which are heard, from whom, and what follows within seconds."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.app.app import App
from bot.review import comment_commands as comments
from bot.review import decisions as correct
from bot.review.comment_commands import Order, is_command, parse, read
from bot.run.batches import work_batches
from bot.store import cases, learning
from tests.bot.deliver.test_reconcile import REPO, change, inside, labels, run, sent, story_of
from tests.bot.run.test_run import bugs, many
from tests.growth import text_grows_linearly
from tests.world import World

HELP = Order("")
REF = f"{REPO}#1"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("/triage route bug", Order("route", "bug")),
        ("/Triage ROUTE Feature", Order("route", "feature")),
        ("/triage  route\tdocs  \r\n", Order("route", "docs")),
        ("/triage route question.", Order("route", "question")),
        ("/triage route security", Order("route", "security")),
        ("/triage why", Order("why")),
        ("/triage retry", Order("retry")),
        ("/triage ignore", Order("ignore")),
        ("Hello\n\n/triage why\n/triage ignore", Order("why")),
        ("/triage", HELP),
        ("/triage route", HELP),
        ("/triage route bug feature", HELP),
        ("/triage route needs_human", HELP),
        ("/triage route \N{KELVIN SIGN}", HELP),
        ("/triage close", HELP),
        ("/triage why not", HELP),
        ("/triage close\n/triage why", HELP),
        ("", None),
        ("no command", None),
        ("/triager route bug", None),
        ("see /triage why", None),
        (" /triage why", None),
        ("    /triage why", None),
        ("> /triage why", None),
        ("- /triage why", None),
        ("```\n/triage why\n```", None),
        ("```\n/triage why\n```\n/triage retry", Order("retry")),
        ("````\n```\n/triage why\n````\n/triage retry", Order("retry")),
        ("~~~ sh\n/triage why\n```\n~~~\n/triage retry", Order("retry")),
        ("```\n/triage why", None),
        ("<!--\n/triage why\n-->\n/triage retry", Order("retry")),
        ("<!-- /triage why -->", None),
        ("<!-- a --> <!--\n/triage why\n-->", None),
        ("/triage why <!-- because -->", HELP),
        ("<pre>\n/triage why\n</pre>\n/triage retry", Order("retry")),
        ("<PRE lang=x>\n/triage why\n</Pre>", None),
        ("<code>\n/triage why\n</code>\n/triage retry", Order("retry")),
        ("a <code>b</code> c\n/triage why", Order("why")),
        ("a `<pre>` tag\n/triage why", Order("why")),
        ("a <prefix>\n/triage why", Order("why")),
        ("> ```\n/triage why\n> ```\n\n/triage retry", Order("retry")),
        ("> as ann said\n/triage why\n\n/triage retry", Order("retry")),
        ("```\n> x\n```\n/triage why", Order("why")),
        ("\u202e/triage why", None),
        ("/triage\N{NO-BREAK SPACE}why", None),
        ("\n" * 10_000 + "/triage why", Order("why")),
        ("text\n" * 10_000 + "/triage why", Order("why")),
        ("x" * 70_000 + "\n/triage why", None),
    ],
)
def test_which_lines_are_commands(body: str, expected: Order | None) -> None:
    assert parse(body) == expected


def test_a_long_comment_costs_linear_time() -> None:
    for body in ("<!--" * 16_000, "`" * 65_000, "/triage " * 8_000, "```\n" * 16_000, "<!-- -->\n" * 7_000):
        assert text_grows_linearly(parse, body)


def event(
    body: str = "/triage why", login: str = "ann", number: int = 1, comment: int = 900_001, **more: Any
) -> dict[str, Any]:
    user = {"login": login, "type": "User"}
    return {
        "action": "created",
        "issue": {"number": number, "title": "t", "state": "open"},
        "comment": {"id": comment, "body": body, "user": user},
        "repository": {"full_name": REPO},
        "sender": user,
    } | more


@pytest.mark.parametrize(
    ("payload", "heard"),
    [
        (event(), True),
        (event("nothing"), False),
        (event(action="edited"), False),
        (event(action="deleted"), False),
        (event(sender={"login": "helper[bot]", "type": "Bot"}), False),
        (event(login="helper[bot]"), False),
        (event(f"<!-- switchyard:{REF} -->\n\n/triage why"), False),
        (event(issue={"number": 1, "pull_request": {}}), False),
        (event(issue={"number": True}), False),
        (event(issue={"number": "1"}), False),
        (event() | {"comment": "no object"}, False),
        (event(repository={"full_name": "octo/widgets/../secrets"}), False),
        (event(repository=None), False),
        (event() | {"comment": None}, False),
        *((event(login=login), False) for login in ("", "../admin", "a b", "a/b", "ann\n", "x" * 200, "<b>")),
    ],
)
def test_whose_comments_are_heard(payload: dict[str, Any], heard: bool) -> None:
    assert is_command(payload) is heard
    if heard:
        found = read(payload)
        assert found is not None and found.ref == REF


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Three issues, which the bot takes for bugs."""
    monkeypatch.chdir(tmp_path)
    with bugs(tmp_path, many(3)) as made:
        made.set("scaling.cpu_workers", "0")
        made.set("repositories", f'["{REPO}"]')
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        for login, role in (("ann", "triage"), ("bob", "admin"), ("eve", "read"), ("nobody", "none")):
            made.control(account={"login": login, "permission": role, "browser": False})
        yield made
        made.assert_contracts()
        made.assert_once()


@asynccontextmanager
async def serving(**environment: str) -> AsyncIterator[App]:
    """The program as `serve` has it, with every issue triaged once."""

    async with inside(**environment) as app:
        await run(app)
        work = asyncio.create_task(work_batches(app))
        try:
            yield app
        finally:
            work.cancel()


async def until(true: Any, seconds: float = 300) -> None:
    """Wait for something that a sandbox in another thread shows."""
    deadline = time.monotonic() + seconds
    while not await asyncio.to_thread(true):
        assert time.monotonic() < deadline, "did not happen in time"
        await asyncio.sleep(0.05)


def comment(world: World, body: str, number: int = 1) -> int:
    """Somebody comments on an issue."""
    path = f"/repos/{REPO}/issues/{number}/comments"
    answer = world.http.post(path, json={"body": body}, headers={"Authorization": "token sandbox"})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def reactions(world: World, number: int) -> dict[str, int]:
    found = next(c for c in world.listed("comments") if c["id"] == number)
    return {
        name: n for name, n in found["reactions"].items() if n and name in ("+1", "-1", "confused", "eyes")
    }


def own_comments(world: World, number: int = 1) -> list[str]:
    texts = [c["body"] for c in world.listed("comments") if c["number"] == number]
    return [text for text in texts if text.startswith("<!-- switchyard:")]


async def say(app: App, world: World, body: str, login: str = "ann", number: int = 1) -> int:
    made = comment(world, body, number)
    await comments.answer(app, event(body, login, number, made))
    return made


def story_shows(world: World, story_type: str, label: str, number: int = 1) -> bool:
    found = story_of(world, number)
    names = [item["name"] for item in found["labels"]]
    return bool(found["story_type"] == story_type and label in names)


@pytest.mark.databases("sqlite", "postgresql")
async def test_a_maintainers_word_moves_the_story_within_seconds(world: World) -> None:
    async with serving() as app:
        assert story_shows(world, "bug", "bug") and "bug" in labels(world, 1)
        number = story_of(world, 1)["id"]
        made = await say(app, world, "/triage route feature")
        await until(lambda: story_shows(world, "feature", "feature"))
        await until(lambda: "enhancement" in labels(world, 1))
        await until(lambda: reactions(world, made) == {"+1": 1})
        await until(lambda: len(own_comments(world)) == 1)
        assert "bug" not in labels(world, 1)
        assert "bug" not in [label["name"] for label in story_of(world, 1)["labels"]]
        assert story_of(world, 1)["id"] == number, "no other story"
        assert "`ann`: Routed: feature." in own_comments(world)[0]
        (said,) = await app.database.query(learning.corrections)
        assert (said.before, said.after, said.person, said.via) == ("bug", "feature", "ann", "comment")
        # The same event once more, and the next whole run, change nothing.
        writes = world.writes()
        note = await comments.answer(app, event("/triage route feature", "ann", 1, made))
        assert note == "this comment was answered before"
        await run(app, full=True)
        assert world.writes() == writes
        assert story_shows(world, "feature", "feature") and "enhancement" in labels(world, 1)
        # And back again.
        await say(app, world, "/triage route bug", "bob")
        await until(lambda: story_shows(world, "bug", "bug"))
        await until(lambda: {"bug"} == labels(world, 1) & {"bug", "enhancement"})
        await until(
            lambda: "`ann` had said feature" in own_comments(world)[0].replace("ann had", "`ann` had")
        )
        assert len(own_comments(world)) == 1


async def test_somebody_without_permission_changes_nothing(world: World) -> None:
    async with serving() as app:
        before = own_comments(world)
        for login in ("eve", "nobody"):
            made = await say(app, world, "/triage route feature", login)
            await until(lambda made=made: reactions(world, made) == {"-1": 1})
        assert await app.database.query(learning.corrections) == []
        assert story_shows(world, "bug", "bug")
        assert own_comments(world) == before


@pytest.mark.databases("sqlite", "postgresql")
async def test_why_and_help_are_answered_in_the_one_comment(world: World) -> None:
    async with serving() as app:
        made = await say(app, world, "/triage why")
        await until(lambda: reactions(world, made) == {"eyes": 1})
        await until(lambda: "It goes to bug" in "".join(own_comments(world)))
        made = await say(app, world, "/triage please")
        await until(lambda: reactions(world, made) == {"confused": 1})
        await until(lambda: "I understand `/triage route bug`" in "".join(own_comments(world)))
        (text,) = own_comments(world)
        assert "It goes to bug" not in text, "the last answer only"
        assert sent(world, "github", "/permission") == 1, "what somebody may do is believed for a while"


async def test_where_comments_are_off_a_reaction_must_do(world: World) -> None:
    async with serving(**{"github.comment": "never"}) as app:
        made = await say(app, world, "/triage why")
        await until(lambda: reactions(world, made) == {"eyes": 1})
        assert own_comments(world) == []


async def test_a_security_answer_that_waits_is_not_taken_back(world: World) -> None:
    """On a busy machine the case is thought about again before GitHub has got the answer to the command."""
    async with serving() as app:
        app.lanes["github"].held_until = float("inf")
        made = await say(app, world, "/triage route security")
        async with asyncio.timeout(300):
            while not await app.database.query(
                lambda c: [line for line in cases.lines(c, None, route="security") if line.ref == REF]
            ):
                await asyncio.sleep(0.02)
        app.lanes["github"].held_until = 0.0
        app.wake_lanes()
        await until(lambda: reactions(world, made) == {"+1": 1})
        await until(lambda: "".join(own_comments(world)).endswith("Routed for review."))


async def test_of_a_security_case_nothing_is_said(world: World) -> None:
    async with serving() as app:
        await say(app, world, "/triage route security")
        await until(lambda: "needs review" in labels(world, 1) and "bug" not in labels(world, 1))
        await until(lambda: "Routed for review." in "".join(own_comments(world)))
        made = await say(app, world, "/triage why")
        await until(lambda: reactions(world, made) == {"eyes": 1})
        (text,) = own_comments(world)
        assert text.endswith("Routed for review.") and "security" not in text.lower()


@pytest.mark.databases("sqlite", "postgresql")
async def test_an_ignored_issue_is_left_alone_until_it_is_routed(world: World) -> None:
    async with serving() as app:
        made = await say(app, world, "/triage ignore")
        await until(lambda: reactions(world, made) == {"+1": 1})
        issues = await app.database.query(lambda c: cases.load_issues(c, [REF, f"{REPO}#2"]))
        due = await app.database.query(lambda c: cases.changed(c, issues, full=True))
        assert [issue.ref for issue in due] == [f"{REPO}#2"]
        refused = await say(app, world, "/triage retry")
        await until(lambda: reactions(world, refused) == {"confused": 1})
        await say(app, world, "/triage route docs")
        await until(lambda: story_shows(world, "chore", "docs"))


async def test_a_label_that_a_person_sets_later_wins_and_a_later_word_wins_again(world: World) -> None:
    async with serving() as app:
        await say(app, world, "/triage route feature")
        await until(lambda: story_shows(world, "feature", "feature"))
        await until(lambda: "enhancement" in labels(world, 1) and "bug" not in labels(world, 1))
        # The very label that the bot had put on and taken off: now it is a person's.
        await asyncio.sleep(1.1)
        path = f"/repos/{REPO}/issues/1/labels"
        headers = {"Authorization": "token sandbox"}
        world.http.post(path, json={"labels": ["bug"]}, headers=headers).raise_for_status()
        await run(app)
        await until(lambda: story_shows(world, "bug", "bug"))
        await until(lambda: labels(world, 1) & {"bug", "enhancement"} == {"bug"})
        await say(app, world, "/triage route docs")
        await until(lambda: story_shows(world, "chore", "docs"))
        await until(lambda: {"bug", "documentation"} <= labels(world, 1))
        said = await app.database.query(learning.corrections)
        assert [(c.after, c.via) for c in said] == [
            ("feature", "comment"),
            ("bug", "label"),
            ("docs", "comment"),
        ]


async def test_what_the_bot_moves_is_not_told_as_a_persons_doing(world: World) -> None:
    world.set("integrations.shortcut.routes", '{"feature": {"workflow_state_id": 500000002, "epic_id": 90}}')
    routes = world.environment["SWITCHYARD__INTEGRATIONS__SHORTCUT__ROUTES"]
    async with serving(**{"shortcut.routes": routes}) as app:
        await say(app, world, "/triage route feature")
        await until(lambda: story_of(world, 1)["epic_id"] == 90)
        change(world, 2, workflow_state_id=500000002)
        await run(app)
        await until(lambda: "story: In Progress" in labels(world, 2))
        assert not [name for name in labels(world, 1) if name.startswith(("story:", "epic:"))]
        # A person's move after that is told.
        change(world, 1, workflow_state_id=500000003)
        await run(app)
        await until(lambda: "story: Done" in labels(world, 1))
        assert not [name for name in labels(world, 1) if name.startswith("epic:")]


@pytest.mark.databases("sqlite", "postgresql")
async def test_two_people_at_once(world: World) -> None:
    async with serving() as app:
        shown = await app.database.query(lambda c: correct.version(c, REF))
        both = await asyncio.gather(
            *(
                app.database.run(
                    lambda c, who=who, route=route: correct.reroute(  # type: ignore[misc]
                        c, REF, route, person=who, via="slack", expected=shown
                    )
                )
                for who, route in (("ann", "feature"), ("bob", "docs"))
            )
        )
        app.new_batches.set()
        (winner,) = [said for said in both if said.done]
        (loser,) = [said for said in both if not said.done]
        assert loser.by in ("ann", "bob") and loser.route == winner.route
        assert f"decided: {winner.route}. Nothing was changed." in loser.words
        assert len(await app.database.query(learning.corrections)) == 1
        story_type = {"feature": "feature", "docs": "chore"}[winner.route]
        await until(lambda: story_shows(world, story_type, winner.route))
        # Whoever was first may change their mind, and pressing twice is pressing once.
        first = "ann" if loser.by == "ann" else "bob"
        for where, count in ((winner.route, 1), ("bug", 2), ("bug", 2)):
            again = await app.database.run(
                lambda c, where=where: correct.reroute(  # type: ignore[misc]
                    c, REF, where, person=first, via="slack", expected=shown
                )
            )
            assert again.done and again.route == where
            assert len(await app.database.query(learning.corrections)) == count

"""News: who is told what of a case, and that nothing about security reaches a channel that many read."""

import json
import time
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.app.app import App
from bot.notify import case_messages as news
from bot.review import slack_commands as people
from bot.store import cases
from bot.store.daily import run_of_the_day
from integrations.github.payloads import parse_issue
from integrations.slack.webhook import Interaction
from models.tables import AuditRow, CaseRow, CommandRow, CorrectionRow, RepositoryConfigRow
from tests.bot.conftest import make_app  # noqa: F401 (a fixture)
from tests.bot.trigger.test_inbox import REPO, issue_event
from tests.bot.trigger.test_slack import app  # noqa: F401 (a fixture)

_cases: Any = CaseRow.__table__  # type: ignore[attr-defined]
_commands: Any = CommandRow.__table__  # type: ignore[attr-defined]
TITLE = "Heap overflow in the parser"
pytestmark = pytest.mark.databases("sqlite", "postgresql")


def put(connection: Connection, number: int, route: str = "needs_human") -> None:
    """A case of the day's run, as triage leaves it."""
    run_id = run_of_the_day(connection)
    issue = parse_issue(json.loads(issue_event(number))["issue"], REPO)
    cases.store_copies(connection, run_id, [issue])
    connection.execute(
        sa.insert(_cases).values(
            key=issue.ref,
            run_id=run_id,
            status="triaged",
            route=route,
            content_hash="x",
            own_labels=[],
            urgency=1.0,
            trace_key="",
            title=TITLE,
            url=issue.html_url,
            failures=0,
            error="",
            updated_at=time.time(),
            detail={"by": "model", "probabilities": {"bug": 0.5, "feature": 0.3}, "severity": "low"},
        )
    )


def tell(connection: Connection, app: App) -> None:  # noqa: F811
    now = time.time()
    news.store(connection, news.tell(connection, app.settings, now), now)


def messages(connection: Connection) -> dict[str, str]:
    """What stands in Slack, by key."""
    rows = connection.execute(sa.select(_commands).where(_commands.c.operation == "post_message"))
    return {row.key: json.dumps(row.payload) for row in rows}


def says(connection: Connection, app: App, action: str, value: str = "", **more: Any) -> str:  # noqa: F811
    """Somebody does something about issue 7; what came of it."""
    what = {"kind": "command", "person": "U1", "person_name": "ann", "team": "T1", "channel": "C1"} | more
    interaction = Interaction(
        id=f"i{time.time_ns()}", action=action, value=value, issue=f"{REPO}#7", at=time.time(), **what
    )
    commands, note = people._do(connection, app, interaction, time.time())
    commands += news.renew(connection, [f"{REPO}#7"])
    news.store(connection, commands, time.time())
    return note


async def test_what_a_person_calls_security_leaves_the_shared_channel(app: App) -> None:  # noqa: F811
    def work(connection: Connection) -> tuple[dict[str, str], dict[str, str]]:
        put(connection, 7)
        tell(connection, app)
        says(connection, app, "route", "security", kind="button")
        before = messages(connection)
        connection.execute(sa.update(_cases).values(route="security"))
        tell(connection, app)
        return before, messages(connection)

    before, after = await app.database.run(work)
    for shown in (before[f"case:{REPO}#7"], after[f"case:{REPO}#7"]):
        assert TITLE not in shown and "security" not in shown.lower() and "routed for review" in shown
    assert TITLE in after[f"secret:{REPO}#7"]


async def test_no_answer_names_security(app: App) -> None:  # noqa: F811
    def work(connection: Connection) -> Sequence[str]:
        put(connection, 7)
        said = [
            says(connection, app, "route", "security"),
            says(connection, app, "route", "bug", person_name="bob"),
        ]
        table: Any = CorrectionRow.__table__  # type: ignore[attr-defined]
        connection.execute(sa.update(table).values(at=time.time() - 60))
        return [*said, says(connection, app, "route", "bug", person_name="bob")]

    assert [words for words in await app.database.run(work) if "security" in words.lower()] == []


async def test_many_reports_are_all_told_and_do_not_flood(app: App) -> None:  # noqa: F811
    def work(connection: Connection) -> dict[str, str]:
        for number in range(1, 31):
            put(connection, number, "security")
        tell(connection, app)
        tell(connection, app)
        return messages(connection)

    found = await app.database.run(work)
    assert len(found) == news.ALONE + 1
    gathered = next(json.loads(text) for key, text in found.items() if key.startswith(news.SEVERAL))
    alone = {key.removeprefix("secret:") for key in found if key.startswith("secret:")}
    assert alone | set(gathered["refs"]) == {f"{REPO}#{number}" for number in range(1, 31)}
    assert gathered["channel"] == "#security"


async def test_a_repository_that_is_off_is_left_alone(app: App) -> None:  # noqa: F811
    def work(connection: Connection) -> str:
        put(connection, 7)
        table: Any = RepositoryConfigRow.__table__  # type: ignore[attr-defined]
        off = {"repo": REPO, "data": {"enabled": False}, "sha": "1", "problem": "", "read_at": time.time()}
        connection.execute(sa.insert(table).values(**off))
        return says(connection, app, "route", "bug")

    assert await app.database.run(work) == "switched off"


async def test_another_workspace_is_not_served(app: App) -> None:  # noqa: F811
    def work(connection: Connection) -> tuple[str, int]:
        put(connection, 7)
        note = says(connection, app, "route", "bug", team="T_ELSE")
        return note, len(list(connection.execute(sa.select(CorrectionRow.__table__))))  # type: ignore[attr-defined]

    app.targets["slack"]._team = "T1"  # type: ignore[attr-defined]
    assert await app.database.run(work) == ("another workspace's", 0)


async def test_muting_and_its_end_are_noted(app: App) -> None:  # noqa: F811
    def work(connection: Connection) -> list[str]:
        for action in ("mute", "unmute"):
            says(connection, app, action, channel_name="triage")
        table: Any = AuditRow.__table__  # type: ignore[attr-defined]
        return list(connection.execute(sa.select(table.c.action).order_by(table.c.id)).scalars())

    assert await app.database.run(work) == ["channel.mute", "channel.unmute"]

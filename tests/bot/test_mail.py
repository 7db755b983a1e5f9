"""Mail: who is told what and how often, what a mail shows, alerts everywhere once, and no target in another's way."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot import alerts, letters, mail
from bot.alerts import Channels
from bot.store import outbox
from bot.store.database import Database
from config.settings import Settings
from models.commands import Command
from models.report import CaseLine, RunReport
from models.tables import BatchRow, CaseRow, CommandRow, RunRow
from tests.smtp import PASSWORD, USER, Post, post, self_signed
from tests.world import World

_commands: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)  # a Saturday
TEAM, LEAD = "team@example.com", "lead@example.com"


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.write() as opened:
        yield opened


def settings(*recipients: Any, **options: Any) -> Settings:
    email = {
        "host": "127.0.0.1",
        "tls": "none",
        "sender": "triage@example.com",
        "recipients": list(recipients),
    }
    return Settings.model_validate({"integrations": {"email": email}, **options})


def add_run(connection: Connection, name: str, ended: datetime, **routes: int) -> None:
    """A run that ended then, with so many cases of each route."""
    run: sa.Table = RunRow.__table__  # type: ignore[attr-defined]
    batch: sa.Table = BatchRow.__table__  # type: ignore[attr-defined]
    case: sa.Table = CaseRow.__table__  # type: ignore[attr-defined]
    at = ended.timestamp()
    common = {"params": {}, "progress": {}, "requests": {}, "problems": []}
    connection.execute(
        sa.insert(run).values(
            id=name, trigger="cli", status="done", started_at=at - 9, finished_at=at, **common
        )
    )
    counts = {"triaged": sum(routes.values()), "routes": routes}
    connection.execute(sa.insert(batch).values(run_id=name, number=0, state="done", refs=[], counts=counts))
    for route, count in routes.items():
        for number in range(count):
            connection.execute(
                sa.insert(case).values(
                    key=f"octo/{name}#{number + 1}{len(route)}",
                    run_id=name,
                    status="triaged",
                    route=route,
                    content_hash="",
                    own_labels=[],
                    urgency=number / 100,
                    trace_key="",
                    title=f"{route} of {name} number {number}",
                    url=f"https://github.com/octo/{name}/issues/{number + 1}",
                    failures=0,
                    error="",
                    detail={"severity": "high", "escalation": [f"{route} evidence"]},
                    updated_at=at,
                )
            )


def report(**values: Any) -> RunReport:
    given = {"run_id": "r1", "status": "completed", "triaged": 3, "routes": {"bug": 3}}
    return RunReport(**{**given, **values})


def keys(commands: list[Command]) -> list[str]:
    return [command.key for command in commands]


def test_each_recipient_is_told_what_it_asked_for(connection: Connection) -> None:
    add_run(connection, "r1", NOW, bug=2, security=1)
    chosen = settings(
        TEAM,
        {"address": "fixer@example.com", "what": ["problems"]},
        {"address": "guard@example.com", "what": ["security"], "often": "daily"},
        {"address": "ops@example.com", "what": ["alerts"]},
        {"address": LEAD, "often": "weekly"},
    )
    fine = report(routes={"bug": 2, "security": 1})
    found = mail.commands(connection, chosen, fine, news=True)
    # A security report goes out at once, however often anything else does.
    assert keys(found) == [f"mail:r1:{TEAM}", "mail:r1:security:guard@example.com"]
    broken = report(problems=("octo/widgets: HTTP 500",), status="partial")
    assert keys(mail.commands(connection, chosen, broken, news=False)) == ["mail:r1:fixer@example.com"]
    assert keys(mail.commands(connection, chosen, report(), news=False)) == []
    # Who asks for both gets one mail.
    both = settings({"address": TEAM, "what": ["digest", "problems"]})
    (one,) = mail.commands(connection, both, broken, news=True)
    assert "something needs mending" in one.payload["subject"] and "HTTP 500" in one.payload["text"]
    assert mail.planned(chosen, {"security": 1}, news=True) == 2


def test_a_security_report_is_told_once_and_once_more_where_its_severity_changed(
    connection: Connection,
) -> None:
    add_run(connection, "r1", NOW, security=2)
    chosen = settings(*({"address": f"{who}@example.com", "what": ["security"]} for who in ("one", "two")))
    cases: sa.Table = CaseRow.__table__  # type: ignore[attr-defined]
    one = "octo/r1#18"

    def tell(run_id: str, severity: str) -> list[Command]:
        values = {"run_id": run_id, "detail": {"severity": severity, "escalation": ["evidence"]}}
        connection.execute(sa.update(cases).where(cases.c.key == one).values(values))
        found = mail.security(connection, chosen, run_id)
        outbox.store_once(connection, run_id, found, NOW.timestamp())
        return found

    first = tell("r1", "high")
    assert keys(first) == [f"mail:r1:security:{who}@example.com" for who in ("one", "two")]
    assert "2 possible security reports to review" in first[0].payload["text"]
    assert tell("r2", "high") == []
    second = tell("r3", "critical")
    assert len(second) == 2
    assert "1 possible security report to review" in second[0].payload["text"]
    assert "severity is critical now, it was high" in second[0].payload["text"]
    assert tell("r4", "low") == tell("r5", "high") == []


def test_security_reports_show_only_where_they_were_asked_for(connection: Connection) -> None:
    add_run(connection, "r1", NOW, bug=1, security=1)
    chosen = settings(TEAM, {"address": "guard@example.com", "what": ["security"]})
    both = report(routes={"bug": 1, "security": 1})
    team, guard = mail.commands(connection, chosen, both, news=True)
    for part in ("subject", "text", "html"):
        assert "security of r1" not in team.payload[part] and "evidence" not in team.payload[part]
    assert "routed for review" in team.payload["text"] and "routed for review" in team.payload["html"]
    assert "security of r1 number 0" in guard.payload["text"] and "security evidence" in guard.payload["html"]
    assert "security of r1" not in guard.payload["subject"]


def line(title: str, **values: Any) -> CaseLine:
    given = {"ref": "octo/widgets#1", "url": "https://github.com/octo/widgets/issues/1", "route": "bug"}
    return CaseLine(**{**given, "title": title, "urgency": 0.5, "detail": {"severity": "high"}, **values})


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        '<img src="https://evil.example/pixel.gif">',
        '"><a href="https://evil.example">click</a>',
        "{{ 7*7 }} {% raw %}",
        "see https://evil.example/x and www.evil.example or mail me@evil.example",
        "a\r\nBcc: thief@evil.example\x00\u202e\ud800",
        "x" * 5_000,
    ],
)
def test_issue_text_is_harmless(evil: str) -> None:
    cases = [line(evil), line(evil, url="javascript:alert(1)", story_url="javascript:alert(2)")]
    letter = letters.digest(settings(TEAM), report(problems=(evil,), status="partial"), cases, [])
    page, text = letters.as_html(letter), letters.as_text(letter)
    assert "<script" not in page and "<img" not in page and "javascript:" not in page + text
    links = set(re.findall(r'href="([^"]*)"', page))
    assert links == {"https://github.com/octo/widgets/issues/1"}
    # What a mail program would make a link of is broken up.
    assert "evil.example" not in page + text and "evil.example" not in letter.subject
    assert not set("\r\x00\u202e\ud800") & set(page + text) and len(page) < 20_000
    (page + text).encode()


def test_it_links_to_the_report_where_people_reach_it() -> None:
    here = settings(TEAM, monitoring={"public_url": "https://triage.example.com/"})
    page = letters.as_html(letters.digest(here, report(), [], []))
    assert 'href="https://triage.example.com/reports/r1.html"' in page
    assert "reports/r1.html" in letters.as_text(letters.digest(settings(TEAM), report(), [], []))


@pytest.mark.parametrize(
    ("often", "now", "end"),
    [
        ("daily", "2026-11-21T09:30", "2026-11-21T07:00"),
        ("daily", "2026-11-21T07:00", "2026-11-21T07:00"),
        ("daily", "2026-11-21T06:59", "2026-11-20T07:00"),
        ("weekly", "2026-11-21T09:30", "2026-11-16T07:00"),
        ("weekly", "2026-11-16T06:59", "2026-11-09T07:00"),
        ("weekly", "2026-11-16T07:00", "2026-11-16T07:00"),
        # The night in which clocks go back.
        ("daily", "2026-10-25T09:00", "2026-10-25T07:00"),
    ],
)
def test_when_a_day_and_a_week_end(often: Any, now: str, end: str) -> None:
    zone = ZoneInfo("Europe/Berlin")
    found = mail.last_end(often, datetime.fromisoformat(now).replace(tzinfo=zone))
    assert found == datetime.fromisoformat(end).replace(tzinfo=zone)


def store_due(connection: Connection, chosen: Settings, now: datetime) -> list[Command]:
    found = mail.due(connection, chosen, now.timestamp())
    outbox.store_once(connection, mail.RUN_ID, found, now.timestamp())
    return found


def test_a_days_runs_come_in_one_mail(connection: Connection) -> None:
    chosen = settings({"address": TEAM, "often": "daily"}, {"address": LEAD, "often": "weekly"})
    assert store_due(connection, chosen, NOW) == []
    add_run(connection, "old", NOW - timedelta(days=3), bug=1)
    add_run(connection, "one", NOW - timedelta(hours=20), bug=2, needs_human=1)
    add_run(connection, "two", NOW - timedelta(hours=5), bug=3, docs=1)
    add_run(connection, "late", NOW - timedelta(hours=1), bug=100)
    (found,) = store_due(connection, chosen, NOW)
    assert found.key == f"mail:2026-11-20:{TEAM}"
    text = found.payload["text"]
    assert "7 issues triaged" in text and "bug of two number 2" in text and "bug of late" not in text
    assert "2 runs from Fri 20 Nov 07:00 to Sat 21 Nov 07:00 (UTC)" in text
    assert store_due(connection, chosen, NOW + timedelta(hours=2)) == []
    # Nothing was started on Sunday morning; Monday's mail holds what came since the last one.
    monday = NOW + timedelta(days=2)
    daily, weekly = store_due(connection, chosen, monday)
    assert daily.key == f"mail:2026-11-22:{TEAM}" and "100 issues triaged" in daily.payload["text"]
    assert weekly.key == f"mail:2026-W47:{LEAD}" and "108 issues triaged" in weekly.payload["text"]


def test_an_alert_goes_to_every_channel_once_and_its_end_too(connection: Connection) -> None:
    everywhere = Channels(slack=True, hooks=(("webhook:0", "abc"), ("webhook:1", "def")), mail=(TEAM, LEAD))
    began = everywhere.tell("error_rate:github", 1_700_000_000, "github: <b>9</b> of 20 failed")
    assert [command.lane for command in began] == ["slack", "webhook:0", "webhook:1", "email", "email"]
    over = everywhere.tell("error_rate:github", 1_700_000_000, "github: 9 of 20 failed", over=True)
    assert len({*keys(began), *keys(over)}) == 10
    assert began[1].payload["event"]["type"] == "alert.started"
    assert over[1].payload["event"]["type"] == "alert.ended"
    assert over[1].payload["event"]["data"] == {
        "name": "error_rate:github",
        "since": "2023-11-14T22:13:20Z",
        "detail": "github: 9 of 20 failed",
    }
    assert over[3].payload["follows"] == began[3].key
    assert "<b>" not in began[3].payload["html"] and began[3].payload["subject"] == "[triage] Alert: github"
    thresholds = Settings().monitoring.alert_thresholds
    seen = alerts.Seen([(4_990.0, 0.1, False)] * 20)
    watch = alerts.Watch("a:1:x", {"github": seen}, thresholds, 1_700_000_000.0, 5_000.0)
    for _ in range(2):
        alerts.settle(connection, watch, (), everywhere)
    stored = connection.execute(sa.select(_commands.c.lane).order_by(_commands.c.key)).scalars().all()
    assert sorted(stored) == ["email", "email", "slack", "webhook:0", "webhook:1"]


# --- whole runs -------------------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        yield made


def tell_by_mail(world: World, server: Post, *recipients: Any, **options: Any) -> None:
    email = {"host": "127.0.0.1", "port": server.port, "tls": "none", "sender": "triage@example.com"}
    world.set("integrations.email", json.dumps({**email, "recipients": list(recipients), **options}))
    world.set("integrations.webhooks", json.dumps([{"url": f"{world.base}/hooks/t", "secret_env": "HOOK"}]))
    world.environment["HOOK"] = "whsec_" + "QUJD" * 8


@pytest.mark.slow
def test_a_run_mails_its_digest_once(world: World, tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    with post(tls="starttls", certificate=certificate, auth=True) as server:
        signed_in = {"tls": "starttls", "ca_file": str(certificate), "username": USER}
        guard = {"address": "guard@example.com", "what": ["security"]}
        tell_by_mail(world, server, TEAM, LEAD, guard, **signed_in)
        without = world.run("run", "--json", "--dry-run").json
        assert any("SMTP_PASSWORD" in words for words in without["skipped"])
        world.environment["SMTP_PASSWORD"] = PASSWORD
        checks = {check["name"]: check for check in world.run("doctor", "--json").json["checks"]}
        assert checks["email"]["ok"] and "no mail was sent" in checks["email"]["detail"]
        assert server.mails == []
        first = world.run("run", "--json")
        assert first.code == 0, first.err
        done = first.json
        assert done["status"] == "completed"
        assert done["notifications"]["email"] == len(server.mails) == 2 + bool(done["routes"].get("security"))
        (digest,) = server.to(TEAM)
        assert digest["Subject"].startswith("[triage] 60 issues triaged, ")
        assert PASSWORD not in first.out + first.err
        before = len(server.mails)
        world.run("run", "--json")
        assert len(server.mails) == before


@pytest.mark.slow
def test_a_recipient_that_bounces_does_not_stop_the_others(world: World) -> None:
    with post() as server:
        server.refusals["gone@example.com"] = "550 5.1.1 no such user"
        server.refusals["slow@example.com"] = "450 4.2.0 greylisted"
        tell_by_mail(world, server, "gone@example.com", "slow@example.com", TEAM, LEAD)
        done = world.run("run", "--json").json
        assert len(server.to(TEAM)) == len(server.to(LEAD)) == 1
        assert done["notifications"] | {"slack": 0} == {
            "slack": 0, "email": 2, "webhook": 1, "notion": 0, "api": 0, "queued": 1, "dead": 1,
        }  # fmt: skip
        listed = world.run("queue", "list", "--json").out
        assert "the mail to gone@example.com was refused (550 5.1.1 no such user)" in listed
        assert "greylisted" in listed


@pytest.mark.parametrize(
    "fault",
    [pytest.param("hangs", marks=pytest.mark.slow), "refuses", pytest.param("away", marks=pytest.mark.slow)],
)
def test_a_mail_server_that_fails_holds_up_nobody_else(world: World, fault: str) -> None:
    with post() as server:
        server.hangs = fault == "hangs"
        if fault == "refuses":
            server.sender_reply = "451 4.3.0 out of order"
        tell_by_mail(world, server, TEAM, timeout="4s")
        # Its next try comes after the run: nothing else is there to wait for.
        world.set("resilience.retry.initial_delay", "10m")
        world.set("resilience.retry.max_delay", "10m")
        if fault == "away":
            world.set("integrations.email.port", "9")
        done = world.run("run", "--json", "--wait", "4m").json
        assert done["stories"]["created"] > 0 and done["stories"]["queued"] == 0
        assert done["notifications"]["slack"] >= 1 and done["notifications"]["webhook"] == 1
        assert done["notifications"]["email"] == 0 and done["notifications"]["queued"] == 1
        assert len(world.listed("webhooks")) == 1
        assert any("for email wait" in problem for problem in done["problems"])
        assert server.mails == []


@pytest.mark.slow
def test_what_waited_is_delivered_once_when_the_server_is_back(world: World) -> None:
    with post() as server:
        server.sender_reply = "451 4.3.0 out of order"
        tell_by_mail(world, server, TEAM)
        world.run("run", "--json", "--wait", "1s")
        assert server.mails == []
        server.sender_reply = None
        world.run("queue", "drain")
        world.run("queue", "drain")
        assert len(server.to(TEAM)) == 1

"""People: carries out what they press and type in Slack, and keeps the messages about cases true."""

import asyncio
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import structlog

from bot.app.app import App
from bot.notify import case_messages as news
from bot.notify import quiet_hours as hours
from bot.review import decisions as correct
from bot.review.slack_reads import Reads, people_waiting, waiting
from bot.run.fetch import Params
from bot.run.run import new_id
from bot.store import audit, cases, inbox, pauses, runs
from bot.store import repo_configs as repository_config
from bot.store.database import StoreError, Transaction, brief
from bot.store.repositories import served
from integrations.slack import payloads_home
from integrations.slack.webhook import Interaction
from models.commands import Command
from models.messages import publish_home, reply_to
from models.tables import CaseRow, CorrectionRow
from models.units import parse_duration

log = structlog.get_logger()
_cases: sa.Table = CaseRow.__table__  # type: ignore[attr-defined]
_corrections: sa.Table = CorrectionRow.__table__  # type: ignore[attr-defined]

LOOK = 1.0
"""Seconds between two looks for what another process stored, and at the cases."""
TAKEN = 20
SEEN_AFTER = 5.0
"""Seconds that a message needs to show everybody what one of them decided; who presses sooner did not see it."""
BEFORE_START = 600.0
"""Seconds before the last case was stored, from which on messages are checked at a start."""
MUTED = 8 * 3600.0
LONGEST_MUTE = 7 * 86_400.0
SLACK = "slack"


async def work_people(app: App) -> None:
    """Answer people and keep messages true, for ever; woken when something comes."""
    seen: tuple[float, int] | None = None
    while True:
        try:
            if seen is None:
                # What the command line said while no server lived is told as well.
                at, number = await app.database.query(_mark)
                seen = (at - BEFORE_START, number - 50)
            if await app.database.query(lambda c: inbox.is_waiting(c, SLACK)):
                await app.database.run(lambda c: carry_out(c, app, time.time()))
                app.new_batches.set()
                app.wake_lanes()
            if SLACK in app.targets:
                seen, stored = await _keep_true(app, seen)
                if stored:
                    app.wake_lanes()
            app.tasks.worked("people")
        except StoreError as error:
            log.error("people wait for an answer, trying again", error=brief(error))
            app.tasks.failed("people", brief(error))
        try:
            async with asyncio.timeout(LOOK):
                await app.interacted.wait()
        except TimeoutError:
            pass
        app.interacted.clear()


async def _keep_true(app: App, seen: tuple[float, int]) -> tuple[tuple[float, int], bool]:
    """Tell what needs a person and is new, edit what changed since `seen`; looks first whether there is anything."""
    now = time.time()
    mark = await app.database.query(_mark)
    woken = await app.database.query(lambda c: pauses.over(c, pauses.SNOOZE, now))
    if mark == seen and not woken:
        return seen, False

    def work(connection: Transaction) -> bool:
        # Cases of one second may be stored by two transactions: the last second is looked at again.
        changed = connection.execute(sa.select(_cases.c.key).where(_cases.c.updated_at >= seen[0] - 2.0))
        corrected = connection.execute(sa.select(_corrections.c.issue).where(_corrections.c.id > seen[1]))
        refs = {*changed.scalars(), *corrected.scalars(), *woken}
        known = news.told(connection, sorted(refs)) if len(refs) <= 500 else refs
        for ref in woken:
            pauses.end(connection, f"{pauses.SNOOZE}{ref}")
        commands = news.renew(connection, known & refs) + news.tell(connection, app.settings, now)
        news.store(connection, commands, now)
        return bool(commands)

    return mark, await app.database.run(work)


def _mark(connection: Transaction) -> tuple[float, int]:
    """When a case was stored last, and the number of the last correction."""
    at = connection.execute(sa.select(sa.func.max(_cases.c.updated_at))).scalar() or 0.0
    return at, int(connection.execute(sa.select(sa.func.max(_corrections.c.id))).scalar() or 0)


def carry_out(connection: Transaction, app: App, now: float) -> int:
    """Do what waits in the inbox, in one transaction with its end; returns how much that was."""
    rows = inbox.waiting(connection, SLACK, TAKEN)
    notes: dict[str, str] = {}
    for row in rows:
        try:
            interaction = Interaction.from_json(row.payload)
        except ValueError:
            notes[row.id] = "not readable"
            continue
        commands, note = _do(connection, app, interaction, now)
        notes[row.id] = note
        if interaction.issue:
            commands += news.renew(connection, [interaction.issue])
        news.store(connection, commands, now)
    inbox.settle(connection, notes)
    return len(rows)


def _do(connection: Transaction, app: App, what: Interaction, now: float) -> tuple[list[Command], str]:
    """One thing that a person did: the answers it leads to, and a note."""
    target = app.targets.get(SLACK)
    ours = getattr(target, "team", None)
    if ours is not None and what.team != ours:
        return [], "another workspace's"
    if what.kind == "home":
        return [_home(connection, app, what.person, now)], "the home tab"
    if what.issue and not _is_ours(connection, app, what.issue):
        return _reply(what, f"{what.issue} is none of the issues that I look after.", now), "another's issue"
    repo = what.issue.rpartition("#")[0].lower()
    if what.action != "why" and repo in repository_config.off(connection):
        return _reply(what, repository_config.off_words(repo), now), "switched off"
    words = _act(connection, app, what, now)
    # A button shows its effect on the message; only a command, or what was not done, needs words.
    silent = what.kind == "button" and words.startswith(
        ("Routed", "Approved", "Left alone", "Snoozed", "Held", correct.REVIEW.capitalize())
    )
    return ([] if silent else _reply(what, words, now)), words


def _act(connection: Transaction, app: App, what: Interaction, now: float) -> str:
    person = what.person_name or what.person
    zone = app.settings.schedule.timezone
    if what.action == "why":
        found = correct.why(connection, what.issue)
        if found is None:
            return f"{what.issue} was not triaged here, or not yet."
        return payloads_home.why(
            found.ref, found.lines, story_url=found.story_url, may_correct=not found.private
        )
    if what.action in ("route", "approve"):
        route = "approve" if what.action == "approve" else what.value
        if route not in (*correct.ANSWERS, "approve"):
            return f"{route[:40]!r} is no route; there are {', '.join(correct.ANSWERS)}."
        if not what.issue:
            return "Name the issue: `/triage route owner/name#1 bug`."
        expected = _as_shown(connection, what, person, now)
        said = correct.reroute(
            connection,
            what.issue,
            route,  # type: ignore[arg-type]
            person=person,
            via=SLACK,
            now=now,
            expected=expected,
        )
        # Elsewhere than in its own channel nothing is said of a security case, nor that it was one.
        return f"{correct.REVIEW.capitalize()}." if "security" in said.words else said.words
    if what.action == "ignore":
        return correct.ignore(connection, what.issue, person=person, via=SLACK, now=now).words
    if what.action == "snooze":
        until = hours.tomorrow(zone, now)
        return correct.snooze(connection, what.issue, person=person, until=until, now=now).words
    if what.action == "hold":
        return correct.snooze(connection, what.issue, person=person, until=None, now=now).words
    if what.action == "run":
        return _start(connection, app, person, now)
    if what.action in ("mute", "unmute"):
        return _mute(connection, app, what, person, zone, now)
    return "I do not know that; `/triage help` tells what there is."


def _as_shown(connection: Transaction, what: Interaction, person: str, now: float) -> int:
    """The correction that the person knew of: the latest, unless another's came too late to be seen.

    Times are of this machine's clock, by which presses are stored, too.
    """
    query = sa.select(_corrections).where(sa.func.lower(_corrections.c.issue) == what.issue.lower())
    last = connection.execute(query.order_by(_corrections.c.id.desc()).limit(1)).one_or_none()
    if last is None:
        return 0
    is_news = last.person != person and last.at > (what.at or now) - SEEN_AFTER
    return 0 if is_news else int(last.id)


def _is_ours(connection: Transaction, app: App, ref: str) -> bool:
    names = {name.lower() for name in served(connection, app.settings)}
    return ref.rpartition("#")[0].lower() in names


def _reply(what: Interaction, words: str, now: float) -> list[Command]:
    if not what.response_url:
        return []
    return [reply_to(what.id, response_url=what.response_url, at=what.at or now, text=words)]


def _start(connection: Transaction, app: App, person: str, now: float) -> str:
    """Begin a run over all repositories; the loop of runs takes it up."""
    names = served(connection, app.settings)
    if not names:
        return "There are no repositories to look at."
    at_work = runs.running(connection)
    if at_work is not None:
        return f"Run {at_work} is at work already; wait for its end."
    run_id = new_id(SLACK)
    runs.create(connection, run_id, SLACK, Params(repositories=tuple(names)).to_json(), None)
    audit.note(connection, now, actor=person, via=SLACK, action="run.start", subject=run_id)
    return f"Run {run_id} begins; its digest comes to the channel."


def _mute(connection: Transaction, app: App, what: Interaction, person: str, zone: str, now: float) -> str:
    """Keep new messages from a channel for a while; edits and the security channel go on."""
    slack = app.settings.integrations.slack
    name = f"#{what.channel_name}" if what.channel_name else ""
    if slack is not None and slack.security_channel in (name, what.channel):
        return "The security channel cannot be muted."
    names = [key for key in (what.channel, name) if key]
    keys = [f"{hours.MUTE}{key}" for key in names]
    if what.action == "unmute":
        ended = pauses.end(connection, *keys)
        audit.note(
            connection, now, actor=person, via=SLACK, action="channel.unmute", subject=name or what.channel
        )
        hours.release(connection, app.settings, names, now)
        return "This channel is told again." if ended else "This channel was not muted."
    try:
        seconds = parse_duration(what.value) if what.value else MUTED
    except ValueError:
        return f"{what.value[:40]!r} is no duration; write `/triage mute 2h`."
    until = now + min(max(seconds, 60.0), LONGEST_MUTE)
    for key in keys:
        pauses.begin(connection, key, person, now, until)
    audit.note(connection, now, actor=person, via=SLACK, action="channel.mute", subject=name or what.channel)
    shown = datetime.fromtimestamp(until, UTC).astimezone(ZoneInfo(zone))
    return f"No new messages here until {shown:%Y-%m-%d %H:%M} ({zone}); `/triage unmute` ends that sooner."


def _home(connection: Transaction, app: App, person: str, now: float) -> Command:
    """The home tab: how it goes, what waits, and the cases that need a person, the most urgent first."""
    lines = list(cases.lines(connection, None, people_only=True, limit=payloads_home.MOST_CASES))
    blocks = payloads_home.home(
        Reads(app).status(connection),
        payloads_home.queue(waiting(connection)),
        lines,
        total=people_waiting(connection),
        updated=f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M} UTC",
    )
    return publish_home(person, blocks)

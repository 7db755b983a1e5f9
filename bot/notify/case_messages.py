"""News: the Slack messages about single cases, one an issue, told when a person is needed and edited ever after."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from bot.notify import quiet_hours as hours
from bot.store import cases, learning, outbox, pauses
from bot.store import repo_configs as repository_config
from bot.store.daily import run_of_the_day
from bot.store.database import Transaction
from config.repository import ChannelsSection
from config.settings import Settings
from integrations.slack import payloads_cases as words
from models.commands import Command
from models.messages import post_message
from models.report import CaseLine
from models.tables import CaseRow, CommandRow, RunRow

_cases: sa.Table = CaseRow.__table__  # type: ignore[attr-defined]
_commands: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]
_runs: sa.Table = RunRow.__table__  # type: ignore[attr-defined]

MOST_TOLD = 20
"""Cases that are told in a digest's thread, the most urgent; the home tab has the others."""
MOST_AT_ONCE = 500
"""Cases that are told in one look."""
ALONE = 5
"""Messages about single cases within WINDOW, after which further ones are gathered in one."""
WINDOW = 600.0
GATHERED_KEPT = 2 * 86_400.0
"""Seconds for which a message about several cases is edited."""
CASE, SECRET, SEVERAL = "case:", "secret:", "cases:"
"""What begins the keys of messages: about a case, about one for the security team, about several."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """Which channel is told of a case."""

    settings: Settings
    own: Mapping[str, ChannelsSection]
    """The channels that repositories (in lower case) name themselves."""

    def of(self, line: CaseLine) -> str:
        """The channel's name; empty for the operator's own."""
        slack = self.settings.integrations.slack
        named = self.own.get(_repo(line.ref))
        if line.route == "security":
            return (named.security if named else None) or (slack.security_channel if slack else "")
        if named and named.digest:
            return named.digest
        return slack.channels.get(line.route, "") if slack else ""  # type: ignore[call-overload]


def rooms(connection: Transaction, settings: Settings) -> Rooms:
    return Rooms(settings, repository_config.channels(connection))


def in_threads(
    connection: Transaction, settings: Settings, run_id: str, digests: Mapping[str, str]
) -> list[Command]:
    """The run's cases that need a person and were not told yet, the most urgent, each in its digest's thread.

    `digests` has the digest's key by channel. A case of a channel that gets no digest is told there by itself.
    """
    places, now = rooms(connection, settings), time.time()
    found: list[Command] = []
    for line in cases.lines(
        connection, run_id, people_only=True, only=_untold(connection, now), limit=MOST_TOLD
    ):
        channel = places.of(line)
        thread = digests.get(channel, "")
        wait = None if thread else hours.not_before(connection, settings, channel, now)
        found.append(_message(line, channel, thread_of=thread, not_before=wait))
    return found


def tell(connection: Transaction, settings: Settings, now: float) -> list[Command]:
    """Messages on cases that webhooks brought, that need a person and were not told yet.

    One message an issue; where more than ALONE come within WINDOW, the rest is gathered in one that grows.
    """
    places = rooms(connection, settings)
    days = sa.select(_runs.c.id).where(_runs.c.trigger == "webhook", _runs.c.started_at > now - GATHERED_KEPT)
    fresh = sa.and_(_cases.c.run_id.in_(days), _untold(connection, now))
    found: list[Command] = []
    secret = cases.lines(connection, None, ok_only=True, route="security", only=fresh, limit=MOST_AT_ONCE)
    waiting = cases.lines(connection, None, people_only=True, only=fresh, limit=MOST_AT_ONCE)
    open_ones = [line for line in waiting if line.route != "security"]
    for lines, kind in ((list(secret), SECRET), (open_ones, CASE)):
        free = max(0, ALONE - _told_lately(connection, kind, now))
        found += [_alone(connection, places, line, kind, now) for line in lines[:free]]
        rest: dict[str, list[CaseLine]] = {}
        for line in lines[free:]:
            rest.setdefault(places.of(line), []).append(line)
        found += [
            _gather(connection, settings, channel, some, now, secret=kind == SECRET)
            for channel, some in rest.items()
        ]
    return found


def _alone(connection: Transaction, places: Rooms, line: CaseLine, kind: str, now: float) -> Command:
    channel = places.of(line)
    if kind == SECRET:
        text, blocks = words.security_message(line)
        return post_message(f"{SECRET}{line.ref}", channel=channel, text=text, blocks=blocks, issue=line.ref)
    wait = hours.not_before(connection, places.settings, channel, now)
    return _message(line, channel, not_before=wait)


def renew(connection: Transaction, refs: Iterable[str]) -> list[Command]:
    """The messages that stand about these issues, as they should read now; the same ones cost nothing."""
    wanted = set(refs)
    keys = [f"{kind}{ref}" for ref in wanted for kind in (CASE, SECRET)]
    standing = connection.execute(sa.select(_commands).where(_commands.c.key.in_(keys))).all()
    lines, said = _lines(connection, [row.issue for row in standing])
    found = [
        _again(row, *_words_now(lines[row.issue], said, secret=row.key.startswith(SECRET)))
        for row in standing
        if row.issue in lines
    ]
    for row in _gatherings(connection, time.time() - GATHERED_KEPT):
        if wanted & set(row.payload["refs"]):
            secret = bool(row.payload.get("secret"))
            found += [_again(row, *_several(connection, row.payload["refs"], secret=secret))]
    return found


def told(connection: Transaction, refs: Sequence[str]) -> set[str]:
    """Those of these issues that have a message."""
    keys = [f"{kind}{ref}" for ref in refs for kind in (CASE, SECRET)]
    query = sa.select(_commands.c.issue).where(_commands.c.key.in_(keys))
    inside = {ref for row in _gatherings(connection, 0.0) for ref in row.payload["refs"]}
    return set(connection.execute(query).scalars()) | (inside & set(refs))


def _untold(connection: Transaction, now: float) -> sa.ColumnElement[bool]:
    """The condition that no message was ever posted about a case."""
    said = sa.alias(_commands)
    # A case that became one for the security team is news there, whatever another channel was told of it before.
    kind = sa.case((_cases.c.route == "security", SECRET), else_=CASE)
    single = sa.select(said.c.key).where(said.c.key == kind + _cases.c.key)
    both: dict[bool, list[str]] = {True: [], False: []}
    for row in _gatherings(connection, now - GATHERED_KEPT):
        both[bool(row.payload.get("secret"))] += row.payload["refs"]
    inside = sa.case(
        (_cases.c.route == "security", _cases.c.key.in_(both[True])), else_=_cases.c.key.in_(both[False])
    )
    return sa.and_(sa.not_(single.exists()), sa.not_(inside))


def _told_lately(connection: Transaction, kind: str, now: float) -> int:
    query = sa.select(sa.func.count()).where(
        _commands.c.key.startswith(kind),
        _commands.c.operation == "post_message",
        _commands.c.created_at > now - WINDOW,
        _commands.c.payload["thread_of"].as_string().is_(None),
    )
    return int(connection.execute(query).scalar() or 0)


def _gatherings(connection: Transaction, since: float) -> list[Any]:
    """Messages about several cases, the latest first."""
    query = (
        sa.select(_commands)
        .where(_commands.c.key.startswith(SEVERAL), _commands.c.created_at > since)
        .order_by(_commands.c.created_at.desc())
    )
    return list(connection.execute(query))


def _gather(
    connection: Transaction,
    settings: Settings,
    channel: str,
    lines: Sequence[CaseLine],
    now: float,
    *,
    secret: bool,
) -> Command:
    """The channel's message about several cases, begun or grown by these."""
    open_one = next(
        (
            row
            for row in _gatherings(connection, now - WINDOW)
            if row.payload["channel"] == channel and bool(row.payload.get("secret")) == secret
        ),
        None,
    )
    refs = [line.ref for line in lines]
    if open_one is not None:
        return _again(open_one, *_several(connection, [*open_one.payload["refs"], *refs], secret=secret))
    text, blocks, every = _several(connection, refs, secret=secret)
    command = post_message(
        f"{SEVERAL}{'secret:' if secret else ''}{now:.0f}:{channel}",
        channel=channel,
        text=text,
        blocks=blocks,
        not_before=None if secret else hours.not_before(connection, settings, channel, now),
    )
    return replace(command, payload={**command.payload, "refs": every, "secret": secret})


def _several(
    connection: Transaction, refs: Sequence[str], *, secret: bool
) -> tuple[str, list[dict[str, Any]], list[str]]:
    lines, said = _lines(connection, refs)
    settled = {ref: told for ref, line in lines.items() if (told := _settled(line, said, secret=secret))}
    text, blocks = words.gathered([*lines.values()], settled, secret=secret)
    return text, blocks, [*lines]


def _message(
    line: CaseLine, channel: str, *, thread_of: str = "", not_before: float | None = None
) -> Command:
    make = words.approval_message if line.detail.get("held") else words.case_message
    text, blocks = make(line)
    return post_message(
        f"{CASE}{line.ref}",
        channel=channel,
        text=text,
        blocks=blocks,
        issue=line.ref,
        thread_of=thread_of,
        not_before=not_before,
    )


def _again(row: Any, text: str, blocks: list[dict[str, Any]], refs: Sequence[str] | None = None) -> Command:
    """The command of a message that stands, with new words."""
    payload = {**row.payload, "text": text, "blocks": blocks}
    if refs is not None:
        payload["refs"] = list(refs)
    return Command(key=row.key, target=row.target, operation=row.operation, issue=row.issue, payload=payload)


def _words_now(line: CaseLine, said: "_Said", *, secret: bool) -> words.Message:
    if not secret and _is_private(line, said):
        return words.case_message(replace(line, route="security"))
    sentence = _settled(line, said, secret=secret)
    if sentence:
        return words.settled_message(line, sentence, secret=secret)
    if secret:
        return words.security_message(line)
    return (words.approval_message if line.detail.get("held") else words.case_message)(line)


@dataclass(frozen=True, slots=True)
class _Said:
    """What people said of some issues: by issue the row of the latest correction, by key the pauses that hold."""

    corrections: Mapping[str, Any]
    paused: Mapping[str, Any]


def _lines(connection: Transaction, refs: Iterable[str]) -> tuple[dict[str, CaseLine], _Said]:
    """Those of these issues that have a case, by name, each once and in this order; and what people said of them."""
    wanted = list(dict.fromkeys(refs))
    found: dict[str, CaseLine] = {}
    for start in range(0, len(wanted), MOST_AT_ONCE):
        part = _cases.c.key.in_(wanted[start : start + MOST_AT_ONCE])
        found |= {line.ref: line for line in cases.lines(connection, None, only=part)}
    keys = [f"{prefix}{ref}" for prefix in (pauses.IGNORE, pauses.SNOOZE) for ref in found]
    said = _Said(learning.latest(connection, list(found)), pauses.holding(connection, keys, time.time()))
    return {ref: found[ref] for ref in wanted if ref in found}, said


def _is_private(line: CaseLine, said: _Said) -> bool:
    """Is it for the security team alone? As soon as a person said so, though it was not thought about yet."""
    last = said.corrections.get(line.ref)
    return line.route == "security" or (last is not None and last.after == "security")


def _settled(line: CaseLine, said: _Said, *, secret: bool) -> str:
    """Who decided what about a case, as one sentence; empty where it still waits."""
    if not secret and _is_private(line, said):
        return ""
    for prefix, action in ((pauses.IGNORE, "ignore"), (pauses.SNOOZE, "snooze")):
        pause = said.paused.get(f"{prefix}{line.ref}")
        if pause is not None:
            held = action == "snooze" and pause.until is None
            return words.settled_by(pause.person, "hold" if held else action)
    last = said.corrections.get(line.ref)
    if last is not None and line.detail.get("by") != "label":
        return words.settled_by(last.person or "", "route", last.after)
    if line.route == "security" or line.needs_person:
        return ""
    if line.detail.get("by") == "label":
        return f"A label says {learning.answer_of(line.route)}"
    return f"Now clear: {learning.answer_of(line.route)}"


def _repo(ref: str) -> str:
    return ref.rpartition("#")[0].lower()


def store(connection: Transaction, commands: Sequence[Command], now: float) -> None:
    """Keep messages for delivery, as the day's; they belong to no run that waits for them."""
    if commands:
        outbox.store(connection, run_of_the_day(connection), commands, now)

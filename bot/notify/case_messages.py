"""News: the Slack messages about single cases, one an issue, told when a person is needed and edited ever after."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.notify import quiet_hours as hours
from bot.store import cases, learning, messages, outbox, pauses, repo_configs
from bot.store.daily import run_of_the_day
from bot.store.database import Transaction
from bot.store.learning import StoredCorrection
from bot.store.messages import CASE, SECRET, SEVERAL, Message
from config.repository import ChannelsSection
from config.settings import Settings
from integrations.slack import payloads_cases as words
from models.commands import Command
from models.messages import post_message
from models.report import CaseLine

MOST_TOLD = 20
"""Cases that are told in a digest's thread, the most urgent; the home tab has the others."""
MOST_AT_ONCE = 500
"""Cases that are told in one look."""
ALONE = 5
"""Messages about single cases within WINDOW, after which further ones are gathered in one."""
WINDOW = 600.0
GATHERED_KEPT = 2 * 86_400.0
"""Seconds for which a message about several cases is edited."""


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
    return Rooms(settings, repo_configs.channels(connection))


def in_threads(
    connection: Transaction, settings: Settings, run_id: str, digests: Mapping[str, str]
) -> list[Command]:
    """The run's cases that need a person and were not told yet, the most urgent, each in its digest's thread.

    `digests` has the digest's key by channel. A case of a channel that gets no digest is told there by itself.
    """
    places, now = rooms(connection, settings), time.time()
    found: list[Command] = []
    for line in messages.untold(connection, run_id, since=now - GATHERED_KEPT, limit=MOST_TOLD):
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
    found: list[Command] = []
    untold = messages.untold_of_webhooks(connection, since=now - GATHERED_KEPT, limit=MOST_AT_ONCE)
    open_ones = [line for line in untold.waiting if line.route != "security"]
    for lines, kind in ((untold.secret, SECRET), (open_ones, CASE)):
        free = max(0, ALONE - messages.count(connection, kind, now - WINDOW))
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
    standing = messages.about(connection, wanted)
    lines, said = _lines(connection, [message.issue for message in standing if message.issue])
    found = [
        _again(message, *_words_now(lines[message.issue], said, secret=message.key.startswith(SECRET)))
        for message in standing
        if message.issue in lines
    ]
    for message in messages.about_several(connection, time.time() - GATHERED_KEPT):
        if wanted & set(message.payload["refs"]):
            secret = bool(message.payload.get("secret"))
            found += [_again(message, *_several(connection, message.payload["refs"], secret=secret))]
    return found


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
            message
            for message in messages.about_several(connection, now - WINDOW)
            if message.payload["channel"] == channel and bool(message.payload.get("secret")) == secret
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


def _again(
    message: Message, text: str, blocks: list[dict[str, Any]], refs: Sequence[str] | None = None
) -> Command:
    """The command of a message that stands, with new words."""
    payload = {**message.payload, "text": text, "blocks": blocks}
    if refs is not None:
        payload["refs"] = list(refs)
    return Command(
        key=message.key,
        target=message.target,
        operation=message.operation,
        issue=message.issue,
        payload=payload,
    )


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
    """What people said of some issues: by issue the latest correction, by key the pauses that hold."""

    corrections: Mapping[str, StoredCorrection]
    paused: Mapping[str, Any]


def _lines(connection: Transaction, refs: Iterable[str]) -> tuple[dict[str, CaseLine], _Said]:
    """Those of these issues that have a case, by name, each once and in this order; and what people said of them."""
    wanted = list(dict.fromkeys(refs))
    found = cases.lines_of(connection, wanted)
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

"""Commands that people write into comments on issues: `/triage route bug`, `why`, `retry`, `ignore`."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.app.app import App
from bot.review import decisions as correct
from bot.review.decisions import ANSWERS, REVIEW, Said
from bot.store import outbox
from bot.store.daily import run_of_the_day
from bot.store.database import Transaction
from bot.store.repo_configs import policies
from integrations.github.client.login import permission
from integrations.github.commands import MARKER
from integrations.github.webhook import sender
from models.commands import Command, Reaction, react, write_comment
from models.tables import CommandRow
from models.text.escape import code, inline

_commands: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]

VERBS = ("route", "why", "retry", "ignore")
HELP = (
    "I understand `/triage route bug` (or `feature`, `docs`, `question`, `security`), `/triage why`, "
    "`/triage retry` and `/triage ignore`."
)
ALLOWED = frozenset({"triage", "write", "maintain", "admin"})
"""Roles in a repository whose word counts."""
_BELIEVED, _REMEMBERED = 600.0, 1_000
"""Seconds for which it is believed what somebody may do, and of how many people that is remembered."""
_LONGEST = 65_536
_COMMAND = re.compile(r"/triage(?:[ \t]+(.*))?", re.IGNORECASE)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_QUOTE = re.compile(r" {0,3}>")
_SPAN = re.compile(r"`[^`]*`")
_TAG = re.compile(r"<(/?)(pre|code)(?=[ \t>]|$)", re.IGNORECASE)
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")


@dataclass(frozen=True, slots=True)
class Order:
    """What a comment asks for; an empty `verb` where it was not understood."""

    verb: str
    route: str = ""


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of a person that holds an order."""

    repo: str
    number: int
    id: int
    login: str
    order: Order

    @property
    def ref(self) -> str:
        return f"{self.repo}#{self.number}"


def is_command(payload: Mapping[str, Any]) -> bool:
    """Is this event a person's new comment on an issue with a command in it?"""
    return read(payload) is not None


def read(payload: Mapping[str, Any]) -> Comment | None:
    """The comment with its order; None where there is none, or where no person just wrote it."""
    comment, issue, repository = (payload.get(name) for name in ("comment", "issue", "repository"))
    if payload.get("action") != "created" or not (
        isinstance(comment, Mapping) and isinstance(issue, Mapping) and isinstance(repository, Mapping)
    ):
        return None
    user, body = comment.get("user"), comment.get("body")
    number, identity, name = issue.get("number"), comment.get("id"), repository.get("full_name")
    login = user.get("login") if isinstance(user, Mapping) else None
    if not (isinstance(body, str) and isinstance(login, str) and isinstance(name, str)):
        return None
    if not _is_number(number) or not _is_number(identity) or "pull_request" in issue:
        return None
    is_bot = sender(payload)[1] or user.get("type") == "Bot"  # type: ignore[union-attr]
    if is_bot or body.startswith(MARKER) or not _LOGIN.fullmatch(login) or not _NAME.fullmatch(name):
        return None
    order = parse(body)
    return Comment(name, int(number), int(identity), login, order) if order else None  # type: ignore[arg-type]


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63


def parse(body: str) -> Order | None:
    """The first command that begins a line, outside of code, quotes and hidden parts; None where there is none."""
    # `until` is what ends a hidden part or a block of HTML's code.
    fence, until, quoted = "", "", False
    for line in body[:_LONGEST].split("\n"):
        line = line.rstrip()
        if until:
            until = "" if until in line.lower() else until
            continue
        # A line below a quote belongs to it up to an empty one, also where it has no mark of its own.
        quoted = not fence and bool(line) and (quoted or _QUOTE.match(line) is not None)
        if quoted:
            continue
        mark = _FENCE.fullmatch(line)
        if fence:
            if mark and mark[1].startswith(fence) and not mark[2].strip():
                fence = ""
            continue
        if mark:
            fence = mark[1]
            continue
        until = _left_open(line)
        found = _COMMAND.fullmatch(line)
        if found:
            return _order((found[1] or "").lower().split())
    return None


def _left_open(line: str) -> str:
    """What will end the comment or the code of HTML that this line begins and does not end; else empty."""
    if line.rfind("<!--") > line.rfind("-->"):
        return "-->"
    tags = _TAG.findall(_SPAN.sub("", line))
    return f"</{tags[-1][1].lower()}>" if tags and not tags[-1][0] else ""


def _order(words: list[str]) -> Order:
    verb, rest = (words[0], words[1:]) if words else ("", [])
    if verb == "route":
        route = rest[0].rstrip(".,;!") if len(rest) == 1 else ""
        return Order(verb, route) if route in ANSWERS else Order("")
    return Order(verb) if verb in VERBS and not rest else Order("")


async def answer(app: App, payload: Mapping[str, Any]) -> str:
    """Carry out a comment's command, if its author may give one; returns a note for the inbox.

    Raises what GitHub's client raises where it cannot tell who may; the same event may come again without harm.
    """
    comment = read(payload)
    if comment is None:
        return "no command"
    if await app.database.query(lambda c: _is_answered(c, comment)):
        return "this comment was answered before"
    role = await _role(app, comment)
    note = await app.database.run(lambda c: _carry_out(c, app, comment, role))
    app.new_batches.set()
    app.wake_lanes()
    return note


async def _role(app: App, comment: Comment) -> str:
    """What GitHub lets the author do in the repository, as of the last ten minutes."""
    key = (comment.repo.lower(), comment.login.lower())
    until, role = app.permissions.get(key, (0.0, ""))
    if until <= time.monotonic():
        role = await permission(app.github, comment.repo, comment.login)
        if len(app.permissions) >= _REMEMBERED:
            app.permissions.clear()
        app.permissions[key] = (time.monotonic() + _BELIEVED, role)
    return role


def _is_answered(connection: Transaction, comment: Comment) -> bool:
    query = sa.select(_commands.c.key).where(_commands.c.key == f"react:{comment.id}")
    return connection.execute(query).first() is not None


def _carry_out(connection: Transaction, app: App, comment: Comment, role: str) -> str:
    """Do what was asked and store the answer, in one transaction."""
    if _is_answered(connection, comment):
        return "this comment was answered before"
    ref, words = comment.ref, ""
    reaction: Reaction = "-1"
    if role in ALLOWED:
        reaction, words = _do(connection, comment)
    commands: list[Command] = [react(ref, comment.id, reaction)]
    policy = policies(connection, [comment.repo], app.policy).get(comment.repo, app.policy)
    if words and policy.comment != "never":
        commands.append(reply_to(connection, ref, words))
    outbox.store(connection, run_of_the_day(connection), commands, time.time())
    verb = comment.order.verb or "nothing known"
    return f"a command: {verb}" if role in ALLOWED else f"a command of somebody with the role {role[:40]}"


def _do(connection: Transaction, comment: Comment) -> tuple[Reaction, str]:
    """Carry out an order; the reaction, and the words in markdown, empty where none are needed."""
    ref, person, order = comment.ref, comment.login, comment.order
    if order.verb == "why":
        found = correct.why(connection, ref)
        if found is None:
            return "confused", "This issue was not triaged yet."
        if found.private:
            return "eyes", found.lines[0]
        # In public nothing is said of what the security screen thinks.
        lines = [inline(line, 400) for line in found.lines if "security" not in line.casefold()]
        return "eyes", "\n".join(f"- {line}" for line in lines)
    if order.verb == "route":
        said = correct.reroute(connection, ref, order.route, person=person, via="comment")  # type: ignore[arg-type]
    elif order.verb == "retry":
        said = correct.retry(connection, ref, person=person, via="comment")
    elif order.verb == "ignore":
        said = correct.ignore(connection, ref, person=person, via="comment")
    else:
        return "confused", HELP
    return "+1" if said.done else "confused", f"{code(person, 60)}: {_public(said)}"


def _public(said: Said) -> str:
    """The sentence, unless it would say of an issue that it is about security."""
    return f"{REVIEW.capitalize()}." if "security" in (said.before, said.route) else inline(said.words, 400)


def reply_to(connection: Transaction, ref: str, words: str) -> Command:
    """The bot's one comment with this answer in it, in place of an earlier one; the rest of it stays."""
    query = sa.select(_commands.c.payload).where(_commands.c.key == f"comment:{ref}")
    stands: Mapping[str, Any] = connection.execute(query).scalar() or {}
    return write_comment(
        ref, str(stands.get("body", "")), with_story=bool(stands.get("with_story")), reply=words
    )

"""Reflection: what people do with a story is shown on its issue, as labels or as a line of the bot's comment."""

import time
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from bot.app.app import App
from bot.store import cases, outbox, stories
from bot.store.database import Transaction
from bot.store.repo_configs import off
from integrations.github.settings import GithubSettings
from integrations.shortcut.client import ShortcutClient
from integrations.shortcut.payloads import Names
from models.commands import reflect_story, write_comment
from models.tables import CommandRow
from models.text.escape import clean, inline, one_line

LABEL_LIMIT = 50
_AT_ONCE = 200
_commands: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]


async def reflect(app: App, client: ShortcutClient, run_id: str) -> int:
    """Wish what issues have yet to be told of their stories, and say of how many.

    Where nothing changed Shortcut is not asked for names.
    """
    settings = app.settings.integrations.github
    if settings.reflect == "off" and not settings.close_when_done:
        return 0
    waiting = await app.database.query(stories.untold)
    if not waiting:
        return 0
    names = await client.names(
        states={row.state_id for row in waiting if row.state_id is not None},
        members={owner for row in waiting for owner in row.owner_ids},
        epics={row.epic_id for row in waiting if row.epic_id is not None},
    )
    told = 0
    for start in range(0, len(waiting), _AT_ONCE):
        chosen = {row.id for row in waiting[start : start + _AT_ONCE]}
        told += await app.database.run(lambda c, chosen=chosen: _tell(c, chosen, names, settings, run_id))  # type: ignore[misc]
    return told


def _tell(
    connection: Transaction, chosen: set[int], names: Names, settings: GithubSettings, run_id: str
) -> int:
    """Store the wishes for these stories, and that their issues were told, in one transaction."""
    # Where it is not known yet which story the issue has, the next look decides.
    rows = [row for row in stories.untold(connection) if row.id in chosen and row.answer]
    now = time.time()
    # Only that story speaks for the issue, and of a security case nothing is said.
    speaking = [row for row in rows if row.answer.get("id") == row.id and row.route != "security"]
    closed = off(connection)
    speaking = [row for row in speaking if row.issue.rpartition("#")[0].lower() not in closed]
    issues = {i.ref: i for i in cases.load_issues(connection, [row.issue for row in speaking])}
    told = 0
    for row in speaking:
        if (row.shown or {}).get("gone"):
            continue
        peoples: set[str] = set()
        if row.issue in issues and not row.told.get("assumed"):
            # Labels from before a database was lost look like a person's and are the bot's.
            own = {name.casefold() for name in row.own_labels}
            peoples = {name.casefold() for name in issues[row.issue].labels} - own
        told += _wish(connection, row, names, settings, peoples, run_id, now)
    stories.mark_told(connection, rows)
    return told


def _wish(
    connection: Transaction,
    row: Any,
    names: Names,
    settings: GithubSettings,
    peoples: set[str],
    run_id: str,
    now: float,
) -> int:
    labels: list[str] = []
    verdicts: dict[str, str] = {}
    if settings.reflect == "label":
        # A label that a person put there stays that person's.
        labels = [name for name in labels_of(row, names) if name.casefold() not in peoples]
    elif settings.reflect == "comment" and (line := status_of(row, names)):
        verdicts |= _set_status(connection, row.issue, line, run_id, now)
    close = _end(row, names) if settings.close_when_done else None
    if labels or close or row.wished is not None:
        verdicts |= outbox.store(connection, run_id, [reflect_story(row.issue, labels, close=close)], now)
        cases.add_own_labels(connection, row.issue, row.own_labels, labels)
    return int(bool({"new", "changed"} & set(verdicts.values())))


def changes(row: Any, names: Names) -> dict[str, str]:
    """What differs from the story's beginning, in words: of state, owner and epic those that it has now."""
    found = {}
    state = names.states.get(row.state_id)
    if row.state_id != row.start.get("state") and state is not None:
        found["story"] = state.name
    if list(row.owner_ids) != (row.start.get("owners") or []):
        people = [names.members[owner] for owner in row.owner_ids if names.members.get(owner)]
        if people:
            found["owner"] = people[0] if len(people) == 1 else f"{people[0]} +{len(people) - 1}"
    if row.epic_id != row.start.get("epic") and names.epics.get(row.epic_id):
        found["epic"] = names.epics[row.epic_id]
    return found


def labels_of(row: Any, names: Names) -> list[str]:
    """One label for each of state, owner and epic that a person changed."""
    return [one_line(clean(f"{kind}: {name}"), LABEL_LIMIT) for kind, name in changes(row, names).items()]


def status_of(row: Any, names: Names) -> str:
    """The comment's line on the story; it mentions nobody."""
    words = {kind: inline(clean(name), 80) for kind, name in changes(row, names).items()}
    state = names.states.get(row.state_id)
    if "story" not in words and state is not None:
        words["story"] = inline(clean(state.name), 80)
    parts = [f"**{words['story']}**"] if "story" in words else []
    parts += [f"{kind} {words[kind]}" for kind in ("owner", "epic") if kind in words]
    return f"Status: {', '.join(parts)}." if parts else ""


def _end(row: Any, names: Names) -> str | None:
    """The name of the story's end where it is done: a new one where it was just moved there, else the one before."""
    if not _is_done(row.state_id, names):
        return None
    before: Mapping[str, Any] = row.wished or {}
    arrived = row.told.get("state") != row.state_id and not row.told.get("assumed")
    return f"{row.id} at {row.updated_at:.3f}" if arrived else before.get("close")


def _is_done(state_id: int | None, names: Names) -> bool:
    state = names.states.get(state_id) if state_id is not None else None
    return state is not None and state.type == "done"


def _set_status(connection: Transaction, issue: str, line: str, run_id: str, now: float) -> dict[str, str]:
    """Put the line into the bot's one comment, which keeps its text; one that a person deleted stays deleted."""
    query = sa.select(_commands.c.payload).where(_commands.c.key == f"comment:{issue}")
    stands: Mapping[str, Any] = connection.execute(query).scalar() or {}
    comment = write_comment(
        issue, str(stands.get("body", "")), with_story=bool(stands.get("with_story")), status=line
    )
    return outbox.store(connection, run_id, [comment], now)

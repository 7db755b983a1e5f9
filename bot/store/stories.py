"""Stories of issues as they were seen last in Shortcut: which exist, and what their issues have yet to be told."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.story import Story
from models.tables import CaseRow, CommandRow, StoryReadingRow, StoryRow

_stories: sa.Table = StoryRow.__table__  # type: ignore[attr-defined]
_readings: sa.Table = StoryReadingRow.__table__  # type: ignore[attr-defined]
_commands: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]
_cases: sa.Table = CaseRow.__table__  # type: ignore[attr-defined]

READING = "shortcut"
UNTOUCHED = 2.0
"""Seconds between a story's making and its last change, within which the change is no person's."""
_PART = 500
"""Values in one IN list."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The story that an issue has already."""

    id: int
    url: str
    ours: bool
    created_at: float

    def answer(self, *, existing: bool) -> dict[str, Any]:
        """What is kept of it with the command that wanted it made."""
        return {"id": self.id, "url": self.url or None, "existing": existing}


def standing(connection: Connection, issues: Iterable[str]) -> dict[str, Standing]:
    """Of these issues, those that have a story: one that is not archived, else the bot's own that a person archived.

    What a person archived is not made again. Of several the bot's own counts, and of those the oldest.
    """
    by_ref = {issue.lower(): issue for issue in issues}
    found: dict[str, Standing] = {}
    for part in _parts(list(by_ref)):
        columns = [_stories.c[name] for name in ("ref", "id", "url", "ours", "created_at")]
        query = (
            sa.select(*columns)
            .where(_stories.c.ref.in_(part), sa.or_(_stories.c.ours, sa.not_(_stories.c.archived)))
            .order_by(_stories.c.archived, _stories.c.ours.desc(), _stories.c.created_at, _stories.c.id)
        )
        for row in connection.execute(query):
            found.setdefault(by_ref[row.ref], Standing(row.id, row.url, row.ours, row.created_at))
    return found


def name_issues(connection: Connection, found: Mapping[str, Standing]) -> None:
    """Note how GitHub writes the issues of stories; the bot's own have it as external id."""
    for issue, story in found.items():
        if not story.ours:
            connection.execute(sa.update(_stories).where(_stories.c.id == story.id).values(issue=issue))


def facts(state: int | None, epic: int | None, owners: Sequence[str]) -> dict[str, Any]:
    """What an issue shows of its story."""
    return {"state": state, "epic": epic, "owners": list(owners)}


def take_in(connection: Connection, seen: Sequence[tuple[Story, str]], first_state: int | None) -> int:
    """Keep stories with the issues that they belong to; says how many were new or had changed.

    What a story was made with is known from the answer to the command that made it. Where that is lost, the
    bot's own are taken to have begun in `first_state` without owner and epic, others as they are seen now.
    """
    seen = list({story.id: (story, ref) for story, ref in seen}.values())
    ids = [story.id for story, _ in seen]
    known = {row.id: row for row in connection.execute(sa.select(_stories).where(_stories.c.id.in_(ids)))}
    made = recorded(connection, [ref for story, ref in seen if _differs(known.get(story.id), story, ref)])
    inserts, changed = [], 0
    for story, ref in seen:
        row = known.get(story.id)
        values = _values(story)
        now = facts(story.state_id, story.epic_id, story.owner_ids)
        if row is None:
            start = _start(story, made.get(ref, {}), now, first_state)
            # An end that nobody saw come closes no issue: it may have been reopened since.
            told = start if "state" in made.get(ref, {}) or start == now else start | {"assumed": True}
            more = {"start": start, "told": told, "untold": now != start}
            issue = ref if story.made_by_bot else None
            inserts.append({"id": story.id, "ref": ref.lower(), "issue": issue, **values, **more})
            continue
        values["ref"] = ref.lower()
        if _differs(row, story, ref):
            start, told = _moved(row, made.get(ref, {}))
            values |= {"start": start, "told": told, "untold": now != _shown(told)}
            if row.ref != values["ref"] and not story.made_by_bot:
                # A person linked it to another issue.
                values["issue"] = None
            connection.execute(sa.update(_stories).where(_stories.c.id == story.id).values(**values))
            changed += 1
    if inserts:
        connection.execute(sa.insert(_stories), inserts)
    return changed + len(inserts)


def _differs(row: Any | None, story: Story, ref: str) -> bool:
    """Is the story new here, or other than it was seen last?"""
    values = {**_values(story), "ref": ref.lower()}
    return row is None or any(getattr(row, name) != value for name, value in values.items())


def _moved(row: Any, answer: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A known story's start and what its issue shows, where the bot itself has moved it since.

    Nobody is told of that as of a person's doing.
    """
    start, told = dict(row.start), dict(row.told)
    for name in ("state", "epic"):
        if answer.get("id") == row.id and name in answer and answer[name] != start.get(name):
            if told.get(name) == start.get(name):
                told[name] = answer[name]
            start[name] = answer[name]
    return start, told


def unexplained(connection: Connection, seen: Sequence[tuple[Story, str]]) -> bool:
    """Is among these a story of the bot's own that is new here, and whose first state is not known?"""
    own = {story.id: ref for story, ref in seen if story.made_by_bot}
    if not own:
        return False
    known = set(connection.execute(sa.select(_stories.c.id).where(_stories.c.id.in_(own))).scalars())
    made = recorded(connection, [ref for number, ref in own.items() if number not in known])
    return any("state" not in made.get(ref, {}) for number, ref in own.items() if number not in known)


def _values(story: Story) -> dict[str, Any]:
    return {
        "ours": story.made_by_bot,
        "url": story.url,
        "state_id": story.state_id,
        "epic_id": story.epic_id,
        "owner_ids": list(story.owner_ids),
        "archived": story.archived,
        "created_at": story.created_at.timestamp(),
        "updated_at": story.updated_at.timestamp(),
    }


def _start(
    story: Story, answer: Mapping[str, Any], now: dict[str, Any], first_state: int | None
) -> dict[str, Any]:
    if answer.get("id") == story.id and isinstance(answer.get("state"), int):
        return facts(answer["state"], answer.get("epic"), [])
    if story.made_by_bot and first_state is not None:
        return facts(first_state, None, [])
    return now


def _shown(told: Mapping[str, Any]) -> dict[str, Any]:
    return facts(told.get("state"), told.get("epic"), told.get("owners") or [])


def recorded(connection: Connection, issues: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """By issue what Shortcut answered to the command that made its story, or was noted in its place.

    Where the bot moved it later, state and epic are those of then.
    """
    found: dict[str, Mapping[str, Any]] = {}
    moved: dict[str, Mapping[str, Any]] = {}
    for part in _parts(issues):
        for prefix, answers in (("story", found), ("move", moved)):
            query = sa.select(_commands.c.issue, _commands.c.answer).where(
                _commands.c.key.in_([f"{prefix}:{issue}" for issue in part]), _commands.c.answer.is_not(None)
            )
            if prefix == "story":
                query = query.where(_commands.c.state == "sent")
            answers |= {row.issue: row.answer or {} for row in connection.execute(query)}
    for issue, answer in moved.items():
        if issue in found and answer.get("id") == found[issue].get("id"):
            found[issue] = {**found[issue], **{k: answer[k] for k in ("state", "epic") if k in answer}}
    return found


@dataclass(frozen=True, slots=True)
class Doubled:
    """A story beside the one that its issue keeps."""

    issue: str
    id: int
    url: str
    keep_id: int
    keep_url: str
    untouched: bool
    """Nobody changed it since it was made."""


def doubled(connection: Connection, refs: Collection[str]) -> list[Doubled]:
    """Of these issues those with several stories of the bot's own that are not archived."""
    groups: dict[str, list[Any]] = {}
    for part in _parts(sorted({ref.lower() for ref in refs})):
        query = (
            sa.select(_stories)
            .where(_stories.c.ref.in_(part), _stories.c.ours, sa.not_(_stories.c.archived))
            .order_by(_stories.c.created_at, _stories.c.id)
        )
        for row in connection.execute(query):
            groups.setdefault(row.ref, []).append(row)
    several = [rows for rows in groups.values() if len(rows) > 1]
    answers = recorded(connection, [row.issue for rows in several for row in rows if row.issue])
    found = []
    for rows in several:
        noted = {answers.get(row.issue, {}).get("id") for row in rows}
        keep = next((row for row in rows if row.id in noted), rows[0])
        found += [
            Doubled(row.issue, row.id, row.url, keep.id, keep.url, _untouched(row))
            for row in rows
            if row.id != keep.id
        ]
    return found


def _untouched(row: Any) -> bool:
    return not (row.updated_at - row.created_at > UNTOUCHED or row.owner_ids or row.epic_id)


def untold(connection: Connection) -> list[Any]:
    """Changed stories whose issues have yet to be told, with the issues' cases and what was last written there.

    An issue that no run has handled yet has no case: nobody knows whether it may be spoken of in public.
    """
    story, reflected = sa.alias(_commands), sa.alias(_commands)
    query = (
        sa.select(
            _stories,
            _cases.c.route,
            _cases.c.own_labels,
            story.c.answer,
            reflected.c.payload.label("wished"),
            reflected.c.answer.label("shown"),
        )
        .join(_cases, _cases.c.key == _stories.c.issue)
        .join(story, story.c.key == sa.literal("story:") + _stories.c.issue)
        .outerjoin(reflected, reflected.c.key == sa.literal("reflect:") + _stories.c.issue)
        .where(_stories.c.untold, sa.not_(_stories.c.archived), _cases.c.status == "triaged")
        .order_by(_stories.c.updated_at)
    )
    return list(connection.execute(query))


def mark_told(connection: Connection, rows: Sequence[Any]) -> None:
    """The issues of these stories show them as they are, or need not show them."""
    for row in rows:
        told = facts(row.state_id, row.epic_id, row.owner_ids)
        connection.execute(sa.update(_stories).where(_stories.c.id == row.id).values(told=told, untold=False))


def reading(connection: Connection) -> Any | None:
    """How far the workspace was read; None where it never was."""
    return connection.execute(sa.select(_readings).where(_readings.c.name == READING)).one_or_none()


def save_reading(connection: Connection, since: float, at: float) -> None:
    updated = connection.execute(
        sa.update(_readings).where(_readings.c.name == READING).values(since=since, at=at)
    )
    if updated.rowcount == 0:
        connection.execute(sa.insert(_readings).values(name=READING, since=since, at=at))


def _parts(values: Sequence[str]) -> list[Sequence[str]]:
    return [values[start : start + _PART] for start in range(0, len(values), _PART)]

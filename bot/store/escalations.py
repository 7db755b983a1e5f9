"""Which possible security reports were told of where: each is told once, and once more where its severity changed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.commands import Command
from models.report import CaseLine
from models.tables import CommandRow

Way = Literal["slack", "email", "webhook"]
_KEYS: Mapping[Way, tuple[str, ...]] = {
    "slack": ("security:%", "secret:%", "cases:secret:%"),
    "email": ("mail:%:security:%",),
    "webhook": ("event:security:%",),
}
MOST_TIMES = 2
_commands: sa.Table = CommandRow.__table__  # type: ignore[attr-defined]


def fresh(connection: Connection, lines: Iterable[CaseLine], way: Way) -> list[CaseLine]:
    """Those of these reports that were not told that way, or were told once with another severity."""
    wanted = list(lines)
    told = _told(connection, way) if wanted else {}
    found = []
    for line in wanted:
        before, now = told.get(line.ref, []), severity(line)
        if not before:
            found.append(line)
        elif len(before) < MOST_TIMES and before[0] != now:
            change = f"severity is {now or 'not known'} now, it was {before[0] or 'not known'}"
            facts = [change, *line.detail.get("escalation", ())]
            found.append(replace(line, detail={**line.detail, "escalation": facts}))
    return found


def severity(line: CaseLine) -> str:
    return str(line.detail.get("severity", ""))


def noted(command: Command, lines: Iterable[CaseLine]) -> Command:
    """The command of a message with what it tells, so that `fresh` finds it again."""
    return replace(command, payload={**command.payload, "told": {line.ref: severity(line) for line in lines}})


def _told(connection: Connection, way: Way) -> Mapping[str, list[str]]:
    """By report the severities with which it was told that way, the first first."""
    found: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    noted = (_commands.c.payload[name].label(name) for name in ("told", "refs", "to", "hook"))
    query = (
        sa.select(_commands.c.key, _commands.c.issue, *noted)
        .where(sa.or_(*(_commands.c.key.like(pattern) for pattern in _KEYS[way])))
        .order_by(_commands.c.created_at)
    )
    for row in connection.execute(query):
        receiver = str(row.to or row.hook or "")
        for ref, level in (row.told or {}).items():
            found[ref][receiver].append(level)
        # A message of its own, or one about several, is edited for as long as it stands: it needs no second one.
        for ref in [row.issue] if row.key.startswith("secret:") else row.refs or ():
            found[ref][receiver] += [""] * MOST_TIMES
    return {ref: max(receivers.values(), key=len) for ref, receivers in found.items()}

"""Quiet: where other bots answer the bot and it answers them, it stops for a while and says so."""

from collections.abc import Mapping
from datetime import UTC, datetime

import structlog

from bot.notify.alerts import message
from bot.store import audit, loop_guard, outbox
from bot.store.database import Transaction

log = structlog.get_logger()

HOUR = 3600.0
ANYBODY = 4
"""Times the limit on bots, after which nobody is answered: a bot may act with a person's account."""


def hush(
    connection: Transaction,
    senders: Mapping[str, tuple[str, bool]],
    replies: int,
    run_id: str,
    now: float,
    *,
    tell: bool,
) -> set[str]:
    """The issues on which these senders are not answered now.

    `senders` has, by issue, the account whose event would be answered and whether it is a bot's. Where the bot
    wrote `replies` times to an issue within the last hour it goes quiet there for an hour, and says so once.
    """
    wrote = audit.writes_since(connection, senders, now - HOUR, "github") if senders else {}
    known = loop_guard.suppressed(connection, senders, now)
    quiet: set[str] = set()
    for issue, (sender, is_bot) in senders.items():
        limit = replies if is_bot else replies * ANYBODY
        if is_bot and issue in known:
            quiet.add(issue)
        elif wrote.get(issue, 0) >= limit:
            quiet.add(issue)
            if issue not in known:
                _begin(connection, issue, sender, wrote[issue], run_id, now, tell=tell)
    return quiet


def _begin(
    connection: Transaction, issue: str, sender: str, wrote: int, run_id: str, now: float, *, tell: bool
) -> None:
    loop_guard.suppress(connection, issue, sender, now, now + HOUR)
    log.warning("quiet", issue=issue, sender=sender, writes=wrote)
    if tell:
        told = message(f"quiet:{issue}:{now:.0f}", "Quiet", words(issue, sender, wrote, now + HOUR))
        outbox.store(connection, run_id, [told], now)


def words(issue: str, sender: str, wrote: int, until: float) -> str:
    """What happened, to which issue, and what to do next."""
    return (
        f"{issue}: I wrote there {wrote} times within an hour, lately after {sender or 'somebody'}, so I answer "
        f"no more until {datetime.fromtimestamp(until, UTC):%H:%M} UTC. Two bots may be answering each other: "
        "see what the other one does with this issue. The next run looks at it again."
    )

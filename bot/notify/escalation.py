"""Escalation at once: mail and webhooks on security reports that events brought, whose day's run ends at midnight."""

from typing import TYPE_CHECKING

from bot.notify import mail
from bot.notify import webhooks as hooks
from bot.store import outbox, runs
from bot.store.database import Transaction

if TYPE_CHECKING:
    from bot.app.app import App


def at_once(connection: Transaction, app: "App", run_id: str, now: float) -> None:
    """Store what is to be told of the run's reports now; a run that has an end tells of them there, together."""
    row = runs.get(connection, run_id)
    if row is None or row.trigger != "webhook":
        return
    own = app.settings.integrations.webhooks
    commands = hooks.security_events(connection, run_id, own, app.targets)
    if "email" in app.targets:
        commands += mail.security(connection, app.settings, run_id, part=f"{now:.0f}")
    if commands:
        outbox.store_once(connection, run_id, commands, now)

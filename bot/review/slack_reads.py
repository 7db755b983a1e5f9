"""What Slack shows on request and changes nothing: the status, the queue, and why a case went where it did."""

import time
from dataclasses import dataclass

from bot.app.app import App
from bot.review import decisions as correct
from bot.store import cases, lane_states, queue, runs
from bot.store.database import Transaction
from integrations.slack import payloads_home
from integrations.slack.payloads_home import Waiting
from integrations.slack.webhook import Interaction
from models.report import RunReport


@dataclass(slots=True)
class Reads:
    """What commands say that change nothing, from quick looks into the database."""

    app: App

    async def answer(self, interaction: Interaction) -> str:
        """mrkdwn for the person who asked."""
        return await self.app.database.query(lambda c: self._read(c, interaction))

    def _read(self, connection: Transaction, interaction: Interaction) -> str:
        if interaction.action == "queue":
            return payloads_home.queue(waiting(connection))
        if interaction.action == "why":
            return _why(connection, interaction)
        return self.status(connection)

    def status(self, connection: Transaction) -> str:
        """How it goes, as the home tab and `/triage status` tell it."""
        lanes = waiting(connection)
        down = [name for name, guard in self.app.guards.items() if guard.breaker.state == "open"]
        report = _latest(connection)
        url = self.app.settings.monitoring.public_url
        return payloads_home.status(
            report,
            waiting=sum(lane.waiting for lane in lanes),
            people=people_waiting(connection),
            refused=sum(lane.dead for lane in lanes),
            down=down,
            report_url=f"{url.rstrip('/')}/" if url else "",
        )


def waiting(connection: Transaction) -> list[Waiting]:
    """What waits for each service and why, without reading the commands themselves."""
    counts = queue.counts(connection)
    reasons = {lane.name.split(":")[0]: lane.blocked_reason or "" for lane in lane_states.waiting(connection)}
    return [
        Waiting(
            target,
            counts.get((target, "pending"), (0, 0.0))[0],
            counts.get((target, "dead"), (0, 0.0))[0],
            reasons.get(target, ""),
        )
        for target in sorted({target for target, _ in counts})
    ]


def _latest(connection: Transaction) -> RunReport | None:
    """The latest run as far as one sentence needs it; summing up all its commands would take too long."""
    row = next(iter(runs.latest(connection, 1)), None)
    if row is None:
        return None
    totals = runs.totals(connection, row.id)
    return RunReport(
        run_id=row.id,
        status="ended" if row.status == "done" else row.status,
        triaged=totals.get("triaged", 0),
        failed=totals.get("failed", 0),
    )


def people_waiting(connection: Transaction) -> int:
    """Cases that wait for a person, less those that somebody put off."""
    return cases.count_waiting_for_people(connection, time.time())


def _why(connection: Transaction, interaction: Interaction) -> str:
    if not interaction.issue:
        return "Name the issue: `/triage why owner/name#1`, or paste its address."
    reasons = correct.why(connection, interaction.issue)
    if reasons is None:
        return f"{interaction.issue} was not triaged here, or not yet."
    return payloads_home.why(
        reasons.ref, reasons.lines, story_url=reasons.story_url, may_correct=not reasons.private
    )

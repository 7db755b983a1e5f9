"""The day's run: what people and webhooks ask for between two runs, thought about as it comes."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy.engine import Connection

from bot.store import runs


def run_of(moment: datetime) -> str:
    """The name of that day's run."""
    return f"webhook-{moment:%Y%m%d}"


def run_of_the_day(connection: Connection) -> str:
    """Today's run, begun if need be; nobody drives it until the day is over, for it has nothing to fetch."""
    run_id = run_of(datetime.now(UTC))
    runs.create(connection, run_id, "webhook", {}, None, status=runs.OPEN)
    return run_id


def hand_over(connection: Connection, run_id: str, refs: Sequence[str], size: int) -> None:
    """Make batches of issues whose copies are stored, and count them as fetched."""
    if not refs:
        return
    groups = [refs[i : i + size] for i in range(0, len(refs), size)]
    runs.add_batches(connection, run_id, runs.next_batch(connection, run_id), groups)
    runs.count_fetched(connection, run_id, len(refs))

"""When Slack may be written to: quiet hours of the team, and channels that somebody muted for a while."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.store import messages, pauses
from bot.store.database import Transaction
from config.settings import Settings

MUTE = "mute:"
"""What begins the key of a channel's pause; the channel stands there as Slack's id or as #name."""


def not_before(connection: Transaction, settings: Settings, channel: str, now: float) -> float | None:
    """When a new message may be posted there (epoch seconds); None: at once.

    Quiet are new messages only: an edit makes no sound, and the security team is always told at once.
    """
    slack = settings.integrations.slack
    if slack is None:
        return None
    muted = pauses.until(connection, f"{MUTE}{channel or slack.channel}", now)
    quiet = quiet_until(slack.quiet_hours, settings.schedule.timezone, muted or now)
    return quiet or muted


def release(connection: Transaction, settings: Settings, channels: Iterable[str], now: float) -> None:
    """Let go what waited for a channel to be told again, unless the quiet hours still hold."""
    slack = settings.integrations.slack
    if slack is None:
        return
    names = set(channels)
    names |= {""} if slack.channel in names else set()
    at = quiet_until(slack.quiet_hours, settings.schedule.timezone, now) or now
    messages.bring_forward(connection, names, at)


def quiet_until(hours: tuple[time, time] | None, zone: str, at: float) -> float | None:
    """The end of the quiet hours that hold at a time (epoch seconds); None where none do."""
    if hours is None:
        return None
    begin, end = hours
    local = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(zone))
    clock = local.time()
    holds = begin <= clock < end if begin < end else clock >= begin or clock < end
    if not holds:
        return None
    over = local.replace(hour=end.hour, minute=end.minute, second=0, microsecond=0, fold=0)
    return (over if over > local else over + timedelta(days=1)).timestamp()


def tomorrow(zone: str, at: float, hour: int = 9) -> float:
    """Nine in the morning of the next day in that zone (epoch seconds): when a snoozed case comes back."""
    local = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(zone)) + timedelta(days=1)
    return local.replace(hour=hour, minute=0, second=0, microsecond=0).timestamp()

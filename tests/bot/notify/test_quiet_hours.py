"""Quiet hours and muted channels: what may be said when."""

from datetime import UTC, datetime, time

import pytest

from bot.notify.quiet_hours import quiet_until, tomorrow

NIGHT, NOON = (time(22), time(7)), (time(12), time(13, 30))


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("hours", "zone", "now", "until"),
    [
        (None, "UTC", "2026-11-21T23:00", None),
        (NIGHT, "UTC", "2026-11-21T21:59", None),
        (NIGHT, "UTC", "2026-11-21T22:00", "2026-11-22T07:00"),
        (NIGHT, "UTC", "2026-11-22T06:59", "2026-11-22T07:00"),
        (NIGHT, "UTC", "2026-11-22T07:00", None),
        (NIGHT, "Europe/Berlin", "2026-11-21T21:30", "2026-11-22T06:00"),
        (NOON, "UTC", "2026-11-21T12:10", "2026-11-21T13:30"),
        (NOON, "UTC", "2026-11-21T13:30", None),
        # The night in which the clocks go back has an hour more.
        (NIGHT, "Europe/Berlin", "2026-10-24T21:00", "2026-10-25T06:00"),
    ],
)
def test_quiet_hours(hours: tuple[time, time] | None, zone: str, now: str, until: str | None) -> None:
    assert quiet_until(hours, zone, at(now)) == (None if until is None else at(until))


def test_a_snoozed_case_comes_back_the_next_morning() -> None:
    assert tomorrow("Europe/Berlin", at("2026-11-21T23:30")) == at("2026-11-23T08:00")
    assert tomorrow("UTC", at("2026-11-21T00:30")) == at("2026-11-22T09:00")

"""Breaker and budget: one probe at a time, nothing counted that is not a failure, exact windows."""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from integrations.base import ONLY_CONTENT, BreakerSettings, Kind, Limit, RetrySettings
from integrations.github.settings import GithubSettings
from integrations.resilience import Guard, retry_after
from models.errors import BreakerOpen, RateLimited, Rejected, Transient
from models.units import Rate


def guard(**options: object) -> Guard:
    settings = {
        "limits": [Limit([Rate(1000, 1)])],
        "timeout": 600,
        "breaker": BreakerSettings(failure_threshold=3, reset_timeout_seconds=60),
        "retry": RetrySettings(max_attempts=3, initial_delay=0.01),
    } | options
    return Guard("test", **settings)  # type: ignore[arg-type]


class Clock:
    """Both clocks, moved on by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead, self.set_by = 0.0, 0.0
        steady, wall = time.monotonic, time.time
        monkeypatch.setattr(time, "monotonic", lambda: steady() + self.ahead)
        monkeypatch.setattr(time, "time", lambda: wall() + self.ahead + self.set_by)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def half_open() -> Guard:
    """Its breaker opened so long ago that the next call is the probe."""
    made = guard()
    made.breaker.restore("open", datetime.now(UTC) - timedelta(seconds=61))
    return made


async def works() -> str:
    return "ok"


async def fails() -> str:
    raise Transient("down")


async def refuses() -> str:
    raise Rejected("no", status=422)


async def hangs() -> str:
    await asyncio.Event().wait()
    return "never"


async def trip(made: Guard) -> None:
    for _ in range(3):
        with pytest.raises(Transient):
            await made.call(fails)
    assert made.breaker.state == "open"


async def test_it_opens_after_failures_in_a_row_and_lets_nothing_through() -> None:
    made = guard()
    for _ in range(2):
        with pytest.raises(Transient):
            await made.call(fails)
    await made.call(works)
    await trip(made)
    sent = made.requests
    with pytest.raises(BreakerOpen):
        await made.call(works)
    assert made.requests == sent


async def test_a_refusal_is_no_failure_of_the_service() -> None:
    made = guard()
    for _ in range(5):
        with pytest.raises(Rejected):
            await made.call(refuses)
    assert made.breaker.state == "closed"


async def test_a_time_out_is_one() -> None:
    made = guard(timeout=0.01)
    for _ in range(3):
        with pytest.raises(Transient):
            await made.call(hangs)
    assert made.breaker.state == "open"


async def test_one_probe_goes_in_half_open_and_its_success_closes() -> None:
    made = half_open()
    sent = made.requests
    answers = await asyncio.gather(*(made.call(slowly) for _ in range(10)), return_exceptions=True)
    assert made.requests == sent + 1
    assert sum(answer == "ok" for answer in answers) == 1
    assert sum(isinstance(answer, BreakerOpen) for answer in answers) == 9
    assert made.breaker.state == "closed"


async def slowly() -> str:
    await asyncio.sleep(0.05)
    return "ok"


async def test_a_failed_probe_opens_again_and_a_cancelled_one_says_nothing() -> None:
    made = half_open()
    task = asyncio.create_task(made.call(hangs))
    while not made.requests:
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    with pytest.raises(Transient):
        await made.call(fails)
    assert made.breaker.state == "open"


async def test_a_restart_does_not_forget_and_a_person_may_probe_at_once() -> None:
    made = guard(breaker=BreakerSettings(failure_threshold=3, reset_timeout_seconds=60))
    made.breaker.restore("open", datetime.now(UTC))
    with pytest.raises(BreakerOpen):
        await made.call(works)
    made.breaker.probe_now()
    assert await made.call(works) == "ok"
    assert made.breaker.state == "closed"


async def test_reads_are_tried_again_and_writes_are_not() -> None:
    made = guard(breaker=BreakerSettings(failure_threshold=50))
    tries = 0

    async def second_time() -> str:
        nonlocal tries
        tries += 1
        if tries % 2:
            raise Transient("once")
        return "ok"

    assert await made.read(second_time) == "ok"
    with pytest.raises(Transient):
        await made.call(second_time)


POINTS: Mapping[Kind, int] = {"read": 1, "write": 5, "content": 5}


async def test_a_budget_is_exact_and_content_is_counted_apart() -> None:
    made = guard(limits=[Limit([Rate(5, 600)]), Limit([Rate(2, 600)], ONLY_CONTENT)])
    began = datetime.now(UTC)
    for _ in range(2):
        await made.call(works, kind="content")
    with pytest.raises(RateLimited) as caught:
        await made.call(works, kind="content")
    assert caught.value.only_content and not caught.value.sent
    for _ in range(3):
        await made.call(works)
    with pytest.raises(RateLimited) as caught:
        await made.call(works)
    assert timedelta(seconds=599) < caught.value.until - began
    assert caught.value.until - datetime.now(UTC) <= timedelta(seconds=601) and not caught.value.only_content


async def test_points_weigh_and_what_is_refused_costs_nothing() -> None:
    made = guard(limits=[Limit([Rate(100, 60)]), Limit([Rate(12, 60)], POINTS)])
    await made.call(works, kind="write")
    await made.call(works, kind="write")
    for _ in range(3):
        with pytest.raises(RateLimited) as caught:
            await made.call(works, kind="write")
    # Points are everybody's: a spent minute holds up the whole lane.
    assert not caught.value.only_content
    await made.call(works)
    await made.call(works)
    with pytest.raises(RateLimited):
        await made.call(works)


async def test_several_windows_of_one_limit(clock: Clock) -> None:
    made = guard(limits=[Limit([Rate(2, 600), Rate(3, 60_000)])])
    for _ in range(2):
        await made.call(works)
    with pytest.raises(RateLimited) as caught:
        await made.call(works)
    wait = caught.value.until.timestamp() - time.time()
    assert 0 < wait <= 600.1
    clock.ahead += wait
    await made.call(works)
    with pytest.raises(RateLimited) as caught:
        await made.call(works)
    assert caught.value.until.timestamp() - time.time() > 50_000


def test_what_others_sent_counts() -> None:
    made = guard(limits=[Limit([Rate(4, 60)])])
    now = time.time()
    made.tell("read", now - 70, 5)
    made.tell("write", now - 10, 1)
    made.tell("read", now - 30, 1)
    made.reserve("read")
    made.reserve("write")
    with pytest.raises(RateLimited):
        made.reserve("read")
    assert sum(made.spent.values()) == 2


def test_what_the_service_says_is_left_corrects_the_plan() -> None:
    made = guard()
    soon = time.time() + 30
    made.learn(3, soon)
    for _ in range(3):
        made.reserve("read")
    with pytest.raises(RateLimited) as caught:
        made.reserve("read")
    assert abs(caught.value.until.timestamp() - soon) < 1
    made.learn(5000, soon + 3600)
    made.reserve("read")


def test_the_log_does_not_grow_for_ever() -> None:
    made = guard(limits=[Limit([Rate(1_000_000, 1)])])
    for second in range(40):
        made.tell("read", float(second), 500)
    assert len(made.budgets[0]._log) < 5_000


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), ("0", 1), ("-3", 60), ("soon", 60), (None, 60), ("1e9", 60)]
)
def test_retry_after(header: str | None, seconds: float) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert retry_after(header, default=60, now=now) == now + timedelta(seconds=seconds)


def test_the_delay_grows_is_jittered_and_bounded() -> None:
    settings = RetrySettings(initial_delay=1, backoff_multiplier=2, max_delay=10)
    for attempts, most in ((1, 1), (2, 2), (3, 4), (10, 10), (10_000, 10)):
        delays = {settings.delay(attempts) for _ in range(50)}
        assert most / 2 <= min(delays) and max(delays) <= most and len(delays) > 10


@pytest.mark.parametrize("set_by", [-3600, 3600])
async def test_a_clock_that_is_set_holds_nothing_up(set_by: float, clock: Clock) -> None:
    made = guard(limits=[Limit([Rate(2, 600)])])
    for _ in range(2):
        await made.call(works)
    clock.set_by = set_by
    if set_by < 0:
        with pytest.raises(RateLimited) as caught:
            await made.call(works)
        assert 0 < caught.value.until.timestamp() - time.time() < 601, "told in the clock as it is now"
    clock.ahead += 601
    assert await made.call(works) == "ok"
    made.tell("read", time.time() + 7200, 1)
    clock.ahead += 601
    assert await made.call(works) == "ok", "another's clock that runs ahead"


async def test_a_refusal_is_obeyed_as_long_as_it_was_meant(clock: Clock) -> None:
    made = guard()

    async def limited() -> str:
        raise RateLimited("slow down", datetime.now(UTC) + timedelta(seconds=600))

    with pytest.raises(RateLimited):
        await made.call(limited)
    clock.set_by = -3600
    with pytest.raises(RateLimited):
        await made.call(works)
    clock.ahead += 601
    assert await made.call(works) == "ok"


async def test_a_breaker_that_opened_in_the_future_waits_no_longer_than_any() -> None:
    made = guard(breaker=BreakerSettings(failure_threshold=3, reset_timeout_seconds=0.2))
    made.breaker.restore("open", datetime.now(UTC) + timedelta(hours=1))
    with pytest.raises(BreakerOpen) as caught:
        await made.call(works)
    assert caught.value.until <= datetime.now(UTC) + timedelta(seconds=1.1)
    await asyncio.sleep(0.25)
    assert await made.call(works) == "ok"


@pytest.mark.parametrize(
    ("given", "points", "windows"),
    [
        ({}, True, 2),
        ({"content_rate_limit": "40/minute"}, True, 2),
        # Another server's limits: nothing is assumed that was not said.
        ({"content_rate_limit": "100000/minute"}, False, 1),
        ({"rate_limit": "10000000/hour"}, False, 1),
        ({"content_rate_limit": "80/3s", "points_rate_limit": "900/3s"}, True, 1),
    ],
)
def test_githubs_limits(given: dict[str, str], points: bool, windows: int) -> None:
    limits = GithubSettings.model_validate(given).limits()
    assert any(limit.cost.get("write") == 5 for limit in limits) is points
    assert len(limits[-1].rates) == windows

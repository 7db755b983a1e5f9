"""Breaker and budget: one probe at a time, nothing counted that is not a failure, exact windows."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from integrations.base import BreakerSettings, RetrySettings
from integrations.resilience import Budget, Guard, retry_after
from models.errors import BreakerOpen, RateLimited, Rejected, Transient
from models.units import Rate


def guard(**options: object) -> Guard:
    settings = {
        "rates": [Rate(1000, 1)],
        "timeout": 0.2,
        "breaker": BreakerSettings(failure_threshold=3, reset_timeout_seconds=0.2),
        "retry": RetrySettings(max_attempts=3, initial_delay=0.01),
    } | options
    return Guard("test", **settings)  # type: ignore[arg-type]


async def works() -> str:
    return "ok"


async def fails() -> str:
    raise Transient("down")


async def refuses() -> str:
    raise Rejected("no", status=422)


async def hangs() -> str:
    await asyncio.sleep(10)
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
    made = guard()
    await trip(made)
    await asyncio.sleep(0.25)
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
    made = guard()
    await trip(made)
    await asyncio.sleep(0.25)
    task = asyncio.create_task(made.call(hangs))
    await asyncio.sleep(0.01)
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


async def test_a_budget_is_exact_and_content_is_counted_apart() -> None:
    made = guard(rates=[Rate(5, 60)], content_rates=[Rate(2, 60)])
    for _ in range(2):
        await made.call(works, content=True)
    with pytest.raises(RateLimited) as caught:
        await made.call(works, content=True)
    assert caught.value.only_content and not caught.value.sent
    for _ in range(3):
        await made.call(works)
    with pytest.raises(RateLimited) as caught:
        await made.call(works)
    wait = (caught.value.until - datetime.now(UTC)).total_seconds()
    assert 58 < wait <= 61 and not caught.value.only_content


def test_what_was_sent_before_counts() -> None:
    budget = Budget("test", [Rate(3, 60)])
    now = time.time()
    budget.prime([now - 70, now - 30, now - 10])
    budget.spend()
    with pytest.raises(RateLimited):
        budget.spend()


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

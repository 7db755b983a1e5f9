"""The one way out to a service: rate budget, breaker, time-out and figures around every call."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pybreaker
import stamina
from prometheus_client import Counter, Histogram
from pyrate_limiter import InMemoryBucket, RateItem
from pyrate_limiter import Rate as BucketRate

from integrations.base import BreakerSettings, RetrySettings
from models.errors import BreakerOpen, RateLimited, SwitchyardError, Transient
from models.units import Rate

T = TypeVar("T")

REQUESTS = Counter("switchyard_requests", "Requests to a service, by outcome.", ["service", "outcome"])
SECONDS = Histogram("switchyard_request_seconds", "How long a service took to answer.", ["service"])

stamina.instrumentation.set_on_retry_hooks([])
# Its own line for each retry would show a call's arguments; the breaker and the run's problems say enough.

GRAIN = 50
"""Milliseconds to which the budget's log is exact; windows are made longer by as much."""
SHORT_WAIT = 2.0
"""Seconds that a read waits for its budget by itself; a longer wait is the caller's to show."""


@dataclass(slots=True)
class Budget:
    """Requests that a credential may send: several sliding windows, spent before the call, never bumped into."""

    service: str
    rates: Sequence[Rate]
    only_content: bool = False
    held_until: float = 0.0
    """Epoch seconds; the service itself told us to wait until then."""
    _bucket: InMemoryBucket = field(init=False)
    _latest: RateItem = field(init=False)

    def __post_init__(self) -> None:
        # Windows are longer by what an entry's time may be too early.
        rates = [BucketRate(r.count, int(r.seconds * 1000) + GRAIN) for r in self.rates]
        self._bucket = InMemoryBucket(rates)
        self._latest = RateItem(self.service, 0)

    def spend(self) -> None:
        """Take one request from the budget, or raise RateLimited with the time when it will be there."""
        now = time.time()
        if now < self.held_until:
            raise self._wait(self.held_until)
        stamp = int(now * 1000)
        if stamp - self._latest.timestamp >= GRAIN:
            self._latest = RateItem(self.service, stamp)
        # Requests of the same moment share an entry: an hour's log would hold an object for each otherwise.
        item = self._latest
        if not self._bucket.put(item):
            # Old entries are dropped only when the budget looks spent: on the hot path that is never.
            self._bucket.leak(stamp)
            if not self._bucket.put(item):
                wait = self._bucket.waiting(item)
                assert isinstance(wait, int)
                raise self._wait(now + max(wait, 1) / 1000)

    def prime(self, times: Sequence[float]) -> None:
        """Take what was sent before this process began (epoch seconds, oldest first) from the budget."""
        for at in times:
            self._bucket.put(RateItem(self.service, int(at * 1000)))

    def hold(self, until: datetime) -> None:
        """The service refused for its rate: nothing more until then."""
        self.held_until = max(self.held_until, until.timestamp())

    def _wait(self, until: float) -> RateLimited:
        when = datetime.fromtimestamp(until, UTC)
        what = "budget for new content" if self.only_content else "rate budget"
        words = f"{self.service}: {what} spent until {when:%H:%M:%S} UTC"
        return RateLimited(words, when, sent=False, only_content=self.only_content)


class Breaker:
    """pybreaker made right for asyncio: its outcomes are recorded after the call, and one probe goes at a time.

    `CircuitBreaker.call` holds a lock while the function runs and never sees how a coroutine ends, so the
    call happens outside and only its result is replayed into pybreaker's state machine.
    """

    def __init__(
        self, service: str, settings: BreakerSettings, on_change: Callable[[str, str, datetime | None], None]
    ) -> None:
        self.service = service
        self._settings = settings
        self._on_change = on_change
        self._storage = pybreaker.CircuitMemoryStorage(pybreaker.STATE_CLOSED)
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=settings.failure_threshold,
            reset_timeout=settings.reset_timeout_seconds,
            state_storage=self._storage,
            throw_new_error_on_trip=False,
        )
        self._probing = False

    @property
    def state(self) -> str:
        return str(self._breaker.current_state)

    @property
    def opened_at(self) -> datetime | None:
        return self._storage.opened_at

    @property
    def probe_at(self) -> datetime | None:
        """When an open breaker lets one probe through; None where it is closed."""
        if self.state == pybreaker.STATE_CLOSED or self.opened_at is None:
            return None
        return self.opened_at + timedelta(seconds=self._settings.reset_timeout_seconds)

    def restore(self, state: str, opened_at: datetime | None) -> None:
        """Take over what another process, or this one before its restart, knew."""
        if state == self.state:
            return
        if state != pybreaker.STATE_CLOSED and opened_at is not None:
            self._breaker.open()
            self._storage.opened_at = opened_at
        elif state == pybreaker.STATE_CLOSED:
            self._breaker.close()

    def probe_now(self) -> None:
        """A person says that the service is back: the next call is the probe, whatever the clock says."""
        if self.state != pybreaker.STATE_CLOSED:
            self._storage.opened_at = datetime.now(UTC) - timedelta(
                seconds=self._settings.reset_timeout_seconds
            )

    def enter(self) -> bool:
        """May a call go now? True where it is the probe; raises BreakerOpen where it may not."""
        if self.state == pybreaker.STATE_CLOSED:
            return False
        due, now = self.probe_at, datetime.now(UTC)
        if self._probing or (due is not None and now < due):
            # While a probe is under way its end is awaited, a second at a time.
            raise BreakerOpen(self.service, max(due or now, now + timedelta(seconds=1)))
        self._probing = True
        self._breaker.half_open()
        return True

    def leave(self, probe: bool, failed: Transient | None) -> None:
        """Record how a call ended. Late answers of calls that began before it opened change nothing."""
        if probe:
            self._probing = False
        elif self.state != pybreaker.STATE_CLOSED:
            return
        before = self.state
        with suppress(Transient, pybreaker.CircuitBreakerError):
            self._breaker.call(_raise if failed else _pass, failed)
        if self.state != before:
            self._on_change(self.service, self.state, self.opened_at)

    def abandon(self, probe: bool) -> None:
        """The call was cancelled from our side, which says nothing about the service."""
        if probe:
            self._probing = False


def _raise(error: Transient) -> None:
    raise error


def _pass(_: None) -> None:
    return None


class Guard:
    """All calls of one credential at one service go through one guard."""

    def __init__(
        self,
        service: str,
        *,
        rates: Sequence[Rate],
        timeout: float,
        breaker: BreakerSettings,
        retry: RetrySettings,
        content_rates: Sequence[Rate] = (),
        on_change: Callable[[str, str, datetime | None], None] = lambda service, state, opened_at: None,
    ) -> None:
        self.service = service
        self.timeout = timeout
        self.retry = retry
        self.budget = Budget(service, rates)
        self.content = Budget(service, content_rates, only_content=True) if content_rates else None
        self.breaker = Breaker(service, breaker, on_change)
        self.requests = 0
        self.recent: deque[tuple[float, float, bool]] = deque(maxlen=4_000)
        """(monotonic time, seconds, went well) of the latest requests, for alerts."""

    async def call(
        self, request: Callable[[], Awaitable[T]], *, content: bool = False, timeout: float | None = None
    ) -> T:
        """One request. `content` marks those that create content, which GitHub counts apart.

        The request itself raises models.errors; a time-out becomes Transient. The breaker is asked before
        the budget, so that a call that is not let through spends nothing.
        """
        probe = self.breaker.enter()
        try:
            if self.content is not None and content:
                self.content.spend()
            self.budget.spend()
        except RateLimited:
            self.breaker.abandon(probe)
            raise
        started = time.monotonic()
        self.requests += 1
        try:
            async with asyncio.timeout(timeout or self.timeout):
                result = await request()
        except TimeoutError:
            error = Transient(f"{self.service}: no answer within {timeout or self.timeout:g} s")
            self._count(started, "timeout", ok=False)
            self.breaker.leave(probe, error)
            raise error from None
        except Transient as error:
            self._count(started, "failed", ok=False)
            self.breaker.leave(probe, error)
            raise
        except SwitchyardError as error:
            # Any other answer, a refusal too, shows that the service is alive.
            self._count(started, type(error).__name__.lower(), ok=True)
            self.breaker.leave(probe, None)
            if isinstance(error, RateLimited):
                self.budget.hold(error.until)
            raise
        except BaseException:
            self.breaker.abandon(probe)
            raise
        self._count(started, "ok", ok=True)
        self.breaker.leave(probe, None)
        return result

    async def read(self, request: Callable[[], Awaitable[T]]) -> T:
        """A request without effect: repeated after a transient failure as the configuration says."""
        async for attempt in stamina.retry_context(
            on=self._pause, attempts=self.retry.max_attempts, timeout=None
        ):
            with attempt:
                result = await self.call(request)
        return result

    def _pause(self, error: Exception) -> bool | float:
        """stamina asks after each failure: no more (False), or again after so many seconds."""
        if isinstance(error, BreakerOpen):
            return False
        if isinstance(error, RateLimited):
            wait = (error.until - datetime.now(UTC)).total_seconds()
            return max(wait, 0.01) if wait <= SHORT_WAIT else False
        return self.retry.delay(1) if isinstance(error, Transient) else False

    def _count(self, started: float, outcome: str, *, ok: bool) -> None:
        seconds = time.monotonic() - started
        REQUESTS.labels(self.service, outcome).inc()
        SECONDS.labels(self.service).observe(seconds)
        self.recent.append((started, seconds, ok))


def retry_after(header: str | None, *, default: float, now: datetime | None = None) -> datetime:
    """When to try again, from a Retry-After header in seconds; bounded to a day against nonsense."""
    try:
        seconds = float(header) if header is not None else default
    except ValueError:
        seconds = default
    if not 0 <= seconds <= 86_400:
        seconds = default
    # "At once" would be a flood: a service that says so is asked again after a second.
    return (now or datetime.now(UTC)) + timedelta(seconds=max(seconds, 1.0))

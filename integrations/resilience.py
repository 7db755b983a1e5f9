"""The one way out to a service: rate budget, breaker, time-out and figures around every call."""

import asyncio
import time
from bisect import bisect_right
from collections import Counter as Tally
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pybreaker
import stamina
from prometheus_client import Counter, Histogram

from integrations.base import BreakerSettings, Kind, Limit, RetrySettings
from models.errors import BreakerOpen, LaneLost, RateLimited, SwitchyardError, Transient

T = TypeVar("T")

REQUESTS = Counter("switchyard_requests", "Requests to a service, by outcome.", ["service", "outcome"])
SECONDS = Histogram("switchyard_request_seconds", "How long a service took to answer.", ["service"])

stamina.instrumentation.set_on_retry_hooks([])
# Its own line for each retry would show a call's arguments; the breaker and the run's problems say enough.

MARGIN = 50
"""Milliseconds by which windows are taken longer: a request counts when it arrives, not when it leaves."""
SHORT_WAIT = 2.0
"""Seconds that a read waits for its budget by itself; a longer wait is the caller's to show."""

_ahead = time.time() - time.monotonic()


def steady() -> float:
    """Epoch seconds that never go back: a clock that is set back must not make anybody wait for it.

    They go with the clock where it jumps ahead, which it does when a machine wakes.
    """
    global _ahead
    _ahead = max(_ahead, time.time() - time.monotonic())
    return time.monotonic() + _ahead


def steady_at(at: float) -> float:
    """A time of today's clock (epoch seconds) as `steady` counts it."""
    return at - time.time() + steady()


def told(at: float) -> float:
    """A time that `steady` counts, as today's clock tells it (epoch seconds)."""
    return at - steady() + time.time()


@dataclass(slots=True)
class Budget:
    """What a limit leaves to a credential: sliding windows, looked at before they are spent.

    A request is reserved when it leaves and counted when its answer is there: the service counts it somewhere
    in between, and a window that began too early would be bumped into at its end.
    """

    limit: Limit
    _reserved: int = 0
    """Units of requests that are under way."""
    _log: list[int] = field(default_factory=list)
    """When each unit was counted, in steady milliseconds, in order."""
    _trim_at: int = 1024

    def free_at(self, kind: Kind, now: float) -> float:
        """When a request of this kind fits (in seconds of the clock of `now`); 0 where it does so now."""
        cost = self.limit.cost.get(kind, 0)
        found = 0.0
        for rate in self.limit.rates if cost else ():
            # The latest of the entries that must have left the window before this request fits into it.
            at = len(self._log) + self._reserved - 1 - (rate.count - cost)
            if at >= len(self._log):
                found = max(found, now + rate.seconds)
            elif at >= 0:
                found = max(found, (self._log[at] + MARGIN) / 1000 + rate.seconds)
        return found if found > now else 0.0

    def reserve(self, kind: Kind) -> None:
        """A request leaves."""
        self._reserved += self.limit.cost.get(kind, 0)

    def settle(self, kind: Kind, at: float) -> None:
        """A reserved request has ended, one way or another, at that time (steady seconds)."""
        self._reserved -= self.limit.cost.get(kind, 0)
        self.count(kind, at)

    def count(self, kind: Kind, at: float, requests: int = 1) -> None:
        """Note requests of that time (steady seconds)."""
        units = self.limit.cost.get(kind, 0) * requests
        stamp = int(at * 1000)
        if not self._log or self._log[-1] <= stamp:
            self._log.extend([stamp] * units)
        else:
            # Another process's, told late.
            place = bisect_right(self._log, stamp)
            self._log[place:place] = [stamp] * units
        if len(self._log) > self._trim_at:
            longest = max(rate.seconds for rate in self.limit.rates)
            del self._log[: bisect_right(self._log, self._log[-1] - int(longest * 1000) - MARGIN)]
            self._trim_at = 2 * len(self._log) + 1024


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
        if due is not None and self.opened_at is not None and self.opened_at > now:
            # The clock was set back.
            self._storage.opened_at = now
            due = self.probe_at
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


_may_leave: ContextVar[Callable[[], bool]] = ContextVar("may_leave", default=lambda: True)


@contextmanager
def only_while(held: Callable[[], bool]) -> Iterator[None]:
    """While inside, no request leaves once `held` says no; LaneLost is raised instead."""
    before = _may_leave.set(held)
    try:
        yield
    finally:
        _may_leave.reset(before)


def require_lane() -> None:
    """LaneLost where the request that is about to leave is a lane's that another process may have taken.

    Asked before a request is begun, and once more when its bytes go out: a process may be stopped in between.
    """
    if not _may_leave.get()():
        raise LaneLost(
            "not sent: this process was silent for so long that another one may have taken its lane"
        )


class Guard:
    """All calls of one credential at one service go through one guard."""

    def __init__(
        self,
        service: str,
        *,
        limits: Sequence[Limit],
        timeout: float,
        breaker: BreakerSettings,
        retry: RetrySettings,
        on_change: Callable[[str, str, datetime | None], None] = lambda service, state, opened_at: None,
    ) -> None:
        self.service = service
        self.timeout = timeout
        self.retry = retry
        self.budgets = tuple(Budget(limit) for limit in limits)
        self.breaker = Breaker(service, breaker, on_change)
        self.requests = 0
        self.spent: Tally[tuple[Kind, int]] = Tally()
        """Requests by kind and second, that other processes of this credential have not been told of yet."""
        self.recent: deque[tuple[float, float, bool]] = deque(maxlen=4_000)
        """(monotonic time, seconds, went well) of the latest requests, for alerts."""
        self._flying = 0
        self._held_until = 0.0
        """Steady seconds; the service itself told us to wait until then."""
        self._left: tuple[int, float] | None = None
        """What the service says is left, and until when (steady seconds) it counts that way."""

    def reserve(self, kind: Kind) -> None:
        """Take one request from all budgets, or take nothing and raise RateLimited with the time to come back."""
        now = steady()
        everything = [self._held_until] if self._held_until > now else []
        if self._left is not None and self._left[0] <= 0 and self._left[1] > now:
            everything.append(self._left[1])
        for_all = [b.free_at(kind, now) for b in self.budgets if b.limit.cost.get("read", 0)]
        until = max([*everything, *for_all], default=0.0)
        only = max((b.free_at(kind, now) for b in self.budgets), default=0.0)
        if max(until, only) > now:
            # Where only new content must wait, the lane goes on with the rest.
            is_content = until <= now
            raise self._wait(only if is_content else until, only_content=is_content)
        for budget in self.budgets:
            budget.reserve(kind)
        if self._left is not None:
            self._left = (self._left[0] - 1, self._left[1])
        self.spent[kind, int(time.time())] += 1

    def tell(self, kind: Kind, at: float, count: int) -> None:
        """Another process has sent so many requests with this credential at that time (epoch seconds)."""
        counted = min(steady_at(at), steady())
        for budget in self.budgets:
            budget.count(kind, counted, count)

    def learn(self, left: int, resets_at: float) -> None:
        """The service says how many requests are left until it counts anew (epoch seconds)."""
        # The answer knows nothing of what is still under way beside the request that it belongs to.
        self._left = (left - max(0, self._flying - 1), steady_at(resets_at))

    def _wait(self, until: float, *, only_content: bool) -> RateLimited:
        when = datetime.fromtimestamp(told(until), UTC)
        what = "budget for new content" if only_content else "rate budget"
        words = f"{self.service}: {what} spent until {when:%H:%M:%S} UTC"
        return RateLimited(words, when, sent=False, only_content=only_content)

    async def call(
        self, request: Callable[[], Awaitable[T]], *, kind: Kind = "read", timeout: float | None = None
    ) -> T:
        """One request; the request itself raises models.errors, and a time-out becomes Transient.

        The breaker is asked before the budget, so that a call that is not let through spends nothing.
        """
        require_lane()
        probe = self.breaker.enter()
        try:
            self.reserve(kind)
        except RateLimited:
            self.breaker.abandon(probe)
            raise
        started = time.monotonic()
        self.requests += 1
        self._flying += 1
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
                self._held_until = max(self._held_until, steady_at(error.until.timestamp()))
            raise
        except BaseException:
            self.breaker.abandon(probe)
            raise
        finally:
            self._flying -= 1
            for budget in self.budgets:
                budget.settle(kind, steady())
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

"""Lanes: each delivers one target's commands, owns its retries and order, and never holds up another."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from bot.store import adoption, cases, lane_states, outbox, owners
from bot.store.database import Database, GroupWriter, StoreError, Transaction, brief
from bot.store.outbox import Outcome
from integrations.base import RetrySettings, Target
from integrations.resilience import only_while, steady, steady_at, told
from models.commands import Pending
from models.errors import (
    BadCredential,
    BreakerOpen,
    LaneLost,
    RateLimited,
    Rejected,
    SwitchyardError,
    Transient,
    Unauthorized,
    Unavailable,
)
from models.task_health import TaskHealth

log = structlog.get_logger()

GRACE = 2.0
"""Seconds before an uncertain request is looked up: one that timed out may still be on its way."""
CREDENTIAL_PAUSE = 600.0
LOOK = 1.0
"""Seconds between two looks for commands that another process stored."""
UNWELL = 0.05
"""Share of a target's other requests that fail, from which on a failure says nothing about its command."""
SHORT_HOLD = 1.5
"""A lane waits out a budget this near rather than stopping."""


@dataclass(slots=True)
class Lane:
    """One target's lane in this process. Only one process at a time holds it."""

    target: Target
    database: Database
    writer: GroupWriter
    retry: RetrySettings
    in_flight: int
    me: str
    held: Callable[[], bool] = lambda: True
    """Says whether the others surely take this process for alive; else nothing is sent."""
    tasks: TaskHealth = field(default_factory=TaskHealth)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    active: bool = False
    held_until: float = 0.0
    """Epoch seconds; it begins nothing before, because what is being read may settle its commands."""
    _token: int = 0
    """Of this process's latest tenure of the lane."""
    _lost: bool = False
    """The tenure ended without this process's doing."""
    _last_success: float = float("-inf")
    _failed_at: dict[str, float] = field(default_factory=dict)
    _recent: deque[tuple[str, bool]] = field(default_factory=lambda: deque(maxlen=100))
    """(first command's key, went well) of the latest requests."""
    _hold: tuple[float, str, str] | None = None
    """Until when (steady seconds) the lane stands still, what kind of reason, and the reason."""
    _closed: dict[str, tuple[float, str]] = field(default_factory=dict)
    """Operations that must wait although the others go on: GitHub counts new content apart."""

    @property
    def name(self) -> str:
        return self.target.name

    async def run(self, lanes: Mapping[str, "Lane"]) -> None:
        """Deliver what is due, for ever; woken by this process's batches and by the clock."""
        while True:
            delay = LOOK
            try:
                delay = await self._turn(lanes)
                self.tasks.worked(f"lane {self.name}")
            except Exception as error:
                # The database may be locked or gone for a while; nothing is lost, the lane tries again.
                log.error("lane failed, trying again", lane=self.name, error=brief(error))
                self.tasks.failed(f"lane {self.name}", brief(error))
            self.wake.clear()
            try:
                async with asyncio.timeout(delay):
                    await self.wake.wait()
            except TimeoutError:
                pass

    async def _turn(self, lanes: Mapping[str, "Lane"]) -> float:
        """One look: deliver everything due where this process may. Returns seconds until the next look."""
        held = max(self.held_until - time.time(), self._hold[0] - steady() if self._hold is not None else 0.0)
        if held > 0:
            return min(held, LOOK)
        if not self.held():
            return LOOK
        if not await self.database.query(lambda c: outbox.due(c, self.name, time.time(), 1)):
            return LOOK
        self.active = True
        try:
            await self.drain(lanes)
        finally:
            self.active = False
        return min(max(self._hold[0] - steady(), 0.01), LOOK) if self._hold is not None else LOOK

    async def drain(self, lanes: Mapping[str, "Lane"]) -> None:
        """Deliver until nothing is due, the lane must stand still, or another process has it."""
        token = await self.database.run(lambda c: lane_states.acquire(c, self.name, self.me, owners.alive(c)))
        if token is None:
            return
        self._token, self._lost = token, False
        try:
            await self._drain(lanes)
        finally:
            await self.database.run(lambda c: lane_states.release(c, self.name, token))

    async def _drain(self, lanes: Mapping[str, "Lane"]) -> None:
        self._hold = None
        self._closed = {name: held for name, held in self._closed.items() if held[0] > steady()}
        await self.database.run(lambda c: lane_states.block(c, self.name, None, None, None))
        limit = self.in_flight * 16
        while not self._stopped:
            pendings = await self.database.query(lambda c: outbox.due(c, self.name, time.time(), limit))
            if not pendings:
                break
            gate = asyncio.Semaphore(self.in_flight)
            async with asyncio.TaskGroup() as group:
                for chunk in self._chunks(pendings):
                    group.create_task(self._deliver(chunk, lanes, gate))
        held = self._hold
        if held is None and self._closed:
            until, reason = max(self._closed.values())
            held = (until, "content", reason)
        if held is None:
            return
        until, kind, reason = told(held[0]), *held[1:]
        whole = self._hold is not None

        def stand(connection: Transaction) -> None:
            if not lane_states.holds(connection, self.name, self._token):
                return
            lane_states.block(connection, self.name, until, kind, reason)
            if whole:
                lane_states.postpone(connection, self.name, until, reason)

        await self.database.run(stand)

    @property
    def _stopped(self) -> bool:
        """Does nothing more leave in this turn?"""
        return self._hold is not None or self._lost

    def _lose(self) -> None:
        """Another process has the lane, or may have it: what was under way is noted, nothing else is begun."""
        if not self._lost:
            log.warning("lane given up, this process was silent for too long", lane=self.name)
        self._lost = True

    def _chunks(self, pendings: Sequence[Pending]) -> list[list[Pending]]:
        """Commands that go in one request together: same operation, and uncertain ones apart."""
        groups: dict[tuple[str, bool], list[Pending]] = {}
        for pending in pendings:
            groups.setdefault((pending.command.operation, pending.maybe_sent_at is not None), []).append(
                pending
            )
        chunks = []
        for (operation, _), members in groups.items():
            size = self.target.bulk_size(operation)
            chunks += [members[i : i + size] for i in range(0, len(members), size)]
        return chunks

    async def _deliver(
        self, chunk: list[Pending], lanes: Mapping[str, "Lane"], gate: asyncio.Semaphore
    ) -> None:
        async with gate:
            if not self._stopped:
                await self._settle(chunk, lanes)

    async def _settle(self, chunk: list[Pending], lanes: Mapping[str, "Lane"]) -> None:
        """Bring one request's commands to an outcome, whatever happens."""
        until, words = self._closed.get(chunk[0].command.operation, (0.0, ""))
        if until > steady():
            await self._save([self._later(p, told(until), words) for p in chunk], lanes)
            return
        try:
            chunk = await self._look_up(chunk, lanes)
            if chunk:
                await self._send(chunk, lanes)
        except SwitchyardError as error:
            await self._save([self._failed(p, error, sent=False) for p in chunk], lanes)
        except StoreError:
            # What was sent but could not be noted is marked, and will be looked up.
            raise
        except Exception as error:
            # A bug of ours: the commands go to the dead letters with its name, the lane goes on.
            log.error("delivery failed", lane=self.name, keys=[p.key for p in chunk][:3], error=brief(error))
            words = f"internal error: {type(error).__name__}: {error}"[:300]
            await self._save(
                [_outcome(p, error=words, uncertain=True) for p in chunk],
                lanes,
            )

    async def _look_up(self, chunk: list[Pending], lanes: Mapping[str, "Lane"]) -> list[Pending]:
        """Of commands that may have arrived, settle those that did; returns those still to be sent."""
        times = [p.maybe_sent_at.timestamp() for p in chunk if p.maybe_sent_at is not None]
        if not times:
            return chunk
        early = max(times) + GRACE - time.time()
        if early > 0:
            await asyncio.sleep(min(early, GRACE))
        found = await self.target.find(chunk)
        if found:
            await self._save(
                [_outcome(p, answer=found[p.key]) for p in chunk if p.key in found],
                lanes,
            )
        return [p for p in chunk if p.key not in found]

    async def _send(self, chunk: list[Pending], lanes: Mapping[str, "Lane"]) -> None:
        keys = await self.writer.run(
            lambda c: adoption.leaving(c, self.name, self._token, [p.key for p in chunk], time.time())
        )
        if keys is None:
            self._lose()
            return
        chunk = [p for p in chunk if p.key in keys]
        if not chunk:
            return
        try:
            answers = await self._try(chunk)
        except Rejected as error:
            if len(chunk) > 1:
                # All or nothing was refused: halve until the culprit is alone.
                middle = len(chunk) // 2
                await self._send(chunk[:middle], lanes)
                await self._send(chunk[middle:], lanes)
                return
            await self._save([self._failed(chunk[0], error, sent=True)], lanes)
            return
        except SwitchyardError as error:
            if isinstance(error, Transient):
                self._recent.append((chunk[0].key, False))
            await self._save([self._failed(p, error, sent=True) for p in chunk], lanes)
            return
        self._recent.append((chunk[0].key, True))
        self._last_success = time.monotonic()
        await self._save(
            [_outcome(p, answer=answer) for p, answer in zip(chunk, answers, strict=True)],
            lanes,
        )

    async def _try(self, chunk: list[Pending]) -> Sequence[Mapping[str, object]]:
        """Send, waiting out a budget that is back in a moment."""
        while True:
            try:
                with only_while(self.held):
                    return await self.target.send(chunk)
            except RateLimited as error:
                wait = error.until.timestamp() - time.time()
                if error.sent or wait > SHORT_HOLD or self._stopped:
                    raise
                await asyncio.sleep(max(wait, 0.01))

    def _failed(self, pending: Pending, error: SwitchyardError, *, sent: bool) -> Outcome:
        """What a failure means for one command; `sent` is False where only a look-up failed."""
        now = time.time()
        # What was uncertain stays so until it is settled: a request may land later than its look-up.
        uncertain = pending.maybe_sent_at is not None
        words = str(error)[:500]
        if isinstance(error, LaneLost):
            self._lose()
            # It was marked as leaving, and a part of it may have left before.
            return self._later(pending, now, words, uncertain=True)
        if isinstance(error, RateLimited) and error.only_content:
            self._closed[pending.command.operation] = (steady_at(error.until.timestamp()), words)
            return self._later(pending, error.until.timestamp(), words)
        if isinstance(error, RateLimited):
            return self._stand(pending, error.until, "rate", words, uncertain)
        if isinstance(error, BreakerOpen):
            return self._stand(pending, error.until, "breaker", words, uncertain)
        if isinstance(error, Unauthorized):
            until = datetime.fromtimestamp(now + CREDENTIAL_PAUSE).astimezone()
            if not isinstance(error, BadCredential):
                # One repository is closed to us; others may be open.
                return self._later(pending, until.timestamp(), words, uncertain=uncertain)
            return self._stand(pending, until, "credential", words, uncertain)
        if isinstance(error, Transient):
            counted = self._is_its_own_fault(pending.key)
            # The first failure was not counted: only what came after it could tell.
            if counted and pending.failures + 2 >= self.retry.max_attempts:
                maybe = uncertain or error.maybe_sent
                return _outcome(pending, error=words, tried=True, counted=True, uncertain=maybe)
            return _outcome(
                pending,
                again_at=now + self.retry.delay(pending.attempts + 1),
                error=words,
                tried=sent,
                counted=counted,
                uncertain=uncertain or error.maybe_sent,
            )
        if isinstance(error, Unavailable):
            return _outcome(pending, again_at=error.until.timestamp(), error=words, tried=sent)
        if isinstance(error, Rejected) and sent:
            return _outcome(pending, error=words, tried=True, counted=True)
        # A refused look-up settles nothing; the command waits for a person or a mended configuration.
        return _outcome(
            pending,
            again_at=now + self.retry.max_delay,
            error=words,
            uncertain=uncertain,
        )

    def _is_its_own_fault(self, key: str) -> bool:
        """Did the target take another command since this one failed last, and does it take nearly all of them?

        Else it is an outage, or a service that fails now and then, and the command is as good as any.
        """
        now = time.monotonic()
        before = self._failed_at.get(key)
        self._failed_at[key] = now
        others = [ok for other, ok in self._recent if other != key]
        unwell = others.count(False) > UNWELL * len(others)
        return before is not None and self._last_success > before and not unwell

    def _stand(self, pending: Pending, until: datetime, kind: str, words: str, uncertain: bool) -> Outcome:
        at = until.timestamp()
        if self._hold is None or steady_at(at) > self._hold[0]:
            self._hold = (steady_at(at), kind, words)
        return self._later(pending, at, words, uncertain=uncertain)

    def _later(self, pending: Pending, at: float, words: str, *, uncertain: bool | None = None) -> Outcome:
        return _outcome(
            pending,
            again_at=at,
            error=words,
            uncertain=pending.maybe_sent_at is not None if uncertain is None else uncertain,
        )

    async def _save(self, outcomes: Sequence[Outcome], lanes: Mapping[str, "Lane"]) -> None:
        gone = [o.issue for o in outcomes if o.issue and o.answer is not None and o.answer.get("gone")]

        def save(connection: Transaction) -> set[str]:
            mine = lane_states.holds(connection, self.name, self._token)
            # An answer is a fact, whoever has it; what a failure means is for the lane's holder to say.
            known = outcomes if mine else [o for o in outcomes if o.state == "sent"]
            if gone and self.name == "github":
                cases.note_gone(connection, gone)
            return outbox.save(connection, known, time.time())

        released = await self.writer.run(save)
        for name in released:
            if name in lanes:
                lanes[name].wake.set()
        for outcome in outcomes:
            if outcome.state != "pending":
                self._failed_at.pop(outcome.key, None)
            if outcome.state == "dead":
                log.warning("dead letter", key=outcome.key, error=outcome.error)


def _outcome(pending: Pending, **what: Any) -> Outcome:
    command = pending.command
    return Outcome(
        key=command.key,
        issue=command.issue,
        payload_hash=pending.payload_hash,
        target=command.target,
        operation=command.operation,
        **what,
    )

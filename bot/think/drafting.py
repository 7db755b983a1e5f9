"""Asks the language model for drafts, within its ceilings, and keeps what it wrote."""

import asyncio
import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any

from bot.store import answers
from bot.store.database import Database, Transaction
from integrations.llm.client import LlmClient, Written
from integrations.llm.payloads import VERSION, plain
from integrations.llm.settings import LlmSettings, Prices
from models.asks import Drafted, WriteDraft
from models.errors import Rejected, SwitchyardError, Transient, UserFacing
from models.text.escape import clean

KIND = "draft"
"""Of the rows in table `answers`."""
DAY = 86_400.0
KEPT = 30 * DAY
"""Seconds for which a draft of the same material is given again, unasked."""
TRIES = 2
SHORTEST = 2.0
"""Seconds that must be left for a second try."""
MATERIAL_LIMIT = 40_000
PER_ISSUE = 20
"""Questions that one issue may cause in a day: who edits it a thousand times does not spend what all have."""
MOST_USED = 1_000_000
"""Tokens of one question that a service is believed to have used: it would close the ceilings for good otherwise."""


@dataclass
class Drafting:
    """One model with its ceilings. What a question may cost is noted before it is asked, in the database, so that
    other processes see it and a crash forgets nothing; what it did cost is noted after."""

    client: LlmClient
    database: Database
    prices: Prices | None
    _free: asyncio.Semaphore = field(init=False)
    _said: dict[tuple[str, str], str] = field(default_factory=dict)
    """By run and ceiling what was said when it was reached: the same words, so that they are told once."""
    _pruned: bool = False

    def __post_init__(self) -> None:
        self._free = asyncio.Semaphore(self.settings.requests_in_flight)

    @property
    def settings(self) -> LlmSettings:
        return self.client.settings

    async def write(self, ask: WriteDraft, run: str) -> Drafted | None:
        """A draft; models.errors where there is none, with the reason."""
        if ask.security and not self.settings.drafts_for_security:
            raise Rejected("language model: not allowed to see security reports")
        if len(ask.material) > MATERIAL_LIMIT:
            raise Rejected("language model: too much material for a draft")
        key = _key(self.settings, ask)
        since = time.time() - KEPT
        known = await self.database.query(lambda c: answers.find(c, key, since=since))
        if known is None:
            async with self._free:
                known = await self._asked(ask, key, run)
        return Drafted(data=known, model=self.settings.model) if known else None

    async def _asked(self, ask: WriteDraft, key: str, run: str) -> dict[str, Any] | None:
        """What the model answers in at most two tries; empty where it says nothing, None where it makes no sense."""
        end = time.monotonic() + self.settings.timeout
        complaint = ask.complaint
        for _ in range(TRIES):
            left = end - time.monotonic()
            if left < SHORTEST and complaint != ask.complaint:
                break
            found, complaint = await self._one_try(ask, complaint, key, run, max(left, SHORTEST))
            if found is not None:
                return found
            if not complaint:
                raise Rejected("language model: refused to answer")
        raise Rejected("language model: its answer made no sense")

    async def _one_try(
        self, ask: WriteDraft, complaint: str, key: str, run: str, timeout: float
    ) -> tuple[dict[str, Any] | None, str]:
        most = self.client.estimate(ask.material, complaint)
        number = await self.database.run(lambda c: self._reserve(c, key, run, *most, issue=ask.issue))
        used, data, wrong = most, None, ""
        try:
            written = await self.client.write(ask.kind, ask.material, complaint, timeout)
            used, wrong = _used(written, most), written.complaint
            data = plain(written.draft, clean) if written.draft is not None else None
        except Transient as error:
            if not error.maybe_sent:
                used = (0, 0)
            raise
        except SwitchyardError:
            used = (0, 0)  # the service refused, so it charges nothing
            raise
        finally:
            tokens, cost = sum(used), self._cost(*used)
            settled = self.database.run(lambda c: answers.settle(c, number, data, tokens, cost))
            await asyncio.shield(asyncio.ensure_future(settled))
        return data, wrong

    def _reserve(
        self, connection: Transaction, key: str, run: str, input_tokens: int, output: int, *, issue: str = ""
    ) -> int:
        """Note what the question may cost; Rejected where that goes over a ceiling."""
        now = time.time()
        if not self._pruned:
            answers.prune(connection, now - KEPT)
            self._pruned = True
        if issue and answers.asked(connection, KIND, issue, since=now - DAY) >= PER_ISSUE:
            raise Rejected(
                f"language model: asked {PER_ISSUE} times for this issue within a day, no more today"
            )
        tokens, cost = input_tokens + output, self._cost(input_tokens, output)
        limits = self.settings
        day = answers.spent(connection, KIND, since=now - DAY)
        this_run = answers.spent(connection, KIND, run=run) if run else (0, 0.0)
        for name, ceiling, spent, more in (
            ("tokens a run", limits.tokens_per_run, this_run[0], tokens),
            ("tokens a day", limits.tokens_per_day, day[0], tokens),
            ("money a run", limits.money_per_run, this_run[1], cost),
            ("money a day", limits.money_per_day, day[1], cost),
        ):
            if ceiling is not None and spent + more > ceiling:
                raise Rejected(self._ceiling(run if name.endswith("run") else "", name, ceiling, spent, more))
        return answers.keep(
            connection,
            key=key,
            kind=KIND,
            run_id=run,
            subject=issue,
            at=now,
            data=None,
            tokens=tokens,
            cost=cost,
        )

    def _ceiling(self, run: str, name: str, ceiling: float, spent: float, more: float) -> str:
        if len(self._said) > 1_000:
            self._said.clear()
        shape = "{:,.2f}" if name.startswith("money") else "{:,}"
        figures = [shape.format(figure) for figure in (ceiling, spent, more)]
        return self._said.setdefault(
            (run, name),
            f"language model: no more drafts, the ceiling of {figures[0]} {name.replace('money ', '')} "
            f"is near: {figures[1]} spent, and one more may take {figures[2]}",
        )

    def _cost(self, input_tokens: int, output_tokens: int) -> float:
        if self.prices is None:
            return 0.0
        return (input_tokens * self.prices.input + output_tokens * self.prices.output) / 1e6


def require_prices(settings: LlmSettings, prices: Prices | None) -> None:
    """A ceiling in money needs a price."""
    for name in ("money_per_run", "money_per_day"):
        if getattr(settings, name) is not None and prices is None:
            raise UserFacing(
                f"workflow.integrations.llm.{name}: no price is known of {settings.model}; "
                "write prices: {input: 0.4, output: 1.6} for a million tokens each"
            )


def _used(written: Written, most: tuple[int, int]) -> tuple[int, int]:
    """What the service says was used; what was reserved where it says nothing, or nonsense."""
    reported = (written.input_tokens, written.output_tokens)
    return reported if all(0 < count <= MOST_USED for count in reported) else most


def _key(settings: LlmSettings, ask: WriteDraft) -> str:
    parts = [VERSION, settings.model, settings.base_url, settings.max_tokens, ask.kind, ask.material]
    return hashlib.sha256(json.dumps([*parts, ask.complaint]).encode()).hexdigest()

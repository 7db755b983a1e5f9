"""Probes: what each answer means, and that they neither hurry a breaker nor cost budget in a busy time."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from bot.web import health
from bot.web.health import Health, probe
from integrations.base import Answer
from models.commands import Pending
from models.errors import BreakerOpen, RateLimited, Transient, Unauthorized
from tests.web.conftest import MakeApp


class Service:
    """A target that answers `check` as told."""

    def __init__(self, name: str, answer: str | Exception | None) -> None:
        self.name = name
        self.asked = 0
        self._answer = answer

    def bulk_size(self, operation: str) -> int:
        return 1

    async def send(self, commands: Sequence[Pending]) -> Sequence[Answer]:
        raise AssertionError

    async def find(self, commands: Sequence[Pending]) -> Mapping[str, Answer]:
        raise AssertionError

    async def check(self) -> str:
        self.asked += 1
        if self._answer is None:
            await asyncio.Event().wait()
        if isinstance(self._answer, Exception):
            raise self._answer
        return str(self._answer)

    async def close(self) -> None: ...


LATER = datetime.now(UTC) + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("answer", "ok", "words"),
    [
        ("signed in as triage", True, "signed in"),
        (RateLimited("slack: budget spent", LATER, sent=False), True, "budget"),
        (BreakerOpen("slack", LATER), False, "breaker open"),
        (Transient("slack: HTTP 503"), False, "503"),
        (Unauthorized("slack: renew SLACK_BOT_TOKEN"), False, "renew"),
        (ZeroDivisionError(), False, "internal error: ZeroDivisionError"),
        (None, False, "no answer within"),
    ],
)
async def test_answers(
    make_app: MakeApp,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str | Exception | None,
    ok: bool,
    words: str,
) -> None:
    monkeypatch.setattr(health, "PROBE_TIMEOUT", 0.05)
    app = make_app()
    app.targets = {"slack": Service("slack", answer)}
    state, began = Health(), datetime.now(UTC)
    await probe(app, state)
    found = state.probes["slack"]
    assert found.ok is ok
    assert words in found.detail
    assert began <= found.checked_at <= datetime.now(UTC)


async def test_a_service_that_just_answered_is_not_asked_again(make_app: MakeApp) -> None:
    app = make_app(monitoring={"health_check_interval": "1h"})
    service = Service("github", "fine")
    app.targets = {"github": service}
    state = Health()
    recent = app.guards["github"].recent
    recent.append((time.monotonic(), 0.1, True))
    await probe(app, state)
    assert service.asked == 1, "the first probe always asks"
    await probe(app, state)
    assert service.asked == 1
    recent.append((time.monotonic(), 0.1, False))
    await probe(app, state)
    assert service.asked == 2
    recent.append((time.monotonic() - 1801, 0.1, True))
    await probe(app, state)
    assert service.asked == 3


async def test_an_open_breaker_is_left_alone(make_app: MakeApp) -> None:
    app = make_app(resilience={"circuit_breaker": {"failure_threshold": 1, "reset_timeout_seconds": 60}})
    state = Health()
    await probe(app, state)
    guard = app.guards["github"]
    assert (guard.breaker.state, guard.requests) == ("open", 1)
    await probe(app, state)
    assert guard.requests == 1
    assert "breaker open" in state.probes["github"].detail

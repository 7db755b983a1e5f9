"""Asking OSV: what is named comes first, one thing has one advisory, an answer is kept for a day."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa

from bot.store.database import Database
from bot.think.lookups import advisories
from bot.think.sources import Sources
from integrations.base import BreakerSettings, Limit, RetrySettings
from integrations.osv.client import OsvClient
from integrations.osv.sandbox.service import entry
from integrations.osv.settings import OsvSettings
from integrations.resilience import Guard
from models.asks import FindAdvisories
from models.case import Advisory
from models.errors import Transient
from models.tables import AnswerRow
from models.units import Rate
from tests.world import World

_answers: sa.Table = AnswerRow.__table__  # type: ignore[attr-defined]
MERGE = "pkg:npm/gadget-merge@2.4.0"
LOW = "CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:L/A:N"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, []) as made:
        yield made
        made.assert_contracts()


def find(
    world: World, database: Database, *asks: FindAdvisories, run: str = "run"
) -> list[tuple[Advisory, ...] | None]:
    async def work() -> list[tuple[Advisory, ...] | None]:
        retry = RetrySettings(max_attempts=1)
        guard = Guard(
            "osv", limits=[Limit([Rate(1000, 1)])], timeout=60, breaker=BreakerSettings(), retry=retry
        )
        client = OsvClient(OsvSettings(base_url=world.base), guard, user_agent="test")
        sources = Sources(github=cast(Any, None), database=database, osv=client)
        try:
            return [await advisories.find(sources, ask, run) for ask in asks]
        finally:
            await client.close()

    return asyncio.run(work())


def requests(world: World) -> int:
    return int(world.state()["requests"]["osv"]["count"])


def test_one_thing_has_one_advisory_and_the_gravest_comes_first(world: World, database: Database) -> None:
    world.control(osv=entry("OSV-2026-7", "pkg:npm/gadget-merge", "gadget-merge", "npm", "9.0", LOW, "Low"))
    ask = FindAdvisories(ids=("CVE-2026-10001", "CVE-1999-0001"), packages=(MERGE, "pkg:pypi/gearbox@1.0"))
    (found,) = find(world, database, ask)
    assert found is not None
    assert [(one.id, one.severity) for one in found] == [
        ("GHSA-2c2j-9gv5-cj73", "critical"),
        ("PYSEC-2026-101", "medium"),
        ("OSV-2026-7", "low"),
    ]


def test_an_answer_is_kept_for_a_day(
    world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = FindAdvisories(ids=("CVE-2026-10001",), packages=(MERGE,))
    (first,) = find(world, database, ask)
    sent = requests(world)
    assert find(world, database, ask, ask) == [first, first]
    assert requests(world) == sent
    with database.write() as connection:
        connection.execute(sa.update(_answers).values(at=_answers.c.at - advisories.KEPT - 1))
    assert find(world, database, ask) == [first]
    assert requests(world) == 2 * sent


def test_what_belongs_to_no_run_is_not_kept(world: World, database: Database) -> None:
    find(world, database, FindAdvisories(ids=("CVE-2026-10001",)), run="")
    with database.read() as connection:
        assert connection.execute(sa.select(_answers)).all() == []


def test_what_failed_is_not_kept(world: World, database: Database) -> None:
    ask = FindAdvisories(ids=("CVE-2026-10001",))
    world.control(service="osv", fault="status", status=503, times=1)
    with pytest.raises(Transient):
        find(world, database, ask)
    (found,) = find(world, database, ask)
    assert found is not None
    assert [one.id for one in found] == ["GHSA-2c2j-9gv5-cj73"]


def test_a_wrong_vector_rates_nothing(world: World, database: Database) -> None:
    record: dict[str, Any] = entry("OSV-2026-8", "pkg:npm/odd", "odd", "npm", "9.0", LOW, "Odd")
    record["severity"] = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L"}]
    world.control(osv=record | {"database_specific": {"severity": "HIGH"}})
    (found,) = find(world, database, FindAdvisories(ids=("OSV-2026-8",)))
    assert found is not None
    assert [(one.severity, one.vector) for one in found] == [("high", "")]
    world.app.violations.clear()


def test_how_much_is_asked_is_bounded(world: World, database: Database) -> None:
    ids = tuple(f"CVE-2026-{number}" for number in range(20_000, 20_100))
    assert find(world, database, FindAdvisories(ids=ids)) == [()]
    assert requests(world) == advisories.MOST


def test_nobody_is_asked_where_osv_is_off(database: Database) -> None:
    app = Sources(github=cast(Any, None), database=database)
    assert asyncio.run(advisories.find(app, FindAdvisories(ids=("CVE-2026-10001",)), "run")) is None


def test_what_osv_says_is_cleaned(world: World, database: Database) -> None:
    summary = "evil \u202e @all \u0000\u200b end"
    record = entry("OSV-2026-77", "pkg:npm/gadget-merge", "gadget-merge", "npm", "9.0.0", LOW, summary)
    world.control(osv=record)
    ((known,),) = [found for found in find(world, database, FindAdvisories(ids=("OSV-2026-77",))) if found]
    assert known.summary == "evil  @all  end"

"""OSV's client against the stand-in: pages, records, refusals, garbage; and what its errors do not tell."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import pytest

from integrations.base import BreakerSettings, Limit, RetrySettings
from integrations.osv.client import MOST_IDS, MOST_PAGES, OsvClient
from integrations.osv.payloads import read_record, read_results
from integrations.osv.sandbox.service import SEED, entry
from integrations.osv.settings import OsvSettings
from integrations.resilience import Guard
from models.errors import Rejected, SwitchyardError, Transient
from models.units import Rate
from tests.integrations.test_rest import serving
from tests.world import World

T = TypeVar("T")
MERGE = "pkg:npm/gadget-merge@2.4.0"
VECTOR = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, []) as made:
        yield made
        made.assert_contracts()


def osv(world: World, work: Callable[[OsvClient], Awaitable[T]], timeout: float = 60) -> T:
    async def call() -> T:
        retry = RetrySettings(max_attempts=2, initial_delay=0.01)
        guard = Guard(
            "osv", limits=[Limit([Rate(1000, 1)])], timeout=timeout, breaker=BreakerSettings(), retry=retry
        )
        client = OsvClient(OsvSettings(base_url=world.base), guard, user_agent="test")
        try:
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(call())


def test_packages_are_asked_together_and_records_read(world: World) -> None:
    packages = [MERGE, "pkg:pypi/gearbox@1.0", "pkg:pypi/gearbox@1.9"]
    assert osv(world, lambda client: client.affecting(packages)) == {
        MERGE: ["GHSA-2c2j-9gv5-cj73"],
        "pkg:pypi/gearbox@1.0": ["PYSEC-2026-101"],
        "pkg:pypi/gearbox@1.9": [],
    }
    assert world.state()["requests"]["osv"]["by_route"] == {"POST /v1/querybatch": 1}
    known = osv(world, lambda client: client.record("CVE-2026-10001"))
    assert known is not None
    assert (known.id, known.aliases) == ("GHSA-2c2j-9gv5-cj73", ("CVE-2026-10001",))
    assert (known.severity, known.vector) == ("critical", VECTOR)
    assert known.affected == ("pkg:npm/gadget-merge",)
    assert known.fixed == ("gadget-merge 2.4.1",)
    assert known.url == "https://osv.dev/vulnerability/GHSA-2c2j-9gv5-cj73"


def test_all_pages_are_read_within_a_bound(world: World) -> None:
    world.control(osv={"page": 1})
    for number in range(8):
        name = f"OSV-2026-{number}"
        record = entry(name, "pkg:npm/gadget-merge", "gadget-merge", "npm", "9.0.0", VECTOR, "One more")
        world.control(osv=record)
    found = osv(world, lambda client: client.affecting([MERGE]))
    assert len(found[MERGE]) == MOST_PAGES


@pytest.mark.parametrize("name", ["CVE-1999-0001", "../_control", "CVE 1", "", "a" * 300])
def test_what_is_unknown_or_no_identifier_is_nothing(world: World, name: str) -> None:
    assert osv(world, lambda client: client.record(name)) is None


def test_a_withdrawn_record_is_nothing(world: World) -> None:
    world.control(osv={**SEED[0], "withdrawn": "2026-10-02T00:00:00Z"})
    assert osv(world, lambda client: client.record("GHSA-2c2j-9gv5-cj73")) is None


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"fault": "status", "status": 503}, Transient),
        ({"fault": "hang"}, Transient),
        ({"fault": "refuse"}, Transient),
        ({"fault": "truncate"}, Transient),
        ({"fault": "html", "status": 200}, Transient),
        ({"fault": "status", "status": 200, "body": {"results": "no"}}, Transient),
        ({"fault": "status", "status": 200, "body": [1]}, Transient),
        ({"fault": "echo", "status": 400}, Rejected),
        ({"fault": "echo", "status": 403}, SwitchyardError),
        ({"fault": "echo", "status": 429}, SwitchyardError),
    ],
)
def test_faults_become_errors_that_tell_nothing_of_the_question(
    world: World, fault: dict[str, Any], error: type[Exception]
) -> None:
    world.control(service="osv", **fault)
    questions: tuple[Callable[[OsvClient], Awaitable[Any]], ...] = (
        lambda client: client.affecting([MERGE]),
        lambda client: client.record("CVE-2026-10001"),
    )
    for ask in questions:
        with pytest.raises(error) as told:
            osv(world, ask, timeout=0.3 if fault["fault"] == "hang" else 60)
        assert "gadget" not in str(told.value)
        assert "10001" not in str(told.value)


def test_a_transient_failure_is_tried_again(world: World) -> None:
    world.control(service="osv", fault="status", status=503, times=1)
    assert osv(world, lambda client: client.record("CVE-2026-10001")) is not None


def test_doctor_hears_an_answer(world: World) -> None:
    assert "answers" in osv(world, lambda client: client.check())


@pytest.mark.parametrize(
    "data", [None, [], {}, {"id": 1}, {"id": "no id"}, {"id": "x" * 500}, {"id": "CVE-2026-1\nx"}]
)
def test_a_record_without_an_identifier_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="id"):
        read_record(data)


@pytest.mark.parametrize(
    "more",
    [
        {"aliases": "CVE"},
        {"aliases": [1, "x y"]},
        {"affected": {"a": 1}},
        {"affected": [1, {"package": 2, "ranges": [3, {"events": 4}, {"events": [5, {"fixed": 6}]}]}]},
        {"severity": [{"type": 1, "score": []}, "x"]},
        {"summary": ["x"], "details": 5},
        {"database_specific": {"severity": 9}},
    ],
)
def test_odd_fields_are_left_out(more: dict[str, Any]) -> None:
    found = read_record({"id": "CVE-2026-1", **more})
    assert found is not None
    assert (found.aliases, found.fixed, found.severity, found.vector, found.summary) == ((), (), "", "", "")


def test_text_is_bounded() -> None:
    events = [{"fixed": f"{n}.0"} for n in range(500)]
    affected = [{"package": {"name": "x" * 5_000}, "ranges": [{"type": "SEMVER", "events": events}]}]
    found = read_record({"id": "CVE-2026-1", "details": "x\n" * 100_000, "affected": affected})
    assert found is not None
    assert len(found.summary) <= 300
    assert len(found.fixed) == 10
    assert all(len(text) < 300 for text in found.fixed)


@pytest.mark.parametrize("data", [None, {}, {"results": []}, {"results": [{}, {}]}, {"results": "x"}])
def test_another_number_of_results_is_no_answer(data: Any) -> None:
    with pytest.raises(ValueError, match="results"):
        read_results(data, 1)


def test_odd_results_hold_nothing() -> None:
    data = {"results": [None, {"vulns": [1, {"id": 2}, {"id": "../x"}, {"id": "CVE-2026-1"}]}]}
    assert read_results(data, 2) == [([], ""), (["CVE-2026-1"], "")]


def test_an_answer_without_an_end_is_not_read() -> None:
    with serving(200, {}, b"[" + b"1," * 5_000_000) as (base, _):
        with pytest.raises(Rejected, match="larger than"):
            osv(cast(World, SimpleNamespace(base=base)), lambda client: client.record("CVE-2026-1"))


def test_a_flood_of_ids_takes_no_time() -> None:
    vulns = [{"id": f"CVE-2026-{number}"} for number in range(100_000)]
    body = json.dumps({"results": [{"vulns": vulns, "next_page_token": "more"}]}).encode()
    with serving(200, {}, body) as (base, asked):
        found = osv(cast(World, SimpleNamespace(base=base)), lambda client: client.affecting([MERGE]))
    assert len(asked) == MOST_PAGES and len(found[MERGE]) == MOST_IDS

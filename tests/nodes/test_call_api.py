"""CallApi: reads by asking, writes by wishing, and neither where it should not."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from models.asks import Ask, CallService
from models.case import Case, Route
from nodes.call_api import CallApi, Operation
from tests.nodes.build import case, context

DECLARED = {
    "pager": {
        "on_call": Operation(reads=True, fields=frozenset({"team"})),
        "page": Operation(reads=False, fields=frozenset({"title", "text"})),
        "ping": Operation(reads=False, fields=frozenset()),
    }
}


def call(
    node: CallApi, given: Case, answer: Any = None, on: tuple[str, ...] = ("pager",)
) -> tuple[Case, list[Any]]:
    asked: list[Ask[Any]] = []

    async def answering(ask: Ask[Any], /) -> Any:
        asked.append(ask)
        return answer

    ctx = replace(context(services=frozenset(on)), ask=answering)

    async def go() -> Case:
        return await node(given, ctx)

    return asyncio.run(go()), asked


READ = CallApi(service="pager", operation="on_call", fields={"team": "data.team"}, into="who")
WRITE = CallApi(
    service="pager", operation="page", fields={"title": "{{ issue.title }}", "text": "issue.labels"}
)


def test_an_answer_is_kept_with_the_cases_data() -> None:
    done, asked = call(READ, replace(case(route="bug"), data={"team": "a/../b"}), {"name": "Ada"})
    assert asked == [CallService("pager", "on_call", json.dumps({"team": "a/../b"}))]
    assert done.data == {"team": "a/../b", "who": {"name": "Ada"}}
    assert done.commands == ()


def test_without_an_answer_or_anything_to_fill_it_adds_nothing() -> None:
    for given, on, notes, asks in (
        (replace(case(route="bug"), data={"team": "core"}), ("pager",), (), 1),
        (case(route="bug"), ("pager",), (), 0),
        (replace(case(route="bug"), data={"team": "core"}), (), ("pager.on_call: pager is off",), 0),
    ):
        done, asked = call(READ, given, None, on)
        assert (done, len(asked)) == (replace(given, notes=notes), asks)
        with pytest.raises(ValueError, match=r"pager\.on_call: "):
            call(replace(READ, required=True), given, None, on)


def test_a_write_is_one_command_in_the_services_lane() -> None:
    given = case("It {{ fell }}", route="bug", labels=("ui",))
    once, asked = call(WRITE, given)
    twice, _ = call(WRITE, once)
    assert twice == once
    assert asked == []
    (wish,) = once.commands
    assert (wish.key, wish.target, wish.lane) == ("api:pager:page:octo/widgets#7", "api", "api:pager")
    assert (wish.operation, wish.issue) == ("pager.page", "octo/widgets#7")
    assert wish.payload["values"] == {"title": "It {{ fell }}", "text": ["ui"]}
    both, _ = call(replace(WRITE, name="again"), once)
    assert [wish.key for wish in both.commands] == [wish.key, "api:pager:page:again:octo/widgets#7"]


@pytest.mark.parametrize("route", ["security", None])
def test_nothing_of_what_may_be_a_security_report_leaves(route: Route | None) -> None:
    given = case(route=route) if route else Case(issue=case().issue)
    for node in (READ, WRITE, replace(WRITE, required=True)):
        done, asked = call(node, replace(given, data={"team": "core"}), "x")
        assert (done.commands, done.notes, asked) == ((), (), [])
    allowed, _ = call(replace(WRITE, security=True), given)
    assert len(allowed.commands) == 1


@pytest.mark.parametrize(
    ("node", "problems"),
    [
        (READ, []),
        (WRITE, []),
        (CallApi(service="pagr", operation="on_call"), ["service: did you mean pager?"]),
        (CallApi(service="pager", operation="oncall"), ["operation: did you mean on_call?"]),
        (replace(READ, fields={}), ["fields: on_call needs team"]),
        (replace(READ, into=""), ["into: is missing"]),
        (replace(READ, into="a b"), ["into: no name"]),
        (replace(WRITE, into="x"), ["into: writes"]),
        (replace(READ, fields={"team": "dat.team"}), ["fields.team: did you mean data?"]),
        (replace(READ, fields={"team": "{{ dat }}"}), ["fields.team: did you mean data?"]),
        (replace(READ, fields={"team": "'a'", "tam": 1}), ["fields.tam: did you mean team?"]),
        (CallApi(service="pager", operation="ping", name="x y"), ["name: no name"]),
        (CallApi(service="pager", operation="ping", fields={"a": 1}), ["fields.a: it has none"]),
    ],
)
def test_problems_are_told_beforehand(node: CallApi, problems: list[str]) -> None:
    found = list(node.problems(DECLARED))
    assert len(found) == len(problems)
    for (parameter, words), expected in zip(found, problems, strict=True):
        name, _, part = expected.partition(": ")
        assert parameter == name
        assert part in words
    assert [words for _, words in READ.problems({})] == [
        "there is no service 'pager'; integrations.services declares none"
    ]

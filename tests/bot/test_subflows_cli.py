"""Configured flows as users run them: shown, refused in one line, and at work against a service of the team's."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.load import load
from models.errors import UserFacing
from subflows.compose import BUILT_IN
from tests.bot.test_run import issue
from tests.subflows.test_compose import NODE, distribution
from tests.world import World

SERVICE = {
    "auth": {"secret_env": "PAGER_TOKEN"},
    "timeout": "60s",
    "operations": {
        "on_call": {"path": "/teams/{team}/on-call", "answer": "person.name"},
        "page": {
            "method": "POST",
            "path": "/pages",
            "body": {"title": "{title}", "n": "{n}", "from": "triage"},
        },
    },
}
FLOWS: dict[str, Any] = {
    "bug": {
        "extends": "bug",
        "before": {
            "create_story": [
                {
                    "node": "call_api",
                    "with": {
                        "service": "pager",
                        "operation": "on_call",
                        "fields": {"team": "'core/eu'"},
                        "into": "on_call",
                        "required": True,
                    },
                    "on_error": {
                        "use": {"node": "transform", "with": {"expression": "'nobody'", "into": "on_call"}}
                    },
                },
                {"subflow": "tell"},
            ]
        },
        "after": {
            "create_story": [
                {
                    "node": "call_api",
                    "with": {
                        "service": "pager",
                        "operation": "page",
                        "fields": {"title": "{{ issue.ref }}: {{ issue.title }}", "n": "issue.number"},
                    },
                }
            ]
        },
    },
    "tell": [
        {"node": "write_section", "with": {"title": "On call", "template": "Now: **{{ data.on_call }}**"}},
    ],
}


def configure(folder: Path, base: str, flows: Any = None, service: Any = None) -> None:
    """Write ./switchyard.yaml with these flows and the pager."""
    pager = {"base_url": f"{base}/services/pager", **(service or SERVICE)}
    workflow = {"integrations": {"services": {"pager": pager}}, "subflows": FLOWS if flows is None else flows}
    (folder / "switchyard.yaml").write_text(yaml.safe_dump({"workflow": workflow}, sort_keys=False))


@contextmanager
def paged(folder: Path, issues: list[dict[str, Any]], **configured: Any) -> Iterator[World]:
    """A world with a pager, in which every issue is a bug."""
    with World(folder, issues) as world:
        world.route_all("bug")
        world.environment["PAGER_TOKEN"] = "a-token-of-the-pager"
        world.set("resilience.circuit_breaker.reset_timeout_seconds", "1s")
        configure(folder, world.base, **configured)
        world.app.sandbox.services.documents["pager", "teams/core/eu/on-call"] = "not by this path"
        yield world


def pages(world: World) -> list[Any]:
    return [entry["value"] for entry in world.app.sandbox.services.documents.get(("pager", "pages"), [])]


def answer_on_call(world: World) -> None:
    world.app.sandbox.services.documents["pager", "teams/core%2Feu/on-call"] = {"person": {"name": "Ada [x]"}}


def test_a_run_reads_writes_into_the_story_and_calls_once(tmp_path: Path) -> None:
    with paged(tmp_path, [issue(1), issue(2)]) as world:
        answer_on_call(world)
        first = world.run("run", "--json")
        assert (first.code, first.json["status"]) == (0, "completed"), first.err
        stories = world.listed("stories")
        assert len(stories) == 2
        assert all("## On call\n\nNow: **Ada \\[x\\]**" in story["description"] for story in stories)
        wanted = [
            {"title": f"octo/widgets#{n}: Crash number {n} when saving a file", "n": n, "from": "triage"}
            for n in (1, 2)
        ]
        assert sorted(pages(world), key=lambda page: page["n"]) == wanted
        assert {call["key"] for call in world.app.sandbox.services.calls} != {""}
        # The same again asks for nothing new.
        assert world.run("run", "--full", "--json").json["status"] == "completed"
        assert len(world.app.sandbox.services.calls) == 2
        assert first.json["requests"]["api"] == 3, "one reading for both, and a page for each"
        world.assert_once()
        world.assert_contracts()


def test_a_service_that_is_down_holds_up_nothing_and_is_called_later(tmp_path: Path) -> None:
    with paged(tmp_path, [issue(1)]) as world:
        answer_on_call(world)
        world.control(service="api", fault="status", status=503)
        down = world.run("run", "--json", "--wait", "3s")
        assert (down.code, down.json["status"]) == (1, "partial")
        assert down.json["stories"]["created"] == 1
        # Without an answer the alternative step was taken.
        assert "Now: **nobody**" in world.listed("stories")[0]["description"]
        (waiting,) = world.run("queue", "list", "--json").json["pending"]
        assert (waiting["key"], waiting["target"]) == ("api:pager:page:octo/widgets#1", "api")
        assert waiting["operation"] == "pager.page"
        world.control(reset="faults")
        drained = world.run("queue", "drain", "--json")
        assert (drained.code, drained.json) == (0, {"delivered": 1, "pending": 0, "dead": 0})
        assert len(pages(world)) == 1


def test_an_answer_that_was_lost_makes_no_second_page(tmp_path: Path) -> None:
    with paged(tmp_path, [issue(1)]) as world:
        answer_on_call(world)
        world.control(service="api", match="POST .*", fault="drop_after", times=1)
        assert world.run("run", "--json").json["status"] == "completed"
        assert len(world.app.sandbox.services.calls) == 2
        assert world.app.sandbox.services.repeats() == 1
        assert len(pages(world)) == 1


def test_a_service_without_its_secret_is_off(tmp_path: Path) -> None:
    with paged(tmp_path, [issue(1)]) as world:
        del world.environment["PAGER_TOKEN"]
        done = world.run("run", "--json")
        assert done.json["status"] == "completed"
        assert "Now: **nobody**" in world.listed("stories")[0]["description"]
        assert world.app.sandbox.services.calls == []
        doctor = world.run("doctor", "--json").json
        assert "pager is off: set PAGER_TOKEN; flows go on without it" in [
            check["detail"] for check in doctor["checks"]
        ]
        world.environment["PAGER_TOKEN"] = "wrong\nline"
        assert "secret PAGER_TOKEN: holds a character" in world.run("run").err


def test_a_security_report_does_not_leave(tmp_path: Path) -> None:
    flows = {
        "security": {"extends": "security", "before": {"create_story": FLOWS["bug"]["after"]["create_story"]}}
    }
    with paged(tmp_path, [issue(1)], flows=flows) as world:
        world.route_all("security")
        assert world.run("run", "--json").json["status"] == "completed"
        assert len(world.listed("stories")) == 1
        assert world.app.sandbox.services.calls == []


def test_a_dry_run_reads_and_does_not_write(tmp_path: Path) -> None:
    with paged(tmp_path, [issue(1)]) as world:
        answer_on_call(world)
        before = world.writes()
        assert world.run("run", "--dry-run", "--json").code == 0
        assert world.writes() == before
        assert world.app.sandbox.services.calls == []
        assert world.state()["requests"]["api"]["count"] == 1


@pytest.mark.slow
def test_a_node_of_another_distribution_at_work(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    source = NODE.replace("notes=(*case.notes, ", "labels=(*case.labels, ")
    distribution(site, "made-up-greeter", source, "greet_reporter = made_up_greeter:GreetReporter")
    flows = {"bug": {"extends": "bug", "before": {"create_story": ["greet_reporter"]}}}
    root = Path(__file__).parents[2]
    with paged(tmp_path, [issue(1)], flows=flows) as world:
        path = f"{root}:{site}"
        shown = world.run("subflows", "show", "bug", python_path=path)
        assert (shown.code, "├── greet_reporter\n" in shown.out) == (0, True)
        world.set("scaling.cpu_workers", "1")
        assert world.run("run", "--json", python_path=path).json["status"] == "completed"
        assert "Hello ann" in [label["name"] for label in world.listed("stories")[0]["labels"]]
        refused = world.run("subflows", "show", "bug")
        assert refused.code == 2
        assert "bug.before.create_story[0]: there is no node 'greet_reporter'" in refused.err


def test_list_and_show(tmp_path: Path) -> None:
    with paged(tmp_path, []) as world:
        listed = world.run("subflows", "list", "--json").json["subflows"]
        assert {row["name"]: row["origin"] for row in listed} == {
            **dict.fromkeys(BUILT_IN, "built in"),
            "bug": "extended",
            "tell": "configured",
        }
        assert re.search(r"^tell +configured +1 step$", world.run("subflows", "list").out, re.M)
        shown = world.run("subflows", "show", "bug").out
        assert "├── parse_stack_trace\n" in shown
        assert "├── flow tell\n│   └── write_section   title=On call" in shown
        assert "flowchart TD\n" in shown
        chart = world.run("subflows", "show", "bug", "--mermaid").out
        assert chart.startswith("flowchart TD\n") and chart in shown
        data = world.run("--json", "subflows", "show", "bug").json
        assert data["mermaid"] == chart.strip()
        # What it prints is what the configuration takes.
        configure(tmp_path, world.base, flows={"bug": data["steps"], "tell": FLOWS["tell"]})
        assert world.run("subflows", "show", "bug", "--json").json == {**data, "origin": "replaced"}
        unknown = world.run("subflows", "show", "bugg")
        assert (unknown.code, unknown.out) == (2, "")
        assert unknown.err == "switchyard: there is no sub-flow 'bugg'; did you mean bug?\n"


BAD: list[tuple[Any, Any, str]] = [
    (
        {"bug": ["parse_stak"]},
        None,
        ":22: workflow.subflows.bug[0]: there is no node 'parse_stak'; did you mean parse_stack_trace?",
    ),
    (
        {"bug": ["parse_stack_trace", {"node": "suggest_fix", "with": {"shown": 1}}]},
        None,
        ":25: workflow.subflows.bug[1].with.shown: unknown parameter; ",
    ),
    (
        {"bug": [{"subflow": "bug"}]},
        None,
        ":22: workflow.subflows.bug[0].subflow: goes in a circle: bug → bug",
    ),
    (
        {
            "bug": [
                {
                    "node": "call_api",
                    "with": {"service": "pager", "operation": "page", "fields": {"title": "'x'"}},
                }
            ]
        },
        None,
        "workflow.subflows.bug[0].with.fields: page needs n",
    ),
    ([], None, "workflow.subflows: "),
    ({"bug": [{"node": "suggest_fix", "when": "a.b ="}]}, None, "bug[0].when: is no JMESPath expression ("),
    (
        {},
        {"operations": {"a": {"path": "/a", "methd": "GET"}}},
        ":9: workflow.integrations.services.pager.operations.a.methd: unknown key; did you mean method?",
    ),
    (
        {},
        {"operations": {"a": {"path": "a"}}},
        "services.pager.operations.a.path: write it like /teams/{team}/on-call",
    ),
    ({}, {"operation": {}}, "services.pager.operation: unknown key; did you mean operations?"),
    ({}, {"operations": {"a": {"path": "/a"}}, "auth": {"secret_env": "x"}}, "write it like PAGER_TOKEN"),
]


@pytest.mark.parametrize("command", [["run"], ["serve", "--port", "0"], ["doctor"]])
def test_what_is_wrong_is_one_line_in_every_command(tmp_path: Path, command: list[str]) -> None:
    flows, service, words = BAD[0]
    world = World(tmp_path, [], anew=True)
    world.environment = {"PATH": "/usr/bin:/bin", "GITHUB_TOKEN": "x"}
    configure(tmp_path, "http://127.0.0.1:9", flows=flows, service=service)
    ended = world.run(*command)
    assert ended.code == 2
    told = ended.out if command == ["doctor"] else ended.err
    assert words in told, told
    if command != ["doctor"]:
        assert told.count("\n") == 1
        assert ended.out == ""


@pytest.mark.parametrize(("flows", "service", "words"), BAD)
def test_what_is_wrong_is_one_line(tmp_path: Path, flows: Any, service: Any, words: str) -> None:
    configure(tmp_path, "http://127.0.0.1:9", flows=flows, service=service)
    with pytest.raises(UserFacing) as refused:
        load(tmp_path / "switchyard.yaml", {})
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_flows_from_the_environment_name_their_variable(tmp_path: Path) -> None:
    world = World(tmp_path, [], anew=True)
    world.environment = {"PATH": "/usr/bin:/bin"}
    world.set("subflows", json.dumps({"bug": ["parse_stak"]}))
    (tmp_path / "switchyard.yaml").write_text("workflow: {}\n")
    ended = world.run("subflows", "list")
    assert ended.code == 2
    assert "environment SWITCHYARD__SUBFLOWS: workflow.subflows.bug[0]: there is no node" in ended.err

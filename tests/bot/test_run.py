"""Whole runs, as a user starts them, on real HTTP."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from standardwebhooks.webhooks import Webhook

from tests.world import World

STORIES = {"bug", "feature", "docs", "security"}


def issue(number: int, repo: str = "octo/widgets", **fields: Any) -> dict[str, Any]:
    base = {
        "repo": repo,
        "number": number,
        "title": f"Crash number {number} when saving a file",
        "body": "It crashes with an error every time I save.\n\n### Steps\n1. open\n2. save",
        "author": "ann",
        "author_association": "NONE",
        "labels": [],
        "created_at": f"2026-10-{1 + number % 28:02}T10:00:00Z",
        "updated_at": f"2026-11-{1 + number % 18:02}T10:00:00Z",
        "comments": 0,
        "reactions": 0,
        "pull_request": False,
        "state": "open",
        "assignees": [],
    }
    return base | fields


def many(count: int) -> list[dict[str, Any]]:
    return [issue(n) for n in range(1, count + 1)]


@contextmanager
def bugs(folder: Path, issues: list[dict[str, Any]], **options: Any) -> Iterator[World]:
    """A world in which every issue becomes a bug story."""
    with World(folder, issues, **options) as world:
        world.route_all("bug")
        yield world


def accounted(report: dict[str, Any]) -> int:
    return int(sum(report[key] for key in ("pull_requests_skipped", "unchanged", "triaged", "failed")))


def test_the_main_job_and_a_second_run_that_writes_nothing(anew: World) -> None:
    anew.set("integrations.webhooks", json.dumps([{"url": f"{anew.base}/hooks/t", "secret_env": "HOOK"}]))
    anew.environment["HOOK"] = "whsec_" + "QUJD" * 8
    first = anew.run("run", "--json")
    report = first.json
    assert first.code == 0, first.err
    assert report["status"] == "completed"
    assert report["fetched"] == 72 == accounted(report)
    assert report["pull_requests_skipped"] == 12
    assert report["triaged"] == 60 == sum(report["routes"].values())
    routed = sum(count for route, count in report["routes"].items() if route in STORIES)
    assert report["stories"] == {"created": routed, "existing": 0, "queued": 0, "dead": 0}
    assert routed >= 15
    stories = anew.listed("stories")
    assert len(stories) == routed
    assert all(story["external_links"] and story["external_id"].startswith("story:") for story in stories)
    messages = anew.listed("messages")
    assert sum("Triage: 60" in json.dumps(message) for message in messages) == 1
    assert report["notifications"]["slack"] == len(messages)
    (hook,) = anew.listed("webhooks")
    body = hook["body"] if isinstance(hook["body"], str) else json.dumps(hook["body"])
    Webhook(anew.environment["HOOK"]).verify(body, hook["headers"])
    page = (anew.folder / report["report"]).read_text()
    assert "quayside#1187" in page and "<script>" not in page
    sent = {name: part["count"] for name, part in anew.state()["requests"].items()}
    assert report["requests"] == {name: sent[name] for name in report["requests"]}

    before = anew.writes()
    second = anew.run("run", "--json").json
    assert second["triaged"] == 0 and second["status"] == "completed"
    assert second["fetched"] == accounted(second)
    full = anew.run("run", "--full", "--json").json
    assert full["triaged"] == 60
    assert full["stories"]["existing"] == routed and full["stories"]["created"] == 0
    assert anew.writes() == before, "nothing was new, so there was nothing to tell either"
    anew.assert_once()

    listed = anew.run("runs", "list", "--json").json["runs"]
    assert [run["run_id"] for run in listed] == [full["run_id"], second["run_id"], report["run_id"]]
    shown = anew.run("runs", "show", report["run_id"])
    assert shown.code == 0 and report["run_id"] in shown.out


def test_a_dry_run_writes_nothing_and_plans_what_a_run_does(world: World) -> None:
    world.set("integrations.github.comment", "always")
    dry = world.run("run", "--dry-run", "--json")
    assert dry.code == 0
    assert world.writes() == 0
    planned = dry.json["planned"]
    assert dry.json["stories"] == {"created": 0, "existing": 0, "queued": 0, "dead": 0}
    assert world.run("queue", "list", "--json").json == {"pending": [], "dead": []}
    real = world.run("run", "--json").json
    assert planned["stories"]["created"] == real["stories"]["created"]
    assert planned["github"]["updated"] == real["github"]["updated"] == 60
    assert planned["notifications"]["slack"] == real["notifications"]["slack"]
    assert dry.json["routes"] == real["routes"]


def test_named_issues(world: World) -> None:
    world.control(issue=issue(5, labels=["bug"], repo="harbor-tools/keel"))
    report = world.run("run", "--issue", "harbor-tools/keel#5", "--json").json
    assert (report["fetched"], report["triaged"], report["stories"]["created"]) == (1, 1, 1)
    again = world.run("run", "--issue", "harbor-tools/keel#5", "--json").json
    assert (again["triaged"], again["stories"]["created"], again["stories"]["existing"]) == (1, 0, 1)
    missing = world.run("run", "--issue", "harbor-tools/keel#99999", "--json")
    assert missing.code == 1 and "99999" in missing.json["problems"][0]


def test_a_changed_issue_is_triaged_again_but_its_story_stays(tmp_path: Path) -> None:
    with bugs(tmp_path, many(5)) as world:
        assert world.run("run", "--json").json["stories"]["created"] == 5
        world.control(issue={"repo": "octo/widgets", "number": 3, "title": "Another title altogether now"})
        report = world.run("run", "--json").json
        assert report["triaged"] == 1
        assert report["stories"]["existing"] == 1
        assert len(world.listed("stories")) == 5
        world.assert_contracts()


@pytest.mark.chaos
@pytest.mark.slow
def test_killed_at_random_and_started_again_loses_none_and_doubles_none(tmp_path: Path) -> None:
    seed = random.Random(20261120)
    with bugs(tmp_path, many(240), anew=True, latency_ms=60) as world:
        world.set("scaling.batch_size", "20")
        world.set("integrations.github.comment", "always")
        killed = sum(world.kill_after(seed.randint(0, 80), "run") for _ in range(5))
        assert killed >= 3
        report = world.run("run", "--full", "--json").json
        assert report["status"] == "completed", report
        stories = {story["external_id"] for story in world.listed("stories")}
        assert stories == {f"story:octo/widgets#{n}" for n in range(1, 241)}
        state = world.state()
        assert state["comments"] == 240 and state["issues_labelled"] == 240
        world.assert_once()
        world.assert_contracts()


def test_shortcut_down_holds_up_nothing_else(tmp_path: Path) -> None:
    with bugs(tmp_path, many(130)) as world:
        world.set("resilience.circuit_breaker.reset_timeout_seconds", "10m")
        world.control(service="shortcut", fault="status", status=503)
        down = world.run("run", "--json")
        assert down.code == 1 and down.json["status"] == "partial"
        assert down.json["stories"] == {"created": 0, "existing": 0, "queued": 130, "dead": 0}
        assert down.json["notifications"]["slack"] == 1
        assert any("shortcut" in problem for problem in down.json["problems"])
        queue = world.run("queue", "list", "--json").json
        assert len(queue["pending"]) == 130 and not queue["dead"]
        assert queue["pending"][0]["target"] == "shortcut"
        errors = [item["last_error"] for item in queue["pending"] if item["last_error"]]
        assert errors and all("503" in error or "breaker" in error for error in errors)
        tried = world.state()["requests"]["shortcut"]["count"]
        assert tried <= 8, "an open breaker lets nothing through"

        world.control(reset="faults")
        drained = world.run("queue", "drain", "--json")
        assert drained.code == 0 and drained.json == {"delivered": 130, "pending": 0, "dead": 0}
        assert world.run("runs", "list", "--json").json["runs"][0]["status"] == "completed"
        world.assert_once()
        world.assert_contracts()


@pytest.mark.parametrize("fault", ["drop_after", "truncate", "hang_after"])
def test_an_answer_that_never_came_makes_no_second_story(tmp_path: Path, fault: str) -> None:
    with bugs(tmp_path, many(60)) as world:
        # Only an answer that hangs is waited for, so only there the time-outs are short.
        world.set("integrations.shortcut.timeout", "4s" if fault == "hang_after" else "60s")
        world.set("integrations.github.timeout", "4s" if fault == "hang_after" else "60s")
        world.set("integrations.github.comment", "always")
        for match in ("POST /api/v3/stories/bulk", "POST /repos/.*/comments"):
            service = "shortcut" if "api" in match else "github"
            world.control(service=service, match=match, fault=fault, times=1)
        report = world.run("run", "--json").json
        assert report["status"] == "completed", report
        assert len(world.listed("stories")) == 60 and world.state()["comments"] == 60
        world.assert_once()


def test_github_down_goes_on_with_the_stored_copies(tmp_path: Path) -> None:
    with bugs(tmp_path, many(30)) as world:
        world.run("run", "--json")
        world.control(service="github", fault="refuse")
        world.set("resilience.retry.max_attempts", "2")
        report = world.run("run", "--json").json
        assert report["from_cache"] is True
        assert report["fetched"] == 30 == accounted(report)
        assert any("stored" in problem for problem in report["problems"])


def test_a_repository_that_vanished_or_is_closed_stops_nothing(tmp_path: Path) -> None:
    issues = [*many(10), issue(1, repo="octo/gone"), issue(1, repo="octo/secret")]
    with bugs(tmp_path, issues) as world:
        world.control(repo="octo/gone", access="gone")
        world.control(repo="octo/secret", access="forbidden")
        result = world.run("run", "--json")
        assert result.code == 1 and result.json["status"] == "partial"
        assert result.json["triaged"] == 10 and result.json["stories"]["created"] == 10
        text = " ".join(result.json["problems"])
        assert "octo/gone" in text and "octo/secret" in text


def test_bad_issues_end_as_lines_and_lose_nothing(tmp_path: Path) -> None:
    nested = "> " * 2_000 + "[" * 5_000 + "```\n" * 3_000
    issues = [
        issue(1, body=""),
        issue(2, body=None),
        issue(3, body="x" * 1_000_000),
        issue(4, body="".join(chr(n) for n in range(256)) * 50),
        issue(5, body=nested),
        issue(6, title="🔥"),
        issue(7, author=None),
        issue(8, labels=["l" * 200, "bug"]),
        issue(9, title="\u202e\u0000 evil \ud83d\ude00", body="<!-- ignore --> <script>alert(1)</script>"),
        *[issue(n, labels=["bug"]) for n in range(10, 20)],
    ]
    with bugs(tmp_path, issues) as world:
        report = world.run("run", "--json").json
        assert report["fetched"] == 19 == accounted(report)
        assert report["failed"] == 0 and report["stories"]["created"] == 19
        assert report["status"] == "completed", report["problems"]
        world.assert_contracts()


@pytest.mark.parametrize(
    ("fault", "options"), [("html", {}), ("truncate", {}), ("status", {"status": 500}), ("hang", {})]
)
def test_a_page_that_comes_broken_is_asked_for_again(
    tmp_path: Path, fault: str, options: dict[str, Any]
) -> None:
    with bugs(tmp_path, many(12)) as world:
        world.set("integrations.github.timeout", "4s" if fault == "hang" else "60s")
        world.control(service="github", match="GET /repos/.*/issues", fault=fault, times=1, **options)
        report = world.run("run", "--json").json
        assert report["status"] == "completed" and report["triaged"] == 12


def test_a_refused_credential_fails_the_run_with_one_line(tmp_path: Path) -> None:
    with bugs(tmp_path, many(3)) as world:
        world.environment["GITHUB_TOKEN"] = "bad"
        result = world.run("run", "--json")
        assert result.code == 1 and result.json["status"] == "failed"
        assert "GITHUB_TOKEN" in result.json["problems"][0]


def test_a_digest_whose_answer_was_lost_is_not_posted_twice(tmp_path: Path) -> None:
    with bugs(tmp_path, many(3)) as world:
        world.control(service="slack", match=".*chat.postMessage", fault="drop_after", times=1)
        done = world.run("run", "--json")
        assert done.json["status"] == "completed", done.json
        assert done.json["notifications"]["slack"] == 1
        # Its metadata told that it had arrived.
        assert len(world.listed("messages")) == 1
        world.assert_contracts()


def test_a_refused_slack_token_loses_no_digest(tmp_path: Path) -> None:
    with bugs(tmp_path, many(3)) as world:
        token = world.environment["SLACK_BOT_TOKEN"]
        world.environment["SLACK_BOT_TOKEN"] = "bad"
        result = world.run("run", "--json", "--wait", "5s")
        assert result.json["status"] == "partial" and result.json["notifications"]["queued"] == 1
        world.environment["SLACK_BOT_TOKEN"] = token
        key = world.run("queue", "list", "--json").json["pending"][0]["key"]
        assert world.run("queue", "retry", key).code == 0
        assert world.run("queue", "drain", "--json").json["delivered"] == 1
        assert len(world.listed("messages")) == 1


def test_one_refused_story_dies_alone_with_the_services_words(tmp_path: Path) -> None:
    with bugs(tmp_path, many(8)) as world:
        refusal = {"status": 422, "body": {"message": "The name is reserved."}}
        world.control(service="shortcut", match="POST /api/v3/stories/bulk", fault="status", **refusal)
        dead = world.run("run", "--json")
        assert dead.json["status"] == "partial" and dead.json["stories"]["dead"] == 8
        items = world.run("queue", "list", "--json").json["dead"]
        assert "422" in items[0]["last_error"] and "reserved" in items[0]["last_error"]
        world.control(reset="faults")
        assert world.run("queue", "retry", "--all-dead").code == 0
        assert world.run("queue", "drain", "--json").json == {"delivered": 8, "pending": 0, "dead": 0}
        world.assert_once()


def test_a_spent_budget_pauses_and_is_never_bumped_into(tmp_path: Path) -> None:
    with bugs(tmp_path, many(30)) as world:
        world.set("integrations.github.comment", "always")
        world.set("integrations.github.content_rate_limit", "20/minute")
        result = world.run("run", "--json", "--wait", "3s")
        assert result.code == 0 and result.json["status"] == "paused", result.json
        assert result.json["resumes_at"] > result.json["started_at"]
        assert result.json["github"] == {"updated": 20, "queued": 10, "dead": 0}
        assert world.state()["issues_labelled"] == 30, "labels do not wait for comments"
        assert result.json["stories"]["created"] == 30


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"GITHUB_TOKEN": ""}, ["GITHUB_TOKEN"]),
        ({"SWITCHYARD__SCALING__BATCH_SISE": "5"}, ["batch_sise", "batch_size"]),
        ({"SWITCHYARD__RESILIENCE__RETRY__MAX_DELAY": "ten"}, ["max_delay", "30s"]),
        ({"SWITCHYARD_CONFIG": "nowhere.yaml"}, ["nowhere.yaml"]),
        ({"SWITCHYARD__REPOSITORIES": "[]"}, ["--repo"]),
        ({"SWITCHYARD_DATABASE_URL": "sqlite:////proc/no/where.db"}, ["storage.url"]),
    ],
)
def test_bad_configuration_exits_2_with_one_line(
    world: World, environment: dict[str, str], words: list[str]
) -> None:
    world.environment |= environment
    result = world.run("run")
    assert result.code == 2
    assert result.err.strip().count("\n") == 0, result.err
    assert all(word in result.err for word in words)
    assert world.state()["requests"]["github"]["count"] == 0


def test_doctor_says_what_to_mend(world: World) -> None:
    good = world.run("doctor", "--json")
    assert good.code == 0 and good.json["ok"], good.out
    world.environment["SHORTCUT_API_TOKEN"] = "bad"
    bad = world.run("doctor", "--json")
    assert bad.code == 1 and not bad.json["ok"]
    (line,) = [check for check in bad.json["checks"] if not check["ok"]]
    assert line["name"] == "shortcut" and "SHORTCUT_API_TOKEN" in line["mend"]


def test_a_github_app_signs_in_as_its_installation(world: World) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    world.environment |= {
        "GITHUB_TOKEN": "",
        "GITHUB_APP_ID": "4711",
        "GITHUB_APP_PRIVATE_KEY": key.private_bytes(*form).decode(),
    }
    report = world.run("run", "--json").json
    assert report["status"] == "completed" and report["triaged"] == 60, report["problems"]


def test_a_case_that_fails_is_a_line_and_is_tried_again(tmp_path: Path) -> None:
    with bugs(tmp_path, many(6)) as world:
        plugin = tmp_path / "sitecustomize.py"
        plugin.write_text(
            "import nodes.assess_impact as n\n"
            "think = n.AssessImpact.__call__\n"
            "async def call(self, case, ctx):\n"
            "    assert case.issue.number != 4, 'four'\n"
            "    return await think(self, case, ctx)\n"
            "n.AssessImpact.__call__ = call\n"
        )
        path = f"{tmp_path}:{Path(__file__).parents[2]}"
        broken = world.run("run", "--json", python_path=path)
        assert broken.code == 1 and broken.json["status"] == "partial"
        assert (broken.json["triaged"], broken.json["failed"]) == (5, 1)
        assert "octo/widgets#4" in broken.err and "AssessImpact" in broken.err
        assert "four" in (tmp_path / broken.json["report"]).read_text()
        plugin.unlink()
        mended = world.run("run", "--json").json
        assert mended["status"] == "completed" and mended["triaged"] == 1
        assert len(world.listed("stories")) == 6


def test_an_issue_that_kills_the_thinking_process_costs_only_itself(tmp_path: Path) -> None:
    with bugs(tmp_path, many(8), anew=True) as world:
        (tmp_path / "sitecustomize.py").write_text(
            "import os, nodes.assess_impact as n\n"
            "think = n.AssessImpact.__call__\n"
            "async def call(self, case, ctx):\n"
            "    if case.issue.number == 5: os._exit(9)\n"
            "    return await think(self, case, ctx)\n"
            "n.AssessImpact.__call__ = call\n"
        )
        path = f"{tmp_path}:{Path(__file__).parents[2]}"
        report = world.run("run", "--json", python_path=path).json
        assert (report["triaged"], report["failed"]) == (7, 1), report
        assert report["stories"]["created"] == 7


@pytest.mark.slow
def test_two_interrupted_runs_are_both_brought_to_their_end(tmp_path: Path) -> None:
    with bugs(tmp_path, many(60), anew=True, latency_ms=40) as world:
        world.set("scaling.batch_size", "5")
        assert world.kill_after(1, "run", "--issue", "octo/widgets#1")
        assert world.kill_after(3, "run")
        result = world.run("run", "--json")
        assert result.code == 0, result.out
        assert {run["status"] for run in world.run("runs", "list", "--json").json["runs"]} == {"completed"}
        assert len(world.listed("stories")) == 60
        world.assert_once()


def test_a_secret_that_cannot_be_sent_is_refused_unseen(world: World) -> None:
    world.environment["GITHUB_TOKEN"] = "ghp_CANARY\nsecond"
    for command in ("run", "doctor"):
        result = world.run(command)
        assert result.code != 0 and "GITHUB_TOKEN" in result.out + result.err
        assert "CANARY" not in result.out + result.err


def test_the_link_to_the_story_comes_with_the_comment_also_later(tmp_path: Path) -> None:
    with bugs(tmp_path, many(3)) as world:
        world.set("integrations.github.link_story", "true")
        world.set("integrations.github.comment", "never")
        assert world.run("run", "--json").json["status"] == "completed"
        world.set("integrations.github.comment", "always")
        report = world.run("run", "--full", "--json").json
        assert report["status"] == "completed", report
        assert all("Shortcut" in json.dumps(comment) for comment in world.listed("comments"))


def test_short_refusals_for_the_rate_make_no_flood(tmp_path: Path) -> None:
    with bugs(tmp_path, many(20)) as world:
        world.control(service="github", match="POST /repos/.*", fault="status", status=429, retry_after=0)
        result = world.run("run", "--json", "--wait", "4s")
        assert result.json["github"]["queued"] == 20
        assert world.state()["requests"]["github"]["count"] < 200

"""A repository's own configuration: what it changes, what it cannot, and that a bad one changes nothing."""

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.app.app import App, build, close, working
from bot.run import run as engine
from bot.store import repo_configs, runs
from bot.store.repo_configs import off, overlay, problems
from bot.think.pool import Mind, ThinkSettings
from bot.trigger.repo_config import changed_by_push, check_pull, load
from config.load import load as load_settings
from config.repository import FILE, check
from models.case import Case
from models.report import RunReport
from models.router.inference.predict import Model
from nodes.base import Policy, Rule
from nodes.route_issue import RouteIssue
from tests.nodes.build import case, context, prediction
from tests.world import World

REPO, OTHER = "octo/widgets", "octo/gadgets"
SHA = "a" * 40


def seeds(repo: str, count: int) -> list[dict[str, Any]]:
    return [
        {"repo": repo, "number": n, "title": f"Saving file number {n} fails", "body": "It fails each time."}
        for n in range(1, count + 1)
    ]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Three issues in one repository and two in another, which the operator's rules leave to the model."""
    monkeypatch.chdir(tmp_path)
    with World(tmp_path, [*seeds(REPO, 3), *seeds(OTHER, 2)]) as made:
        made.set("scaling.cpu_workers", "0")
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made
        made.assert_contracts()


@asynccontextmanager
async def inside(**environment: str) -> AsyncIterator[App]:
    """The program in this process, as a run or `serve` has it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        app = build(load_settings(None))
    try:
        app.database.require_schema()
        async with working(app):
            yield app
    finally:
        await close(app)


def write(world: World, text: str | None, repo: str = REPO) -> None:
    world.control(repo=repo, files={FILE: text})


async def run(app: App, **params: Any) -> RunReport:
    run_id = engine.new_id("run")
    asked = engine.Params(repositories=app.settings.repositories, wait=20, **params).to_json()
    await app.database.run(lambda c: runs.create(c, run_id, "cli", asked, app.me))
    return await engine.drive(app, run_id)


def labels(world: World) -> dict[str, list[str]]:
    return {f"{i['repo']}#{i['number']}": i["added"] for i in world.listed("labels")}


async def test_rules_labels_and_closed_routes_hold_in_their_repository_alone(world: World) -> None:
    write(
        world,
        """
routes: {bug: {label: "type: bug"}, docs: {enabled: false}}
rules:
  - {route: docs, pattern: "number 3", name: third}
  - {route: bug, pattern: "saving (file|folder)"}
""",
    )
    async with inside() as app:
        report = await run(app)
        assert report.status == "completed" and report.triaged == 5, report.problems
    given = labels(world)
    assert given[f"{REPO}#1"][0] == "type: bug" and given[f"{REPO}#2"][0] == "type: bug"
    assert given[f"{REPO}#3"] == ["needs triage"]
    assert not any("type: bug" in given.get(f"{OTHER}#{n}", []) for n in (1, 2))


async def test_the_off_switch(world: World) -> None:
    write(world, "enabled: false")
    async with inside() as app:
        report = await run(app)
        assert report.status == "completed" and report.triaged == 2
        assert f"{REPO} is off: {FILE} says enabled: false" in report.skipped
        assert await app.database.query(off) == {REPO}
        assert not any(ref.startswith(REPO) for ref in labels(world))
    named = world.run("run", "--repo", REPO, "--json")
    assert named.code == 1 and any("is off" in problem for problem in named.json["problems"])
    one = world.run("run", "--issue", f"{REPO}#1", "--json", "--dry-run")
    assert one.code == 1 and any("is off" in problem for problem in one.json["problems"])
    # It was switched on a moment ago, and no webhook told.
    write(world, None)
    assert world.run("run", "--repo", REPO, "--json").json["triaged"] == 3


async def test_a_bad_file_leaves_the_last_good_one_and_says_so(world: World) -> None:
    write(world, "comment: always\n")
    async with inside() as app:
        assert await load(app, REPO) == f"{FILE} read"
        write(world, "comment: always\nenabeld: false\n")
        assert "lately" in await load(app, REPO)
        assert "enabeld: unknown key; did you mean enabled?" in await load(app, REPO.upper(), force=True)
        own = await app.database.query(lambda c: repo_configs.policies(c, [REPO, OTHER], app.policy))
        assert list(own) == [REPO] and own[REPO].comment == "always"
        report = await run(app)
        (told,) = [problem for problem in report.problems if FILE in problem]
        assert told.startswith(f"{REPO}: {FILE}:2: ") and "last good one holds" in told
        assert (await app.database.query(repo_configs.standing))[0]["problem"]
        doctor = world.run("doctor", "--json")
        (line,) = [check for check in doctor.json["checks"] if not check["ok"]]
        assert doctor.code == 1 and line["name"] == f"configuration {REPO}" and "enabeld" in line["detail"]
        # GitHub is down: what was stored holds, and nothing fails for it.
        world.control(service="github", fault="status", status=503, match="/repos/.*/contents/.*")
        with pytest.raises(Exception, match="503"):
            await load(app, REPO, force=True)
        assert (await app.database.query(problems))[0].startswith(REPO)
        world.control(reset="faults")
        write(world, None)
        assert await load(app, REPO, force=True) == f"no {FILE}"
        assert await app.database.query(problems) == []
        assert not await app.database.query(lambda c: repo_configs.policies(c, [REPO], app.policy))


@pytest.mark.databases("sqlite", "postgresql")
async def test_digests_go_where_the_repository_wants_them(world: World) -> None:
    write(world, 'channels: {digest: "#widgets"}\nrules: [{route: bug, pattern: saving}]')
    world.control(channel="#absent", exists=False)
    async with inside() as app:
        # Two digests, and in the operator's thread the cases that need a person.
        assert (await run(app)).notifications["slack"] == 4
        assert world.state()["messages_by_channel"]["#widgets"] == 1
        digests = [m for m in world.listed("messages") if m["text"].startswith("Triage: ")]
        assert sorted(m["text"][:16] for m in digests) == ["Triage: 2 issues", "Triage: 3 issues"]
        assert len({m["channel"] for m in digests}) == 2
        write(world, 'channels: {digest: "#absent"}\nrules: [{route: bug, pattern: saving}]')
        await load(app, REPO, force=True)
        world.control(
            issue={"repo": REPO, "number": 9, "title": "Saving is slow", "updated_at": "2099-01-01T00:00:00Z"}
        )
        refused = await run(app)
        (told,) = [problem for problem in refused.problems if "#absent" in problem]
        assert "invite the bot" in told and refused.notifications["dead"] == 1


def pull(number: int, sha: str = SHA, action: str = "opened", base: str = "main") -> dict[str, Any]:
    return {
        "action": action,
        "repository": {"full_name": REPO, "default_branch": "main"},
        "pull_request": {"number": number, "head": {"sha": sha}, "base": {"ref": base}},
    }


def propose(world: World, number: int, text: str | None, head: str = SHA, path: str = FILE) -> None:
    world.control(pull={"repo": REPO, "number": number, "head": head, "files": {path: text}})


async def delivered(app: App) -> None:
    await engine.settle(app, None, time.time() + 300)


async def test_a_pull_request_gets_one_comment_that_is_edited(world: World) -> None:
    async with inside() as app:
        propose(world, 50, "text", path="README.md")
        assert "leaves the configuration alone" in await check_pull(app, pull(50))
        propose(world, 50, "enabled: true\n")
        assert await check_pull(app, pull(50)) == "the configuration is good"
        propose(world, 50, '"@everyone `x`\\n<!-- -->": 1\n', head="b" * 40)
        for _ in range(2):
            assert "is bad" in await check_pull(app, pull(50, "b" * 40, "synchronize"))
        await delivered(app)
        (comment,) = world.listed("comments")
        assert (
            "cannot be used" in comment["body"]
            and "`.github/switchyard.yml:1: @everyone 'x' <!-- -->" in (comment["body"])
        )
        propose(world, 50, "enabled: true\n", head="c" * 40)
        assert "good" in await check_pull(app, pull(50, "c" * 40, "synchronize"))
        await delivered(app)
        (comment,) = world.listed("comments")
        assert "is good and takes effect" in comment["body"]
        for payload in (pull(50, action="closed"), pull(50, base="next"), pull(50, sha="../x"), {}):
            assert "good" not in await check_pull(app, payload)


async def test_an_app_writes_one_check_even_where_the_answer_is_lost(world: World) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    app_key = key.private_bytes(*form).decode()
    async with inside(GITHUB_TOKEN="", GITHUB_APP_ID="1", GITHUB_APP_PRIVATE_KEY=app_key) as app:
        propose(world, 51, "enabeld: false\nroutes: {bgu: {}}\n")
        world.control(service="github", fault="drop_after", match="POST /repos/.*/check-runs", times=1)
        for _ in range(2):
            assert "is bad" in await check_pull(app, pull(51))
        await delivered(app)
        propose(world, 51, None, head="d" * 40)
        assert "good" in await check_pull(app, pull(51, "d" * 40, "synchronize"))
        await delivered(app)
        assert any(fault["hits"] for fault in world.state()["faults"])
        first, second = world.listed("checks")
        assert first["conclusion"] == "failure" and first["head_sha"] == SHA
        assert first["output"]["summary"].count("\n- `") == 2 and first["output"]["title"] == "2 mistakes"
        assert (
            second["conclusion"] == "success" and second["output"]["title"] == "no configuration of its own"
        )
        assert world.listed("comments") == []


def own(text: str, base: Policy) -> Policy:
    settings, mistakes = check(text.encode())
    assert settings is not None, mistakes
    return overlay(base, settings)


def test_what_the_operator_forbids_stays_forbidden() -> None:
    operator = Rule(route="bug", action="forbid", label="*", name="no bugs")
    base = Policy(comment="never", rules=(operator,))
    found = own("comment: always\nneeds_human: story\nrules: [{route: bug, pattern: x}]", base)
    assert found.comment == "never" and found.needs_human == "story"
    assert [rule.by for rule in found.rules] == ["operator", "repository"]
    assert own("comment: never", Policy(comment="always")).comment == "never"


@pytest.mark.parametrize("action", ["force", "boost, weight: 10"])
def test_no_rule_of_a_repository_hides_what_the_screen_found(action: str) -> None:
    found = own(f"rules: [{{route: bug, pattern: crash, action: {action}}}]", Policy())
    flagged = prediction(security_flag=True, security_score=0.9)
    decide = RouteIssue().decide
    one = case("A crash", "It crashes.")
    assert decide(one, flagged, replace(context(), policy=found)).route == "security"
    by_operator = Policy(rules=(Rule(route="bug", pattern="crash"),))
    assert decide(one, flagged, replace(context(), policy=by_operator)).route == "bug"
    if action == "force":
        quiet = decide(one, prediction(security_flag=False), replace(context(), policy=found))
        assert quiet.route == "bug" and quiet.rules == ("the repository's rule 1: pattern crash → bug",)


def test_policies_of_their_own_keep_a_batch_one_question(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    predict = Model.predict

    def counted(self: Model, texts: Any, **options: Any) -> Any:
        asked.append(len(texts))
        return predict(self, texts, **options)

    monkeypatch.setattr(Model, "predict", counted)
    cases = [found for n in range(1, 21) for found in (case(number=n), in_other(n))]
    policy = own("rules: [{route: docs, pattern: '(?s).*'}]", Policy())
    results = Mind(ThinkSettings("builtin", Policy(), None)).think(cases, {OTHER: policy})
    assert asked == [40]
    assert {r.route for r in results if isinstance(r, Case) and r.issue.repo == OTHER} == {"docs"}
    assert [r.issue.ref for r in results if isinstance(r, Case)] == [case.issue.ref for case in cases]


def in_other(number: int) -> Case:
    found = case(number=number)
    return replace(found, issue=replace(found.issue, repo=OTHER))


BRANCH = {"repository": {"full_name": REPO, "default_branch": "main"}, "ref": "refs/heads/main"}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({**BRANCH, "commits": [{"added": ["x"]}, {"modified": [FILE]}]}, True),
        ({**BRANCH, "commits": [{"removed": [FILE]}]}, True),
        ({**BRANCH, "commits": [{"added": ["x"], "modified": None}, "y"]}, False),
        ({**BRANCH, "commits": [{"added": ["x"]}], "forced": True}, True),
        ({**BRANCH, "commits": []}, True),
        ({**BRANCH, "ref": "refs/heads/next", "commits": [{"modified": [FILE]}]}, False),
        ({}, False),
    ],
)
def test_which_pushes_change_the_file(payload: Mapping[str, Any], expected: bool) -> None:
    assert changed_by_push(payload) is expected

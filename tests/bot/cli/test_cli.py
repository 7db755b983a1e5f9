"""The command line itself: where options may stand, and what every end looks like."""

import time
from pathlib import Path

import pytest

from bot.cli.main import hoisted
from models.issue import named_ref
from tests.bot.run.test_run import bugs, many
from tests.world import ROOT


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["--json", "queue", "list"], ["queue", "list", "--json"]),
        (["queue", "--json", "list"], ["queue", "list", "--json"]),
        (["--config", "x", "run", "--full"], ["run", "--config", "x", "--full"]),
        (["runs", "--config=x", "show", "ID"], ["runs", "show", "--config=x", "ID"]),
        (["run", "--config", "x"], ["run", "--config", "x"]),
        (["--help"], ["--help"]),
        ([], []),
        (["--config"], ["--config"]),
    ],
)
def test_options_may_stand_before_the_command(given: list[str], meant: list[str]) -> None:
    assert hoisted(given) == meant


def test_a_cancelled_run_ends_and_says_so(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    (tmp_path / "sitecustomize.py").write_text(
        "import asyncio, pathlib, nodes.assess_impact as n\n"
        "think = n.AssessImpact.__call__\n"
        "async def call(self, case, ctx):\n"
        f"    while not pathlib.Path({str(gate)!r}).exists(): await asyncio.sleep(0.05)\n"
        "    return await think(self, case, ctx)\n"
        "n.AssessImpact.__call__ = call\n"
    )
    with bugs(tmp_path, many(60)) as world:
        world.set("scaling.batch_size", "2")
        world.set("scaling.parallel_workers", "1")
        process = world.start("run", "--json", python_path=f"{tmp_path}:{ROOT}")
        world.wait_until(lambda: (tmp_path / "var" / "switchyard.db").exists())
        run_id = None
        while run_id is None:
            found = world.run("runs", "list", "--json").json["runs"]
            run_id = found[0]["run_id"] if found else None
            time.sleep(0.1)
        assert world.run("runs", "cancel", run_id).code == 0
        gate.touch()
        out, _ = process.communicate(timeout=300)
        assert process.returncode == 1 and '"status": "cancelled"' in out
        assert world.run("runs", "cancel", run_id).code == 2


@pytest.mark.slow
def test_a_cancelled_run_may_forget_what_it_has_not_sent(tmp_path: Path) -> None:
    with bugs(tmp_path, many(30)) as world:
        world.control(service="shortcut", fault="status", status=503)
        first = world.run("run", "--json", "--wait", "1s").json
        assert first["status"] == "partial" and first["stories"]["queued"] == 30
        # It is over; there is nothing to cancel, but its commands can be discarded one by one.
        assert world.run("runs", "cancel", first["run_id"], "--drop").code == 2
        world.control(reset="faults")
        assert world.run("queue", "drain", "--json").json["pending"] == 0
        world.assert_once()


@pytest.mark.slow
def test_a_second_process_beside_the_first_doubles_nothing(tmp_path: Path) -> None:
    with bugs(tmp_path, many(80), anew=True, latency_ms=20) as world:
        world.set("integrations.github.comment", "always")
        world.set("scaling.batch_size", "10")
        both = [world.start("run", "--json") for _ in range(2)]
        for process in both:
            _, err = process.communicate(timeout=300)
            assert process.returncode == 0, err
        assert len(world.listed("stories")) == 80 and world.state()["comments"] == 80
        world.assert_once()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("octo/widgets#7", "octo/widgets#7"),
        ("https://github.com/octo/widgets/issues/7", "octo/widgets#7"),
        (" https://github.com/octo/widgets/issues/7/?x=1#issuecomment-3 ", "octo/widgets#7"),
    ],
)
def test_an_issue_may_be_named_by_its_address(given: str, meant: str) -> None:
    assert named_ref(given) == meant


def test_what_is_no_issue_is_said() -> None:
    for text in ("foo", "https://github.com/octo/widgets/pull/7", ""):
        with pytest.raises(ValueError, match="write OWNER/NAME#NUMBER"):
            named_ref(text)


def test_mistakes_name_the_next_step(tmp_path: Path) -> None:
    with bugs(tmp_path, many(1)) as world:
        for words, said in (
            ("audit --issue foo", "write OWNER/NAME#NUMBER"),
            ("issue ignore octo/other#9", "`switchyard run --issue octo/other#9` does it"),
            ("issue route octo/other#9 bgu", "did you mean bug? Write one of bug, feature, docs"),
            ("run --wait abc", "'--wait'"),
            ("--config", "--config needs a FILE"),
        ):
            ended = world.run(*words.split())
            assert ended.code == 2 and said in ended.err, (words, ended.err)
        done = world.run("run")
        assert done.code == 0 and done.err == ""
        listed = world.run("runs", "list").out
        assert "…" not in listed and "queued  dead" in listed
        assert "1  bug " in done.out and "1 issue updated" in done.out

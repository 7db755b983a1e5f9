"""`switchyard router …`: results as promised, and every misuse answered in one line with exit code 2."""

import csv
import json
import os
import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot import cli_router
from bot.router_output import verdict
from models.router.inference.predict import Model
from models.router.inference.text import Text
from tests.models.router import corpus
from tests.nodes.build import prediction


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli_router.app, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def issues(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpus.write_csv(tmp_path_factory.mktemp("issues") / "issues.csv", corpus.rows(120))


def test_from_training_to_rollback(issues: Path, tmp_path: Path) -> None:
    store = tmp_path / "models"
    done = run("train", "--csv", issues, "--store", store, "--json")
    assert done.exit_code == 0, done.output
    card = json.loads(done.stdout)
    for key in (
        "version",
        "created_at",
        "rows",
        "features",
        "libraries",
        "macro_f1",
        "routes",
        "thresholds",
        "sha256",
    ):
        assert key in card
    assert card["rows"] == {"bug": 30, "feature": 30, "docs": 30, "question": 30}

    assert run("promote", card["version"], "--store", store).exit_code == 0
    listed = json.loads(run("list", "--store", store, "--json").stdout)["versions"]
    assert [(v["name"], v["active"]) for v in listed] == [("builtin", False), (card["version"], True)]
    figures = json.loads(run("evaluate", "--csv", issues, "--store", store, "--json").stdout)
    assert {
        "rows",
        "accuracy",
        "macro_f1",
        "coverage",
        "accepted_accuracy",
        "routes",
        "confusion",
        "repositories",
    } <= set(figures)
    assert figures["model"] == card["version"]
    assert figures["accuracy"] > 0.8
    back = run("rollback", "--store", store, "--json")
    assert json.loads(back.stdout) == {"active": "builtin", "before": card["version"]}


def test_predict_keeps_order_and_agrees_with_explain(tmp_path: Path) -> None:
    rows = corpus.rows(30)
    source = corpus.write_csv(tmp_path / "in.csv", rows, label=None)
    done = run("predict", "--csv", source, "--output", tmp_path / "out.csv", "--model", "builtin", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["rows"] == 30
    with (tmp_path / "out.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert list(found[0]) == [
        "repo",
        "title",
        "route",
        "confidence",
        "accepted",
        "security_score",
        "security_flag",
    ]
    assert [r["title"] for r in found] == [row.text.title for row in rows]
    text = rows[3].text
    (tmp_path / "body.md").write_text(text.body + "\n")
    done = run(
        "explain",
        "--repo",
        text.repo,
        "--title",
        text.title,
        "--body-file",
        tmp_path / "body.md",
        "--model",
        "builtin",
        "--json",
    )
    explained = json.loads(done.stdout)
    assert {"route", "confidence", "accepted", "security_score", "features", "rules", "model"} <= set(
        explained
    )
    assert (explained["route"], str(explained["confidence"])) == (found[3]["route"], found[3]["confidence"])
    assert set(explained["features"]) == {"for", "against"}
    assert run("explain", "--title", text.title).exit_code == 0


@pytest.mark.parametrize(
    ("threshold", "told"),
    [
        (None, r"bug \([\d.]+%, (needs [\d.]+%|never sure enough): (accepted|a person decides)\)"),
        (0.0, r"bug \(\d\d%, needs 0%: accepted\)"),
        (1.0, r"bug \([\d.]+%, needs 100[.0]*%: a person decides\)"),
    ],
)
def test_explain_names_the_threshold(
    builtin: Model, monkeypatch: pytest.MonkeyPatch, threshold: float | None, told: str
) -> None:
    monkeypatch.setattr(cli_router.hooks, "accept_threshold", lambda config: threshold)
    asked = ("explain", "--title", "Crash in the export dialog", "--model", "builtin")
    done = run(*asked)
    assert re.fullmatch(told, done.stdout.splitlines()[0]), done.stdout
    document = json.loads(run(*asked, "--json").stdout)
    assert document["threshold"] == (builtin.thresholds[0] if threshold is None else threshold)
    assert document["accepted"] == ("accepted" in done.stdout)


@pytest.mark.parametrize(
    ("confidence", "needed", "told"),
    [
        (0.62, 0.88, "62%, needs 88%: a person decides"),
        (0.8804, 0.884, "88.0%, needs 88.4%: a person decides"),
        (0.9, 0.9, "90%, needs 90%: accepted"),
        (0.93, None, "93%, never sure enough: a person decides"),
    ],
)
def test_verdicts_tell_close_figures_apart(confidence: float, needed: float | None, told: str) -> None:
    found = prediction(
        "bug",
        confidence,
        thresholds={"bug": needed},
        accepted=needed is not None and confidence >= needed,
    )
    assert verdict(found) == told


def test_evaluate_prints_the_confusion_and_draws_the_reliability(
    builtin: Model, issues: Path, tmp_path: Path
) -> None:
    done = run("evaluate", "--csv", issues, "--model", "builtin", "--plot", tmp_path / "r.png")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")
    lines = done.stdout.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("is \\ said"))
    table = [line.split() for line in lines[start + 1 : start + 5]]
    assert [row[0] for row in table] == ["bug", "feature", "docs", "question"]
    figures = json.loads(run("evaluate", "--csv", issues, "--model", "builtin", "--json").stdout)
    assert sum(int(cell) for row in table for cell in row[1:]) == figures["rows"] == 120
    assert figures["thresholds"] == dict(zip(builtin.labels, builtin.thresholds, strict=True))


@pytest.mark.parametrize(("name", "said"), [("r.svg", "FILE.png"), ("no/r.png", "no folder")])
def test_a_plot_that_cannot_be_written_is_said_at_once(
    issues: Path, tmp_path: Path, name: str, said: str
) -> None:
    done = run("evaluate", "--csv", issues, "--model", "builtin", "--plot", tmp_path / name)
    assert done.exit_code == 2 and done.stdout == ""
    assert said in done.stderr and done.stderr.count("\n") == 1


def test_a_plot_without_matplotlib(issues: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    done = run("evaluate", "--csv", issues, "--model", "builtin", "--plot", tmp_path / "r.png")
    assert done.exit_code == 2
    assert done.stderr == "error: a plot needs matplotlib: pip install 'switchyard-bot[plot]'\n"
    assert run("evaluate", "--csv", issues, "--model", "builtin").exit_code == 0


def test_explain_takes_stored_issues(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = run("explain", "harbour/kettle#3")
    assert missing.exit_code == 2
    assert "switchyard run" in missing.stderr
    monkeypatch.setattr(
        cli_router.hooks, "load_issue", lambda ref, config: Text("harbour/kettle", "Crash", ref)
    )
    assert run("explain", "harbour/kettle#3").exit_code == 0


def csv_of(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


HEADER = "repo,created_at,label,title,body\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train"], "too little"),
        (["train", "--csv", "none.csv"], "none.csv"),
        (["train", "--csv", "five.csv"], "too little"),
        (["train", "--csv", "one.csv"], "too little"),
        (["train", "--csv", "unknown.csv"], "--label-map"),
        (["train", "--csv", "columns.csv"], "row 1"),
        (["evaluate", "--csv", "empty.csv"], "empty"),
        (["predict", "--csv", "empty.csv", "--output", "out.csv"], "empty"),
        (["predict", "--csv", "five.csv", "--output", "no/such/out.csv"], "out.csv"),
        (["predict", "--csv", "five.csv", "--output", "five.csv"], "is the CSV that is read"),
        (["predict", "--csv", "five.csv", "--output", ""], "is a directory"),
        (["predict", "--csv", "five.csv", "--output", "/"], "is a directory"),
        (["predict", "--csv", "five.csv", "--output", "x" * 255], "cannot be written"),
        (["train", "--csv", "five.csv", "--output", "one.csv"], "is a file"),
        (["list", "--store", "five.csv"], "cannot be read"),
        (["predict", "--csv", "five.csv", "--output", "out.csv", "--model", "nowhere"], "no router model"),
        (
            ["predict", "--csv", "five.csv", "--output", "out.csv", "--model", "20260101-0000-ffffff"],
            "no version",
        ),
        (["evaluate", "--csv", "five.csv", "--label-map", "empty.csv"], "mapping"),
        (["explain"], "--title"),
        (["explain", "nonsense"], "OWNER/NAME#NUMBER"),
        (["explain", "a/b#1", "--title", "x"], "not both"),
        (["explain", "--title", "x", "--body-file", "none.md"], "none.md"),
        (["promote", "nothing"], "no version"),
        (["rollback"], "none before it"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_misuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str) -> None:
    monkeypatch.chdir(tmp_path)
    csv_of(tmp_path / "empty.csv", "")
    csv_of(tmp_path / "five.csv", HEADER + "a/b,,bug,t,b\n" * 3 + "a/b,,feature,t,b\n" * 2)
    csv_of(tmp_path / "one.csv", HEADER + "a/b,,bug,t,b\n" * 50)
    csv_of(tmp_path / "unknown.csv", HEADER + "a/b,,wontfix,t,b\n" * 50)
    csv_of(tmp_path / "columns.csv", "title\nx\n")
    done = run(*arguments)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert said in last
    assert "Traceback" not in done.output
    assert not (tmp_path / "out.csv").exists()


def test_huge_and_odd_rows_are_predicted(tmp_path: Path) -> None:
    path = csv_of(
        tmp_path / "odd.csv", f'repo,title,body\n,,\na/b,🚀,"{"word " * 200_000}"\na/b,nul\x00l,\x00\n'
    )
    done = run("predict", "--csv", path, "--output", tmp_path / "out.csv", "--model", "builtin")
    assert done.exit_code == 0, done.output
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 4


def test_a_csv_without_rows_gives_one_without_rows(tmp_path: Path) -> None:
    path = csv_of(tmp_path / "none.csv", HEADER)
    assert (
        run("predict", "--csv", path, "--output", tmp_path / "out.csv", "--model", "builtin").exit_code == 0
    )
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 1


def test_predictions_go_through_links_and_into_devices(tmp_path: Path) -> None:
    source = corpus.write_csv(tmp_path / "in.csv", corpus.rows(4), label=None)
    (tmp_path / "real.csv").touch()
    (tmp_path / "link.csv").symlink_to("real.csv")
    done = run("predict", "--csv", source, "--output", tmp_path / "link.csv", "--model", "builtin")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "link.csv").is_symlink()
    assert len((tmp_path / "real.csv").read_text().splitlines()) == 5
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    done = run("predict", "--csv", source, "--output", tmp_path / "pipe", "--model", "builtin")
    assert done.exit_code == 0, done.output
    assert len(os.read(reader, 65_536).decode().splitlines()) == 5
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()


def test_a_model_that_cannot_be_written(issues: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("train", "--csv", issues, "--output", tmp_path / "file" / "x", "--store", tmp_path / "s")
    assert done.exit_code == 2, done.output
    assert "cannot be written" in done.stderr

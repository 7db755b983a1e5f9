"""The documentation's own examples load, run, and show what it says."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.load import load
from config.subflows import flows_of
from models.asks import Ask, CallService
from models.errors import UserFacing
from nodes.text.flow.expression import VIEWED, check
from subflows.compose import BUILT_IN, data_of
from subflows.show import mermaid, tree
from subflows.steps import MOST_ROUNDS
from tests.nodes.build import case, context, run, text_of

PAGE = (Path(__file__).parents[2] / "docs" / "subflows.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 3


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_each_example_loads_and_shows(example: str, tmp_path: Path) -> None:
    path = tmp_path / "switchyard.yaml"
    path.write_text(example)
    settings = load(path, {})
    flows = flows_of(settings)
    for name in yaml.safe_load(example)["workflow"]["subflows"]:
        assert data_of(flows[name]) != (data_of(BUILT_IN[name]) if name in BUILT_IN else [])
        assert tree(flows[name])[0] == name
        assert mermaid(flows[name]).startswith("flowchart TD\n")


def test_a_slip_in_an_example_is_told_as_the_page_says(tmp_path: Path) -> None:
    slip = {"subflows": {"bug": ["parse_stack_trace", {"node": "suggest_fix", "when": "impact.severty"}]}}
    path = tmp_path / "switchyard.yaml"
    path.write_text(yaml.safe_dump({"workflow": slip}))
    with pytest.raises(UserFacing) as error:
        load(path, {})
    told = re.search(r"^    switchyard\.yaml:\d+: (.*)$", PAGE, re.M)
    assert told is not None
    assert str(error.value).endswith(told[1])


def test_the_table_of_fields_is_the_view() -> None:
    rows = re.findall(
        r"^\| (`[a-z_`, ]+) \| (.*) \|$", PAGE.split("## Expressions")[1].split("## Nodes")[0], re.M
    )
    named = {name for names, _ in rows for name in re.findall(r"`([a-z_]+)`", names)}
    assert named == {*VIEWED, "route"}
    for names, what in rows:
        for name in re.findall(r"`([a-z_]+)`", names):
            if name in ("issue", "sentiment", "code", "impact", "decision", "trace"):
                parts = re.sub(r"\([^)]*\)", "", what)
                for part in re.findall(r"`([a-z_]+)`", parts):
                    check(f"{name}.{part}")
    assert f"(1 to {MOST_ROUNDS})" in PAGE


SAID: list[tuple[str, Any]] = [
    ("skip", True),
    ("undo", True),
    ("escalate", True),
    ("{retry: 2}", True),
    ("ignore", False),
]


@pytest.mark.parametrize(("recovery", "known"), SAID)
def test_the_recoveries_are_those_of_the_page(recovery: str, known: bool, tmp_path: Path) -> None:
    assert (f"| `{recovery}` |" in PAGE) is known
    path = tmp_path / "switchyard.yaml"
    path.write_text(f"workflow: {{subflows: {{bug: [{{node: suggest_fix, on_error: {recovery}}}]}}}}\n")
    if known:
        load(path, {})
    else:
        with pytest.raises(UserFacing, match="on_error: must be"):
            load(path, {})


@pytest.mark.parametrize(
    ("valid_from", "asked", "section", "notes"),
    [
        (1, 1, "text 1", ()),
        (3, 3, "text 3", ()),
        (9, 3, "", ("after 3 rounds it still does not hold that data.found.valid",)),
        (0, 1, "", ("went on without a step: CallApi: ValueError: checker.check: no answer",)),
    ],
)
def test_the_loop_of_the_page_refines(
    tmp_path: Path, valid_from: int, asked: int, section: str, notes: tuple[str, ...]
) -> None:
    path = tmp_path / "switchyard.yaml"
    path.write_text(EXAMPLES[2])
    flow = flows_of(load(path, {}))["checked"]
    said: list[dict[str, Any]] = []

    async def answer(ask: Ask[Any], /) -> Any:
        assert isinstance(ask, CallService)
        said.append(json.loads(ask.values))
        number = said[-1]["round"]
        return {"valid": number >= valid_from, "text": f"text {number}"} if valid_from else None

    ctx = replace(context(services=frozenset({"checker"})), ask=answer)
    done = run(flow, case("A title", route="docs"), ctx)
    texts = ["A title", *(f"text {n}" for n in range(1, asked))]
    assert said == [{"round": n, "text": text} for n, text in enumerate(texts, 1)]
    assert text_of(done, "Checked") == section
    assert done.notes == notes

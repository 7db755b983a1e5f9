"""`subflows list` and `subflows show`: what is done with an issue, step by step."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from config.settings import Settings
from config.subflows import flows_of
from models.errors import UserFacing
from nodes.text.flow.expression import nearest
from subflows.base import Subflow
from subflows.compose import BUILT_IN, data_of
from subflows.show import mermaid, tree


def list_flows(settings: Settings, as_json: bool) -> None:
    """Name, origin and number of steps of each."""
    rows = [
        {"name": name, "origin": origin(settings, name), "steps": len(flow.steps)}
        for name, flow in flows_of(settings).items()
    ]
    if as_json:
        sys.stdout.write(json.dumps({"subflows": rows}, indent=2) + "\n")
        return
    width = max(len(str(row["name"])) for row in rows)
    for row in rows:
        count = f"{row['steps']} step{'' if row['steps'] == 1 else 's'}"
        print(f"{row['name']:{width}}  {row['origin']:{len('configured')}}  {count}")


def show_flow(settings: Settings, name: str, *, chart_only: bool, as_json: bool) -> None:
    """The flow as a tree with a flowchart beneath it; as one of both alone; or as data."""
    flows = flows_of(settings)
    if name not in flows:
        raise UserFacing(f"there is no sub-flow {name!r}; {nearest(name, flows)}")
    if as_json:
        sys.stdout.write(json.dumps(as_data(settings, flows[name]), indent=2) + "\n")
        return
    if not chart_only:
        print("\n".join(tree(flows[name])) + "\n")
    print(mermaid(flows[name]))


def origin(settings: Settings, name: str) -> str:
    """Where a flow comes from: built in, extended, configured in place of a built-in one, or configured beside them."""
    if name not in settings.subflows:
        return "built in"
    if name not in BUILT_IN:
        return "configured"
    given = settings.subflows[name]
    extends = given.get("extends") if isinstance(given, Mapping) else None
    return "extended" if extends == name else "replaced"


def as_data(settings: Settings, flow: Subflow) -> dict[str, Any]:
    """A flow as JSON; `steps` is what the configuration takes."""
    return {
        "name": flow.name,
        "origin": origin(settings, flow.name),
        "steps": data_of(flow),
        "tree": tree(flow),
        "mermaid": mermaid(flow),
    }

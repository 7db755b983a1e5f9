"""Compares the names that were found with a file of `data/`."""

import os
from collections.abc import Iterable
from pathlib import Path

DATA = Path(__file__).parent / "data"
UPDATE = "SWITCHYARD_UPDATE_GOLDEN"


def check(name: str, found: Iterable[str]) -> None:
    """Fail where a name of `data/<name>.txt` was not found, or one was found that is not there.

    With $SWITCHYARD_UPDATE_GOLDEN set, new names are added to the file; those that are gone fail all the same.
    """
    path = DATA / f"{name}.txt"
    shown = f"tests/golden/data/{path.name}"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    head = [line for line in lines if line.startswith("#")]
    known, names = set(lines) - set(head), set(found)
    gone, new = sorted(known - names), sorted(names - known)
    if new and os.environ.get(UPDATE):
        path.write_text("\n".join([*head, *sorted(known | names)]) + "\n", "utf-8")
        new = []
    problems = []
    if gone:
        problems.append(f"People rely on these, and they are gone or renamed. Bring them back ({shown}):")
        problems += [f"  - {line}" for line in gone]
    if new:
        problems.append(f"These are new. `{UPDATE}=1 .venv/bin/pytest tests/golden` adds them to {shown}:")
        problems += [f"  + {line}" for line in new]
    assert not problems, "\n".join(["", *problems])

"""A draft pull request, only where it is wanted and only with what applies."""

from dataclasses import replace
from typing import Any

import pytest

from models.asks import Files, ListFiles
from models.case import Case, Suspect
from nodes.draft_pull import DraftPull
from nodes.suggest_fix import FIX
from tests.nodes.build import REPO, answering, case, command, context, run

PATH = "src/widgets/store.py"
FILES = Files(branch="main", commit="c0ffee", blobs=((PATH, "5ha"),))
MARK = "*Draft by `stub`; nobody has checked it.*"


def proposed(
    path: str = PATH, route: Any = "bug", files: Files | None = FILES, *, wanted: bool = True, **changes: Any
) -> Case:
    fix = {
        "cause": "Fixes #3, and more.",
        "mark": MARK,
        "files": [{"path": path, "text": "new", "sha": "5ha"}],
    }
    given = case("Closes #1", "It fell.", route)
    given = replace(given, **{"data": {FIX: fix}, **changes})
    ctx, _ = answering(context(draft_pulls=wanted), {ListFiles(REPO): files})
    return run(DraftPull(), given, ctx)


def test_what_applies_is_proposed_on_a_branch_of_its_own() -> None:
    people = Suspect(path=PATH, reason="in the trace", owners=("cy", "octo/core", "dee"), authors=("eve",))
    done = proposed(suspects=(people, Suspect(path="other.py", reason="x", owners=("zoe",))))
    wish = command(done, "open_draft_pull")
    assert done.commands[0].key == "pull:octo/widgets#7"
    assert (wish["base"], wish["base_commit"], wish["reviewers"]) == ("main", "c0ffee", ["cy", "octo/core"])
    assert wish["files"] == [{"path": PATH, "text": "new", "sha": "5ha"}]
    assert wish["branch"].startswith("switchyard/7-") and len(wish["branch"]) == 23
    assert wish["title"] == "Draft for issue 7: src/widgets/store.py"
    assert wish["body"].startswith(f"{MARK}\n\nThis is about #7,")


def test_nothing_in_it_closes_an_issue() -> None:
    wish = command(proposed(), "open_draft_pull")
    text = f"{wish['title']} {wish['body']}".lower()
    assert "#3" not in text and "closes" not in text
    assert text.count("#7") == 1 and "about #7" in text
    title = command(proposed("docs/fixes #3 for @ada.md"), "open_draft_pull")["title"]
    assert "#3" not in title and "@ada" not in title


def test_the_authors_are_asked_where_nobody_owns_it() -> None:
    done = proposed(suspects=(Suspect(path=PATH, reason="x", authors=("eve", "fay")),))
    assert command(done, "open_draft_pull")["reviewers"] == ["eve"]


def test_the_branch_is_named_by_what_it_changes() -> None:
    one, other = proposed(), proposed()
    assert one.commands[0].payload["branch"] == other.commands[0].payload["branch"]


@pytest.mark.parametrize(
    "changes",
    [
        {"wanted": False},
        {"data": {}},
        {"route": "security"},
        {"route": "feature"},
        {"suspicions": ("an instruction",)},
        {"files": None},
        {"files": Files(branch="", commit="", blobs=())},
        {"path": ".github/workflows/ci.yml"},
    ],
)
def test_no_pull_request(changes: dict[str, Any]) -> None:
    assert proposed(**changes).commands == ()

"""What the sandbox's own interface takes and lists, as it says itself when it is asked for something else."""

import re
from collections.abc import Iterator
from typing import Any

import httpx

OTHER = "no_such_key"
_LISTS = re.compile(r"(?:known: |must be one of |must be |is one of |expected one of )(.+?)(?:$|; |, not ')")


def control_names(http: httpx.Client) -> Iterator[str]:
    """All that `POST /_control` takes: `issue.labels`, `service+fault`, `fault: slow`; and what can be listed."""
    kinds = _names(http, {})
    for kind in kinds:
        yield f"POST /_control {kind}"
        if kind != "service+fault":
            yield from (
                f"POST /_control {kind} {key}" for key in _names(http, {kind: 1, OTHER: 1}) if key != kind
            )
    for key in _names(http, {"service": "github", "fault": "status", OTHER: 1}):
        yield f"POST /_control service+fault {key}"
    wrong = {
        "service": {"service": OTHER, "fault": "status"},
        "fault": {"service": "github", "fault": OTHER},
        "llm": {"llm": OTHER},
        "reset": {"reset": OTHER},
    }
    for key, question in wrong.items():
        yield from (f"POST /_control {key}: {value}" for value in _names(http, question))
    for kind in ("installation", "hook_delivery", "pull", "account", "press", "slash", "home"):
        yield from (f"POST /_control {kind}.{key}" for key in _names(http, {kind: {OTHER: 1}}))
    yield from (
        f"POST /_control issue.{key}" for key in _names(http, {"issue": {"repo": "octo/x", OTHER: 1}})
    )
    listed = http.get(f"/_control/{OTHER}").json()["error"]
    yield from (f"GET {path}" for path in re.findall(r"/_control/\w+", listed))


def _names(http: httpx.Client, question: dict[str, Any]) -> list[str]:
    """The names in the refusal of a control request that cannot be understood."""
    answer = http.post("/_control", json=question)
    words = str(answer.json().get("error"))
    found = _LISTS.search(words)
    assert answer.status_code == 400 and found, f"{question}: {answer.status_code} {words}: it lists nothing"
    return re.split(r", | or ", found[1])

"""The checker itself: it must see breaches, or a clean run means nothing."""

from typing import Any

import pytest

from tests.contracts.api import REPO, Api
from tests.contracts.schemas import convert
from tests.contracts.spec import Operation, require_contracts, spec

_ISSUES = f"/repos/{REPO}/issues"

BREACHES: list[tuple[str, str, Any, dict[str, Any]]] = [
    ("GET", _ISSUES, None, {"stat": "open"}),
    ("GET", _ISSUES, None, {"state": "ajar"}),
    ("GET", _ISSUES, None, {"since": "yesterday"}),
    ("GET", _ISSUES, None, {"per_page": "many"}),
    ("POST", f"{_ISSUES}/1/comments", None, {}),
    ("POST", f"{_ISSUES}/1/comments", {"text": "x"}, {}),
    ("POST", f"{_ISSUES}/1/labels", {"labels": "bug"}, {}),
    ("PATCH", f"{_ISSUES}/1", {"lables": []}, {}),
    ("GET", "/search/issues", None, {}),
    ("POST", "/api/v3/stories", {"name": "x", "extra": 1}, {}),
    ("POST", "/api/v3/stories/bulk", {"stories": [{"description": "no name"}]}, {}),
    ("POST", "/api/v3/stories/search", {"created_at_start": "yesterday"}, {}),
    ("GET", "/api/v3/surprise", None, {}),
    ("POST", "/api/chat.postMessage", {"text": "no channel"}, {}),
    ("POST", "/api/chat.postMessage", {"channel": "#x", "txt": "x"}, {}),
]


@pytest.mark.parametrize(("method", "path", "body", "query"), BREACHES)
def test_sees_a_breach_in_a_request(method: str, path: str, body: Any, query: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        spec().check_request(method, path, body, query)


def test_sees_breaches_in_answers(api: Api) -> None:
    issue = api.github("GET", f"{_ISSUES}/1").json
    spec().check_response("GET", f"{_ISSUES}/1", 200, issue)
    for broken in ({**issue, "number": "1"}, {**issue, "created_at": "soon"}, {"number": 1}):
        with pytest.raises(AssertionError, match="response 200"):
            spec().check_response("GET", f"{_ISSUES}/1", 200, broken)
    for path in (f"{_ISSUES}/events", f"{_ISSUES}/1/events"):
        (event,) = api.github("GET", path).json
        for broken in ({**event, "id": "1"}, {**event, "actor": "ann"}, {**event, "commit_id": 1}):
            with pytest.raises(AssertionError, match="response 200"):
                spec().check_response("GET", path, 200, [broken])
    with pytest.raises(AssertionError, match="not in the specification"):
        spec().check_response("GET", f"{_ISSUES}/1", 206, issue)
    with pytest.raises(AssertionError, match="no ok"):
        spec().check_response("POST", "/api/auth.test", 200, {})


def test_github_examples_pass_their_own_schemas() -> None:
    checked = 0
    paths = ("", "/1", "/1/comments", "/1/labels", "/events", "/1/events")
    for path in (f"{_ISSUES}{path}" for path in paths):
        operation = spec().find("GET", path)
        assert operation is not None
        content = operation.data["responses"]["200"]["content"]["application/json"]
        for example in content.get("examples", {}).values():
            value = _value(operation, example)
            spec().check_response("GET", path, 200, value)
            checked += 1
    assert checked >= 6


def test_wrapper_collects_and_leaves_faults_alone(api: Api) -> None:
    require_contracts()
    api.github("PATCH", f"{_ISSUES}/1", {"lables": ["bug"]})
    assert len(api.app.violations) == 1 and "lables" in api.app.violations[0]
    api.app.violations.clear()
    api.control(service="github", fault="html", times=1)
    assert api.github("GET", f"{_ISSUES}/1").status == 502
    api.github("GET", "/user")
    assert dict(api.app.unchecked) == {"GET /user": 1}


def test_conversion() -> None:
    source = {
        "properties": {
            "nullable": {"type": "string", "nullable": True, "example": "x"},
            "other": {"$ref": "#/definitions/Other", "x-nullable": True},
            "bound": {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
            "either": {"x-oneOf": [{"type": "string"}]},
        },
        "discriminator": {"propertyName": "x"},
    }
    assert convert(source, "urn:a") == {
        "properties": {
            "nullable": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "other": {"anyOf": [{"$ref": "urn:a#/definitions/Other"}, {"type": "null"}]},
            "bound": {"type": "integer", "exclusiveMinimum": 0},
            "either": {"oneOf": [{"type": "string"}]},
        }
    }


def _value(operation: Operation, example: Any) -> Any:
    """An example's value, which may be a reference within a reference."""
    found: Any = operation.schemas.resolve(example)
    while isinstance(found, dict) and ("$ref" in found or "value" in found):
        found = operation.schemas.resolve(found) if "$ref" in found else found["value"]
    return found

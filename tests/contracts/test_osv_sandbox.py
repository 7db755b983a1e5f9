"""The OSV stand-in against OSV's own document and the schema of its records."""

import json
from typing import Any

import jsonschema_rs
import pytest

from integrations.osv.sandbox.service import SEED, entry
from tests.contracts.api import Api, Reply
from tests.contracts.spec import require_contracts

CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
ADDED = entry(
    "GHSA-3333-4444-5555", "pkg:npm/gadget-merge", "gadget-merge", "npm", "3.0.0", CRITICAL, "Another one"
)


def ask(api: Api, path: str, body: Any) -> Reply:
    return api.call("POST", path, body, {}, {})


def ids(answer: Any) -> list[str]:
    return [vuln["id"] for vuln in answer.get("vulns", ())]


def test_every_record_fits_the_schema() -> None:
    schema = json.loads((require_contracts() / "osv" / "osv-schema.json").read_text())
    validator = jsonschema_rs.validator_for(schema)
    for record in (*SEED, ADDED):
        assert [error.message for error in validator.iter_errors(record)] == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"package": {"purl": "pkg:npm/gadget-merge@2.4.0"}}, ["GHSA-2c2j-9gv5-cj73"]),
        ({"package": {"purl": "pkg:npm/gadget-merge@2.4.1"}}, []),
        ({"package": {"purl": "pkg:npm/gadget-merge"}, "version": "2.0.0"}, ["GHSA-2c2j-9gv5-cj73"]),
        ({"package": {"ecosystem": "PyPI", "name": "gearbox"}, "version": "1.8.1"}, ["PYSEC-2026-101"]),
        ({"package": {"purl": "pkg:pypi/gadget-merge@1.0"}}, []),
        ({"package": {"purl": "pkg:npm/%40octo/gadget@1.0"}}, []),
    ],
)
def test_a_package_is_looked_up(api: Api, query: dict[str, Any], found: list[str]) -> None:
    assert ids(ask(api, "/v1/query", query).json) == found
    (result,) = ask(api, "/v1/querybatch", {"queries": [query]}).json["results"]
    assert ids(result) == found
    assert all(set(vuln) == {"id", "modified"} for vuln in result.get("vulns", ()))


def test_answers_come_in_pages(api: Api) -> None:
    assert api.control(osv={"page": 1}).status == 200
    assert api.control(osv=ADDED).status == 200
    query: dict[str, Any] = {"package": {"purl": "pkg:npm/gadget-merge@1.0.0"}}
    first = ask(api, "/v1/querybatch", {"queries": [query]}).json["results"][0]
    second = ask(api, "/v1/querybatch", {"queries": [query | {"page_token": first["next_page_token"]}]}).json[
        "results"
    ][0]
    assert ids(first) + ids(second) == ["GHSA-2c2j-9gv5-cj73", "GHSA-3333-4444-5555"]
    assert "next_page_token" not in second


@pytest.mark.parametrize("name", ["PYSEC-2026-101", "CVE-2026-10002"])
def test_a_record_has_its_id_and_its_alias(api: Api, name: str) -> None:
    answer = api.call("GET", f"/v1/vulns/{name}", None, {}, {})
    assert (answer.status, answer.json["id"]) == (200, "PYSEC-2026-101")


def test_what_is_not_known_is_404(api: Api) -> None:
    answer = api.call("GET", "/v1/vulns/CVE-1999-0001", None, {}, {})
    assert (answer.status, answer.json["code"]) == (404, 5)


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        b"[]",
        {"queries": 1},
        {"queries": [{}]},
        {"queries": [{"package": {"purl": "lodash"}}]},
        {"queries": [{"package": {"purl": "pkg:npm/x@1"}, "version": "1"}]},
        {"queries": [{"package": {"purl": "pkg:npm/x@1"}}] * 1_001},
        {"queries": [{"package": {"purl": "pkg:npm/x@1"}, "page_token": "x"}]},
    ],
)
def test_bad_questions_are_refused(api: Api, body: Any) -> None:
    with api.app.wrong_on_purpose():
        answer = ask(api, "/v1/querybatch", body)
    assert (answer.status, answer.json["code"]) == (400, 3)


@pytest.mark.parametrize("what", [{}, {"page": 0}, {"page": "1"}])
def test_bad_control_is_refused(api: Api, what: dict[str, Any]) -> None:
    assert api.control(osv=what).status == 400

"""A stand-in of OSV: a few invented vulnerabilities, to which `_control` adds; packages are asked for by their URL."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from integrations.sandbox_faults import Answer, ControlError, Request, Router, json_answer

PAGE = 100
_MOST_QUERIES = 1_000
_CODES = {400: 3, 404: 5, 429: 8, 500: 13, 503: 14}
"""gRPC's codes, which OSV's errors carry."""


def entry(
    name: str, purl: str, package: str, ecosystem: str, fixed: str, vector: str, summary: str, **more: Any
) -> dict[str, Any]:
    """A vulnerability of all versions of one package before `fixed`, in OSV's schema."""
    return {
        "schema_version": "1.7.3",
        "id": name,
        "modified": "2026-10-01T12:00:00Z",
        "published": "2026-09-01T12:00:00Z",
        "summary": summary,
        "severity": [{"type": "CVSS_V4" if vector.startswith("CVSS:4") else "CVSS_V3", "score": vector}],
        "affected": [
            {
                "package": {"ecosystem": ecosystem, "name": package, "purl": purl},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
            }
        ],
        **more,
    }


SEED = (
    entry(
        "GHSA-2c2j-9gv5-cj73",
        "pkg:npm/gadget-merge",
        "gadget-merge",
        "npm",
        "2.4.1",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "Prototype pollution in gadget-merge",
        aliases=["CVE-2026-10001"],
        database_specific={"severity": "CRITICAL", "cwe_ids": ["CWE-1321"]},
    ),
    entry(
        "PYSEC-2026-101",
        "pkg:pypi/gearbox",
        "gearbox",
        "PyPI",
        "1.8.2",
        "CVSS:3.1/AV:N/AC:H/PR:L/UI:N/S:U/C:H/I:N/A:N",
        "gearbox reads files outside its folder",
        aliases=["CVE-2026-10002"],
    ),
    entry(
        "RUSTSEC-2026-0101",
        "pkg:cargo/sprocket",
        "sprocket",
        "crates.io",
        "0.9.4",
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N",
        "A deeply nested message exhausts sprocket's stack",
    ),
)


class OsvSandbox:
    """Knows vulnerabilities by id and alias, and by package; `page` is how many ids one answer holds."""

    name = "osv"

    def __init__(self) -> None:
        self.router = Router()
        self.router.add("POST", "/v1/query", self._query)
        self.router.add("POST", "/v1/querybatch", self._batch)
        self.router.add("GET", "/v1/vulns/{id}", self._record)
        self.records: dict[str, Mapping[str, Any]] = {record["id"]: record for record in SEED}
        self.page = PAGE

    def begin(self, request: Request, template: str) -> Answer | None:
        """Everybody may ask."""
        return None

    def finish(self, request: Request, answer: Answer) -> Answer:
        """Nothing to add."""
        return answer

    def not_found(self, request: Request) -> Answer:
        """As its gateway says it."""
        return self.error(404)

    def error(self, status: int, message: str = "") -> Answer:
        """An error as gRPC's gateway words it."""
        body = {"code": _CODES.get(status, 2), "message": message or f"HTTP {status}", "details": []}
        return json_answer(status, body)

    def control(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Put a vulnerability in, whole in OSV's schema; `page` sets how many ids an answer holds."""
        if "page" in data:
            if not isinstance(data["page"], int) or data["page"] < 1:
                raise ControlError(f"page is how many ids an answer holds, not {data['page']!r}")
            self.page = data["page"]
        if "id" in data:
            self.records[str(data["id"])] = {name: value for name, value in data.items() if name != "page"}
        elif "page" not in data:
            raise ControlError('write {"osv": {"id": "GHSA-…", "modified": "…", "affected": […]}}')
        return {"vulnerabilities": len(self.records)}

    def _record(self, request: Request) -> Answer:
        name = request.params["id"]
        if name in self.records:
            return json_answer(200, self.records[name])
        # It has one record for a CVE and another for what an ecosystem calls it; here they are the same one.
        found = next((one for one in self.records.values() if name in one.get("aliases", ())), None)
        return json_answer(200, found) if found else self.error(404, "Bug not found.")

    def _query(self, request: Request) -> Answer:
        try:
            found, token = self._affecting(_object(request.body))
        except ValueError as error:
            return self.error(400, str(error))
        body: dict[str, Any] = {"vulns": found} if found else {}
        return json_answer(200, body | ({"next_page_token": token} if token else {}))

    def _batch(self, request: Request) -> Answer:
        try:
            queries = _object(request.body).get("queries")
            if not isinstance(queries, list):
                raise ValueError("Invalid query.")
            if len(queries) > _MOST_QUERIES:
                raise ValueError("Too many queries.")
            pages = [self._affecting(query) for query in queries]
        except ValueError as error:
            return self.error(400, str(error))
        return json_answer(200, {"results": [_short(found, token) for found, token in pages]})

    def _affecting(self, query: Any) -> tuple[list[Mapping[str, Any]], str]:
        """One page of the records that a query finds, and the token of the next."""
        package = query.get("package") if isinstance(query, dict) else None
        if not isinstance(package, dict):
            raise ValueError("Invalid query.")
        asked, version = _asked(package, query.get("version"))
        found = [
            record
            for record in self.records.values()
            if any(_hit(one, asked, version) for one in record.get("affected", ()))
        ]
        start = query.get("page_token", "") or "0"
        if not str(start).isdecimal():
            raise ValueError("Invalid page token.")
        page = found[int(start) : int(start) + self.page]
        end = int(start) + len(page)
        return page, str(end) if end < len(found) else ""


def _asked(package: Mapping[str, Any], version: Any) -> tuple[tuple[str, str], str]:
    """((URL, "") or (ecosystem, name), version)."""
    purl = package.get("purl")
    if isinstance(purl, str):
        name, _, inside = purl.partition("?")[0].rpartition("@") if "@" in purl else (purl, "", "")
        if not name.startswith("pkg:") or (inside and version):
            raise ValueError("Invalid Package URL.")
        return (unquote(name), ""), unquote(inside) or str(version or "")
    if not package.get("name") or not package.get("ecosystem"):
        raise ValueError("Invalid query.")
    return (str(package["ecosystem"]), str(package["name"])), str(version or "")


def _hit(affected: Mapping[str, Any], asked: tuple[str, str], version: str) -> bool:
    package = affected.get("package", {})
    names = ((unquote(str(package.get("purl", ""))), ""), (package.get("ecosystem"), package.get("name")))
    if asked not in names:
        return False
    if not version or version in affected.get("versions", ()):
        return True
    for part in affected.get("ranges", ()):
        inside = False
        for event in part.get("events", ()):
            if "introduced" in event and _order(version) >= _order(event["introduced"]):
                inside = True
            if "fixed" in event and _order(version) >= _order(event["fixed"]):
                inside = False
        if inside:
            return True
    return False


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.lstrip("v").split(".") if part.isdecimal())


def _short(found: list[Mapping[str, Any]], token: str) -> dict[str, Any]:
    ids = [{"id": record["id"], "modified": record["modified"]} for record in found]
    return ({"vulns": ids} if ids else {}) | ({"next_page_token": token} if token else {})


def _object(raw: bytes) -> Mapping[str, Any]:
    data = json.loads(raw or b"null")
    if not isinstance(data, dict):
        raise ValueError("Invalid query.")
    return data

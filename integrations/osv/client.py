"""OSV over httpx: which published vulnerabilities a package's version has, and what is known of each.

Errors tell neither identifiers nor packages: they are of reports that are nobody else's business.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from integrations.http import json_of, raise_for_status, send
from integrations.osv.payloads import is_id, query, read_record, read_results
from integrations.osv.settings import OsvSettings
from integrations.resilience import Guard
from models.case import Advisory
from models.errors import Rejected, Transient

MOST_QUERIES = 1_000
"""In one request; OSV takes no more."""
MOST_PAGES = 5
MOST_IDS = 1_000
"""Of one package on one page; OSV gives no more."""
LARGEST = 8_000_000
"""Bytes of an answer that are read."""


class OsvClient:
    """The one database, which anybody may ask."""

    name = "osv"

    def __init__(self, settings: OsvSettings, guard: Guard, *, user_agent: str) -> None:
        self.guard = guard
        self._http = httpx.AsyncClient(
            base_url=settings.base_url, headers={"User-Agent": user_agent}, timeout=guard.timeout
        )

    async def affecting(self, packages: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Ids of the vulnerabilities of each package (a package URL with its version); at most MOST_PAGES each."""
        found: dict[str, dict[str, None]] = {purl: {} for purl in packages}
        for start in range(0, len(packages), MOST_QUERIES):
            tokens = dict.fromkeys(packages[start : start + MOST_QUERIES], "")
            for _ in range(MOST_PAGES):
                results = await self._batch([query(purl, token) for purl, token in tokens.items()])
                pages = dict(zip(tokens, results, strict=True))
                for purl, (ids, _) in pages.items():
                    found[purl] |= dict.fromkeys(ids[:MOST_IDS])
                tokens = {purl: token for purl, (_, token) in pages.items() if token}
                if not tokens:
                    break
        return {purl: list(names) for purl, names in found.items()}

    async def record(self, name: str) -> Advisory | None:
        """What is known of one vulnerability; None where OSV does not know it or it was withdrawn."""
        if not is_id(name):
            return None
        try:
            data = await self._json("GET", f"/v1/vulns/{name}", "a vulnerability")
        except Rejected as error:
            if error.status == 404:
                return None
            raise
        try:
            return read_record(data)
        except ValueError:
            raise Transient("osv: a vulnerability came in a shape that is not OSV's") from None

    async def check(self) -> str:
        """One question whose answer does not matter; a sentence for `doctor`."""
        await self._batch([query("pkg:pypi/switchyard-bot@1.0.0")])
        return "answers; identifiers and package names of security reports are looked up"

    async def close(self) -> None:
        await self._http.aclose()

    async def _batch(self, queries: Sequence[Mapping[str, Any]]) -> list[tuple[list[str], str]]:
        data = await self._json(
            "POST", "/v1/querybatch", "a question about packages", json={"queries": queries}
        )
        try:
            return read_results(data, len(queries))
        except ValueError:
            raise Transient("osv: an answer about packages came in a shape that is not OSV's") from None

    async def _json(self, method: str, path: str, what: str, **options: Any) -> Any:
        async def once() -> Any:
            response = await send(self._http, "osv", method, path, at_most=LARGEST, **options)
            if 300 <= response.status_code < 500 and response.status_code not in (408, 429):
                # Its words may quote the question.
                raise Rejected(f"osv: HTTP {response.status_code} for {what}", status=response.status_code)
            raise_for_status(response, "osv", what, credential="")
            return json_of(response, "osv", what)

        return await self.guard.read(once)

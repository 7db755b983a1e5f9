"""Notion over httpx: the target of the notion lane; writes each issue's page once and finds it again."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from integrations.base import Answer, Kind
from integrations.http import json_of, raise_for_status, send
from integrations.notion import commands
from integrations.notion.payloads import Block, blocks_of, in_requests, read_page, read_results
from integrations.notion.settings import NotionSettings
from integrations.resilience import SHORT_WAIT, Guard, retry_after
from models.commands import Pending
from models.errors import RateLimited, Rejected, SwitchyardError, Transient, Unauthorized

VERSION = "2025-09-03"
PAGE_SIZE = 100
MOST_LISTS = 100
"""Lists of 100 children that are looked through for a page."""
LARGEST = 8_000_000
"""Bytes of an answer that are read."""
_BUSY = 529


class NotionClient:
    """One connection to a workspace, and the page below which it writes."""

    name = "notion"

    def __init__(self, settings: NotionSettings, token: str, guard: Guard, *, user_agent: str) -> None:
        self._parent = settings.parent_page_id
        self.guard = guard
        self._me = ""
        self._begun: dict[str, tuple[Answer, int]] = {}
        """By key the pages that a look-up found unfinished, and how many blocks of ours they have."""
        self._http = httpx.AsyncClient(
            base_url=settings.base_url,
            headers={
                "Authorization": f"Bearer {token}",
                "Notion-Version": VERSION,
                "User-Agent": user_agent,
            },
            timeout=guard.timeout,
        )

    def bulk_size(self, operation: str) -> int:
        return 1

    async def send(self, pendings: Sequence[Pending]) -> Sequence[Answer]:
        """Write the page of one issue. One that was written before is people's: it is left as it is."""
        (pending,) = pendings
        if pending.command.operation != "publish_page":
            raise Rejected(f"notion: unknown operation {pending.command.operation!r}")
        if pending.last_answer:
            return [pending.last_answer]
        blocks = blocks_of(str(pending.payload["markdown"]))
        if pending.key in self._begun:
            page, present = self._begun[pending.key]
            answer = await self._finish(page, blocks[present:])
        else:
            answer = await self._write(pending, blocks)
        self._begun.pop(pending.key, None)
        return [answer]

    async def find(self, pendings: Sequence[Pending]) -> Mapping[str, Answer]:
        """Pages that stand whole. What is missing of one that stands in part is remembered for `send`.

        The parent's children are listed, all of them: a search by title answers from an index that may not have
        the latest pages, and missing one would write it twice.
        """
        pendings = [p for p in pendings if not p.last_answer]
        if not pendings:
            return {}
        me = await self._who()
        children = await self._children(self._parent)
        found: dict[str, Answer] = {}
        for pending in pendings:
            self._begun.pop(pending.key, None)
            block = next((block for block in children if commands.is_page_of(pending, block, me)), None)
            if block is None:
                continue
            page = read_page(await self._read("GET", f"/v1/pages/{block['id']}"))
            present = sum(commands.is_by(block, me) for block in await self._children(page["id"]))
            if present >= len(blocks_of(str(pending.payload["markdown"]))):
                found[pending.key] = page
            else:
                self._begun[pending.key] = page, present
        return found

    async def check(self) -> str:
        """Who the token belongs to, and whether the parent page can be seen."""
        me = await self._call("GET", "/v1/users/me")
        name = me.get("name") if isinstance(me, Mapping) else None
        await self._call("GET", f"/v1/pages/{self._parent}")
        return f"signed in as {name or 'an unnamed connection'}; the parent page can be seen"

    async def close(self) -> None:
        await self._http.aclose()

    async def _write(self, pending: Pending, blocks: Sequence[Block]) -> Answer:
        first, *_ = in_requests(blocks)
        body = commands.page_body(pending, self._parent, first)
        page = read_page(await self._call("POST", "/v1/pages", kind="content", json=body))
        try:
            return await self._finish(page, blocks[len(first) :])
        except SwitchyardError as error:
            # The page stands: only what may have arrived is looked up before it is tried again.
            raise Transient(f"{error}; the page is not complete yet") from None

    async def _finish(self, page: Answer, blocks: Sequence[Block]) -> Answer:
        """Append what is missing; a page that a person has put away meanwhile is left alone."""
        for group in in_requests(blocks) if blocks else ():
            try:
                await self._patiently("PATCH", f"/v1/blocks/{page['id']}/children", json={"children": group})
            except Rejected as error:
                return {**page, "incomplete": str(error)[:300]}
        return page

    async def _who(self) -> str:
        if not self._me:
            me = await self._read("GET", "/v1/users/me")
            self._me = str(me.get("id") or "") if isinstance(me, Mapping) else ""
        return self._me

    async def _children(self, parent: str) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        query: dict[str, str | int] = {"page_size": PAGE_SIZE}
        for _ in range(MOST_LISTS):
            data = await self._read("GET", f"/v1/blocks/{parent}/children", params=query)
            entries, cursor = read_results(data)
            found += entries
            if cursor is None:
                break
            query["start_cursor"] = cursor
        return found

    async def _patiently(self, method: str, path: str, **options: Any) -> Any:
        """A request that waits for its budget where that is back in a moment."""
        while True:
            try:
                return await self._call(method, path, kind="content", **options)
            except RateLimited as error:
                wait = error.until.timestamp() - time.time()
                if error.sent or wait > SHORT_WAIT:
                    raise
                await asyncio.sleep(max(wait, 0.01))

    async def _call(self, method: str, path: str, *, kind: Kind = "read", **options: Any) -> Any:
        return await self.guard.call(lambda: self._json(method, path, **options), kind=kind)

    async def _read(self, method: str, path: str, **options: Any) -> Any:
        return await self.guard.read(lambda: self._json(method, path, **options))

    async def _json(self, method: str, path: str, **options: Any) -> Any:
        what = f"{method} {path}"
        response = await send(self._http, "notion", method, path, at_most=LARGEST, **options)
        if response.status_code == _BUSY:
            until = retry_after(response.headers.get("retry-after"), default=60)
            raise RateLimited("notion: overloaded", until)
        if response.status_code == 409:
            raise Transient(f"notion: HTTP 409 for {what}: somebody else was writing there")
        if response.status_code == 404 and (path == "/v1/pages" or self._parent in path):
            raise Unauthorized(
                "notion: the page of integrations.notion.parent_page_id does not exist or is not shared with the "
                "connection; in Notion open it and choose Connections, or correct the id"
            )
        raise_for_status(response, "notion", what, credential="NOTION_TOKEN")
        return json_of(response, "notion", what)

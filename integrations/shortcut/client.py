"""Shortcut over httpx: the target of the shortcut lane; creates stories in bulk and finds them again."""

from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta
from typing import Any

import httpx

from integrations.base import Answer
from integrations.http import request_json
from integrations.resilience import Guard
from integrations.shortcut.payloads import default_state, state_ids, story_answer, story_params
from integrations.shortcut.settings import ShortcutSettings
from models.commands import Pending
from models.errors import Rejected

CLOCK_SKEW = timedelta(minutes=10)


class ShortcutClient:
    """One workspace."""

    name = "shortcut"

    def __init__(
        self,
        settings: ShortcutSettings,
        token: str,
        guard: Guard,
        *,
        user_agent: str,
        requests_in_flight: int,
    ) -> None:
        self._settings = settings
        self.guard = guard
        self._state_id = settings.workflow_state_id
        self._http = httpx.AsyncClient(
            base_url=settings.base_url,
            headers={"Shortcut-Token": token, "User-Agent": user_agent},
            timeout=guard.timeout,
            limits=httpx.Limits(max_connections=requests_in_flight, keepalive_expiry=60),
        )

    def bulk_size(self, operation: str) -> int:
        return self._settings.bulk_size

    async def send(self, pendings: Sequence[Pending]) -> Sequence[Answer]:
        """One bulk of new stories; Shortcut takes all of them or none."""
        if pendings[0].command.operation != "create_story":
            raise Rejected(f"shortcut: unknown operation {pendings[0].command.operation!r}")
        state = self._state_id or await self._default_state()
        body = {"stories": [story_params(p.key, p.payload, state) for p in pendings]}
        stories = await self.guard.call(lambda: self._json("POST", "/api/v3/stories/bulk", json=body))
        by_key = _by_external_id(stories)
        # Whatever the answer leaves out is looked up later rather than taken for done.
        return [story_answer(by_key.get(p.key[:1024], {})) for p in pendings]

    async def find(self, pendings: Sequence[Pending]) -> Mapping[str, Answer]:
        """One search for all: stories created since the first of these commands, matched by external id."""
        start = min(p.created_at for p in pendings) - CLOCK_SKEW
        body = {"created_at_start": start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        stories = await self.guard.read(lambda: self._json("POST", "/api/v3/stories/search", json=body))
        by_key = _by_external_id(stories)
        return {p.key: story_answer(by_key[p.key[:1024]]) for p in pendings if p.key[:1024] in by_key}

    async def check(self) -> str:
        """Who the token belongs to, and whether the configured state exists."""
        member = await self.guard.call(lambda: self._json("GET", "/api/v3/member"))
        name = member.get("mention_name") if isinstance(member, Mapping) else None
        if self._settings.workflow_state_id is not None:
            known = state_ids(await self.guard.call(lambda: self._json("GET", "/api/v3/workflows")))
            if known and self._settings.workflow_state_id not in known:
                raise Rejected(
                    f"shortcut: workflow_state_id {self._settings.workflow_state_id} does not exist; "
                    f"the workspace has {', '.join(map(str, sorted(known)[:8]))}"
                )
        return f"signed in as {name or 'an unnamed member'}"

    async def close(self) -> None:
        await self._http.aclose()

    async def _default_state(self) -> int:
        workflows = await self.guard.read(lambda: self._json("GET", "/api/v3/workflows"))
        self._state_id = default_state(workflows)
        return self._state_id

    async def _json(self, method: str, path: str, **options: Any) -> Any:
        return await request_json(
            self._http, "shortcut", method, path, credential="SHORTCUT_API_TOKEN", **options
        )


def _by_external_id(stories: Any) -> dict[str, Mapping[str, Any]]:
    return {
        str(story["external_id"]): story
        for story in (stories if isinstance(stories, list) else ())
        if isinstance(story, Mapping) and story.get("external_id")
    }

"""Shortcut over httpx: the target of the shortcut lane; creates stories in bulk, finds, moves and reads them."""

import time
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx

from integrations.base import Answer, Limit
from integrations.http import request_json
from integrations.resilience import Budget, Guard, steady
from integrations.shortcut import commands
from integrations.shortcut.payloads import (
    Names,
    Place,
    State,
    default_state,
    read_epics,
    read_found,
    read_members,
    read_scale,
    read_states,
    read_stories,
    story_answer,
    story_params,
)
from integrations.shortcut.settings import PlaceSettings, ShortcutSettings
from models.commands import Pending
from models.errors import RateLimited, Rejected
from models.story import Story
from models.units import Rate

T = TypeVar("T")
CLOCK_SKEW = timedelta(days=1)
"""A command may have been stored under a clock that was hours ahead of Shortcut's."""
FOUND = 5
"""Stories that are taken of a search."""
NAMES_KEPT = 600.0
"""Seconds for which the names of states, members and epics are believed."""
NAMES_ASKED = 30.0
"""Seconds after which a number without a name is asked for again."""


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
        self._other_states: dict[int, int] = {}
        """By a state that is gone, the one that stands in for it."""
        self._lost_epics: set[int] = set()
        self._kept: dict[str, tuple[float, Any]] = {}
        rate = settings.rate_limit
        self._searches = Budget(Limit([Rate(max(1, rate.count // 8), rate.seconds)]))
        self.server_time: datetime | None = None
        """Shortcut's clock as of its latest answer; ours may differ."""
        self.notices: list[str] = []
        """What a person should know of the configuration, as sentences for a run's problems."""
        self._http = httpx.AsyncClient(
            base_url=settings.base_url,
            headers={"Shortcut-Token": token, "User-Agent": user_agent},
            timeout=guard.timeout,
            limits=httpx.Limits(max_connections=requests_in_flight, keepalive_expiry=60),
            event_hooks={"response": [self._note_time]},
        )

    def bulk_size(self, operation: str) -> int:
        return self._settings.bulk_size if operation == "create_story" else 1

    async def send(self, pendings: Sequence[Pending]) -> Sequence[Answer]:
        """One bulk of new stories, of which Shortcut takes all or none; or one story to move or to put away."""
        operation = pendings[0].command.operation
        if operation == "archive_story":
            return [await self._archive(pending) for pending in pendings]
        if operation == "move_story":
            return [await self._move(pending) for pending in pendings]
        if operation != "create_story":
            raise Rejected(f"shortcut: unknown operation {operation!r}")
        places = [await self._place(pending) for pending in pendings]
        try:
            stories = await self._create(pendings, places)
        except Rejected as error:
            others = [await self._place_instead_of(place, error) for place in places]
            if others == places:
                raise
            stories = await self._create(pendings, others)
        by_key = _by_external_id(stories)
        # Whatever the answer leaves out is looked up later rather than taken for done.
        return [story_answer(by_key.get(p.key[:1024], {})) for p in pendings]

    async def find(self, pendings: Sequence[Pending]) -> Mapping[str, Answer]:
        """One search for all: stories created since the first of these commands, matched by external id.

        Moving a story and putting it away look by themselves at what was done already.
        """
        pendings = [p for p in pendings if p.command.operation == "create_story"]
        if not pendings:
            return {}
        start = min(p.created_at for p in pendings) - CLOCK_SKEW
        body = {"created_at_start": _moment(start)}
        stories = await self.guard.read(lambda: self._json("POST", "/api/v3/stories/search", json=body))
        by_key = _by_external_id(stories)
        return {p.key: story_answer(by_key[p.key[:1024]]) for p in pendings if p.key[:1024] in by_key}

    async def changed_since(self, since: datetime, *, with_text: bool = False) -> list[Story]:
        """All stories that were made or changed since then, whoever made them; one request."""
        body = {"updated_at_start": _moment(since), "includes_description": with_text}
        return read_stories(
            await self.guard.read(lambda: self._json("POST", "/api/v3/stories/search", json=body))
        )

    async def search(self, query: str) -> list[Story] | None:
        """The first stories that Shortcut's own search finds; None where its limit leaves no room just now.

        It takes a small share of the limit and never waits: stories to be made come first.
        """
        now = steady()
        if self._searches.free_at("read", now) or any(b.free_at("read", now) for b in self.guard.budgets):
            return None
        self._searches.count("read", now)
        parameters = {"query": query, "page_size": FOUND, "detail": "slim"}
        try:
            data = await self.guard.call(
                lambda: self._json("GET", "/api/v3/search/stories", params=parameters)
            )
        except RateLimited:
            return None
        return read_found(data)

    async def story(self, number: int) -> Story | None:
        """One story as it is now; None where it is gone."""
        try:
            found = await self.guard.read(lambda: self._json("GET", f"/api/v3/stories/{number}"))
        except Rejected as error:
            if error.status == 404:
                return None
            raise
        return next(iter(read_stories([found])), None)

    async def names(
        self,
        *,
        states: Set[int] = frozenset(),
        members: Set[str] = frozenset(),
        epics: Set[int] = frozenset(),
    ) -> Names:
        """The names of workflow states, and of these members and epics; kept for some minutes.

        Each kind is one request, and only where one of it is asked for; sooner where one of these has no name.
        """
        workflows = await self._keep("workflows", _workflows, lambda known: states - known[0].keys())
        return Names(
            states=workflows[0],
            default_state=workflows[1],
            members=await self._keep("members", read_members, lambda known: members - known.keys())
            if members
            else {},
            epics=await self._keep("epics", read_epics, lambda known: epics - known.keys()) if epics else {},
        )

    async def estimate_scale(self) -> tuple[int, ...]:
        """The points that stories are estimated in, in order: the configured ones, else the workspace's own.

        Empty: this team does not estimate."""
        known = self._settings.estimate_scale
        return await self._keep("member", read_scale) if known == "auto" else known

    async def check(self) -> str:
        """Who the token belongs to, and whether the configured states and epics exist."""
        member = await self.guard.call(lambda: self._json("GET", "/api/v3/member"))
        name = member.get("mention_name") if isinstance(member, Mapping) else None
        routes = self._settings.routes
        states = {
            f"routes.{route}.workflow_state_id": place.workflow_state_id for route, place in routes.items()
        }
        states["workflow_state_id"] = self._settings.workflow_state_id
        if any(state is not None for state in states.values()):
            known = read_states(await self.guard.call(lambda: self._json("GET", "/api/v3/workflows")))
            _require(known, states)
        epics = {f"routes.{route}.epic_id": place.epic_id for route, place in routes.items()}
        if any(epic is not None for epic in epics.values()):
            _require(read_epics(await self.guard.call(lambda: self._json("GET", "/api/v3/epics"))), epics)
        return f"signed in as {name or 'an unnamed member'}"

    async def close(self) -> None:
        await self._http.aclose()

    async def _create(self, pendings: Sequence[Pending], places: Sequence[Place]) -> Any:
        wanted = zip(pendings, places, strict=True)
        body = {"stories": [story_params(p.key, p.payload, place) for p, place in wanted]}
        return await self.guard.call(lambda: self._json("POST", "/api/v3/stories/bulk", json=body))

    async def _place(self, pending: Pending) -> Place:
        """Where a story of this route is put."""
        own = self._settings.routes.get(pending.payload.get("route", ""), PlaceSettings())
        state = own.workflow_state_id or self._state_id or await self._default_state()
        epic = None if own.epic_id in self._lost_epics else own.epic_id
        return Place(self._other_states.get(state, state), epic)

    async def _default_state(self) -> int:
        self._state_id = default_state(await self.guard.read(lambda: self._json("GET", "/api/v3/workflows")))
        return self._state_id

    async def _place_instead_of(self, place: Place, error: Rejected) -> Place:
        """Another place where something was refused because its state or epic is gone; the same where it is not."""
        if error.status not in (400, 422):
            return place
        known, default = await self._keep("workflows", _workflows, max_age=NAMES_ASKED)
        state, epic = place.state, place.epic
        if state not in known and state != default:
            name = known[default].name if default in known else default
            self._notice(
                f"the workflow state {state} does not exist any more; stories go to {name!r} instead: "
                "mend integrations.shortcut.workflow_state_id"
            )
            self._other_states[state] = default
            state = default
        if epic is not None and epic not in await self._keep("epics", read_epics, max_age=NAMES_ASKED):
            self._notice(f"the epic {epic} does not exist any more: mend integrations.shortcut.routes")
            self._lost_epics.add(epic)
            epic = None
        return Place(state, epic)

    def _notice(self, words: str) -> None:
        if f"shortcut: {words}" not in self.notices:
            self.notices.append(f"shortcut: {words}")

    async def _move(self, pending: Pending) -> Answer:
        """Bring a story to another route. It is looked at first, so the same once more changes nothing."""
        before = pending.last_answer or pending.answers.get(f"story:{pending.command.issue}") or {}
        if not isinstance(before.get("id"), int):
            return {"gone": True}
        path = f"/api/v3/stories/{before['id']}"
        story = await self._one(path)
        if story is None or story.get("archived"):
            return {**before, "gone" if story is None else "archived": True}
        target = await self._place(pending) if self._settings.routes else None
        change = commands.change_of(pending, story, target)
        if change:
            try:
                story = await self._one(path, "PUT", change)
            except Rejected as error:
                other = await self._place_instead_of(target, error) if target is not None else None
                if other == target or story is None:
                    raise
                change = commands.change_of(pending, story, other)
                story = await self._one(path, "PUT", change)
            if story is None:
                return {**before, "gone": True}
        return commands.move_answer(pending, story, change)

    async def _archive(self, pending: Pending) -> Answer:
        """Put a story away that was made twice, with one comment that says why, unless a person has it in hand."""
        payload = pending.payload
        path = f"/api/v3/stories/{int(payload['story_id'])}"
        story = await self._one(path)
        if story is None:
            return {"gone": True}
        begun = commands.is_commented(story, pending.key)
        if not begun and not story.get("archived"):
            kept = await self._one(f"/api/v3/stories/{int(payload['keep_id'])}")
            reason = commands.reason_to_leave(story, kept)
            if reason:
                return {"left": reason}
        if not story.get("archived"):
            await self._one(path, "PUT", {"archived": True})
        if not begun:
            await self._one(f"{path}/comments", "POST", commands.merge_comment(pending))
        return {"archived": True}

    async def _one(self, path: str, method: str = "GET", body: Any = None) -> Mapping[str, Any] | None:
        """One thing; None where it is not there (any more)."""
        options = {"json": body} if body is not None else {}
        try:
            data = await self.guard.call(lambda: self._json(method, path, **options))
        except Rejected as error:
            if error.status == 404:
                return None
            raise
        return data if isinstance(data, Mapping) else {}

    async def _keep(
        self,
        what: str,
        read: Callable[[Any], T],
        missing: Callable[[T], Any] = lambda known: False,
        *,
        max_age: float = NAMES_KEPT,
    ) -> T:
        """What `read` makes of a list, kept for some minutes; read again sooner where something is `missing` in it."""
        at, known = self._kept.get(what, (float("-inf"), None))
        age = time.monotonic() - at
        if known is None or age > max_age or (age > NAMES_ASKED and missing(known)):
            known = read(await self.guard.read(lambda: self._json("GET", f"/api/v3/{what}")))
            self._kept[what] = (time.monotonic(), known)
        found: T = known
        return found

    async def _note_time(self, response: httpx.Response) -> None:
        try:
            self.server_time = parsedate_to_datetime(response.headers["date"])
        except (KeyError, ValueError, TypeError):
            return

    async def _json(self, method: str, path: str, **options: Any) -> Any:
        return await request_json(
            self._http, "shortcut", method, path, credential="SHORTCUT_API_TOKEN", **options
        )


def _require(known: Mapping[int, Any], wanted: Mapping[str, int | None]) -> None:
    """Rejected where a number of the configuration is not among those that the workspace has."""
    for name, number in wanted.items():
        if number is not None and known and number not in known:
            raise Rejected(
                f"shortcut: {name} {number} does not exist; "
                f"the workspace has {', '.join(map(str, sorted(known)[:8]))}"
            )


def _workflows(data: Any) -> tuple[dict[int, State], int]:
    return read_states(data), default_state(data)


def _moment(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _by_external_id(stories: Any) -> dict[str, Mapping[str, Any]]:
    return {
        str(story["external_id"]): story
        for story in (stories if isinstance(stories, list) else ())
        if isinstance(story, Mapping) and story.get("external_id")
    }

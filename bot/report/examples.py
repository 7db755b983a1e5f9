"""Worked examples: one story of each flow as the run wrote it, for its report."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from bot.report.wording import plain, web_link
from bot.store.case_reads import with_stories
from bot.store.database import Transaction
from models.case import Case, Route

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

SHARED: tuple[Route, ...] = ("bug", "feature", "docs")
"""Flows of which a report may show an example; what is routed for review is not for everybody who reads it."""
LOOKED_AT = 50
"""The most urgent cases of a flow, of which the richest is shown."""
_LIMIT = 30_000


@dataclass(frozen=True, slots=True)
class Example:
    """A case with its story: `description` is markdown, `tasks` are the story's."""

    ref: str
    url: str
    route: Route
    title: str
    description: str
    tasks: tuple[str, ...] = ()

    def shown(self) -> dict[str, Any]:
        """As the page shows it; `html` is safe to put there as it is."""
        return {
            "ref": plain(self.ref, 160),
            "url": web_link(self.url),
            "route": self.route,
            "route_name": "for review" if self.route == "security" else self.route,
            "title": plain(self.title),
            # CommonMark knows no boxes to tick.
            "html": _markdown().render(self.description[:_LIMIT].replace("\n- [ ] ", "\n- ☐ ")),
            "tasks": [plain(task, 400) for task in self.tasks],
        }


def of_run(connection: Transaction, run_id: str, routes: Iterable[Route] = SHARED) -> list[Example]:
    """The richest of the most urgent cases of each flow whose story this run asked for."""
    found = []
    for route in routes:
        told = with_stories(connection, run_id, route, LOOKED_AT)
        if told:
            best = max(told, key=lambda case: len(case.detail.get("sections", ())))
            found.append(_example(best.ref, best.url, route, best.story))
    return found


def richest(cases: Iterable[Case]) -> list[Case]:
    """Of each flow the case of which most was found out, in the routes' order."""
    best: dict[Route, Case] = {}
    for case in cases:
        kept = best.get(case.route)
        if kept is None or len(case.sections) > len(kept.sections):
            best[case.route] = case
    return [best[route] for route in SHARED if route in best]


def of_cases(cases: Iterable[Case]) -> list[Example]:
    """The stories that these cases would have."""
    return [
        _example(case.issue.ref, case.issue.html_url, case.route, command.payload)
        for case in cases
        for command in case.commands
        if command.operation == "create_story"
    ]


def _example(ref: str, url: str, route: Route, payload: Any) -> Example:
    tasks = tuple(payload.get("tasks") or ())
    return Example(ref, url, route, payload["name"], payload["description"], tasks)


@lru_cache(maxsize=1)
def _markdown() -> "MarkdownIt":
    """CommonMark with HTML shown as text and without images: a report loads nothing from elsewhere."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")

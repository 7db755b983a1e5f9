"""The issues and the configuration under which the old database was made, and under which it is brought to its end."""

import json
from typing import Any

from tests.golden import product
from tests.world import World

WIDGETS, GADGETS = "octo/widgets", "octo/gadgets"
HOOK_SECRET = "whsec_" + "QUJD" * 8
_TITLES = {
    "bug": "Crash number {} when saving a file",
    "feature": "Please add a way to sort trays, number {}",
    "docs": "The docs lack page {} on lamps",
    "security": "SQL injection number {} in the search",
    "needs_human": "How do I use part {} of this?",
}
_ROUTES = {
    WIDGETS: "bug bug docs security needs_human docs docs bug bug docs bug",
    GADGETS: "bug feature needs_human",
}
"""The route of each issue, by its number from 1 on."""


def route_of(repo: str, number: int) -> str:
    """Where an issue goes."""
    return _ROUTES[repo].split()[number - 1]


def issues() -> list[dict[str, Any]]:
    """All issues, those of widgets first."""
    return [
        {
            "repo": repo,
            "number": number,
            "title": _TITLES[route].format(number),
            "body": "This happens every time, and I would like it to be otherwise.",
            "author": "ann",
            "labels": [],
            "created_at": f"2026-10-{number:02}T10:00:00Z",
            "updated_at": f"2026-11-{number:02}T10:00:00Z",
        }
        for repo, routes in _ROUTES.items()
        for number, route in enumerate(routes.split(), 1)
    ]


def configure(world: World, mail_port: int) -> None:
    """Rules decide, so that it is the same whatever a model thinks; every target is on."""
    rules = [
        {"route": route, "pattern": "^" + title.split("{}")[0].strip(), "name": f"titles of {route}"}
        for route, title in _TITLES.items()
    ]
    on_call = {"path": "/teams/{team}/on-call", "answer": "person.name"}
    page = {"method": "POST", "path": "/pages", "body": {"title": "{title}"}}
    pager = {
        "base_url": f"{world.base}/services/pager",
        "auth": {"secret_env": "PAGER_TOKEN"},
        "operations": {"on_call": on_call, "page": page},
    }
    ask = {"service": "pager", "operation": "on_call", "fields": {"team": "'core'"}, "into": "on_call"}
    call = {"service": "pager", "operation": "page", "fields": {"title": "issue.ref"}}
    bug = {
        "extends": "bug",
        "before": {"create_story": [{"node": "call_api", "with": ask}]},
        "after": {"create_story": [{"node": "call_api", "with": call}]},
    }
    mail = {"host": "127.0.0.1", "port": mail_port, "tls": "none", "sender": "triage@example.com"}
    values: dict[str, Any] = {
        "router.rules": rules,
        "subflows": {"bug": bug},
        "integrations.services": {"pager": pager},
        "integrations.email": mail | {"recipients": ["team@example.com"]},
        "integrations.webhooks": [{"url": f"{world.base}/hooks/team", "secret_env": "HOOK"}],
    }
    for path, value in values.items():
        world.set(path, json.dumps(value))
    world.set("integrations.github.comment", "always")
    world.set("integrations.github.link_story", "true")
    world.set("scaling.batch_size", "2")
    world.set("scaling.parallel_workers", "1")
    world.environment |= product.drafting_environment(world.base)
    world.environment |= {"HOOK": HOOK_SECRET, "PAGER_TOKEN": "a-token-of-the-pager"}

"""The world that the tour goes through: its issues, and a configuration that leads to everything."""

import json
from typing import Any

from tests.golden import product
from tests.world import World

WIDGETS, GADGETS = "octo/widgets", "octo/gadgets"
SECRET = "a secret of the tests"
HOOK_SECRET = "whsec_" + "QUJD" * 8


def bug(number: int, title: str = "", **more: Any) -> dict[str, Any]:
    """An issue that becomes a bug where its title does not say otherwise."""
    made = {
        "repo": WIDGETS,
        "number": number,
        "title": title or f"Crash number {number} when saving a file",
        "body": "It crashes with an error every time I save.\n\n### Steps\n1. open\n2. save",
        "author": "ann",
        "labels": [],
        "created_at": f"2026-10-{1 + number:02}T10:00:00Z",
        "updated_at": f"2026-11-{1 + number:02}T10:00:00Z",
    }
    return made | more


TRACE = (
    'I load a file.\n\n```\nTraceback (most recent call last):\n  File "/app/widgets/core.py", line 3, in load\n'
    '    return parse(text)\n  File "/app/widgets/parse.py", line 9, in parse\n    return int(word)\n'
    "ValueError: invalid literal for int() with base 10: 'x'\n```\n\nwidgets 2.3.1 on Debian 12"
)
ISSUES = [
    bug(1, body=TRACE),
    bug(2, "Please add a dark mode"),
    bug(3, "The docs lack a page on lamps"),
    bug(4, "SQL injection in the search", body="requests 2.31.0 lets `q=' OR 1=1` through. CVE-2026-1234."),
    bug(5, "How do I use this?", body="I wonder."),
    bug(6, "The pager must break"),
    bug(7, "A change of mine", pull_request=True),
    bug(8, "A closed crash", state="closed"),
    bug(9, repo=GADGETS),
]
OWN_FILE = {
    ".github/switchyard.yml": "webhooks:\n- url: https://127.0.0.1/hook\nchannels: {digest: '#triage'}\n"
}
"""What gadgets' repository says of itself; its receiver is at an address that is refused."""
_RULES = [
    {"route": "feature", "pattern": "Please add", "name": "asked for"},
    {"route": "docs", "pattern": "docs", "name": "about the docs"},
    {"route": "security", "pattern": "injection", "name": "an attack"},
    {"route": "needs_human", "pattern": "How do I", "name": "a question"},
    {"route": "bug", "pattern": "(?s).*", "name": "all else"},
]
_ON_CALL = {
    "service": "pager",
    "operation": "on_call",
    "fields": {"team": "'core'"},
    "into": "on_call",
    "required": True,
}
_PAGE = {"service": "pager", "operation": "page", "fields": {"title": "{{ issue.ref }}: {{ issue.title }}"}}
_TRY = {
    "node": "call_api",
    "with": _ON_CALL,
    "when": "!contains(issue.title, 'break')",
    "on_error": {"use": {"node": "transform", "with": {"expression": "'nobody'", "into": "on_call"}}},
}
_BREAK = {"node": "call_api", "with": _ON_CALL, "when": "contains(issue.title, 'break')"}
_AGAIN = {
    "repeat": {
        "until": "data.on_call",
        "at_most": 2,
        "steps": [{"node": "transform", "with": {"expression": "'nobody'", "into": "on_call"}}],
    }
}
_BESIDE = {
    "parallel": [
        {"node": "search_github", "on_error": "skip"},
        {"node": "search_shortcut", "on_error": {"retry": 2}},
        {"node": "search_knowledge_base", "on_error": "undo"},
    ]
}
FLOWS = {
    "bug": {
        "extends": "bug",
        "before": {
            "create_story": [_BREAK, _TRY, _AGAIN, _BESIDE, {"subflow": "tell", "on_error": "escalate"}]
        },
        "after": {"create_story": [{"node": "call_api", "with": _PAGE}]},
    },
    "tell": [{"node": "write_section", "with": {"title": "On call", "template": "Now: {{ data.on_call }}"}}],
}
"""Each word that a flow is written in, at least once."""


def configure(world: World, mail_port: int) -> None:
    """Switch everything on."""
    world.control(repo=GADGETS, files=OWN_FILE)
    world.environment |= product.drafting_environment(world.base)
    world.environment |= {
        "GITHUB_WEBHOOK_SECRET": SECRET,
        "SHORTCUT_WEBHOOK_SECRET": SECRET,
        "SWITCHYARD_ADMIN_TOKEN": SECRET,
        "SWITCHYARD_HOOK_SECRET": SECRET * 2,
        "HOOK": HOOK_SECRET,
        "PAGER_TOKEN": "a-token-of-the-pager",
    }
    operations = {
        "on_call": {"path": "/teams/{team}/on-call", "answer": "person.name"},
        "page": {"method": "POST", "path": "/pages", "body": {"title": "{title}"}},
    }
    pager = {
        "base_url": f"{world.base}/services/pager",
        "auth": {"secret_env": "PAGER_TOKEN"},
        "operations": operations,
    }
    what = ["digest", "problems", "security", "alerts"]
    mail = {"host": "127.0.0.1", "port": mail_port, "tls": "none", "sender": "triage@example.com"}
    hook = {"url": f"{world.base}/hooks/team", "secret_env": "HOOK", "what": ["runs", "alerts", "security"]}
    values: dict[str, Any] = {
        "router.rules": _RULES,
        "router.approve": ["feature"],
        "subflows": FLOWS,
        "integrations.services": {"pager": pager},
        "integrations.email": mail | {"recipients": [{"address": "team@example.com", "what": what}]},
        "integrations.webhooks": [hook],
    }
    for path, value in values.items():
        world.set(path, json.dumps(value))
    world.set("integrations.github.comment", "always")
    world.set("integrations.github.link_story", "true")
    # A service that is down holds nobody up.
    world.set("resilience.circuit_breaker.failure_threshold", "1")
    world.set("resilience.circuit_breaker.reset_timeout_seconds", "30s")
    # Nothing begins by itself while `serve` is looked at.
    world.set("schedule.nightly", "0 0 1 1 *")
    world.set("schedule.retrain", "0 0 1 1 *")
    # No service is as quick as this, so there is an alert that stays; and no other.
    world.set("monitoring.alert_thresholds.latency_p99", "0.0001s")
    world.set("monitoring.alert_thresholds.error_rate", "1")

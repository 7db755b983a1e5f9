"""What the `router` commands need of the rest: the configuration's model and rules, and stored issues."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from config.load import load
from models.router.text import Text


def load_issue(ref: str, config: Path | None) -> Text | None:
    """The text of a stored issue."""
    from bot.store import cases
    from bot.store.database import Database

    database = Database(load(config).storage.url)
    try:
        database.require_schema()
        with database.read() as connection:
            found = cases.load_issues(connection, [ref])
    finally:
        database.dispose()
    return Text(found[0].repo, found[0].title, found[0].body) if found else None


def default_model(config: Path | None) -> str | None:
    """The configuration's model; None, the store's active one, where it says builtin."""
    from bot.think import chosen

    return chosen(load(config).router.model)


def rules(text: Text, config: Path | None) -> list[str]:
    """The configured rules that a text meets, as sentences."""
    from bot.wiring import policy_of
    from models.case import Case
    from models.issue import Issue
    from nodes.analyze_code import AnalyzeCode
    from nodes.route_issue import apply_rules

    policy = policy_of(load(config))
    if not policy.rules:
        return []
    now = datetime.now(UTC)
    issue = Issue(
        repo=text.repo or "?/?",
        number=1,
        title=text.title,
        body=text.body,
        html_url="",
        created_at=now,
        updated_at=now,
    )
    # Rules about paths look at what the code analysis found; that node asks nothing of its context.
    case = asyncio.run(AnalyzeCode()(Case(issue=issue), None))  # type: ignore[arg-type]
    return list(apply_rules(case, policy.rules)[2])

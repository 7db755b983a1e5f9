"""What the `router` commands need of the rest: the configuration's model and rules, and stored issues."""

import asyncio
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.learn.training import Lesson
from bot.store.database import StoreError
from config.load import load
from models.errors import UserFacing
from models.router.inference.text import Text


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
    from bot.think.pool import chosen

    return chosen(load(config).router.model)


def accept_threshold(config: Path | None) -> float | None:
    """The configuration's threshold; None where each model has its own."""
    from bot.app.app import policy_of

    return policy_of(load(config)).accept_threshold


def lesson(config: Path | None, label_map: Mapping[str, str] | None, told: Callable[[str], None]) -> Lesson:
    """What the configured repositories' labelled issues and the recorded corrections teach."""
    from bot.app.app import build, close, restore_breakers, secrets_for, share_budgets
    from bot.learn.dataset import prepare
    from bot.store.repositories import WAYS, served
    from bot.trigger import installations

    settings = load(config)
    none = (
        f"no repositories to learn from: {WAYS}, "
        "or name labelled issues with --csv FILE (columns repo,created_at,label,title,body)"
    )
    if not settings.repositories and not secrets_for(settings).get("GITHUB_APP_ID"):
        raise UserFacing(none)
    app = build(settings)

    async def read() -> Lesson:
        try:
            await restore_breakers(app)
            await share_budgets(app)
            if not settings.repositories:
                await installations.look(app)
                if not await app.database.query(lambda c: served(c, settings)):
                    raise UserFacing(none)
            return await prepare(app, told, label_map)
        finally:
            await share_budgets(app)
            await close(app)

    return asyncio.run(read())


def drift(config: Path | None) -> list[dict[str, Any]]:
    """Decisions week by week, the latest first, with the shares left to people and corrected."""
    from bot.learn.drift import weeks
    from bot.store import learning
    from bot.store.database import Database

    now = datetime.now(UTC)
    database = Database(load(config).storage.url)
    try:
        database.require_schema()
        with database.read() as connection:
            rows = learning.days(connection, now.timestamp() - 26 * 7 * 86_400)
    finally:
        database.dispose()
    found = []
    for start, count in weeks(rows, now):
        line: dict[str, Any] = {"week": start, "decided": count.decided}
        for name in ("abstained", "corrected"):
            part, whole = count.share(name)
            line |= {name: part, f"{name}_share": round(part / whole, 4) if whole else None}
        found.append(line)
    return found


def note(config: Path | None, action: str, version: str, before: str) -> None:
    """Note in the audit log that another model was made the active one; say so where that cannot be done."""

    from bot.cli import audit
    from bot.store.database import Database, brief

    try:
        database = Database(load(config).storage.url)
        try:
            database.require_schema()
            with database.write() as connection:
                audit.note(connection, f"router.{action}", version, before=before)
        finally:
            database.dispose()
    except (UserFacing, StoreError) as error:
        # The model is switched already, and its store works without a database.
        words = str(error) if isinstance(error, UserFacing) else brief(error)
        sys.stderr.write(f"switchyard: not noted in the audit log: {words}\n")


def rules(text: Text, config: Path | None) -> list[str]:
    """The configured rules that a text meets, as sentences."""
    from bot.app.app import policy_of
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

"""`doctor`: checks what can go wrong before it does; one line each: what, ok or not, how to mend it."""

import asyncio
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from config.settings import Settings
from integrations.base import Check
from models.errors import RateLimited, SwitchyardError, Transient, UserFacing

LIMIT = 10.0
"""Seconds that all checks of services may take together."""


def main(load: Callable[[], Settings], as_json: bool) -> int:
    """Print the checks; 0 where all are right, 1 where something is not, 2 where the configuration is unusable."""
    try:
        settings = load()
    except UserFacing as error:
        checks = [Check("configuration", False, str(error), "correct the file or the variable it names")]
        _show(checks, as_json)
        return 2
    checks = [Check("configuration", True, "read and valid")]
    checks += _local(settings)
    if all(check.ok for check in checks if check.name == "database"):
        checks += _delivery(settings)
        checks += asyncio.run(_services(settings))
    _show(checks, as_json)
    return 0 if all(check.ok for check in checks) else 1


def _show(checks: list[Check], as_json: bool) -> None:
    ok = all(check.ok for check in checks)
    if as_json:
        rows = [{"name": c.name, "ok": c.ok, "detail": c.detail, "mend": c.mend} for c in checks]
        sys.stdout.write(json.dumps({"ok": ok, "checks": rows}, indent=2) + "\n")
        return
    width = max(len(check.name) for check in checks)
    for check in checks:
        mend = "" if check.ok or not check.mend else f"\n{'':{width + 6}}mend: {check.mend}"
        print(f"{'ok ' if check.ok else 'NO '}  {check.name:{width}}  {check.detail}{mend}")
    print("all is well" if ok else "something needs mending")


def _local(settings: Settings) -> list[Check]:
    return [_repositories(settings), _database(settings), _model(settings)]


def _repositories(settings: Settings) -> Check:
    if settings.repositories:
        return Check("repositories", True, ", ".join(settings.repositories))
    return Check("repositories", False, "none configured", "list them under workflow.repositories")


def _database(settings: Settings) -> Check:
    from bot.store.database import Database

    try:
        database = Database(settings.storage.url)
        try:
            database.require_schema()
            detail = f"{'SQLite' if database.is_sqlite else 'PostgreSQL'}, schema {database.version()}"
        finally:
            database.dispose()
    except UserFacing as error:
        return Check(
            "database",
            False,
            str(error),
            "correct storage.url, start the server, or run `switchyard migrate`",
        )
    return Check("database", True, detail)


def _delivery(settings: Settings) -> list[Check]:
    """Breakers that stand open, and commands that nobody will send without a person."""
    import sqlalchemy as sa

    from bot.store import queue
    from bot.store.database import Database
    from models.tables import METADATA

    breakers = METADATA.tables["breakers"]
    database = Database(settings.storage.url)
    try:
        with database.read() as connection:
            rows = connection.execute(sa.select(breakers).where(breakers.c.state != "closed")).all()
            counts = queue.counts(connection)
    finally:
        database.dispose()
    checks = []
    for row in rows:
        since = datetime.fromtimestamp(row.opened_at or 0, UTC)
        detail = f"{row.state} since {since:%Y-%m-%d %H:%M} UTC; its commands wait, nothing is lost"
        checks.append(
            Check(f"breaker {row.service}", False, detail, "when it is back: `switchyard queue drain`")
        )
    if not rows:
        checks.append(Check("breakers", True, "all closed"))
    dead = sum(count for (_, state), (count, _) in counts.items() if state == "dead")
    waiting = sum(count for (_, state), (count, _) in counts.items() if state == "pending")
    mend = "`switchyard queue list` says why; then `queue retry` or `queue discard`"
    return [*checks, Check("queue", not dead, f"{waiting} commands wait, {dead} dead", mend)]


def _model(settings: Settings) -> Check:
    from bot.think import load_model

    try:
        model = load_model(settings.router.model)
    except SwitchyardError as error:
        return Check("model", False, str(error), "set router.model to builtin, or promote a good version")
    return Check("model", True, f"{settings.router.model}, version {model.version}")


async def _services(settings: Settings) -> list[Check]:
    """All services at once, so that one that hangs costs no more than itself."""
    from bot.wiring import build, close

    try:
        app = build(settings)
    except UserFacing as error:
        return [Check("credentials", False, str(error), "set the variable it names")]
    checks = [Check("credentials", True, ", ".join(sorted(app.secrets.values)) or "none")]
    checks += [Check(text.split(" ")[0], True, text) for text in app.skipped]
    try:
        # Breakers are not restored: whoever asks wants to know how the service is now.
        jobs = [_reach(name, target.check) for name, target in app.targets.items()]
        jobs += [_permission(app.github.access, repo) for repo in settings.repositories]
        checks += await asyncio.gather(*jobs)
    finally:
        await close(app)
    return checks


async def _reach(name: str, check: Callable[[], object]) -> Check:
    try:
        async with asyncio.timeout(LIMIT):
            detail = await check()  # type: ignore[misc]
    except TimeoutError:
        return Check(name, False, f"no answer within {LIMIT:g} s", f"check the network and {name}'s base_url")
    except RateLimited as error:
        return Check(name, True, f"reachable; {error}")
    except Transient as error:
        return Check(name, False, str(error), f"check the network and {name}'s base_url")
    except SwitchyardError as error:
        return Check(name, False, str(error), _mend(name))
    return Check(name, True, str(detail))


def _mend(name: str) -> str:
    return {
        "github": "check GITHUB_TOKEN and integrations.github.base_url",
        "shortcut": "check SHORTCUT_API_TOKEN, integrations.shortcut.base_url and workflow_state_id",
        "slack": "check SLACK_BOT_TOKEN (scopes chat:write, chat:write.public) and the channels",
    }.get(name, "check its section of the configuration")


async def _permission(access: Callable[[str], object], repo: str) -> Check:
    name = f"github {repo}"
    try:
        async with asyncio.timeout(LIMIT):
            found = await access(repo)  # type: ignore[misc]
    except TimeoutError:
        return Check(name, False, f"no answer within {LIMIT:g} s", "check the network")
    except Transient as error:
        return Check(name, False, str(error), "check the network and github's base_url")
    except SwitchyardError as error:
        return Check(name, False, str(error), "check the name, and that the credential can see it")
    if not found.can_write:
        return Check(name, False, "readable, but issues cannot be labelled", "give Issues: read and write")
    return Check(name, True, "readable, issues can be labelled")

"""`doctor`: checks what can go wrong before it does; one line each: what, ok or not, how to mend it."""

import asyncio
import json
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.report.wording import count_of
from bot.store.repositories import WAYS
from config.settings import Settings
from integrations.base import Check
from models.errors import RateLimited, SwitchyardError, Transient, UserFacing

if TYPE_CHECKING:
    from bot.app.app import App
    from integrations.github.settings import GithubSettings

LIMIT = 10.0
"""Seconds that all checks of services may take together."""
SHOWN = 30
"""Repositories that are looked at one by one; an App may be installed on hundreds."""


class _Off(Check):
    """What is not used here; nothing is wrong with that, and nothing was looked at."""


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
        mark = "NO " if not check.ok else "off" if isinstance(check, _Off) else "ok "
        print(f"{mark}  {check.name:{width}}  {check.detail}{mend}")
    print("all is well" if ok else "something needs mending")


def _local(settings: Settings) -> list[Check]:
    named = [_repositories(settings.repositories)] if settings.repositories else []
    return [*named, _database(settings), _model(settings)]


def _repositories(names: Sequence[str]) -> Check:
    """Those that are served; of an App that is installed on many, the first few."""
    if not names:
        return Check("repositories", False, "none", WAYS)
    shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    return Check("repositories", True, shown)


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
    from bot.store import breakers, owners, queue
    from bot.store.database import Database

    database = Database(settings.storage.url)
    try:
        with database.read() as connection:
            rows = [row for row in breakers.states(connection) if row.state != "closed"]
            counts = queue.counts(connection)
            failing = owners.failing(connection)
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
    for task, error in sorted(failing.items()):
        detail = f"failed three times in a row, last with {error}"
        checks.append(Check(f"worker {task}", False, detail, "its work waits; the log of `serve` says more"))
    return [
        *checks,
        Check(
            "queue",
            not dead,
            f"{count_of(waiting, 'command')} {'waits' if waiting == 1 else 'wait'}, {dead} dead",
            mend,
        ),
    ]


def _model(settings: Settings) -> Check:
    from bot.think.pool import load_model

    try:
        model = load_model(settings.router.model)
    except SwitchyardError as error:
        return Check("model", False, str(error), "set router.model to builtin, or promote a good version")
    return Check("model", True, f"{settings.router.model}, version {model.version}")


async def _services(settings: Settings) -> list[Check]:
    """All services at once, so that one that hangs costs no more than itself."""
    from bot.app.app import build, close
    from bot.cli.run import configure_logging
    from bot.trigger.repo_config import examine

    configure_logging()
    try:
        app = build(settings)
    except UserFacing as error:
        words = str(error)
        if words.startswith("workflow."):
            return [Check("configuration", False, words, "correct the key it names")]
        return [Check("credentials", False, words, "set the variable it names")]
    checks = [Check("credentials", True, ", ".join(sorted(app.secrets.values)) or "none")]
    if app.secrets.get("GITHUB_APP_ID") and not app.secrets.get("GITHUB_APP_PRIVATE_KEY"):
        words = "GITHUB_APP_ID is set and GITHUB_APP_PRIVATE_KEY is not, so GITHUB_TOKEN is used"
        checks.append(_Off("github app", True, words))
    checks += [_Off(text.split(" ")[0], True, text) for text in app.skipped]
    try:
        # Breakers are not restored: whoever asks wants to know how the service is now.
        jobs = [_reach(name, target.check) for name, target in app.targets.items()]
        jobs += [_reach("osv", app.osv.check)] if app.osv is not None else []
        jobs += [_reach("llm", app.llm.client.check)] if app.llm is not None else []
        found, names = await asyncio.gather(asyncio.gather(*jobs), _app(app))
        checks += [*found, *names[0]]
        if not settings.repositories:
            checks.append(_repositories(names[1]))
        if all(check.ok for check in found if check.name == "github"):
            # Else each would say the same once more, as late as can be, and open the breaker for everybody.
            shown = (settings.repositories or names[1])[:SHOWN]
            looks = [_permission(app.github.access, repo) for repo in shown]
            looks += [examine(app, repo) for repo in shown]
            checks += await asyncio.gather(*looks)
    finally:
        await close(app)
    return checks


async def _app(app: "App") -> tuple[list[Check], list[str]]:
    """What the App and its installations are allowed, and the repositories they cover; nothing for a token."""
    from integrations.github.client import apps

    if not app.github.connections.is_app:
        return [], []
    checks, names = [], []
    try:
        async with asyncio.timeout(LIMIT):
            about = await apps.about_app(app.github)
            permissions, events = about.get("permissions"), about.get("events")
            checks.append(
                _granted(
                    "github app",
                    permissions if isinstance(permissions, dict) else {},
                    events if isinstance(events, list) else [],
                    "in the App's settings under Permissions & events; then each account must accept it",
                    app.settings.integrations.github,
                )
            )
            for installation in await apps.installations(app.github):
                name, owner = f"github installation {installation.owner}", installation.owner
                if installation.suspended:
                    mend = f"resume it in {owner}'s settings under GitHub Apps"
                    checks.append(Check(name, False, "suspended; what is to be written there waits", mend))
                    continue
                names += await apps.repositories(app.github, installation)
                mend = f"accept the App's new permissions in {owner}'s settings under GitHub Apps"
                wanted = app.settings.integrations.github
                checks.append(_granted(name, installation.permissions, installation.events, mend, wanted))
    except TimeoutError:
        checks.append(Check("github app", False, f"no answer within {LIMIT:g} s", "check the network"))
    except SwitchyardError as error:
        mend = "check GITHUB_APP_ID, GITHUB_APP_PRIVATE_KEY and github's base_url"
        checks.append(Check("github app", False, str(error), mend))
    return checks, names


def _granted(
    name: str, permissions: Mapping[str, str], events: Collection[str], mend: str, settings: "GithubSettings"
) -> Check:
    from integrations.github.client.permissions import configured, missing

    needed, optional = missing(permissions, events, configured(settings))
    if needed:
        return Check(name, False, f"missing: {'; '.join([*needed, *optional])}", mend)
    if optional:
        return Check(name, True, f"all that is needed; optional and missing: {'; '.join(optional)}")
    return Check(name, True, "all permissions and events")


async def _reach(name: str, check: Callable[[], object]) -> Check:
    try:
        async with asyncio.timeout(LIMIT):
            detail = await check()  # type: ignore[misc]
    except TimeoutError:
        return Check(name, False, f"no answer within {LIMIT:g} s", f"check the network and {_where(name)}")
    except RateLimited as error:
        return Check(name, True, f"reachable; {error}")
    except Transient as error:
        return Check(name, False, str(error), f"check the network and {_where(name)}")
    except SwitchyardError as error:
        return Check(name, False, str(error), _mend(name))
    except Exception as error:
        # Whatever answers at a wrong address may be beyond a client; the other services are still worth a line.
        words = (
            f"its answer makes no sense ({type(error).__name__}); perhaps something else is at that address"
        )
        return Check(name, False, words, f"check {_where(name)}")
    return Check(name, True, str(detail))


def _where(name: str) -> str:
    return "integrations.email's host and port" if name == "email" else f"integrations.{name}.base_url"


def _mend(name: str) -> str:
    return {
        "github": "check GITHUB_TOKEN (or the App's id and key) and integrations.github.base_url",
        "shortcut": "check SHORTCUT_API_TOKEN, integrations.shortcut.base_url and workflow_state_id",
        "email": "check integrations.email (host, port, tls, username, sender) and SMTP_PASSWORD",
        "notion": "check NOTION_TOKEN, and that the page of integrations.notion.parent_page_id is shared with it",
        "llm": "check LLM_API_KEY, and integrations.llm's base_url and model",
        "osv": "check integrations.osv.base_url",
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
        return Check(name, False, str(error), "check the network and integrations.github.base_url")
    except SwitchyardError as error:
        return Check(name, False, str(error), "check the name, and that the credential can see it")
    if not found.can_write:
        return Check(name, False, "readable, but issues cannot be labelled", "give Issues: read and write")
    return Check(name, True, "readable, issues can be labelled")

"""A repository's own configuration: read, kept, laid over the operator's, checked where a pull request changes it."""

import asyncio
import base64
import binascii
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import structlog

from bot.app.app import App
from bot.store import outbox, repo_configs
from bot.store.daily import run_of_the_day
from bot.store.database import StoreError, Transaction, brief
from bot.store.repositories import served
from config.repository import FILE, MAX_BYTES, RepositorySettings, check
from integrations.base import Check
from models.commands import Command, write_check, write_comment
from models.errors import RateLimited, Rejected, SwitchyardError, Transient
from models.text.escape import code

log = structlog.get_logger()

FRESH = 3600.0
"""Seconds for which a file that was read is not read again, unless a push says that it changed."""
DAY = 86_400.0
PATIENCE = 15.0
"""Seconds that a start waits for GitHub to tell the files."""
AT_ONCE = 10
MOST_PAGES = 30
"""Pages of a pull request's files; GitHub shows 3,000 files at most."""
_SHA = re.compile(r"[0-9a-f]{40,64}")


@dataclass(frozen=True, slots=True)
class Found:
    """What lies in a repository: good `settings`, or None and the mistakes; `sha` is empty where there is no file."""

    settings: RepositorySettings | None
    mistakes: tuple[str, ...] = ()
    sha: str = ""

    @property
    def problem(self) -> str:
        """The mistakes as one line."""
        more = len(self.mistakes) - 1
        return self.mistakes[0] + (f" (and {more} more)" if more > 0 else "") if self.mistakes else ""


async def load(app: App, repo: str, *, force: bool = False) -> str:
    """Read the file anew, unless that was done within the hour; returns what was found, as a short note.

    A bad file leaves the last good one in its place. Raises what GitHub's client raises.
    """
    now = time.time()
    before = await app.database.query(lambda c: repo_configs.last_read(c, repo))
    if not force and before is not None and 0 <= now - before.at < FRESH:
        return f"{FILE} was read lately"
    found = await fetch(app, repo)
    await app.database.run(
        lambda c: repo_configs.save(c, repo, found.settings, sha=found.sha, problem=found.problem, now=now)
    )
    if found.problem and (before is None or before.problem != found.problem):
        log.warning("a repository's configuration is bad", repo=repo, problem=found.problem)
    if found.settings is None:
        return f"bad, the one before holds: {found.problem}"
    return f"{FILE} read" if found.sha else f"no {FILE}"


async def refresh(app: App, repos: Iterable[str], *, recheck_off: bool = False) -> list[str]:
    """Read the files of these repositories that were not read within the hour; returns what is wrong with them.

    `recheck_off` reads those anew that are off: somebody asks for them by name. Where GitHub does not answer,
    what was stored holds.
    """
    names = list(repos)
    closed = await app.database.query(repo_configs.off) if recheck_off else frozenset()
    gate, is_down = asyncio.Semaphore(AT_ONCE), False

    async def one(repo: str) -> None:
        nonlocal is_down
        async with gate:
            if is_down:
                return
            try:
                await load(app, repo, force=repo.lower() in closed)
            except (Transient, RateLimited) as error:
                is_down = True
                log.warning("configurations cannot be read now", repo=repo, reason=str(error))
            except SwitchyardError as error:
                log.warning("a configuration cannot be read", repo=repo, reason=str(error))
            except StoreError:
                raise
            except Exception as error:
                log.error("a configuration cannot be read", repo=repo, error=brief(error))

    try:
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(one(repo) for repo in names))
    except TimeoutError:
        log.warning("configurations were not read in time; going on with those known")
    return await app.database.query(lambda c: repo_configs.problems(c, names))


async def keep(app: App) -> None:
    """Read the files of all repositories that are served, now and once a day, for ever; pushes tell the rest."""
    while True:
        await refresh(app, await app.database.query(lambda c: served(c, app.settings)))
        app.tasks.worked("configurations")
        await asyncio.sleep(DAY)


async def examine(app: App, repo: str) -> Check:
    """What `doctor` says of a repository's file; stores nothing."""
    name = f"configuration {repo}"
    try:
        async with asyncio.timeout(PATIENCE - 5):
            found = await fetch(app, repo)
    except TimeoutError:
        return Check(name, False, "no answer in time", "check the network")
    except SwitchyardError as error:
        return Check(name, False, str(error), "give the credential read access to contents")
    if found.settings is None:
        return Check(name, False, found.problem, f"mend {FILE} there; until then what was good before holds")
    if not found.sha:
        return Check(name, True, f"no {FILE}: the operator's configuration holds")
    return Check(name, True, f"{FILE} is good" if found.settings.enabled else repo_configs.off_words(repo))


async def fetch(app: App, repo: str, commit: str = "") -> Found:
    """The file as it lies on the default branch, or at a commit. Raises what GitHub's client raises."""
    address = f"/repos/{repo}/contents/{FILE}" + (f"?ref={quote(commit)}" if commit else "")
    try:
        _, item = await app.github.read(address, repo)
    except Rejected as error:
        if error.status == 404:
            return Found(RepositorySettings())
        raise
    if not isinstance(item, Mapping) or item.get("type") != "file":
        return Found(None, (f"{FILE}: something else than a file",), "?")
    sha = str(item.get("sha") or "?")[:64]
    size = item.get("size")
    if isinstance(size, int) and size > MAX_BYTES:
        return Found(None, (f"{FILE}: larger than {MAX_BYTES // 1024} KiB",), sha)
    try:
        content = base64.b64decode(str(item.get("content") or ""))
    except (binascii.Error, ValueError):
        raise Transient(f"github: {FILE} of {repo} came in a form that cannot be read") from None
    settings, mistakes = check(content)
    return Found(settings, mistakes, sha)


def changed_by_push(payload: Mapping[str, Any]) -> bool:
    """Did this push to the default branch touch the file? Yes where it does not tell."""
    repository = payload.get("repository")
    branch = repository.get("default_branch") if isinstance(repository, Mapping) else None
    if payload.get("ref") != f"refs/heads/{branch}" or payload.get("deleted"):
        return False
    commits = payload.get("commits")
    if payload.get("forced") or not isinstance(commits, list) or not commits:
        return True
    return any(
        isinstance(commit, Mapping) and isinstance(commit.get(kind), list) and FILE in commit[kind]
        for commit in commits
        for kind in ("added", "modified", "removed")
    )


@dataclass(frozen=True, slots=True)
class _Pull:
    repo: str
    number: int
    sha: str

    @property
    def ref(self) -> str:
        return f"{self.repo}#{self.number}"


async def check_pull(app: App, payload: Mapping[str, Any]) -> str:
    """Check the file that a pull request changes, and wish for a check run or a comment that says so.

    Returns what came of it, as a short note. Raises what GitHub's client raises.
    """
    if payload.get("action") not in ("opened", "synchronize", "reopened"):
        return "nothing to check"
    pull = _pull_of(payload)
    if pull is None:
        return "no pull request for the default branch"
    if pull.repo.lower() in await app.database.query(repo_configs.off):
        return "its repository has switched the bot off"
    is_app = app.github.connections.is_app
    told = not is_app and bool(await app.database.query(lambda c: outbox.known(c, [f"comment:{pull.ref}"])))
    if not await _touches(app, pull) and not told:
        return "the pull request leaves the configuration alone"
    found = await fetch(app, pull.repo, pull.sha)
    command: Command | None = None
    if is_app:
        command = write_check(
            pull.ref,
            pull.sha,
            conclusion="success" if found.settings else "failure",
            title=_title(found),
            summary=_text(found),
        )
    elif found.settings is None or told:
        command = write_comment(pull.ref, _text(found))
    if command is not None:
        wish = command
        await app.database.run(lambda c: _wish(c, wish))
    return "the configuration is good" if found.settings else f"the configuration is bad: {found.problem}"


def _pull_of(payload: Mapping[str, Any]) -> _Pull | None:
    """The pull request, where it is for the default branch."""

    def inside(value: Any, *path: str) -> Any:
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    repo, branch = (inside(payload, "repository", key) for key in ("full_name", "default_branch"))
    number, sha = inside(payload, "pull_request", "number"), inside(payload, "pull_request", "head", "sha")
    if not isinstance(repo, str) or inside(payload, "pull_request", "base", "ref") != branch:
        return None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 2**31:
        return None
    return _Pull(repo, number, sha) if isinstance(sha, str) and _SHA.fullmatch(sha) else None


async def _touches(app: App, pull: _Pull) -> bool:
    for page in range(1, MOST_PAGES + 1):
        address = f"/repos/{pull.repo}/pulls/{pull.number}/files?per_page=100&page={page}"
        _, files = await app.github.read(address, pull.repo)
        if not isinstance(files, list):
            raise Transient(f"github: the files of {pull.ref} came as something else than a list")
        if any(
            isinstance(file, Mapping) and FILE in (file.get("filename"), file.get("previous_filename"))
            for file in files
        ):
            return True
        if len(files) < 100:
            break
    return False


def _title(found: Found) -> str:
    if found.settings is None:
        return f"{len(found.mistakes)} mistake{'s' if len(found.mistakes) != 1 else ''}"
    if not found.sha:
        return "no configuration of its own"
    return "good" if found.settings.enabled else "good: it switches the bot off"


def _text(found: Found) -> str:
    """What people read; the mistakes quote the file, so each stands in a code span, where nothing takes effect."""
    if found.settings is None:
        lines = "\n".join(f"- {code(line, 300)}" for line in found.mistakes)
        return (
            f"`{FILE}` cannot be used as it stands in this pull request:\n\n{lines}\n\n"
            "If it is merged like this, the configuration that holds now goes on to hold."
        )
    if not found.sha:
        return f"There is no `{FILE}` in this pull request: once it is merged, the operator's configuration holds."
    ends = "" if found.settings.enabled else " It switches the bot off in this repository."
    return f"`{FILE}` is good and takes effect once this is merged.{ends}"


def _wish(connection: Transaction, command: Command) -> None:
    outbox.store(connection, run_of_the_day(connection), [command], time.time())

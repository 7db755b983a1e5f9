"""Commands at GitHub beside labels and comments: assignees, advisories, reactions, check runs."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from integrations.base import Answer
from integrations.github import commands
from integrations.github.client.errors import needing
from integrations.github.client.pulls import Writes
from models.commands import Pending
from models.errors import BadCredential, Rejected, Unauthorized
from models.issue import parse_ref

_ADVISORIES = "Repository security advisories: read and write"


async def assign(github: Writes, pending: Pending) -> Answer:
    """Assign the person to an issue that is open and has nobody; `skipped` says why not.

    Once only: whom a person takes off again stays off.
    """
    if (pending.last_answer or {}).get("assigned"):
        return pending.last_answer or {}
    repo, number = parse_ref(str(pending.command.issue))
    login, path = str(pending.payload["login"]), f"/repos/{repo}/issues/{number}"
    _, issue = await github.read(path, repo)
    has = _logins(issue)
    if login.casefold() in has:
        return {"assigned": login}
    if has:
        return {"skipped": "somebody is assigned already"}
    if not isinstance(issue, Mapping) or issue.get("state") != "open":
        return {"skipped": "the issue is closed"}
    try:
        await github.read(f"/repos/{repo}/assignees/{quote(login)}", repo)
    except Rejected as error:
        if error.status != 404:
            raise
        return {"skipped": f"{login} cannot be assigned in this repository"}
    changed = await github.write("POST", f"{path}/assignees", {"assignees": [login]}, repo)
    # GitHub drops silently whom the credential may not assign.
    if login.casefold() not in _logins(changed):
        return {"skipped": "the credential may not assign anybody here: give it Issues: read and write"}
    return {"assigned": login}


async def draft_advisory(github: Writes, pending: Pending) -> Answer:
    """The issue's draft advisory, which stays as its maintainers leave it."""
    if (pending.last_answer or {}).get("ghsa_id"):
        return pending.last_answer or {}
    repo, _ = parse_ref(str(pending.command.issue))
    path = f"/repos/{repo}/security-advisories"
    with needing(_ADVISORIES):
        return commands.advisory_answer(
            await github.write("POST", path, commands.advisory_body(pending), repo, "content")
        )


async def find_draft_advisory(github: Writes, pending: Pending) -> Answer | None:
    """The draft that was made for the issue before, among the latest hundred."""
    repo, _ = parse_ref(str(pending.command.issue))
    path = f"/repos/{repo}/security-advisories?state=draft&sort=created&direction=desc&per_page=100"
    with needing(_ADVISORIES):
        _, found = await github.read(path, repo)
    return commands.find_advisory(pending, found)


async def react(github: Writes, pending: Pending) -> Answer:
    """Answer a comment with a reaction; the same one twice is one."""
    method, path, body = commands.reaction_request(pending)
    try:
        await github.write(method, path, body, parse_ref(str(pending.command.issue))[0], "content")
    except Rejected as error:
        if error.status != 404:
            raise
        # Its comment was deleted meanwhile.
        return {"removed": True}
    return {"reacted": pending.payload["content"]}


async def write_check(github: Writes, pending: Pending) -> Answer:
    """A check run."""
    method, path, body = commands.check_request(pending)
    repo, _ = parse_ref(str(pending.command.issue))
    try:
        return commands.check_answer(await github.write(method, path, body, repo))
    except BadCredential:
        raise
    except Unauthorized as error:
        # An App that may not write checks can label and comment all the same: the lane goes on.
        raise Rejected(f"{error}; give the App the permission Checks: read and write") from None


async def find_check(github: Writes, pending: Pending) -> Answer | None:
    """The command's own check run."""
    try:
        _, data = await github.read(commands.checks_path(pending), parse_ref(str(pending.command.issue))[0])
    except BadCredential:
        raise
    except Unauthorized:
        return None
    return commands.find_check(pending, data)


def _logins(issue: Any) -> set[str]:
    people = issue.get("assignees") if isinstance(issue, Mapping) else None
    return {
        str(person.get("login") or "").casefold() for person in people or () if isinstance(person, Mapping)
    }

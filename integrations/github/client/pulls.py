"""Opens draft pull requests, each on a branch of its own, and finds the one that stands."""

from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from integrations.base import Answer, Kind
from integrations.github.client.errors import needing
from integrations.github.payloads import found_at
from models.commands import Pending
from models.errors import Rejected, Transient, Unauthorized
from models.issue import parse_ref

PERMISSION = "Contents and Pull requests: read and write"
SKIP_CI = "[skip ci]"
"""In a commit's message: what a model wrote must not run with the project's secrets before somebody has read it."""
_PLAIN = "100644"


class Writes(Protocol):
    """What is needed of the client: requests as the repository's credential, within its budgets."""

    async def read(self, address: str, repo: str = "") -> tuple[Mapping[str, Any], Any]: ...

    async def write(self, method: str, path: str, body: Any, repo: str, kind: Kind = "write") -> Any: ...


async def open_draft_pull(github: Writes, pending: Pending) -> Answer:
    """The issue's one draft pull request: number, address, branch and who was asked to review it.

    Nothing is opened where one stands, where a file is not any more what it was, or where the repository takes no
    drafts; `skipped` then says why.
    """
    if (pending.last_answer or {}).get("number"):
        return pending.last_answer or {}
    standing = await find_draft_pull(github, pending)
    if standing is not None:
        return standing
    with needing(PERMISSION):
        return await _open(github, pending)


async def find_draft_pull(github: Writes, pending: Pending) -> Answer | None:
    """The pull request that was opened for the issue before, whatever it changes; None where there is none.

    Who was to be asked for a review and was not, because the try that opened it was cut off, is asked now.
    """
    repo, number = parse_ref(str(pending.command.issue))
    path = f"/repos/{repo}/git/matching-refs/heads/switchyard/{number}-"
    with needing(PERMISSION):
        _, refs = await github.read(path, repo)
        for item in refs if isinstance(refs, list) else ():
            ref = str(item.get("ref") or "") if isinstance(item, Mapping) else ""
            pull = await _of_branch(github, repo, ref.removeprefix("refs/heads/")) if ref else None
            if pull is not None:
                answer = _answer(pull, ref.removeprefix("refs/heads/"))
                people = pending.payload.get("reviewers") or ()
                asked = _asked(pull)
                missing = [one for one in people if str(one).rpartition("/")[2].casefold() not in asked]
                if pull.get("state") != "open" or not missing:
                    return answer
                return {**answer, "reviewers": await _request(github, repo, answer["number"], missing)}
    return None


async def _of_branch(github: Writes, repo: str, branch: str) -> Mapping[str, Any] | None:
    query = urlencode({"state": "all", "head": f"{repo.partition('/')[0]}:{branch}", "per_page": 5})
    _, pulls = await github.read(f"/repos/{repo}/pulls?{query}", repo)
    for pull in pulls if isinstance(pulls, list) else ():
        head = pull.get("head") if isinstance(pull, Mapping) else None
        if isinstance(head, Mapping) and head.get("ref") == branch:
            return dict(pull)
    return None


def _asked(pull: Mapping[str, Any]) -> set[str]:
    """Whose review is asked for, people and teams, in lower case."""
    lists = (("requested_reviewers", "login"), ("requested_teams", "slug"))
    return {
        str(one.get(name) or "").casefold()
        for key, name in lists
        for one in pull.get(key) or ()
        if isinstance(one, Mapping)
    }


async def _open(github: Writes, pending: Pending) -> Answer:
    repo, number = parse_ref(str(pending.command.issue))
    wanted = pending.payload
    base, branch = str(wanted["base"]), str(wanted["branch"])
    _, ref = await github.read(f"/repos/{repo}/git/ref/heads/{quote(base)}", repo)
    head = _sha(ref, "object", "sha")
    # One look at everything tells what the files are now, and which of them are programs.
    _, commit = await github.read(f"/repos/{repo}/git/commits/{head}", repo)
    tree = _sha(commit, "tree", "sha")
    _, listing = await github.read(f"/repos/{repo}/git/trees/{tree}?recursive=1", repo)
    entries = found_at(listing, "tree")
    known = {entry.get("path"): entry for entry in entries or () if isinstance(entry, Mapping)}
    for file in wanted["files"]:
        now = known.get(file["path"], {})
        if now.get("sha", "") != file["sha"] or now.get("type", "blob") != "blob":
            return {"skipped": f"{file['path']} has changed since"}
    changed = [
        {
            "path": file["path"],
            "mode": known.get(file["path"], {}).get("mode", _PLAIN),
            "type": "blob",
            "content": file["text"],
        }
        for file in wanted["files"]
    ]
    made = await github.write("POST", f"/repos/{repo}/git/trees", {"base_tree": tree, "tree": changed}, repo)
    message = f"Draft for issue {number}\n\nWritten by a machine; nobody has checked it.\n\n{SKIP_CI}"
    body: dict[str, Any] = {"message": message, "tree": _sha(made, "sha"), "parents": [head]}
    change = await github.write("POST", f"/repos/{repo}/git/commits", body, repo)
    try:
        new = {"ref": f"refs/heads/{branch}", "sha": _sha(change, "sha")}
        await github.write("POST", f"/repos/{repo}/git/refs", new, repo)
    except Rejected as error:
        # It is named by what it holds: a try before this one came so far.
        if error.status != 422 or "already exists" not in str(error):
            raise
    try:
        body = {"title": wanted["title"], "body": wanted["body"], "head": branch, "base": base, "draft": True}
        pull = await github.write("POST", f"/repos/{repo}/pulls", body, repo, "content")
    except Rejected as error:
        if error.status != 422 or "draft" not in str(error).lower():
            raise
        await github.write("DELETE", f"/repos/{repo}/git/refs/heads/{quote(branch)}", None, repo)
        return {"skipped": "the repository takes no draft pull requests"}
    answer = _answer(pull, branch)
    return {
        **answer,
        "reviewers": await _request(github, repo, answer["number"], wanted.get("reviewers") or ()),
    }


async def _request(github: Writes, repo: str, number: int, people: Any) -> list[str]:
    """Ask each for a review, and tell who could be asked: that nobody can is no failure."""
    asked = []
    for person in people:
        owner, _, team = str(person).rpartition("/")
        body = {"team_reviewers": [team]} if owner else {"reviewers": [team]}
        try:
            path = f"/repos/{repo}/pulls/{number}/requested_reviewers"
            await github.write("POST", path, body, repo, "content")
        except (Rejected, Unauthorized):
            continue
        asked.append(str(person))
    return asked


def _sha(data: Any, *names: str) -> str:
    found = found_at(data, *names)
    if not isinstance(found, str) or not found:
        raise Transient("github: an object of git came as something else")
    return found


def _answer(pull: Any, branch: str) -> dict[str, Any]:
    if not isinstance(pull, Mapping) or not isinstance(pull.get("number"), int):
        raise Rejected("github: the answer to a new pull request has no number")
    return {"number": pull["number"], "url": pull.get("html_url"), "branch": branch}

"""Pull requests in the GitHub stand-in: the files that they change, what lies at their heads, and check runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any

from integrations.github.sandbox.context import REPO, Desk
from integrations.github.sandbox.input import invalid, read_body, refuse
from integrations.github.sandbox.state import Repository, now_text
from integrations.sandbox_faults import Answer, ControlError, Request, json_answer

_KEYS = ("repo", "number", "head", "files")
_CONCLUSIONS = (
    "action_required", "cancelled", "failure", "neutral", "success", "skipped", "stale", "timed_out",
)  # fmt: skip
_CHECK_FIELDS = (
    "name", "head_sha", "details_url", "external_id", "status", "started_at", "conclusion", "completed_at",
    "output", "actions",
)  # fmt: skip


@dataclass(slots=True)
class Pull:
    """A pull request: the commit at its head, and what it makes of which file (None: it removes it)."""

    number: int
    head: str
    files: dict[str, str | None] = field(default_factory=dict)


@dataclass(slots=True)
class _Checks:
    """A repository's check runs, and the pull requests by number."""

    pulls: dict[int, Pull] = field(default_factory=dict)
    heads: dict[str, dict[str, str | None]] = field(default_factory=dict)
    """What each head commit there ever was changes: an older one can still be read."""
    runs: dict[int, dict[str, Any]] = field(default_factory=dict)


class PullRoutes:
    """Files and check runs; only an App's token writes those (`issued` tells which tokens are an App's)."""

    def __init__(self, desk: Desk, issued: Callable[[str], bool]) -> None:
        self._desk = desk
        self._issued = issued
        self._kept: dict[str, _Checks] = {}
        desk.add("GET", f"{REPO}/pulls/{{pull_number}}/files", self._files)
        desk.add("POST", f"{REPO}/check-runs", self._create)
        desk.add("GET", f"{REPO}/check-runs/{{check_run_id}}", self._get)
        desk.add("PATCH", f"{REPO}/check-runs/{{check_run_id}}", self._update)
        desk.add("GET", f"{REPO}/commits/{{ref}}/check-runs", self._list)

    def control(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Open a pull request, or push to it: `files` has what its head has of the files that it changes."""
        unknown = [key for key in data if key not in _KEYS]
        name, number, files = data.get("repo"), data.get("number"), data.get("files")
        if unknown or not isinstance(name, str) or name.count("/") != 1:
            raise ControlError(f"a pull request has its repo as OWNER/NAME; known: {', '.join(_KEYS)}")
        if not isinstance(number, int) or not isinstance(files, dict):
            raise ControlError("a pull request has a number and files, an object of paths and texts or nulls")
        repo = self._desk.repositories.get_or_add(name)
        if number not in repo.issues:
            repo.seed({"number": number, "title": "A change", "pull_request": True})
        kept = self._of(repo)
        head = str(data.get("head") or _sha(f"{name}#{number}@{len(kept.heads)}"))
        changed = {path.strip("/"): None if text is None else str(text) for path, text in files.items()}
        kept.pulls[number] = Pull(number, head, changed)
        kept.heads[head] = changed
        return {"head": head}

    def at(self, repo: Repository, ref: str) -> Repository:
        """The repository as it is at a commit; itself for a ref that is no pull request's head."""
        changed = self._of(repo).heads.get(ref)
        if changed is None:
            return repo
        seen = Repository(repo.full_name, repo.id)
        merged = {**repo.files, **changed}
        seen.files = {path: text for path, text in merged.items() if text is not None}
        return seen

    def checks(self) -> list[dict[str, Any]]:
        """All check runs there are."""
        return [run for kept in self._kept.values() for run in kept.runs.values()]

    def _of(self, repo: Repository) -> _Checks:
        return self._kept.setdefault(repo.full_name.lower(), _Checks())

    def _files(self, request: Request) -> Answer:
        repo = self._desk.repo(request)
        number = request.params["pull_number"]
        pull = self._of(repo).pulls.get(int(number)) if number.isdecimal() else None
        if pull is None:
            raise refuse(404)
        entries = [self._entry(repo, pull, path, text) for path, text in sorted(pull.files.items())]
        part, headers = self._desk.page(request, len(entries))
        return json_answer(200, entries[part], [h for h in headers if h[0] == b"link"])

    def _entry(self, repo: Repository, pull: Pull, path: str, text: str | None) -> dict[str, Any]:
        before = repo.files.get(path)
        status = "removed" if text is None else "added" if before is None else "modified"
        added, gone = (len((side or "").splitlines()) for side in (text, before))
        api, html = self._desk.writer.repo_url(repo), f"https://github.com/{repo.full_name}"
        return {
            "sha": _sha(text or before or ""),
            "filename": path,
            "status": status,
            "additions": added,
            "deletions": gone,
            "changes": added + gone,
            "blob_url": f"{html}/blob/{pull.head}/{path}",
            "raw_url": f"{html}/raw/{pull.head}/{path}",
            "contents_url": f"{api}/contents/{path}?ref={pull.head}",
        }

    def _create(self, request: Request) -> Answer:
        repo = self._writable(request)
        data = self._read(request)
        for name in ("name", "head_sha"):
            if not isinstance(data.get(name), str) or not data[name]:
                raise invalid("CheckRun", name, "missing_field")
        run: dict[str, Any] = {"id": repo.new_id(), "started_at": now_text()}
        run |= {"status": "queued", "conclusion": None}
        self._of(repo).runs[run["id"]] = run
        self._change(run, data)
        return json_answer(201, self._shown(repo, run))

    def _update(self, request: Request) -> Answer:
        repo = self._writable(request)
        run = self._find(repo, request)
        self._change(run, {k: v for k, v in self._read(request).items() if k != "head_sha"})
        return json_answer(200, self._shown(repo, run))

    def _get(self, request: Request) -> Answer:
        repo = self._desk.repo(request)
        return json_answer(200, self._shown(repo, self._find(repo, request)))

    def _list(self, request: Request) -> Answer:
        repo = self._desk.repo(request)
        name, ref = request.query.get("check_name"), request.params["ref"]
        found = [
            run
            for run in self._of(repo).runs.values()
            if run["head_sha"] == ref and name in (None, run["name"])
        ]
        part, headers = self._desk.page(request, len(found))
        shown = [self._shown(repo, run) for run in found[part]]
        body = {"total_count": len(found), "check_runs": shown}
        return json_answer(200, body, [h for h in headers if h[0] == b"link"])

    def _writable(self, request: Request) -> Repository:
        repo = self._desk.repo(request)
        if not self._issued(request.headers.get("authorization", "").rpartition(" ")[2]):
            raise refuse(403, "You must authenticate via a GitHub App.")
        return repo

    def _find(self, repo: Repository, request: Request) -> dict[str, Any]:
        number = request.params["check_run_id"]
        run = self._of(repo).runs.get(int(number)) if number.isdecimal() else None
        if run is None:
            raise refuse(404)
        return run

    def _read(self, request: Request) -> dict[str, Any]:
        data: dict[str, Any] = read_body(request)
        unknown = [key for key in data if key not in _CHECK_FIELDS]
        output = data.get("output")
        if unknown:
            raise refuse(422, f'"{unknown[0]}" is not a permitted key.')
        if data.get("conclusion") not in (None, *_CONCLUSIONS):
            raise invalid("CheckRun", "conclusion")
        if data.get("status") == "completed" and not data.get("conclusion"):
            raise invalid("CheckRun", "conclusion", "missing_field")
        if output is not None and not (isinstance(output, dict) and output.get("summary")):
            raise refuse(422, '"summary" wasn\'t supplied.')
        if output is not None and len(str(output["summary"])) > 65_535:
            raise refuse(422, "summary is too long (maximum is 65535 characters)")
        return data

    def _change(self, run: dict[str, Any], data: Mapping[str, Any]) -> None:
        run |= data
        if run.get("conclusion"):
            run |= {"status": "completed", "completed_at": data.get("completed_at") or now_text()}

    def _shown(self, repo: Repository, run: Mapping[str, Any]) -> dict[str, Any]:
        api, number = self._desk.writer.repo_url(repo), run["id"]
        output = run.get("output") or {}
        html = f"https://github.com/{repo.full_name}/runs/{number}"
        return {
            "id": number,
            "name": run["name"],
            "node_id": f"CR_{number}",
            "head_sha": run["head_sha"],
            "external_id": run.get("external_id") or "",
            "url": f"{api}/check-runs/{number}",
            "html_url": html,
            "details_url": run.get("details_url") or html,
            "status": run["status"],
            "conclusion": run["conclusion"],
            "started_at": run["started_at"],
            "completed_at": run.get("completed_at"),
            "output": {
                "title": output.get("title"),
                "summary": output.get("summary"),
                "text": output.get("text"),
                "annotations_count": 0,
                "annotations_url": f"{api}/check-runs/{number}/annotations",
            },
            "check_suite": {"id": repo.id},
            "app": None,
            "pull_requests": [],
        }


def _sha(text: str) -> str:
    return sha1(text.encode(), usedforsecurity=False).hexdigest()

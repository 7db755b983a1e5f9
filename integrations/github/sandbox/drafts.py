"""Draft pull requests with their reviewers, and draft security advisories, in the GitHub stand-in."""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any

from integrations.github.sandbox.context import REPO, Desk
from integrations.github.sandbox.git import GitRoutes
from integrations.github.sandbox.input import check_text, invalid, read_body, read_names, refuse
from integrations.github.sandbox.payloads import user
from integrations.github.sandbox.pulls import PullRoutes
from integrations.github.sandbox.state import Repository, now_text
from integrations.sandbox_faults import Answer, Request, json_answer

_ECOSYSTEMS = (
    "rubygems", "npm", "pip", "maven", "nuget", "composer", "go", "rust", "erlang", "actions", "pub", "other",
    "swift",
)  # fmt: skip
_SEVERITIES = ("critical", "high", "medium", "low")


@dataclass(slots=True)
class Proposal:
    """A pull request that was opened over the interface."""

    repo: Repository
    number: int
    branch: str
    base: str
    head_sha: str
    base_sha: str
    author: str
    draft: bool
    reviewers: list[str] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)


class DraftRoutes:
    """Pull requests from branches of the repository itself, and advisories."""

    def __init__(
        self,
        desk: Desk,
        git: GitRoutes,
        pulls: PullRoutes,
        author_of: Callable[[Request], str],
        assignable: Callable[[Repository, str], bool],
    ) -> None:
        self.takes_drafts = True
        """Private repositories of accounts that pay nothing do not."""
        self._desk = desk
        self._git = git
        self._pulls = pulls
        self._author_of = author_of
        self._assignable = assignable
        self._opened: dict[tuple[str, int], Proposal] = {}
        self._advisories: dict[str, list[dict[str, Any]]] = {}
        desk.add("GET", f"{REPO}/pulls", self._list)
        desk.add("POST", f"{REPO}/pulls", self._create)
        desk.add("GET", f"{REPO}/pulls/{{pull_number}}", self._get)
        desk.add("POST", f"{REPO}/pulls/{{pull_number}}/requested_reviewers", self._request)
        desk.add("GET", f"{REPO}/assignees/{{assignee}}", self._assignee)
        desk.add("GET", f"{REPO}/security-advisories", self._list_advisories)
        desk.add("POST", f"{REPO}/security-advisories", self._create_advisory)

    def opened(self) -> list[dict[str, Any]]:
        """All pull requests that were opened, with what they change."""
        found = []
        for one in self._opened.values():
            issue = one.repo.issues[one.number]
            found.append(
                {
                    "repo": one.repo.full_name,
                    "number": one.number,
                    "title": issue.title,
                    "body": issue.body,
                    "draft": one.draft,
                    "head": one.branch,
                    "base": one.base,
                    "message": self._git.objects(one.repo).commits[one.head_sha].message,
                    "files": self._git.changes(one.repo, one.base_sha, one.head_sha),
                    "reviewers": [*one.reviewers, *one.teams],
                }
            )
        return found

    def advisories(self) -> list[dict[str, Any]]:
        """All draft advisories."""
        return [{"repo": repo, **one} for repo, found in self._advisories.items() for one in found]

    def _create(self, request: Request) -> Answer:
        repo = self._git.writable(request, "pull_requests")
        kept, data = self._git.objects(repo), read_body(request)
        check_text("PullRequest", data)
        branch, base = str(data.get("head") or ""), str(data.get("base") or "")
        branch = branch.rpartition(":")[2]
        if not data.get("title"):
            raise invalid("PullRequest", "title", "missing_field")
        for name, value in (("head", branch), ("base", base)):
            if f"heads/{value}" not in kept.refs:
                raise invalid("PullRequest", name)
        if data.get("draft") and not self.takes_drafts:
            raise refuse(422, "Draft pull requests are not supported in this repository.")
        if any((one.branch, one.base) == (branch, base) for one in self._of(repo)):
            words = f"A pull request already exists for {repo.full_name.partition('/')[0]}:{branch}."
            raise invalid("PullRequest", "head", "custom", words)
        head_sha, base_sha = kept.refs[f"heads/{branch}"], kept.refs[f"heads/{base}"]
        changed = self._git.changes(repo, base_sha, head_sha)
        if not changed:
            raise invalid("PullRequest", "head", "custom", f"No commits between {base} and {branch}")
        author = self._author_of(request)
        seeded = {"title": str(data["title"]), "body": data.get("body"), "author": author}
        made = repo.seed({**seeded, "pull_request": True, "created_at": now_text()})
        one = Proposal(repo, made.number, branch, base, head_sha, base_sha, author, bool(data.get("draft")))
        self._opened[repo.full_name, made.number] = one
        self._pulls.control(
            {"repo": repo.full_name, "number": made.number, "head": head_sha, "files": changed}
        )
        return json_answer(201, self._shown(one, whole=True))

    def _list(self, request: Request) -> Answer:
        repo = self._desk.repo(request)
        query = request.query
        state, head = query.get("state", "open"), query.get("head", "").rpartition(":")[2]
        found = [
            one
            for one in self._of(repo)
            if state in ("all", repo.issues[one.number].state) and head in ("", one.branch)
        ]
        part, headers = self._desk.page(request, len(found))
        shown = [self._shown(one) for one in found[part]]
        return json_answer(200, shown, [h for h in headers if h[0] == b"link"])

    def _get(self, request: Request) -> Answer:
        return json_answer(200, self._shown(self._find(self._desk.repo(request), request), whole=True))

    def _request(self, request: Request) -> Answer:
        repo = self._git.writable(request, "pull_requests")
        one, data = self._find(repo, request), read_body(request)
        people = read_names(data.get("reviewers"), "login")
        if one.author in people:
            raise refuse(422, "Review cannot be requested from pull request author.")
        if not all(self._assignable(repo, login) for login in people):
            words = "Reviews may only be requested from collaborators. One or more of the users or teams you specified "
            raise refuse(422, f"{words}is not a collaborator of the {repo.full_name} repository.")
        one.reviewers = list(dict.fromkeys([*one.reviewers, *people]))
        one.teams = list(dict.fromkeys([*one.teams, *read_names(data.get("team_reviewers"), "slug")]))
        return json_answer(201, self._shown(one))

    def _assignee(self, request: Request) -> Answer:
        repo = self._desk.repo(request)
        if not self._assignable(repo, request.params["assignee"]):
            raise refuse(404)
        return Answer(204, b"", ())

    def _of(self, repo: Repository) -> list[Proposal]:
        return [one for (name, _), one in self._opened.items() if name == repo.full_name]

    def _find(self, repo: Repository, request: Request) -> Proposal:
        number = request.params["pull_number"]
        found = self._opened.get((repo.full_name, int(number))) if number.isdecimal() else None
        if found is None:
            raise refuse(404)
        return found

    def _shown(self, one: Proposal, *, whole: bool = False) -> dict[str, Any]:
        repo, issue, writer = one.repo, one.repo.issues[one.number], self._desk.writer
        api, html = writer.repo_url(repo), f"https://github.com/{repo.full_name}/pull/{one.number}"
        url, about = f"{api}/pulls/{one.number}", f"{api}/issues/{one.number}"
        owner = repo.full_name.partition("/")[0]
        links = {
            "comments": f"{about}/comments",
            "commits": f"{url}/commits",
            "statuses": f"{api}/statuses/{one.head_sha}",
            "html": html,
            "issue": about,
            "review_comments": f"{url}/comments",
            "review_comment": f"{api}/pulls/comments{{/number}}",
            "self": url,
        }
        sides = {
            name: {
                "label": f"{owner}:{ref}",
                "ref": ref,
                "sha": sha,
                "user": user(owner),
                "repo": writer.repository(repo),
            }
            for name, ref, sha in (("head", one.branch, one.head_sha), ("base", one.base, one.base_sha))
        }
        nothing = ("assignee", "closed_at", "merge_commit_sha", "merged_at", "milestone", "auto_merge")
        shown = {
            **dict.fromkeys(nothing),
            **{f"{name}_url": links[name] for name in links if name not in ("html", "issue", "self")},
            **sides,
            "url": url,
            "id": issue.id,
            "node_id": f"PR_{issue.id}",
            "html_url": html,
            "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch",
            "issue_url": about,
            "number": one.number,
            "state": issue.state,
            "locked": False,
            "title": issue.title,
            "body": issue.body,
            "user": user(one.author),
            "labels": [],
            "draft": one.draft,
            "author_association": "NONE",
            "created_at": issue.created_at,
            "updated_at": issue.updated_at,
            "requested_reviewers": [user(login) for login in one.reviewers],
            "_links": {name: {"href": link} for name, link in links.items()},
        }
        if not whole:
            return shown
        counts = ("additions", "deletions", "comments", "review_comments")
        state = {"mergeable": None, "mergeable_state": "draft", "merged": False, "merged_by": None}
        shown |= {**dict.fromkeys(counts, 0), **state, "commits": 1, "maintainer_can_modify": False}
        return {**shown, "changed_files": len(self._git.changes(repo, one.base_sha, one.head_sha))}

    def _list_advisories(self, request: Request) -> Answer:
        repo = self._git.writable(request, "repository_advisories")
        state = request.query.get("state")
        kept = self._advisories.get(repo.full_name, [])[::-1]
        return json_answer(200, [one for one in kept if state in (None, one["state"])][:100])

    def _create_advisory(self, request: Request) -> Answer:
        repo = self._git.writable(request, "repository_advisories")
        data = read_body(request)
        for name in ("summary", "description"):
            if not isinstance(data.get(name), str) or not data[name]:
                raise invalid("RepositoryAdvisory", name, "missing_field")
        if len(data["summary"]) > 1024:
            raise invalid("RepositoryAdvisory", "summary", "custom", "summary is too long")
        severity, vector = data.get("severity"), data.get("cvss_vector_string")
        if severity and vector:
            raise refuse(422, "Only one of severity and cvss_vector_string may be given.")
        if severity not in (None, *_SEVERITIES):
            raise invalid("RepositoryAdvisory", "severity")
        vulnerabilities = data.get("vulnerabilities")
        if not isinstance(vulnerabilities, list):
            raise invalid("RepositoryAdvisory", "vulnerabilities", "missing_field")
        for one in vulnerabilities:
            if (one.get("package") or {}).get("ecosystem") not in _ECOSYSTEMS:
                raise invalid("RepositoryAdvisory", "vulnerabilities")
        mine = self._advisories.setdefault(repo.full_name, [])
        mine.append(self._advisory(repo, data, len(mine), self._author_of(request)))
        return json_answer(201, mine[-1])

    def _advisory(self, repo: Repository, data: dict[str, Any], index: int, author: str) -> dict[str, Any]:
        letters = sha1(f"{repo.full_name}{index}".encode(), usedforsecurity=False).hexdigest()
        ghsa = "GHSA-" + "-".join(
            "".join("23456789cfghjmpq"[int(c, 16)] for c in letters[at : at + 4]) for at in (0, 4, 8)
        )
        identifiers = [{"type": "GHSA", "value": ghsa}]
        if data.get("cve_id"):
            identifiers.append({"type": "CVE", "value": data["cve_id"]})
        vector, weaknesses = data.get("cvss_vector_string"), data.get("cwe_ids") or []
        affected = [
            {
                "package": {
                    "ecosystem": one["package"]["ecosystem"],
                    "name": one["package"].get("name"),
                },
                "vulnerable_version_range": one.get("vulnerable_version_range"),
                "patched_versions": one.get("patched_versions"),
                "vulnerable_functions": one.get("vulnerable_functions"),
            }
            for one in data["vulnerabilities"]
        ]
        nothing = ("publisher", "published_at", "closed_at", "withdrawn_at", "submission", "private_fork")
        return {
            **dict.fromkeys(nothing),
            "ghsa_id": ghsa,
            "cve_id": data.get("cve_id"),
            "url": f"{self._desk.writer.repo_url(repo)}/security-advisories/{ghsa}",
            "html_url": f"https://github.com/{repo.full_name}/security/advisories/{ghsa}",
            "summary": data["summary"],
            "description": data["description"],
            "severity": data.get("severity"),
            "author": user(author),
            "identifiers": identifiers,
            "state": "draft",
            "created_at": now_text(),
            "updated_at": now_text(),
            "vulnerabilities": affected,
            "cvss": {"vector_string": vector, "score": None} if vector else None,
            "cwes": [{"cwe_id": name, "name": name} for name in weaknesses],
            "cwe_ids": weaknesses,
            "credits": [],
            "credits_detailed": [],
            "collaborating_users": [],
            "collaborating_teams": [],
        }

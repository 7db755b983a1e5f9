"""JSON as GitHub writes it, put together from ready pieces because whole pages of issues are asked for."""

from base64 import b64encode
from hashlib import sha1
from json.encoder import encode_basestring
from typing import Any
from urllib.parse import quote

from integrations.github.sandbox.history import IssueEvent, Label
from integrations.github.sandbox.state import (
    API_USER,
    REACTIONS,
    Comment,
    IssueRecord,
    Repository,
    user_id,
)

_SITE = "https://github.com"
_USERS = "https://api.github.com/users"
_EVENT_NODES = {"labeled": "LE", "unlabeled": "UNLE", "closed": "CE", "reopened": "REE"}


def _text(value: str | None) -> str:
    return "null" if value is None else encode_basestring(value)


def user(login: str) -> dict[str, Any]:
    """An account, as issues and comments show it."""
    bot = login.endswith("[bot]")
    url = f"{_USERS}/{quote(login)}"
    return {
        "login": login,
        "id": user_id(login),
        "node_id": f"U_{user_id(login)}",
        "avatar_url": f"https://avatars.githubusercontent.com/u/{user_id(login)}?v=4",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{_SITE}/apps/{login[:-5]}" if bot else f"{_SITE}/{login}",
        "followers_url": f"{url}/followers",
        "following_url": f"{url}/following{{/other_user}}",
        "gists_url": f"{url}/gists{{/gist_id}}",
        "starred_url": f"{url}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{url}/subscriptions",
        "organizations_url": f"{url}/orgs",
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events{{/privacy}}",
        "received_events_url": f"{url}/received_events",
        "type": "Bot" if bot else "User",
        "site_admin": False,
    }


def blob_sha(text: str) -> str:
    """Git's own name of a file's content."""
    content = text.encode("utf-8", "replace")
    return sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


class Writer:
    """Writes JSON with links on `base`, the address under which the client reached the stand-in."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._users: dict[str, str] = {}
        self._labels: dict[int, tuple[tuple[str, str, str | None], str]] = {}

    def user(self, login: str | None) -> str:
        """An account, null where it was deleted."""
        if login is None:
            return "null"
        found = self._users.get(login)
        if found is None:
            u = user(login)
            found = "{" + ",".join(f'"{k}":{_json(v)}' for k, v in u.items()) + "}"
            self._users[login] = found
        return found

    def repo_url(self, repo: Repository) -> str:
        """Where the repository's own resources lie."""
        return f"{self.base}/repos/{repo.full_name}"

    def label(self, repo: Repository, label: Label) -> str:
        """One label."""
        shown = (label.name, label.color, label.description)
        kept = self._labels.get(label.id)
        if kept is not None and kept[0] == shown:
            return kept[1]
        url = _text(f"{self.repo_url(repo)}/labels/{quote(label.name, safe='')}")
        text = (
            f'{{"id":{label.id},"node_id":"LA_{label.id}","url":{url},"name":{_text(label.name)},'
            f'"color":{_text(label.color)},"default":{_json(label.default)},'
            f'"description":{_text(label.description)}}}'
        )
        self._labels[label.id] = (shown, text)
        return text

    def labels(self, repo: Repository, issue: IssueRecord) -> str:
        """The labels of an issue, as a list."""
        return (
            "[" + ",".join(self.label(repo, repo.labels[k]) for k in issue.labels if k in repo.labels) + "]"
        )

    def issue(self, repo: Repository, issue: IssueRecord, *, extra: str = "") -> str:
        """One issue; `extra` are further members, each followed by a comma."""
        api = self.repo_url(repo)
        url = f"{api}/issues/{issue.number}"
        kind = "pull" if issue.pull_request else "issues"
        html = f"{_SITE}/{repo.full_name}/{kind}/{issue.number}"
        people = [self.user(login) for login in issue.assignees]
        pull = ""
        if issue.pull_request:
            pull = (
                f'"draft":false,"pull_request":{{"url":"{api}/pulls/{issue.number}","html_url":"{html}",'
                f'"diff_url":"{html}.diff","patch_url":"{html}.patch","merged_at":null}},'
            )
        return (
            f'{{{extra}"url":"{url}","repository_url":"{api}","labels_url":"{url}/labels{{/name}}",'
            f'"comments_url":"{url}/comments","events_url":"{url}/events","html_url":"{html}",'
            f'"id":{issue.id},"node_id":"I_{issue.id}","number":{issue.number},"title":{_text(issue.title)},'
            f'"user":{self.user(issue.author)},"labels":{self.labels(repo, issue)},"state":"{issue.state}",'
            f'"locked":{_json(issue.locked)},"assignee":{people[0] if people else "null"},'
            f'"assignees":[{",".join(people)}],"milestone":null,"comments":{issue.comments},'
            f'"created_at":"{issue.created_at}","updated_at":"{issue.updated_at}",'
            f'"closed_at":{_text(issue.closed_at)},"author_association":"{issue.association}",'
            f'"active_lock_reason":null,{pull}"body":{_text(issue.body)},"closed_by":null,'
            f'"reactions":{self.reactions(url, issue.reactions)},"timeline_url":"{url}/timeline",'
            f'"performed_via_github_app":null,"state_reason":{_text(issue.state_reason)}}}'
        )

    def reactions(self, url: str, counts: dict[str, int]) -> str:
        """How often each reaction was given."""
        each = ",".join(f'"{name}":{counts.get(name, 0)}' for name in REACTIONS)
        return f'{{"url":"{url}/reactions","total_count":{sum(counts.values())},{each}}}'

    def comment(self, repo: Repository, comment: Comment) -> str:
        """One comment."""
        api = self.repo_url(repo)
        url = f"{api}/issues/comments/{comment.id}"
        html = f"{_SITE}/{repo.full_name}/issues/{comment.number}#issuecomment-{comment.id}"
        association = "MEMBER" if comment.login == API_USER else "NONE"
        return (
            f'{{"url":"{url}","html_url":"{html}","issue_url":"{api}/issues/{comment.number}",'
            f'"id":{comment.id},"node_id":"IC_{comment.id}","user":{self.user(comment.login)},'
            f'"created_at":"{comment.created_at}","updated_at":"{comment.updated_at}",'
            f'"author_association":"{association}","body":{_text(comment.body)},'
            f'"reactions":{self.reactions(url, dict.fromkeys(comment.own_reactions, 1))},'
            '"performed_via_github_app":null}'
        )

    def event(self, repo: Repository, event: IssueEvent, issue: IssueRecord | None = None) -> str:
        """One event of an issue; the issue itself is shown where it is given."""
        label, more = event.label, ""
        if label is not None:
            more = f',"label":{{"name":{_text(label.name)},"color":{_text(label.color)}}}'
        if issue is not None:
            more += f',"issue":{self.issue(repo, issue)}'
        return (
            f'{{"id":{event.id},"node_id":"{_EVENT_NODES[event.kind]}_{event.id}",'
            f'"url":"{self.repo_url(repo)}/issues/events/{event.id}","actor":{self.user(event.actor)},'
            f'"event":"{event.kind}","commit_id":null,"commit_url":null,"created_at":"{event.created_at}",'
            f'"performed_via_github_app":null{more}}}'
        )

    def repository(self, repo: Repository) -> dict[str, Any]:
        """The repository itself, with what the token may do there."""
        api, html = self.repo_url(repo), f"{_SITE}/{repo.full_name}"
        owner, _, name = repo.full_name.partition("/")
        links = {f"{what}_url": f"{api}/{path}" for what, path in _REPO_LINKS.items()}
        counts = dict.fromkeys(
            ("forks_count", "stargazers_count", "watchers_count", "forks", "watchers", "size"), 0
        )
        features = dict.fromkeys(
            (
                "has_projects",
                "has_downloads",
                "has_wiki",
                "has_pages",
                "has_discussions",
                "archived",
                "disabled",
                "fork",
            ),
            False,
        )
        push = repo.access == "push"
        return {
            "id": repo.id,
            "node_id": f"R_{repo.id}",
            "name": name,
            "full_name": repo.full_name,
            "owner": user(owner),
            "private": False,
            "visibility": "public",
            "html_url": html,
            "description": None,
            "url": api,
            **links,
            "git_url": f"git://github.com/{repo.full_name}.git",
            "ssh_url": f"git@github.com:{repo.full_name}.git",
            "clone_url": f"{html}.git",
            "svn_url": html,
            "mirror_url": None,
            "homepage": None,
            "language": None,
            "license": None,
            "default_branch": "main",
            **counts,
            **features,
            "open_issues_count": repo.open_count(),
            "open_issues": repo.open_count(),
            "has_issues": repo.access != "disabled",
            "pushed_at": repo.created_at,
            "created_at": repo.created_at,
            "updated_at": repo.created_at,
            "subscribers_count": 0,
            "network_count": 0,
            "topics": [],
            "permissions": {
                "admin": False,
                "maintain": False,
                "push": push,
                "triage": push,
                "pull": True,
            },
        }

    def file(self, repo: Repository, path: str) -> dict[str, Any]:
        """A file with its content."""
        content = repo.files[path].encode()
        entry = self.entry(repo, path, "file", len(content))
        return {**entry, "encoding": "base64", "content": b64encode(content).decode() + "\n"}

    def entry(self, repo: Repository, path: str, kind: str, size: int) -> dict[str, Any]:
        """A file or folder as a folder's listing shows it."""
        api = self.repo_url(repo)
        if kind == "file":
            sha = blob_sha(repo.files[path])
        else:
            sha = sha1(f"{repo.full_name}/{path}".encode(), usedforsecurity=False).hexdigest()
        html = f"{_SITE}/{repo.full_name}/{'blob' if kind == 'file' else 'tree'}/main/{quote(path)}"
        git = f"{api}/git/{'blobs' if kind == 'file' else 'trees'}/{sha}"
        url = f"{api}/contents/{quote(path)}?ref=main"
        raw = (
            f"https://raw.githubusercontent.com/{repo.full_name}/main/{quote(path)}"
            if kind == "file"
            else None
        )
        return {
            "type": kind,
            "size": size,
            "name": path.rpartition("/")[2],
            "path": path,
            "sha": sha,
            "url": url,
            "git_url": git,
            "html_url": html,
            "download_url": raw,
            "_links": {"self": url, "git": git, "html": html},
        }


def _json(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else encode_basestring(str(value))


_REPO_LINKS = {
    "archive": "{archive_format}{/ref}",
    "assignees": "assignees{/user}",
    "blobs": "git/blobs{/sha}",
    "branches": "branches{/branch}",
    "collaborators": "collaborators{/collaborator}",
    "comments": "comments{/number}",
    "commits": "commits{/sha}",
    "compare": "compare/{base}...{head}",
    "contents": "contents/{+path}",
    "contributors": "contributors",
    "deployments": "deployments",
    "downloads": "downloads",
    "events": "events",
    "forks": "forks",
    "git_commits": "git/commits{/sha}",
    "git_refs": "git/refs{/sha}",
    "git_tags": "git/tags{/sha}",
    "hooks": "hooks",
    "issue_comment": "issues/comments{/number}",
    "issue_events": "issues/events{/number}",
    "issues": "issues{/number}",
    "keys": "keys{/key_id}",
    "labels": "labels{/name}",
    "languages": "languages",
    "merges": "merges",
    "milestones": "milestones{/number}",
    "notifications": "notifications{?since,all,participating}",
    "pulls": "pulls{/number}",
    "releases": "releases{/id}",
    "stargazers": "stargazers",
    "statuses": "statuses/{sha}",
    "subscribers": "subscribers",
    "subscription": "subscription",
    "tags": "tags",
    "teams": "teams",
    "trees": "git/trees{/sha}",
}

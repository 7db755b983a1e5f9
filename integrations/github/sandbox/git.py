"""Git in the GitHub stand-in: blobs, trees, commits and branches; the default branch follows the repository's files."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any

from integrations.github.sandbox.context import REPO, Desk
from integrations.github.sandbox.input import invalid, read_body, refuse
from integrations.github.sandbox.payloads import blob_sha, user
from integrations.github.sandbox.state import Repository, now_text
from integrations.sandbox_faults import Answer, Request, json_answer

MAIN = "heads/main"
MAINTAINER = "octo-maintainer"
_PLAIN, _FOLDER = "100644", "040000"
_UNSIGNED: Mapping[str, Any] = {
    "verified": False,
    "reason": "unsigned",
    "signature": None,
    "payload": None,
    "verified_at": None,
}
Tree = Mapping[str, tuple[str, str]]
"""Mode and blob by path; whole, without folders of its own."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit; `tree` names what it holds."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    message: str
    login: str
    at: str


@dataclass(slots=True)
class Objects:
    """A repository's objects by their names, and where its branches point."""

    blobs: dict[str, str] = field(default_factory=dict)
    trees: dict[str, Tree] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def add_blob(self, text: str) -> str:
        sha = blob_sha(text)
        self.blobs[sha] = text
        return sha

    def add_tree(self, tree: Tree) -> str:
        sha = _sha(repr(sorted(tree.items())))
        self.trees[sha] = dict(tree)
        return sha

    def add_commit(self, tree: str, parents: tuple[str, ...], message: str, login: str) -> Commit:
        at = now_text()
        made = Commit(_sha(repr((tree, parents, message, login, at))), tree, parents, message, login, at)
        self.commits[made.sha] = made
        return made

    def tree_of(self, commit: str) -> Tree:
        """What a commit holds; nothing where there is no such commit."""
        found = self.commits.get(commit)
        return self.trees[found.tree] if found else {}

    def history(self, commit: str) -> Iterator[Commit]:
        """A commit and those before it, along the first parents."""
        found = self.commits.get(commit)
        while found is not None:
            yield found
            found = self.commits.get(found.parents[0]) if found.parents else None


class GitRoutes:
    """Objects and branches; `may_write` tells whether a request may change a repository's contents."""

    def __init__(
        self,
        desk: Desk,
        may_write: Callable[[Request, Repository, str], bool],
        author_of: Callable[[Request], str],
    ) -> None:
        self._desk = desk
        self._may_write = may_write
        self._author_of = author_of
        self._kept: dict[str, Objects] = {}
        git = f"{REPO}/git"
        desk.add("GET", f"{REPO}/commits", self._commits)
        desk.add("GET", f"{git}/trees/{{tree_sha}}", self._tree)
        desk.add("POST", f"{git}/trees", self._create_tree)
        desk.add("POST", f"{git}/blobs", self._create_blob)
        desk.add("GET", f"{git}/commits/{{commit_sha}}", self._commit)
        desk.add("POST", f"{git}/commits", self._create_commit)
        desk.add("GET", f"{git}/ref/{{ref*}}", self._ref)
        desk.add("GET", f"{git}/matching-refs/{{ref*}}", self._matching_refs)
        desk.add("POST", f"{git}/refs", self._create_ref)
        desk.add("DELETE", f"{git}/refs/{{ref*}}", self._delete_ref)

    def objects(self, repo: Repository, login: str = MAINTAINER) -> Objects:
        """The repository's objects; what changed in its files since the last look is committed as `login`."""
        kept = self._kept.setdefault(repo.full_name.lower(), Objects())
        if repo.files or MAIN in kept.refs:
            head = kept.refs.get(MAIN, "")
            tree = kept.add_tree({p: (_PLAIN, kept.add_blob(text)) for p, text in repo.files.items()})
            if not head or kept.commits[head].tree != tree:
                message = "Change files" if head else "Begin"
                kept.refs[MAIN] = kept.add_commit(tree, (head,) if head else (), message, login).sha
        return kept

    def at(self, repo: Repository, ref: str) -> Repository:
        """The repository as it is at a commit or on a branch; itself for a ref that is neither."""
        kept = self.objects(repo)
        commit = kept.refs.get(f"heads/{ref}", ref)
        if commit not in kept.commits:
            return repo
        seen = Repository(repo.full_name, repo.id)
        seen.files = {path: kept.blobs[sha] for path, (_, sha) in kept.tree_of(commit).items()}
        return seen

    def changes(self, repo: Repository, base: str, head: str) -> dict[str, str | None]:
        """What a commit has of the files in which it differs from another; None for those that it lacks."""
        kept = self.objects(repo)
        before, after = kept.tree_of(base), kept.tree_of(head)
        changed = [path for path in {**before, **after} if before.get(path) != after.get(path)]
        return {path: kept.blobs[after[path][1]] if path in after else None for path in changed}

    def writable(self, request: Request, permission: str = "contents") -> Repository:
        """The repository, if the request may change it."""
        repo = self._desk.repo(request)
        if not self._may_write(request, repo, permission):
            raise refuse(403, "Resource not accessible by integration")
        return repo

    def _full(self, repo: Repository) -> Objects:
        kept = self.objects(repo)
        if not kept.refs:
            raise refuse(409, "Git Repository is empty.")
        return kept

    def _commits(self, request: Request) -> Answer:
        repo = self._desk.repo(request)
        kept, query = self._full(repo), request.query
        start = query.get("sha", "main")
        found = list(kept.history(kept.refs.get(f"heads/{start}", start)))
        if not found:
            raise refuse(404)
        path = query.get("path", "").strip("/")
        if path:
            found = [commit for commit in found if _touches(kept, commit, path)]
        part, headers = self._desk.page(request, len(found))
        shown = [self._in_list(repo, commit) for commit in found[part]]
        return json_answer(200, shown, [h for h in headers if h[0] == b"link"])

    def _tree(self, request: Request) -> Answer:
        repo = self._desk.repo(request)
        kept, sha = self._full(repo), request.params["tree_sha"]
        commit = kept.commits.get(kept.refs.get(f"heads/{sha}", sha))
        sha = commit.tree if commit else sha
        if sha not in kept.trees:
            raise refuse(404)
        return json_answer(200, self._shown_tree(repo, kept, sha, bool(request.query.get("recursive"))))

    def _create_tree(self, request: Request) -> Answer:
        repo = self.writable(request)
        kept, data = self._full(repo), read_body(request)
        base = data.get("base_tree")
        if base is not None and base not in kept.trees:
            raise refuse(404)
        tree = dict(kept.trees[base]) if base is not None else {}
        for entry in data.get("tree") or ():
            path, mode, sha = entry.get("path"), entry.get("mode", _PLAIN), entry.get("sha")
            if not isinstance(path, str) or not path or path.startswith("/"):
                raise refuse(422, "tree.path contains a malformed path component")
            if isinstance(entry.get("content"), str):
                tree[path] = (mode, kept.add_blob(entry["content"]))
            elif sha is None and "sha" in entry:
                tree.pop(path, None)
            elif sha in kept.blobs:
                tree[path] = (mode, sha)
            else:
                raise refuse(422, f"tree.sha {sha} is not a valid blob")
        return json_answer(201, self._shown_tree(repo, kept, kept.add_tree(tree), recursive=False))

    def _create_blob(self, request: Request) -> Answer:
        repo = self.writable(request)
        content = read_body(request).get("content")
        if not isinstance(content, str):
            raise invalid("Blob", "content", "missing_field")
        sha = self._full(repo).add_blob(content)
        return json_answer(201, {"url": f"{self._desk.writer.repo_url(repo)}/git/blobs/{sha}", "sha": sha})

    def _commit(self, request: Request) -> Answer:
        repo = self._desk.repo(request)
        found = self._full(repo).commits.get(request.params["commit_sha"])
        if found is None:
            raise refuse(404)
        return json_answer(200, self._shown_commit(repo, found))

    def _create_commit(self, request: Request) -> Answer:
        repo = self.writable(request)
        kept, data = self._full(repo), read_body(request)
        parents = tuple(data.get("parents") or ())
        if not isinstance(data.get("message"), str):
            raise invalid("Commit", "message", "missing_field")
        if data.get("tree") not in kept.trees or any(parent not in kept.commits for parent in parents):
            raise refuse(422, "Tree SHA or parent does not exist")
        made = kept.add_commit(data["tree"], parents, data["message"], self._author_of(request))
        return json_answer(201, self._shown_commit(repo, made))

    def _ref(self, request: Request) -> Answer:
        repo = self._desk.repo(request)
        kept, ref = self._full(repo), request.params["ref"]
        if ref not in kept.refs:
            raise refuse(404)
        return json_answer(200, self._shown_ref(repo, kept, ref))

    def _matching_refs(self, request: Request) -> Answer:
        repo = self._desk.repo(request)
        kept = self._full(repo)
        found = [ref for ref in sorted(kept.refs) if ref.startswith(request.params["ref"])]
        return json_answer(200, [self._shown_ref(repo, kept, ref) for ref in found])

    def _create_ref(self, request: Request) -> Answer:
        repo = self.writable(request)
        kept, data = self._full(repo), read_body(request)
        ref, sha = str(data.get("ref") or ""), data.get("sha")
        if not ref.startswith("refs/") or ref.count("/") < 2:
            raise refuse(422, "Reference name must start with 'refs/'.")
        if sha not in kept.commits:
            raise refuse(422, "Object does not exist")
        if ref.removeprefix("refs/") in kept.refs:
            raise refuse(422, "Reference already exists")
        kept.refs[ref.removeprefix("refs/")] = str(sha)
        return json_answer(201, self._shown_ref(repo, kept, ref.removeprefix("refs/")))

    def _delete_ref(self, request: Request) -> Answer:
        kept = self._full(self.writable(request))
        if kept.refs.pop(request.params["ref"], None) is None:
            raise refuse(422, "Reference does not exist")
        return Answer(204, b"", ())

    def _shown_ref(self, repo: Repository, kept: Objects, ref: str) -> dict[str, Any]:
        api, sha = self._desk.writer.repo_url(repo), kept.refs[ref]
        pointed = {"sha": sha, "type": "commit", "url": f"{api}/git/commits/{sha}"}
        return {
            "ref": f"refs/{ref}",
            "node_id": f"REF_{_sha(ref)[:12]}",
            "url": f"{api}/git/refs/{ref}",
            "object": pointed,
        }

    def _shown_tree(self, repo: Repository, kept: Objects, sha: str, recursive: bool) -> dict[str, Any]:
        api, tree = self._desk.writer.repo_url(repo), kept.trees[sha]
        folders = {path[:at] for path in tree for at, letter in enumerate(path) if letter == "/"}
        entries: list[dict[str, Any]] = [
            {"path": name, "mode": _FOLDER, "type": "tree", "sha": _sha(f"{sha}/{name}")} for name in folders
        ]
        for path, (mode, blob) in tree.items():
            size = len(kept.blobs[blob].encode())
            url = f"{api}/git/blobs/{blob}"
            entry = {"path": path, "mode": mode, "type": "blob", "sha": blob, "size": size, "url": url}
            entries.append(entry)
        chosen = [entry for entry in entries if recursive or "/" not in entry["path"]]
        chosen.sort(key=lambda entry: entry["path"])
        return {"sha": sha, "url": f"{api}/git/trees/{sha}", "tree": chosen, "truncated": False}

    def _shown_commit(self, repo: Repository, commit: Commit) -> dict[str, Any]:
        api, html = self._desk.writer.repo_url(repo), f"https://github.com/{repo.full_name}"
        parents = [
            {"sha": sha, "url": f"{api}/git/commits/{sha}", "html_url": f"{html}/commit/{sha}"}
            for sha in commit.parents
        ]
        who = {"name": commit.login, "email": f"{commit.login}@example.com", "date": commit.at}
        return {
            "sha": commit.sha,
            "node_id": f"C_{commit.sha[:12]}",
            "url": f"{api}/git/commits/{commit.sha}",
            "html_url": f"{html}/commit/{commit.sha}",
            "author": who,
            "committer": who,
            "message": commit.message,
            "tree": {"sha": commit.tree, "url": f"{api}/git/trees/{commit.tree}"},
            "parents": parents,
            "verification": dict(_UNSIGNED),
        }

    def _in_list(self, repo: Repository, commit: Commit) -> dict[str, Any]:
        """As the list of commits shows it, with the accounts."""
        shown, api = self._shown_commit(repo, commit), self._desk.writer.repo_url(repo)
        inner = {key: shown[key] for key in ("author", "committer", "message", "tree", "url")}
        url = f"{api}/commits/{commit.sha}"
        return {
            **{key: shown[key] for key in ("sha", "node_id", "html_url", "parents")},
            "url": url,
            "comments_url": f"{url}/comments",
            "commit": {**inner, "comment_count": 0, "verification": shown["verification"]},
            "author": user(commit.login),
            "committer": user(commit.login),
        }


def _touches(kept: Objects, commit: Commit, path: str) -> bool:
    now, before = kept.tree_of(commit.sha), kept.tree_of(commit.parents[0]) if commit.parents else {}
    return any(
        now.get(one) != before.get(one)
        for one in {**now, **before}
        if one == path or one.startswith(f"{path}/")
    )


def _sha(text: str) -> str:
    return sha1(text.encode(), usedforsecurity=False).hexdigest()

"""A stateful stand-in of GitHub's REST interface: issues, labels, comments, search, limits."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode
from zlib import crc32

from integrations.github.sandbox_app import AppRoutes
from integrations.github.sandbox_input import (
    MAX_LABEL,
    Refused,
    check_text,
    comment_body,
    failure,
    invalid,
    label_fields,
    read_body,
    read_names,
    refuse,
)
from integrations.github.sandbox_limits import Limits
from integrations.github.sandbox_payloads import Writer, user
from integrations.github.sandbox_search import search
from integrations.github.sandbox_state import (
    ACCESS,
    API_USER,
    REACTIONS,
    Comment,
    IssueRecord,
    Repositories,
    Repository,
    now_text,
    time_text,
)
from integrations.sandbox_faults import (
    REFUSED,
    Answer,
    ControlError,
    Request,
    Router,
    json_answer,
)

_HEADERS = (
    (b"content-type", b"application/json; charset=utf-8"),
    (b"x-github-media-type", b"github.v3; format=json"),
    (b"x-github-api-version-selected", b"2022-11-28"),
)


class GitHubSandbox:
    """Routes and handlers; `in_flight` tells how many requests are being answered, for the limit on them."""

    name = "github"

    def __init__(self, *, enforce: bool, scale: float, in_flight: Callable[[], int]) -> None:
        self.repositories = Repositories()
        self.limits = Limits(enforce=enforce, scale=scale, in_flight=in_flight)
        self.router = Router()
        self.writer = Writer("https://api.github.com")
        self._filtered: dict[tuple[Any, ...], tuple[int, list[int]]] = {}
        self.app = AppRoutes(self.repositories, lambda: self.writer)
        self.app.add_to(self._route)
        self._add_routes()

    def _add_routes(self) -> None:
        add, repo = self._route, "/repos/{owner}/{repo}"
        add("GET", "/user", self._user)
        add("GET", "/rate_limit", self._rate_limit)
        add("GET", "/search/issues", self._search)
        add("GET", repo, self._repository)
        add("GET", f"{repo}/contents/{{path*}}", self._contents)
        add("GET", f"{repo}/issues", self._list_issues)
        add("POST", f"{repo}/issues", self._create_issue)
        add("GET", f"{repo}/issues/comments", self._repo_comments)
        for method, comment_handler in (
            ("GET", self._get_comment),
            ("PATCH", self._edit_comment),
            ("DELETE", self._delete_comment),
        ):
            add(method, f"{repo}/issues/comments/{{comment_id}}", comment_handler)
        issue = f"{repo}/issues/{{issue_number}}"
        add("GET", issue, self._get_issue)
        add("PATCH", issue, self._edit_issue)
        add("GET", f"{issue}/labels", self._issue_labels)
        add("POST", f"{issue}/labels", self._add_labels)
        add("PUT", f"{issue}/labels", self._set_labels)
        add("DELETE", f"{issue}/labels", self._clear_labels)
        add("DELETE", f"{issue}/labels/{{name*}}", self._remove_label)
        add("GET", f"{issue}/comments", self._issue_comments)
        add("POST", f"{issue}/comments", self._create_comment)
        add("POST", f"{issue}/reactions", self._react)
        add("POST", f"{issue}/assignees", self._assign)
        add("DELETE", f"{issue}/assignees", self._unassign)
        add("GET", f"{repo}/labels", self._repo_labels)
        add("POST", f"{repo}/labels", self._create_label)
        add("GET", f"{repo}/labels/{{name*}}", self._get_label)
        add("PATCH", f"{repo}/labels/{{name*}}", self._edit_label)

    def _route(self, method: str, template: str, handler: Callable[[Request], Answer]) -> None:
        def guarded(request: Request) -> Answer:
            try:
                return handler(request)
            except Refused as refused:
                return refused.answer

        self.router.add(method, template, guarded)

    # What the application calls.

    def begin(self, request: Request, template: str) -> Answer | None:
        """Check the credential and the limits."""
        token = _token(request)
        if not token:
            return failure(401, "Requires authentication")
        if token == REFUSED or self.app.expired(token):
            return failure(401)
        if request.path == "/user" and self.app.issued(token):
            return failure(403, "Resource not accessible by integration")
        base = f"http://{request.headers.get('host', 'api.github.com')}"
        if base != self.writer.base:
            self.writer = Writer(base)
        return self.limits.take(token, request)

    def finish(self, request: Request, answer: Answer) -> Answer:
        """Add the rate headers; answer 304 where the client has the same already."""
        token = _token(request)
        headers = [*answer.headers]
        if request.method == "GET" and answer.status == 200 and isinstance(answer.body, bytes):
            tag = f'W/"{crc32(answer.body):08x}{len(answer.body):x}"'
            headers.append((b"etag", tag.encode()))
            if tag in request.headers.get("if-none-match", ""):
                self.limits.give_back(token, request.path)
                headers = [h for h in headers if h[0] != b"content-type"]
                answer = Answer(304, b"", headers)
        if token:
            headers += self.limits.quota(token, request.path).headers()
        return Answer(answer.status, answer.body, headers)

    def not_found(self, request: Request) -> Answer:
        """404, as for everything that is not there or not shown."""
        return failure(404)

    def error(self, status: int) -> Answer:
        """An error for a fault."""
        return failure(status)

    def control_repo(self, name: str, access: str | None, files: Mapping[str, str] | None) -> None:
        """Change what the token may do in a repository, or which files lie in it."""
        repo = self.repositories.get_or_add(name)
        if access is not None:
            if access not in ACCESS:
                raise ControlError(f"access must be one of {', '.join(ACCESS)}, not {access!r}")
            repo.access = access
        if files is not None:
            repo.files.update({path.strip("/"): str(text) for path, text in files.items()})

    # Finding and checking.

    def _repo(self, request: Request) -> Repository:
        repo = self.repositories.find(f"{request.params['owner']}/{request.params['repo']}")
        if repo is None or repo.access == "gone":
            raise refuse(404)
        if repo.access == "forbidden":
            raise refuse(403)
        return repo

    def _issue(self, request: Request) -> tuple[Repository, IssueRecord]:
        repo = self._issues_of(request)
        number = request.params["issue_number"]
        issue = repo.issues.get(int(number)) if number.isdecimal() else None
        if issue is None:
            raise refuse(404)
        if issue.deleted:
            raise refuse(410)
        return repo, issue

    def _issues_of(self, request: Request) -> Repository:
        repo = self._repo(request)
        if repo.access == "disabled":
            raise refuse(410, "Issues are disabled for this repo")
        return repo

    def _comment(self, request: Request) -> tuple[Repository, Comment]:
        repo = self._issues_of(request)
        number = request.params["comment_id"]
        comment = repo.comments.get(int(number)) if number.isdecimal() else None
        if comment is None:
            raise refuse(404)
        return repo, comment

    def _page(self, request: Request, total: int) -> tuple[slice, tuple[tuple[bytes, bytes], ...]]:
        """Which part of a list is asked for, and the headers that lead to the others."""
        query = parse_qs(request.query_string)
        size = min(max(_number(query, "per_page", 30), 1), 100)
        page = max(_number(query, "page", 1), 1)
        last = max(1, -(-total // size))
        links = {}
        if page < last:
            links = {"next": page + 1, "last": last}
        if page > 1:
            links |= {"prev": min(page - 1, last), "first": 1}
        found = slice((page - 1) * size, page * size)
        if not links:
            return found, _HEADERS
        base = f"{self.writer.base}{request.path}?"
        flat = {name: values[-1] for name, values in query.items()}
        text = ", ".join(
            f'<{base}{urlencode({**flat, "page": target})}>; rel="{rel}"' for rel, target in links.items()
        )
        return found, (*_HEADERS, (b"link", text.encode()))

    # Handlers.

    def _user(self, request: Request) -> Answer:
        more = {
            "name": "Sandbox",
            "company": None,
            "blog": "",
            "location": None,
            "email": None,
            "hireable": None,
        }
        more |= {"bio": None, "created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z"}
        counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
        scopes = ((b"x-oauth-scopes", b"repo"),)
        return json_answer(200, {**user(API_USER), **more, **counts}, scopes)

    def _rate_limit(self, request: Request) -> Answer:
        account = self.limits.account(_token(request))
        core, found = account.core.describe(), account.search.describe()
        return json_answer(200, {"resources": {"core": core, "search": found}, "rate": core})

    def _repository(self, request: Request) -> Answer:
        return json_answer(200, self.writer.repository(self._repo(request)))

    def _contents(self, request: Request) -> Answer:
        repo = self._repo(request)
        path = request.params["path"].strip("/")
        if path in repo.files:
            return json_answer(200, self.writer.file(repo, path))
        inside = f"{path}/" if path else ""
        entries: dict[str, dict[str, Any]] = {}
        for name, text in sorted(repo.files.items()):
            if name.startswith(inside):
                child, _, deeper = name[len(inside) :].partition("/")
                kind = "dir" if deeper else "file"
                size = 0 if deeper else len(text.encode())
                entries.setdefault(child, self.writer.entry(repo, inside + child, kind, size))
        if not entries:
            raise refuse(404)
        return json_answer(200, list(entries.values()))

    def _list_issues(self, request: Request) -> Answer:
        repo = self._issues_of(request)
        query = request.query
        state, sort = query.get("state", "open"), query.get("sort", "created")
        if state not in ("open", "closed", "all"):
            raise invalid("Issue", "state")
        if sort not in ("created", "updated", "comments"):
            raise invalid("Issue", "sort")
        since = None
        if query.get("since"):
            since = time_text(query["since"].replace(" ", "+"))
            if since is None:
                raise invalid("Issue", "since")
        wanted = {k: query[k] for k in ("labels", "creator", "assignee") if query.get(k)}
        numbers = self._matching(repo, sort, state, since, wanted)
        total = len(numbers)
        part, headers = self._page(request, total)
        if query.get("direction", "desc") == "asc":
            chosen = numbers[part]
        else:
            chosen = numbers[max(0, total - part.stop) : max(0, total - part.start)][::-1]
        texts = [self.writer.issue(repo, repo.issues[number]) for number in chosen]
        return Answer(200, _joined(texts), headers)

    def _matching(
        self, repo: Repository, sort: str, state: str, since: str | None, wanted: Mapping[str, str]
    ) -> list[int]:
        """Numbers in rising order; kept until the repository changes, since pages ask again and again."""
        key = (repo.full_name, sort, state, since, *wanted.items())
        version, numbers = self._filtered.get(key, (-1, []))
        if version == repo.version:
            return numbers
        order = repo.order(sort, state)
        if since is not None and sort == "updated":
            order, since = order[bisect_left(order, (since, 0)) :], None
        numbers = [number for _, number in order]
        if since is not None or wanted:
            keep = _filter(repo, since, wanted)
            numbers = [number for number in numbers if keep(repo.issues[number])]
        if len(self._filtered) > 8:
            self._filtered.clear()
        self._filtered[key] = (repo.version, numbers)
        return numbers

    def _search(self, request: Request) -> Answer:
        query = request.query
        if not query.get("q", "").strip():
            raise invalid("Search", "q", "missing")
        found = search(self.repositories, query["q"])
        if found is None:
            raise invalid("Search", "q", message="The listed repositories cannot be searched.")
        part, headers = self._page(request, min(len(found), 1000))
        if part.start >= 1000:
            raise refuse(422, "Only the first 1000 search results are available")
        texts = [self.writer.issue(r, i, extra='"score":1.0,') for r, i in found[:1000][part]]
        head = f'{{"total_count":{len(found)},"incomplete_results":false,"search_type":"lexical",'
        return Answer(200, head.encode() + b'"items":' + _joined(texts) + b"}", headers)

    def _create_issue(self, request: Request) -> Answer:
        repo = self._issues_of(request)
        data = read_body(request)
        title = data.get("title")
        if not isinstance(title, str | int) or isinstance(title, bool) or not str(title).strip():
            raise invalid("Issue", "title", "missing_field")
        check_text("Issue", data)
        allowed = repo.access == "push"
        issue = repo.seed(
            {
                "title": str(title),
                "body": data.get("body"),
                "author": API_USER,
                "author_association": "MEMBER" if allowed else "NONE",
                "created_at": now_text(),
                "labels": read_names(data.get("labels")) if allowed else [],
                "assignees": read_names(data.get("assignees"), "login")[:10] if allowed else [],
            }
        )
        return self._issue_answer(repo, issue, 201)

    def _issue_answer(self, repo: Repository, issue: IssueRecord, status: int = 200) -> Answer:
        return Answer(status, self.writer.issue(repo, issue).encode("utf-8", "replace"), _HEADERS)

    def _get_issue(self, request: Request) -> Answer:
        return self._issue_answer(*self._issue(request))

    def _edit_issue(self, request: Request) -> Answer:
        repo, issue = self._issue(request)
        data = read_body(request)
        check_text("Issue", data)
        state = data.get("state")
        if state not in (None, "open", "closed"):
            raise invalid("Issue", "state")
        allowed = repo.access == "push"
        own = allowed or issue.author == API_USER
        if not own and set(data) - {"labels", "assignees", "milestone"}:
            raise refuse(403, "Must have admin rights to Repository.")
        if allowed and isinstance(data.get("labels"), list):
            self._give_labels(repo, issue, read_names(data["labels"]), keep=False)
        if allowed and isinstance(data.get("assignees"), list):
            issue.assignees = list(dict.fromkeys(read_names(data["assignees"], "login")))[:10]
        if data.get("title") is not None:
            issue.title = str(data["title"])
        if "body" in data:
            issue.body = data["body"]
        repo.touch(issue, state=state)
        if state is not None:
            default = "completed" if state == "closed" else None
            issue.state_reason = data.get("state_reason") or default
        return self._issue_answer(repo, issue)

    def _labels_answer(self, repo: Repository, issue: IssueRecord) -> Answer:
        return Answer(200, self.writer.labels(repo, issue).encode("utf-8", "replace"), _HEADERS)

    def _issue_labels(self, request: Request) -> Answer:
        repo, issue = self._issue(request)
        part, headers = self._page(request, len(issue.labels))
        texts = [self.writer.label(repo, repo.labels[key]) for key in issue.labels[part]]
        return Answer(200, _joined(texts), headers)

    def _add_labels(self, request: Request) -> Answer:
        return self._put_labels(request, keep=True)

    def _set_labels(self, request: Request) -> Answer:
        return self._put_labels(request, keep=False)

    def _put_labels(self, request: Request, *, keep: bool) -> Answer:
        repo, issue = self._issue(request)
        data = read_body(request, allow_list=True)
        labels = data.get("labels") if isinstance(data, dict) else data
        if not isinstance(labels, list):
            raise invalid("Issue", "labels", "missing_field" if labels is None else "invalid")
        names = read_names(labels)
        if repo.access == "push":
            self._give_labels(repo, issue, names, keep=keep)
            repo.touch(issue)
        return self._labels_answer(repo, issue)

    def _give_labels(self, repo: Repository, issue: IssueRecord, names: list[str], *, keep: bool) -> None:
        for name in names:
            if not name.strip() or len(name) > MAX_LABEL:
                raise invalid(
                    "Label", "name", message=f"name is too long (maximum is {MAX_LABEL} characters)"
                )
        keys = repo.label_keys(names)
        kept = issue.labels if keep else []
        merged = list(dict.fromkeys([*kept, *keys]))
        if len(merged) > 100:
            raise invalid("Issue", "labels", message="an issue has at most 100 labels")
        issue.labels_added += [k for k in keys if k not in issue.labels]
        issue.labels = merged

    def _clear_labels(self, request: Request) -> Answer:
        repo, issue = self._issue(request)
        if repo.access == "push":
            issue.labels = []
            repo.touch(issue)
        return Answer(204, b"", ())

    def _remove_label(self, request: Request) -> Answer:
        repo, issue = self._issue(request)
        key = request.params["name"].lower()
        if key not in issue.labels:
            raise refuse(404, "Label does not exist")
        if repo.access == "push":
            issue.labels.remove(key)
            repo.touch(issue)
        return self._labels_answer(repo, issue)

    def _issue_comments(self, request: Request) -> Answer:
        repo, issue = self._issue(request)
        since = request.query.get("since", "")
        found = [repo.comments[number] for number in issue.comment_ids]
        return self._comments_answer(request, repo, [c for c in found if c.updated_at >= since])

    def _repo_comments(self, request: Request) -> Answer:
        repo = self._issues_of(request)
        query = request.query
        since = query.get("since", "")
        found = [c for c in repo.comments.values() if c.updated_at >= since]
        if query.get("sort") == "updated":
            found.sort(key=lambda c: (c.updated_at, c.id))
        if query.get("direction", "asc") == "desc":
            found.reverse()
        return self._comments_answer(request, repo, found)

    def _comments_answer(self, request: Request, repo: Repository, found: list[Comment]) -> Answer:
        part, headers = self._page(request, len(found))
        return Answer(200, _joined([self.writer.comment(repo, c) for c in found[part]]), headers)

    def _create_comment(self, request: Request) -> Answer:
        repo, issue = self._issue(request)
        body = comment_body(request)
        if issue.locked and repo.access != "push":
            raise refuse(403, "Unable to create comment because issue is locked.")
        comment = repo.add_comment(issue, body)
        return self._comment_answer(repo, comment, 201)

    def _comment_answer(self, repo: Repository, comment: Comment, status: int = 200) -> Answer:
        return Answer(status, self.writer.comment(repo, comment).encode("utf-8", "replace"), _HEADERS)

    def _get_comment(self, request: Request) -> Answer:
        return self._comment_answer(*self._comment(request))

    def _edit_comment(self, request: Request) -> Answer:
        repo, comment = self._comment(request)
        comment.body = comment_body(request)
        comment.updated_at = now_text()
        repo.touch(repo.issues[comment.number])
        return self._comment_answer(repo, comment)

    def _delete_comment(self, request: Request) -> Answer:
        repo, comment = self._comment(request)
        issue = repo.issues[comment.number]
        del repo.comments[comment.id]
        issue.comment_ids.remove(comment.id)
        repo.touch(issue)
        return Answer(204, b"", ())

    def _react(self, request: Request) -> Answer:
        repo, issue = self._issue(request)
        content = read_body(request).get("content")
        if content not in REACTIONS:
            raise invalid("Reaction", "content")
        status = 200 if content in issue.own_reactions else 201
        if status == 201:
            issue.own_reactions[content] = repo.new_id()
            issue.reactions[content] = issue.reactions.get(content, 0) + 1
        number = issue.own_reactions[content]
        reaction = {"id": number, "node_id": f"REA_{number}", "user": user(API_USER)}
        return json_answer(status, {**reaction, "content": content, "created_at": now_text()})

    def _assign(self, request: Request) -> Answer:
        repo, issue = self._issue(request)
        people = read_names(read_body(request).get("assignees"), "login")
        if repo.access == "push":
            issue.assignees = list(dict.fromkeys([*issue.assignees, *people]))[:10]
            repo.touch(issue)
        return self._issue_answer(repo, issue, 201)

    def _unassign(self, request: Request) -> Answer:
        repo, issue = self._issue(request)
        people = read_names(read_body(request).get("assignees"), "login")
        if repo.access == "push":
            issue.assignees = [login for login in issue.assignees if login not in people]
            repo.touch(issue)
        return self._issue_answer(repo, issue)

    def _repo_labels(self, request: Request) -> Answer:
        repo = self._repo(request)
        labels = list(repo.labels.values())
        part, headers = self._page(request, len(labels))
        return Answer(200, _joined([self.writer.label(repo, label) for label in labels[part]]), headers)

    def _get_label(self, request: Request) -> Answer:
        repo = self._repo(request)
        label = repo.labels.get(request.params["name"].lower())
        if label is None:
            raise refuse(404)
        return Answer(200, self.writer.label(repo, label).encode(), _HEADERS)

    def _create_label(self, request: Request) -> Answer:
        repo = self._repo(request)
        if repo.access != "push":
            raise refuse(403)
        data = label_fields(read_body(request))
        name = data.get("name", "")
        if not name.strip():
            raise invalid("Label", "name", "missing_field")
        if name.lower() in repo.labels:
            raise invalid("Label", "name", "already_exists")
        label = repo.add_label(name, color=data.get("color", "ededed"), description=data.get("description"))
        return Answer(201, self.writer.label(repo, label).encode(), _HEADERS)

    def _edit_label(self, request: Request) -> Answer:
        repo = self._repo(request)
        key = request.params["name"].lower()
        label = repo.labels.get(key)
        if label is None:
            raise refuse(404)
        if repo.access != "push":
            raise refuse(403)
        data = label_fields(read_body(request))
        label.color = data.get("color", label.color)
        label.description = data.get("description", label.description)
        if data.get("new_name"):
            repo.rename_label(key, data["new_name"])
        return Answer(200, self.writer.label(repo, label).encode(), _HEADERS)


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "token") else ""


def _number(query: Mapping[str, list[str]], name: str, default: int) -> int:
    text = query.get(name, [""])[-1]
    return int(text) if text.isdecimal() else default


def _joined(texts: Iterable[str]) -> bytes:
    return ("[" + ",".join(texts) + "]").encode("utf-8", "replace")


def _filter(repo: Repository, since: str | None, wanted: Mapping[str, str]) -> Callable[[IssueRecord], bool]:
    labels = {name.strip().lower() for name in wanted.get("labels", "").split(",") if name.strip()}
    creator, assignee = wanted.get("creator"), wanted.get("assignee", "*any*")

    def keep(issue: IssueRecord) -> bool:
        if since is not None and issue.updated_at < since:
            return False
        if not labels <= set(issue.labels) or creator not in (None, issue.author):
            return False
        if assignee == "none":
            return not issue.assignees
        return assignee == "*any*" or (
            bool(issue.assignees) if assignee == "*" else assignee in issue.assignees
        )

    return keep

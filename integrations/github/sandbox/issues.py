"""Issues in the GitHub stand-in: lists, search, changes, assignees, reactions."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Any

from integrations.github.sandbox.context import HEADERS, ISSUE, REPO, Desk, joined, newest
from integrations.github.sandbox.input import check_text, invalid, read_body, read_names, refuse
from integrations.github.sandbox.labels import give_labels
from integrations.github.sandbox.payloads import user
from integrations.github.sandbox.search import search
from integrations.github.sandbox.state import (
    API_USER,
    REACTIONS,
    IssueRecord,
    Repository,
    now_text,
    time_text,
)
from integrations.sandbox_faults import Answer, Request, json_answer


class IssueRoutes:
    """Issues, among which are the pull requests."""

    def __init__(self, desk: Desk, assignable: Callable[[Repository, str], bool]) -> None:
        self._desk = desk
        self._assignable = assignable
        self._filtered: dict[tuple[Any, ...], tuple[int, list[int]]] = {}
        desk.add("GET", "/search/issues", self._search)
        desk.add("GET", f"{REPO}/issues", self._list_issues)
        desk.add("POST", f"{REPO}/issues", self._create_issue)
        desk.add("GET", ISSUE, self._get_issue)
        desk.add("PATCH", ISSUE, self._edit_issue)
        desk.add("POST", f"{ISSUE}/reactions", self._react)
        desk.add("POST", f"{ISSUE}/assignees", self._assign)
        desk.add("DELETE", f"{ISSUE}/assignees", self._unassign)

    def _list_issues(self, request: Request) -> Answer:
        repo = self._desk.issues_of(request)
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
        part, headers = self._desk.page(request, len(numbers))
        chosen = numbers[part] if query.get("direction", "desc") == "asc" else newest(numbers, part)
        texts = [self._desk.writer.issue(repo, repo.issues[number]) for number in chosen]
        return Answer(200, joined(texts), headers)

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
        found = search(self._desk.repositories, query["q"])
        if found is None:
            raise invalid("Search", "q", message="The listed repositories cannot be searched.")
        part, headers = self._desk.page(request, min(len(found), 1000))
        if part.start >= 1000:
            raise refuse(422, "Only the first 1000 search results are available")
        texts = [self._desk.writer.issue(r, i, extra='"score":1.0,') for r, i in found[:1000][part]]
        head = f'{{"total_count":{len(found)},"incomplete_results":false,"search_type":"lexical",'
        return Answer(200, head.encode() + b'"items":' + joined(texts) + b"}", headers)

    def _create_issue(self, request: Request) -> Answer:
        repo = self._desk.issues_of(request)
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
                "by": API_USER,
                "labels": read_names(data.get("labels")) if allowed else [],
                "assignees": read_names(data.get("assignees"), "login")[:10] if allowed else [],
            }
        )
        return self._issue_answer(repo, issue, 201)

    def _issue_answer(self, repo: Repository, issue: IssueRecord, status: int = 200) -> Answer:
        return Answer(status, self._desk.writer.issue(repo, issue).encode("utf-8", "replace"), HEADERS)

    def _get_issue(self, request: Request) -> Answer:
        return self._issue_answer(*self._desk.issue(request, redirects=True))

    def _edit_issue(self, request: Request) -> Answer:
        repo, issue = self._desk.issue(request, redirects=True)
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
            give_labels(repo, issue, read_names(data["labels"]), keep=False)
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

    def _react(self, request: Request) -> Answer:
        repo, issue = self._desk.issue(request)
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
        repo, issue = self._desk.issue(request)
        people = read_names(read_body(request).get("assignees"), "login")
        if repo.access == "push":
            # Others are dropped without a word.
            able = [login for login in people if self._assignable(repo, login)]
            issue.assignees = list(dict.fromkeys([*issue.assignees, *able]))[:10]
            repo.touch(issue)
        return self._issue_answer(repo, issue, 201)

    def _unassign(self, request: Request) -> Answer:
        repo, issue = self._desk.issue(request)
        people = read_names(read_body(request).get("assignees"), "login")
        if repo.access == "push":
            issue.assignees = [login for login in issue.assignees if login not in people]
            repo.touch(issue)
        return self._issue_answer(repo, issue)


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

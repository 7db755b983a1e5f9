"""What all parts of the GitHub stand-in use: finding things, leading through pages, registering routes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar
from urllib.parse import parse_qs, urlencode

from integrations.github.sandbox.input import Refused, failure, refuse
from integrations.github.sandbox.payloads import Writer
from integrations.github.sandbox.state import Comment, IssueRecord, Repositories, Repository
from integrations.sandbox_faults import Answer, Request, Router

REPO = "/repos/{owner}/{repo}"
ISSUE = f"{REPO}/issues/{{issue_number}}"
T = TypeVar("T")
HEADERS = (
    (b"content-type", b"application/json; charset=utf-8"),
    (b"x-github-media-type", b"github.v3; format=json"),
    (b"x-github-api-version-selected", b"2022-11-28"),
)


class Desk:
    """The repositories, and how a request's path leads to what lies in them."""

    def __init__(self) -> None:
        self.repositories = Repositories()
        self.router = Router()
        self.writer = Writer("https://api.github.com")

    def add(self, method: str, template: str, handler: Callable[[Request], Answer]) -> None:
        """Register a handler; a refusal inside it becomes its answer."""

        def guarded(request: Request) -> Answer:
            try:
                return handler(request)
            except Refused as refused:
                return refused.answer

        self.router.add(method, template, guarded)

    def repo(self, request: Request) -> Repository:
        """The repository, unless it is not there or not to be seen."""
        repo = self.repositories.find(f"{request.params['owner']}/{request.params['repo']}")
        if repo is None or repo.access == "gone":
            raise refuse(404)
        if repo.access == "forbidden":
            raise refuse(403)
        return repo

    def issues_of(self, request: Request) -> Repository:
        """The repository, if it has issues at all."""
        repo = self.repo(request)
        if repo.access == "disabled":
            raise refuse(410, "Issues are disabled for this repo")
        return repo

    def issue(self, request: Request, *, redirects: bool = False) -> tuple[Repository, IssueRecord]:
        """The issue with its repository; one that was transferred is named by the routes that document 301."""
        repo = self.issues_of(request)
        number = request.params["issue_number"]
        issue = repo.issues.get(int(number)) if number.isdecimal() else None
        if issue is None:
            raise refuse(404)
        if issue.deleted:
            raise refuse(410)
        if issue.moved_to is not None:
            raise self._moved(request, issue.moved_to) if redirects else refuse(404)
        return repo, issue

    def _moved(self, request: Request, ref: str) -> Refused:
        name, _, number = ref.partition("#")
        rest = request.path.partition(f"/issues/{request.params['issue_number']}")[2]
        url = f"{self.writer.base}/repos/{name}/issues/{number}{rest}"
        answer = failure(301, "Moved Permanently", url=url)
        return Refused(Answer(301, answer.body, [*answer.headers, (b"location", url.encode())]))

    def comment(self, request: Request) -> tuple[Repository, Comment]:
        """The comment with its repository."""
        repo = self.issues_of(request)
        number = request.params["comment_id"]
        comment = repo.comments.get(int(number)) if number.isdecimal() else None
        if comment is None:
            raise refuse(404)
        return repo, comment

    def page(self, request: Request, total: int) -> tuple[slice, tuple[tuple[bytes, bytes], ...]]:
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
            return found, HEADERS
        base = f"{self.writer.base}{request.path}?"
        flat = {name: values[-1] for name, values in query.items()}
        text = ", ".join(
            f'<{base}{urlencode({**flat, "page": target})}>; rel="{rel}"' for rel, target in links.items()
        )
        return found, (*HEADERS, (b"link", text.encode()))


def _number(query: Mapping[str, list[str]], name: str, default: int) -> int:
    text = query.get(name, [""])[-1]
    return int(text) if text.isdecimal() else default


def newest(items: Sequence[T], part: slice) -> Sequence[T]:
    """That part of a list that is kept oldest first and shown newest first."""
    total = len(items)
    return items[max(0, total - part.stop) : max(0, total - part.start)][::-1]


def joined(texts: Iterable[str]) -> bytes:
    """A JSON list of ready texts."""
    return ("[" + ",".join(texts) + "]").encode("utf-8", "replace")

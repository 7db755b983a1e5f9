"""A stateful stand-in of GitHub's REST interface: credentials, limits, and the routes that its parts add."""

from collections.abc import Callable, Mapping
from typing import Any
from zlib import crc32

from integrations.github.sandbox.app import SLUG, AppRoutes
from integrations.github.sandbox.comments import CommentRoutes
from integrations.github.sandbox.context import REPO, Desk
from integrations.github.sandbox.deliveries import DeliveryRoutes
from integrations.github.sandbox.drafts import DraftRoutes
from integrations.github.sandbox.events import EventRoutes
from integrations.github.sandbox.git import MAINTAINER, GitRoutes
from integrations.github.sandbox.input import failure, refuse
from integrations.github.sandbox.issues import IssueRoutes
from integrations.github.sandbox.labels import LabelRoutes
from integrations.github.sandbox.limits import Limits
from integrations.github.sandbox.login import AUTHORIZE, TOKEN, LoginRoutes
from integrations.github.sandbox.payloads import Writer, user
from integrations.github.sandbox.pulls import PullRoutes
from integrations.github.sandbox.state import ACCESS, API_USER, Repository
from integrations.sandbox_faults import REFUSED, Answer, ControlError, Request, json_answer


class GitHubSandbox:
    """The service; `in_flight` tells how many requests are being answered, for the limit on them."""

    name = "github"

    def __init__(self, *, enforce: bool, scale: float, in_flight: Callable[[], int]) -> None:
        self.limits = Limits(enforce=enforce, scale=scale, in_flight=in_flight)
        self._desk = desk = Desk()
        self.repositories = desk.repositories
        self.router = desk.router
        self.app = AppRoutes(desk)
        self.deliveries = DeliveryRoutes(desk)
        self.pulls = PullRoutes(desk, self.app.issued)
        self.people = LoginRoutes(desk)
        self.git = GitRoutes(desk, self._may_write, self._author_of)
        self.drafts = DraftRoutes(desk, self.git, self.pulls, self._author_of, self.people.assignable)
        IssueRoutes(desk, self.people.assignable)
        LabelRoutes(desk)
        CommentRoutes(desk, self._author_of)
        EventRoutes(desk)
        desk.add("GET", "/user", self._user)
        desk.add("GET", "/rate_limit", self._rate_limit)
        desk.add("GET", REPO, self._repository)
        desk.add("GET", f"{REPO}/contents/{{path*}}", self._contents)

    @property
    def writer(self) -> Writer:
        """Writes JSON with links to where the clients reach the stand-in."""
        return self._desk.writer

    def begin(self, request: Request, template: str) -> Answer | None:
        """Check the credential and the limits."""
        if template in (AUTHORIZE, TOKEN):
            # A person's browser, and what checks its code with a credential in the form.
            return None
        token = _token(request)
        if not token:
            return failure(401, "Requires authentication")
        if token == REFUSED:
            return failure(401)
        refused = self.app.refused(request, token)
        if refused is not None:
            return refused
        if request.path == "/user" and self.app.issued(token):
            return failure(403, "Resource not accessible by integration")
        base = f"http://{request.headers.get('host', 'api.github.com')}"
        if base != self._desk.writer.base:
            self._desk.writer = Writer(base)
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

    def control_repo(
        self, name: str, access: str | None, files: Mapping[str, str | None] | None, by: str = MAINTAINER
    ) -> None:
        """Change what the token may do in a repository, or which files lie in it; null takes one away.

        `by` is who committed those."""
        repo = self._desk.repositories.get_or_add(name)
        if access is not None:
            if access not in ACCESS:
                raise ControlError(f"access must be one of {', '.join(ACCESS)}, not {access!r}")
            repo.access = access
        if files is not None:
            for path, text in files.items():
                if text is None:
                    repo.files.pop(path.strip("/"), None)
                else:
                    repo.files[path.strip("/")] = str(text)
            self.git.objects(repo, by)

    def _author_of(self, request: Request) -> str:
        """Whose name is on what a request writes."""
        token = _token(request)
        if self.app.issued(token):
            return f"{SLUG}[bot]"
        return self.people.login_of(token) or API_USER

    def _may_write(self, request: Request, repo: Repository, permission: str) -> bool:
        """May a request's credential change that of a repository's?"""
        return repo.access == "push" and self.app.allows(_token(request), permission)

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
        person = self.people.login_of(_token(request))
        return json_answer(200, {**user(person or API_USER), **more, **counts}, () if person else scopes)

    def _rate_limit(self, request: Request) -> Answer:
        account = self.limits.account(_token(request))
        core, found = account.core.describe(), account.search.describe()
        return json_answer(200, {"resources": {"core": core, "search": found}, "rate": core})

    def _repository(self, request: Request) -> Answer:
        return json_answer(200, self._desk.writer.repository(self._desk.repo(request)))

    def _contents(self, request: Request) -> Answer:
        ref = request.query.get("ref", "")
        repo = self.pulls.at(self.git.at(self._desk.repo(request), ref), ref)
        path = request.params["path"].strip("/")
        if path in repo.files:
            return json_answer(200, self._desk.writer.file(repo, path))
        inside = f"{path}/" if path else ""
        entries: dict[str, dict[str, Any]] = {}
        for name, text in sorted(repo.files.items()):
            if name.startswith(inside):
                child, _, deeper = name[len(inside) :].partition("/")
                kind = "dir" if deeper else "file"
                size = 0 if deeper else len(text.encode())
                entries.setdefault(child, self._desk.writer.entry(repo, inside + child, kind, size))
        if not entries:
            raise refuse(404)
        return json_answer(200, list(entries.values()))


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "token") else ""

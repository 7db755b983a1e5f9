"""Comments in the GitHub stand-in."""

from collections.abc import Callable

from integrations.github.sandbox.context import HEADERS, ISSUE, REPO, Desk, joined
from integrations.github.sandbox.input import comment_body, invalid, read_body, refuse
from integrations.github.sandbox.payloads import user
from integrations.github.sandbox.state import API_USER, REACTIONS, Comment, Repository, now_text
from integrations.sandbox_faults import Answer, Request, json_answer


class CommentRoutes:
    """Comments of one issue and of a whole repository."""

    def __init__(self, desk: Desk, author_of: Callable[[Request], str]) -> None:
        self._desk = desk
        self._author_of = author_of
        desk.add("GET", f"{REPO}/issues/comments", self._repo_comments)
        desk.add("GET", f"{REPO}/issues/comments/{{comment_id}}", self._get_comment)
        desk.add("PATCH", f"{REPO}/issues/comments/{{comment_id}}", self._edit_comment)
        desk.add("DELETE", f"{REPO}/issues/comments/{{comment_id}}", self._delete_comment)
        desk.add("POST", f"{REPO}/issues/comments/{{comment_id}}/reactions", self._react)
        desk.add("GET", f"{ISSUE}/comments", self._issue_comments)
        desk.add("POST", f"{ISSUE}/comments", self._create_comment)

    def _issue_comments(self, request: Request) -> Answer:
        repo, issue = self._desk.issue(request)
        since = request.query.get("since", "")
        found = [repo.comments[number] for number in issue.comment_ids]
        return self._comments_answer(request, repo, [c for c in found if c.updated_at >= since])

    def _repo_comments(self, request: Request) -> Answer:
        repo = self._desk.issues_of(request)
        query = request.query
        since = query.get("since", "")
        found = [c for c in repo.comments.values() if c.updated_at >= since]
        if query.get("sort") == "updated":
            found.sort(key=lambda c: (c.updated_at, c.id))
        if query.get("direction", "asc") == "desc":
            found.reverse()
        return self._comments_answer(request, repo, found)

    def _comments_answer(self, request: Request, repo: Repository, found: list[Comment]) -> Answer:
        part, headers = self._desk.page(request, len(found))
        return Answer(200, joined([self._desk.writer.comment(repo, c) for c in found[part]]), headers)

    def _create_comment(self, request: Request) -> Answer:
        repo, issue = self._desk.issue(request)
        body = comment_body(request)
        if issue.locked and repo.access != "push":
            raise refuse(403, "Unable to create comment because issue is locked.")
        comment = repo.add_comment(issue, body, self._author_of(request))
        return self._comment_answer(repo, comment, 201)

    def _comment_answer(self, repo: Repository, comment: Comment, status: int = 200) -> Answer:
        return Answer(status, self._desk.writer.comment(repo, comment).encode("utf-8", "replace"), HEADERS)

    def _get_comment(self, request: Request) -> Answer:
        return self._comment_answer(*self._desk.comment(request))

    def _edit_comment(self, request: Request) -> Answer:
        repo, comment = self._desk.comment(request)
        comment.body = comment_body(request)
        comment.updated_at = now_text()
        repo.touch(repo.issues[comment.number])
        return self._comment_answer(repo, comment)

    def _delete_comment(self, request: Request) -> Answer:
        repo, comment = self._desk.comment(request)
        issue = repo.issues[comment.number]
        del repo.comments[comment.id]
        issue.comment_ids.remove(comment.id)
        repo.touch(issue)
        return Answer(204, b"", ())

    def _react(self, request: Request) -> Answer:
        _, comment = self._desk.comment(request)
        return react(request, comment.own_reactions)


def react(request: Request, own: dict[str, int]) -> Answer:
    """Add the token's reaction to those it has given; the same one twice is one."""
    content = read_body(request).get("content")
    if content not in REACTIONS:
        raise invalid("Reaction", "content")
    status = 200 if content in own else 201
    number = own.setdefault(content, len(own) + 1)
    reaction = {"id": number, "node_id": f"REA_{number}", "user": user(API_USER)}
    return json_answer(status, {**reaction, "content": content, "created_at": now_text()})

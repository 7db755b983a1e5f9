"""Events of issues in the GitHub stand-in: who labelled, closed and opened them again."""

from integrations.github.sandbox.context import ISSUE, REPO, Desk, joined, newest
from integrations.sandbox_faults import Answer, Request


class EventRoutes:
    """Events of a whole repository, newest first, and of one issue, oldest first."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        desk.add("GET", f"{REPO}/issues/events", self._repo_events)
        desk.add("GET", f"{ISSUE}/events", self._issue_events)

    def _repo_events(self, request: Request) -> Answer:
        repo = self._desk.issues_of(request)
        found = repo.history.all()
        part, headers = self._desk.page(request, len(found))
        writer = self._desk.writer
        texts = [writer.event(repo, event, repo.issues[event.number]) for event in newest(found, part)]
        return Answer(200, joined(texts), headers)

    def _issue_events(self, request: Request) -> Answer:
        repo, issue = self._desk.issue(request)
        found = repo.history.of(issue.number)
        part, headers = self._desk.page(request, len(found))
        return Answer(200, joined([self._desk.writer.event(repo, event) for event in found[part]]), headers)
